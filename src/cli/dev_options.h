/* dev_options.h - the command line of `corral dev`.
 *
 * Takes what wrangler dev takes.  What has no meaning here yet is accepted with
 * a warning that says so; what would be served wrongly is refused with a
 * sentence; an unknown option is an error that names the nearest known one.
 *
 * The strings are argv's. */
#ifndef CORRAL_CLI_DEV_OPTIONS_H
#define CORRAL_CLI_DEV_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/bundling.h"
#include "project/project.h"

enum { DEV_LIST_MAX = 128 };    /* --var; likewise --env-file and --compatibility-flags */

struct dev_options {
    struct bundling bundling;
    struct project_options project;     /* points into the lists below */
    const char *vars[DEV_LIST_MAX];
    const char *env_files[DEV_LIST_MAX];
    const char *flags[DEV_LIST_MAX];
    const char *ip;
    const char *request_cf;
    long port;
    bool tests_scheduled;       /* --test-scheduled: /__scheduled runs the scheduled handler */
    bool guards_fetch;          /* --guard-fetch: what workers reach is what a node lets them */
    bool has_full_sync;         /* --d1-sync full: KEEPER_SYNC_FULL */
    bool has_keys;              /* unless --show-interactive-dev-session=false */
};

/* ERR_INVALID, ERR_LIMIT, ERR_SYSTEM.  --help prints and ends the program;
 * --log-level and --cwd are obeyed on the way. */
int dev_options_parse(struct dev_options *ret_options, char **args, struct err *err) MUST_CHECK;

#endif
