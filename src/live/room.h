/* room.h - a pool and all that it needs, from the wish to have one to its last process.
 *
 * The pool is there at once and takes requests, which wait; then
 *
 *     room_read      the version out of the catalog, in the desk's thread
 *     room_prepare   packages and databases, in a thread of prepare.c
 *     pool_load      its template
 *
 * Whoever owns it (a version, a check) hears `ready` or `failed` once.  A room that was let go drains and
 * frees itself.  Inside live/ only.  Loop thread only. */
#ifndef CORRAL_LIVE_ROOM_H
#define CORRAL_LIVE_ROOM_H

#include "live/inside.h"
#include "live/prepare.h"

struct room {
    struct live *live;
    struct ring ring;               /* live->rooms_list */
    struct live_account *account;
    struct live_worker *worker;     /* referenced; NULL: of a candidate */
    struct live_version *version;   /* whose it is; NULL: a check's, or let go */
    struct live_check *check;       /* likewise */
    char *name;                     /* of the worker, for logs */
    struct pool *pool;              /* NULL: it has drained */
    struct prepare *prepare;        /* NULL: over */
    bool is_let_go;
    bool is_reading;                /* a job of the desk has its address */
    struct prepared prepared;
    char *folder, *main;
    struct limit_set own;           /* `limits` of the version */
    int64_t started_ms;
    enum { ROOM_STARTING, ROOM_UP, ROOM_BAD } state;
    uint32_t handlers;
    int code;                       /* ROOM_BAD: as Cloudflare's API */
    bool is_ours;                   /* ROOM_BAD: this node is at fault, not the version */
};

/* With a pool in the account's herd.  ERR_SYSTEM, ERR_NOMEM. */
int room_new(struct live_account *account, struct live_worker *worker, const char *name,
             struct room **ret_room, struct err *err) MUST_CHECK;
/* The version of this worker, by its id. */
void room_read(struct room *room, const char *worker_id, const char *version_id);
/* ERR_NOMEM: nothing has begun. */
int room_prepare(struct room *room, struct recipe *take_recipe, struct err *err) MUST_CHECK;
/* Nothing can be run: as when it does not load.  hint: "" for none. */
void room_fail(struct room *room, int code, struct span text, struct span hint);
/* Likewise, and the version can do nothing for it. */
void room_break(struct room *room, struct span text, struct span hint);
/* Drain it; nobody hears of it any more. */
void room_let_go(struct room *room);
/* A candidate's becomes a worker's. */
void room_settle(struct room *room, struct live_version *version);
/* Its zygote starts now, so that the first request need not wait for two engines. */
void room_warm(struct live_account *account);
/* An account's herd, which has no pool any more. */
void room_close_herd(struct live_account *account);
/* Time of top-level code. */
int room_startup_ms(const struct room *room);

/* Limits of what its worker may use have changed. */
void room_limit(struct room *room);

/* What people read of a failure: the traceback or a sentence, with a hint behind it. */
int failure_print(const struct room *room, const struct failed *why, struct buf *out) MUST_CHECK;

/* ---- check.c ---- */
void check_ready(struct live_check *check);
void check_failed(struct live_check *check, const struct failed *why);
/* Its room has gone: live is being closed. */
void check_orphan(struct live_check *check);
void check_free_all(struct live *live);
void check_sweep(struct live *live, int64_t now_ms);

#endif
