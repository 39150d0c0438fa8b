/* secret.h - the bindings of a new version: checked, without their secrets, which are sealed.
 *
 * Inside catalog/ only. */
#ifndef CORRAL_CATALOG_SECRET_H
#define CORRAL_CATALOG_SECRET_H

#include <jansson.h>

#include "catalog/worker.h"

/* *ret_kept: a new array, what may be stored and shown.  ERR_INVALID, ERR_LIMIT. */
int secret_strip(json_t *bindings, json_t **ret_kept, struct err *err) MUST_CHECK;
/* Seal those of `bindings` into the version, or take them over from the base.  In a transaction. */
int secret_store(struct catalog *catalog, const struct version *version, const char *account_id,
                 const char *base_version_id, json_t *bindings, struct err *err) MUST_CHECK;

#endif
