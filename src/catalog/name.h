/* name.h - names that people give, and the names of databases' folders.
 *
 * A name is UTF-8, 1 to DATABASE_NAME_MAX bytes, without control characters.  In the folder's name
 * what is not [A-Za-z0-9_-] is written %XX: it has no slash, and no dot to begin with.  Pure.
 * Inside catalog/ only. */
#ifndef CORRAL_CATALOG_NAME_H
#define CORRAL_CATALOG_NAME_H

#include <stdbool.h>

#include "catalog/database.h"

/* May it be what people call `what` ("the name of a database")?  ERR_INVALID says why not. */
int name_check(const char *what, const char *name, size_t max, struct err *err) MUST_CHECK;

enum { NAME_CODED_MAX = 3 * DATABASE_NAME_MAX };

/* Of a name that was checked. */
void name_encode(const char *name, char out[NAME_CODED_MAX + 1]);
/* false: no folder of ours is called so. */
bool name_decode(const char *coded, char out[DATABASE_NAME_MAX + 1]);

#endif
