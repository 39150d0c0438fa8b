/* request_cf.h - what request.cf says of every request, from a file: --request-cf.
 *
 * A JSON object, as request.cf is to be seen: {"colo": "HOME", "country": "DE"}.  At most
 * REQUEST_CF_MAX bytes. */
#ifndef CORRAL_CLI_REQUEST_CF_H
#define CORRAL_CLI_REQUEST_CF_H

#include "base/err.h"

enum { REQUEST_CF_MAX = 64 * 1024 };

/* *ret_json: compact, to be freed with mem_free; "" when path is NULL.  ERR_INVALID, ERR_SYSTEM,
 * ERR_NOMEM: err says what is wrong with which file. */
int request_cf_read(const char *path, char **ret_json, struct err *err) MUST_CHECK;

#endif
