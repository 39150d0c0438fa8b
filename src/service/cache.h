/* cache.h - caches.default and caches.open(): what a worker asks about answers that it has put there.
 *
 * Outcalls to the platform; arguments cache ("" is the default one) and url:
 *
 *   "cache.match"    200 with the answer's headers and body; results status, age (seconds), length (of the whole body).
 *                    Argument range, "FIRST-LAST", "FIRST-" or "-LENGTH", bytes: a 206, whose result range is
 *                    "FIRST-LAST"; or 416 without a body.  404: there is none
 *   "cache.put"      arguments status and ttl_ms; the headers and the body are the answer's.  204; 413: it is longer than
 *                    one may be, nothing is kept
 *   "cache.delete"   200, or 404: there was none
 *
 * What may be put there and for how long, the worker decides (sdk/js/cache.js): it is its account's
 * own memory, which no other account's worker sees.  All of it is lost when the node ends.
 *
 * Ownership: cache_open, cache_close behind the last outcall.  Loop thread only. */
#ifndef CORRAL_SERVICE_CACHE_H
#define CORRAL_SERVICE_CACHE_H

#include "herd/herd.h"
#include "service/outlets.h"

#define CACHE_BYTES ((int64_t)128 << 20) /* of all answers of a node, together */

struct cache;

/* bytes: 0: CACHE_BYTES. */
int cache_open(int64_t bytes, struct cache **ret_cache, struct err *err) MUST_CHECK;
void cache_close(struct cache *cache);
bool cache_knows(struct span method);
void cache_call(struct cache *cache, const struct outlets *outlets, struct outcall *outcall,
                const struct outcall_head *head, bool is_end);

#endif
