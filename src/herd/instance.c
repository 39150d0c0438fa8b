/* instance.c - frames of one instance in and out, under the eyes of a sceptic.
 *
 * Is it busy?  While it holds calls it is pinged if nothing came from it since
 * the last tick; a PING that stays open for busy_ms means that its loop stands
 * still.  Under load every tick hears something, so no PING is sent at all.
 * One that computes next to nothing is asked less and less often, until there is something for it
 * to do.
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
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
    CALM_US = 1000, /* of the processor between two PINGs: who uses less only waits */
    CALM_MS = 120,  /* the longest that such a one is not asked */
};

#include "base/clock.h"
#include "base/mem.h"

enum { FULL_PART = 4 }; /* of the memory: so near to the end it dies of nothing else */

static void on_gone(void *self)
{
    struct instance *instance = self;

    instance->events->gone(instance->self, instance);
    streams_done(&instance->streams);
    streams_done(&instance->outcalls);
    meter_done(&instance->meter);
    mem_free(instance);
}

bool instance_is_full(const struct instance *instance)
{
    int64_t grown = instance->space_bytes - instance->space_base;

    return instance->space_max > 0 &&
           grown >= instance->space_max - instance->space_max / FULL_PART;
}

/* Who took too much of the processor was found out; of memory, all are to blame. */
static enum call_failure failure_of(const struct instance *instance, const struct call *call)
{
    if (call->is_guilty)
        return CALL_EXCEEDED_CPU;
    switch (instance->exceeded) {
    case LIMIT_MEMORY:
        return CALL_EXCEEDED_MEMORY;
    case LIMIT_THREADS:
        return CALL_EXCEEDED_OTHER;
    default:
        return CALL_CRASHED;
    }
}

static void on_ended(void *self, enum kin_end how, const char *why)
{
    struct instance *instance = self;
    struct call *call;
    char text[640];
    int n;

    if (how == KIN_DIED &&
        (instance_is_full(instance) || witness_read(&instance->meter.witness) == WORD_FULL))
        instance->exceeded = LIMIT_MEMORY; /* the engine ends itself when it gets no more */
    n = snprintf(text, sizeof text, "the process that ran this request %s%s",
                 how == KIN_DIED ? "ended" : "was ended: ", how == KIN_DIED ? "" : why);
    for (;;) {
        call = streams_any(&instance->streams);
        if (!call)
            break;
        call_fail(call, failure_of(instance, call), (struct span){text, (size_t)n});
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

void instance_met(struct instance *instance, enum limit limit, struct call *call)
{
    unsigned *met = call ? &call->met : &instance->met, bit = 1u << limit;

    if (*met & bit)
        return;
    *met |= bit;
    /* What has filled it may stay: others had better not run beside it. */
    instance->is_retiring |= limit == LIMIT_MEMORY;
    instance->events->met(instance->self, instance, limit, call);
}

/* Its word: it costs a line and a number of its own worker's, and once for each call. */
static int on_met(struct instance *instance, const struct frame *frame, struct err *err)
{
    struct call *call = frame->stream ? streams_get(&instance->streams, frame->stream) : NULL;
    struct met met;
    int r;

    r = met_get(frame, &met, err);
    r = r < 0 ? r : kin_noise(&instance->kin, NOISE_EMPTY, err);
    if (r < 0)
        return r;
    if (met.limit >= LIMITS || !(LIMITS_INSIDE & 1u << met.limit))
        return err_set(err, ERR_INVALID, "MET of limit %u", met.limit);
    if (call || frame->stream == 0)
        instance_met(instance, (enum limit)met.limit, call);
    return 0;
}

/* What it raised is said all the same: nobody raises much. */
static bool may_log(struct instance *instance, struct call *call, size_t bytes)
{
    int64_t most = instance->limits ? instance->limits->of[LIMIT_LOG] << 10 : 0;

    if (most == 0)
        return true;
    if (call->logged < 0)
        return false;
    call->logged += (int64_t)bytes;
    if (call->logged <= most)
        return true;
    call->logged = -1;
    instance_met(instance, LIMIT_LOG, call);
    return false;
}

/* The number is its word: a line goes to a call of this very instance, or to nobody. */
static void on_log(void *self, uint32_t stream, enum log_level level, struct span text,
                   struct span told, bool is_raised)
{
    struct instance *instance = self;
    struct call *call = stream ? streams_get(&instance->streams, stream) : NULL;

    if (call && !is_raised && !may_log(instance, call, text.len))
        return;
    instance->events->log(instance->self, level, text, told, call ? call->ticket : NULL, is_raised);
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
    if (frame->type != FRAME_PONG)
        instance_rouse(instance);
    if (frame->stream & FRAME_OUTCALL_BIT)
        return outcall_frame(instance, frame, err);
    if (frame->stream > instance->stream_last)
        return err_set(err, ERR_INVALID, "%s frame for stream %u that is not open",
                       frame_name(frame->type), frame->stream);
    if (frame->type == FRAME_MET)
        return on_met(instance, frame, err);
    if (frame->stream > 0) {
        call = streams_get(&instance->streams, frame->stream);
        return call ? call_frame(call, frame, err) : kin_noise(&instance->kin, NOISE_GONE, err);
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
    instance->exceeded = LIMITS;
    hoard_item_init(&instance->held, NULL, NULL);
    place_init(&instance->place, NULL, NULL, NULL);
    meter_init(&instance->meter, NULL);
    ring_init(&instance->ring);
    ring_init(&instance->uploading);
    ring_init(&instance->lingering);
    ring_init(&instance->outcall_ring);
    r = kin_open(&instance->kin, turn, take_fd, ROLE_INSTANCE, parent, &KIN, instance, err);
    if (r < 0) {
        mem_free(instance);
        return r;
    }
    instance->kin.peer.out_max = INSTANCE_UNREAD_MAX;
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

/* An event may be longer than all that an instance may leave unread. */
static void allow_long(struct peer *peer)
{
    size_t pending = peer_pending(peer);

    if (pending > PEER_OUT_FULL + FRAME_WINDOW && pending + PEER_OUT_FULL > peer->out_max)
        peer->out_max = pending + PEER_OUT_FULL;
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
    allow_long(&instance->kin.peer);
    instance_rouse(instance);
    instance->stream_last = stream;
    if (stream == INSTANCE_STREAM_LAST)
        instance->is_retiring = true;
    instance->open++;
    instance->is_active = true;
    call_start(call, instance, stream);
    call->meter.stream = stream;
    meter_begin(&instance->meter, &call->meter, kin_pid(&instance->kin));
    if (call->is_uploading)
        ring_push(&instance->uploading, &call->ring);
    return 0;
}

static void ping(struct instance *instance, int64_t now_ms)
{
    if (frame_put(peer_out(&instance->kin.peer), FRAME_PING, 0, 0, NULL, 0) == 0)
        instance->ping_ms = now_ms;
}

static void pace(struct instance *instance, int64_t now_ms, int busy_ms)
{
    int64_t clock_us = meter_clock_us(kin_pid(&instance->kin));
    int next_ms = instance->calm_ms > 0 ? 2 * instance->calm_ms : busy_ms;

    if (clock_us - instance->asked_us >= CALM_US)
        instance_rouse(instance);
    else
        instance->calm_ms = next_ms < CALM_MS ? next_ms : CALM_MS;
    instance->asked_us = clock_us;
    instance->ask_ms = now_ms + instance->calm_ms;
}

void instance_rouse(struct instance *instance)
{
    instance->calm_ms = 0;
    instance->ask_ms = 0;
}

int64_t instance_due(const struct instance *instance, int64_t ticked_ms, int busy_ms)
{
    int64_t due_ms = ticked_ms + (busy_ms + 1) / 2;

    return instance->ping_ms == 0 && instance->ask_ms > due_ms ? instance->ask_ms : due_ms;
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
    else if (instance->open > 0 && !instance->is_heard && now_ms >= instance->ask_ms &&
             !kin_is_resting(&instance->kin)) {
        ping(instance, now_ms);
        pace(instance, now_ms, busy_ms);
    }
    instance->is_heard = false;
}

void instance_hang_up(struct instance *instance)
{
    if (frame_put(peer_out(&instance->kin.peer), FRAME_HANG_UP, 0, 0, NULL, 0) < 0)
        kin_kill(&instance->kin, "there is no memory to tell it that it is to end");
}

bool instance_is_stuck(const struct instance *instance, int64_t now_ms, int stuck_ms)
{
    return instance->ping_ms != 0 && now_ms - instance->ping_ms >= stuck_ms;
}

bool instance_is_idle(const struct instance *instance)
{
    return instance->streams.count == 0;
}

void instance_finish(struct instance *instance, struct call *call)
{
    assert(instance->open > 0);
    instance->open--;
    call->since_ms = clock_now_ms();
    ring_push(&instance->lingering, &call->ring);
}

static struct meter_call *find_metered(void *self, uint32_t stream)
{
    struct instance *instance = self;
    struct call *call = streams_get(&instance->streams, stream);

    return call ? &call->meter : NULL;
}

void instance_meter_by(struct instance *instance, const struct meter_rule *rule,
                       struct witness take_witness)
{
    meter_init(&instance->meter, rule);
    if (take_witness.word)
        meter_ask(&instance->meter, take_witness, find_metered, instance);
}

static void tell_to_stop(struct instance *instance, struct call *call)
{
    /* It may wait for others meanwhile. */
    if (instance->told_us == instance->meter.clock_us)
        return;
    instance->told_us = instance->meter.clock_us;
    proc_signal(&instance->kin.proc, SIGXCPU, (int)call->stream);
}

bool instance_meter(struct instance *instance, int64_t now_ms)
{
    struct meter *meter = &instance->meter;
    struct meter_call *late, *over;
    struct call *call;
    int64_t used_us = 0;

    meter_look(meter, kin_pid(&instance->kin));
    meter_pace(meter, now_ms);
    late = meter_late(meter);
    over = meter_over(meter, &used_us);
    if (!late && !over)
        return false;
    call = RING_OF(late ? late : over, struct call, meter);
    if (call->meter.warned_us < 0)
        call->meter.warned_us = used_us;
    if (!late && used_us - call->meter.warned_us < METER_GRACE_US) {
        tell_to_stop(instance, call);
        return false;
    }
    if (!late)
        call->cpu_us = used_us;
    call->is_guilty = true;
    meter_end(meter, &call->meter, kin_pid(&instance->kin));
    return true;
}

bool instance_has_stopped(struct instance *instance, struct call *call)
{
    int64_t limit_us = instance->meter.rule ? instance->meter.rule->limit_us : 0, used_us;

    if (call->meter.warned_us < 0 || limit_us == 0 || call->meter.base_us < 0)
        return false;
    used_us = meter_used(&instance->meter, &call->meter);
    if (used_us < limit_us - limit_us / 20)
        return false;
    call->cpu_us = used_us;
    meter_stop(&instance->meter, &call->meter);
    instance->events->stopped(instance->self, instance, call);
    return true;
}

void instance_forget(struct instance *instance, struct call *call)
{
    int64_t before_us = call->meter.is_stopped ? call->cpu_us : 0;
    int64_t used_us = meter_end(&instance->meter, &call->meter, kin_pid(&instance->kin));

    if (used_us >= 0)
        call->cpu_us = before_us + used_us;
    streams_remove(&instance->streams, call->stream);
    if (instance->kin.state >= KIN_ENDING)
        return;
    if (instance_is_idle(instance))
        instance->idle_ms = clock_now_ms();
    instance->events->eased(instance->self, instance);
}
