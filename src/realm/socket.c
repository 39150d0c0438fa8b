/* socket.c - a WebSocket over the bytes of a stream: a request's, where this is the server, or an
 * outcall's, where it is the client.
 *
 *   open --close sent--> closing --close came--> over
 *     |                     +----- 10 s ----------^
 *     +---close came---> closing --close sent-----^
 *     +---error, end of the bytes, abort ---------^
 *
 * 1. The socket holds its exchange or outcall until it is over; a client's, whose last frame is
 * still on its way then, goes on to hold it, without its request, until the server hangs up.
 * 2. The listener is called with nothing half done: it may send, close and
 *    pause, and code that it runs may let another thread read on (run_sync).
 * 3. Between two messages microtasks and ready tasks run, as between two events
 *    of a loop.
 * 4. SOCKET_GONE is told once, and last.
 *
 * Called by flow.c (bytes), web/socket.c (JavaScript), exchange.c, realm.c. */
#include "realm/socket.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/outcall.h"
#include "realm/py/loop.h"
#include "realm/py/overtime.h"
#include "realm/web/web.h"
#include "text/websocket.h"

enum {
    PONGS_MAX = 64 * 1024,  /* bytes that wait when pings are not answered any more */
    MASKS = 1024,           /* drawn at once */
    SMALL = 4 * 1024,       /* bytes of a message that leaves in one piece with its head */
    LOOK_FROM = 256 * 1024, /* bytes that wait in one socket when all are counted */
    HEADERS_MAX = 257,      /* those of a Response, and ours */
};

struct socket {
    struct exchange *x; /* of a server; NULL: of a client */
    struct outcall *o;  /* of a client */
    struct inflow *in;  /* theirs */
    struct outflow *out;
    uint32_t request; /* whose code is told */
    struct socket *next;
    struct socket **link; /* what points here */
    struct websocket_reader reader;
    JSObjectRef listener;
    struct timer deadline; /* of the close that we have sent */
    struct timer resume;
    bool is_paused, has_sent_close, has_got_close, is_over;
    bool is_late; /* nothing that is still on its way is worth waiting for */
    bool is_deaf; /* it was closed while nobody took messages: none is told any more */
};

/* In the words of Cloudflare's runtime. */
static const char LOST[] = "Network connection lost.";
static const char SILENT[] = "WebSocket disconnected without sending Close frame.";

static struct socket *all;
static size_t message_max = SIZE_MAX;
static bool is_hanging_up;

/* ---- whose it is ---- */

static void hold(struct socket *s)
{
    if (s->o)
        outcall_hold(s->o);
    else
        exchange_hold(s->x);
}

/* May free s. */
static void release(struct socket *s)
{
    if (s->o)
        outcall_release(s->o);
    else
        exchange_release(s->x);
}

/* ---- the end ---- */

static void tell(struct socket *s, enum socket_kind kind, JSValueRef data, unsigned code)
{
    JSValueRef arguments[3] = {engine_number(kind), data, engine_number(code)};
    uint32_t before = overtime_running();

    overtime_run(s->request);
    engine_run(s->listener, 3, arguments);
    overtime_run(before);
}

static void part_now(struct socket *s)
{
    timers_remove(&s->deadline);
    inflow_drop(s->in);
    release(s);
}

static void on_parted(struct timer *timer)
{
    part_now((struct socket *)(void *)((char *)timer - offsetof(struct socket, deadline)));
}

/* A client that is over: the server has SOCKET_PART_MS to take what was sent, and to hang up. */
static void part(struct socket *s)
{
    if (!s->o->is_open || s->in->is_cut || s->is_late) {
        inflow_drop(s->in);
        return;
    }
    hold(s);
    outcall_detach(s->o);
    outflow_finish(s->out);
    if (timers_add(&s->deadline, clock_now_us() + SOCKET_PART_MS * 1000, on_parted) < 0)
        part_now(s);
}

/* The bytes end in both directions.  May free s, unless it is held. */
static void finish(struct socket *s, const char *why, unsigned code)
{
    if (s->is_over)
        return;
    s->is_over = true;
    timers_remove(&s->deadline);
    timers_remove(&s->resume);
    if (s->o) {
        part(s);
    } else {
        outflow_finish(s->out);
        if (!s->in->has_all && !s->in->is_cut)
            inflow_drop(s->in);
    }
    tell(s, SOCKET_GONE, text_value(span_of(why)), code);
    release(s);
}

static void finish_closed(struct socket *s)
{
    if (s->has_sent_close && s->has_got_close)
        finish(s, "", 0);
}

static void on_deadline(struct timer *timer)
{
    struct socket *s = (struct socket *)(void *)((char *)timer - offsetof(struct socket, deadline));

    overtime_run(s->request);
    s->is_late = true;
    finish(s, SILENT, WEBSOCKET_ABNORMAL);
}

void socket_abort(struct socket *s)
{
    if (s)
        finish(s, LOST, WEBSOCKET_ABNORMAL);
}

void socket_free(struct socket *s)
{
    if (!s)
        return;
    timers_remove(&s->deadline);
    timers_remove(&s->resume);
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    websocket_done(&s->reader);
    engine_drop(s->listener);
    mem_free(s);
}

/* ---- what leaves ---- */

static size_t count_waiting(void)
{
    size_t waiting = 0;

    for (const struct socket *s = all; s; s = s->next)
        waiting += buf_len(&s->out->out);
    return waiting;
}

/* Nobody takes it any more: it is over at once. */
static void cut(struct socket *s, const char *why)
{
    s->is_late = true;
    if (s->o)
        outcall_cancel(s->o, engine.undefined);
    else
        exchange_fail(s->x, HOST_BODY, span_of(why));
    finish(s, why, WEBSOCKET_ABNORMAL);
}

/* A server may hang up behind its close, and not wait for ours. */
static void put(struct socket *s, struct span bytes)
{
    if (outflow_write(s->out, bytes) != FLOW_GONE)
        return;
    if (s->o && s->has_got_close)
        finish(s, "", 0);
    else
        finish(s, LOST, WEBSOCKET_ABNORMAL);
}

/* Of a client: 4 bytes that nobody can guess, valid until the next call; of a server: NULL. */
static const uint8_t *mask_of(const struct socket *s)
{
    static uint8_t drawn[MASKS][4];
    static size_t used = MASKS;

    if (!s->o)
        return NULL;
    if (used == MASKS) {
        if (RAND_bytes(&drawn[0][0], sizeof drawn) != 1)
            abort();
        used = 0;
    }
    return drawn[used++];
}

static void put_message(struct socket *s, enum socket_kind kind, struct span payload)
{
    static struct buf frame;
    int r;

    if (payload.len <= SMALL || s->o) { /* a client's leaves masked, so as a copy */
        r = websocket_put(&frame, (enum websocket_opcode)kind, mask_of(s), payload);
        if (r == 0)
            put(s, buf_span(&frame));
    } else {
        r = websocket_put_head(&frame, (enum websocket_opcode)kind, payload.len);
        if (r == 0)
            put(s, buf_span(&frame));
        buf_eat(&frame, buf_len(&frame));
        put(s, payload);
    }
    if (buf_len(&frame) > LOOK_FROM)
        buf_done(&frame);
    else
        buf_eat(&frame, buf_len(&frame));
}

void socket_send(struct socket *s, enum socket_kind kind, struct span payload)
{
    if (!s || s->is_over || s->has_sent_close)
        return;
    hold(s);
    if (buf_len(&s->out->out) > LOOK_FROM && count_waiting() + payload.len > SOCKET_WAITING_MAX) {
        exchange_log_for(
            s->request, LOG_WARN,
            s->o
                ? SPAN("a WebSocket is cut: its server does not take what is sent, and 64 MiB wait")
                : SPAN("a WebSocket is cut: its client does not take what is sent, and 64 MiB "
                       "wait"));
        cut(s, LOST);
    } else {
        put_message(s, kind, payload);
    }
    release(s);
}

size_t socket_waiting(const struct socket *s)
{
    return s ? buf_len(&s->out->out) : 0;
}

static void send_close(struct socket *s, unsigned code, struct span reason)
{
    struct buf frame = {0};

    s->has_sent_close = true;
    if (websocket_put_close(&frame, code, mask_of(s), reason) == 0)
        put(s, buf_span(&frame));
    buf_done(&frame);
}

void socket_close(struct socket *s, unsigned code, struct span reason)
{
    if (!s || s->is_over || s->has_sent_close)
        return;
    hold(s);
    send_close(s, code, reason);
    if (!s->has_got_close && !s->is_over &&
        timers_add(&s->deadline, clock_now_us() + SOCKET_CLOSE_MS * 1000, on_deadline) < 0)
        cut(s, "out of memory");
    /* Its answer is a close, too, before or behind what is still on its way. */
    if (s->is_paused && !s->is_over) {
        s->is_deaf = true;
        socket_read(s, SOCKET_READ);
    }
    finish_closed(s);
    release(s);
}

static void send_pong(struct socket *s, struct span payload)
{
    struct buf frame = {0};

    if (s->has_sent_close || buf_len(&s->out->out) > PONGS_MAX)
        return;
    if (websocket_put(&frame, WEBSOCKET_PONG, mask_of(s), payload) == 0)
        put(s, buf_span(&frame));
    buf_done(&frame);
}

/* ---- what comes ---- */

static void free_bytes(void *bytes, void *context)
{
    (void)context;
    mem_free(bytes);
}

/* The message's bytes: those gathered themselves when it is large. */
static JSValueRef take_binary(struct socket *s, struct span bytes)
{
    char *copy =
        bytes.len > SMALL ? buf_detach(&s->reader.message) : mem_copy(bytes.data, bytes.len);

    if (!copy)
        return engine.undefined;
    return JSObjectMakeArrayBufferWithBytesNoCopy(engine.context, copy, bytes.len, free_bytes, NULL,
                                                  NULL);
}

static void fail(struct socket *s, unsigned code, const char *why)
{
    if (!s->has_sent_close)
        send_close(s, code, span_of(why));
    finish(s, why, code);
}

static void take_message(struct socket *s, const struct websocket_item *item)
{
    JSValueRef data =
        item->kind == WEBSOCKET_TEXT ? text_value(item->bytes) : take_binary(s, item->bytes);

    if (JSValueIsUndefined(engine.context, data))
        fail(s, WEBSOCKET_FAILED, "There is no memory left for a message.");
    else
        tell(s, (enum socket_kind)item->kind, data, 0);
}

static void take(struct socket *s, const struct websocket_item *item)
{
    switch (item->kind) {
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY:
        if (!s->is_deaf)
            take_message(s, item);
        return;
    case WEBSOCKET_PING:
        send_pong(s, item->bytes);
        return;
    case WEBSOCKET_PONG:
        return;
    case WEBSOCKET_CLOSE:
        s->has_got_close = true;
        timers_remove(&s->deadline);
        tell(s, SOCKET_CLOSE, text_value(item->bytes), item->code);
        finish_closed(s);
        return;
    }
}

/* Promises and tasks that a message has made ready go on before the next one comes. */
static void breathe(void)
{
    if (engine_place.held != 1 || engine_place.depth > 0)
        return;
    engine_unlock();
    engine_lock();
    if (loop_is_ready())
        loop_run();
}

static size_t count_parts(void)
{
    size_t parts = 0;

    for (const struct socket *s = all; s; s = s->next)
        parts += buf_len(&s->reader.message);
    return parts;
}

static void refuse(struct socket *s, const struct err *err)
{
    unsigned code = s->reader.status ? s->reader.status : WEBSOCKET_FAILED;

    if (code == WEBSOCKET_TOO_BIG)
        exchange_met(s->request, LIMIT_MESSAGE);
    fail(s, code, err->text);
}

/* Whatever is there. */
static void pump(struct socket *s)
{
    struct inflow *f = s->in;
    struct websocket_item item;
    struct err err = {0};
    struct span in;
    int r = 1;

    hold(s);
    while (r == 1 && !s->is_over && !s->is_paused && !s->has_got_close) {
        in = buf_span(&f->in);
        r = websocket_read(&s->reader, &in, &item, &err);
        inflow_eat(f, buf_len(&f->in) - in.len);
        if (r < 0)
            refuse(s, &err);
        if (r == 0 && buf_len(&s->reader.message) > LOOK_FROM && count_parts() > SOCKET_PARTS_MAX)
            fail(s, WEBSOCKET_TRY_LATER, "too many large messages at once");
        if (r != 1)
            break;
        take(s, &item);
        if (buf_len(&f->in) > 0)
            breathe();
    }
    if (!s->is_over && (f->is_cut || (f->has_all && !s->is_paused && r == 0)))
        finish(s, f->is_cut ? LOST : SILENT, WEBSOCKET_ABNORMAL);
    release(s);
}

static void on_bytes(struct inflow *f)
{
    pump(((struct exchange *)(void *)((char *)f - offsetof(struct exchange, in)))->socket);
}

static void on_answer_bytes(struct inflow *f)
{
    struct socket *s =
        ((struct outcall *)(void *)((char *)f - offsetof(struct outcall, in)))->socket;

    if (!s->is_over) {
        pump(s);
        return;
    }
    if (buf_len(&f->in) > 0)
        inflow_eat(f, buf_len(&f->in));
    if (f->has_all || f->is_cut)
        part_now(s);
}

static void on_resume(struct timer *timer)
{
    struct socket *s = (struct socket *)(void *)((char *)timer - offsetof(struct socket, resume));

    overtime_run(s->request);
    pump(s);
}

void socket_read(struct socket *s, enum socket_reading reading)
{
    if (!s || s->is_over || s->is_paused == (reading == SOCKET_PAUSE))
        return;
    if (s->is_deaf && reading == SOCKET_PAUSE)
        return;
    s->is_paused = reading == SOCKET_PAUSE;
    /* Code of the worker may be running: what waits comes in a turn of its own. */
    if (!s->is_paused && s->resume.place == 0 &&
        timers_add(&s->resume, clock_now_us(), on_resume) < 0)
        cut(s, "out of memory");
}

/* ---- the beginning ---- */

/* RFC 6455, section 4.2.2. */
struct span socket_accept(struct span key, char text[32])
{
    static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[EVP_MAX_MD_SIZE];
    char both[64];
    unsigned len;

    if (key.len > sizeof both - sizeof GUID)
        key.len = sizeof both - sizeof GUID;
    memcpy(both, key.data, key.len);
    memcpy(both + key.len, GUID, sizeof GUID - 1);
    if (EVP_Digest(both, key.len + sizeof GUID - 1, digest, &len, EVP_sha1(), NULL) != 1)
        return SPAN("");
    return (struct span){text, (size_t)EVP_EncodeBlock((unsigned char *)text, digest, (int)len)};
}

/* What the handshake itself says is ours. */
static bool is_ours(struct span name)
{
    return span_is_nocase(name, "sec-websocket-accept") ||
           span_is_nocase(name, "sec-websocket-extensions") ||
           span_is_nocase(name, "sec-websocket-key") ||
           span_is_nocase(name, "sec-websocket-version");
}

static void respond(struct exchange *x, const struct host_response *given)
{
    struct host_pair pairs[HEADERS_MAX];
    struct host_response response = *given;
    char text[32];

    pairs[0] =
        (struct host_pair){SPAN("sec-websocket-accept"),
                           socket_accept(head_value(x->head, SPAN("sec-websocket-key")), text)};
    response.header_count = 1;
    for (size_t i = 0; i < given->header_count && response.header_count < HEADERS_MAX; i++)
        if (!is_ours(given->headers[i].name))
            pairs[response.header_count++] = given->headers[i];
    response.headers = pairs;
    response.status = 101;
    response.body_length = -1;
    exchange_respond(x, &response);
}

static struct socket *make(struct inflow *in, struct outflow *out, JSObjectRef listener)
{
    struct socket *s = mem_alloc(sizeof *s);

    if (!s)
        return NULL;
    s->in = in;
    s->out = out;
    s->listener = (JSObjectRef)engine_keep(listener);
    s->next = all;
    s->link = &all;
    if (all)
        all->link = &s->next;
    all = s;
    in->use = INFLOW_TAPPED;
    return s;
}

int socket_open(struct exchange *x, const struct host_response *response, JSObjectRef listener)
{
    struct socket *s = make(&x->in, &x->out, listener);

    if (!s)
        return ERR_NOMEM;
    s->x = x;
    s->request = x->stream;
    websocket_init(&s->reader, true, message_max);
    x->socket = s;
    x->in.tap = on_bytes;
    hold(s);
    respond(x, response);
    if (is_hanging_up)
        socket_close(s, WEBSOCKET_RESTART, SPAN(""));
    return 0;
}

struct span socket_key(char text[32])
{
    unsigned char drawn[16];

    if (RAND_bytes(drawn, sizeof drawn) != 1)
        abort();
    return (struct span){text, (size_t)EVP_EncodeBlock((unsigned char *)text, drawn, sizeof drawn)};
}

int socket_join(struct outcall *o, JSObjectRef listener)
{
    struct socket *s;

    if (o->in.use != INFLOW_UNTOUCHED || o->in.is_cut || o->in.is_over)
        return ERR_GONE;
    s = make(&o->in, &o->out, listener);
    if (!s)
        return ERR_NOMEM;
    s->o = o;
    s->request = o->request;
    websocket_init(&s->reader, false, message_max);
    o->socket = s;
    o->in.tap = on_answer_bytes;
    hold(s);
    if (is_hanging_up)
        socket_close(s, WEBSOCKET_AWAY, SPAN(""));
    else if ((buf_len(&o->in.in) > 0 || o->in.has_all) &&
             timers_add(&s->resume, clock_now_us(), on_resume) < 0)
        cut(s, "out of memory");
    return 0;
}

void socket_relay(struct exchange *x, const struct host_response *response, struct outcall *o)
{
    exchange_hold(x);
    outcall_hold(o);
    x->is_relayed = true;
    respond(x, response);
    inflow_relay(&o->in, &x->out, FLOW_AS_IT_IS);
    if (!x->out.is_over)
        inflow_relay(&x->in, &o->out, FLOW_AS_IT_IS);
    if (is_hanging_up)
        exchange_cut_relayed();
    outcall_release(o);
    exchange_release(x);
}

void socket_limit(uint64_t message_bytes)
{
    message_max = message_bytes > 0 && message_bytes < SIZE_MAX ? (size_t)message_bytes : SIZE_MAX;
}

void socket_hang_up(void)
{
    struct socket *s;

    is_hanging_up = true;
    do { /* each may take others with it */
        for (s = all; s && (s->is_over || s->has_sent_close); s = s->next)
            continue;
        socket_close(s, s && s->o ? WEBSOCKET_AWAY : WEBSOCKET_RESTART, SPAN(""));
    } while (s);
    exchange_cut_relayed();
}
