/* hoard.h - what all workers of a node hold together, and who holds most.
 *
 * One for all herds of a node.  Each process that runs tenant code has an item
 * in it, and whoever looks at the process says what it weighs.  Beyond the
 * limit the heaviest one is ended, until the rest fits.
 *
 * Ownership: hoard_new/hoard_free; items are embedded in their process and out
 * of it before the hoard goes.  Loop thread only. */
#ifndef CORRAL_HERD_HOARD_H
#define CORRAL_HERD_HOARD_H

#include <stdint.h>

#include "loop/ring.h"

struct hoard {
    struct ring items;
    int64_t limit_bytes;    /* 0: none */
    int64_t bytes;          /* of all items */
    int64_t peak_bytes;
    uint64_t ended;         /* ever */
};

struct hoard_item {
    struct ring ring;
    int64_t bytes;
    void (*end)(void *self);    /* it is the heaviest of too many: its process is to end, once this turn is over */
    void *self;
};

/* NULL: ERR_NOMEM. */
struct hoard *hoard_new(int64_t limit_bytes);
void hoard_free(struct hoard *hoard);
void hoard_item_init(struct hoard_item *item, void (*end)(void *self), void *self);
/* It weighs so much now; hoard NULL: nobody counts.  May call `end` of any item. */
void hoard_say(struct hoard *hoard, struct hoard_item *item, int64_t bytes);
void hoard_drop(struct hoard *hoard, struct hoard_item *item);

#endif
