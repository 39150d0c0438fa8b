/* waits.h - what a connection is waiting for, and until when.
 *
 * Embedded; zeroes are "for nothing".  One sweep looks at all connections every
 * now and then, which costs a request two stores instead of two timer starts.
 * Times are clock_now_ms().  Pure. */
#ifndef CORRAL_FRONT_WAITS_H
#define CORRAL_FRONT_WAITS_H

#include <stdbool.h>
#include <stdint.h>

enum wait {
    WAIT_HANDSHAKE, /* for TLS to be agreed on */
    WAIT_IDLE,      /* for the next request */
    WAIT_HEAD,      /* for the rest of a head */
    WAIT_BODY,      /* for more of a request's body */
    WAIT_WRITE,     /* for the client to take bytes */
    WAIT_ANSWER,    /* for the worker's head */
    WAIT_POOL,      /* for a pool or a page */
    WAIT_GONE,      /* the client half closed: for the answer to end */
    WAIT_LINGER,    /* for the client to see our last answer and close */
    WAIT_KINDS,
};

struct waits {
    uint32_t set;               /* bit set of enum wait */
    int64_t at[WAIT_KINDS];
};

static inline void waits_set(struct waits *w, enum wait kind, int64_t at)
{
    w->set |= 1u << kind;
    w->at[kind] = at;
}

static inline void waits_clear(struct waits *w, enum wait kind) { w->set &= ~(1u << kind); }

static inline bool waits_has(const struct waits *w, enum wait kind)
{
    return w->set >> kind & 1;
}

/* The kind that is due, the smallest when several are; -1 for none. */
int waits_due(const struct waits *w, int64_t now);

#endif
