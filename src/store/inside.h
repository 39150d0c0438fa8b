/* inside.h - what the files of the engine know of each other.
 *
 *   files.c      the database's files, opened before the box; `epoch`
 *   vfs.c        what SQLite opens, and the commit point
 *   engine.c     SQLite's set-up for the process, its heap; settings that all connections share
 *   position.c   where the last commit stands, and bookmarks
 *   connection.c open, close, the writer's transaction, checkpoints
 *   statement.c  compile, keep, bind, step, records
 *   count.c      rows read and written, from SQLite's own counters and the program
 *   authorize.c  what SQL may do
 *   function.c   functions of SQL that we add or replace
 *   printf.c     SQL's printf, bounded
 *   words.c      errors as D1 words them
 *   dump.c       a database as SQL text
 *   split.c      a script's statements */
#ifndef CORRAL_STORE_INSIDE_H
#define CORRAL_STORE_INSIDE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "store/engine.h"

enum {
    ENGINE_PAGE_BYTES = 4096,            /* of a new database, as on Cloudflare */
    ENGINE_LOOK_OPS = 2000,              /* of the virtual machine between two looks of a watch */
    ENGINE_BUSY_MS = 30 * 1000,          /* for another process's transaction */
    ENGINE_WRITER_CACHE_KIB = 16 * 1024, /* pages; more of a transaction go to the WAL early */
    ENGINE_READER_CACHE_KIB = 8 * 1024,
    ENGINE_UNDO_BYTES = 64 * 1024, /* of a savepoint in memory, then it goes to a file; in one
                                      write, of which SQLite's VFS takes 128 KiB at most */
    ENGINE_WAL_KEEP_BYTES = 64 * 1024 * 1024, /* of a WAL that has grown larger are kept */
};

/* ---- files.c ---- */
struct epoch {
    uint64_t number;
    uint32_t base; /* the salt with which its first WAL began */
    bool is_based; /* no: it has no WAL yet */
    char id[33];   /* of the database */
};
int epoch_read(int fd, struct epoch *ret) MUST_CHECK;
int epoch_write(int fd, const struct epoch *epoch) MUST_CHECK;

/* ---- vfs.c ---- */
int vfs_register(const struct engine_files *files, struct err *err) MUST_CHECK;
void vfs_unregister(void);
/* The disk said that it is full, to this thread, since it was last asked. */
bool vfs_take_full(void);

/* ---- engine.c ---- */
/* PRAGMAs that a statement sets on the writer and every connection then has. */
enum setting {
    SETTING_CASE_SENSITIVE_LIKE = 1,
    SETTING_RECURSIVE_TRIGGERS = 2,
    SETTING_REVERSE_UNORDERED = 4,
    SETTING_IGNORE_CHECKS = 8,
    SETTING_LEGACY_ALTER = 16,
    SETTING_COUNT = 5,
};
extern const char *const SETTING_NAMES[SETTING_COUNT];

#define ENGINE_PATH "/db.sqlite" /* the only file, for SQLite */

struct engine {
    struct engine_files files;
    enum engine_sync sync;
    uint64_t size_max_bytes;
    _Atomic uint32_t page_bytes; /* any thread reads it; the head of a WAL says it again */
    struct connection *anchor;
    const volatile uint32_t *shm; /* the first words of the WAL's index */
    atomic_uint settings;         /* of enum setting */
    _Atomic int64_t last_row_id;
};
extern struct engine engine;
uint64_t engine_size(void); /* bytes, as the last commit left it */

/* ---- position.c ---- */
int position_init(struct err *err) MUST_CHECK;
/* Before a connection writes the head of a WAL: `head` has its 32 bytes. */
void position_begin(const unsigned char *head);
/* The commit point: everything up to this frame is committed, and visible to others. */
void position_commit(uint32_t salt, uint32_t frame);
/* All frames up to this one are in the database as well. */
void position_checkpoint(uint32_t frame);
/* When SQLite has opened the WAL: where it stands. */
void position_find(void);

/* ---- connection.c ---- */
enum { CACHE_BUCKETS = 256, CACHE_MAX = 200, CACHE_SQL_MAX = 8 * 1024 };

struct plan {             /* what a program does with cursors, and where: count.c */
    uint16_t seeks;       /* outside of loops */
    uint16_t exact_seeks; /* there, and counted only when they find something */
    uint16_t scan_seeks;  /* in a loop over a whole table */
    uint16_t loop_seeks;  /* in another loop */
    uint16_t goto_seeks;  /* in a loop that is none over a cursor */
    uint16_t scans;       /* loops over whole tables */
    uint16_t counts;      /* count(*) without a loop */
    uint16_t writes;      /* for each row that changes */
    uint16_t trigger_writes;
    uint16_t schema_writes; /* when no row does */
    uint16_t schema_rows;   /* and for each row of a table */
    uint16_t goto_steps;    /* of the loop with goto_seeks */
    bool has_next;          /* it has loops over cursors */
    bool is_virtual;        /* it reads a virtual table */
};

struct statement {
    struct statement *next;          /* in the bucket */
    struct statement *newer, *older; /* by use */
    sqlite3_stmt *stmt;
    uint64_t hash;
    size_t len;
    bool is_kept; /* in the cache */
    bool is_read;
    bool is_planned;
    bool is_dml; /* INSERT, UPDATE, DELETE */
    struct plan plan;
    char sql[];
};

struct connection {
    sqlite3 *db;
    enum connection_kind kind;
    struct engine_watch watch;
    bool is_own;          /* what compiles now is ours: the authorizer lets it pass */
    bool is_asked;        /* connection_is_read compiles */
    bool wants_writer;    /* it must run on the writer */
    bool is_dml;          /* what compiles inserts, updates or deletes */
    bool is_once;         /* what it does or answers is settled when it is compiled */
    bool has_deferred;    /* PRAGMA defer_foreign_keys was used */
    bool is_cancelled;    /* by the watch */
    unsigned settings;    /* that this connection has */
    const char *refusal;  /* the authorizer's own words, or NULL */
    sqlite3_stmt *own[8]; /* enum own */
    struct statement *buckets[CACHE_BUCKETS];
    struct statement *newest, *oldest;
    unsigned count;
    struct statement *ready; /* compiled by connection_is_read, not in the cache */
    struct buf out;
};
/* A statement of our own, kept; NULL when it does not compile. */
enum own {
    OWN_BEGIN,
    OWN_BEGIN_READ,
    OWN_COMMIT,
    OWN_ROLLBACK,
    OWN_MARK,
    OWN_RELEASE,
    OWN_ROLLBACK_TO,
    OWN_PAGES,
    OWN_COUNT,
};
int connection_own(struct connection *c, enum own which, int64_t *ret_value);
/* SQL of our own. */
int connection_exec(struct connection *c, const char *sql);
/* What statements set on the writer. */
void connection_settle(struct connection *c);

/* ---- statement.c ---- */
void statement_forget_all(struct connection *c);

/* ---- count.c ---- */
void plan_make(struct connection *c, struct statement *s);
struct counted {
    int64_t changes, total; /* rows, by the statement itself; by triggers too */
    uint64_t rows;          /* that it gave */
    int64_t count;          /* the first value that it gave, if that is a number */
};
void plan_count(const struct statement *s, const struct counted *counted, struct row_meta *meta);

/* ---- authorize.c ---- */
int authorize(void *self, int action, const char *a, const char *b, const char *database,
              const char *trigger);

/* ---- function.c ---- */
int function_add_all(sqlite3 *db);

/* ---- printf.c ---- */
void sql_printf(sqlite3_context *x, int count, sqlite3_value **values);

/* ---- words.c ---- */
/* The connection's last error, in err. */
int words_set(struct connection *c, int code, struct err *err);

#endif
