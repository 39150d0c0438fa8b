/* limits.h - small brakes: how soon to try again, how much to log, how much to say that says nothing.
 *
 * Both embedded, plain data, times in milliseconds of clock_now_ms. */
#ifndef CORRAL_KIN_LIMITS_H
#define CORRAL_KIN_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BACKOFF_FIRST_MS = 50,
    BACKOFF_MAX_MS = 5000,
    BACKOFF_STEADY_MS = 10000,      /* alive for so long: the next failure is a first one */
    RATION_BYTES = 1024 * 1024,     /* of log text per second and process */
    RATION_ALL_BYTES = 2 * RATION_BYTES, /* ... and of all processes of a herd, so of an account */
    RATION_LINE = 1024,             /* what a line counts for itself: 1,024 empty ones */
    RATION_MS = 1000,
    NOISE_MAX = 1024 * 1024,        /* units per second and process; more end it */
    NOISE_LOUD = NOISE_MAX / 16,    /* from here on it is read a little at a time */
    NOISE_LONG = NOISE_MAX / 4,     /* in so many ... */
    NOISE_LONG_SECONDS = 2,         /* ... seconds in a row, and a third one: that ends it, too */
    NOISE_GONE = 4,                 /* a frame of a stream that is over: some may cross our last */
    NOISE_EMPTY = 16,               /* a frame without effect */
    NOISE_CANCEL = 128,             /* a call that is taken back: it was work for others */
};

struct backoff {
    unsigned failures;              /* in a row */
};

/* One more failure; returns the wait before the next try. */
static inline int backoff_fail(struct backoff *b)
{
    int ms = b->failures < 7 ? BACKOFF_FIRST_MS << b->failures : BACKOFF_MAX_MS;

    b->failures++;
    return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

static inline void backoff_reset(struct backoff *b) { b->failures = 0; }

struct ration {
    int64_t start_ms;               /* of the running second */
    size_t used;                    /* bytes in it */
    bool is_over;
};

enum ration_answer { RATION_PASS, RATION_DROP, RATION_DROP_AND_SAY };

static inline enum ration_answer ration_take(struct ration *r, int64_t now_ms, size_t bytes,
                                              size_t most)
{
    if (now_ms - r->start_ms >= RATION_MS)
        *r = (struct ration){.start_ms = now_ms};
    if (r->is_over)
        return RATION_DROP;
    if (bytes > most - r->used) {
        r->is_over = true;
        return RATION_DROP_AND_SAY;
    }
    r->used += bytes;
    return RATION_PASS;
}

struct noise {
    int64_t start_ms;               /* of the running second */
    unsigned used;                  /* units in it */
    unsigned before;                /* seconds above NOISE_LONG in a row before it */
};

/* false: that was too much. */
static inline bool noise_take(struct noise *n, int64_t now_ms, unsigned units)
{
    if (now_ms - n->start_ms >= RATION_MS)
        *n = (struct noise){.start_ms = now_ms,
                            .before = n->used > NOISE_LONG && now_ms - n->start_ms < 2 * RATION_MS
                                          ? n->before + 1
                                          : 0};
    n->used += units;
    return n->used <= (n->before < NOISE_LONG_SECONDS ? NOISE_MAX : NOISE_LONG);
}

/* More of it came in this second than anybody says by chance. */
static inline bool noise_is_loud(const struct noise *n, int64_t now_ms)
{
    return n->used > NOISE_LOUD && now_ms - n->start_ms < RATION_MS;
}

#endif
