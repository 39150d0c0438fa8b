/* socket.c - the C half of websocket.js: what it does with a socket that respondSocket or
 * socketJoin has opened.
 *
 * Sockets are named by the stream number of their request or outcall; one that is gone takes
 * nothing. */
#include "realm/socket.h"

#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/outcall.h"
#include "realm/web/web.h"

static struct socket *socket_of(JSContextRef js, JSValueRef id)
{
    uint32_t stream = (uint32_t)JSValueToNumber(js, id, NULL);
    struct outcall *o = stream & HOST_OUTCALL_BIT ? outcall_find(stream) : NULL;
    struct exchange *x = stream & HOST_OUTCALL_BIT ? NULL : exchange_find(stream);

    return o ? o->socket : x ? x->socket : NULL;
}

/* socketSend(id, string | bytes) -> enum flow_room */
static JSValueRef socket_send_native(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                     size_t count, const JSValueRef *arguments,
                                     JSValueRef *ret_thrown)
{
    struct socket *s = socket_of(js, arguments[0]);
    struct buf text = {0};
    struct span bytes = {"", 0};
    struct outflow *out;

    (void)function, (void)self, (void)count;
    if (s && JSValueIsString(js, arguments[1])) {
        if (text_append_value(&text, arguments[1], ret_thrown) == 0)
            socket_send(s, SOCKET_TEXT, buf_span(&text));
        else
            engine_throw(ret_thrown, "RangeError", "out of memory for a message");
    } else if (s) {
        web_bytes(arguments[1], &bytes);
        socket_send(s, SOCKET_BINARY, bytes);
    }
    buf_done(&text);
    out = web_outflow(arguments[0]);
    return engine_number(out ? outflow_room(out) : FLOW_GONE);
}
ENGINE_LOCKED(socket_send_native)

/* socketClose(id, code, reason) */
static JSValueRef socket_close_native(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                      size_t count, const JSValueRef *arguments,
                                      JSValueRef *ret_thrown)
{
    struct socket *s = socket_of(js, arguments[0]);
    struct buf reason = {0};

    (void)function, (void)self, (void)count;
    if (s && text_append_value(&reason, arguments[2], ret_thrown) == 0)
        socket_close(s, (unsigned)JSValueToNumber(js, arguments[1], NULL), buf_span(&reason));
    buf_done(&reason);
    return engine.undefined;
}

/* socketPause(id, isPaused) */
static JSValueRef socket_pause(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)function, (void)self, (void)count, (void)ret_thrown;
    socket_read(socket_of(js, arguments[0]),
                JSValueToBoolean(js, arguments[1]) ? SOCKET_PAUSE : SOCKET_READ);
    return engine.undefined;
}

/* socketWaiting(id) -> bytes that were sent and have not left */
static JSValueRef socket_waiting_native(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                        size_t count, const JSValueRef *arguments,
                                        JSValueRef *ret_thrown)
{
    (void)function, (void)self, (void)count, (void)ret_thrown;
    return engine_number((double)socket_waiting(socket_of(js, arguments[0])));
}

/* socketJoin(id, listener) -> does it read the answer of this outcall now?  See realm/socket.h */
static JSValueRef socket_join_native(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                     size_t count, const JSValueRef *arguments,
                                     JSValueRef *ret_thrown)
{
    struct outcall *o = outcall_find((uint32_t)JSValueToNumber(js, arguments[0], NULL));

    (void)function, (void)self, (void)count, (void)ret_thrown;
    return JSValueMakeBoolean(js, o && socket_join(o, (JSObjectRef)arguments[1]) == 0);
}

/* socketKey() -> what a handshake begins with */
static JSValueRef socket_key_native(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                    size_t count, const JSValueRef *arguments,
                                    JSValueRef *ret_thrown)
{
    char text[32];

    (void)js, (void)function, (void)self, (void)count, (void)arguments, (void)ret_thrown;
    return text_value(socket_key(text));
}

/* socketAccept(key) -> what the other side makes of it */
static JSValueRef socket_accept_native(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                       size_t count, const JSValueRef *arguments,
                                       JSValueRef *ret_thrown)
{
    struct buf key = {0};
    JSValueRef value = engine.undefined;
    char text[32];

    (void)js, (void)function, (void)self, (void)count;
    if (text_append_value(&key, arguments[0], ret_thrown) == 0)
        value = text_value(socket_accept(buf_span(&key), text));
    buf_done(&key);
    return value;
}

void web_define_socket(void)
{
    engine_native("socketWaiting", socket_waiting_native);
    engine_native("socketJoin", socket_join_native);
    engine_native("socketKey", socket_key_native);
    engine_native("socketAccept", socket_accept_native);
    engine_native("socketSend", socket_send_native_locked);
    engine_native("socketClose", socket_close_native);
    engine_native("socketPause", socket_pause);
}
