/* message.c - encode and decode every message by one table of its fields.
 *
 * Encodings, little endian: U32 and I64/U64 as they are; SPAN as u32 length
 * and bytes; PAIRS as u32 count, u32 length and, for each pair, u32 length and
 * bytes twice.  The reader walks the pairs once here, so pairs_next need not
 * check again.
 *
 * Adding a field: the struct, the table, WIRE_VERSION. */
#include "wire/message.h"

#include <string.h>

enum kind { KIND_NONE, KIND_U32, KIND_64, KIND_SPAN, KIND_PAIRS };

struct field {
    enum kind kind;
    size_t offset;
    const char *name;
};

#define F(kind, type, member) {kind, offsetof(struct type, member), #member}

static const struct field hello_fields[] = {
    F(KIND_U32, hello, version), F(KIND_U32, hello, role), F(KIND_SPAN, hello, python),
    F(KIND_SPAN, hello, javascript), {0}};
static const struct field log_line_fields[] = {
    F(KIND_U32, log_line, level), F(KIND_SPAN, log_line, text), F(KIND_SPAN, log_line, told), {0}};
static const struct field request_fields[] = {
    F(KIND_SPAN, request, method), F(KIND_SPAN, request, url), F(KIND_PAIRS, request, headers),
    F(KIND_64, request, body_length), F(KIND_U32, request, is_upgrade), {0}};
static const struct field event_fields[] = {
    F(KIND_SPAN, event, kind), F(KIND_SPAN, event, entrypoint), F(KIND_SPAN, event, payload), {0}};
static const struct field response_fields[] = {
    F(KIND_U32, response, status), F(KIND_SPAN, response, status_text),
    F(KIND_PAIRS, response, headers), F(KIND_64, response, body_length), {0}};
static const struct field outcall_head_fields[] = {
    F(KIND_U32, outcall_head, request), F(KIND_SPAN, outcall_head, binding),
    F(KIND_SPAN, outcall_head, method), F(KIND_PAIRS, outcall_head, arguments),
    F(KIND_PAIRS, outcall_head, headers), F(KIND_64, outcall_head, body_length), {0}};
static const struct field reply_fields[] = {
    F(KIND_U32, reply, status), F(KIND_PAIRS, reply, results), F(KIND_PAIRS, reply, headers),
    F(KIND_64, reply, body_length), {0}};
static const struct field credit_fields[] = {F(KIND_U32, credit, bytes), {0}};
static const struct field reset_fields[] = {
    F(KIND_U32, reset, reason), F(KIND_SPAN, reset, text), {0}};
static const struct field met_fields[] = {F(KIND_U32, met, limit), {0}};
static const struct field spawn_fields[] = {
    F(KIND_U32, spawn, id), F(KIND_64, spawn, memory_bytes), F(KIND_U32, spawn, descriptors),
    F(KIND_U32, spawn, is_timed), F(KIND_SPAN, spawn, paths), {0}};
static const struct field spawned_fields[] = {
    F(KIND_U32, spawned, id), F(KIND_U32, spawned, pid), {0}};
static const struct field spawn_failed_fields[] = {
    F(KIND_U32, spawn_failed, id), F(KIND_U32, spawn_failed, is_retry),
    F(KIND_SPAN, spawn_failed, text), {0}};
static const struct field exited_fields[] = {
    F(KIND_U32, exited, pid), F(KIND_U32, exited, status), {0}};
static const struct field load_fields[] = {
    F(KIND_SPAN, load, name), F(KIND_SPAN, load, folder), F(KIND_SPAN, load, main),
    F(KIND_SPAN, load, compatibility_date), F(KIND_SPAN, load, compatibility_flags),
    F(KIND_SPAN, load, env), F(KIND_SPAN, load, bindings),
    F(KIND_SPAN, load, packages), F(KIND_64, load, tmp_bytes),
    F(KIND_64, load, message_bytes), F(KIND_SPAN, load, request_cf), {0}};
static const struct field loaded_fields[] = {F(KIND_U32, loaded, handlers), {0}};
static const struct field failed_fields[] = {
    F(KIND_U32, failed, kind), F(KIND_SPAN, failed, text), F(KIND_SPAN, failed, hint),
    F(KIND_SPAN, failed, traceback), F(KIND_SPAN, failed, file), F(KIND_U32, failed, line),
    F(KIND_U32, failed, column), F(KIND_SPAN, failed, module), {0}};

/* Append v, n bytes little endian. */
static int put_int(struct buf *out, uint64_t v, size_t n)
{
    char bytes[8];

    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(v >> (8 * i));
    return buf_append(out, bytes, n);
}

static int put_span(struct buf *out, struct span s)
{
    int r = put_int(out, s.len, 4);

    return r < 0 ? r : buf_append(out, s.data, s.len);
}

static int put_field(struct buf *out, const struct field *f, const char *message)
{
    const char *at = message + f->offset;
    struct pairs pairs;
    struct span span;
    uint64_t u64;
    uint32_t u32;
    int r;

    switch (f->kind) {
    case KIND_U32:
        memcpy(&u32, at, sizeof u32);
        return put_int(out, u32, 4);
    case KIND_64:
        memcpy(&u64, at, sizeof u64);
        return put_int(out, u64, 8);
    case KIND_SPAN:
        memcpy(&span, at, sizeof span);
        return put_span(out, span);
    case KIND_PAIRS:
        memcpy(&pairs, at, sizeof pairs);
        r = put_int(out, pairs.count, 4);
        return r < 0 ? r : put_span(out, pairs.bytes);
    case KIND_NONE:
        break;
    }
    return 0;
}

static int message_put(struct buf *out, enum frame_type type, uint8_t flags, uint32_t stream,
                       const struct field *fields, const void *message, struct err *err)
{
    size_t before = buf_len(out), mark, len;
    int r;

    r = frame_begin(out, type, flags, stream, &mark);
    for (; r == 0 && fields->kind != KIND_NONE; fields++)
        r = put_field(out, fields, message);
    if (r < 0) {
        out->tail = out->head + before;
        return err_nomem(err);
    }
    len = buf_len(out) - mark - FRAME_HEADER;
    if ((long)len > frame_limit(type)) {
        out->tail = out->head + before;
        return err_set(err, ERR_LIMIT, "%s message of %zu bytes is over %ld", frame_name(type),
                       len, frame_limit(type));
    }
    frame_end(out, mark);
    return 0;
}

static bool get_int(struct span *in, size_t n, uint64_t *ret)
{
    uint64_t v = 0;

    if (in->len < n)
        return false;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)(unsigned char)in->data[i] << (8 * i);
    in->data += n;
    in->len -= n;
    *ret = v;
    return true;
}

static bool get_span(struct span *in, struct span *ret)
{
    uint64_t n;

    if (!get_int(in, 4, &n) || in->len < n)
        return false;
    *ret = (struct span){in->data, (size_t)n};
    in->data += n;
    in->len -= n;
    return true;
}

static bool get_pairs(struct span *in, struct pairs *ret)
{
    struct span name, value, rest;
    uint64_t count;

    if (!get_int(in, 4, &count) || !get_span(in, &ret->bytes))
        return false;
    ret->count = (uint32_t)count;
    rest = ret->bytes;
    for (uint64_t i = 0; i < count; i++)
        if (!get_span(&rest, &name) || !get_span(&rest, &value))
            return false;
    return rest.len == 0;
}

static bool get_field(struct span *in, const struct field *f, char *message)
{
    char *at = message + f->offset;
    struct pairs pairs;
    struct span span;
    uint64_t u64;
    uint32_t u32;

    switch (f->kind) {
    case KIND_U32:
        if (!get_int(in, 4, &u64))
            return false;
        u32 = (uint32_t)u64;
        memcpy(at, &u32, sizeof u32);
        return true;
    case KIND_64:
        if (!get_int(in, 8, &u64))
            return false;
        memcpy(at, &u64, sizeof u64);
        return true;
    case KIND_SPAN:
        if (!get_span(in, &span))
            return false;
        memcpy(at, &span, sizeof span);
        return true;
    case KIND_PAIRS:
        if (!get_pairs(in, &pairs))
            return false;
        memcpy(at, &pairs, sizeof pairs);
        return true;
    case KIND_NONE:
        break;
    }
    return false;
}

static int message_get(const struct frame *f, const struct field *fields, void *message,
                       struct err *err)
{
    struct span in = f->payload;

    for (; fields->kind != KIND_NONE; fields++)
        if (!get_field(&in, fields, message))
            return err_set(err, ERR_INVALID, "%s message: '%s' is cut or malformed",
                           frame_name(f->type), fields->name);
    if (in.len > 0)
        return err_set(err, ERR_INVALID, "%s message: %zu bytes left over", frame_name(f->type),
                       in.len);
    return 0;
}

#define MESSAGE_DEFINE(name, type)                                                                 \
    int name##_put(struct buf *out, uint8_t flags, uint32_t stream, const struct name *m,          \
                   struct err *err)                                                                \
    {                                                                                              \
        return message_put(out, type, flags, stream, name##_fields, m, err);                       \
    }                                                                                              \
    int name##_get(const struct frame *f, struct name *ret, struct err *err)                       \
    {                                                                                              \
        return message_get(f, name##_fields, ret, err);                                            \
    }
MESSAGES(MESSAGE_DEFINE)

int spawn_put(struct buf *out, enum frame_type type, const struct spawn *m, struct err *err)
{
    return message_put(out, type, 0, 0, spawn_fields, m, err);
}

int spawn_get(const struct frame *f, struct spawn *ret, struct err *err)
{
    return message_get(f, spawn_fields, ret, err);
}

int pairs_add(struct buf *b, struct span name, struct span value)
{
    int r = put_span(b, name);

    return r < 0 ? r : put_span(b, value);
}

bool pairs_next(const struct pairs *p, size_t *at, struct span *ret_name, struct span *ret_value)
{
    struct span rest;

    if (*at >= p->bytes.len)
        return false; /* none may have no bytes at all: NULL */
    rest = (struct span){p->bytes.data + *at, p->bytes.len - *at};
    if (!get_span(&rest, ret_name) || !get_span(&rest, ret_value))
        return false;
    *at = p->bytes.len - rest.len;
    return true;
}
