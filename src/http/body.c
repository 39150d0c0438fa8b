/* body.c - llhttp as the second reader: same head, same framing, or 400.
 *
 * 1. llhttp sees exactly the bytes that the strict scanners have passed:
 *    head.c for the head, chunked.c for a chunked body.  A body with a length
 *    needs no reader.
 * 2. Method, version, framing and length must be the same to both; so must
 *    the end of a chunked body and the number of its bytes.
 * 3. Decoded bytes move towards the front of the buffer they came in, over
 *    framing that has been read already.
 *
 * Who calls it: front/connection.c. */
#include "http/body.h"

static int disagree(struct body *b, struct err *err)
{
    b->status = 400;
    return err_set(err, ERR_INVALID, "ambiguous request");
}

static int on_headers_complete(llhttp_t *parser)
{
    parser->upgrade = 0;    /* Upgrade is ignored: what follows is HTTP */
    return 0;
}

static int on_body(llhttp_t *parser, const char *data, size_t len)
{
    struct body *b = parser->data;

    memmove(b->out, data, len);
    b->out += len;
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    struct body *b = parser->data;

    b->is_parsed = true;
    return 0;
}

static const llhttp_settings_t SETTINGS = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static bool is_same(const struct body *b, const struct head *head, const char *data)
{
    const llhttp_t *p = &b->parser;
    struct span method = head_part(data, head->method);

    if (!span_is(method, llhttp_method_name((llhttp_method_t)p->method)) || p->http_major != 1 ||
        p->http_minor != head->minor)
        return false;
    switch (head->framing) {
    case HEAD_NO_BODY:
        return b->is_parsed;
    case HEAD_LENGTH:
        return !b->is_parsed && !(p->flags & F_CHUNKED) &&
               p->content_length == (uint64_t)head->body_length;
    case HEAD_CHUNKED:
        return !b->is_parsed && (p->flags & F_CHUNKED);
    }
    return false;
}

int body_begin(struct body *b, const struct head *head, const char *data, int64_t body_max,
               struct err *err)
{
    size_t skip = head->has_blank ? 2 : 0;

    b->status = 0;
    b->is_parsed = false;
    b->framing = head->framing;
    b->is_ended = head->framing == HEAD_NO_BODY;
    b->left = head->body_length;
    if (head->framing == HEAD_CHUNKED)
        b->chunked = (struct chunked){.limit = body_max};
    llhttp_init(&b->parser, HTTP_REQUEST, &SETTINGS);
    b->parser.data = b;
    if (llhttp_execute(&b->parser, data + skip, head->len - skip) != HPE_OK ||
        !is_same(b, head, data))
        return disagree(b, err);
    return 0;
}

static int decode_chunked(struct body *b, char *data, size_t len, size_t *ret_used,
                          struct span *ret_bytes, struct err *err)
{
    int64_t announced = b->chunked.total - (int64_t)b->chunked.left;
    size_t used;

    if (chunked_check(&b->chunked, data, len, &used, err) < 0) {
        b->status = b->chunked.status;
        return err->code;
    }
    announced = b->chunked.total - (int64_t)b->chunked.left - announced;
    b->out = data;
    if (llhttp_execute(&b->parser, data, used) != HPE_OK || b->out - data != announced ||
        b->is_parsed != b->chunked.is_ended)
        return disagree(b, err);
    b->is_ended = b->is_parsed;
    *ret_used = used;
    *ret_bytes = (struct span){data, (size_t)(b->out - data)};
    return 0;
}

int body_decode(struct body *b, char *data, size_t len, size_t *ret_used, struct span *ret_bytes,
                struct err *err)
{
    size_t n = 0;

    if (!b->is_ended && b->framing == HEAD_CHUNKED)
        return decode_chunked(b, data, len, ret_used, ret_bytes, err);
    if (!b->is_ended) {
        n = (int64_t)len < b->left ? len : (size_t)b->left;
        b->left -= (int64_t)n;
        b->is_ended = b->left == 0;
    }
    *ret_used = n;
    *ret_bytes = (struct span){data, n};
    return 0;
}

int64_t body_left(const struct body *b)
{
    if (b->is_ended)
        return 0;
    return b->framing == HEAD_CHUNKED ? -1 : b->left;
}
