/* meter.h - what the calls of an instance take of the processor.
 *
 * The kernel counts the time of a process.  What was used between two looks is the call's whose code
 * runs, or ran last, as the instance says (witness.h); nobody's when that one has ended since the last look.
 * When the instance does not say, or names one that is not there, it is divided evenly among
 * the calls that were open in it, by one number that rises: a call has used what it rose by since the
 * call began.
 *
 * Looks are taken when a metered call begins and ends, and by the pool's timer while there is a limit
 * and a call, at the times of meter_pace; of all that fall into one turn of the loop the first one reads the clock.
 * A pool without limit and without somebody who wants to know takes none.
 *
 * Embedded in the instance; plain data.  Times in microseconds. */
#ifndef CORRAL_HERD_METER_H
#define CORRAL_HERD_METER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "herd/witness.h"
#include "loop/ring.h"

enum {
    METER_MS = 10,                  /* between two looks, at least */
    METER_BUSY_MS = 100,            /* at most, at one that computes ... */
    METER_REST_MS = 1000,           /* ... and at one that does not */
    METER_ENDED = 16,
    METER_GRACE_US = 250 * 1000,    /* of the processor, for code that was told to stop */
};

/* Of a pool. */
struct meter_rule {
    int64_t limit_us;       /* of one call; 0: none */
    bool is_measured;       /* new calls are metered; with a limit always true */
    const uint64_t *turn;   /* of the loop, from 1; NULL: each look reads the clock */
};

/* Who has this number; NULL: nobody. */
typedef struct meter_call *(*meter_find_fn)(void *self, uint32_t stream);

struct meter {
    const struct meter_rule *rule;  /* NULL: nothing is ever metered */
    struct ring calls;              /* metered ones, those that began first in front */
    unsigned count;
    unsigned stopped;               /* of them */
    int64_t clock_us;               /* of the process, at the last look */
    uint64_t turn;                  /* when that was */
    int64_t share_us;               /* what rises */
    int64_t total_us;               /* used while metered calls were open */
    struct witness witness;
    meter_find_fn find;             /* NULL: the witness is not asked */
    void *self;
    int64_t own_max_us;             /* no call has more own_us */
    uint32_t ended[METER_ENDED];    /* streams, since the last look */
    unsigned ended_count;
    int64_t due_ms, rest_us;        /* when to look next, 0: nobody has said yet; the clock when that was said last */
};

/* In a call. */
struct meter_call {
    struct ring ring;
    uint32_t stream;                /* its number, before it begins */
    int64_t base_us;                /* of share_us; -1: it is not metered */
    int64_t own_us;                 /* charged to it alone */
    int64_t warned_us;              /* had used so much when it was told to stop first; -1: it was not */
    bool is_stopped;                /* counted anew, towards METER_GRACE_US */
};

void meter_init(struct meter *meter, const struct meter_rule *rule);
void meter_call_init(struct meter_call *mc);
/* Ask the witness, which it takes over. */
void meter_ask(struct meter *meter, struct witness take_witness, meter_find_fn find, void *self);
void meter_done(struct meter *meter);
/* The call goes into the instance whose process is `pid`. */
void meter_begin(struct meter *meter, struct meter_call *mc, pid_t pid);
/* It leaves; what it used, -1: not metered. */
int64_t meter_end(struct meter *meter, struct meter_call *mc, pid_t pid);
/* Count anew: another event begins in it. */
void meter_restart(struct meter *meter, struct meter_call *mc);
/* What it has used up to the last look. */
int64_t meter_used(const struct meter *meter, const struct meter_call *mc);
void meter_look(struct meter *meter, pid_t pid);
/* There was a look at now_ms, for the limit: when must the next one be?  No call can be over it before. */
void meter_pace(struct meter *meter, int64_t now_ms);
/* It was found out to be the one that computes, and told to stop: what it has used since it began is its alone. */
void meter_stop(struct meter *meter, struct meter_call *mc);
/* One that was told to stop and has used up its grace; NULL: none. */
struct meter_call *meter_late(const struct meter *meter);
/* As meter_take_over; it stays. */
struct meter_call *meter_over(const struct meter *meter, int64_t *ret_used_us);
/* Somebody is over the limit at the last look: whose fault it is, taken out of the meter; NULL: nobody is.
 * It has used the most alone.  Where that does not tell them apart, those that only
 * wait have been charged as much as the one that computes, and were there before it: it is the one that began last. */
struct meter_call *meter_take_over(struct meter *meter, int64_t *ret_used_us);

/* Processor time of a process, -1: it is gone.  A hand for tests: meter_fake_clock. */
int64_t meter_clock_us(pid_t pid);
void meter_fake_clock(int64_t (*clock_us)(pid_t pid));

#endif
