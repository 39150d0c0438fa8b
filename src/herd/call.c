/* call.c - one stream of the wire as a call with callbacks.
 *
 *                 queue                head              last byte
 *   pool_call -> WAITS -> SENT ----------> ANSWERED --------> LINGERS -> OVER
 *                  |        |  failure, abort |                  ^        ^
 *                  |        +-----------------+------------------+        |
 *                  +---- deadline, abort -----------------------------(freed)
 *
 * LINGERS is left by DONE, by FRAME_FINISHED on the last frame, by the end of
 * the instance, or after INSTANCE_LINGER_MS.
 *
 * Everything the instance says is checked whether somebody listens or not:
 * what it may send does not depend on what the client did meanwhile.
 *
 * Invariants
 *   1. Exactly one terminal callback (failed; body with is_end; head with
 *      body_length 0), none after call_abort.
 *   2. take_window + owed + what the caller holds = FRAME_WINDOW: the instance
 *      can never have more in flight, so memory per call is bounded.
 *   3. A call is freed in CALL_OVER only, and never while a callback of it runs. */
#include "herd/call.h"

#include <assert.h>

#include "base/mem.h"
#include "herd/instance.h"

enum {
    CREDIT_STEP = FRAME_WINDOW / 4,     /* bytes; less is not worth a frame */
    SEND_WINDOW_MAX = 16 * 1024 * 1024, /* bytes; nobody may let us send more ahead */
};

static const bool MOVES[CALL_STATES][CALL_STATES] = {
    [CALL_WAITS] = {[CALL_SENT] = true, [CALL_OVER] = true},
    [CALL_SENT] = {[CALL_ANSWERED] = true, [CALL_LINGERS] = true, [CALL_OVER] = true},
    [CALL_ANSWERED] = {[CALL_LINGERS] = true, [CALL_OVER] = true},
    [CALL_LINGERS] = {[CALL_OVER] = true},
};

bool call_may_move(enum call_state from, enum call_state to)
{
    return MOVES[from][to];
}

static void move(struct call *call, enum call_state to)
{
    assert(call_may_move(call->state, to));
    call->state = to;
}

/* Does somebody hear of its ticket until nothing of it runs? */
static bool keeps_ticket(const struct call *call)
{
    return call->ticket && call->pool_events && call->pool_events->over;
}

static void drop_ticket(struct call *call)
{
    void *ticket = call->ticket;

    if (keeps_ticket(call)) {
        call->ticket = NULL;
        call->pool_events->over(call->pool_self, ticket, call_cpu_us(call));
    }
    call->ticket = NULL;
}

static void call_free(struct call *call)
{
    drop_ticket(call);
    buf_done(&call->request);
    mem_free(call);
}

/* Does the caller still want to hear of it? */
static bool is_listening(const struct call *call)
{
    return call->state < CALL_LINGERS;
}

int opening_put(const struct opening *opening, struct buf *out, uint8_t flags, uint32_t stream,
                struct err *err)
{
    return opening->request ? request_put(out, flags, stream, opening->request, err)
                            : event_put(out, flags, stream, opening->event, err);
}

unsigned call_hops(const struct request *request)
{
    static const struct span MARK = SPAN("corral; hops=");
    struct span name, value;
    unsigned hops = 0;
    size_t at = 0;

    while (pairs_next(&request->headers, &at, &name, &value)) {
        const char *end = value.data + value.len, *p = value.data;
        if (!span_is_nocase(name, "cdn-loop"))
            continue;
        while ((p = memmem(p, (size_t)(end - p), MARK.data, MARK.len))) {
            unsigned n = 0;
            for (p += MARK.len; p < end && *p >= '0' && *p <= '9'; p++)
                n = n <= CALL_HOPS_MAX ? n * 10 + (unsigned)(*p - '0') : n;
            n = n <= CALL_HOPS_MAX ? n : CALL_HOPS_MAX + 1;
            hops = n > hops ? n : hops;
        }
    }
    return hops;
}

struct call *call_new(const struct opening *opening, bool is_end, const struct call_events *events,
                      void *self)
{
    struct call *call = mem_alloc(sizeof *call);

    if (!call)
        return NULL;
    ring_init(&call->ring);
    call->state = CALL_WAITS;
    call->events = events;
    call->self = self;
    call->is_uploading = !is_end;
    call->is_head_method = opening->request && span_is(opening->request->method, "HEAD");
    call->hops = opening->request ? call_hops(opening->request) : 0;
    call->is_upgrade = opening->request && opening->request->is_upgrade;
    call->body_left = -1;
    call->cpu_us = -1;
    meter_call_init(&call->meter);
    return call;
}

int call_wait(struct call *call, struct call_queue *queue, const struct opening *opening,
              int64_t now_ms, struct err *err)
{
    int r;

    /* The stream is not known yet: instance_send puts it in. */
    r = opening_put(opening, &call->request, call->is_uploading ? 0 : FRAME_END, 0, err);
    if (r < 0)
        return r;
    call->since_ms = now_ms;
    call->queue = queue;
    queue->count++;
    ring_push(&queue->calls, &call->ring);
    return 0;
}

void call_leave(struct call *call)
{
    if (!call->queue)
        return;
    ring_drop(&call->ring);
    call->queue->count--;
    call->queue = NULL;
}

void call_start(struct call *call, struct instance *instance, uint32_t stream)
{
    if (instance->streams.count <= 1 || call->hops > instance->hops)
        instance->hops = call->hops;
    call_leave(call);
    buf_done(&call->request);
    move(call, CALL_SENT);
    call->instance = instance;
    call->stream = stream;
    call->send_window = FRAME_WINDOW;
    call->take_window = FRAME_WINDOW;
}

void call_end(struct call *call)
{
    call_leave(call);
    if (call->instance && is_listening(call))
        instance_finish(call->instance, call);
    ring_drop(&call->ring);
    move(call, CALL_OVER);
    if (call->instance)
        instance_forget(call->instance, call);
    call->instance = NULL;
    if (!call->is_inside)
        call_free(call);
}

/* The caller has had its last callback, or wants none. */
static void linger(struct call *call)
{
    move(call, CALL_LINGERS);
    instance_finish(call->instance, call);
    if (!keeps_ticket(call))
        call->ticket = NULL;
}

/* Callbacks: the caller may abort inside, so that only is_inside keeps the
 * memory.  Returns false when the call is over and gone. */
static bool leave_callback(struct call *call)
{
    call->is_inside = false;
    if (call->state != CALL_OVER)
        return true;
    call_free(call);
    return false;
}

void call_wake(struct call *call)
{
    if (!is_listening(call) || !call->is_uploading)
        return;
    call->is_inside = true;
    call->events->writable(call->self);
    (void)leave_callback(call);
}

void call_fail(struct call *call, enum call_failure why, struct span text)
{
    bool is_due = is_listening(call);

    /* First the end, then the word: the caller frees its side inside. */
    call->is_inside = true;
    call_end(call);
    if (is_due)
        call->events->failed(call->self, why, text);
    call_free(call);
}

/* The instance's last frame but DONE; or, as its flags may say, the last of all. */
static void finish(struct call *call, const struct frame *frame)
{
    if (frame->flags & FRAME_FINISHED)
        call_end(call);
}

/* The answer to an upgrade that makes the rest of the stream the connection's bytes. */
static bool is_switch(const struct call *call, const struct frame *frame,
                      const struct response *head)
{
    return head->status == 101 && call->is_upgrade && head->body_length == -1 &&
           !(frame->flags & FRAME_END);
}

static int take_head(struct call *call, const struct frame *frame, struct response *head,
                     struct err *err)
{
    bool is_end = frame->flags & FRAME_END;
    int r;

    if (call->has_head || call->has_end)
        return err_set(err, ERR_INVALID, "a second RESPONSE on stream %u", call->stream);
    r = response_get(frame, head, err);
    if (r < 0)
        return r;
    if ((head->status < 200 || head->status > 599) && !is_switch(call, frame, head))
        return err_set(err, ERR_INVALID, "RESPONSE with status %u", head->status);
    if (head->body_length < -1)
        return err_set(err, ERR_INVALID, "RESPONSE with a body of %lld bytes",
                       (long long)head->body_length);
    call->has_head = true;
    call->has_end = is_end;
    if (call->is_head_method || head->status == 304)
        return 0;
    if (is_end && head->body_length > 0)
        return err_set(err, ERR_INVALID, "RESPONSE ends before its body of %lld bytes",
                       (long long)head->body_length);
    if (is_end || head->status == 204)
        head->body_length = 0;
    call->body_left = head->body_length;
    return 0;
}

static int on_response(struct call *call, const struct frame *frame, struct err *err)
{
    bool is_end = frame->flags & FRAME_END;
    struct response head;
    int r;

    r = take_head(call, frame, &head, err);
    if (r < 0)
        return r;
    if (!is_listening(call)) {
        if (is_end)
            finish(call, frame);
        return 0;
    }
    call->is_inside = true;
    if (head.body_length == 0) {
        linger(call);
    } else {
        move(call, CALL_ANSWERED);
    }
    call->events->head(call->self, &head);
    /* The answer to HEAD names a length and sends nothing. */
    if (is_end && call->state == CALL_ANSWERED) {
        linger(call);
        call->events->body(call->self, (struct span){0}, true);
    }
    if (leave_callback(call) && is_end)
        finish(call, frame);
    return 0;
}

static int take_body(struct call *call, const struct frame *frame, struct err *err)
{
    size_t len = frame->payload.len;

    if (!call->has_head)
        return err_set(err, ERR_INVALID, "BODY before RESPONSE on stream %u", call->stream);
    if (call->has_end)
        return err_set(err, ERR_INVALID, "BODY behind the end of stream %u", call->stream);
    if (len > call->take_window)
        return err_set(err, ERR_INVALID, "%zu bytes of BODY with credit for %zu", len,
                       call->take_window);
    if (call->body_left >= 0 && (int64_t)len > call->body_left)
        return err_set(err, ERR_INVALID, "BODY is longer than its RESPONSE said");
    call->take_window -= len;
    if (call->body_left >= 0)
        call->body_left -= (int64_t)len;
    call->has_end = frame->flags & FRAME_END;
    return 0;
}

/* It sent less than it promised: only cutting the connection tells the client. */
static void cut(struct call *call, const struct frame *frame, struct span text)
{
    if (is_listening(call)) {
        call->is_inside = true;
        linger(call);
        call->events->failed(call->self, CALL_CUT, text);
        if (!leave_callback(call))
            return;
    }
    finish(call, frame);
}

static int on_body(struct call *call, const struct frame *frame, struct err *err)
{
    int r;

    r = take_body(call, frame, err);
    if (r < 0)
        return r;
    if (call->has_end && call->body_left > 0) {
        cut(call, frame, SPAN("the answer's body is shorter than its head said"));
        return 0;
    }
    if (is_listening(call) && (frame->payload.len > 0 || call->has_end)) {
        bool is_end = call->has_end;
        call->is_inside = true;
        if (is_end)
            linger(call);
        call->events->body(call->self, frame->payload, is_end);
        if (!leave_callback(call))
            return 0;
    }
    if (call->has_end)
        finish(call, frame);
    else if (frame->payload.len == 0)
        return kin_noise(&call->instance->kin, NOISE_EMPTY, err);
    return 0;
}

static int on_credit(struct call *call, const struct frame *frame, struct err *err)
{
    struct credit credit;
    int r;

    r = credit_get(frame, &credit, err);
    if (r < 0)
        return r;
    if (credit.bytes > SEND_WINDOW_MAX - call->send_window)
        return err_set(err, ERR_INVALID, "CREDIT of %u bytes on top of %zu", credit.bytes,
                       call->send_window);
    if (credit.bytes == 0)
        return kin_noise(&call->instance->kin, NOISE_EMPTY, err);
    call->send_window += credit.bytes;
    call_wake(call);
    return 0;
}

static int on_unread(struct call *call, struct err *err)
{
    if (call->is_unwanted || !call->is_uploading)
        return kin_noise(&call->instance->kin, NOISE_EMPTY, err);
    call->is_unwanted = true;
    if (!is_listening(call))
        return 0;
    ring_drop(&call->ring);
    call->is_inside = true;
    call->events->unwanted(call->self);
    (void)leave_callback(call);
    return 0;
}

static int on_reset(struct call *call, const struct frame *frame, struct err *err)
{
    enum call_failure why;
    struct reset reset;
    int r;

    r = reset_get(frame, &reset, err);
    if (r < 0)
        return r;
    if (reset.reason == RESET_UNREAD)
        return on_unread(call, err);
    if (reset.reason != RESET_EXCEPTION && reset.reason != RESET_BAD_RESULT &&
        reset.reason != RESET_BODY)
        return err_set(err, ERR_INVALID, "RESET for reason %u", reset.reason);
    if (call->has_end)
        return err_set(err, ERR_INVALID, "RESET behind the end of stream %u", call->stream);
    call->has_end = true;
    why = reset.reason == RESET_EXCEPTION ? CALL_EXCEPTION : CALL_BAD_RESULT;
    if (call->has_head || reset.reason == RESET_BODY)
        why = CALL_CUT;
    if (call->instance && instance_has_stopped(call->instance, call))
        why = CALL_EXCEEDED_CPU;
    if (is_listening(call)) {
        call->is_inside = true;
        linger(call);
        call->events->failed(call->self, why, reset.text);
        if (!leave_callback(call))
            return 0;
    }
    finish(call, frame);
    return 0;
}

int call_frame(struct call *call, const struct frame *frame, struct err *err)
{
    if ((frame->flags & FRAME_FINISHED) && !(frame->flags & FRAME_END))
        return err_set(err, ERR_INVALID, "%s frame that is finished and has no end",
                       frame_name(frame->type));
    switch (frame->type) {
    case FRAME_RESPONSE:
        return on_response(call, frame, err);
    case FRAME_BODY:
        return on_body(call, frame, err);
    case FRAME_CREDIT:
        return on_credit(call, frame, err);
    case FRAME_RESET:
        return on_reset(call, frame, err);
    case FRAME_DONE:
        if (is_listening(call))
            return err_set(err, ERR_INVALID, "DONE before the end of stream %u", call->stream);
        call_end(call);
        return 0;
    default:
        return err_set(err, ERR_INVALID, "%s frame from an instance", frame_name(frame->type));
    }
}

void call_set_ticket(struct call *call, void *ticket)
{
    drop_ticket(call);
    call->ticket = ticket;
    if (ticket && call->pool_events && call->pool_events->taken)
        call->pool_events->taken(call->pool_self, ticket);
}

int64_t call_cpu_us(const struct call *call)
{
    struct instance *instance = call->instance;

    if (!instance || call->meter.base_us < 0)
        return call->cpu_us;
    meter_look(&instance->meter, kin_pid(&instance->kin));
    return meter_used(&instance->meter, &call->meter) + (call->meter.is_stopped ? call->cpu_us : 0);
}

size_t call_window(const struct call *call)
{
    size_t pending, room;

    if (!is_listening(call) || !call->is_uploading || !call->instance)
        return 0;
    if (call->is_unwanted)
        return FRAME_WINDOW;
    pending = peer_pending(&call->instance->kin.peer);
    room = pending < PEER_OUT_FULL ? PEER_OUT_FULL - pending : 0;
    return call->send_window < room ? call->send_window : room;
}

void call_body(struct call *call, struct span bytes, bool is_end)
{
    if (!is_listening(call))
        return;
    assert(call->instance && call->is_uploading);
    assert(bytes.len <= call_window(call));
    /* What comes over a WebSocket is an event of its own. */
    if (call->is_upgrade && bytes.len > 0)
        meter_restart(&call->instance->meter, &call->meter);
    if (is_end) {
        call->is_uploading = false;
        ring_drop(&call->ring);
    }
    if (call->is_unwanted || (bytes.len == 0 && !is_end))
        return;
    call->send_window -= bytes.len;
    kin_body(&call->instance->kin, call->stream, bytes, is_end);
}

void call_credit(struct call *call, size_t bytes)
{
    call->owed += bytes;
    assert(call->take_window + call->owed <= FRAME_WINDOW);
    if (call->owed < CREDIT_STEP || call->has_end || !call->instance)
        return;
    kin_credit(&call->instance->kin, call->stream, call->owed);
    call->take_window += call->owed;
    call->owed = 0;
}

void call_abort(struct call *call, enum reset_reason reason)
{
    /* Inside its own terminal callback it is over already. */
    if (!is_listening(call))
        return;
    if (call->state == CALL_WAITS) {
        call_end(call);
        return;
    }
    kin_reset(&call->instance->kin, call->stream, reason, SPAN(""));
    linger(call);
}
