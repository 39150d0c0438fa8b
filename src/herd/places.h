/* places.h - how many instances there may be, of an account and of a node, and who gives way.
 *
 *     node's  <-- above --  account's  <--  crews that want one more, in the order in which they came
 *                               \----- places of its instances
 *
 * A crew asks for a place before it forks.  When there is none, the instance that is idle for longest ends, of the
 * account or of all, whichever is full; when none is idle, and who asks has no instance at all, one of several of a
 * crew takes no more calls and ends when it has none.  Until then who asks waits in line, and is woken when it is
 * its turn.
 *
 * Ownership: one of the node (places_new), one embedded in each herd; places and claims are embedded in instances
 * and crews, and out of it before it goes.  Loop thread only; `wake` makes a note. */
#ifndef CORRAL_HERD_PLACES_H
#define CORRAL_HERD_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/ring.h"

/* As place_events.idle says it, instead of a time. */
#define PLACE_STAYS INT64_MAX
#define PLACE_ONE_OF_SEVERAL (INT64_MAX - 1)

struct places {
    struct places *above;           /* NULL: the node's */
    struct ring ring, below;        /* above's list; the accounts' */
    struct ring items, claims;      /* of an account's; those that wait for this one */
    unsigned max, count;            /* 0: no limit */
    unsigned leaving;               /* of them: they were asked to */
};

struct place {
    struct ring ring;
    struct places *places;          /* NULL: it has none */
    bool is_leaving;
    /* Since when it is idle; or one of the above. */
    int64_t (*idle)(void *self);
    /* It is to go: now, or when it has nothing to do any more. */
    void (*leave)(void *self);
    void *self;
};

struct place_claim {
    struct ring ring;               /* empty: it does not wait */
    struct places *at;              /* for whose place */
    void (*wake)(void *self);
    void *self;
};

enum place_wish {
    PLACE_AHEAD,    /* of need: nobody gives way for it, and nobody waits longer */
    PLACE_FURTHER,  /* for calls, of a crew that has instances */
    PLACE_FIRST,    /* for calls, of one that has none */
};

struct places *places_new(unsigned max); /* NULL: ERR_NOMEM */
void places_free(struct places *places);
/* above NULL: nobody counts those of the node. */
void places_init(struct places *places, unsigned max, struct places *above);
void places_done(struct places *places);

void place_init(struct place *place, int64_t (*idle)(void *self), void (*leave)(void *self),
                void *self);
void place_claim_init(struct place_claim *claim, void (*wake)(void *self), void *self);

/* true: there is one, for places_take in this turn.  false: claim waits, unless the wish is PLACE_AHEAD; who waits
 * asks again now and then, as others have become idle. */
bool places_ask(struct places *places, struct place_claim *claim, enum place_wish wish);
void places_take(struct places *places, struct place *place);
/* The instance is gone; again: nothing. */
void place_free(struct place *place);
/* Who asked wants it no more. */
void place_claim_drop(struct place_claim *claim);
/* It waits, and nobody is on the way out for it. */
bool place_claim_is_stuck(const struct place_claim *claim);

#endif
