/* exchange.h - one request and its answer, between the host and either language.
 *
 * An exchange lives from realm_request until the handler has ended, every
 * waitUntil has ended and the answer is over; then host->done is called and it
 * is freed.  Whoever wants it to live longer holds it (exchange_hold).  Both
 * languages name it by its stream number and must expect that it is gone:
 * exchange_find answers NULL.  Its head (method, url, headers) is counted
 * apart, because Request objects outlive the exchange.
 *
 * Flow control: the request's body is never credited before it is consumed;
 * the answer's bytes beyond the peer's credit wait in `out`, and a writer that
 * sees EXCHANGE_WAIT stops until its wake function is called.
 *
 * Thread: the realm's.  Errors: out of memory fails the exchange itself. */
#ifndef CORRAL_REALM_EXCHANGE_H
#define CORRAL_REALM_EXCHANGE_H

#include <JavaScriptCore/JavaScript.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "realm/host.h"
#include "realm/realm.h"
#include "realm/timer.h"

struct head {
    unsigned refs;
    struct span method, url;
    struct span lines;          /* "name\nvalue\n..." with names in lower case */
    int64_t body_length;
    uint32_t stream;
    char bytes[];
};

enum exchange_body {            /* the request's body: who takes it */
    BODY_UNTOUCHED,             /* nobody yet: it waits in `in` */
    BODY_READ,                  /* a ReadableStream pulls it */
    BODY_COLLECTED,             /* text() and its like gather it whole */
    BODY_RELAYED,               /* it goes straight into the answer */
    BODY_DROPPED,               /* nobody any more */
};

struct exchange {
    uint32_t stream;
    struct exchange *next;      /* in its bucket */
    struct head *head;
    enum exchange_body body;
    bool has_all;               /* the request's last byte is here */
    bool is_answered, is_over;  /* the answer has begun; nothing more of it will come */
    bool is_finishing;          /* the answer's last byte is in `out` */
    bool is_aborted;            /* nobody listens */
    unsigned holds;
    uint32_t credit;            /* bytes the peer still takes */
    struct buf in, out;
    JSObjectRef wake_in;        /* READ: more is here.  COLLECTED: (bytes or undefined) => */
    JSObjectRef wake_out;       /* there is room again */
    struct timer linger;        /* after the answer: when an untouched body is given up */
};

enum exchange_room {            /* after a write: may more be written? */
    EXCHANGE_MORE = 0,
    EXCHANGE_WAIT = 1,          /* when wake_out is called */
    EXCHANGE_GONE = 2,          /* nobody takes it */
};

void exchange_set_host(const struct host *host);
/* Which exchange runs now, for logs: a function of the language that knows. */
typedef uint32_t (*exchange_current_fn)(void);
void exchange_set_current(exchange_current_fn current);
void exchange_log(enum log_level level, struct span text);
void exchange_log_for(uint32_t stream, enum log_level level, struct span text);

/* Comes with one hold, the handler's.  NULL when out of memory: the host was told. */
struct exchange *exchange_open(uint32_t stream, const struct realm_request *request);
struct exchange *exchange_find(uint32_t stream);
void exchange_hold(struct exchange *x);
void exchange_release(struct exchange *x);      /* may free it */
size_t exchange_count(void);

struct head *head_ref(struct head *head);
void head_unref(struct head *head);

/* ---- from the host ---- */
void exchange_arrive(struct exchange *x, struct span bytes, bool is_end);
void exchange_credit(struct exchange *x, uint32_t bytes);
void exchange_abort(struct exchange *x);

/* ---- the request's body ---- */
/* The bytes here, at most max, are the caller's to copy; then say exchange_consumed. */
struct span exchange_peek(const struct exchange *x, size_t max);
void exchange_consumed(struct exchange *x, size_t bytes);
/* Gather all; `take(bytes)` is called once with an ArrayBuffer, or without when it failed. */
void exchange_collect(struct exchange *x, JSObjectRef take);
/* Nobody wants the rest of it. */
void exchange_drop_body(struct exchange *x);
/* Pull: call this function once when something (bytes, the end, failure) has come. */
void exchange_wait_in(struct exchange *x, JSObjectRef wake);

/* ---- the answer ---- */
void exchange_respond(struct exchange *x, const struct host_response *response);
enum exchange_room exchange_write(struct exchange *x, struct span bytes);
/* A write and the finish in one, so that the last bytes carry the end.  May free x. */
void exchange_send_whole(struct exchange *x, struct span bytes);
void exchange_finish(struct exchange *x);
void exchange_wait_out(struct exchange *x, JSObjectRef wake);
/* The rest of the request's body is the answer's body. */
void exchange_relay(struct exchange *x);
/* HOST_EXCEPTION and HOST_BAD_RESULT are logged, also when nobody listens any more; once the
 * answer has begun they become HOST_BODY. */
void exchange_fail(struct exchange *x, enum host_failure why, struct span text);

#endif
