/* fair.h - who takes much of the loop's time is heard at the end of a turn, a little at a time.
 *
 * The loop is one thread that all workers share, and what one of them sends
 * costs time by its contents: tiny frames a hundred times that of a body.  Each
 * reader's time is measured.  One that takes long is heavy for a while: it
 * is heard behind all others, in the order of arrival, no more bytes at once than
 * take FAIR_READ_US, and all heavy ones together get FAIR_TURN_US of a turn.  So
 * however many of them there are, a turn is longer by that and no more; and when
 * nobody else wants the loop they have it all.
 *
 * Embedded, loop thread only.  The descriptor must be watched level-triggered:
 * who was not heard in this turn is found readable in the next. */
#ifndef CORRAL_LOOP_FAIR_H
#define CORRAL_LOOP_FAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/turn.h"

enum {
    FAIR_READ_US = 200,   /* of one read of a heavy one */
    FAIR_TURN_US = 400,   /* of all heavy ones in one turn: TURN_LATE */
    FAIR_SHARE_US = 5000, /* in FAIR_WINDOW_MS: who takes more is heavy */
    FAIR_WINDOW_MS = 50,
    FAIR_HEAVY_MS = 200, /* for so long behind the last time */
    FAIR_LEAST = 4096,   /* bytes */
};

struct fair {
    struct turn_item late; /* it reads at the end of this turn */
    size_t quantum, most;  /* bytes of one read */
    int64_t heavy_until_ms;
    int64_t window_ms; /* since when `took_us` counts */
    uint64_t took_us;
};

/* most: bytes that one read may bring; read_late: called at the end of a turn, for a heavy one. */
void fair_init(struct fair *fair, size_t most, void (*read_late)(struct turn_item *item));
void fair_done(struct fair *fair);
/* It is readable.  true: read now; false: read_late will be called, in this turn or one to come. */
bool fair_is_due(struct fair *fair, struct turn *turn);
/* Bytes for the next read. */
size_t fair_quantum(const struct fair *fair);
/* A read brought so many bytes, and what was done about them took from start_ns (uv_hrtime) to now.
 */
void fair_account(struct fair *fair, size_t bytes, uint64_t start_ns);

#endif
