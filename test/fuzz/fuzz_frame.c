/* fuzz_frame.c - any bytes as a stream of frames and messages: read or refuse,
 * never crash; what was read is written back to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Decode as `name`; when it decodes, encoding must give the frame back. */
#define TRY(name, kind)                                                                            \
    case kind: {                                                                                   \
        struct name m = {0};                                                                       \
        struct buf b = {0};                                                                        \
        if (name##_get(f, &m, &err) == 0) {                                                        \
            if (name##_put(&b, f->flags, f->stream, &m, &err) < 0 || buf_len(&b) != used ||        \
                memcmp(buf_data(&b), bytes, used) != 0)                                            \
                abort();                                                                           \
        }                                                                                          \
        buf_done(&b);                                                                              \
        break;                                                                                     \
    }

static void try_message(const struct frame *f, const char *bytes, size_t used)
{
    struct err err = {0};

    switch (f->type) {
        MESSAGES(TRY)
    case FRAME_SPAWN:
    case FRAME_FORK: {
        struct spawn m;
        if (spawn_get(f, &m, &err) < 0)
            break;
        break;
    }
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *at = (const char *)data;
    struct err err = {0};
    struct frame f;
    size_t used;

    while (frame_parse(at, len, &f, &used, &err) == 1) {
        try_message(&f, at, used);
        at += used;
        len -= used;
    }
    return 0;
}
