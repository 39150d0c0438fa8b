/* router.h - from host and path to a worker: one table, made anew when what it is made from changes.
 *
 * In this order, as at Cloudflare:
 *   1. routes, the most specific first (text/pattern.h); one without a worker ends the search here
 *   2. the custom domain of the host
 *   3. NAME.SUBDOMAIN.DOMAIN, and PREFIX-NAME.SUBDOMAIN.DOMAIN for previews of a version by the first eight
 *      digits of its id
 * For hosts below DOMAIN, routes and custom domains of the account whose subdomain it is count, and no
 * others: nobody takes another account's hosts.
 *
 * A table holds references to its workers.  Inside live/ only.  Loop thread only. */
#ifndef CORRAL_LIVE_ROUTER_H
#define CORRAL_LIVE_ROUTER_H

#include "live/inside.h"

enum { PREVIEW_DIGITS = 8 };

/* Replaces live->router; ERR_NOMEM: it is as before. */
int router_build(struct live *live, struct err *err) MUST_CHECK;
void router_free(struct router *router);

struct router_found {
    struct live_worker *worker;         /* NULL: none */
    char preview[PREVIEW_DIGITS + 1];   /* of this version; "": of its deployment */
};
/* authority: as in Host, target: path and query. */
void router_find(const struct live *live, bool is_https, struct span authority, struct span target,
                 struct router_found *ret);

#endif
