/* timer.h - things that are due at a time, soonest first.
 *
 * A struct timer is embedded by its owner and must stay where it is while it
 * waits.  Zeroes are a timer that waits for nothing.  Times are microseconds
 * of clock_now_us.  Errors: timers_add ERR_NOMEM.  Thread: the realm's. */
#ifndef CORRAL_REALM_TIMER_H
#define CORRAL_REALM_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct timer;
typedef void (*timer_fire_fn)(struct timer *timer);

struct timer {
    int64_t due_us;
    uint64_t order;         /* equal times fire in the order they were added */
    size_t place;           /* in the heap, counted from 1; 0: does not wait */
    timer_fire_fn fire;     /* the timer no longer waits when it is called */
};

int timers_add(struct timer *timer, int64_t due_us, timer_fire_fn fire) MUST_CHECK;
void timers_remove(struct timer *timer);    /* does nothing when it does not wait */
/* Fire what is due at now_us, at most as many as wait now; true when any was. */
bool timers_run(int64_t now_us);
/* When the soonest is due, or -1. */
int64_t timers_next_us(void);

#endif
