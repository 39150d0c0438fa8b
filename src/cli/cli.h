/* cli.h - one command, one file.
 *
 * Each gets the arguments behind its name (NULL-terminated) and returns the
 * exit code of the program: 0, 1 when it failed, 2 for a wrong command line. */
#ifndef CORRAL_CLI_CLI_H
#define CORRAL_CLI_CLI_H

#include <jansson.h>

#include "base/err.h"

#define CORRAL_VERSION "0.1.0"

/* argv as main got it. */
int cli_main(int argc, char **argv);

int dev_command(char **args);
int d1_command(char **args);
int packages_command(char **args);

/* Print an error with its hint on stderr; returns `code`. */
int cli_fail(const struct err *err, int code);

/* As JSON.stringify(value, null, 2) with a line end.  take_value NULL: ERR_NOMEM. */
int cli_print_json(json_t *take_value, struct err *err) MUST_CHECK;

#endif
