/* database.h - the D1 databases of this machine: a folder each, below the data folder.
 *
 *   DATA/d1/NAME/about.json      {"uuid": ..., "name": ..., "created_at": ISO 8601 in UTC}
 *   DATA/d1/NAME/db.sqlite       and what SQLite keeps beside it
 *   DATA/d1/NAME/lock            flock()ed shared by who has the database open
 *
 * Names are what people call databases: 1 to 64 bytes of UTF-8 without control characters; what is
 * not [A-Za-z0-9_-] is written %XX in the folder's name, so that no name leads anywhere else.  The
 * folder makes the database: about.json is written where it is missing or wrong, with a new uuid
 * ("" when the disk does not let us).  A symbolic link in a folder's place is no database.
 *
 * Errors: ERR_INVALID: the name; ERR_NOT_FOUND; ERR_LIMIT: there is one of that name already, or it
 * is in use; ERR_SYSTEM; ERR_NOMEM.  Synchronous; a few small files. */
#ifndef CORRAL_CATALOG_DATABASE_H
#define CORRAL_CATALOG_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { DATABASE_NAME_MAX = 64 }; /* bytes */

struct database { /* all text owned */
    char *folder; /* absolute */
    char *name;
    char *uuid;         /* "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee" */
    char *created_at;   /* "2026-11-22T07:08:59.000Z" */
    int64_t size_bytes; /* of db.sqlite and its WAL */
};
void database_done(struct database *d);
/* May a database be called so?  ERR_INVALID says why not. */
int database_check_name(const char *name, struct err *err) MUST_CHECK;
bool database_is_uuid(const char *text);
enum { UUID_SIZE = 37 }; /* with its NUL */
int database_make_uuid(char out[UUID_SIZE], struct err *err) MUST_CHECK;

/* The folder that a database of this name has, whether it is there or not; to be freed. */
int database_folder(const char *data_folder, const char *name, char **ret_folder,
                    struct err *err) MUST_CHECK;
/* uuid NULL: a new random one.  Of two who create the same one, one gets ERR_LIMIT. */
int database_create(const char *data_folder, const char *name, const char *uuid,
                    struct database *ret, struct err *err) MUST_CHECK;
int database_find(const char *data_folder, const char *name_or_uuid, struct database *ret,
                  struct err *err) MUST_CHECK;
/* By name.  To be freed with databases_done. */
struct databases {
    struct database *items;
    size_t count;
};
int database_list(const char *data_folder, struct databases *ret, struct err *err) MUST_CHECK;
void databases_done(struct databases *list);
/* With everything in it, unless somebody has it open.  Who opens one takes the lock and then looks
 * whether its folder is still called so. */
int database_delete(const char *data_folder, const char *name, struct err *err) MUST_CHECK;
/* Also when somebody has it open, who goes on with files that go with him.  By its uuid too. */
int database_drop(const char *data_folder, const char *name_or_uuid, struct err *err) MUST_CHECK;

#endif
