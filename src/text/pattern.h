/* pattern.h - route patterns: which addresses a worker answers.
 *
 * "example.com/api/" with a star behind it, by the rules of Cloudflare's routes
 * (developers.cloudflare.com/workers/configuration/routing/routes/#matching-behavior):
 *
 *     http:// or https:// first    only that scheme; neither: both
 *     a star before the host       "*.example.com": every host below; "*example.com": the host itself,
 *                                  too, and every other one that ends so
 *     a star behind the path       every path that begins so; without one the path is matched exactly,
 *                                  together with the query: a pattern has none
 *
 * and nowhere else a star.  A pattern without a path is one for "/".  Of several that match, the most
 * specific one counts: more labels of the host, then more parts of the path, then the longer pattern
 * (Miniflare, whose rule is "adapted from internal config service routing table implementation").
 *
 * Refused beside that: a port, a query, a fragment; a host that is only a star, or a star and one
 * label: it would answer for a whole top-level domain.
 *
 * Pure.  Embedded; nothing to free.  Fuzzed by test/fuzz/fuzz_pattern.c. */
#ifndef CORRAL_TEXT_PATTERN_H
#define CORRAL_TEXT_PATTERN_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

enum {
    PATTERN_MAX = 1024,  /* bytes of one as written */
    PATTERN_HOST_MAX = 253,
};

enum pattern_scheme { PATTERN_ANY_SCHEME, PATTERN_HTTP, PATTERN_HTTPS };

struct pattern {
    enum pattern_scheme scheme;
    bool has_host_star, has_path_star;
    char host[PATTERN_HOST_MAX + 1];  /* lower case, without the star: ".example.com" */
    size_t host_len, path_len;
    int specificity;
    size_t len;                       /* of the pattern as written */
    char path[3 * PATTERN_MAX + 1];   /* percent-encoded as in URLs, without the star; last, so that a
                                         copy may end behind its NUL */
};

/* ERR_INVALID: text says what is wrong with it. */
int pattern_parse(struct span text, struct pattern *ret, struct err *err) MUST_CHECK;
/* host: lower case, no port, no dot at its end; target: path and query as they came. */
bool pattern_matches(const struct pattern *p, bool is_https, struct span host, struct span target);
/* Negative: a comes first, it is more specific. */
int pattern_compare(const struct pattern *a, const struct pattern *b);
/* The name of one host, for a custom domain: no star, no path, no scheme.  Folded into room. */
int pattern_host(struct span text, char room[PATTERN_HOST_MAX + 1], struct err *err) MUST_CHECK;

#endif
