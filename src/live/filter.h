/* filter.h - which events a tail wants, as wrangler says it.
 *
 *   [{"sampling_rate": 0.25}, {"outcome": ["exception", ...]}, {"method": ["GET"]},
 *    {"header": {"key": "x", "query": "y"}}, {"client_ip": ["self", "192.0.2.1"]}, {"query": "foo"},
 *    {"scriptVersion": id}]
 *
 * An event must pass all of them.  An event that is no request fails filters of requests. */
#ifndef CORRAL_LIVE_FILTER_H
#define CORRAL_LIVE_FILTER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

enum { FILTERS_MAX = 32, FILTER_TEXTS_MAX = 64, FILTER_TEXT_MAX = 4096 };

struct filter; /* all of one tail */

struct filter_facts {        /* of an event */
    const char *outcome;
    const char *version_id;
    bool is_request;
    struct span method;
    const json_t *headers;   /* object: lower-case name to value, as the client sent them */
    struct span client;      /* its address */
    const json_t *logs;      /* array of {"message": [text ...]} */
};

/* filters: NULL, null or an array.  client: the address that "self" means.  ERR_INVALID, ERR_NOMEM. */
int filter_new(const json_t *filters, const char *client, struct filter **ret_filter,
               struct err *err) MUST_CHECK;
void filter_free(struct filter *filter);
/* random: in [0, 1), for the sampling. */
bool filter_passes(const struct filter *filter, const struct filter_facts *facts, double random);

#endif
