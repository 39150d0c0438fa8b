/* foreign.h - options of wrangler that are not ours: accepted or refused, with a reason.
 *
 * What is so anyway is accepted without a word; what has no meaning here is accepted with a warning
 * that says so; what would be done wrongly is refused with a sentence. */
#ifndef CORRAL_CLI_FOREIGN_H
#define CORRAL_CLI_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "cli/option.h"

enum foreign_verdict {
    FOREIGN_QUIET,  /* is so anyway */
    FOREIGN_WARN,   /* accepted; `text` says why nothing comes of it */
    FOREIGN_REFUSE, /* it would not be what was asked for */
};

struct foreign {
    struct option option; /* its help NULL */
    enum foreign_verdict verdict;
    const char *text;
};

enum { FOREIGN_SHARED_COUNT = 13 };
/* Those of every command that takes a project: assets. */
extern const struct foreign FOREIGN_SHARED[FOREIGN_SHARED_COUNT];

#define FOREIGN_ASSETS  "static assets are not supported yet"
#define FOREIGN_BINDING "these bindings are not supported yet"

/* Put their options into a command line's table; returns how many. */
size_t foreign_options(const struct foreign *foreign, size_t count, struct option *table);
/* 1: it was one of them; 0: it is none.  ERR_INVALID: refused. */
int foreign_take(const struct foreign *foreign, size_t count, const struct option *option,
                 const char *value, struct err *err) MUST_CHECK;

#endif
