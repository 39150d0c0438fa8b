/* fuzz_pattern.c - any bytes as a route pattern, and as an address that it may match: what is accepted
 * matches what is made from it, and stays inside its limits. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = len ? (const char *)data : "";
    const char *cut = memchr(text, '\n', len);
    struct span first = {text, cut ? (size_t)(cut - text) : len};
    struct span rest = cut ? (struct span){cut + 1, len - first.len - 1} : SPAN("");
    char host[PATTERN_HOST_MAX + 3];
    struct err err = {0};
    struct pattern p;

    if (pattern_parse(first, &p, &err) < 0) {
        must(err.text[0]);
        return 0;
    }
    must(p.host_len > 0 && p.host_len <= PATTERN_HOST_MAX && p.path_len < sizeof p.path);
    must(p.path[0] == '/' && pattern_compare(&p, &p) == 0);
    (void)pattern_matches(&p, true, rest, rest);
    snprintf(host, sizeof host, "%s%s", p.has_host_star ? "x" : "", p.host);
    must(pattern_matches(&p, p.scheme == PATTERN_HTTPS, span_of(host),
                         (struct span){p.path, p.path_len}));
    must(p.scheme == PATTERN_ANY_SCHEME ||
         !pattern_matches(&p, p.scheme == PATTERN_HTTP, span_of(host),
                          (struct span){p.path, p.path_len}));
    return 0;
}
