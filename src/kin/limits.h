/* limits.h - two small brakes: how soon to try again, how much to log.
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
    RATION_MS = 1000,
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

static inline enum ration_answer ration_take(struct ration *r, int64_t now_ms, size_t bytes)
{
    if (now_ms - r->start_ms >= RATION_MS)
        *r = (struct ration){.start_ms = now_ms};
    if (r->is_over)
        return RATION_DROP;
    if (bytes > RATION_BYTES - r->used) {
        r->is_over = true;
        return RATION_DROP_AND_SAY;
    }
    r->used += bytes;
    return RATION_PASS;
}

#endif
