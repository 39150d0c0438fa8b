/* catalog.h - what exists on a node: accounts, tokens, workers, versions, deployments, routes.
 *
 *   DATA/catalog.sqlite      all of it, in SQLite: WAL, synchronous=FULL
 *   DATA/secrets.key         32 random bytes in base64, mode 0600: what seals secrets (seal.h)
 *   DATA/bundles/HASH/       the files of versions, by content (bundles.h)
 *   DATA/accounts/ID/d1/     the account's databases, as in database.h
 *   DATA/accounts/ID/kv/     its KV namespaces: a folder and a database each
 *
 * A struct catalog is one connection, for one thread at a time.  A node has one in the thread of
 * its desk (desk.h); `corral token` and `corral account` open one of their own beside a node that
 * runs. Every call that changes something is one durable transaction: when it returns 0, the change
 * is on disk.  Several in one: catalog_begin ... catalog_commit.
 *
 * What other files of this room declare are calls on a struct catalog: account.h, token.h,
 * worker.h, trigger.h, quota.h.  Text in their records is owned by the record (mem_free in *_done);
 * json_t is a reference of the record's.  Times are milliseconds of clock_wall_ms.
 *
 * Errors everywhere: ERR_INVALID: what was asked for cannot be, text says which field and why;
 * ERR_NOT_FOUND; ERR_LIMIT: it exists already, or a number is used up; ERR_SYSTEM: SQLite or the
 * disk; ERR_NOMEM.  Synchronous: never on the loop's thread. */
#ifndef CORRAL_CATALOG_CATALOG_H
#define CORRAL_CATALOG_CATALOG_H

#include <stdbool.h>

#include "base/err.h"

enum {
    ID_SIZE = 33
}; /* 32 hexadecimal digits and a NUL: of accounts, tokens, workers, namespaces */

struct catalog;

struct catalog_config {
    const char *data_folder; /* made when it is not there, mode 0700 */
    const char *key_file;    /* NULL: the environment's CORRAL_SECRETS_KEY (the key itself, base64),
                                else    DATA/secrets.key, made when it is not there */
    bool has_no_key; /* neither look for a key nor make one: secrets can be neither sealed nor
                        opened.  For commands that are about something else */
};

/* A catalog of an older Corral is brought up to date, one of a newer one refused with a sentence.
 */
int catalog_open(const struct catalog_config *config, struct catalog **ret_catalog,
                 struct err *err) MUST_CHECK;
void catalog_close(struct catalog *catalog); /* NULL is fine */

/* Transactions do not nest.  After an error in one: catalog_rollback. */
int catalog_begin(struct catalog *catalog, struct err *err) MUST_CHECK;
int catalog_commit(struct catalog *catalog, struct err *err) MUST_CHECK;
void catalog_rollback(struct catalog *catalog);

const char *catalog_folder(const struct catalog *catalog); /* DATA, absolute */
/* DATA/accounts/ID, to be freed. */
int catalog_account_folder(const struct catalog *catalog, const char *account_id, char **ret_folder,
                           struct err *err) MUST_CHECK;
/* 32 hexadecimal digits out of 16 random bytes. */
int catalog_make_id(char out[ID_SIZE], struct err *err) MUST_CHECK;

#endif
