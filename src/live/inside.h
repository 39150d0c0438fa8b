/* inside.h - accounts, workers, versions and pools, for the files of live.
 *
 *     live -> accounts -> workers -> versions -> rooms
 *
 * A *room* is a pool with all that it needs: environment of packages, outlets, texts.  A version has at
 * most one; a room whose version has let it go drains and frees itself.
 *
 * Files: live.c (opening, closing, lists), read.c (out of the catalog), change.c (what was read takes
 * effect), version.c (versions come up and go), room.c (a pool and its parts), prepare.c (what a room
 * needs, in a thread), check.c (candidates), router.c (host and path to worker), choice.c (worker to
 * version), request.c (live_route, live_finished).  Of others: quota.c, cron.c, trace.c, tail.c, metrics.c.
 *
 * Only src/live includes this, and api/health.c by way of metrics.h.  Loop thread only. */
#ifndef CORRAL_LIVE_INSIDE_H
#define CORRAL_LIVE_INSIDE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "catalog/account.h"
#include "catalog/quota.h"
#include "catalog/trigger.h"
#include "catalog/worker.h"
#include "live/live.h"
#include "live/names.h"
#include "loop/ring.h"

struct room;
struct router;

struct live_account {
    struct live *live;
    struct ring ring;           /* live->accounts */
    char id[ID_SIZE];
    char *subdomain;            /* NULL: not read yet */
    struct ring workers;
    struct routes routes;       /* all of it, also those that exclude */
    struct herd *herd;          /* NULL: none is open */
    unsigned uid;               /* of its processes; 0: it has had none yet */
    unsigned rooms;             /* in this herd, also those that drain */
    unsigned leaving;           /* those that drain */
    int64_t quiet_ms;           /* since when it has none */
    unsigned checks;
    struct quota quota;         /* as the catalog says */
    struct account_usage *usage;/* quota.c's */
};

/* A worker, also one that is being deleted: it goes with the last reference. */
struct live_worker {
    struct live_account *account;
    struct ring ring;           /* account->workers */
    char id[ID_SIZE];
    char *name;                 /* "" before it was read */
    unsigned refs;              /* tickets, rooms */
    bool is_read, is_deleted;
    bool is_subdomain_enabled, has_previews;
    struct ring versions;       /* those that are deployed, about to be, or have a room */
    struct live_share {
        struct live_version *version;
        double percentage;
    } shares[DEPLOYMENT_VERSIONS_MAX], next[DEPLOYMENT_VERSIONS_MAX];
    size_t share_count, next_count;
    bool has_next;              /* a deployment that waits for its versions to be up */
    int64_t next_ms;            /* since when */
    char (*previews)[UUID_SIZE];/* every version, when has_previews */
    size_t preview_count;
    struct ring switching;      /* struct live_waiter: for the next deployment */
    struct quota quota;         /* as the catalog says */
    struct worker_usage *usage; /* quota.c's */
    struct worker_cron *cron;   /* cron.c's */
    struct worker_metrics *metrics; /* metrics.c's */
};

enum version_state {
    VERSION_COLD,               /* no room */
    VERSION_STARTING,           /* its room takes requests, which wait */
    VERSION_UP,
    VERSION_BAD,                /* it did not load; its room says so to every request, for a while */
};

struct live_version {
    struct live_worker *worker;
    struct ring ring;           /* worker->versions */
    char id[UUID_SIZE];
    enum version_state state;
    struct room *room;          /* NULL: VERSION_COLD */
    unsigned open;              /* requests and events under way */
    int64_t bad_ms;             /* VERSION_BAD: since */
    bool is_kept, was_kept;     /* in a deployment that counts, or is about to */
    int64_t used_ms;            /* clock_now_ms: when the last one began or ended */
    struct ring recent;         /* live->recent, while it has a room */
};

/* One request on its way, or one event. */
struct live_ticket {
    struct ring ring;           /* live->spare_tickets when it is none */
    struct live_worker *worker; /* referenced */
    struct live_version *version; /* NULL: it has ended */
    char version_id[UUID_SIZE];
    unsigned calls;             /* of a pool that still run on its behalf, waitUntil included */
    bool is_over;               /* live_finished or live_unuse: it goes with the last call */
    int64_t cpu_us;             /* of its calls so far; -1: not measured */
    bool is_scheduled;          /* a run of cron's */
    struct trace *trace;        /* trace.c's; NULL: nobody follows */
};

struct live {
    uv_loop_t *loop;
    struct live_config config;  /* with defaults, texts owned */
    struct ring accounts;
    unsigned uid_count;         /* user ids that accounts have had: room.c */
    char only_id[ID_SIZE];      /* with config.alone: whose node it is; "": nobody's yet */
    struct names accounts_by_id, workers_by_id;
    struct router *router;
    struct ring recent;         /* versions with a room, the longest idle first */
    struct ring checks;
    unsigned check_count;
    struct preparing *preparing;/* prepare.c's */
    unsigned jobs;              /* of the desk, rooms, herds: what live_close waits for */
    struct ring rooms_list;
    struct ring spare_tickets;
    unsigned spare_count;
    struct ring refused;        /* struct live_waiter: the desk did not take them */
    uv_timer_t refusing;
    struct ring again;          /* struct survey: could not be read, and will be */
    unsigned open_rooms;        /* of versions, not those that drain */
    struct hoard *hoard;
    struct places *places;      /* of instances */
    uint64_t dice;              /* choice.c's; not 0 */
    uv_timer_t sweep;
    bool is_loaded, is_draining, is_closing;
    void (*closed)(void *self);
    void *closed_self;
    struct usage_counters *usage; /* quota.c's */
    struct timetable *cron;     /* cron.c's */
    struct tails *tails;        /* tail.c's */
};

/* ---- live.c ---- */

/* Made when it is not there: as far as live knows, it is new.  NULL: ERR_NOMEM. */
struct live_account *live_account_need(struct live *live, const char *id);
struct live_worker *live_worker_need(struct live_account *account, const char *worker_id);
/* It is no more: its hosts, rooms, tails and waiters go. */
void live_worker_delete(struct live_worker *worker);
/* One more or one less of what live_close waits for. */
void live_job_begins(struct live *live);
void live_job_ends(struct live *live);
/* Of live->refusing: tell those that the desk did not take. */
void live_refuse(uv_timer_t *timer);
/* When it has none yet: ERR_NOMEM leaves it so. */
void live_worker_name(struct live_worker *worker, const char *name);
/* NULL: none. */
struct live_account *live_account_find(struct live *live, const char *id);
struct live_worker *live_worker_find_id(struct live *live, const char *worker_id);
struct live_worker *live_worker_find(struct live *live, const char *account_id, const char *name);
void live_worker_ref(struct live_worker *worker);
void live_worker_unref(struct live_worker *worker); /* with the last one a deleted worker goes */

/* ---- version.c ---- */

/* One more request or event goes to this version: its pool, opened if it has none, and a ticket for it, which live_unuse
 * or live_finished gives back.  ERR_LIMIT: too many pools; ERR_NOMEM; ERR_SYSTEM. */
int live_use(struct live_version *version, struct pool **ret_pool, struct live_ticket **ret_ticket,
             struct err *err) MUST_CHECK;
void live_unuse(struct live_ticket *ticket);
/* From a room: one call less runs on its behalf. */
void live_ticket_over(struct live_ticket *ticket, int64_t cpu_us);
/* NULL: ERR_NOMEM. */
struct live_version *live_version_need(struct live_worker *worker, const char *version_id);
struct live_version *live_version_find(struct live_worker *worker, const char *version_id);
/* A room, if it has none. */
int live_version_start(struct live_version *version, struct err *err) MUST_CHECK;
/* Its room drains, if it has one. */
void live_version_retire(struct live_version *version);
/* Retire it and forget it, unless a deployment has it or requests are under way. */
void live_version_drop(struct live_version *version);
/* Close what is idle, try again what was bad, close herds: once a second. */
void live_version_sweep(struct live *live, int64_t now_ms);
/* The room of a check is its own now. */
void live_version_adopt(struct live_version *version, struct room *room);
/* From its room. */
void live_version_ready(struct live_version *version);
void live_version_failed(struct live_version *version, struct span text);
void live_version_empty(struct live_version *version);

/* ---- change.c ---- */

/* One of the versions that a next deployment waits for is up, or does not load. */
void live_advance(struct live_worker *worker);
/* What could not be read. */
void live_read_again(struct live *live);
/* Who has waited for it for too long hears that it is under way. */
void live_hurry(struct live_worker *worker, int64_t now_ms);
/* Who waits in this ring. */
void live_waiters_tell(struct ring *waiters, const struct err *err);

/* ---- choice.c ---- */

/* Which version of its deployment an event goes to, by percent; NULL: it has none. */
struct live_version *live_choose(const struct live_worker *worker);

#endif
