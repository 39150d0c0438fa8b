/* secret.h - what commands on secrets share: those of a worker, and those of its newest version. */
#ifndef CORRAL_CLI_SECRET_H
#define CORRAL_CLI_SECRET_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/remote.h"

enum { SECRET_TYPED_MAX = 64 * 1024 }; /* bytes; as catalog/worker.h says */

/* The value: asked for on a terminal, else all of standard input; white space at its end goes. Give
 * it to prompt_wipe. */
int secret_value(struct buf *ret, struct err *err) MUST_CHECK;
/* For struct remote_spec.check: is the word the name of a secret, and not NAME=VALUE? */
int secret_check_name(const struct remote *r, struct err *err);
/* Ask whether it may go; without a terminal the answer is yes, as wrangler's. */
bool secret_agrees_to_delete(const char *name, const char *worker);
/* What came of several: created and deleted, by `what` was asked for. */
void secret_print_bulk(json_t *secrets);
/* Names, as JSON or for people. */
int secret_print_list(json_t *list, bool is_pretty, struct err *err) MUST_CHECK;
/* --format json|pretty */
int secret_take_format(void *is_pretty, const struct option *option, const char *value,
                       struct err *err);
extern const struct option SECRET_FORMAT[];

#endif
