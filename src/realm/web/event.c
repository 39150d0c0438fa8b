/* event.c - the C half of occasions.js: what a worker is called for other than a request.
 *
 * An event is an exchange whose answer is made here: when its handler and all
 * that waitUntil was given have ended, the record says what came of it. */
#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/web/web.h"

enum { ERROR_MAX = 32 * 1024 }; /* bytes of a traceback in the answer; the log has it whole */

static JSObjectRef event_open, event_object, event_fail, event_close;

static void close_event(struct exchange *x)
{
    static const struct host_pair TYPE = {{"content-type", 12}, {"application/json", 16}};
    struct host_response response = {.status = 200, .headers = &TYPE, .header_count = 1};
    uint32_t stream = x->stream;
    JSValueRef record = x->event, thrown = NULL, json = engine_run(event_close, 1, &record);
    struct buf text = {0};

    if (text_append_value(&text, json, &thrown) < 0 || buf_len(&text) == 0) {
        exchange_fail(x, HOST_EXCEPTION, SPAN("out of memory for the outcome of an event"));
    } else {
        response.body_length = (int64_t)buf_len(&text);
        exchange_respond(x, &response);
        x = exchange_find(stream);
        if (x)
            outflow_write_whole(&x->out, buf_span(&text));
    }
    buf_done(&text);
}

JSValueRef web_open_event(struct exchange *x, struct span kind, struct span payload,
                          JSValueRef *ret_thrown)
{
    JSValueRef arguments[2] = {text_value(kind), text_value(payload)}, record;

    if (!event_open) {
        event_open = engine_internal("openEvent");
        event_object = engine_internal("eventObject");
        event_fail = engine_internal("failEvent");
        event_close = engine_internal("closeEvent");
    }
    record = engine_call(event_open, 2, arguments, ret_thrown);
    if (!record)
        return NULL;
    x->event = (JSObjectRef)engine_keep(record);
    x->on_quiet = close_event;
    return engine_call(event_object, 1, &record, ret_thrown);
}

void web_fail_event(struct exchange *x, struct span text)
{
    JSValueRef arguments[2] = {x->event, NULL};

    exchange_log_failure(x, text);
    if (text.len > ERROR_MAX)
        text.len = ERROR_MAX;
    arguments[1] = text_value(text);
    if (x->event)
        engine_run(event_fail, 2, arguments);
}

/* eventOf(id) -> its record, or undefined when that is a request or gone */
static JSValueRef event_of(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const struct exchange *x = exchange_find((uint32_t)JSValueToNumber(js, arguments[0], NULL));

    (void)function, (void)self, (void)count, (void)ret_thrown;
    return x && x->event ? x->event : engine.undefined;
}

void web_define_event(void)
{
    engine_native("eventOf", event_of);
}
