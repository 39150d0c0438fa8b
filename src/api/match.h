/* match.h - which endpoint a path means.
 *
 * Paths are compared part by part as they came, percent-encoded; what ":name" and "*name" stand for is
 * decoded.  A part that stands there as it is goes before ":name", and that before "*name".
 *
 * Pure; fuzzed by test/fuzz/fuzz_api.c. */
#ifndef CORRAL_API_MATCH_H
#define CORRAL_API_MATCH_H

#include "api/inside.h"

enum { API_PARTS_MAX = 24, API_PATH_MAX = 8192 };

enum match_result { MATCH_NONE, MATCH_OTHER_METHOD, MATCH_FOUND };

struct match {
    const struct api_endpoint *endpoint;
    struct { const char *name; char *value; } params[API_PARAMS_MAX]; /* to be freed */
    char allow[64]; /* OTHER_METHOD: "GET, PUT" */
};

/* `path` begins with '/', without query.  HEAD is GET where nothing else says HEAD.  ERR_NOMEM,
 * ERR_INVALID: a NUL in a part, or something endless. */
int match_find(const struct api_endpoint *const *tables, struct span method, struct span path,
               struct match *ret, struct err *err) MUST_CHECK; /* enum match_result */
void match_done(struct match *match);

#endif
