/* secrets_file.h - several secrets at once, as `secret bulk` takes them: JSON or lines of
 * NAME=VALUE.
 *
 * JSON: an object of strings; null takes a secret away.  Whatever is no JSON object is read as .env
 * is. No value is ever part of an error. */
#ifndef CORRAL_CLI_SECRETS_FILE_H
#define CORRAL_CLI_SECRETS_FILE_H

#include <jansson.h>

#include "base/err.h"
#include "base/span.h"

enum { SECRETS_FILE_MAX = 10 << 20 }; /* bytes */

/* what: the file, or "standard input", for errors.  *ret: {NAME: text or null}, to be given to
 * secrets_wipe.  ERR_INVALID, ERR_NOMEM. */
int secrets_parse(struct span text, const char *what, json_t **ret, struct err *err) MUST_CHECK;
/* file NULL: standard input. */
int secrets_read(const char *file, json_t **ret, struct err *err) MUST_CHECK;
/* Overwrite what is in it, also in objects inside, before the reference goes. */
void secrets_wipe(json_t *object);

#endif
