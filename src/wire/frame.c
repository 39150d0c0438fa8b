/* frame.c - put and find frame headers.
 *
 * The table below is the whole knowledge about types: name, longest payload, senders.
 * A type that is not in it does not exist. */
#include "wire/frame.h"

#include <string.h>

/* As enum role counts (message.h, which stands on this). */
enum {
    NODE = 1 << 0,
    ZYGOTE = 1 << 1,
    TEMPLATE = 1 << 2,
    INSTANCE = 1 << 3,
    STORE = 1 << 4,
    CHILD = ZYGOTE | TEMPLATE | INSTANCE | STORE,
};

struct kind {
    const char *name;
    long limit;
    unsigned senders;
};

static const struct kind KINDS[256] = {
    [FRAME_HELLO] = {"HELLO", 1024, CHILD},
    [FRAME_LOG] = {"LOG", 64 * 1024, CHILD},
    [FRAME_REQUEST] = {"REQUEST", 256 * 1024, NODE},
    [FRAME_RESPONSE] = {"RESPONSE", 256 * 1024, INSTANCE},
    [FRAME_BODY] = {"BODY", FRAME_BODY_MAX, NODE | INSTANCE | STORE},
    [FRAME_CREDIT] = {"CREDIT", 4, NODE | INSTANCE | STORE},
    [FRAME_RESET] = {"RESET", 64 * 1024, NODE | INSTANCE | STORE},
    [FRAME_DONE] = {"DONE", 0, INSTANCE},
    [FRAME_PING] = {"PING", 0, NODE},
    [FRAME_PONG] = {"PONG", 0, INSTANCE | STORE},
    [FRAME_OUTCALL] = {"OUTCALL", 256 * 1024, NODE | INSTANCE},
    [FRAME_REPLY] = {"REPLY", 256 * 1024, NODE | STORE},
    [FRAME_EVENT] = {"EVENT", 16 * 1024 * 1024, NODE}, /* a batch of 100 messages of 128 KB */
    [FRAME_HANG_UP] = {"HANG_UP", 0, NODE},
    [FRAME_MET] = {"MET", 4, TEMPLATE | INSTANCE},
    [FRAME_SPAWN] = {"SPAWN", 256 * 1024, NODE},
    [FRAME_LOAD] = {"LOAD", 2 * 1024 * 1024, NODE},
    [FRAME_LOADED] = {"LOADED", 1024, TEMPLATE},
    [FRAME_FAILED] = {"FAILED", 256 * 1024, TEMPLATE | STORE},
    [FRAME_FORK] = {"FORK", 64, NODE},
    [FRAME_SPAWNED] = {"SPAWNED", 64, ZYGOTE | TEMPLATE},
    [FRAME_SPAWN_FAILED] = {"SPAWN_FAILED", 4096, ZYGOTE | TEMPLATE},
    [FRAME_EXITED] = {"EXITED", 64, ZYGOTE | TEMPLATE},
    [FRAME_EVALUATED] = {"EVALUATED", 0, TEMPLATE},
};

static const uint8_t FLAGS = FRAME_END | FRAME_FINISHED | FRAME_RAISED;

static void put_u32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(v >> (8 * i));
}

static uint32_t get_u32(const char *data)
{
    const unsigned char *p = (const unsigned char *)data;

    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

long frame_limit(uint8_t type)
{
    return KINDS[type].name ? KINDS[type].limit : -1;
}

unsigned frame_senders(uint8_t type) { return KINDS[type].senders; }

const char *frame_name(uint8_t type)
{
    return KINDS[type].name ? KINDS[type].name : "?";
}

int frame_parse(const char *data, size_t len, struct frame *ret, size_t *ret_used, struct err *err)
{
    uint8_t type, flags;
    uint32_t n;

    if (len < FRAME_HEADER)
        return 0;
    type = (uint8_t)data[4];
    flags = (uint8_t)data[5];
    n = get_u32(data);
    if (!KINDS[type].name)
        return err_set(err, ERR_INVALID, "frame of unknown type %u", type);
    if ((flags & ~FLAGS) != 0 || data[6] != 0 || data[7] != 0)
        return err_set(err, ERR_INVALID, "%s frame with unknown flags 0x%02x", KINDS[type].name,
                       flags);
    if ((long)n > KINDS[type].limit)
        return err_set(err, ERR_LIMIT, "%s frame of %u bytes is over %ld", KINDS[type].name, n,
                       KINDS[type].limit);
    if (len - FRAME_HEADER < n)
        return 0;
    *ret = (struct frame){.type = type,
                          .flags = flags,
                          .stream = get_u32(data + 8),
                          .payload = {data + FRAME_HEADER, n}};
    *ret_used = FRAME_HEADER + (size_t)n;
    return 1;
}

static void put_header(char *p, uint8_t type, uint8_t flags, uint32_t stream, size_t len)
{
    put_u32(p, (uint32_t)len);
    p[4] = (char)type;
    p[5] = (char)flags;
    p[6] = p[7] = 0;
    put_u32(p + 8, stream);
}

int frame_put(struct buf *out, uint8_t type, uint8_t flags, uint32_t stream, const void *payload,
              size_t len)
{
    char *room;
    int r;

    r = buf_reserve(out, FRAME_HEADER + len, &room);
    if (r < 0)
        return r;
    put_header(room, type, flags, stream, len);
    if (len > 0)
        memcpy(room + FRAME_HEADER, payload, len);
    buf_commit(out, FRAME_HEADER + len);
    return 0;
}

int frame_begin(struct buf *out, uint8_t type, uint8_t flags, uint32_t stream, size_t *ret_mark)
{
    char *room;
    int r;

    r = buf_reserve(out, FRAME_HEADER, &room);
    if (r < 0)
        return r;
    put_header(room, type, flags, stream, 0);
    *ret_mark = buf_len(out);
    buf_commit(out, FRAME_HEADER);
    return 0;
}

void frame_end(struct buf *out, size_t mark)
{
    put_u32(out->mem + out->head + mark, (uint32_t)(buf_len(out) - mark - FRAME_HEADER));
}

void frame_finish(struct buf *out, size_t at)
{
    out->mem[out->head + at + 5] |= FRAME_FINISHED;
}
