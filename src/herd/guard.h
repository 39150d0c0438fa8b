/* guard.h - an instance against the limits that are looked at: memory, threads, work that nobody
 * asked for.
 *
 * For crew.c, which asks for a look at each tick and for the time of the next
 * one.  Whoever is over a limit is ended, and the worker's log says so.  What a
 * call may use of the processor is meter.h's.  Loop thread only. */
#ifndef CORRAL_HERD_GUARD_H
#define CORRAL_HERD_GUARD_H

#include "herd/crew.h"

enum { GUARD_IDLE_MS = 250 }; /* between two looks at one without work */

/* It is up. */
void guard_begin(struct crew *crew, struct instance *instance, int64_t now_ms);
/* It is over: forget it. */
void guard_end(struct crew *crew, struct instance *instance);
/* Look, if it is time.  false: it is being ended. */
bool guard_look(struct crew *crew, struct instance *instance, int64_t now_ms);
/* When to look next. */
int64_t guard_due(const struct instance *instance);
/* End it for this: into the log, the counters, and the words that its requests end with. */
void guard_exceeded(struct crew *crew, struct instance *instance, enum limit limit,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
