/* exchange.h - one request and its answer, between the host and either language.
 *
 * An exchange lives from realm_request until the handler has ended, every
 * waitUntil has ended and the answer is over; then host->done is called and it
 * is freed.  Whoever wants it to live longer holds it (exchange_hold).  Both
 * languages name it by its stream number and must expect that it is gone:
 * exchange_find answers NULL.  Its head (method, url, headers) is counted
 * apart, because Request objects outlive the exchange.
 *
 * Thread: the realm's.  Errors: out of memory fails the exchange itself. */
#ifndef CORRAL_REALM_EXCHANGE_H
#define CORRAL_REALM_EXCHANGE_H

#include <JavaScriptCore/JavaScript.h>
#include <stdbool.h>
#include <stdint.h>

#include "realm/flow.h"
#include "realm/host.h"
#include "realm/realm.h"
#include "realm/timer.h"

enum { HEAD_ROUNDS_MAX = 1000 };

struct head {
    unsigned refs;
    struct span method, url;
    struct span lines;          /* "name\nvalue\n..." with names in lower case */
    int64_t body_length;
    uint32_t stream;
    bool is_upgrade;
    char bytes[];
};

struct exchange {
    uint32_t stream;
    struct exchange *next;      /* in its bucket */
    struct head *head;
    struct inflow in;           /* the request's body */
    struct outflow out;         /* the answer's body; out.is_over: nothing more of the answer comes */
    bool is_answered;           /* the answer has begun */
    bool is_aborted;            /* nobody listens */
    bool is_relayed;            /* its 101 leads to another server's: socket_relay */
    bool passes_through;        /* ctx.passThroughOnException() was called */
    bool is_stopped;            /* a script of it was ended, which the log has */
    bool is_called;             /* a script's handler has the first hold (script/script.c) */
    unsigned holds;
    unsigned outcalls;          /* made for this request and not over */
    JSObjectRef on_abort;       /* who wants to know when nobody listens any more */
    unsigned met;               /* bit set of enum limit: the host was told */
    struct socket *socket;      /* it was answered with 101 (socket.h) */
    JSObjectRef event;          /* an event's record (occasions.js), kept; NULL: this is a request */
    /* An event's: all holds have ended, now answer.  Called once, unless it is aborted before. */
    void (*on_quiet)(struct exchange *x);
    void *writer;               /* of the body, in C; NULL: none */
    void (*tell_writer)(struct exchange *x);    /* there is room again, or out.is_over */
    struct timer linger;        /* after the answer: when an untouched body is given up */
};

void exchange_set_host(const struct host *host);
/* Which exchange runs now, for logs: a function of the language that knows. */
typedef uint32_t (*exchange_current_fn)(void);
void exchange_set_current(exchange_current_fn current);
uint32_t exchange_current(void);
void exchange_log(enum log_level level, struct span text);
/* told: what tails have of it (host.h). */
void exchange_log_told(enum log_level level, struct span text, struct span told);
void exchange_log_for(uint32_t stream, enum log_level level, struct span text);
/* The code of this request, or of none, has met a limit: the host hears it once. */
void exchange_met(uint32_t stream, enum limit limit);
/* An instance begins: nobody has met any. */
void exchange_met_none(void);

/* Comes with one hold, the handler's.  NULL when out of memory: the host was told. */
struct exchange *exchange_open(uint32_t stream, const struct realm_request *request);
struct exchange *exchange_find(uint32_t stream);
void exchange_hold(struct exchange *x);
void exchange_release(struct exchange *x);      /* may free it */
size_t exchange_count(void);
/* The least number of those that are alive, or 0; the greatest that there has been. */
uint32_t exchange_first(void);
uint32_t exchange_last(void);
/* Any of which that is true, or NULL. */
struct exchange *exchange_pick(bool (*is_it)(const struct exchange *x));
/* One has ended, and is found no more: a function of the language that kept things for it. */
void exchange_set_ended(void (*ended)(uint32_t stream));
/* Of all that are relayed the answer is cut off. */
void exchange_cut_relayed(void);

struct head *head_ref(struct head *head);
void head_unref(struct head *head);
/* The first value of the header with this name, which is in lower case; "" when there is none. */
struct span head_value(const struct head *head, struct span name);
/* Does its Accept-Encoding name this coding, in lower case, with a weight other than 0? */
bool head_accepts(const struct head *head, struct span coding);
/* How often workers here have already fetched their own address to make this request: fetch.js
 * counts that in CDN-Loop (RFC 8586).  More than HEAD_ROUNDS_MAX is not counted further. */
unsigned head_rounds(const struct head *head);

/* ---- from the host; bodies and credit go to `in` and `out` ---- */
void exchange_abort(struct exchange *x);

/* Call this once when nobody waits for the answer any more; at once when it is so. */
void exchange_on_abort(struct exchange *x, JSObjectRef function);

/* ---- the answer: its head, then bytes by `out` ---- */
void exchange_respond(struct exchange *x, const struct host_response *response);
/* HOST_EXCEPTION and HOST_BAD_RESULT are logged, also when nobody listens any more; once the
 * answer has begun they become HOST_BODY. */
void exchange_fail(struct exchange *x, enum host_failure why, struct span text);
/* The answer fails now, while the code that should make it is still to be stopped: a log entry comes from there. */
void exchange_stop(struct exchange *x, struct span text);
/* The one log entry of a failure. */
void exchange_log_failure(const struct exchange *x, struct span text);

#endif
