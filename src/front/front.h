/* front.h - clients on one side, workers on the other.
 *
 * A front listens, reads HTTP/1.1 strictly (http/), hands every request to the
 * pool that is set at that moment (herd/) and writes the answer back, with
 * back-pressure both ways.  While neither a pool nor a page is set, requests
 * wait for one, bounded in number and time.
 *
 * Ownership: front_open / front_close.  The config's strings are copied.  A
 * pool is borrowed: set another one (or a page) before it is drained; requests
 * that run on it stay there.
 *
 * The process must ignore SIGPIPE: clients leave in the middle of a write.
 *
 * Loop thread only.  Callbacks come from the loop, never inside the call.
 * Times in milliseconds, sizes in bytes; 0 in the config means the default. */
#ifndef CORRAL_FRONT_FRONT_H
#define CORRAL_FRONT_FRONT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

struct access;
struct front;
struct front_router;
struct pool;

struct front_timeouts {
    int head_ms;        /* first byte of a request to the end of its head; 10 s: 408 */
    int body_ms;        /* no byte of the request's body arrives; 30 s: 408 */
    int idle_ms;        /* between two requests; 60 s */
    int write_ms;       /* the client takes no byte of the answer; 60 s */
    int answer_ms;      /* request's head to answer's head; 100 s: 504 */
    int pool_ms;        /* wait until a pool or a page is set; 30 s: 503 */
    int gone_ms;        /* the client has closed its side; the answer may still end; 250 */
    int linger_ms;      /* after an answer that refuses the rest of a request; 5 s */
    int drain_ms;       /* front_drain closes what still runs; 30 s */
    int sweep_ms;       /* how often deadlines are looked at; 100 */
};

/* Append to out the lines of a worker's file around `line`; *ret_first is the number
 * of the first.  pool: whose file it is; NULL: of the version that front_set_page is
 * about.  The name is what a traceback says: any bytes.  An error: nothing is shown. */
typedef int (*front_excerpt_fn)(void *self, const struct pool *pool, struct span file, int line,
                                struct buf *out, int *ret_first);

/* Which requests run the worker's scheduled handler instead of fetch: see trigger.c. */
enum front_triggers {
    FRONT_NO_TRIGGERS,
    FRONT_TRIGGERS,         /* /cdn-cgi/handler/scheduled, /cdn-cgi/mf/scheduled */
    FRONT_ALL_TRIGGERS,     /* and /__scheduled */
};

struct front_config {
    const struct front_router *router;  /* copied; see route.h.  NULL: front_set_pool says */
    const char *scheme;         /* of the URLs workers see through FRONT_HTTP; "http" */
    const char *host;           /* for HTTP/1.0 without Host; "localhost" */
    int64_t body_max_bytes;     /* of a request's body; 500 MB: 413 */
    unsigned connections_max;   /* 16,384; beyond, the longest silent one is closed, else 503 */
    unsigned connections_per_address;   /* of one IPv4 address or IPv6 /64: 503; 0: no limit */
    unsigned waiting_max;       /* requests that wait for a pool; 1,024: 503 */
    bool show_errors;           /* tracebacks go to the client */
    bool access_log;            /* a line for people, on stderr */
    struct access *access;      /* borrowed; lines for programs: access.h.  NULL: none */
    enum front_triggers triggers;
    front_excerpt_fn excerpt;   /* for the pages of show_errors; NULL: without source lines */
    void *excerpt_self;
    struct front_timeouts timeouts;
};

int front_open(uv_loop_t *loop, const struct front_config *config, struct front **ret_front,
               struct err *err) MUST_CHECK;

/* What is spoken at an address. */
enum front_wire {
    FRONT_HTTP,
    FRONT_HTTPS,    /* front_reload_tls comes first */
    FRONT_REDIRECT, /* HTTP, every answer of which leads to https on port 443 */
};

/* Listen on one more address, "127.0.0.1" or "::1"; port 0 takes any.  *ret_port
 * is the port.  ERR_SYSTEM, ERR_INVALID, ERR_LIMIT. */
int front_listen_as(struct front *front, enum front_wire wire, const char *ip, int port,
                    int *ret_port, struct err *err) MUST_CHECK;
/* As FRONT_HTTP. */
int front_listen(struct front *front, const char *ip, int port, int *ret_port,
                 struct err *err) MUST_CHECK;

struct front_certificate {
    const char *cert_file;      /* PEM: the certificate, then those that lead to its root */
    const char *key_file;       /* PEM, without a password */
    const char *const *hosts;   /* exact names and "*.example.com"; NULL-terminated; NULL: the names
                                   in the certificate */
};

/* Read all certificates and use them from the next connection on; the first is for clients that
 * name no host, or another one.  An error names file and reason, and leaves those that were there. */
int front_reload_tls(struct front *front, const struct front_certificate *certificates, size_t count,
                     struct err *err) MUST_CHECK;

/* The same certificates as another front, in one step with it. */
void front_share_tls(struct front *front, const struct front *with);

/* New requests go to `pool` (NULL: they wait) from now on; takes the page away. */
void front_set_pool(struct front *front, struct pool *pool);

/* New requests get this page, copied, instead of a worker: a version does not
 * load.  html may be empty: then it is made from plain. ERR_NOMEM: they wait. */
int front_set_page(struct front *front, unsigned status, struct span plain, struct span html,
                   struct err *err) MUST_CHECK;

/* Stop listening, close idle connections, let running requests end with
 * Connection: close, cut them at drain_ms; then call drained(self), once.
 * WebSockets: the pool of front_set_pool hangs up; a router's pools are the router's to
 * hang up (pool_hang_up). */
void front_drain(struct front *front, void (*drained)(void *self), void *self);

/* End everything now.  front is gone when closed(self) has returned. */
void front_close(struct front *front, void (*closed)(void *self), void *self);

/* For tests and metrics. */
unsigned front_connections(const struct front *front);

#endif
