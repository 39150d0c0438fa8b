/* call.h - one call on its way through a store: the inside of struct store_call.
 *
 * For keeper.c and store.c.  A call lives from keeper_call until its terminal
 * callback has returned, or store_call_abort.  It frees itself: store_call_fail and
 * store_call_frame may be the last thing that touches it.  Loop thread only. */
#ifndef CORRAL_KEEPER_CALL_H
#define CORRAL_KEEPER_CALL_H

#include "base/buf.h"
#include "keeper/keeper.h"
#include "loop/ring.h"
#include "wire/frame.h"

struct store;

enum store_call_state {
    STORE_CALL_WAITS,    /* in its store's queue */
    STORE_CALL_SENT,     /* in a process, no head yet */
    STORE_CALL_ANSWERED, /* head given, body to come */
    STORE_CALL_OVER,     /* about to be freed */
    STORE_CALL_STATES
};

struct store_call {
    struct ring ring; /* store->queue, or store->calls in the order they were sent */
    struct store *store;
    uint32_t stream;
    enum store_call_state state;
    const struct store_call_events *events;
    void *self;
    struct buf kept;    /* WAITS: what goes to the process first, whole frames */
    uint64_t at;        /* where its first frame stands in all that the process was sent */
    int64_t moved_ms;   /* when a byte of it moved last; WAITS: since when */
    size_t send_window; /* bytes of its body that may be sent */
    size_t take_window; /* bytes that the store may still send */
    size_t owed;        /* credit given to us and not yet passed on */
    int64_t body_left;  /* of the reply as its head said; -1: not known */
    bool is_uploading;  /* its body has not ended */
    bool has_early_end; /* WAITS: the end of its body goes behind what is kept */
    bool is_inside;     /* one of its callbacks runs */
};

bool store_call_may_move(enum store_call_state from, enum store_call_state to);

/* A call that waits, in no list yet.  ERR_NOMEM; ERR_LIMIT: the head is too long for a frame. */
int store_call_new(struct store *store, const struct outcall_head *head, bool is_end,
                   const struct store_call_events *events, void *self, struct store_call **ret_call,
                   struct err *err) MUST_CHECK;
/* Write what it has kept to the process, as stream `stream`. */
int store_call_send(struct store_call *call, uint32_t stream, int64_t now_ms) MUST_CHECK;
/* Its process was not even sent this frame of it: it waits again, and keeps the frame. */
int store_call_recall(struct store_call *call, const struct frame *frame) MUST_CHECK;
/* Say `writable` if its body has not ended. */
void store_call_wake(struct store_call *call);
/* A frame of its stream.  An error says that the store lies. */
int store_call_frame(struct store_call *call, const struct frame *frame,
                     struct err *err) MUST_CHECK;
/* The last callback, and the end of the call. */
void store_call_fail(struct store_call *call, struct span text);
/* Has the store been silent about it for so long, though nothing keeps it from going on? */
bool store_call_is_stuck(const struct store_call *call, int64_t now_ms, int silence_ms);

#endif
