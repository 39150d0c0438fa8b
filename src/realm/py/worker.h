/* worker.h - the tenant's module: loaded once, its handlers called for every request.
 *
 * Thread: strands, under engine_lock. */
#ifndef CORRAL_REALM_PY_WORKER_H
#define CORRAL_REALM_PY_WORKER_H

#include <stdint.h>

#include "base/err.h"
#include "realm/exchange.h"
#include "realm/realm.h"

/* Import what most workers import, once for all processes that are forked. */
int worker_open(struct err *err) MUST_CHECK;
/* As realm_load. */
int worker_load(const struct realm_bundle *bundle, uint32_t *ret_handlers,
                struct realm_failure *ret_failure) MUST_CHECK;
/* Call the fetch handler; x's first hold ends when it has answered. */
void worker_fetch(struct exchange *x);
/* Call the handler of an event, likewise. */
void worker_event(struct exchange *x, const struct realm_event *event);
/* What this strand waits for may be another request than the one whose call stands further down:
 * whoever runs the loop meanwhile delivers the answers that are owed there. */
void worker_defer(void);
/* For realm_settle: calls whatever `handler` makes instead of the tenant's. */
void worker_warm(struct exchange *x);
/* Collect and freeze what is left. */
void worker_settle(void);
/* Python's own part of a new process: seeds. */
void worker_start(void);

#endif
