/* answer.c - status line, checked headers, our own framing.
 *
 * 1. A name is a token and a value holds no control byte but tab, or the field
 *    is refused: no CR, LF or NUL reaches the wire from outside.
 * 2. Exactly one framing per answer, chosen in answer_end:
 *      101                       none: Upgrade and Connection are ours as well
 *      HEAD, 204, 304            no body; HEAD says the length it would have
 *      length known              Content-Length
 *      not known, HTTP/1.1       chunked
 *      not known, HTTP/1.0       until close
 * 3. Content-Length, Transfer-Encoding, Connection and their like from the
 *    worker are dropped (HEAD keeps a valid Content-Length: it is all it has).
 *
 * Nothing here formats with printf: this runs for every request.
 *
 * Who calls it: front/exchange.c, front/page.c. */
#include "http/answer.h"

#include "http/token.h"
#include "text/status.h"

static char *put(char *at, struct span s)
{
    if (s.len > 0)
        memcpy(at, s.data, s.len);
    return at + s.len;
}

#define PUT(at, literal) put((at), SPAN(literal))

static char *put_number(char *at, uint64_t v)
{
    char digits[20];
    size_t n = 0;

    do {
        digits[sizeof digits - ++n] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    return put(at, (struct span){digits + sizeof digits - n, n});
}

int answer_begin(struct answer *a, struct buf *out)
{
    struct span text = a->text;
    char *room, *at;

    if (text.len == 0 || text.len > 256 || !token_all(text, TOKEN_VALUE))
        text = status_text(a->status);
    a->has_date = false;
    a->said_length = -1;
    if (buf_reserve(out, 32 + text.len, &room) < 0)
        return ERR_NOMEM;
    at = PUT(room, "HTTP/1.1 ");
    at = put_number(at, a->status);
    *at++ = ' ';
    at = put(at, text);
    at = PUT(at, "\r\n");
    buf_commit(out, (size_t)(at - room));
    return 0;
}

int answer_field(struct answer *a, struct buf *out, struct span name, struct span value)
{
    char *room, *at;

    if (name.len == 0 || !token_all(name, TOKEN_NAME) || !token_all(value, TOKEN_VALUE))
        return ERR_INVALID;
    if (token_is_hop(name))
        return 0;
    if (span_is_nocase(name, "content-length")) {
        if (!token_number(value, &a->said_length))
            a->said_length = -1;
        return 0;
    }
    if (span_is_nocase(name, "date"))
        a->has_date = true;
    if (buf_reserve(out, name.len + value.len + 4, &room) < 0)
        return ERR_NOMEM;
    at = put(room, name);
    at = PUT(at, ": ");
    at = put(at, value);
    at = PUT(at, "\r\n");
    buf_commit(out, (size_t)(at - room));
    return 0;
}

/* Choose the framing; *ret_length is what Content-Length says, -1 for none. */
static void choose(struct answer *a, int64_t *ret_length)
{
    *ret_length = -1;
    if (a->status == 101) {
        a->framing = ANSWER_SWITCHED;
    } else if (a->status == 204 || a->status == 304) {
        a->framing = ANSWER_BODILESS;
    } else if (a->is_head) {
        a->framing = ANSWER_BODILESS;
        *ret_length = a->body_length > 0 ? a->body_length : a->said_length;
        if (*ret_length < 0)
            *ret_length = a->body_length;
    } else if (a->body_length >= 0) {
        a->framing = ANSWER_LENGTH;
        *ret_length = a->body_length;
    } else if (a->minor > 0) {
        a->framing = ANSWER_CHUNKED;
    } else {
        a->framing = ANSWER_TO_CLOSE;
        a->connection = ANSWER_CLOSE;
    }
}

int answer_end(struct answer *a, struct buf *out)
{
    int64_t length;
    char *room, *at;

    if (buf_reserve(out, 192, &room) < 0)
        return ERR_NOMEM;
    choose(a, &length);
    at = room;
    if (!a->has_date && a->date.len <= 64) {
        at = PUT(at, "Date: ");
        at = put(at, a->date);
        at = PUT(at, "\r\n");
    }
    if (length >= 0) {
        at = PUT(at, "Content-Length: ");
        at = put_number(at, (uint64_t)length);
        at = PUT(at, "\r\n");
    } else if (a->framing == ANSWER_CHUNKED) {
        at = PUT(at, "Transfer-Encoding: chunked\r\n");
    }
    if (a->framing == ANSWER_SWITCHED)
        at = PUT(at, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
    else if (a->connection == ANSWER_CLOSE)
        at = PUT(at, "Connection: close\r\n");
    else if (a->minor == 0)
        at = PUT(at, "Connection: keep-alive\r\n");
    at = PUT(at, "\r\n");
    buf_commit(out, (size_t)(at - room));
    return 0;
}

int answer_chunk(struct buf *out, struct span bytes)
{
    static const char HEX[] = "0123456789abcdef";
    char *room, *at;
    int shift = 60;

    if (buf_reserve(out, bytes.len + 32, &room) < 0)
        return ERR_NOMEM;
    at = room;
    while (shift > 0 && bytes.len >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *at++ = HEX[bytes.len >> shift & 15];
    at = PUT(at, "\r\n");
    at = put(at, bytes);
    at = PUT(at, "\r\n");
    buf_commit(out, (size_t)(at - room));
    return 0;
}

int answer_last_chunk(struct buf *out) { return buf_append(out, "0\r\n\r\n", 5); }
