/* connection.c - one connection to the database, its transaction, and checkpoints. */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "store/inside.h"

_Static_assert(OWN_COUNT <= sizeof(((struct connection *)0)->own) / sizeof(sqlite3_stmt *), "own");

/* As Cloudflare sets them: asked of its runtime. */
static const struct {
    int id, value;
} LIMITS[] = {
    {SQLITE_LIMIT_LENGTH, ROW_VALUE_MAX + ROW_VALUE_MAX / 10},
    {SQLITE_LIMIT_SQL_LENGTH, ROW_SQL_MAX},
    {SQLITE_LIMIT_COLUMN, ROW_COLUMNS_MAX},
    {SQLITE_LIMIT_VARIABLE_NUMBER, ROW_PARAMETERS_MAX},
    {SQLITE_LIMIT_EXPR_DEPTH, 100},
    {SQLITE_LIMIT_COMPOUND_SELECT, 5},
    {SQLITE_LIMIT_VDBE_OP, 25000},
    {SQLITE_LIMIT_FUNCTION_ARG, 127},
    {SQLITE_LIMIT_ATTACHED, 0},
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 10},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

static const struct {
    int op, value;
} SWITCHES[] = {
    {SQLITE_DBCONFIG_DEFENSIVE, 1},
    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1}, /* or JSON and FTS5 are refused in CHECK, indexes and
                                            views; the authorizer is asked about those too */
    {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 1},
    {SQLITE_DBCONFIG_ENABLE_VIEW, 1},
    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
    {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
};

static int look(void *self)
{
    struct connection *c = self;

    if (c->watch.look && c->watch.look(c->watch.self))
        c->is_cancelled = true;
    return c->is_cancelled;
}

/* Not within a statement of our own: SQLite asks once more when one is done, and a COMMIT that is
 * made would seem to have failed. */
static int progress(void *self)
{
    const struct connection *c = self;

    return !c->is_own && look(self);
}

/* Another process writes: wait for it, a little longer each time. */
static int wait_busy(void *self, int round)
{
    static const int FIRST_MS[] = {1, 2, 5, 10, 20};
    enum { ROUNDS = 5, SUM_MS = 38, EACH_MS = 25 };
    bool is_first = round < ROUNDS;

    if (look(self) || (!is_first && SUM_MS + (round - ROUNDS) * EACH_MS > ENGINE_BUSY_MS))
        return 0;
    sqlite3_sleep(is_first ? FIRST_MS[round] : EACH_MS);
    return 1;
}

static int set_up(struct connection *c)
{
    static const char *const MODULES[] = {"fts5", "fts5vocab", "json_each", "json_tree", NULL};
    sqlite3_int64 pages = (sqlite3_int64)(engine.size_max_bytes / engine.page_bytes);
    bool is_writer = c->kind == CONNECTION_WRITE;
    char sql[320];
    int keep = 1, r = SQLITE_OK;

    sqlite3_extended_result_codes(c->db, 1);
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++)
        sqlite3_limit(c->db, LIMITS[i].id, LIMITS[i].value);
    for (size_t i = 0; i < sizeof SWITCHES / sizeof *SWITCHES && r == 0; i++)
        r = sqlite3_db_config(c->db, SWITCHES[i].op, SWITCHES[i].value, NULL);
    sqlite3_busy_handler(c->db, wait_busy, c);
    sqlite3_progress_handler(c->db, ENGINE_LOOK_OPS, progress, c);
    r = r ? r : sqlite3_drop_modules(c->db, (const char **)MODULES);
    r = r ? r : function_add_all(c->db);
    r = r ? r : sqlite3_file_control(c->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    snprintf(sql, sizeof sql,
             "PRAGMA temp_store = %s; PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0;"
             "PRAGMA synchronous = %s; PRAGMA cache_size = -%d; PRAGMA max_page_count = %lld;"
             "PRAGMA journal_size_limit = %d; PRAGMA query_only = %d",
             is_writer ? "FILE" : "MEMORY", engine.sync == ENGINE_SYNC_FULL ? "FULL" : "NORMAL",
             is_writer ? ENGINE_WRITER_CACHE_KIB : ENGINE_READER_CACHE_KIB,
             pages > 0xfffffffe ? 0xfffffffe : pages, ENGINE_WAL_KEEP_BYTES, !is_writer);
    r = r ? r : sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    return r ? r : sqlite3_set_authorizer(c->db, authorize, c);
}

int connection_open(enum connection_kind kind, struct connection **ret, struct err *err)
{
    struct connection *c = mem_alloc(sizeof *c);
    int r;

    if (!c)
        return err_nomem(err);
    c->kind = kind;
    r = sqlite3_open_v2(ENGINE_PATH, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (r == SQLITE_OK)
        r = set_up(c);
    if (r != SQLITE_OK) {
        r = words_set(c, r, err);
        connection_close(c);
        return r;
    }
    *ret = c;
    return 0;
}

void connection_close(struct connection *c)
{
    if (!c)
        return;
    statement_forget_all(c);
    for (int i = 0; i < OWN_COUNT; i++)
        sqlite3_finalize(c->own[i]);
    sqlite3_close(c->db);
    buf_done(&c->out);
    mem_free(c);
}

void connection_watch(struct connection *c, const struct engine_watch *watch)
{
    c->watch = watch ? *watch : (struct engine_watch){0};
}

/* ---- statements of our own ---- */

int connection_exec(struct connection *c, const char *sql)
{
    int r;

    c->is_own = true;
    r = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    c->is_own = false;
    return r;
}

int connection_own(struct connection *c, enum own which, int64_t *ret_value)
{
    static const char *const SQL[OWN_COUNT] = {
        [OWN_BEGIN] = "BEGIN IMMEDIATE",
        [OWN_BEGIN_READ] = "BEGIN",
        [OWN_COMMIT] = "COMMIT",
        [OWN_ROLLBACK] = "ROLLBACK",
        [OWN_MARK] = "SAVEPOINT _cf_call",
        [OWN_RELEASE] = "RELEASE _cf_call",
        [OWN_ROLLBACK_TO] = "ROLLBACK TO _cf_call",
        [OWN_PAGES] = "PRAGMA page_count",
    };
    int r = SQLITE_OK;

    c->is_own = true;
    c->is_cancelled = false;
    if (!c->own[which])
        r = sqlite3_prepare_v3(c->db, SQL[which], -1, SQLITE_PREPARE_PERSISTENT, &c->own[which],
                               NULL);
    if (r == SQLITE_OK) {
        r = sqlite3_step(c->own[which]);
        if (r == SQLITE_ROW && ret_value)
            *ret_value = sqlite3_column_int64(c->own[which], 0);
        if (r == SQLITE_ROW || r == SQLITE_DONE)
            r = SQLITE_OK;
        sqlite3_reset(c->own[which]);
    }
    c->is_own = false;
    return r;
}

static int own(struct connection *c, enum own which, struct err *err)
{
    int r = connection_own(c, which, NULL);

    return r == SQLITE_OK ? 0 : words_set(c, r, err);
}

void connection_settle(struct connection *c)
{
    unsigned now = atomic_load_explicit(&engine.settings, memory_order_acquire);
    char sql[64];

    for (int i = 0; i < SETTING_COUNT && now != c->settings; i++) {
        unsigned bit = 1u << i;

        if ((now ^ c->settings) & bit) {
            snprintf(sql, sizeof sql, "PRAGMA %s = %d", SETTING_NAMES[i], (now & bit) != 0);
            if (connection_exec(c, sql) == SQLITE_OK)
                c->settings ^= bit;
        }
    }
}

/* ---- the transaction ---- */

int connection_begin(struct connection *c, struct err *err)
{
    return own(c, c->kind == CONNECTION_WRITE ? OWN_BEGIN : OWN_BEGIN_READ, err);
}

/* What one call has deferred must not reach the next. */
static void end_deferral(struct connection *c)
{
    if (c->has_deferred)
        (void)connection_exec(c, "PRAGMA defer_foreign_keys = 0");
    c->has_deferred = false;
}

int connection_mark(struct connection *c, struct err *err)
{
    return own(c, OWN_MARK, err);
}

int connection_release(struct connection *c, struct err *err)
{
    int now = 0, most = 0;

    sqlite3_db_status(c->db, SQLITE_DBSTATUS_DEFERRED_FKS, &now, &most, 0);
    if (now > 0)
        return err_set(err, ERR_INVALID, "%s",
                       "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT "
                       "(extended: SQLITE_CONSTRAINT_FOREIGNKEY)");
    end_deferral(c);
    return own(c, OWN_RELEASE, err);
}

void connection_rollback_to_mark(struct connection *c)
{
    end_deferral(c);
    if (!connection_is_inside(c))
        return;
    if (connection_own(c, OWN_ROLLBACK_TO, NULL) != SQLITE_OK ||
        connection_own(c, OWN_RELEASE, NULL) != SQLITE_OK)
        connection_rollback(c); /* it is not what it should be: then nothing of it */
}

int connection_commit(struct connection *c, struct err *err)
{
    int r = own(c, OWN_COMMIT, err);

    end_deferral(c);
    return r;
}

void connection_rollback(struct connection *c)
{
    if (connection_is_inside(c))
        (void)connection_own(c, OWN_ROLLBACK, NULL);
    end_deferral(c);
}

bool connection_is_inside(const struct connection *c)
{
    return !sqlite3_get_autocommit(c->db);
}

/* ---- checkpoints ---- */

void connection_checkpoint(struct connection *c)
{
    int frames = 0, done = 0;

    c->is_cancelled = false;
    if (sqlite3_wal_checkpoint_v2(c->db, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &done) ==
            SQLITE_OK &&
        done > 0)
        position_checkpoint((uint32_t)done);
}
