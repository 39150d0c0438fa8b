/* packages.h - `corral packages COMMAND`: what its commands share.
 *
 * A command is one file with one function, in the table of packages.c.  It reads its
 * command line with packages_begin, asks the packager with packages_ask and prints
 * what "done" said: as it is with --json. */
#ifndef CORRAL_CLI_PACKAGES_H
#define CORRAL_CLI_PACKAGES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "cli/option.h"

struct packages_spec {
    const char *usage; /* "info NAME" */
    const char *about; /* what it does, a sentence or more, ends with a newline */
    const char *word;  /* what stands behind the command: "NAME"; NULL: nothing */
    bool is_word_needed;
    const struct option *options; /* all but --json and --help; a NULL name ends them */
};

struct packages_line {
    const char *word, *index_url, *lock, *config, *env; /* NULL: not given */
    bool is_json;
};

/* Read the command line.  PACKAGES_GO, or the exit code, with everything said. */
enum { PACKAGES_GO = -1 };
int packages_begin(const struct packages_spec *spec, char **args, struct packages_line *ret);

/* Run a job, to which "home" is added, and tell what it says on stderr.  *ret_done: the caller's.
 * -1: it failed, and that was said. */
int packages_ask(json_t *take_job, json_t **ret_done) MUST_CHECK;

int packages_list(char **args);
int packages_info(char **args);
int packages_sync(char **args);
int packages_lock(char **args);

#endif
