/* callee.h - what answers an exchange: a call of a pool, or something in this process.
 *
 * Embedded; zeroes are "nothing runs".  Both kinds have the same shape and the same rules
 * (call_events in herd.h), so that everything behind the dispatch knows one of them. */
#ifndef CORRAL_FRONT_CALLEE_H
#define CORRAL_FRONT_CALLEE_H

#include "front/route.h"
#include "herd/herd.h"

struct callee {
    struct call *call;              /* a pool's */
    struct local *local;            /* or a front_local's */
    const struct front_local *to;   /* local: whose */
};

static inline bool callee_runs(const struct callee *c) { return c->call || c->local; }

/* Its terminal callback runs: there is nothing to abort any more. */
static inline void callee_forget(struct callee *c) { *c = (struct callee){0}; }

static inline size_t callee_window(const struct callee *c)
{
    if (c->call)
        return call_window(c->call);
    return c->local ? c->to->window(c->local) : 0;
}

static inline void callee_body(struct callee *c, struct span bytes, bool is_end)
{
    if (c->call)
        call_body(c->call, bytes, is_end);
    else if (c->local)
        c->to->body(c->local, bytes, is_end);
}

static inline void callee_credit(struct callee *c, size_t bytes)
{
    if (c->call)
        call_credit(c->call, bytes);
    else if (c->local)
        c->to->credit(c->local, bytes);
}

static inline void callee_abort(struct callee *c, enum reset_reason reason)
{
    struct callee old = *c;

    callee_forget(c);
    if (old.call)
        call_abort(old.call, reason);
    else if (old.local)
        old.to->abort(old.local, reason);
}

#endif
