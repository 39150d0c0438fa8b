/* ledger.h - commands that work on a data folder's catalog, beside its node or without one.
 *
 * `corral token`, `corral account`: a command is one function; it reads its command line with
 * ledger_begin and gets the catalog, open, and the values of its options in the order of its table.
 */
#ifndef CORRAL_CLI_LEDGER_H
#define CORRAL_CLI_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "catalog/catalog.h"
#include "cli/option.h"

enum { LEDGER_OPTIONS_MAX = 8 };

struct ledger_spec {
    const char *usage; /* "token create" */
    const char *about; /* what it does, a sentence or more, ends with a newline */
    const char *word;  /* what stands behind the command: "NAME"; NULL: nothing */
    bool has_json;
    bool may_make;                /* the data folder, when it is not there */
    const struct option *options; /* all but --data, --json and --help; a NULL name ends them */
};

struct ledger {
    const struct ledger_spec *spec;
    const char *data, *word;
    const char *values[LEDGER_OPTIONS_MAX]; /* of spec->options; NULL: not given */
    bool is_json;
};

/* LEDGER_GO, or the exit code, with everything said. */
enum { LEDGER_GO = -1 };
int ledger_begin(const struct ledger_spec *spec, char **args, struct ledger *ret);
/* The catalog, to be closed by the caller.  Errors of catalog_open; ERR_NOT_FOUND: there is none.
 */
int ledger_open(const struct ledger *ledger, struct catalog **ret_catalog,
                struct err *err) MUST_CHECK;

/* A table on stdout: `rows` with its head. */
int ledger_table(const struct span *cells, size_t columns, size_t rows, struct err *err) MUST_CHECK;
/* "2026-11-22 13:37:19", UTC. */
enum { LEDGER_TIME = 32 };
void ledger_time(int64_t ms, char out[LEDGER_TIME]);

#endif
