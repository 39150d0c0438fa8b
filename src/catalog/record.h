/* record.h - questions that several records of the catalog ask.
 *
 * Inside catalog/ only. */
#ifndef CORRAL_CATALOG_RECORD_H
#define CORRAL_CATALOG_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "catalog/catalog.h"

/* ERR_NOT_FOUND: there is no such account. */
int record_need_account(struct catalog *catalog, const char *account_id,
                        struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND: the account has no such worker; account_id NULL: nobody has. */
int record_need_worker(struct catalog *catalog, const char *account_id, const char *worker_id,
                       struct err *err) MUST_CHECK;

bool record_is_among(const char *text, const char *const *list, size_t count);

#endif
