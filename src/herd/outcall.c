/* outcall.c - a stream that an instance opens: checked, bounded, handed to whoever serves it.
 *
 *   OUTCALL -> open --REPLY--> replying --last byte--> over
 *               |                 |                     ^
 *               +-- fail, RESET, end of the instance ---+
 *
 * Invariants
 *   1. At most FRAME_OUTCALLS_MAX are open in one instance; numbers rise by one.
 *   2. take_window + owed + what the service holds = FRAME_WINDOW: the instance
 *      can never have more in flight.
 *   3. No callback fires once the outcall is over, save `gone`, which ends it.
 *   4. An outcall is freed once, and never while a callback of it runs. */
#include "herd/outcall.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "herd/instance.h"

enum {
    CREDIT_STEP = FRAME_WINDOW / 4,     /* bytes; less is not worth a frame */
    SEND_WINDOW_MAX = 16 * 1024 * 1024, /* bytes; nobody may let us send more ahead */
};

/* Off the instance's lists; the memory goes when no callback of it runs. */
static void end(struct outcall *o)
{
    o->is_over = true;
    if (o->instance) {
        streams_remove(&o->instance->outcalls, o->stream);
        ring_drop(&o->ring);
        o->instance = NULL;
    }
    if (!o->is_inside)
        mem_free(o);
}

static void leave_callback(struct outcall *o)
{
    o->is_inside = false;
    if (o->is_over)
        mem_free(o);
}

/* ---- from the instance ---- */

static int check_head(const struct instance *instance, const struct frame *frame,
                      const struct outcall_head *head, struct err *err)
{
    bool is_end = frame->flags & FRAME_END;

    if (instance->outcall_last == INSTANCE_STREAM_LAST ||
        frame->stream != (FRAME_OUTCALL_BIT | (instance->outcall_last + 1)))
        return err_set(err, ERR_INVALID, "OUTCALL on stream %u out of order", frame->stream);
    if (instance->outcalls.count >= FRAME_OUTCALLS_MAX)
        return err_set(err, ERR_INVALID, "more than %d outcalls at once", FRAME_OUTCALLS_MAX);
    if (head->request > instance->stream_last)
        return err_set(err, ERR_INVALID, "OUTCALL for stream %u that was never open",
                       head->request);
    if (head->body_length < -1 || is_end != (head->body_length == 0))
        return err_set(err, ERR_INVALID, "OUTCALL with a body of %lld bytes",
                       (long long)head->body_length);
    return 0;
}

/* Whose it is, and is it within what that one may ask?  What an instance says of requests that do
 * not run here gives it no more than one request has. */
static void count(struct instance *instance, struct outcall *o, uint32_t request)
{
    struct call *call = request ? streams_get(&instance->streams, request) : NULL;
    int64_t max = instance->limits ? instance->limits->of[LIMIT_SUBREQUESTS] : 0, *made;

    o->request = call ? request : 0;
    o->hops = call ? call->hops : instance->hops;
    if (instance->stray_last != instance->stream_last)
        instance->stray_subrequests = 0;
    instance->stray_last = instance->stream_last;
    made = call ? &call->subrequests : &instance->stray_subrequests;
    o->is_too_many = max > 0 && *made >= max;
    if (o->is_too_many)
        instance_met(instance, LIMIT_SUBREQUESTS, call);
    if (max == 0 || *made <= max)
        *made += 1;
}

static int on_outcall(struct instance *instance, const struct frame *frame, struct err *err)
{
    struct outcall_head head;
    struct outcall *o;
    int r;

    r = outcall_head_get(frame, &head, err);
    if (r == 0)
        r = check_head(instance, frame, &head, err);
    if (r < 0)
        return r;
    instance->outcall_last++;
    if (instance->outcall_last == INSTANCE_STREAM_LAST)
        instance->is_retiring = true;
    o = mem_alloc(sizeof *o);
    if (!o || streams_add(&instance->outcalls, frame->stream, o) < 0) {
        mem_free(o);
        kin_reset(&instance->kin, frame->stream, RESET_FAILED, SPAN("The node is out of memory."));
        return 0;
    }
    o->instance = instance;
    o->stream = frame->stream;
    o->send_window = o->take_window = FRAME_WINDOW;
    o->body_left = head.body_length;
    o->has_end = frame->flags & FRAME_END;
    ring_init(&o->ring);
    ring_push(&instance->outcall_ring, &o->ring);
    o->is_inside = true;
    count(instance, o, head.request);
    if (instance->events->outcall)
        instance->events->outcall(instance->self, o, &head, o->has_end);
    if (!o->is_over && !o->events)
        outcall_fail(o, SPAN("Calls out of the worker are not available here."));
    leave_callback(o);
    return 0;
}

static int on_body(struct outcall *o, const struct frame *frame, struct err *err)
{
    bool is_end = frame->flags & FRAME_END;
    size_t len = frame->payload.len;

    if (o->has_end)
        return err_set(err, ERR_INVALID, "BODY behind the end of outcall %u", o->stream);
    if (len > o->take_window)
        return err_set(err, ERR_INVALID, "%zu bytes of BODY with credit for %zu", len,
                       o->take_window);
    if (o->body_left >= 0 &&
        ((int64_t)len > o->body_left || (is_end && (int64_t)len < o->body_left)))
        return err_set(err, ERR_INVALID, "BODY is not as long as its OUTCALL said");
    o->take_window -= len;
    o->has_end = is_end;
    if (o->body_left >= 0)
        o->body_left -= (int64_t)len;
    if (len == 0 && !is_end)
        return kin_noise(&o->instance->kin, NOISE_EMPTY, err);
    o->is_inside = true;
    o->events->body(o->self, frame->payload, is_end);
    leave_callback(o);
    return 0;
}

static void wake(struct outcall *o)
{
    o->is_inside = true;
    o->events->writable(o->self);
    leave_callback(o);
}

static int on_credit(struct outcall *o, const struct frame *frame, struct err *err)
{
    struct credit credit;
    int r = credit_get(frame, &credit, err);

    if (r < 0)
        return r;
    if (credit.bytes > SEND_WINDOW_MAX - o->send_window)
        return err_set(err, ERR_INVALID, "CREDIT of %u bytes on top of %zu", credit.bytes,
                       o->send_window);
    if (credit.bytes == 0)
        return kin_noise(&o->instance->kin, NOISE_EMPTY, err);
    o->send_window += credit.bytes;
    wake(o);
    return 0;
}

/* First the end, then the word: the service frees its side inside. */
static void go(struct outcall *o)
{
    const struct outcall_events *events = o->events;
    void *self = o->self;

    end(o);
    if (events)
        events->gone(self);
}

static int on_reset(struct outcall *o, const struct frame *frame, struct err *err)
{
    struct kin *kin = &o->instance->kin;
    struct reset reset;
    int r = reset_get(frame, &reset, err);

    if (r < 0)
        return r;
    if (reset.reason != RESET_CANCELLED)
        return err_set(err, ERR_INVALID, "RESET of an outcall for reason %u", reset.reason);
    go(o);
    return kin_noise(kin, NOISE_CANCEL, err);
}

int outcall_frame(struct instance *instance, const struct frame *frame, struct err *err)
{
    struct outcall *o = streams_get(&instance->outcalls, frame->stream);
    uint32_t number = frame->stream & ~FRAME_OUTCALL_BIT;

    if (frame->flags & FRAME_FINISHED)
        return err_set(err, ERR_INVALID, "%s frame of an outcall that is finished",
                       frame_name(frame->type));
    if (frame->type == FRAME_OUTCALL)
        return on_outcall(instance, frame, err);
    if (frame->type != FRAME_BODY && frame->type != FRAME_CREDIT && frame->type != FRAME_RESET)
        return err_set(err, ERR_INVALID, "%s frame on an outcall", frame_name(frame->type));
    if (number == 0 || number > instance->outcall_last)
        return err_set(err, ERR_INVALID, "%s frame for outcall %u that is not open",
                       frame_name(frame->type), number);
    if (!o) /* over already: it crossed our last frame */
        return kin_noise(&instance->kin, NOISE_GONE, err);
    switch (frame->type) {
    case FRAME_BODY:
        return on_body(o, frame, err);
    case FRAME_CREDIT:
        return on_credit(o, frame, err);
    default:
        return on_reset(o, frame, err);
    }
}

void outcall_room(struct instance *instance)
{
    struct ring waiting;

    ring_init(&waiting);
    ring_move(&waiting, &instance->outcall_ring);
    while (!ring_is_empty(&waiting)) {
        struct outcall *o = RING_OF(waiting.next, struct outcall, ring);
        ring_push(&instance->outcall_ring, &o->ring);
        wake(o);
    }
}

void outcall_end_all(struct instance *instance)
{
    while (!ring_is_empty(&instance->outcall_ring))
        go(RING_OF(instance->outcall_ring.next, struct outcall, ring));
}

/* ---- from the service ---- */

void outcall_accept(struct outcall *o, const struct outcall_events *events, void *self)
{
    o->events = events;
    o->self = self;
}

void outcall_credit(struct outcall *o, size_t bytes)
{
    o->owed += bytes;
    assert(o->take_window + o->owed <= FRAME_WINDOW);
    if (o->owed < CREDIT_STEP || o->has_end)
        return;
    kin_credit(&o->instance->kin, o->stream, o->owed);
    o->take_window += o->owed;
    o->owed = 0;
}

void outcall_connected(struct outcall *o)
{
    if (!o->is_over)
        kin_credit(&o->instance->kin, o->stream, 0);
}

uint32_t outcall_instance(const struct outcall *o)
{
    return o->instance->id;
}

unsigned outcall_hops(const struct outcall *o)
{
    return o->hops;
}

uint32_t outcall_request(const struct outcall *o)
{
    return o->request;
}

bool outcall_is_too_many(const struct outcall *o)
{
    return o->is_too_many;
}

int64_t outcall_limit(const struct outcall *o, enum limit limit)
{
    return o->instance->limits ? o->instance->limits->of[limit] : 0;
}

void outcall_met(struct outcall *o, enum limit limit)
{
    instance_met(o->instance, limit,
                 o->request ? streams_get(&o->instance->streams, o->request) : NULL);
}

bool outcall_is_ready(const struct outcall *o)
{
    return !o->is_over && !peer_is_full(&o->instance->kin.peer);
}

int outcall_reply(struct outcall *o, const struct reply *reply, bool is_end, struct err *err)
{
    int r;

    assert(!o->has_reply && !o->is_over);
    r = reply_put(peer_out(&o->instance->kin.peer), is_end ? FRAME_END : 0, o->stream, reply, err);
    if (r < 0)
        return r;
    instance_rouse(o->instance);
    o->has_reply = true;
    if (is_end)
        end(o);
    return 0;
}

size_t outcall_window(const struct outcall *o)
{
    /* A full peer says `room` later; one that is nearly full takes one piece more. */
    if (!o->has_reply || o->is_over || peer_is_full(&o->instance->kin.peer))
        return 0;
    return o->send_window;
}

void outcall_body(struct outcall *o, struct span bytes, bool is_end)
{
    assert(o->has_reply && !o->is_over && bytes.len <= o->send_window);
    if (bytes.len == 0 && !is_end)
        return;
    o->send_window -= bytes.len;
    kin_body(&o->instance->kin, o->stream, bytes, is_end);
    if (is_end)
        end(o);
}

void outcall_fail(struct outcall *o, struct span text)
{
    assert(!o->is_over);
    kin_reset(&o->instance->kin, o->stream, RESET_FAILED, text);
    end(o);
}
