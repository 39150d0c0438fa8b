/* instance.c - frames of one instance in and out, under the eyes of a sceptic.
 *
 * Is it busy?  While it holds calls it is pinged if nothing came from it since
 * the last tick; a PING that stays open for busy_ms means that its loop stands
 * still.  Under load every tick hears something, so no PING is sent at all.
 *
 * Invariants
 *   1. A frame for a stream that was never opened, or that breaks a rule of
 *      call.c, ends the instance; one for a stream that is over is dropped.
 *   2. streams holds exactly the calls in SENT, ANSWERED and LINGERS of this
 *      instance; open counts those that are not in LINGERS.
 *   3. From `ended` on streams is empty and no call gets in.
 *   4. Nothing that it sends makes the node keep more than INSTANCE_STREAMS_MAX
 *      and FRAME_OUTCALLS_MAX windows, one frame, and RATION_BYTES of log per second. */
#include "herd/instance.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

static void on_gone(void *self)
{
    struct instance *instance = self;

    instance->events->gone(instance->self, instance);
    streams_done(&instance->streams);
    streams_done(&instance->outcalls);
    mem_free(instance);
}

static void on_ended(void *self, enum kin_end how, const char *why)
{
    struct instance *instance = self;
    struct call *call;
    char text[640];
    int n;

    n = snprintf(text, sizeof text, "the process that ran this request %s%s",
                 how == KIN_DIED ? "ended" : "was ended: ", how == KIN_DIED ? "" : why);
    for (;;) {
        call = streams_any(&instance->streams);
        if (!call)
            break;
        call_fail(call, CALL_CRASHED, (struct span){text, (size_t)n});
    }
    outcall_end_all(instance);
    instance->events->ended(instance->self, instance, how, why);
}

static void on_up(void *self, const struct hello *hello)
{
    struct instance *instance = self;

    (void)hello;
    instance->idle_ms = clock_now_ms();
    instance->events->up(instance->self, instance);
}

static void on_log(void *self, enum log_level level, struct span text)
{
    struct instance *instance = self;

    instance->events->log(instance->self, level, text);
}

static int on_pong(struct instance *instance, struct err *err)
{
    bool was_busy = instance->is_busy;

    if (instance->ping_ms == 0)
        return err_set(err, ERR_INVALID, "PONG without PING");
    instance->ping_ms = 0;
    instance->is_busy = false;
    if (was_busy)
        instance->events->eased(instance->self, instance);
    return 0;
}

static int on_frame(void *self, const struct frame *frame, struct err *err)
{
    struct instance *instance = self;
    struct call *call;

    instance->is_heard = true;
    if (frame->stream & FRAME_OUTCALL_BIT)
        return outcall_frame(instance, frame, err);
    if (frame->stream > instance->stream_last)
        return err_set(err, ERR_INVALID, "%s frame for stream %u that is not open",
                       frame_name(frame->type), frame->stream);
    if (frame->stream > 0) {
        call = streams_get(&instance->streams, frame->stream);
        return call ? call_frame(call, frame, err) : 0;
    }
    if (frame->type == FRAME_PONG)
        return on_pong(instance, err);
    return err_set(err, ERR_INVALID, "%s frame from an instance", frame_name(frame->type));
}

static void on_room(void *self)
{
    struct instance *instance = self;
    struct ring waiting;

    ring_init(&waiting);
    ring_move(&waiting, &instance->uploading);
    while (!ring_is_empty(&waiting)) {
        struct call *call = RING_OF(waiting.next, struct call, ring);
        ring_push(&instance->uploading, &call->ring);
        call_wake(call);
    }
    outcall_room(instance);
    instance->events->eased(instance->self, instance);
}

int instance_open(struct turn *turn, int take_fd, pid_t parent, uint32_t id,
                  const struct instance_events *events, void *self, struct instance **ret,
                  struct err *err)
{
    static const struct kin_events KIN = {on_up, on_frame, on_log, on_room, on_ended, on_gone};
    struct instance *instance = mem_alloc(sizeof *instance);
    int r;

    if (!instance) {
        close(take_fd);
        return err_nomem(err);
    }
    instance->events = events;
    instance->self = self;
    instance->id = id;
    instance->born_ms = instance->idle_ms = clock_now_ms();
    ring_init(&instance->ring);
    ring_init(&instance->uploading);
    ring_init(&instance->lingering);
    ring_init(&instance->outcall_ring);
    r = kin_open(&instance->kin, turn, take_fd, ROLE_INSTANCE, parent, &KIN, instance, err);
    if (r < 0) {
        mem_free(instance);
        return r;
    }
    *ret = instance;
    return 0;
}

bool instance_has_room(const struct instance *instance)
{
    return kin_is_up(&instance->kin) && !instance->is_retiring &&
           instance->streams.count < INSTANCE_STREAMS_MAX && !peer_is_full(&instance->kin.peer);
}

static int put_opening(struct instance *instance, struct call *call, const struct opening *opening,
                       uint32_t stream, struct err *err)
{
    struct buf *out = peer_out(&instance->kin.peer);
    struct frame kept;
    size_t used;
    int r;

    if (opening)
        return opening_put(opening, out, call->is_uploading ? 0 : FRAME_END, stream, err);
    r = frame_parse(buf_data(&call->request), buf_len(&call->request), &kept, &used, err);
    assert(r == 1);
    r = frame_put(out, kept.type, kept.flags, stream, kept.payload.data, kept.payload.len);
    return r < 0 ? err_nomem(err) : 0;
}

int instance_send(struct instance *instance, struct call *call, const struct opening *opening,
                  struct err *err)
{
    uint32_t stream = instance->stream_last + 1;
    int r;

    assert(instance_has_room(instance));
    if (streams_add(&instance->streams, stream, call) < 0)
        return err_nomem(err);
    r = put_opening(instance, call, opening, stream, err);
    if (r < 0) {
        streams_remove(&instance->streams, stream);
        return r;
    }
    instance->stream_last = stream;
    if (stream == INSTANCE_STREAM_LAST)
        instance->is_retiring = true;
    instance->open++;
    instance->is_active = true;
    call_start(call, instance, stream);
    if (call->is_uploading)
        ring_push(&instance->uploading, &call->ring);
    return 0;
}

static void ping(struct instance *instance, int64_t now_ms)
{
    if (frame_put(peer_out(&instance->kin.peer), FRAME_PING, 0, 0, NULL, 0) == 0)
        instance->ping_ms = now_ms;
}

void instance_tick(struct instance *instance, int64_t now_ms, int busy_ms)
{
    if (!kin_is_up(&instance->kin))
        return;
    while (!ring_is_empty(&instance->lingering)) {
        struct call *call = RING_OF(instance->lingering.next, struct call, ring);
        if (now_ms - call->since_ms < INSTANCE_LINGER_MS)
            break;
        call_end(call);
    }
    if (instance->ping_ms != 0)
        instance->is_busy = now_ms - instance->ping_ms >= busy_ms;
    else if (instance->open > 0 && !instance->is_heard)
        ping(instance, now_ms);
    instance->is_heard = false;
}

void instance_hang_up(struct instance *instance)
{
    if (frame_put(peer_out(&instance->kin.peer), FRAME_HANG_UP, 0, 0, NULL, 0) < 0)
        kin_kill(&instance->kin, "there is no memory to tell it that it is to end");
}

bool instance_is_stuck(const struct instance *instance, int64_t now_ms)
{
    return instance->ping_ms != 0 && now_ms - instance->ping_ms >= INSTANCE_STUCK_MS;
}

bool instance_is_idle(const struct instance *instance) { return instance->streams.count == 0; }

void instance_finish(struct instance *instance, struct call *call)
{
    assert(instance->open > 0);
    instance->open--;
    call->since_ms = clock_now_ms();
    ring_push(&instance->lingering, &call->ring);
}

void instance_forget(struct instance *instance, struct call *call)
{
    streams_remove(&instance->streams, call->stream);
    if (instance->kin.state >= KIN_ENDING)
        return;
    if (instance_is_idle(instance))
        instance->idle_ms = clock_now_ms();
    instance->events->eased(instance->self, instance);
}
