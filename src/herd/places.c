/* places.c - count, ask somebody to leave, wake the next in line.
 *
 * Invariants
 *   1. count is the number of items, of the node's the sum of all accounts'; leaving those of them
 * with is_leaving.
 *   2. A claim is in at most one line; who is first in the line of its account, and of the node,
 * goes before all that ask without having waited.
 *   3. For each line at most as many are asked to leave as wait in it. */
#include "herd/places.h"

#include <stddef.h>

#include "base/mem.h"

void places_init(struct places *places, unsigned max, struct places *above)
{
    *places = (struct places){.max = max, .above = above};
    ring_init(&places->ring);
    ring_init(&places->below);
    ring_init(&places->items);
    ring_init(&places->claims);
    if (above)
        ring_push(&above->below, &places->ring);
}

void places_done(struct places *places)
{
    ring_drop(&places->ring);
}

struct places *places_new(unsigned max)
{
    struct places *places = mem_alloc(sizeof *places);

    if (places)
        places_init(places, max, NULL);
    return places;
}

void places_free(struct places *places)
{
    mem_free(places);
}

void place_init(struct place *place, int64_t (*idle)(void *self), void (*leave)(void *self),
                void *self)
{
    *place = (struct place){.idle = idle, .leave = leave, .self = self};
    ring_init(&place->ring);
}

void place_claim_init(struct place_claim *claim, void (*wake)(void *self), void *self)
{
    *claim = (struct place_claim){.wake = wake, .self = self};
    ring_init(&claim->ring);
}

static bool is_full(const struct places *places)
{
    return places->max > 0 && places->count >= places->max;
}

static struct place_claim *first_of(const struct places *places)
{
    return ring_is_empty(&places->claims) ? NULL
                                          : RING_OF(places->claims.next, struct place_claim, ring);
}

/* Whose lack of places it is: its account's before the node's.  NULL: there is one. */
static struct places *lacking(struct places *places, const struct place_claim *claim)
{
    for (struct places *at = places; at; at = at->above) {
        const struct place_claim *first = first_of(at);
        if (is_full(at) || (first && first != claim))
            return at;
    }
    return NULL;
}

static void look_for_idle(const struct places *account, struct place **ret, int64_t *ret_idle)
{
    RING_EACH(at, &account->items) {
        struct place *place = RING_OF(at, struct place, ring);
        int64_t idle = place->is_leaving ? PLACE_STAYS : place->idle(place->self);
        if (idle < *ret_idle) {
            *ret_idle = idle;
            *ret = place;
        }
    }
}

/* Of an account or of the whole node. */
static struct place *find_idle(const struct places *places, enum place_wish wish)
{
    int64_t idle = wish == PLACE_FIRST ? PLACE_STAYS : PLACE_ONE_OF_SEVERAL;
    struct place *place = NULL;

    look_for_idle(places, &place, &idle);
    RING_EACH(at, &places->below)
        look_for_idle(RING_OF(at, struct places, ring), &place, &idle);
    return place;
}

static void make_leave(struct place *place)
{
    place->is_leaving = true;
    for (struct places *at = place->places; at; at = at->above)
        at->leaving++;
    place->leave(place->self);
}

static unsigned count_claims(const struct places *places)
{
    unsigned n = 0;

    RING_EACH(at, &places->claims)
        n++;
    return n;
}

static void wake_first(struct places *places)
{
    for (struct places *at = places; at; at = at->above) {
        struct place_claim *first = first_of(at);
        if (first && !is_full(at))
            first->wake(first->self);
    }
}

void places_take(struct places *places, struct place *place)
{
    place->places = places;
    place->is_leaving = false;
    ring_push(&places->items, &place->ring);
    for (struct places *at = places; at; at = at->above)
        at->count++;
}

bool places_ask(struct places *places, struct place_claim *claim, enum place_wish wish)
{
    struct places *at = lacking(places, claim);
    struct place *idle;

    if (!at) {
        place_claim_drop(claim);
        return true;
    }
    if (wish == PLACE_AHEAD)
        return false;
    if (claim->at != at) {
        place_claim_drop(claim);
        ring_push(&at->claims, &claim->ring);
        claim->at = at;
    }
    if (at->leaving < count_claims(at)) {
        idle = find_idle(at, wish);
        if (idle)
            make_leave(idle);
    }
    return false;
}

void place_free(struct place *place)
{
    struct places *places = place->places;

    if (!places)
        return;
    ring_drop(&place->ring);
    for (struct places *at = places; at; at = at->above) {
        at->count--;
        at->leaving -= place->is_leaving;
    }
    place->places = NULL;
    place->is_leaving = false;
    wake_first(places);
}

void place_claim_drop(struct place_claim *claim)
{
    struct places *at = claim->at;

    if (!at)
        return;
    ring_drop(&claim->ring);
    claim->at = NULL;
    wake_first(at);
}

bool place_claim_is_stuck(const struct place_claim *claim)
{
    return claim->at && claim->at->leaving == 0;
}
