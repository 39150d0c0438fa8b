/* serve_options.h - the settings of `corral serve`: its command line, corral.toml, what is left unsaid.
 *
 * The command line wins over the file.  Everything is checked here: what comes out can be tried. */
#ifndef CORRAL_CLI_SERVE_OPTIONS_H
#define CORRAL_CLI_SERVE_OPTIONS_H

#include <stdbool.h>

#include "base/err.h"
#include "box/tier.h"
#include "cli/address.h"
#include "cli/uids.h"
#include "project/server.h"

struct serve_options {
    struct server server;   /* every text but api_url, secrets_key_file is there */
    struct address listen[SERVER_LISTEN_MAX]; /* server.listen_count of them, none with ADDRESS_ANY */
    struct address api;     /* likewise */
    struct uids uids;       /* server.box_uids */
    enum box_grade accept;  /* server.accept_box */
};

/* worker_program: reads corral.toml.  ERR_INVALID: with diagnostics about the file in *d, or text.  --help
 * prints and ends the program. */
int serve_options_parse(struct serve_options *ret, char **args, const char *worker_program,
                        struct diagnostics *d, struct err *err) MUST_CHECK;

#endif
