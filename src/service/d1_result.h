/* d1_result.h - what a database answered, as Cloudflare's REST API writes it.
 *
 *   OBJECTS   [{"results": [{"id": 1}], "success": true, "meta": {...}}, ...]
 *   ARRAYS    [{"results": {"columns": ["id"], "rows": [[1]]}, "success": true, "meta": {...}},
 * ...]
 *
 * One element for each statement.  Numbers are doubles, blobs arrays of their bytes, as a worker's
 * JSON.stringify writes them.  Errors: ERR_INVALID, ERR_NOMEM, ERR_SYSTEM.  Thread: any. */
#ifndef CORRAL_SERVICE_D1_RESULT_H
#define CORRAL_SERVICE_D1_RESULT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "keeper/records.h"

enum d1_layout { D1_OBJECTS, D1_ARRAYS };

/* Of records that are whole; what `out` says to its bytes is the caller's to see. */
int d1_result_print(struct records *records, enum d1_layout layout, FILE *out,
                    struct err *err) MUST_CHECK;

/* Append the object "meta". */
int d1_result_meta(const struct row_meta *meta, struct buf *out) MUST_CHECK;

#endif
