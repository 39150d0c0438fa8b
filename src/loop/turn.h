/* turn.h - work for the end of this turn of the loop.
 *
 * A callback that finds more to do than its own thing adds an item; the item
 * runs once, after the callbacks of this turn and before the loop sleeps, how
 * often it was added.  So a thousand frames of one turn leave in one write, and
 * a state machine is ticked from one place that nobody is inside of.
 *
 * TURN_WORK items run first, until there are none; then TURN_FLUSH items; and
 * again, while the flushes made work.  TURN_LATE is for what may wait for a turn
 * to come (fair.h): it runs before all these, once in a turn and no longer than
 * FAIR_TURN_US together; what is left stays in its order.  TURN_REST items run
 * at the next beat, TURN_REST_MS apart while there are any: for who is not to be
 * read for a moment.
 *
 * Ownership: embedded; turn_open, turn_close(cb).  An item is dropped with
 * turn_drop before its memory goes.  The turn does not keep the loop alive.
 *
 * Loop thread only. */
#ifndef CORRAL_LOOP_TURN_H
#define CORRAL_LOOP_TURN_H

#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "loop/ring.h"

enum turn_phase { TURN_WORK, TURN_FLUSH, TURN_LATE, TURN_REST, TURN_PHASES };

enum { TURN_REST_MS = 10 };

struct turn_item {
    struct ring ring;
    void (*run)(struct turn_item *item);
};

struct turn {
    uv_prepare_t prepare;
    uv_check_t check;
    uv_timer_t beat;            /* runs while somebody rests */
    struct ring items[TURN_PHASES];
    uint64_t count;             /* rises when the loop may sleep: equal means the same turn */
    unsigned handles;
    void (*closed)(void *self);
    void *self;
};

int turn_open(struct turn *turn, uv_loop_t *loop, struct err *err) MUST_CHECK;
void turn_close(struct turn *turn, void (*closed)(void *self), void *self);

void turn_item_init(struct turn_item *item, void (*run)(struct turn_item *item));
/* Adding twice is adding once. */
void turn_add(struct turn *turn, enum turn_phase phase, struct turn_item *item);
void turn_drop(struct turn_item *item);

#endif
