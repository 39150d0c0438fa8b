/* tails.h - between event.c, which makes events, and tail.c, which has listeners. */
#ifndef CORRAL_LIVE_TAILS_H
#define CORRAL_LIVE_TAILS_H

#include "live/filter.h"
#include "live/tail.h"
#include "live/event.h"
#include "loop/ring.h"

struct tails {
    struct ring all;            /* struct tail */
    unsigned count;
    uint64_t events, dropped;
    unsigned traces;            /* that have not ended */
    size_t bytes;               /* kept for them */
    uv_timer_t timer;
    bool is_closing, is_timer_closed;
};

/* Is there one for this worker? */
bool tails_has(const struct tails *tails, const char *account_id, const char *worker_name);
/* To all that want it.  `event` is the whole event. */
void tails_send(struct tails *tails, const char *account_id, const char *worker_name,
                const struct filter_facts *facts, const json_t *event);
/* The worker is gone: so are its tails. */
void tails_forget_worker(struct tails *tails, const char *account_id, const char *worker_name);
/* A trace has ended. */
void tails_forget(struct tails *tails);

#endif
