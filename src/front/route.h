/* route.h - where a request goes: a worker's pool, something in this process, a page.
 *
 * A front with a router asks it for each request, when the request's head is whole; without one
 * all requests go to the pool or the page that front_set_pool and front_set_page say (`corral dev`).
 *
 * A route is asked for again, once, when its pool refuses the call with ERR_GONE, and when a safe request
 * without a body has got nothing from an instance that died.
 *
 * Loop thread only; nothing here may call back into the front.  `finished` comes from the loop, or inside
 * front_close for what runs then. */
#ifndef CORRAL_FRONT_ROUTE_H
#define CORRAL_FRONT_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "herd/herd.h"

/* ---- something in this process that answers requests: the control API ---- */

struct local; /* one request that it answers; the implementer's */

/* The same shape as pool_call and call_*: see herd.h.  Callbacks are those of struct call_events, by the
 * same rules: none fires before `call` returns, each once, spans live during the callback, answers
 * with status 101 to upgrades are bytes both ways from then on. */
struct front_local {
    int (*call)(void *self, const struct request *request, bool is_end,
                const struct call_events *events, void *events_self, struct local **ret_local,
                struct err *err);
    size_t (*window)(const struct local *local);
    void (*body)(struct local *local, struct span bytes, bool is_end);
    void (*credit)(struct local *local, size_t bytes);
    void (*abort)(struct local *local, enum reset_reason reason);
};

/* ---- routing ---- */

struct front_arrival {      /* spans live during the call */
    const struct request *request;
    struct span client;     /* its address: "192.0.2.1", "" when nobody knows */
    bool is_tls;
};

enum front_destination { FRONT_TO_POOL, FRONT_TO_LOCAL, FRONT_TO_PAGE };

struct front_route {
    enum front_destination to;
    struct pool *pool;      /* borrowed: calls that it refuses with ERR_GONE are routed once more */
    const struct front_local *local;
    void *local_self;
    /* TO_PAGE; copied before `route` is called again */
    unsigned status;
    unsigned code;          /* of Cloudflare's errors, 1027: stands on the page; 0: none */
    unsigned retry_after_s; /* 0: not said */
    struct span plain, html;/* plain "": the front's words for the status and code; html "": made from plain */
    void *ticket;           /* comes back with `finished`, once for each route that was given; may be NULL.
                               Log lines of the call carry it too: see pool_events.log */
    struct span worker, version; /* for the access log, copied likewise; "": not known */
};

/* How a request ended; the words are those of Cloudflare's trace events, and one of its statistics. */
enum front_ending {
    FRONT_OK,                  /* the worker answered, whatever the status */
    FRONT_EXCEPTION,           /* "exception": the handler raised, or gave no Response */
    FRONT_EXCEEDED_CPU,        /* "exceededCpu" */
    FRONT_EXCEEDED_MEMORY,     /* "exceededMemory": the instance died of it */
    FRONT_EXCEEDED_OTHER,      /* "exceededResources": of another limit, threads or instances */
    FRONT_CANCELED,            /* "canceled": the client left */
    FRONT_NOT_LOADED,          /* "scriptNotFound": the version does not load */
    FRONT_UNKNOWN,             /* "unknown": the instance died, no place in the queue, deadlines */
    FRONT_MOVED,               /* nothing ran, since the pool drains: the request has got another route */
};

struct front_outcome {
    enum front_ending ending;
    unsigned status;        /* that the client got; 0: none, or not from here: an instance died and the
                               request was routed once more */
    int64_t started_ms;     /* of clock_wall_ms, when the head was whole */
    int64_t wall_us;        /* until the whole answer was on its way to the client, or the end */
    int64_t cpu_us;         /* of the call, -1: not measured */
    uint64_t bytes_in, bytes_out; /* bodies */
    struct span text;       /* the traceback of EXCEPTION, what else is known; "" */
};

/* With a router a front is the edge: what requests say about their client is its word alone.  Workers and locals
 * see CF-Connecting-IP, X-Real-IP, X-Forwarded-For, X-Forwarded-Proto, CF-Ray and CF-Visitor as the front has
 * seen them, never as the client sent them; answers carry CF-Ray. */
struct front_router {       /* NULL members: not asked */
    void (*route)(void *self, const struct front_arrival *arrival, struct front_route *ret);
    void (*finished)(void *self, void *ticket, const struct front_outcome *outcome);
    void *self;
};

#endif
