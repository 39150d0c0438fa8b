/* engine.h - one SQLite database as D1 wants it: files, connections, statements.
 *
 * Strangers' SQL runs here.  The process can open no file any more when it
 * does: the database's files are opened before the box is entered
 * (engine_files_open), and what SQLite opens are copies of those descriptors,
 * handed out by a VFS of our own.  The same VFS sees every write to the WAL,
 * so that one function knows when something is committed and where
 * (engine_position).
 *
 * One process, one database.  A connection belongs to one thread at a time;
 * everything else here may be called by any thread.
 *
 * SQLite's messages come out as D1 words them: "no such table: t: SQLITE_ERROR".
 * Errors: ERR_INVALID: the SQL or its parameters are wrong; ERR_LIMIT: one of
 * D1's limits; ERR_CANCELLED: the watch said so; ERR_SYSTEM: the disk;
 * ERR_NOMEM; ERR_GONE: the sink wants no more. */
#ifndef CORRAL_STORE_ENGINE_H
#define CORRAL_STORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "row/row.h"

/* ---- before the box ---- */

struct engine_files {
    int folder;    /* all are descriptors; -1: not there */
    int database;
    int wal;
    int shm;
    int journal;   /* only when one was left behind */
    int epoch_file; /* "epoch": how often the WAL was begun anew, and the database's id */
    int temp[16];  /* without names: what the writer sorts or may have to undo, when it is much */
    int lock;      /* "lock", flock()ed shared as long as we live: `corral d1 delete` wants it alone */
    uint64_t epoch; /* as read */
};
enum { ENGINE_TEMP_FILES = 16 };

/* "3.40.1" */
const char *engine_version(void);
/* Create what is missing in the folder (db.sqlite, db.sqlite-wal, -shm, lock, epoch) and open it.
 * ERR_SYSTEM names the path and says what to do (read-only, no space, no right). */
int engine_files_open(const char *folder, struct engine_files *ret, struct err *err) MUST_CHECK;
/* When engine_init does not take them. */
void engine_files_close(struct engine_files *files);

/* ---- inside of it ---- */

enum engine_sync { ENGINE_SYNC_NORMAL, ENGINE_SYNC_FULL };

struct engine_config {
    struct engine_files files;  /* taken over */
    enum engine_sync sync;
    uint64_t size_max_bytes;    /* of the database; 0: 10 GB */
    uint64_t heap_max_bytes;    /* of SQLite; 0: 256 MiB */
};

/* Once per process, before the first connection; makes a new file a database in WAL mode. */
int engine_init(const struct engine_config *config, struct err *err) MUST_CHECK;
/* What one query took would stay with the process for ever: free memory goes back to the system, if it
 * is much.  Takes some milliseconds then; any thread. */
void engine_trim(void);
/* Every connection is closed.  Closes the files; engine_init may come again. */
void engine_done(void);
/* From here on SQLite gets memory in this thread only within so many bytes of its stack, counted
 * from the caller; what needs more fails.  The stack has to have several times as many, for what
 * takes no memory on its way down. */
void engine_bound_stack(size_t bytes);

/* Where the last commit stands: grows with every one, also over restarts. */
struct engine_position {
    uint64_t epoch;
    uint32_t checkpoint; /* how often this WAL was begun from its start again */
    uint32_t frame;      /* of the WAL */
};
struct engine_position engine_position(void);
/* "00000001-00000000-0000001c-<32 hex digits of the database>": compares as text. */
enum { ENGINE_BOOKMARK = 3 * 9 + 32 };
void engine_bookmark(char ret[static ENGINE_BOOKMARK + 1]);
bool engine_is_bookmark(struct span text);

enum connection_kind { CONNECTION_READ, CONNECTION_WRITE };
struct connection;

int connection_open(enum connection_kind kind, struct connection **ret, struct err *err) MUST_CHECK;
void connection_close(struct connection *c);

/* Looked at while a statement runs, every 100 us or so; true ends it with ERR_CANCELLED. */
struct engine_watch {
    bool (*look)(void *self);
    void *self;
};
void connection_watch(struct connection *c, const struct engine_watch *watch);

/* Does this SQL (one statement) only read?  1 or 0; an error when it does not compile.  Keeps what it
 * compiled for connection_run.  Only on CONNECTION_READ; on the other kind connection_run writes. */
int connection_is_read(struct connection *c, struct span sql, struct err *err) MUST_CHECK;

/* Takes records as they are made; may block.  ERR_GONE when nobody wants them any more. */
struct sink {
    int (*put)(void *self, struct span bytes, struct err *err);
    void *self;
};

/* One statement: compile (or find it in the cache), bind, step; COLUMNS, ROWS and DONE go to the
 * sink.  `values`: as row.h writes them, `count` of them.  A CONNECTION_WRITE must be inside
 * connection_begin. */
int connection_run(struct connection *c, struct span sql, struct span values, uint32_t count,
                   const struct sink *sink, struct err *err) MUST_CHECK;

/* The writer's transaction: one commit for many calls, each in a savepoint of its own.
 * begin waits up to 30 s for another process's transaction. */
int connection_begin(struct connection *c, struct err *err) MUST_CHECK;
int connection_mark(struct connection *c, struct err *err) MUST_CHECK;    /* SAVEPOINT */
/* RELEASE; ERR_INVALID when foreign keys are violated that were deferred: then roll it back. */
int connection_release(struct connection *c, struct err *err) MUST_CHECK;
void connection_rollback_to_mark(struct connection *c);
/* Everything is on disk, by ENGINE_SYNC_FULL also for a power cut, when this returns 0. */
int connection_commit(struct connection *c, struct err *err) MUST_CHECK;
void connection_rollback(struct connection *c);
/* false: the SQL itself (OR ROLLBACK, RAISE(ROLLBACK)) or a full disk has ended the transaction. */
bool connection_is_inside(const struct connection *c);

/* Move what the WAL holds into the database, as far as readers allow; any connection, outside of a
 * transaction.  engine_wal_frames: how many the WAL holds. */
void connection_checkpoint(struct connection *c);
uint32_t engine_wal_frames(void);
/* Is the WAL longer than so many frames, and would who begins to read now keep it from beginning
 * anew? */
bool engine_wal_is_crowded(uint32_t frames);

/* ---- dump.c ---- */
struct dump_options {
    const struct span *tables;  /* those only; none: all */
    size_t table_count;
    bool has_no_data;
    bool has_no_schema;
};
/* The database as SQL text that the sqlite3 shell and D1 load, as `wrangler d1 export` writes it; raw
 * text, no records. */
int connection_dump(struct connection *c, const struct dump_options *options,
                    const struct sink *sink, struct err *err) MUST_CHECK;

/* ---- split.c ---- */
/* The first statement of a script (quotes, comments, triggers with their BEGIN ... END are understood): 1
 * with its length up to and including the ';', 0: it goes on behind these bytes.  *ret_is_empty: only
 * comments and blanks.  Pure; fuzzed by test/fuzz/fuzz_split.c. */
int split_next(struct span script, size_t *ret_len, bool *ret_is_empty);

#endif
