/* names.h - a table from texts to pointers.
 *
 * Open addressing with a seed of its own, so that nobody outside can choose texts that fall together.
 * Embedded: zeroes and names_done.  Keys are copied.  One thread. */
#ifndef CORRAL_LIVE_NAMES_H
#define CORRAL_LIVE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct names {
    struct name {
        char *key; /* NULL: free */
        size_t len;
        uint64_t hash;
        void *value;
    } *items;
    size_t size, count;
    uint64_t seed[2];
};

void names_done(struct names *names);
/* NULL: it is not there. */
void *names_get(const struct names *names, struct span key);
/* Replaces what is there.  value: not NULL. */
int names_put(struct names *names, struct span key, void *value, struct err *err) MUST_CHECK;
void names_drop(struct names *names, struct span key);

#endif
