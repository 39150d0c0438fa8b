/* words.c - SQLite's errors as D1 words them.
 *
 * "no such column: x at offset 7: SQLITE_ERROR"; behind it, when SQLite knows
 * more, " (extended: SQLITE_CONSTRAINT_UNIQUE)".  The offset counts bytes of
 * the SQL.  Asked of workerd's D1, see test/unit/store_words.c. */
#include <stdio.h>
#include <string.h>

#include "store/inside.h"

#define NAME(code)                                                                                 \
    case code:                                                                                     \
        return #code

static const char *name_of(int code)
{
    switch (code) {
        NAME(SQLITE_ERROR);
        NAME(SQLITE_INTERNAL);
        NAME(SQLITE_PERM);
        NAME(SQLITE_ABORT);
        NAME(SQLITE_BUSY);
        NAME(SQLITE_LOCKED);
        NAME(SQLITE_NOMEM);
        NAME(SQLITE_READONLY);
        NAME(SQLITE_INTERRUPT);
        NAME(SQLITE_IOERR);
        NAME(SQLITE_CORRUPT);
        NAME(SQLITE_NOTFOUND);
        NAME(SQLITE_FULL);
        NAME(SQLITE_CANTOPEN);
        NAME(SQLITE_PROTOCOL);
        NAME(SQLITE_EMPTY);
        NAME(SQLITE_SCHEMA);
        NAME(SQLITE_TOOBIG);
        NAME(SQLITE_CONSTRAINT);
        NAME(SQLITE_MISMATCH);
        NAME(SQLITE_MISUSE);
        NAME(SQLITE_NOLFS);
        NAME(SQLITE_AUTH);
        NAME(SQLITE_FORMAT);
        NAME(SQLITE_RANGE);
        NAME(SQLITE_NOTADB);
        NAME(SQLITE_NOTICE);
        NAME(SQLITE_WARNING);
        NAME(SQLITE_ERROR_MISSING_COLLSEQ);
        NAME(SQLITE_ERROR_RETRY);
        NAME(SQLITE_ERROR_SNAPSHOT);
        NAME(SQLITE_IOERR_READ);
        NAME(SQLITE_IOERR_SHORT_READ);
        NAME(SQLITE_IOERR_WRITE);
        NAME(SQLITE_IOERR_FSYNC);
        NAME(SQLITE_IOERR_DIR_FSYNC);
        NAME(SQLITE_IOERR_TRUNCATE);
        NAME(SQLITE_IOERR_FSTAT);
        NAME(SQLITE_IOERR_UNLOCK);
        NAME(SQLITE_IOERR_RDLOCK);
        NAME(SQLITE_IOERR_DELETE);
        NAME(SQLITE_IOERR_NOMEM);
        NAME(SQLITE_IOERR_ACCESS);
        NAME(SQLITE_IOERR_LOCK);
        NAME(SQLITE_IOERR_CLOSE);
        NAME(SQLITE_IOERR_SHMOPEN);
        NAME(SQLITE_IOERR_SHMSIZE);
        NAME(SQLITE_IOERR_SHMLOCK);
        NAME(SQLITE_IOERR_SHMMAP);
        NAME(SQLITE_IOERR_SEEK);
        NAME(SQLITE_IOERR_MMAP);
        NAME(SQLITE_IOERR_CORRUPTFS);
        NAME(SQLITE_LOCKED_VTAB);
        NAME(SQLITE_BUSY_RECOVERY);
        NAME(SQLITE_BUSY_SNAPSHOT);
        NAME(SQLITE_BUSY_TIMEOUT);
        NAME(SQLITE_CANTOPEN_ISDIR);
        NAME(SQLITE_CANTOPEN_FULLPATH);
        NAME(SQLITE_CORRUPT_VTAB);
        NAME(SQLITE_CORRUPT_SEQUENCE);
        NAME(SQLITE_CORRUPT_INDEX);
        NAME(SQLITE_READONLY_RECOVERY);
        NAME(SQLITE_READONLY_CANTLOCK);
        NAME(SQLITE_READONLY_ROLLBACK);
        NAME(SQLITE_READONLY_DBMOVED);
        NAME(SQLITE_READONLY_CANTINIT);
        NAME(SQLITE_READONLY_DIRECTORY);
        NAME(SQLITE_ABORT_ROLLBACK);
        NAME(SQLITE_CONSTRAINT_CHECK);
        NAME(SQLITE_CONSTRAINT_COMMITHOOK);
        NAME(SQLITE_CONSTRAINT_FOREIGNKEY);
        NAME(SQLITE_CONSTRAINT_FUNCTION);
        NAME(SQLITE_CONSTRAINT_NOTNULL);
        NAME(SQLITE_CONSTRAINT_PRIMARYKEY);
        NAME(SQLITE_CONSTRAINT_TRIGGER);
        NAME(SQLITE_CONSTRAINT_UNIQUE);
        NAME(SQLITE_CONSTRAINT_VTAB);
        NAME(SQLITE_CONSTRAINT_ROWID);
        NAME(SQLITE_CONSTRAINT_PINNED);
        NAME(SQLITE_CONSTRAINT_DATATYPE);
        NAME(SQLITE_AUTH_USER);
    }
    return "SQLITE_ERROR";
}

static enum err_code class_of(int primary)
{
    switch (primary) {
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_INTERRUPT:
        return ERR_CANCELLED;
    case SQLITE_TOOBIG:
    case SQLITE_BUSY:
        return ERR_LIMIT;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_NOLFS:
    case SQLITE_NOTADB:
        return ERR_SYSTEM;
    }
    return ERR_INVALID;
}

/* SQLite says "full" of three things: the disk, the database, and the numbers of an AUTOINCREMENT.
 */
static bool is_at_size_max(struct connection *c)
{
    sqlite3_stmt *stmt = NULL;
    bool is_full = !vfs_take_full();

    c->is_own = true;
    if (is_full &&
        sqlite3_prepare_v2(c->db, "SELECT 1 FROM sqlite_sequence WHERE seq = 9223372036854775807",
                           -1, &stmt, NULL) == SQLITE_OK)
        is_full = sqlite3_step(stmt) != SQLITE_ROW;
    sqlite3_finalize(stmt);
    c->is_own = false;
    return is_full;
}

int words_set(struct connection *c, int code, struct err *err)
{
    int primary = code & 0xff, offset = -1;
    const char *text;
    char at[32] = "", more[64] = "";

    if (!c->db)
        return err_nomem(err);
    if (primary == SQLITE_AUTH && c->refusal)
        return err_set(err, ERR_INVALID, "%s", c->refusal);
    text = primary == SQLITE_NOMEM ? "out of memory" : sqlite3_errmsg(c->db);
    if (primary == SQLITE_ERROR)
        offset = sqlite3_error_offset(c->db);
    if (offset >= 0)
        snprintf(at, sizeof at, " at offset %d", offset);
    if (code != primary)
        snprintf(more, sizeof more, " (extended: %s)", name_of(code));
    err_set(err, class_of(primary), "%s%s: %s%s", text, at, name_of(primary), more);
    if (primary == SQLITE_FULL && is_at_size_max(c))
        err_set(err, ERR_LIMIT, "Exceeded maximum DB size.");
    return err->code;
}
