/* call.h - one request on its way: inside of struct call, for pool.c and instance.c.
 *
 * A call lives from pool_call until nobody needs it: the caller has had its
 * terminal callback (or has aborted), and the instance has said that nothing of
 * it runs any more.  It frees itself then; call_fail and call_frame may be the
 * last thing that touches it.
 *
 * Loop thread only. */
#ifndef CORRAL_HERD_CALL_H
#define CORRAL_HERD_CALL_H

#include "base/buf.h"
#include "herd/herd.h"
#include "herd/meter.h"
#include "loop/ring.h"
#include "wire/frame.h"

struct instance;

enum call_state {
    CALL_WAITS,     /* in the pool's queue */
    CALL_SENT,      /* in an instance, no head yet */
    CALL_ANSWERED,  /* head given, body to come */
    CALL_LINGERS,   /* the caller is through; its code may still run */
    CALL_OVER,      /* about to be freed */
    CALL_STATES
};

/* Calls that wait for an instance, oldest first. */
struct call_queue {
    struct ring calls;
    unsigned count;
};

struct call {
    struct ring ring;               /* queue->calls, instance->uploading or ->lingering */
    struct call_queue *queue;       /* CALL_WAITS */
    struct instance *instance;      /* from CALL_SENT on */
    uint32_t stream;
    enum call_state state;
    const struct call_events *events;
    void *self;
    const struct pool_events *pool_events;  /* for taken and over; NULL: no pool */
    void *pool_self;
    void *ticket;
    int64_t subrequests;            /* that its code has made */
    unsigned hops;                  /* how often it has come out of this or another node of ours, see call_hops */
    struct meter_call meter;
    int64_t cpu_us;                 /* when it has left the meter; -1: not measured */
    unsigned met;                   /* bit set of enum limit: that was said */
    int64_t logged;                 /* bytes of its lines; -1: more than it may, and that was said */
    bool is_guilty;                 /* its instance is ended on its account */
    struct buf request;             /* the whole REQUEST or EVENT frame; CALL_WAITS */
    int64_t since_ms;               /* when it came to wait, or to linger */
    size_t send_window;             /* bytes of the request's body that may be sent */
    size_t take_window;             /* bytes that the instance may still send */
    size_t owed;                    /* credit given to us and not yet passed on */
    int64_t body_left;              /* of the answer as its head said; -1: not known */
    bool is_uploading;              /* the request's body has not ended */
    bool is_unwanted;               /* nor does the instance want the rest */
    bool is_head_method;
    bool is_upgrade;                /* may be answered with 101 */
    bool has_head;
    bool has_end;                   /* the instance has sent its last byte */
    bool is_inside;                 /* one of its callbacks runs */
};

bool call_may_move(enum call_state from, enum call_state to);

/* What opens its stream: one of the two. */
struct opening {
    const struct request *request;
    const struct event *event;
};
/* Append the frame. */
int opening_put(const struct opening *opening, struct buf *out, uint8_t flags, uint32_t stream,
                struct err *err) MUST_CHECK;

/* "corral; hops=N" in CDN-Loop (RFC 8586), which nodes write on what their workers fetch: the most of all, 0
 * without one, at most CALL_HOPS_MAX + 1. */
unsigned call_hops(const struct request *request);
struct call *call_new(const struct opening *opening, bool is_end, const struct call_events *events,
                      void *self);
/* Keep the request until an instance is there. */
int call_wait(struct call *call, struct call_queue *queue, const struct opening *opening,
              int64_t now_ms, struct err *err) MUST_CHECK;
/* Take it out of the queue. */
void call_leave(struct call *call);
/* It has a stream in an instance now; its REQUEST frame is written. */
void call_start(struct call *call, struct instance *instance, uint32_t stream);
/* Say `writable` if the request has a body to come. */
void call_wake(struct call *call);
/* A frame of its stream.  An error says that the instance lies. */
int call_frame(struct call *call, const struct frame *frame, struct err *err) MUST_CHECK;
/* The last callback, if one is due, and the end of the call. */
void call_fail(struct call *call, enum call_failure why, struct span text);
/* The end of a call that nobody listens to. */
void call_end(struct call *call);

#endif
