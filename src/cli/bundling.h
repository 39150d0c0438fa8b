/* bundling.h - options of every command that bundles a project in JavaScript: wrangler's, with their meaning.
 *
 * Embedded: zeroes; the strings are argv's. */
#ifndef CORRAL_CLI_BUNDLING_H
#define CORRAL_CLI_BUNDLING_H

#include "cli/option.h"
#include "project/project.h"

enum { BUNDLING_LIST_MAX = 128, BUNDLING_COUNT = 9 };

struct bundling {
    const char *aliases[BUNDLING_LIST_MAX], *defines[BUNDLING_LIST_MAX];
};

extern const struct option BUNDLING_OPTIONS[BUNDLING_COUNT];
/* Those whose values may go on behind them, NULL behind the last. */
extern const char *const BUNDLING_LISTS[];

/* 1: it was one of them, and `to` (which points into b) says so; 0: it is none.  ERR_LIMIT. */
int bundling_take(struct bundling *b, struct project_bundling *to, const struct option *option,
                  const char *value, struct err *err) MUST_CHECK;

#endif
