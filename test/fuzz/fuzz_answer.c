/* fuzz_answer.c - any status, words, headers and pieces of a body as a worker's answer: what goes
 * to the client is one answer, or half of one and a cut connection.
 *
 * The bytes are played to the front by the callbacks that a call has; llhttp, strict, reads what came out, as a
 * client behind it would, with another answer behind it on a connection that stays open.  However the
 * worker lies, the client finds the same number of answers, our framing, the body that was sent, and no line that
 * the worker has made. */
#include <llhttp.h>
#include <stdlib.h>

#include "base/log.h"
#include "front/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

static const char MARK[] = "HTTP/1.1 299 Behind\r\nContent-Length: 0\r\n\r\n";

struct input {
    const uint8_t *at, *end;
};

static unsigned take(struct input *in) { return in->at < in->end ? *in->at++ : 0; }

/* Up to the next byte 0x01, or a length ahead of it when the byte is 0x02: then any bytes. */
static struct span take_text(struct input *in)
{
    const uint8_t *begin = in->at, *stop;
    size_t n;

    if (begin < in->end && *begin == 2) {
        in->at++;
        n = take(in);
        begin = in->at;
        if (n > (size_t)(in->end - begin))
            n = (size_t)(in->end - begin);
        in->at += n;
        return (struct span){(const char *)begin, n};
    }
    stop = begin < in->end ? memchr(begin, 1, (size_t)(in->end - begin)) : NULL;
    n = (size_t)((stop ? stop : in->end) - begin);
    in->at = stop ? stop + 1 : in->end;
    return (struct span){(const char *)begin, n};
}

/* ---- what a client finds ---- */

struct reader {
    struct buf body;
    unsigned messages, status, marks, lengths, codings;
    bool is_head, is_over;
    char name[32];
    size_t name_len;
};

static int on_begin(llhttp_t *p)
{
    struct reader *r = p->data;

    r->name_len = 0;
    return 0;
}

static int on_name(llhttp_t *p, const char *at, size_t len)
{
    struct reader *r = p->data;

    for (size_t i = 0; i < len && r->name_len < sizeof r->name; i++)
        r->name[r->name_len++] = at[i];
    return 0;
}

static int on_name_end(llhttp_t *p)
{
    struct reader *r = p->data;
    struct span name = {r->name, r->name_len};

    r->lengths += span_is_nocase(name, "content-length");
    r->codings += span_is_nocase(name, "transfer-encoding");
    r->name_len = 0;
    return 0;
}

static int on_headers(llhttp_t *p)
{
    struct reader *r = p->data;

    MUST(r->lengths + r->codings <= 1);
    if (r->messages == 0)
        r->status = p->status_code;
    else
        r->marks += p->status_code == 299;
    r->lengths = r->codings = 0;
    return r->messages == 0 && r->is_head;
}

static int on_bytes(llhttp_t *p, const char *at, size_t len)
{
    struct reader *r = p->data;

    MUST(buf_append(&r->body, at, len) == 0);
    return 0;
}

static int on_end(llhttp_t *p)
{
    struct reader *r = p->data;

    r->messages++;
    return 0;
}

static const llhttp_settings_t SETTINGS = {
    .on_message_begin = on_begin,
    .on_header_field = on_name,
    .on_header_field_complete = on_name_end,
    .on_headers_complete = on_headers,
    .on_body = on_bytes,
    .on_message_complete = on_end,
};

/* ---- the front with a worker that lies ---- */

struct play {
    struct front front;
    struct connection c;
    struct exchange *ex;
    struct buf sent;    /* of the body, as the worker gave it */
};

static void begin(struct play *p, unsigned flags)
{
    struct exchange *ex;

    p->front = (struct front){.scheme = SPAN("http"), .host = SPAN("localhost"), .date_second = -1, .is_closing = true};
    p->front.config.show_errors = flags & 1;
    TAILQ_INIT(&p->front.all);
    TAILQ_INIT(&p->front.dirty);
    p->c = (struct connection){.front = &p->front, .state = CONNECTION_BUSY};
    ex = p->ex = p->c.exchange = exchange_new(&p->c);
    MUST(ex);
    ex->head.minor = flags & 2 ? 0 : 1;
    ex->is_head = flags & 4;
    ex->is_upgrade = !(flags & 4) && (flags & 8);
    ex->is_keep_alive = flags & 16;
    ex->ray = flags & 32 ? 7 : 0;
    exchange_move(ex, EXCHANGE_READY);
    exchange_move(ex, EXCHANGE_CALLED);
}

/* Head and body as the input says; the instance's own frames keep to the order. */
static void speak(struct play *p, struct input *in)
{
    struct response response = {.status = take(in) << 8};
    struct buf fields = {0};
    unsigned count = take(in) % 8, pieces;
    struct span name, value;

    response.status |= take(in);
    response.status_text = take_text(in);
    response.body_length = (int64_t)(int8_t)take(in);
    if (response.body_length < -1)
        response.body_length = -1;
    for (unsigned i = 0; i < count; i++) {
        name = take_text(in);
        value = take_text(in);
        MUST(pairs_add(&fields, name, value) == 0);
    }
    response.headers = (struct pairs){buf_len(&fields) > 0 ? buf_span(&fields) : SPAN(""), count};
    EXCHANGE_EVENTS.head(p->ex, &response);
    buf_done(&fields);
    pieces = response.body_length == 0 ? 0 : 1 + take(in) % 4;
    for (unsigned i = 0; i < pieces && p->ex->state == EXCHANGE_ANSWERING; i++) {
        value = take_text(in);
        MUST(buf_append(&p->sent, value.data, value.len) == 0);
        EXCHANGE_EVENTS.body(p->ex, value, i + 1 == pieces);
    }
}

static void check(struct play *p)
{
    const struct exchange *ex = p->ex;
    struct reader r = {.is_head = ex->is_head};
    struct buf *out = &p->c.out;
    llhttp_t parser;
    llhttp_errno_t e;

    if (ex->state == EXCHANGE_BROKEN) {
        /* Nothing, or what was announced and not a byte more: a worker that goes on behind it is cut off. */
        if (buf_len(out) == 0)
            return;
        llhttp_init(&parser, HTTP_RESPONSE, &SETTINGS);
        parser.data = &r;
        llhttp_execute(&parser, buf_data(out), buf_len(out));
        MUST(r.messages <= 1 && r.marks == 0);
        MUST(r.messages == 0 || ex->answer.framing == ANSWER_BODILESS || ex->answer.framing == ANSWER_LENGTH);
        MUST(buf_len(&r.body) <= buf_len(&p->sent) &&
             (buf_len(&r.body) == 0 || memcmp(buf_data(&r.body), buf_data(&p->sent), buf_len(&r.body)) == 0));
        buf_done(&r.body);
        return;
    }
    MUST(ex->state == EXCHANGE_ANSWERED && buf_len(out) > 0);
    if (ex->is_keep_alive)
        MUST(buf_append(out, MARK, sizeof MARK - 1) == 0);
    llhttp_init(&parser, HTTP_RESPONSE, &SETTINGS);
    parser.data = &r;
    e = llhttp_execute(&parser, buf_data(out), buf_len(out));
    MUST(r.status == ex->status);
    if (ex->is_switched) {
        MUST(e == HPE_PAUSED_UPGRADE && r.status == 101);
    } else {
        MUST(e == HPE_OK && (ex->is_keep_alive || llhttp_finish(&parser) == HPE_OK));
        MUST(r.messages == 1 + (unsigned)ex->is_keep_alive && r.marks == (unsigned)ex->is_keep_alive);
        MUST(r.status >= 200 && r.status <= 599);
        if (ex->answer.framing == ANSWER_BODILESS)
            MUST(buf_len(&r.body) == 0);
        else if (ex->record.ending == FRONT_OK)
            MUST(buf_len(&r.body) == buf_len(&p->sent) &&
                 (buf_len(&p->sent) == 0 || memcmp(buf_data(&r.body), buf_data(&p->sent), buf_len(&p->sent)) == 0));
    }
    buf_done(&r.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct play p;
    struct input in = {data, data + len};

    log_set_level(LOG_NONE);
    begin(&p, take(&in));
    speak(&p, &in);
    check(&p);
    buf_done(&p.sent);
    buf_done(&p.c.out);
    buf_done(&p.ex->store);
    free(p.ex);
    return 0;
}
