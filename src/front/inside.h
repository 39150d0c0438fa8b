/* inside.h - what the files of this room know about each other's structs.
 *
 *   front       listeners, connections, the pool or page for new requests
 *   connection  one client: requests in order; socket.c has its bytes, tls.c what is around them
 *   exchange    one request of a connection and what answers it: request.c is the request's part,
 *               reply.c the answer's, record.c what is told of it when it is over
 *
 * A connection holds an exchange only from the first byte of a request to the
 * last byte of its answer; between requests it is small.  Exchanges are reused
 * through front->spare, so a request allocates nothing when it is warm.
 *
 * Only src/front includes this.  Loop thread only. */
#ifndef CORRAL_FRONT_INSIDE_H
#define CORRAL_FRONT_INSIDE_H

#include <sys/queue.h>
#include <uv.h>

#include "base/buf.h"
#include "front/callee.h"
#include "front/front.h"
#include "front/certificates.h"
#include "front/route.h"
#include "front/tls.h"
#include "front/waits.h"
#include "herd/herd.h"
#include "http/answer.h"
#include "http/body.h"
#include "http/head.h"
#include "http/upgrade.h"
#include "text/date.h"

enum {
    FRONT_LISTENERS_MAX = 32,
    FRONT_BACKLOG = 4096,
    FRONT_SPARES_MAX = 256,             /* exchanges kept for reuse */
    FRONT_STORE_KEPT = 16 * 1024,       /* bytes of a request's copy that a spare keeps */
    FRONT_KEEPALIVE_S = 60,             /* of silence, then the kernel asks the client */
    FRONT_FRESH_MS = 250,               /* front_drain: for the first request of a new client */
    FRONT_READ_MAX = 64 * 1024,         /* bytes of one read */
    FRONT_READ_AHEAD = 64 * 1024,       /* unread bytes at which reading stops */
    FRONT_DISCARD_MAX = 256 * 1024,     /* bytes of a body nobody wants, read to stay connected */
    FRONT_LINGER_MAX = 64 * 1024 * 1024,    /* bytes thrown away before a close */
    FRONT_TEXT_MAX = 64 * 1024,         /* bytes of a traceback on a page */
    FRONT_OUT_MAX = 256 * 1024,         /* unwritten bytes at which no further request begins */
};

struct connection;
TAILQ_HEAD(connection_list, connection);

/* Places for clients: crowd.c. */
struct crowd_table;
struct crowd {
    unsigned present;               /* connections that are not closed */
    struct connection_list quiet;   /* those between requests, the longest silent first */
    struct crowd_table *table;      /* how many each address has; NULL: nobody asked */
    uint64_t shed, refused, refused_address;    /* since it was said */
    int64_t said_at;
};

/* Where an exchange stands.  Moves: exchange.c. */
enum exchange_state {
    EXCHANGE_HEAD,      /* the head is being read */
    EXCHANGE_READY,     /* to be dispatched at the next tick */
    EXCHANGE_WAITING,   /* waits for a pool or a page */
    EXCHANGE_CALLED,    /* waits for the worker's head */
    EXCHANGE_ANSWERING, /* the head is written, the body is on its way */
    EXCHANGE_ANSWERED,  /* the whole answer is in the connection's hands */
    EXCHANGE_BROKEN,    /* the answer cannot be completed: close the connection */
};

/* What a request stands for, if not for itself. */
enum trigger { TRIGGER_NONE, TRIGGER_HANDLER, TRIGGER_TEST };

/* What is told of an exchange when it is over: to the router, in the access log.  Offsets are of its store. */
struct record {
    void *ticket;
    bool has_ticket;                /* the router has yet to hear of it */
    enum front_ending ending;
    int64_t cpu_us;
    uint64_t bytes_in, bytes_out;   /* bodies */
    size_t text_at, text_len;
    size_t names_at, worker_len, version_len;
};

enum { RAY_LEN = 16 };              /* hexadecimal digits of a request's id */

struct exchange {
    struct connection *connection;
    struct exchange *next;          /* in front->spare */
    enum exchange_state state;
    struct callee callee;
    struct record record;
    struct pool *pool;              /* where the last call went; there while that runs, later only to be named */
    bool is_head, is_safe;          /* method: HEAD; GET, HEAD or OPTIONS */
    bool is_retried;
    bool is_upgrade;                /* asks to become a WebSocket */
    bool is_switched;               /* it is one: the connection is bytes from here on */
    bool has_sent_end;              /* switched: the client's last byte has gone to the worker */
    bool is_unwanted;               /* the rest of the body is thrown away */
    bool is_continue_due;           /* 100 Continue was asked for and not sent */
    bool is_keep_alive;             /* after this answer; final once ANSWERED */
    size_t discarded;               /* bytes thrown away */
    /* The request, copied: offsets into store. */
    struct buf store;
    size_t headers_len, headers_count, method_len, url_len, path_at;
    /* The answer. */
    unsigned status;
    struct answer answer;
    int64_t answer_left;            /* ANSWER_LENGTH: bytes to come */
    enum trigger trigger;           /* of the call */
    size_t reply_at;                /* where the reply to an event begins in store */
    uint64_t ray;                   /* at an edge: the request's id */
    int64_t started_us, started_ms; /* clock_now_us, clock_wall_ms; front->is_timed */
    struct head head;
    struct body body;
};

/* Where a connection stands.  Moves: connection.c. */
enum connection_state {
    CONNECTION_IDLE,    /* between requests; zero */
    CONNECTION_HANDSHAKE,   /* of TLS, in front of the first */
    CONNECTION_HEAD,    /* part of a head is there */
    CONNECTION_BUSY,    /* an exchange runs */
    CONNECTION_LINGER,  /* the last answer leaves; input is thrown away */
    CONNECTION_CLOSED,  /* waits for uv_close */
};

struct connection {
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct front *front;
    TAILQ_ENTRY(connection) all, dirty, quiet;
    enum connection_state state;
    char address[INET6_ADDRSTRLEN]; /* the client's; "" when nobody knows */
    struct exchange *exchange;      /* HEAD, BUSY */
    struct waits waits;
    bool is_dirty, is_reading, is_writing, is_eof, is_shut;
    bool is_tls, is_redirect;       /* what its listener speaks */
    bool is_fresh;                  /* no request has come yet */
    bool is_present, is_quiet, is_counted;  /* crowd.c: in the numbers, in the list, in the table */
    uint64_t crowd_key;
    bool is_fin;                    /* TLS: the socket's end has come; is_eof when all in front of it is read */
    struct tls *tls;                /* NULL: none */
    bool is_polite;                 /* LINGER: the client may still be sending */
    size_t thrown;                  /* LINGER: bytes thrown away */
    size_t taken;                   /* bytes that the socket took in one go, ever */
    size_t seen;                    /* WAIT_GONE: taken, when it was last looked at */
    size_t queued;                  /* WAIT_WRITE: bytes that the client had not taken, likewise */
    char *input;                    /* unread bytes, in `in` or in front->scratch */
    size_t input_len;
    struct buf in;                  /* unread bytes kept between two reads */
    struct buf out;                 /* to be written */
    struct buf busy;                /* being written by uv_write */
    size_t out_owed, busy_owed;     /* bytes of the worker's body in them, not credited */
};

struct listener {
    uv_poll_t poll;
    int fd;
    bool is_paused;                 /* no descriptor was left: asked again at listener_resume */
    struct front *front;
    enum front_wire wire;
};

struct page {
    unsigned status;                /* 0: no page is set */
    char *plain, *html;
    size_t plain_len, html_len;
};

struct front {
    uv_loop_t *loop;
    struct front_config config;     /* defaults filled in */
    struct span scheme, host;       /* owned copies of the config's */
    struct front_router router;     /* route NULL: none */
    bool is_timed;                  /* somebody wants to know how long requests take */
    struct certificates *certificates;  /* NULL: none were loaded */
    uint64_t rays;                  /* given, and where they began */
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t sweep;
    unsigned handles;               /* open uv handles; 0 ends front_close */
    struct listener *listeners[FRONT_LISTENERS_MAX];
    struct connection_list all, dirty;
    unsigned connections, waiting;
    struct crowd crowd;
    struct exchange *spare;
    unsigned spares;
    struct pool *pool;              /* borrowed */
    struct page page;
    bool is_draining, is_closing;
    int64_t warned_at;              /* of accept's last complaint */
    bool has_paused;                /* a listener is_paused */
    int64_t drain_at;
    void (*drained)(void *self);
    void *drained_self;
    void (*closed)(void *self);
    void *closed_self;
    int64_t date_second;
    char date[DATE_LEN];
    char scratch[FRONT_READ_MAX];
};

/* front.c */
struct span front_date(struct front *front);
void front_wake(struct front *front);           /* look at the dirty list before the next wait */
void front_sweep(struct front *front);          /* there is a connection: look at deadlines */
void front_forget(struct front *front);         /* a handle has closed */

/* listener.c */
void listener_accept_all(struct front *front);
void listener_close_all(struct front *front);
/* Try again where there was no descriptor for a client. */
void listener_resume(struct front *front);

/* crowd.c */
/* It has come.  false: there is no place for it. */
bool crowd_enter(struct connection *c);
void crowd_leave(struct connection *c);         /* it is closed */
void crowd_quiet(struct connection *c);         /* it waits for a request */
void crowd_busy(struct connection *c);          /* it does no longer */
/* Close the longest silent one; its descriptor is free at once.  false: there is none. */
bool crowd_shed(struct front *front);
void crowd_done(struct crowd *crowd);

/* connection.c */
/* Of a client that was accepted. */
void connection_take(struct front *front, int take_fd, enum front_wire wire);
void connection_wake(struct connection *c);     /* tick soon, from the loop */
void connection_tick(struct connection *c);
void connection_step(struct connection *c);     /* the same, but for what TLS holds back */
void connection_run(struct connection *c);      /* until it waits; input is the unread bytes */
void connection_eof(struct connection *c);      /* the client sends no more */
void connection_refuse_plain(struct connection *c); /* it does not speak TLS */
void connection_due(struct connection *c, enum wait kind);
void connection_shrink(struct connection *c);   /* between requests: give buffers back */
void connection_drain(struct connection *c);
void connection_kill(struct connection *c, enum reset_reason reason);

/* A front with a router is the edge: see route.h. */
static inline bool front_is_edge(const struct front *front) { return front->router.route; }

/* "TLSv1.3", or "". */
struct span connection_tls(const struct connection *c);

static inline struct span connection_scheme(const struct connection *c)
{
    return c->is_tls ? SPAN("https") : c->front->scheme;
}

/* exchange.c */
struct exchange *exchange_new(struct connection *c);    /* NULL: no memory */
void exchange_free(struct exchange *ex);
/* Dispatch, or dispatch again. */
void exchange_tick(struct exchange *ex);
/* Bytes of the request's body that are taken now. */
size_t exchange_room(const struct exchange *ex);
void exchange_body(struct exchange *ex, struct span bytes, bool is_end);
/* It is a WebSocket, and the client will send no more. */
void exchange_end_bytes(struct exchange *ex);
/* So many bytes of the answer's body have left. */
void exchange_credit(struct exchange *ex, size_t bytes);
/* Answer an error instead of the worker, when nothing has been answered yet;
 * otherwise the exchange is BROKEN.  The call ends. */
/* The worker has not begun to answer in time: 504. */
void exchange_late(struct exchange *ex);
void exchange_refuse(struct exchange *ex, unsigned status, struct span text,
                     enum reset_reason reason);
void exchange_abort(struct exchange *ex, enum reset_reason reason);
/* The callee's terminal callback runs. */
void exchange_over(struct exchange *ex);
void exchange_move(struct exchange *ex, enum exchange_state to);
bool exchange_may_move(enum exchange_state from, enum exchange_state to);
bool exchange_is_answered(const struct exchange *ex);

/* request.c */
/* The head is whole: copy the request.  ERR_NOMEM. */
int exchange_begin(struct exchange *ex, const char *data) MUST_CHECK;
/* Spans live until something is put into the store.  "" when no head could be read. */
struct span exchange_method(const struct exchange *ex);
struct span exchange_url(const struct exchange *ex);
struct span exchange_host(const struct exchange *ex);   /* with a port, if the client named one */
struct span exchange_target(const struct exchange *ex); /* path and query, as they came */
/* Without the query, which may hold secrets: for logs. */
struct span exchange_path(const struct exchange *ex);
struct span exchange_place(const struct exchange *ex);  /* of the URL */
struct pairs exchange_headers(const struct exchange *ex);

/* reply.c */
struct page_spec;
extern const struct call_events EXCHANGE_EVENTS;
/* The request is answered by a page; no call runs. */
void exchange_page(struct exchange *ex, struct page_spec *spec);
/* Answer this instead of what a call gives; no call runs. */
void exchange_answer(struct exchange *ex, unsigned status, struct span type, struct span body);
/* 502: the worker's answer cannot be sent.  Its call may still run: the next tick aborts it. */
void exchange_unsendable(struct exchange *ex, const char *what);
/* The call's `failed`. */
void exchange_failed(void *self, enum call_failure why, struct span text);

/* socket.c */
/* false: the client is gone and so is the connection. */
bool socket_flush(struct connection *c);
/* Read exactly while there is room for unread bytes. */
void socket_read(struct connection *c);
/* TLS: decrypt what there is room for. */
void socket_pull(struct connection *c);
/* A client that has closed its side, or that is slow, keeps its answer as long
 * as it takes some of it. */
bool socket_is_taking(struct connection *c, enum wait kind);

/* record.c */
void record_route(struct exchange *ex, const struct front_route *route);
/* How it ended, as far as is known; the last one counts.  text is copied. */
void record_end(struct exchange *ex, enum front_ending ending, struct span text);
/* Tell the router, if that is still due. */
void record_finish(struct exchange *ex);
/* The exchange is over: tell everybody who has not heard. */
void record_close(struct exchange *ex);
/* A line for people. */
void record_say(const struct exchange *ex);

/* ray.c */
uint64_t ray_new(struct front *front);
void ray_print(uint64_t ray, char out[RAY_LEN + 1]);

/* trigger.c */
enum trigger trigger_of(const struct exchange *ex);
/* As pool_call, for a request that is a trigger. */
int trigger_call(struct exchange *ex, enum trigger trigger, struct pool *pool,
                 struct err *err) MUST_CHECK;

/* page.c */
enum page_kind { PAGE_PLAIN, PAGE_HTML, PAGE_JSON /* RFC 9457 */ };
struct page_spec {
    unsigned status;
    struct span title;          /* "" : the standard words */
    struct span text;           /* plain; escaped on the HTML page */
    struct span html;           /* ready page, or "": made from text */
    const struct excerpt *excerpt;  /* on the HTML page, above the text; NULL: none */
    enum page_kind kind;
    unsigned code;              /* of Cloudflare's errors; 0: none */
    struct span ray;            /* stands on the page and in the head; "": none */
    unsigned retry_after_s;     /* 0: not said */
    struct span location;       /* of a redirection */
};
struct excerpt {
    struct span file;           /* inside the text that names it */
    int line;                   /* the one that is meant */
    int first;                  /* number of the first of `lines` */
    struct buf lines;
};
/* The source lines that a traceback speaks of; false: it names none, or nobody knows
 * them.  excerpt_done in either case. */
bool excerpt_find(const struct front *front, const struct pool *pool, struct span text,
                  struct excerpt *ret_excerpt);
void excerpt_done(struct excerpt *excerpt);
/* words.c: title and text for strangers, by code or status; left as they are when there are none. */
void page_words(struct page_spec *spec);
/* Only the page, without a head.  ERR_NOMEM. */
int page_html(struct buf *out, const struct page_spec *spec) MUST_CHECK;
/* The whole answer: head (framing as in `a`) and body.  ERR_NOMEM: out is as before. */
int page_put(struct buf *out, struct answer *a, const struct page_spec *spec) MUST_CHECK;
/* What this Accept header likes best; plain text when it does not say. */
enum page_kind page_kind_of(struct span accept);

#endif
