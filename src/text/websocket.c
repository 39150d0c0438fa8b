/* websocket.c - bytes of RFC 6455 to messages and back.
 *
 *   head -> payload -+-> control frame: told at its end
 *    ^               +-> part of a message: told when the part that ends it does
 *    +---------------+
 *
 * 1. `message` never holds more than has arrived, nor more than message_max:
 *    a frame that would pass that is refused by its head.
 * 2. message[0 .. checked) is well-formed UTF-8 while text is gathered; behind
 *    it lie at most three bytes of a character that was cut.
 *
 * Who calls it: realm/socket.c. */
#include "text/websocket.h"

#include <string.h>

enum { CONTINUATION = 0, FIN = 0x80, RESERVED = 0x70, MASKED = 0x80 };

void websocket_init(struct websocket_reader *r, bool is_server, size_t message_max)
{
    *r = (struct websocket_reader){.is_server = is_server, .message_max = message_max};
}

void websocket_done(struct websocket_reader *r)
{
    buf_done(&r->message);
}

static int refuse(struct websocket_reader *r, struct err *err, const char *why)
{
    r->status = WEBSOCKET_PROTOCOL;
    return err_set(err, ERR_INVALID, "%s", why);
}

static int refuse_text(struct websocket_reader *r, struct err *err)
{
    r->status = WEBSOCKET_NOT_UTF8;
    return err_set(err, ERR_INVALID, "text that is not UTF-8");
}

/* ---- UTF-8 ---- */

static size_t skip_ascii(const unsigned char *in, size_t len)
{
    size_t at = 0;
    uint64_t word;

    for (; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, in + at, sizeof word);
        if (word & 0x8080808080808080)
            break;
    }
    while (at < len && in[at] < 0x80)
        at++;
    return at;
}

/* The character at in[0], which is not ASCII: its bytes, 0 when it is cut, -1 when it is none. */
static int character(const unsigned char *in, size_t len)
{
    unsigned char lead = in[0], low = 0x80, high = 0xBF;
    int need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;

    if (lead < 0xC2 || lead > 0xF4)
        return -1;
    if (lead == 0xE0)
        low = 0xA0;
    if (lead == 0xED)
        high = 0x9F;
    if (lead == 0xF0)
        low = 0x90;
    if (lead == 0xF4)
        high = 0x8F;
    for (int i = 1; i <= need; i++) {
        if ((size_t)i >= len)
            return 0;
        if (in[i] < low || in[i] > high)
            return -1;
        low = 0x80;
        high = 0xBF;
    }
    return need + 1;
}

/* How many bytes are whole characters; -1: the text is ill-formed. */
static long whole(const char *bytes, size_t len)
{
    const unsigned char *in = (const unsigned char *)bytes;
    size_t at = 0;
    int n;

    for (;;) {
        at += skip_ascii(in + at, len - at);
        if (at == len)
            return (long)at;
        n = character(in + at, len - at);
        if (n <= 0)
            return n < 0 ? -1 : (long)at;
        at += (size_t)n;
    }
}

static bool is_utf8(struct span s)
{
    return whole(s.data, s.len) == (long)s.len;
}

struct span websocket_cut(struct span s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max > 0 && ((unsigned char)s.data[max] & 0xC0) == 0x80)
        max--;
    return (struct span){s.data, max};
}

/* ---- one frame's head ---- */

/* How long the head will be, as far as the bytes that are here say. */
static size_t head_wanted(const struct websocket_reader *r)
{
    size_t n = 2;

    if (r->head_len < 2)
        return n;
    if ((r->head[1] & 0x7F) == 126)
        n += 2;
    if ((r->head[1] & 0x7F) == 127)
        n += 8;
    return n + (r->head[1] & MASKED ? 4 : 0);
}

static uint64_t big_endian(const uint8_t *in, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | in[i];
    return v;
}

static int check_control(struct websocket_reader *r, struct err *err)
{
    if (r->opcode < WEBSOCKET_CLOSE || r->opcode > WEBSOCKET_PONG)
        return refuse(r, err, "a frame of an unknown kind");
    if (!r->is_end)
        return refuse(r, err, "a control frame in fragments");
    if (r->left > WEBSOCKET_CONTROL_MAX)
        return refuse(r, err, "a control frame that is too long");
    r->control_len = 0;
    return 0;
}

static int check_data(struct websocket_reader *r, struct err *err)
{
    if (r->opcode == CONTINUATION && !r->kind)
        return refuse(r, err, "a continuation of nothing");
    if (r->opcode != CONTINUATION && r->kind)
        return refuse(r, err, "a message inside another one");
    if (r->left > r->message_max - buf_len(&r->message)) {
        r->status = WEBSOCKET_TOO_BIG;
        return err_set(err, ERR_LIMIT, "a message of more than %zu bytes", r->message_max);
    }
    if (r->opcode != CONTINUATION) {
        r->kind = r->opcode;
        r->checked = 0;
    }
    return 0;
}

static int take_head(struct websocket_reader *r, struct err *err)
{
    size_t length_bytes = (r->head[1] & 0x7F) == 126 ? 2 : (r->head[1] & 0x7F) == 127 ? 8 : 0;
    bool is_masked = r->head[1] & MASKED;

    r->is_end = r->head[0] & FIN;
    r->opcode = r->head[0] & 0x0F;
    r->left = length_bytes ? big_endian(r->head + 2, length_bytes) : r->head[1] & 0x7F;
    if (r->head[0] & RESERVED)
        return refuse(r, err, "a frame with reserved bits");
    if (is_masked != r->is_server && !r->is_lenient)
        return refuse(r, err,
                      is_masked ? "a masked frame of a server" : "an unmasked frame of a client");
    if ((length_bytes == 2 && r->left < 126) || (length_bytes == 8 && r->left <= UINT16_MAX) ||
        r->left > INT64_MAX)
        return refuse(r, err, "a frame whose length is not written as it should be");
    r->is_lenient = false;
    memset(r->mask, 0, sizeof r->mask);
    if (is_masked)
        memcpy(r->mask, r->head + 2 + length_bytes, sizeof r->mask);
    r->mask_at = 0;
    r->has_head = true;
    return r->opcode > WEBSOCKET_BINARY ? check_control(r, err) : check_data(r, err);
}

/* 1: it is whole. */
static int read_head(struct websocket_reader *r, struct span *in, struct err *err)
{
    size_t wanted, n;
    int e;

    while (r->head_len < (wanted = head_wanted(r))) {
        n = wanted - r->head_len < in->len ? wanted - r->head_len : in->len;
        if (n == 0)
            return 0;
        memcpy(r->head + r->head_len, in->data, n);
        r->head_len = (uint8_t)(r->head_len + n);
        *in = (struct span){in->data + n, in->len - n};
    }
    e = take_head(r, err);
    return e < 0 ? e : 1;
}

/* ---- payloads ---- */

static void mask_bytes(char *to, const char *from, size_t len, const uint8_t mask[4], uint32_t at)
{
    uint8_t turned[8];
    uint64_t word, key;
    size_t i = 0;

    for (size_t k = 0; k < sizeof turned; k++)
        turned[k] = mask[(at + k) & 3];
    memcpy(&key, turned, sizeof key);
    for (; len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, from + i, sizeof word);
        word ^= key;
        memcpy(to + i, &word, sizeof word);
    }
    for (; i < len; i++)
        to[i] = (char)(from[i] ^ turned[i & 7]);
}

/* Text is refused as soon as it is ill-formed, not only when all of it is here. */
static int check_text(struct websocket_reader *r, struct err *err)
{
    long n = whole(buf_data(&r->message) + r->checked, buf_len(&r->message) - r->checked);

    if (n < 0)
        return refuse_text(r, err);
    r->checked += (size_t)n;
    if (r->is_end && r->left == 0 && r->checked < buf_len(&r->message))
        return refuse_text(r, err);
    return 0;
}

static int read_payload(struct websocket_reader *r, struct span *in, struct err *err)
{
    size_t n = r->left < in->len ? (size_t)r->left : in->len;
    bool is_control = r->opcode >= WEBSOCKET_CLOSE;
    char *room = r->control + r->control_len;

    if (!is_control && n > 0 && buf_reserve(&r->message, n, &room) < 0)
        return err_nomem(err);
    if (n > 0)
        mask_bytes(room, in->data, n, r->mask, r->mask_at);
    if (is_control)
        r->control_len = (uint8_t)(r->control_len + n);
    else
        buf_commit(&r->message, n);
    r->mask_at = (uint32_t)(r->mask_at + n) & 3;
    r->left -= n;
    *in = (struct span){in->data + n, in->len - n};
    return !is_control && r->kind == WEBSOCKET_TEXT ? check_text(r, err) : 0;
}

bool websocket_is_code(unsigned code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != WEBSOCKET_NO_CODE &&
            code != WEBSOCKET_ABNORMAL) ||
           (code >= 3000 && code <= 4999);
}

static int take_close(struct websocket_reader *r, struct websocket_item *ret, struct err *err)
{
    ret->code = WEBSOCKET_NO_CODE;
    if (r->control_len == 0)
        return 1;
    if (r->control_len == 1)
        return refuse(r, err, "half a close code");
    ret->code = (unsigned)big_endian((const uint8_t *)r->control, 2);
    if (!websocket_is_code(ret->code))
        return refuse(r, err, "a close code that may not be sent");
    ret->bytes = (struct span){r->control + 2, r->control_len - 2u};
    if (!is_utf8(ret->bytes))
        return refuse_text(r, err);
    return 1;
}

/* The frame has ended; 1: with it something that can be told. */
static int take_frame(struct websocket_reader *r, struct websocket_item *ret, struct err *err)
{
    r->has_head = false;
    r->head_len = 0;
    if (r->opcode >= WEBSOCKET_CLOSE) {
        *ret = (struct websocket_item){.kind = r->opcode, .bytes = {r->control, r->control_len}};
        if (ret->kind == WEBSOCKET_CLOSE) {
            ret->bytes.len = 0;
            return take_close(r, ret, err);
        }
        return 1;
    }
    if (!r->is_end)
        return 0;
    *ret = (struct websocket_item){.kind = r->kind, .bytes = buf_span(&r->message)};
    r->kind = 0;
    return 1;
}

int websocket_read(struct websocket_reader *r, struct span *in, struct websocket_item *ret,
                   struct err *err)
{
    int e;

    /* What was told last may go. */
    if (!r->kind && buf_len(&r->message) > 0)
        buf_eat(&r->message, buf_len(&r->message));
    for (;;) {
        e = r->has_head ? 1 : read_head(r, in, err);
        if (e <= 0)
            return e;
        if (read_payload(r, in, err) < 0)
            return err->code;
        if (r->left > 0)
            return 0;
        e = take_frame(r, ret, err);
        if (e != 0)
            return e;
    }
}

/* ---- the other way ---- */

static uint8_t *write_head(char *room, enum websocket_opcode kind, uint8_t masked, size_t len)
{
    size_t length_bytes = len > UINT16_MAX ? 8 : len > 125 ? 2 : 0;
    uint8_t *at = (uint8_t *)room;

    *at++ = (uint8_t)(FIN | kind);
    *at++ = (uint8_t)(masked | (length_bytes == 8 ? 127 : length_bytes == 2 ? 126 : len));
    for (size_t i = length_bytes; i > 0; i--)
        *at++ = (uint8_t)((uint64_t)len >> (8 * (i - 1)));
    return at;
}

int websocket_put_head(struct buf *out, enum websocket_opcode kind, size_t len)
{
    char *room;

    if (buf_reserve(out, WEBSOCKET_HEAD_MAX, &room) < 0)
        return ERR_NOMEM;
    buf_commit(out, (size_t)((char *)write_head(room, kind, 0, len) - room));
    return 0;
}

int websocket_put(struct buf *out, enum websocket_opcode kind, const uint8_t *mask,
                  struct span payload)
{
    uint8_t *at;
    char *room;

    if (buf_reserve(out, WEBSOCKET_HEAD_MAX + payload.len, &room) < 0)
        return ERR_NOMEM;
    at = write_head(room, kind, mask ? MASKED : 0, payload.len);
    if (mask) {
        memcpy(at, mask, 4);
        at += 4;
        mask_bytes((char *)at, payload.data, payload.len, mask, 0);
    } else if (payload.len > 0) {
        memcpy(at, payload.data, payload.len);
    }
    buf_commit(out, (size_t)((char *)at - room) + payload.len);
    return 0;
}

int websocket_put_close(struct buf *out, unsigned code, const uint8_t *mask, struct span reason)
{
    char payload[WEBSOCKET_CONTROL_MAX];

    if (code == WEBSOCKET_NO_CODE)
        return websocket_put(out, WEBSOCKET_CLOSE, mask, SPAN(""));
    payload[0] = (char)(code >> 8);
    payload[1] = (char)code;
    if (reason.len > WEBSOCKET_REASON_MAX)
        reason = websocket_cut(reason, WEBSOCKET_REASON_MAX);
    if (reason.len > 0)
        memcpy(payload + 2, reason.data, reason.len);
    return websocket_put(out, WEBSOCKET_CLOSE, mask, (struct span){payload, reason.len + 2});
}
