/* herd.h - the node's side of its workers: zygote, templates, instances, calls.
 *
 *   herd    one zygote process (started again, with back-off, when it dies)
 *   pool    one version of one worker: a template and its instances
 *   call    one request on its way through an instance
 *   outcall what the code of an instance asks of the node: fetch, bindings
 *
 * A pool starts its template at once and says `ready` or `failed`; calls may
 * come before that and wait.  It keeps a spare instance forked ahead, forks a
 * second when one is busy for long and a core is free, retires idle ones,
 * starts a dead template again with back-off, and can drain: no new calls, the
 * running ones finish, then every process of it ends.
 *
 * Ownership: herd_open/herd_close and pool_open/pool_drain in pairs; both end
 * with a callback, and the object is gone when that callback returns.  A call
 * is gone when its terminal callback (`failed`, or `body` with is_end, or
 * `head` with body_length 0) has returned, or when call_abort has returned.
 *
 * Loop thread only.  No callback fires before the call that starts it returns.
 * Spans in callbacks are valid during the callback. */
#ifndef CORRAL_HERD_HERD_H
#define CORRAL_HERD_HERD_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/limit.h"
#include "base/log.h"
#include "base/span.h"
#include "wire/message.h"

struct herd;
struct hoard;
struct places;
struct pool;
struct call;
struct outcall;

struct herd_config {
    const char *worker_program;     /* path of corral-worker */
    uint64_t memory_bytes;          /* by which JavaScript's heap goes; 0: the machine's */
    struct hoard *hoard;            /* of the node, lives longer; NULL: nobody counts */
    unsigned instances_max;         /* per pool; 0: one per core */
    unsigned account_instances;     /* of all pools together; 0: no limit */
    struct places *places;          /* of the node, lives longer; NULL: nobody counts */
    unsigned spares;                /* instances forked ahead of need per pool: 0 or 1 */
    int idle_ms;                    /* an instance without work is retired after this; 0: 60 s */
    int busy_ms;                    /* an instance that does not answer a PING for so long is
                                       busy: new calls go to another; 0: 30 ms */
    int stuck_ms;                   /* ... and one that answers none for so long is ended; 0: 30 s */
    unsigned queue_max;             /* calls that may wait in a pool; 0: 1,024 */
    int queue_ms;                   /* longest wait in it; 0: 30 s */
    int load_ms;                    /* deadline for top-level code without a limit; 0: 10 s */
    struct span request_cf;         /* JSON object for request.cf of every request; or empty */
    unsigned box_layers;            /* what templates and instances must enter: box/tier.h */
    unsigned box_uid;               /* BOX_UID: whose they are */
};

int herd_open(uv_loop_t *loop, const struct herd_config *config, struct herd **ret_herd,
              struct err *err) MUST_CHECK;
/* Ends every process of every pool now (SIGKILL; open calls fail with
 * CALL_CRASHED; every pool says drained), then calls closed(self).  For an end
 * without lost calls drain the pools first. */
void herd_close(struct herd *herd, void (*closed)(void *self), void *self);

struct pool_spec {                  /* copied */
    const char *name;
    const char *folder;             /* absolute path of the bundle; must outlive the pool */
    const char *main;
    const char *compatibility_date;
    const char *compatibility_flags;
    const char *env_json;
    const char *bindings_json;          /* see struct load; NULL: none */
    const char *packages_json;          /* likewise */
    const char *read_paths;             /* what it may read beside `folder`: absolute, '\n' behind each; "=" before one (BOX_PLAIN) */
    struct limit_set limits;
    bool measures_cpu;                  /* call_cpu_us without a limit, too */
    bool is_later;                      /* only `name` counts: pool_load or pool_refuse says the rest */
};

struct pool_events {
    void (*ready)(void *self, uint32_t handlers);       /* once: the first load succeeded */
    void (*failed)(void *self, const struct failed *why); /* once: the first load failed; drain it */
    /* Output, one line or more.  ticket: of the call that wrote it; NULL: none, or nobody knows. */
    void (*log)(void *self, enum log_level level, struct span text, void *ticket);
    /* What tails have of the line that log tells next: as in struct log_line of the wire; a stranger's
     * text.  NULL: nobody wants it. */
    void (*told)(void *self, struct span told, void *ticket);
    /* As log, of an exception that nobody caught; NULL: it goes to log. */
    void (*raised)(void *self, enum log_level level, struct span text, void *ticket);
    /* A limit was met: text says which, in words; it belongs into the worker's log.  "": this one need not be
     * said, only counted.  NULL: it goes to log. */
    void (*limited)(void *self, enum limit limit, struct span text, void *ticket);
    /* A call has got this ticket; and: nothing of that call runs any more (its waitUntil either), no
     * line will carry it on its behalf.  cpu_us: what it came to, -1: not measured.  NULL: a call
     * loses its ticket with its terminal callback. */
    void (*taken)(void *self, void *ticket);
    void (*over)(void *self, void *ticket, int64_t cpu_us);
    void (*drained)(void *self);                        /* once, last */
    /* The worker asks something: say outcall_accept, outcall_reply or
     * outcall_fail before this returns.  NULL: everything is refused.
     * is_end: it has no body. */
    void (*outcall)(void *self, struct outcall *outcall, const struct outcall_head *head,
                    bool is_end);
};

int pool_open(struct herd *herd, const struct pool_spec *spec, const struct pool_events *events,
              void *self, struct pool **ret_pool, struct err *err) MUST_CHECK;
/* What a pool that was opened with is_later is to run; calls have waited for it.  ERR_NOMEM: as before. */
int pool_load(struct pool *pool, const struct pool_spec *spec, struct err *err) MUST_CHECK;
/* Or that there is nothing to run: as a first load that failed; `failed` comes before this returns. */
void pool_refuse(struct pool *pool, const struct failed *why);
void pool_drain(struct pool *pool);
/* Have its WebSockets closed, with 1012; pool_drain does so, too. */
void pool_hang_up(struct pool *pool);
/* For tests, doctor and metrics. */
unsigned pool_instances(const struct pool *pool);
/* pool_spec.limits from now on; what is fixed when a process starts, for those that start later. */
void pool_limit(struct pool *pool, const struct limit_set *limits);
/* As they are now. */
const struct limit_set *pool_limits(const struct pool *pool);
/* Somebody else has seen to one of them (the front: bodies): tell the worker's log and the counters. */
void pool_limited(struct pool *pool, enum limit limit, struct span text, void *ticket);
/* How long its template's first load took, from LOAD to LOADED; 0: it has not loaded yet. */
int64_t pool_startup_ms(const struct pool *pool);
/* For metrics; the last three ever, since it was opened. */
struct pool_stats {
    unsigned instances, calls, waiting;
    int64_t memory_bytes;   /* resident, of template and instances; what they share counts in each */
    uint64_t waited;        /* calls that found no instance ready: cold starts */
    uint64_t forked, loaded;/* instances, templates */
};
void pool_stats(const struct pool *pool, struct pool_stats *ret);

enum call_failure {
    CALL_OVERLOADED,        /* the queue was full, or the wait in it too long: 503 */
    CALL_NOT_STARTED,       /* its processes end before they take a request: 503, text says so */
    CALL_NOT_LOADED,        /* the version does not load: 500, text is the traceback */
    CALL_EXCEPTION,         /* the handler raised: 500, text is the traceback */
    CALL_BAD_RESULT,        /* the handler gave no Response: 500, text says what */
    CALL_CRASHED,           /* the instance died; nothing was answered unless head() was called */
    CALL_EXCEEDED_CPU,      /* it was killed: this call had used up its cpu_ms: 503 */
    CALL_EXCEEDED_MEMORY,   /* it died, as far as the node can tell of want of memory: 503 */
    CALL_EXCEEDED_OTHER,    /* its instance was ended for what else it took too much of: 503 */
    CALL_CUT,               /* the answer's body ended too early */
};

enum { CALL_HOPS_MAX = 16 }; /* fetches of workers that lead to workers, in a row */

struct call_events {
    void (*head)(void *self, const struct response *head);
    /* Bytes of the answer.  Give them back with call_credit once they are on their way. */
    void (*body)(void *self, struct span bytes, bool is_end);
    /* call_window has grown. */
    void (*writable)(void *self);
    /* The rest of the request's body is not wanted; call_body drops it. */
    void (*unwanted)(void *self);
    void (*failed)(void *self, enum call_failure why, struct span text);
};

/* Send a request: copied.  is_end: it has no body (more follows by call_body
 * otherwise).  ERR_LIMIT when the queue is full, ERR_GONE when the pool drains. */
int pool_call(struct pool *pool, const struct request *request, bool is_end,
              const struct call_events *events, void *self, struct call **ret_call,
              struct err *err) MUST_CHECK;
/* As pool_call, with an event.  Its answer comes by `head` and `body`: see struct event. */
int pool_event(struct pool *pool, const struct event *event, const struct call_events *events,
               void *self, struct call **ret_call, struct err *err) MUST_CHECK;
/* Whose call it is, for the lines that it logs: behind pool_call, before the loop goes on.  See
 * pool_events.taken. */
void call_set_ticket(struct call *call, void *ticket);
/* Processor time that it has used so far; -1: not measured.  Also inside its terminal callback. */
int64_t call_cpu_us(const struct call *call);
/* Bytes of the request's body that may be sent now; 0 while it waits for an instance. */
size_t call_window(const struct call *call);
/* At most call_window bytes. */
void call_body(struct call *call, struct span bytes, bool is_end);
void call_credit(struct call *call, size_t bytes);
/* Nobody waits any more: no callback fires from here on.  Allowed inside any
 * callback of the call; inside its terminal one it does nothing. */
void call_abort(struct call *call, enum reset_reason reason);

/* An outcall lives until outcall_fail, a reply or body with is_end, or `gone`;
 * no callback fires behind the first three. */
struct outcall_events {
    /* Bytes of its body.  Give them back with outcall_credit once they are on their way. */
    void (*body)(void *self, struct span bytes, bool is_end);
    /* outcall_window has grown, perhaps, or outcall_is_ready. */
    void (*writable)(void *self);
    /* Cancelled, or its instance has ended.  Terminal. */
    void (*gone)(void *self);
};

void outcall_accept(struct outcall *outcall, const struct outcall_events *events, void *self);
void outcall_credit(struct outcall *outcall, size_t bytes);
/* The server is reached: an instance whose code waits for that hears it, as a credit of nothing. */
void outcall_connected(struct outcall *outcall);
/* A number of the instance that asks, which no other one of this herd ever has. */
uint32_t outcall_instance(const struct outcall *outcall);
/* The request that asks, by its stream; 0: none that runs, or nobody knows. */
uint32_t outcall_request(const struct outcall *outcall);
/* How often the request that asks has gone through nodes of ours, as CDN-Loop says: 0 to CALL_HOPS_MAX + 1.
 * Of none that runs: the most of those that do. */
unsigned outcall_hops(const struct outcall *outcall);
/* It is beyond limits.subrequests of that request: to be failed. */
bool outcall_is_too_many(const struct outcall *outcall);
/* What its pool's limits say now; 0: nothing. */
int64_t outcall_limit(const struct outcall *outcall, enum limit limit);
/* The service has met it on behalf of the request that asks. */
void outcall_met(struct outcall *outcall, enum limit limit);
/* Would the instance take a reply now?  If not, `writable` comes when it may. */
bool outcall_is_ready(const struct outcall *outcall);
/* Once.  is_end: no body follows.  ERR_LIMIT when it is too long for a frame, ERR_NOMEM:
 * nothing was sent then, and outcall_fail is due. */
int outcall_reply(struct outcall *outcall, const struct reply *reply, bool is_end,
                  struct err *err) MUST_CHECK;
/* Bytes of the reply's body that may be sent now; 0 before outcall_reply. */
size_t outcall_window(const struct outcall *outcall);
/* At most outcall_window bytes. */
void outcall_body(struct outcall *outcall, struct span bytes, bool is_end);
/* There will be no (more) reply.  The first line of text is for the worker's code. */
void outcall_fail(struct outcall *outcall, struct span text);

#endif
