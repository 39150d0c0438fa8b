/* d1_json.h - results as wrangler's --json writes them: a list of {results, success, meta}. */
#ifndef CORRAL_CLI_D1_JSON_H
#define CORRAL_CLI_D1_JSON_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "keeper/records.h"

/* Of records that are whole.  ERR_INVALID, ERR_NOMEM, ERR_SYSTEM; what `out` says to its bytes is
 * the caller's to see. */
int d1_json_print(struct records *records, FILE *out, struct err *err) MUST_CHECK;

#endif
