/* ring.h - a circular list through the items themselves.
 *
 * The head is a struct ring too; an item that is in no list points at itself,
 * so ring_drop needs no head and may be called twice.  Walk by taking the
 * first until empty when the walk calls anything that could change the list. */
#ifndef CORRAL_LOOP_RING_H
#define CORRAL_LOOP_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring {
    struct ring *prev;
    struct ring *next;
};

/* The struct that holds `item` as its member. */
#define RING_OF(item, type, member) ((type *)(void *)((char *)(item) - offsetof(type, member)))

/* Plain walk; the body must not change the list. */
#define RING_EACH(at, head) for (struct ring *at = (head)->next; at != (head); at = at->next)

static inline void ring_init(struct ring *r) { r->prev = r->next = r; }

static inline bool ring_is_empty(const struct ring *r) { return r->next == r; }

static inline void ring_drop(struct ring *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    ring_init(item);
}

/* At the end of the list; leaves the list it was in. */
static inline void ring_push(struct ring *head, struct ring *item)
{
    ring_drop(item);
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}

/* All of `from` behind the items of `head`; `from` is empty then. */
static inline void ring_move(struct ring *head, struct ring *from)
{
    if (ring_is_empty(from))
        return;
    from->next->prev = head->prev;
    from->prev->next = head;
    head->prev->next = from->next;
    head->prev = from->prev;
    ring_init(from);
}

#endif
