/* bindings.h - what a new version is bound to: what was asked for, and what stays of the version before.
 *
 * Secrets stay unless they are named anew: wrangler 3 says nothing of them when it deploys anew, wrangler 4 lists
 * their kinds in keep_bindings.  Only a list that names one kind of secret and not the other means it (`versions
 * secret delete` of wrangler 3 does so).  Other kinds stay when the list names them.
 *
 * A binding of type "inherit", or one that has a name and a type alone where its type wants more, is the one of
 * that name (or "old_name") before.  Pure. */
#ifndef CORRAL_API_BINDINGS_H
#define CORRAL_API_BINDINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

enum bindings_missing { BINDINGS_LENIENT, BINDINGS_STRICT };

/* A new array for version_create.  asked: array; keep: array of kinds or NULL; before: array or NULL.
 * STRICT: an "inherit" without a source is ERR_NOT_FOUND; LENIENT: it is left out.  ERR_INVALID, ERR_NOMEM. */
int bindings_resolve(const json_t *asked, const json_t *keep, const json_t *before,
                     enum bindings_missing missing, json_t **ret, struct err *err) MUST_CHECK;
/* {NAME: binding or null} put over what was before: null takes one away, if it is of a kind of secret. */
int bindings_patch(const json_t *changes, const json_t *before, json_t **ret,
                   struct err *err) MUST_CHECK;
bool binding_is_secret(const json_t *binding);

#endif
