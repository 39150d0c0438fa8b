/* http_session.h - a connection without a socket: bytes in, one line out.
 *
 * The line is the outcome as http_messages.h writes it, so that a table can
 * say what is expected and two ways to cut the same bytes can be compared.
 * A body is decoded in the order and the pieces a connection would use. */
#ifndef CORRAL_TEST_HTTP_SESSION_H
#define CORRAL_TEST_HTTP_SESSION_H

#include <stdio.h>

#include "base/buf.h"
#include "http/body.h"
#include "http/head.h"

struct session {
    struct buf in, out, body;
    struct head head;
    struct body decoder;
    bool is_in_body, is_over, has_any;
    size_t mark;                /* of out, before the current request */
    int64_t body_max;
    char why[512];              /* text of the refusal */
};

static void session_init(struct session *s, int64_t body_max)
{
    *s = (struct session){.body_max = body_max};
    head_init(&s->head);
}

static void session_done(struct session *s)
{
    buf_done(&s->in);
    buf_done(&s->out);
    buf_done(&s->body);
}

static void session_put(struct session *s, const void *p, size_t n)
{
    if (buf_append(&s->out, p, n) < 0)
        s->is_over = true;
}

static void session_begin_item(struct session *s)
{
    if (s->has_any)
        session_put(s, "; ", 2);
    s->has_any = true;
}

static void session_refuse(struct session *s, unsigned status, const struct err *err)
{
    char text[16];

    session_begin_item(s);
    session_put(s, text, (size_t)snprintf(text, sizeof text, "%u", status));
    snprintf(s->why, sizeof s->why, "%s", err->text);
    s->is_over = true;
}

/* "METHOD PATH @HOST" of the head at the start of the input. */
static void session_put_request(struct session *s)
{
    const char *data = buf_data(&s->in);
    struct span method = head_part(data, s->head.method), host = head_part(data, s->head.host);
    struct buf url = {0};

    s->mark = buf_len(&s->out);
    session_begin_item(s);
    session_put(s, method.data, method.len);
    session_put(s, " ", 1);
    if (head_url(&s->head, data, SPAN("s"), SPAN("d"), &url) == 0) {
        size_t skip = 4 + (host.len > 0 ? host.len : 1);
        session_put(s, buf_data(&url) + skip, buf_len(&url) - skip);
    }
    buf_done(&url);
    session_put(s, " @", 2);
    session_put(s, host.data, host.len);
}

static bool session_tick_head(struct session *s)
{
    struct err err = {0};
    int r;

    if (buf_len(&s->in) == 0)
        return false;
    r = head_scan(&s->head, buf_data(&s->in), buf_len(&s->in), s->body_max, &err);
    if (r < 0)
        session_refuse(s, s->head.status, &err);
    if (r <= 0)
        return false;
    r = body_begin(&s->decoder, &s->head, buf_data(&s->in), s->body_max, &err);
    if (r < 0) {
        session_refuse(s, s->decoder.status, &err);
        return false;
    }
    session_put_request(s);
    buf_eat(&s->in, s->head.len);
    s->is_in_body = true;
    return true;
}

/* A request that is refused in its body never was: take it back, so that the
 * outcome does not depend on how much of the body was there before. */
static bool session_tick_body(struct session *s)
{
    struct span bytes = {NULL, 0};
    struct err err = {0};
    size_t used = 0;

    if (buf_len(&s->in) > 0 &&
        body_decode(&s->decoder, s->in.mem + s->in.head, buf_len(&s->in), &used, &bytes, &err) < 0) {
        buf_done(&s->body);
        s->out.tail = s->out.head + s->mark;
        s->has_any = s->mark > 0;
        session_refuse(s, s->decoder.status, &err);
        return false;
    }
    if (bytes.len > 0 && buf_append(&s->body, bytes.data, bytes.len) < 0)
        s->is_over = true;
    if (used > 0)
        buf_eat(&s->in, used);
    if (!s->decoder.is_ended)
        return false;
    if (buf_len(&s->body) > 0) {
        session_put(s, " =", 2);
        session_put(s, buf_data(&s->body), buf_len(&s->body));
    }
    buf_done(&s->body);
    s->is_in_body = false;
    if (!s->head.is_keep_alive) {
        session_begin_item(s);
        session_put(s, "close", 5);
        s->is_over = true;
    }
    head_init(&s->head);
    return true;
}

static void session_feed(struct session *s, const char *data, size_t len)
{
    bool goes_on = true;

    if (s->is_over)
        return;
    if (buf_append(&s->in, data, len) < 0)
        s->is_over = true;
    while (goes_on && !s->is_over)
        goes_on = s->is_in_body ? session_tick_body(s) : session_tick_head(s);
}

/* No more bytes come. */
static struct span session_end(struct session *s)
{
    if (!s->is_over && s->is_in_body && buf_len(&s->body) > 0) {
        session_put(s, " =", 2);
        session_put(s, buf_data(&s->body), buf_len(&s->body));
    }
    if (!s->is_over && (s->is_in_body || buf_len(&s->in) > 0)) {
        session_begin_item(s);
        session_put(s, "more", 4);
    }
    return buf_len(&s->out) > 0 ? buf_span(&s->out) : SPAN("");
}

#endif
