/* realm.h - one JavaScript global object and one Python interpreter, alive side by side.
 *
 * A realm lives through three generations of one process image: the zygote
 * makes it (realm_new), the template loads a worker into it (realm_load), an
 * instance serves requests from it (realm_start, then realm_request and
 * realm_turn for ever).  Between generations lies a fork, which only works by
 * the recipe of realm_fork_*: see ARCHITECTURE.md.
 *
 * There is one realm per process: CPython cannot have two.
 *
 * Threads: everything on the main thread, which is the only one at a fork; in
 * an instance on whichever thread realm_serve calls the loop, one at a time.
 * Times in milliseconds of clock_now_ms. */
#ifndef CORRAL_REALM_REALM_H
#define CORRAL_REALM_REALM_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "realm/host.h"

struct realm;

/* Threads that Python code may have at a time, besides the main one; the stack of each, which
 * recursion up to Python's limit fits into (sorted() with keys that sort takes most). */
enum {
    REALM_THREADS_MAX = 96,
    REALM_THREAD_STACK = 3 * 1024 * 1024,
    REALM_WAITING_MAX = 64,     /* frames that wait in run_sync, each on a thread of its own */
};

/* ---- zygote ---- */

/* Start both engines, define the Web APIs, import the Python SDK.  host must
 * outlive the realm; its table may be changed between generations.  Must be
 * called where /proc exists, in a process whose environment already holds
 * JSC_useConcurrentGC=0 JSC_numberOfGCMarkers=1 JSC_useConcurrentJIT=0 JSC_usePollingTraps=1
 * GIGACAGE_ENABLED=0.  ERR_SYSTEM when an engine does not start. */
int realm_new(const struct host *host, struct realm **ret_realm, struct err *err) MUST_CHECK;
const char *realm_python_version(void);      /* "3.11.2" */
const char *realm_javascript_version(void);  /* "JavaScriptCore 2.50.6" */
/* The folder of Python's standard library: "/usr/lib/python3.11".  Before realm_fork_before. */
int realm_python_library(char *room, size_t size, struct err *err) MUST_CHECK;

/* ---- around every fork(), in this order; never after realm_start ---- */

void realm_fork_before(struct realm *realm);    /* never while inside JavaScript */
void realm_fork_parent(struct realm *realm);    /* also when fork() failed */
void realm_fork_child(struct realm *realm);

/* ---- template ---- */

struct realm_bundle {
    const char *name;                   /* of the worker */
    const char *folder;                 /* absolute; files may be read as long as the realm lives */
    const char *main;                   /* inside the folder: "src/entry.py" */
    const char *compatibility_date;     /* "" when not given */
    const char *compatibility_flags;    /* separated by spaces */
    struct span env;                    /* JSON object of plain values, for `env` */
    struct span bindings;               /* JSON object of what else is in it: see struct load of the wire */
    struct span packages;               /* what it may import beside its own files and Python's, a JSON
                                           object: "folders", absolute, to be looked in, in this order;
                                           "set", the folder of the set that they were chosen
                                           with (packages/packages.h), or ""; "left_out", paths in
                                           python_modules that count as not there.  Empty: nothing */
    uint64_t tmp_bytes;                 /* its files in memory, together; 0: no limit */
    uint64_t message_bytes;             /* of a message that comes by WebSocket; 0: no limit */
    struct span request_cf;             /* JSON object, what request.cf says beside what is known of each
                                           request; or empty */
};

struct realm_failure {                  /* all text is the caller's: realm_failure_done */
    int kind;                           /* enum failure of wire/message.h: same numbers */
    char *text, *hint, *traceback, *file, *module;      /* "" when there is none */
    int line, column;                   /* from 1; 0 when not known */
};

/* Evaluate the worker's top-level code once and find its handlers.
 * 0 with *ret_handlers (enum handler of wire/message.h), or ERR_INVALID with *ret_failure filled. */
int realm_load(struct realm *realm, const struct realm_bundle *bundle, uint32_t *ret_handlers,
               struct realm_failure *ret_failure) MUST_CHECK;
void realm_failure_done(struct realm_failure *failure);

/* Make ready for being forked often: run our own glue a few times, full
 * collection in both engines, freeze what is left. */
void realm_settle(struct realm *realm);

/* ---- instance ---- */

/* After realm_fork_child in an instance: everything random is seeded anew, the
 * wake-up descriptors become this process's own (so this process forks no more). */
int realm_start(struct realm *realm, struct err *err) MUST_CHECK;
/* Requests have a limit of processor time: what JavaScript does beyond it is stopped, too
 * (py/overtime.h).  *word becomes the number of the request whose code runs, or ran last. */
void realm_watch(struct realm *realm, volatile uint32_t *word);

struct realm_request {
    struct span method;
    struct span url;                    /* absolute */
    const struct host_pair *headers;    /* copied during the call */
    size_t header_count;
    int64_t body_length;                /* bytes; -1 not known; 0: there is no body */
    bool is_upgrade;                    /* it may be answered with 101: see socket.h */
};

/* All that could be said has gone out, and the caller will look for more, or sleep.  Behind the first
 * answer the engine's allocator gets its thread: starting it is a tenth of a first request's time. */
void realm_idle(struct realm *realm);

/* Call the worker's fetch handler.  Answers come through the host, during this
 * call already when the handler does not wait.  stream is never 0 nor in use. */
void realm_request(struct realm *realm, uint32_t stream, const struct realm_request *request);
/* Call the handler of something else that happened.  What comes of it goes to the host as the
 * answer to a request: status 200 and a JSON object, once the handler and waitUntil have ended. */
struct realm_event {
    struct span kind, entrypoint, payload;      /* as struct event of the wire; read during the call */
};
void realm_event(struct realm *realm, uint32_t stream, const struct realm_event *event);
/* More of the request's body; is_end with the last. */
void realm_request_body(struct realm *realm, uint32_t stream, struct span bytes, bool is_end);
/* No further request comes: close all WebSockets, now and those that are still opened. */
void realm_hang_up(struct realm *realm);
/* The peer may take so many bytes more of the answer's body. */
void realm_credit(struct realm *realm, uint32_t stream, uint32_t bytes);
/* Nobody waits for this answer any more; the handler and waitUntil go on. */
void realm_abort(struct realm *realm, uint32_t stream);

/* What the node says to an outcall (host.h).  Unknown streams are ignored: the
 * outcall was cancelled meanwhile. */
struct realm_reply {
    uint32_t status;
    const struct host_pair *results;    /* copied during the call, as the headers */
    size_t result_count;
    const struct host_pair *headers;
    size_t header_count;
    int64_t body_length;                /* bytes; -1 not known */
    bool is_end;                        /* no body follows: the outcall is over */
};
void realm_reply(struct realm *realm, uint32_t stream, const struct realm_reply *reply);
/* More of the reply's body; is_end with the last, which ends the outcall. */
void realm_reply_body(struct realm *realm, uint32_t stream, struct span bytes, bool is_end);
/* The node may take so many bytes more of the outcall's body. */
void realm_outcall_credit(struct realm *realm, uint32_t stream, uint32_t bytes);
/* It failed, before or after its reply; the first line of text is for the worker's code. */
void realm_outcall_failed(struct realm *realm, uint32_t stream, struct span text);

/* Run the loop for ever: loop(argument) calls realm_turn and the like, on this thread and, while
 * something on it waits (run_sync), on others.  It returns when realm_has_loop() says no, which it
 * asks after each of these calls; whatever it then has begun belongs to the next one. */
void realm_serve(struct realm *realm, void (*loop)(void *argument), void *argument)
    __attribute__((noreturn));
bool realm_has_loop(struct realm *realm);

/* Run what is due: Python callbacks, timers, jobs, collected finalizers.
 * Returns the milliseconds until something is due again (0: at once), or -1. */
int realm_turn(struct realm *realm);
/* Descriptors that should wake the loop up; returns how many were filled. */
size_t realm_poll_fds(struct realm *realm, struct pollfd *fds, size_t max);
/* One of them was readable.  Without this call realm_turn does not look at them. */
void realm_woken(struct realm *realm);

#endif
