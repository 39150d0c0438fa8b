/* schema.c - the tables of the catalog, by version.
 *
 * PRAGMA user_version says how far a catalog is; each step below leads to the next.  A step that
 * was ever released is never changed: a new one is put behind it. */
#include <stdint.h>

#include "catalog/inside.h"
#include "catalog/query.h"

enum { APPLICATION = 0x43524c43 }; /* "CRLC" */

static const char *const STEPS[] = {
    /* 1 */
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"

    "CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " subdomain TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL) STRICT;"

    "CREATE TABLE tokens (id TEXT PRIMARY KEY,"
    " account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,"
    " hash BLOB NOT NULL UNIQUE, scope TEXT NOT NULL, name TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX tokens_account ON tokens (account_id);"

    "CREATE TABLE workers (id TEXT PRIMARY KEY,"
    " account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,"
    " name TEXT NOT NULL, created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL,"
    " is_subdomain_enabled INTEGER NOT NULL, has_previews INTEGER NOT NULL,"
    " settings TEXT NOT NULL, version_count INTEGER NOT NULL, UNIQUE (account_id, name)) STRICT;"

    "CREATE TABLE versions (id TEXT PRIMARY KEY,"
    " worker_id TEXT NOT NULL REFERENCES workers ON DELETE CASCADE,"
    " number INTEGER NOT NULL, created_ms INTEGER NOT NULL, source TEXT NOT NULL,"
    " author TEXT NOT NULL, bundle TEXT NOT NULL, main TEXT NOT NULL, metadata TEXT NOT NULL,"
    " bindings TEXT NOT NULL, annotations TEXT NOT NULL, facts TEXT NOT NULL,"
    " UNIQUE (worker_id, number)) STRICT;"
    "CREATE INDEX versions_bundle ON versions (bundle);"

    "CREATE TABLE secrets (version_id TEXT NOT NULL REFERENCES versions ON DELETE CASCADE,"
    " name TEXT NOT NULL, kind TEXT NOT NULL, sealed BLOB NOT NULL,"
    " PRIMARY KEY (version_id, name)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE deployments (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " worker_id TEXT NOT NULL REFERENCES workers ON DELETE CASCADE,"
    " created_ms INTEGER NOT NULL, source TEXT NOT NULL, author TEXT NOT NULL,"
    " annotations TEXT NOT NULL) STRICT;"
    "CREATE INDEX deployments_worker ON deployments (worker_id, number);"

    /* A version that an old deployment names may be gone. */
    "CREATE TABLE shares (deployment INTEGER NOT NULL REFERENCES deployments ON DELETE CASCADE,"
    " position INTEGER NOT NULL, version_id TEXT NOT NULL, percentage REAL NOT NULL,"
    " PRIMARY KEY (deployment, position)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE routes (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,"
    " worker_id TEXT REFERENCES workers ON DELETE CASCADE,"
    " pattern TEXT NOT NULL, zone TEXT NOT NULL, is_domain INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL, UNIQUE (pattern, is_domain)) STRICT;"
    "CREATE INDEX routes_account ON routes (account_id);"
    "CREATE INDEX routes_worker ON routes (worker_id);"

    "CREATE TABLE schedules (number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " worker_id TEXT NOT NULL REFERENCES workers ON DELETE CASCADE,"
    " cron TEXT NOT NULL, created_ms INTEGER NOT NULL, looked_ms INTEGER NOT NULL,"
    " UNIQUE (worker_id, cron)) STRICT;"

    /* worker_id '': of the account. */
    "CREATE TABLE quotas (account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,"
    " worker_id TEXT NOT NULL, requests_per_day INTEGER NOT NULL, cpu_ms INTEGER NOT NULL,"
    " PRIMARY KEY (account_id, worker_id)) STRICT, WITHOUT ROWID;"

    /* worker_id '': of workers that are gone. */
    "CREATE TABLE usage (day INTEGER NOT NULL,"
    " account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE, worker_id TEXT NOT NULL,"
    " requests INTEGER NOT NULL, errors INTEGER NOT NULL, cpu_us INTEGER NOT NULL,"
    " PRIMARY KEY (day, account_id, worker_id)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX usage_worker ON usage (worker_id);",

    /* 2 */
    "CREATE TABLE namespaces (id TEXT PRIMARY KEY,"
    " account_id TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE,"
    " title TEXT NOT NULL, created_ms INTEGER NOT NULL, UNIQUE (account_id, title)) STRICT;",
};

enum { NEWEST = sizeof STEPS / sizeof *STEPS };

static int check(struct catalog *catalog, int64_t version, struct err *err)
{
    int64_t application = 0, tables = 0;
    int r = query_number(catalog, &application, err, "PRAGMA application_id", "");

    if (r == 0)
        r = query_number(catalog, &tables, err, "SELECT count(*) FROM sqlite_schema", "");
    if (r < 0)
        return r;
    if (application != APPLICATION && (version || tables))
        return err_set(err, ERR_INVALID, "'%s/" CATALOG_FILE "' is not a catalog of Corral's",
                       catalog->folder);
    if (version <= NEWEST)
        return 0;
    err_set(err, ERR_INVALID, "the catalog in '%s' is of a newer Corral (%lld; this one knows %d)",
            catalog->folder, (long long)version, NEWEST);
    return err_hint(err, "Use that Corral, or a backup from before it.");
}

static int run(struct catalog *catalog, const char *sql, struct err *err)
{
    if (sqlite3_exec(catalog->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return 0;
    return query_fail(catalog, "bring the catalog up to date", err);
}

int schema_update(struct catalog *catalog, struct err *err)
{
    int64_t version = 0;
    char sql[128];
    int r = query_number(catalog, &version, err, "PRAGMA user_version", "");

    if (r == 0)
        r = check(catalog, version, err);
    if (r < 0 || version == NEWEST)
        return r;
    r = catalog_begin(catalog, err);
    if (r < 0)
        return r;
    for (int64_t i = version; r == 0 && i < NEWEST; i++)
        r = run(catalog, STEPS[i], err);
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                     APPLICATION, NEWEST);
    if (r == 0)
        r = run(catalog, sql, err);
    return change_end(catalog, true, r, err);
}
