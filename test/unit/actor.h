/* actor.h - a process that plays one of ours at the other end of a socket: its frames, by hand.
 *
 * For tests of the node's side.  It ends quietly when the node hangs up, and
 * with status 9x when what it hears is not what its script expects. */
#ifndef CORRAL_TEST_ACTOR_H
#define CORRAL_TEST_ACTOR_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "wire/message.h"

static int side;
static struct buf side_in;

static inline void say(const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n > 0) {
        ssize_t k = write(side, p, n);
        if (k <= 0)
            _exit(0); /* the node has hung up: what a liar expects */
        p += k;
        n -= (size_t)k;
    }
}

static inline void say_frame(int type, int flags, uint32_t stream, const void *payload, size_t n)
{
    struct buf b = {0};

    if (frame_put(&b, (uint8_t)type, (uint8_t)flags, stream, payload, n) < 0)
        _exit(90);
    say(buf_data(&b), buf_len(&b));
    buf_done(&b);
}

#define SAY(type, flags, stream, text) say_frame(type, flags, stream, text, sizeof(text) - 1)

#define SAY_MESSAGE(name, flags, stream, ...)                                                      \
    do {                                                                                           \
        struct buf b_ = {0};                                                                       \
        struct err e_;                                                                             \
        struct name m_ = {__VA_ARGS__};                                                            \
        if (name##_put(&b_, (flags), (stream), &m_, &e_) < 0)                                      \
            _exit(91);                                                                             \
        say(buf_data(&b_), buf_len(&b_));                                                          \
        buf_done(&b_);                                                                             \
    } while (0)

/* Wait for a frame; the one before is forgotten. */
static inline struct frame hear(void)
{
    static size_t used;
    struct frame f;
    struct err err;
    char *room;
    ssize_t n;
    int r;

    buf_eat(&side_in, used);
    used = 0;
    for (;;) {
        r = buf_len(&side_in) == 0
                ? 0
                : frame_parse(buf_data(&side_in), buf_len(&side_in), &f, &used, &err);
        if (r == 1)
            return f;
        if (r < 0 || buf_reserve(&side_in, 65536, &room) < 0)
            _exit(92);
        n = read(side, room, 65536);
        if (n <= 0)
            _exit(0);
        buf_commit(&side_in, (size_t)n);
    }
}

static inline void expect(int type, uint32_t stream)
{
    struct frame f = hear();

    if (f.type != type || f.stream != stream)
        _exit(93);
}

#endif
