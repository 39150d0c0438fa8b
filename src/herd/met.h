/* met.h - limits that the code of an instance runs into and survives: what the worker's log says.
 *
 * For crew.c (instance_events.met) and pool.c (a template's).  Each goes on as pool_events.limited, which
 * counts it.  Loop thread only. */
#ifndef CORRAL_HERD_MET_H
#define CORRAL_HERD_MET_H

#include "herd/crew.h"

/* crew: a struct crew.  call NULL: code of no request that runs. */
void met_tell(void *crew, struct instance *instance, enum limit limit, struct call *call);
/* It has no place for an instance that its calls need. */
void met_crowded(struct crew *crew, int64_t now_ms);
/* In words: "the workers of this account run 8 instances, as many as they may (limits.account_instances)". */
int met_print_places(const struct crew *crew, char *room, size_t size);
/* Of top-level code; pool: a struct pool. */
void met_tell_top(void *pool, enum limit limit);
/* The line: 0 to size - 1 bytes of it.  who: "a request". */
int met_print(const struct limit_set *limits, enum limit limit, const char *who, char *room,
              size_t size);

#endif
