/* deploy_options.h - the command line of `corral deploy` and `corral versions upload`.
 *
 * Takes what wrangler's take.  What has no meaning here is accepted with a warning that says so;
 * what would be done wrongly is refused with a sentence.  The strings are argv's. */
#ifndef CORRAL_CLI_DEPLOY_OPTIONS_H
#define CORRAL_CLI_DEPLOY_OPTIONS_H

#include "cli/bundling.h"
#include "cli/option.h"
#include "cli/parcel.h"
#include "cli/remote.h"

enum { DEPLOY_LIST_MAX = 128, DEPLOY_OPTIONS_MAX = 64 };

struct deploy_list {
    const char *items[DEPLOY_LIST_MAX];
    size_t count;
};

struct deploy_options {
    struct parcel_wish wish;
    struct deploy_list vars, flags, routes, domains, crons;
    struct bundling bundling;
    struct project_bundling bundling_wish;
    const char *date;
    bool is_dry; /* --dry-run */
};

enum deploy_kind { DEPLOY_LIVE, DEPLOY_VERSION };

/* Fill a table with its options; at most DEPLOY_OPTIONS_MAX, a NULL name ends them. */
void deploy_options_table(enum deploy_kind kind, struct option table[DEPLOY_OPTIONS_MAX + 1]);
extern const char *const DEPLOY_LISTS[];
/* For struct remote_spec.take; self is a struct deploy_options. */
int deploy_options_take(void *self, const struct option *option, const char *value,
                        struct err *err);
/* Load the project that the options and the word behind the command name, make its parcel, and say
 * what it comes to.  parcel_done is due also after a failure. */
int deploy_options_pack(struct deploy_options *o, struct remote *r, struct parcel *ret,
                        struct err *err) MUST_CHECK;

#endif
