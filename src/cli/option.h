/* option.h - command lines by a table.
 *
 * `--name value`, `--name=value`, `-n value`; a switch also as `--name=true`,
 * `--name=false`, `--no-name`; `--` ends the options; what is left is
 * positional.  An unknown option is an error that names the nearest known one. */
#ifndef CORRAL_CLI_OPTION_H
#define CORRAL_CLI_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct option {
    const char *name;       /* "--port" */
    const char *letter;     /* "-p", another name, or NULL */
    const char *argument;   /* "PORT": takes a value; NULL: a switch */
    const char *help;       /* one line; NULL: accepted, not listed */
};

/* Called once per option in order; option NULL: a positional argument.  The
 * value of a switch is NULL, "true" or "false". */
typedef int (*option_take_fn)(void *self, const struct option *option, const char *value,
                              struct err *err);

/* table ends with a NULL name.  ERR_INVALID, or what take returned. */
int option_parse(const struct option *table, char **args, option_take_fn take, void *self,
                 struct err *err) MUST_CHECK;

/* Is a switch on that came with this value? */
bool option_is_on(const char *value);

/* Write the table to stdout, aligned. */
void option_print(const struct option *table, size_t count);

/* A whole decimal number between min and max, or ERR_INVALID naming `name`. */
int option_number(const char *name, const char *text, long min, long max, long *ret,
                  struct err *err) MUST_CHECK;

#endif
