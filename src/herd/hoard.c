/* hoard.c - a sum, and the largest part of it. */
#include "herd/hoard.h"

#include <stddef.h>

#include "base/mem.h"

struct hoard *hoard_new(int64_t limit_bytes)
{
    struct hoard *hoard = mem_alloc(sizeof *hoard);

    if (!hoard)
        return NULL;
    ring_init(&hoard->items);
    hoard->limit_bytes = limit_bytes;
    return hoard;
}

void hoard_free(struct hoard *hoard)
{
    mem_free(hoard);
}

void hoard_item_init(struct hoard_item *item, void (*end)(void *self), void *self)
{
    *item = (struct hoard_item){.end = end, .self = self};
    ring_init(&item->ring);
}

void hoard_drop(struct hoard *hoard, struct hoard_item *item)
{
    if (hoard)
        hoard->bytes -= item->bytes;
    item->bytes = 0;
    ring_drop(&item->ring);
}

static struct hoard_item *heaviest(const struct hoard *hoard)
{
    struct hoard_item *most = NULL;

    RING_EACH(at, &hoard->items) {
        struct hoard_item *item = RING_OF(at, struct hoard_item, ring);
        if (!most || item->bytes > most->bytes)
            most = item;
    }
    return most;
}

void hoard_say(struct hoard *hoard, struct hoard_item *item, int64_t bytes)
{
    struct hoard_item *most;

    if (!hoard)
        return;
    if (ring_is_empty(&item->ring))
        ring_push(&hoard->items, &item->ring);
    hoard->bytes += bytes - item->bytes;
    item->bytes = bytes;
    if (hoard->bytes > hoard->peak_bytes)
        hoard->peak_bytes = hoard->bytes;
    while (hoard->limit_bytes > 0 && hoard->bytes > hoard->limit_bytes) {
        most = heaviest(hoard);
        if (!most || most->bytes == 0)
            return;
        hoard_drop(hoard, most); /* its memory is as good as free */
        hoard->ended++;
        most->end(most->self);
    }
}
