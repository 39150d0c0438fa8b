/* replyhead.c - the head of a server's answer, line by line, as libcurl hands it over. */
#include "service/replyhead.h"

#include "http/token.h"

void replyhead_done(struct replyhead *h)
{
    buf_done(&h->reason);
    buf_done(&h->fields);
}

bool replyhead_is_switch(const struct replyhead *h)
{
    return h->is_upgrade && h->status == 101;
}

/* "HTTP/1.1 404 Not Found", "HTTP/2 404 ": starts over, as an interim answer may have come before.
 */
static int take_status(struct replyhead *h, struct span line, struct err *err)
{
    const char *space = memchr(line.data, ' ', line.len);
    struct span rest, reason;
    uint32_t status = 0;

    rest = space ? (struct span){space, line.len - (size_t)(space - line.data)} : SPAN("");
    rest = token_trim(rest);
    if (rest.len < 3 || (rest.len > 3 && rest.data[3] != ' '))
        return err_set(err, ERR_INVALID, "the server's status line is malformed");
    for (int i = 0; i < 3; i++) {
        if (!token_is(rest.data[i], TOKEN_DIGIT))
            return err_set(err, ERR_INVALID, "the server's status line is malformed");
        status = status * 10 + (uint32_t)(rest.data[i] - '0');
    }
    if (status < 100 || status > 599)
        return err_set(err, ERR_INVALID, "the server answered with status %u", status);
    reason = token_trim((struct span){rest.data + 3, rest.len - 3});
    if (reason.len > REPLYHEAD_REASON_MAX)
        reason.len = REPLYHEAD_REASON_MAX;
    if (!token_all(reason, TOKEN_VALUE))
        reason.len = 0;
    buf_eat(&h->reason, buf_len(&h->reason));
    buf_eat(&h->fields, buf_len(&h->fields));
    h->count = 0;
    h->has_length = false;
    h->status = status;
    return buf_append(&h->reason, reason.data, reason.len) < 0 ? err_nomem(err) : 0;
}

static int add_field(struct replyhead *h, struct span name, struct span value, struct err *err)
{
    size_t at = buf_len(&h->fields);

    if (h->count == REPLYHEAD_FIELDS_MAX)
        return err_set(err, ERR_LIMIT, "the server sent more than %d headers",
                       REPLYHEAD_FIELDS_MAX);
    if (at + name.len + value.len > REPLYHEAD_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the server sent headers of more than %d bytes",
                       REPLYHEAD_BYTES_MAX);
    if (pairs_add(&h->fields, name, value) < 0)
        return err_nomem(err);
    h->count++;
    if (h->is_exact)
        return 0;
    /* u32 length, then the name. */
    for (char *p = h->fields.mem + h->fields.head + at + 4; name.len > 0; name.len--, p++)
        if (*p >= 'A' && *p <= 'Z')
            *p |= 0x20;
    return 0;
}

/* A number, or the same number several times. */
static int take_length(struct replyhead *h, struct span value, struct err *err)
{
    struct span element;
    int64_t length;

    while (token_next(&value, &element)) {
        if (!token_number(element, &length) || (h->has_length && length != h->length))
            return err_set(err, ERR_INVALID,
                           "the server sent a Content-Length that is malformed, "
                           "or two that differ");
        h->length = length;
        h->has_length = true;
    }
    return 0;
}

static int take_field(struct replyhead *h, struct span line, struct err *err)
{
    const char *colon = memchr(line.data, ':', line.len);
    struct span name, value;

    if (!colon)
        return err_set(err, ERR_INVALID, "the server sent a header without a colon");
    name = (struct span){line.data, (size_t)(colon - line.data)};
    value = token_trim((struct span){colon + 1, line.len - name.len - 1});
    if (name.len == 0 || !token_all(name, TOKEN_NAME))
        return err_set(err, ERR_INVALID, "the server sent a header with a malformed name");
    if (!token_all(value, TOKEN_VALUE))
        return err_set(err, ERR_INVALID, "the server sent a control character in header '%.*s'",
                       name.len < 64 ? (int)name.len : 64, name.data);
    if (span_is_nocase(name, "content-length") && take_length(h, value, err) < 0)
        return ERR_INVALID;
    if (token_is_hop(name) && !h->is_exact && !replyhead_is_switch(h))
        return 0;
    return add_field(h, name, value, err);
}

int replyhead_line(struct replyhead *h, struct span line, struct err *err)
{
    h->heard += line.len;
    if (h->heard > REPLYHEAD_HEARD_MAX || ++h->lines > REPLYHEAD_LINES_MAX)
        return err_set(err, ERR_LIMIT,
                       "the server sent more than %d bytes or %d lines of headers and trailers",
                       REPLYHEAD_HEARD_MAX, REPLYHEAD_LINES_MAX);
    if (line.len > 0 && line.data[line.len - 1] == '\n')
        line.len--;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    if (h->is_whole)
        return 0; /* a trailer */
    if (line.len >= 5 && memcmp(line.data, "HTTP/", 5) == 0)
        return take_status(h, line, err);
    if (h->status == 0)
        return err_set(err, ERR_INVALID, "the server sent no status line");
    if (line.len > 0)
        return take_field(h, line, err);
    h->is_whole = h->status >= 200 || replyhead_is_switch(h);
    return h->is_whole;
}
