/* call.c - one stream of a store as a call with callbacks.
 *
 *                   sent             head               last byte
 *   (new) -> WAITS -----> SENT -----------> ANSWERED ------------> OVER (freed)
 *             | ^          | |  failure, abort  |                   ^
 *             | +----------+ +------------------+-------------------+
 *             |   its process has read nothing of it                |
 *             +------------------- deadline, abort -----------------+
 *
 * While it waits it keeps whole frames: its OUTCALL, and what a process that
 * died had not yet been sent of its body.
 *
 * Invariants
 *   1. Exactly one terminal callback (failed; body or head with is_end), none
 *      after store_call_abort.
 *   2. take_window + owed + what the caller holds = FRAME_WINDOW: the store can
 *      never have more in flight, so memory per call is bounded.
 *   3. A call is freed in OVER only, and never while a callback of it runs. */
#include "keeper/call.h"

#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "keeper/store.h"

enum {
    CREDIT_STEP = FRAME_WINDOW / 4,     /* bytes; less is not worth a frame */
    SEND_WINDOW_MAX = 16 * 1024 * 1024, /* bytes; nobody may let us send more ahead */
};

static const bool MOVES[STORE_CALL_STATES][STORE_CALL_STATES] = {
    [STORE_CALL_WAITS] = {[STORE_CALL_SENT] = true, [STORE_CALL_OVER] = true},
    [STORE_CALL_SENT] =
        {[STORE_CALL_WAITS] = true, [STORE_CALL_ANSWERED] = true, [STORE_CALL_OVER] = true},
    [STORE_CALL_ANSWERED] = {[STORE_CALL_OVER] = true},
};

bool store_call_may_move(enum store_call_state from, enum store_call_state to)
{
    return MOVES[from][to];
}

static void move(struct store_call *call, enum store_call_state to)
{
    assert(store_call_may_move(call->state, to));
    call->state = to;
}

static void call_free(struct store_call *call)
{
    buf_done(&call->kept);
    mem_free(call);
}

/* Off its store; the memory goes when no callback of it runs. */
static void end(struct store_call *call)
{
    store_forget(call->store, call);
    move(call, STORE_CALL_OVER);
    call->store = NULL;
    if (!call->is_inside)
        call_free(call);
}

/* false: it is over and gone. */
static bool leave_callback(struct store_call *call)
{
    call->is_inside = false;
    if (call->state != STORE_CALL_OVER)
        return true;
    call_free(call);
    return false;
}

int store_call_new(struct store *store, const struct outcall_head *head, bool is_end,
                   const struct store_call_events *events, void *self, struct store_call **ret_call,
                   struct err *err)
{
    struct store_call *call = mem_alloc(sizeof *call);
    int r;

    if (!call)
        return err_nomem(err);
    r = outcall_head_put(&call->kept, is_end ? FRAME_END : 0, 0, head, err);
    if (r < 0) {
        call_free(call);
        return r;
    }
    call->store = store;
    call->events = events;
    call->self = self;
    call->send_window = call->take_window = FRAME_WINDOW;
    call->body_left = -1;
    call->is_uploading = !is_end;
    call->moved_ms = clock_now_ms();
    ring_init(&call->ring);
    *ret_call = call;
    return 0;
}

int store_call_send(struct store_call *call, uint32_t stream, int64_t now_ms)
{
    struct peer *peer = &call->store->kin.peer;
    struct buf *out = peer_out(peer);
    struct span left = buf_span(&call->kept);
    struct err err = {0};
    struct frame frame;
    size_t used;
    int r;

    call->at = peer_sent(peer) + peer_pending(peer);
    while (left.len > 0) {
        r = frame_parse(left.data, left.len, &frame, &used, &err);
        assert(r == 1);
        r = frame_put(out, frame.type, frame.flags, stream, frame.payload.data, frame.payload.len);
        if (r < 0)
            return r;
        left.data += used;
        left.len -= used;
    }
    if (call->has_early_end && frame_put(out, FRAME_BODY, FRAME_END, stream, NULL, 0) < 0)
        return ERR_NOMEM;
    call->has_early_end = false;
    buf_done(&call->kept);
    move(call, STORE_CALL_SENT);
    call->stream = stream;
    call->moved_ms = now_ms;
    return 0;
}

int store_call_recall(struct store_call *call, const struct frame *frame)
{
    if (call->state == STORE_CALL_SENT)
        move(call, STORE_CALL_WAITS);
    return frame_put(&call->kept, frame->type, frame->flags, 0, frame->payload.data,
                     frame->payload.len);
}

void store_call_wake(struct store_call *call)
{
    if (!call->is_uploading)
        return;
    call->is_inside = true;
    call->events->writable(call->self);
    (void)leave_callback(call);
}

/* First the end, then the word: what the caller asks of the call in there does nothing. */
void store_call_fail(struct store_call *call, struct span text)
{
    assert(!call->is_inside);
    call->is_inside = true;
    end(call);
    call->events->failed(call->self, text);
    (void)leave_callback(call);
}

bool store_call_is_stuck(const struct store_call *call, int64_t now_ms, int silence_ms)
{
    /* A store may wait until a whole frame's worth can leave, and for the rest of the call. */
    if (call->take_window < FRAME_BODY_MAX || (call->is_uploading && call->send_window > 0))
        return false;
    return now_ms - call->moved_ms >= silence_ms;
}

/* ---- from the store ---- */

static int on_reply(struct store_call *call, const struct frame *frame, struct err *err)
{
    bool is_end = frame->flags & FRAME_END;
    struct reply reply;
    int r;

    if (call->state != STORE_CALL_SENT)
        return err_set(err, ERR_INVALID, "a second REPLY on stream %u", call->stream);
    r = reply_get(frame, &reply, err);
    if (r < 0)
        return r;
    if (reply.status < 200 || reply.status > 599)
        return err_set(err, ERR_INVALID, "REPLY with status %u", reply.status);
    if (reply.body_length < -1 || (is_end && reply.body_length > 0) ||
        (!is_end && reply.body_length == 0))
        return err_set(err, ERR_INVALID, "REPLY with a body of %lld bytes",
                       (long long)reply.body_length);
    call->is_inside = true;
    if (is_end)
        end(call);
    else
        move(call, STORE_CALL_ANSWERED);
    call->body_left = reply.body_length;
    call->events->head(call->self, &reply, is_end);
    (void)leave_callback(call);
    return 0;
}

static int on_body(struct store_call *call, const struct frame *frame, struct err *err)
{
    bool is_end = frame->flags & FRAME_END;
    size_t len = frame->payload.len;

    if (call->state != STORE_CALL_ANSWERED)
        return err_set(err, ERR_INVALID, "BODY before REPLY on stream %u", call->stream);
    if (len > call->take_window)
        return err_set(err, ERR_INVALID, "%zu bytes of BODY with credit for %zu", len,
                       call->take_window);
    if (call->body_left >= 0 &&
        ((int64_t)len > call->body_left || (is_end && (int64_t)len < call->body_left)))
        return err_set(err, ERR_INVALID, "BODY is not as long as its REPLY said");
    call->take_window -= len;
    if (call->body_left >= 0)
        call->body_left -= (int64_t)len;
    if (len == 0 && !is_end)
        return 0;
    call->is_inside = true;
    if (is_end)
        end(call);
    call->events->body(call->self, frame->payload, is_end);
    (void)leave_callback(call);
    return 0;
}

static int on_credit(struct store_call *call, const struct frame *frame, struct err *err)
{
    struct credit credit;
    int r = credit_get(frame, &credit, err);

    if (r < 0)
        return r;
    if (credit.bytes > SEND_WINDOW_MAX - call->send_window)
        return err_set(err, ERR_INVALID, "CREDIT of %u bytes on top of %zu", credit.bytes,
                       call->send_window);
    call->send_window += credit.bytes;
    if (credit.bytes > 0)
        store_call_wake(call);
    return 0;
}

static int on_reset(struct store_call *call, const struct frame *frame, struct err *err)
{
    struct reset reset;
    int r = reset_get(frame, &reset, err);

    if (r < 0)
        return r;
    if (reset.reason != RESET_FAILED)
        return err_set(err, ERR_INVALID, "RESET for reason %u", reset.reason);
    store_call_fail(call, reset.text);
    return 0;
}

int store_call_frame(struct store_call *call, const struct frame *frame, struct err *err)
{
    call->moved_ms = clock_now_ms();
    switch (frame->type) {
    case FRAME_REPLY:
        return on_reply(call, frame, err);
    case FRAME_BODY:
        return on_body(call, frame, err);
    case FRAME_CREDIT:
        return on_credit(call, frame, err);
    default:
        return on_reset(call, frame, err);
    }
}

/* ---- from the caller ---- */

size_t store_call_window(const struct store_call *call)
{
    size_t pending, room;

    if (!call->is_uploading || call->state == STORE_CALL_WAITS || call->state == STORE_CALL_OVER)
        return 0;
    pending = peer_pending(&call->store->kin.peer);
    room = pending < PEER_OUT_FULL ? PEER_OUT_FULL - pending : 0;
    return call->send_window < room ? call->send_window : room;
}

void store_call_body(struct store_call *call, struct span bytes, bool is_end)
{
    if (call->state == STORE_CALL_OVER || (bytes.len == 0 && !is_end))
        return;
    assert(call->is_uploading && bytes.len <= store_call_window(call));
    call->is_uploading = !is_end;
    if (call->state == STORE_CALL_WAITS) {
        call->has_early_end = true;
        return; /* waits for: store_call_send */
    }
    call->send_window -= bytes.len;
    call->moved_ms = clock_now_ms();
    kin_body(&call->store->kin, call->stream, bytes, is_end);
}

void store_call_credit(struct store_call *call, size_t bytes)
{
    call->owed += bytes;
    assert(call->take_window + call->owed <= FRAME_WINDOW);
    if (call->owed < CREDIT_STEP || !call->store)
        return;
    call->moved_ms = clock_now_ms();
    kin_credit(&call->store->kin, call->stream, call->owed);
    call->take_window += call->owed;
    call->owed = 0;
}

void store_call_abort(struct store_call *call)
{
    /* Inside its own terminal callback it is over already. */
    if (call->state == STORE_CALL_OVER)
        return;
    if (call->state != STORE_CALL_WAITS)
        kin_reset(&call->store->kin, call->stream, RESET_CLIENT_GONE, SPAN(""));
    end(call);
}
