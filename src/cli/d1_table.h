/* d1_table.h - results as tables: one for each statement that gave rows. */
#ifndef CORRAL_CLI_D1_TABLE_H
#define CORRAL_CLI_D1_TABLE_H

#include <stdio.h>

#include "base/err.h"
#include "keeper/records.h"
#include "cli/table.h"

/* Of records that are whole.  ERR_INVALID, ERR_NOMEM, ERR_SYSTEM; what `out` says to its bytes is
 * the caller's to see. */
int d1_table_print(struct records *records, enum table_look look, FILE *out,
                   struct err *err) MUST_CHECK;

#endif
