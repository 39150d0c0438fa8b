/* engine.c - SQLite's set-up for this process, and its heap.
 *
 * SQLite can limit its heap by itself, behind one lock for all threads; ours
 * counts with an atomic.  The count is of what malloc really gave.
 *
 * The heap bounds the stack as well: SQLite compiles views, triggers and foreign keys that hang on
 * each other by recursion, as deep as a schema has them, and takes memory at each step. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/inside.h"

enum {
    SHM_SEEN = 48,
    SHM_PAGES = 5,
    FORMAT_WAL = 2,
    HEAP_FREE_BYTES = 8 * 1024 * 1024, /* of free memory are no matter */
};

struct engine engine;

const char *const SETTING_NAMES[SETTING_COUNT] = {
    "case_sensitive_like",      "recursive_triggers", "reverse_unordered_selects",
    "ignore_check_constraints", "legacy_alter_table",
};

/* ---- the heap ---- */

static _Atomic int64_t heap_bytes;
static int64_t heap_max_bytes;

static _Thread_local uintptr_t stack_floor; /* 0: none */

void engine_bound_stack(size_t bytes)
{
    stack_floor = (uintptr_t)__builtin_frame_address(0) - bytes;
}

static bool heap_takes(int64_t n)
{
    if ((uintptr_t)__builtin_frame_address(0) < stack_floor)
        return false;
    if (atomic_fetch_add_explicit(&heap_bytes, n, memory_order_relaxed) + n <= heap_max_bytes)
        return true;
    atomic_fetch_sub_explicit(&heap_bytes, n, memory_order_relaxed);
    return false;
}

static void heap_gives(size_t n)
{
    atomic_fetch_sub_explicit(&heap_bytes, (int64_t)n, memory_order_relaxed);
}

static void *heap_alloc(int n)
{
    void *p;

    if (!heap_takes(n))
        return NULL;
    p = malloc((size_t)n);
    heap_gives((size_t)n);
    if (p)
        atomic_fetch_add_explicit(&heap_bytes, (int64_t)malloc_usable_size(p),
                                  memory_order_relaxed);
    return p;
}

static void heap_free(void *p)
{
    heap_gives(malloc_usable_size(p));
    free(p);
}

static void *heap_resize(void *p, int n)
{
    size_t before = malloc_usable_size(p);
    void *q;

    if (!heap_takes(n))
        return NULL;
    q = realloc(p, (size_t)n);
    heap_gives((size_t)n);
    if (q) {
        heap_gives(before);
        atomic_fetch_add_explicit(&heap_bytes, (int64_t)malloc_usable_size(q),
                                  memory_order_relaxed);
    }
    return q;
}

static int heap_size(void *p)
{
    return p ? (int)malloc_usable_size(p) : 0;
}
static int heap_round(int n)
{
    return (n + 7) & ~7;
}

static int heap_init(void *self)
{
    (void)self;
    return SQLITE_OK;
}

static void heap_done(void *self)
{
    (void)self;
}

void engine_trim(void)
{
    /* That counts what was given back before, too: it may have been in use again since. */
    if (mallinfo2().fordblks >= HEAP_FREE_BYTES)
        malloc_trim(0);
}

/* ---- the process ---- */

const char *engine_version(void) { return sqlite3_libversion(); }

static int configure(struct err *err)
{
    static const sqlite3_mem_methods HEAP = {heap_alloc, heap_free, heap_resize, heap_size,
                                             heap_round, heap_init, heap_done,   NULL};
    int r = sqlite3_threadsafe() ? SQLITE_OK : SQLITE_ERROR;

    r = r ? r : sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    r = r ? r : sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    r = r ? r : sqlite3_config(SQLITE_CONFIG_MALLOC, &HEAP);
    r = r ? r : sqlite3_config(SQLITE_CONFIG_URI, 0);
    r = r ? r : sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, (int)ENGINE_UNDO_BYTES);
    r = r ? r : sqlite3_initialize();
    if (r != SQLITE_OK)
        return err_set(err, ERR_SYSTEM, "SQLite %s does not start: %s", sqlite3_libversion(),
                       sqlite3_errstr(r));
    return 0;
}

/* The value that a PRAGMA answers with must be this one. */
static int pragma_is(sqlite3 *db, const char *sql, const char *value)
{
    sqlite3_stmt *stmt = NULL;
    int r = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    if (r == SQLITE_OK)
        r = sqlite3_step(stmt);
    if (r == SQLITE_ROW)
        r = strcmp((const char *)sqlite3_column_text(stmt, 0), value) == 0 ? SQLITE_OK
                                                                           : SQLITE_BUSY;
    sqlite3_finalize(stmt);
    return r;
}

/* A file that is new, or was used without WAL, becomes a database in WAL mode.  That is written
 * with a journal in memory, as we could make none on disk any more: it is one page. */
static int make_wal(sqlite3 *db)
{
    char sql[64];
    int r;

    snprintf(sql, sizeof sql, "PRAGMA page_size = %d", ENGINE_PAGE_BYTES);
    r = sqlite3_exec(db, sql, NULL, NULL, NULL);
    r = r ? r : pragma_is(db, "PRAGMA journal_mode = MEMORY", "memory");
    return r ? r : pragma_is(db, "PRAGMA journal_mode = WAL", "wal");
}

/* The anchor is open as long as the process has the database: nobody else takes itself for the
 * last one and removes the WAL.  Others open after it, so it does what must come first. */
static int drop_anchor(bool is_wal, struct err *err)
{
    struct connection *c;
    void *p;
    int r = connection_open(CONNECTION_WRITE, &c, err);

    if (r < 0)
        return r;
    engine.anchor = c;
    c->is_own = true;
    r = is_wal ? SQLITE_OK : make_wal(c->db);
    r = r ? r : sqlite3_exec(c->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    c->is_own = false;
    if (r != SQLITE_OK) {
        words_set(c, r, err);
        err_wrap(err, "the database's file 'db.sqlite'");
        return r == SQLITE_NOTADB ? err_hint(err, "it is not an SQLite database, or damaged")
                                  : err->code;
    }
    p = mmap(NULL, SHM_SEEN, PROT_READ, MAP_SHARED, engine.files.shm, 0);
    if (p == MAP_FAILED)
        return err_errno(err, errno, "map the WAL's index");
    engine.shm = p;
    position_find();
    return 0;
}

static int read_head(bool *ret_is_wal, struct err *err)
{
    unsigned char head[100] = {0};
    ssize_t n = pread(engine.files.database, head, sizeof head, 0);

    if (n < 0)
        return err_errno(err, errno, "read the database");
    engine.page_bytes = (uint32_t)head[16] << 8 | head[17];
    if (engine.page_bytes == 1)
        engine.page_bytes = 65536;
    if (n < (ssize_t)sizeof head || engine.page_bytes < 512)
        engine.page_bytes = ENGINE_PAGE_BYTES;
    *ret_is_wal = head[18] == FORMAT_WAL && head[19] == FORMAT_WAL;
    return 0;
}

int engine_init(const struct engine_config *config, struct err *err)
{
    bool is_wal = false;
    int r;

    engine.files = config->files;
    engine.sync = config->sync;
    engine.size_max_bytes = config->size_max_bytes ? config->size_max_bytes : 10ull << 30;
    heap_max_bytes = config->heap_max_bytes ? (int64_t)config->heap_max_bytes : 256 << 20;
    atomic_store(&engine.settings, 0);
    atomic_store(&engine.last_row_id, 0);
    r = configure(err);
    r = r < 0 ? r : vfs_register(&engine.files, err);
    r = r < 0 ? r : read_head(&is_wal, err);
    r = r < 0 ? r : position_init(err);
    r = r < 0 ? r : drop_anchor(is_wal, err);
    if (r < 0)
        engine_done();
    return r;
}

void engine_done(void)
{
    connection_close(engine.anchor);
    engine.anchor = NULL;
    if (engine.shm)
        munmap((void *)(uintptr_t)engine.shm, SHM_SEEN);
    engine.shm = NULL;
    vfs_unregister();
    sqlite3_shutdown();
    engine_files_close(&engine.files);
}

uint64_t engine_size(void)
{
    uint32_t pages = engine.shm ? engine.shm[SHM_PAGES] : 0;
    struct stat st;

    if (pages > 0)
        return (uint64_t)pages * engine.page_bytes;
    return fstat(engine.files.database, &st) < 0 ? 0 : (uint64_t)st.st_size;
}
