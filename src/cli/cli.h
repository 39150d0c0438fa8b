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
int doctor_command(char **args);
int serve_command(char **args);
int d1_command(char **args);
int kv_command(char **args);
int packages_command(char **args);
int account_command(char **args);
int token_command(char **args);
int backup_command(char **args);
int deploy_command(char **args);
int versions_command(char **args);
int deployments_command(char **args);
int rollback_command(char **args);
int delete_command(char **args);
int secret_command(char **args);
int tail_command(char **args);
int init_command(char **args);
int login_command(char **args);
int logout_command(char **args);
int whoami_command(char **args);

/* Print an error with its hint on stderr; returns `code`. */
int cli_fail(const struct err *err, int code);

/* As JSON.stringify(value, null, 2) with a line end.  take_value NULL: ERR_NOMEM. */
int cli_print_json(json_t *take_value, struct err *err) MUST_CHECK;

#endif
