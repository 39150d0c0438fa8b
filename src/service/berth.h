/* berth.h - when a transfer may begin: at once, or after others.
 *
 *   asked --> waits for a slot of its request --> waits for its account's share --> open
 *
 * A request has limits.connections slots (Cloudflare: 6).  One is taken while a transfer waits for
 * the head of its answer, and is free again with the head.  A transfer whose own worker keeps it
 * waiting for the body that it sends holds none: so transfers that wait for one another always come
 * to an end.
 *
 * Of all transfers that a node has open at once an account may have as many as are still free: one
 * alone half of them, n of them 1/(n + 1) each, and whoever comes finds some left.  Names that are
 * still being looked up for transfers that were given up count.  Accounts take turns, and in an
 * account its requests.
 *
 * Inside of transfer.c; loop thread only. */
#ifndef CORRAL_SERVICE_BERTH_H
#define CORRAL_SERVICE_BERTH_H

#include "service/transfer.h"

struct berth_asker; /* a request of an instance, while it has transfers */

/* Its handle is ready: hand it to libcurl now, or later.  ERR_NOMEM, ERR_SYSTEM. */
int berth_ask(struct transfer *t, struct err *err) MUST_CHECK;
/* It has its head, or its worker lets it wait, or does so no more. */
void berth_look(struct transfer *t);
/* It ends; also of one that has never asked. */
void berth_leave(struct transfer *t);
/* Open what may be opened. */
void berth_turn(struct egress *egress);

#endif
