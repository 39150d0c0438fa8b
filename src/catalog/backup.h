/* backup.h - a copy of a data folder that can be started from, made while its node serves.
 *
 * In it: the catalog, the bundles that its versions name, all databases and namespaces of all
 * accounts, each as it was at one moment: the catalog first, so that nothing that it names is
 * missing.  Not in it: the key that seals secrets, which belongs somewhere else; logs; packages,
 * which are made again.  Databases are copied page by page under SQLite's own locks, and no SQL of
 * a tenant's runs.
 *
 * Synchronous, for as long as the disk needs; for a command, not for the node. */
#ifndef CORRAL_CATALOG_BACKUP_H
#define CORRAL_CATALOG_BACKUP_H

#include <stdint.h>

#include "catalog/catalog.h"

struct backup { /* what it came to */
    int64_t bundles, databases, bytes;
};

/* `to` is made, mode 0700, in one step when all of it is on the disk; ERR_LIMIT: there is something
 * of that name. */
int backup_make(struct catalog *catalog, const char *to, struct backup *ret,
                struct err *err) MUST_CHECK;

#endif
