/* limits.h - who gave wrong tokens lately, and how long they wait for their next try.
 *
 * Two things are counted: where a token came from (an address; of IPv6 its /64) and how it begins.  After
 * LIMITS_FREE failures the next tries wait, twice as long each, before their token is looked at:
 * right and wrong ones wait alike, so that neither time nor order tell anything.  A token that was right lately
 * does not wait: a stranger behind the same proxy shuts nobody out.
 *
 * Bounded: LIMITS_MAX keys and LIMITS_GOOD_MAX good tokens, of each the longest unused one goes.
 * Loop thread only.  Pure but for the clock. */
#ifndef CORRAL_API_LIMITS_H
#define CORRAL_API_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

enum {
    LIMITS_MAX = 4096,
    LIMITS_GOOD_MAX = 1024,
    LIMITS_FREE = 10,               /* failures that cost nothing */
    LIMITS_FIRST_MS = 100,          /* the first wait */
    LIMITS_WAIT_MAX_MS = 10000,     /* the longest */
    LIMITS_WAITING_MAX = 8,         /* tries of one key that may wait at once: more get a 429 */
    LIMITS_FORGET_MS = 60 * 1000,   /* so long without a failure takes half of them away */
};

struct limits;

struct limits_keys { /* of one try */
    uint64_t address, beginning, token;
};

struct limits *limits_new(void); /* NULL: out of memory */
void limits_free(struct limits *limits);
/* address: as text; token: all of it.  Hashed with a secret of this process. */
struct limits_keys limits_keys(const struct limits *limits, struct span address, struct span token);
/* How long this try has to wait, 0: not at all.  -1: too many wait already; *ret_retry_ms says when to come
 * again.  Over 0: limits_waited is due. */
int64_t limits_enter(struct limits *limits, const struct limits_keys *keys, int64_t *ret_retry_ms);
void limits_waited(struct limits *limits, const struct limits_keys *keys);
/* What came of it. */
void limits_good(struct limits *limits, const struct limits_keys *keys);
void limits_bad(struct limits *limits, const struct limits_keys *keys);

#endif
