/* streams.h - find a call by its stream number.
 *
 * Numbers are given in rising order and most live short, so the table is
 * indexed by the number's low bits and a probe nearly always hits at once.
 *
 * Embedded: zeroes or streams_init, streams_done.  The table does not own what
 * it points at.  Errors: streams_add ERR_NOMEM, table unchanged. */
#ifndef CORRAL_KIN_STREAMS_H
#define CORRAL_KIN_STREAMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct streams_slot {
    uint32_t id;        /* 0: free */
    void *value;
};

struct streams {
    struct streams_slot *slots;
    size_t size;        /* 0 or a power of two, never more than half full */
    size_t count;
};

void streams_init(struct streams *s);
void streams_done(struct streams *s);
/* id is not 0 and not in the table. */
int streams_add(struct streams *s, uint32_t id, void *value) MUST_CHECK;
void *streams_get(const struct streams *s, uint32_t id);
void streams_remove(struct streams *s, uint32_t id);
/* Any of them, NULL when empty: for emptying the table. */
void *streams_any(const struct streams *s);

#endif
