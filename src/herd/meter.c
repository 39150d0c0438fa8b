/* meter.c - one clock of a process, shared out among its calls.
 *
 * Invariants
 *   1. meter->calls holds exactly the calls with base_us >= 0, in the order of their bases.
 *   2. While it is empty nobody looks; the first call sets the clock. */
#include "herd/meter.h"

#include <assert.h>
#include <time.h>

enum {
    PROCESSORS = 8,       /* one that uses more at once computes faster than we look */
    METER_REST_US = 1000, /* who has used less since the last look does not compute */
    NEARLY = 20,          /* this part of the limit less is as good as over it */
    CLOCK_PID_SHIFT = 3,  /* Linux: a clock of a process is the complement of its number, ... */
    CLOCK_SCHED = 2,      /* ... and which of its clocks: what the scheduler has given it */
};

static int64_t (*fake_us)(pid_t pid);

void meter_fake_clock(int64_t (*clock_us)(pid_t pid))
{
    fake_us = clock_us;
}

/* As clock_getcpuclockid, which asks the kernel whether there is such a process: the next call says
 * so as well, and this is done twice for every request. */
static clockid_t clock_of(pid_t pid)
{
    return (clockid_t)((~(unsigned)pid << CLOCK_PID_SHIFT) | CLOCK_SCHED);
}

int64_t meter_clock_us(pid_t pid)
{
    struct timespec used;

    if (fake_us)
        return fake_us(pid);
    /* 0 would be this process. */
    if (pid <= 0 || clock_gettime(clock_of(pid), &used) < 0)
        return -1;
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

void meter_init(struct meter *meter, const struct meter_rule *rule)
{
    *meter = (struct meter){.rule = rule};
    ring_init(&meter->calls);
}

void meter_ask(struct meter *meter, struct witness take_witness, meter_find_fn find, void *self)
{
    meter->witness = take_witness;
    meter->find = find;
    meter->self = self;
}

void meter_done(struct meter *meter)
{
    witness_close(&meter->witness);
}

void meter_call_init(struct meter_call *mc)
{
    ring_init(&mc->ring);
    mc->stream = 0;
    mc->base_us = mc->warned_us = -1;
    mc->own_us = 0;
    mc->is_stopped = false;
}

/* The clock now, or as it was read in this turn; -1: the process is gone. */
static int64_t read_clock(struct meter *meter, pid_t pid)
{
    const uint64_t *turn = meter->rule->turn;
    int64_t now_us;

    if (turn && meter->turn == *turn)
        return meter->clock_us;
    now_us = meter_clock_us(pid);
    if (turn && now_us >= 0)
        meter->turn = *turn;
    return now_us;
}

static bool has_just_ended(const struct meter *meter, uint32_t stream)
{
    for (unsigned i = 0; i < meter->ended_count && i < METER_ENDED; i++)
        if (meter->ended[i] == stream)
            return true;
    return false;
}

static void charge(struct meter *meter, int64_t used_us)
{
    uint32_t stream = meter->find ? witness_read(&meter->witness) : 0;
    struct meter_call *runs = stream ? meter->find(meter->self, stream) : NULL;

    if (runs && runs->base_us >= 0) {
        runs->own_us += used_us;
        if (runs->own_us > meter->own_max_us)
            meter->own_max_us = runs->own_us;
    } else if (stream == 0 || !has_just_ended(meter, stream)) {
        meter->share_us += used_us / meter->count;
    }
    meter->ended_count = 0;
}

void meter_look(struct meter *meter, pid_t pid)
{
    int64_t now_us;

    if (meter->count == 0)
        return;
    now_us = read_clock(meter, pid);
    if (now_us <= meter->clock_us)
        return;
    charge(meter, now_us - meter->clock_us);
    meter->total_us += now_us - meter->clock_us;
    meter->clock_us = now_us;
}

static void put_last(struct meter *meter, struct meter_call *mc)
{
    mc->base_us = meter->share_us;
    mc->own_us = 0;
    mc->warned_us = -1;
    ring_push(&meter->calls, &mc->ring);
}

void meter_begin(struct meter *meter, struct meter_call *mc, pid_t pid)
{
    int64_t now_us;

    if (!meter->rule || !meter->rule->is_measured)
        return;
    assert(mc->base_us < 0);
    if (meter->count > 0) {
        meter_look(meter, pid);
    } else {
        now_us = read_clock(meter, pid);
        if (now_us < 0)
            return;
        meter->clock_us = now_us;
        meter->own_max_us = 0;
        meter->ended_count = 0;
        meter->due_ms = 0;
    }
    put_last(meter, mc);
    meter->count++;
}

static void take_out(struct meter *meter, struct meter_call *mc)
{
    ring_drop(&mc->ring);
    mc->base_us = mc->warned_us = -1;
    mc->own_us = 0;
    meter->stopped -= mc->is_stopped;
    mc->is_stopped = false;
    meter->count--;
}

int64_t meter_end(struct meter *meter, struct meter_call *mc, pid_t pid)
{
    int64_t used_us;

    if (mc->base_us < 0)
        return -1;
    meter_look(meter, pid);
    used_us = meter_used(meter, mc);
    take_out(meter, mc);
    meter->ended[meter->ended_count++ % METER_ENDED] = mc->stream;
    return used_us;
}

void meter_restart(struct meter *meter, struct meter_call *mc)
{
    if (mc->base_us >= 0 && !mc->is_stopped)
        put_last(meter, mc);
}

int64_t meter_used(const struct meter *meter, const struct meter_call *mc)
{
    return mc->base_us < 0 ? -1 : mc->own_us + meter->share_us - mc->base_us;
}

/* Others were charged as much while it was there; those that came later have used nothing. */
void meter_stop(struct meter *meter, struct meter_call *mc)
{
    int64_t used_us = meter->share_us - mc->base_us;

    if (mc->base_us < 0 || mc->is_stopped)
        return;
    RING_EACH(at, &meter->calls) {
        struct meter_call *other = RING_OF(at, struct meter_call, ring);
        if (other == mc || other->is_stopped)
            continue;
        other->base_us += used_us;
        if (other->base_us > meter->share_us)
            other->base_us = meter->share_us;
    }
    put_last(meter, mc);
    mc->is_stopped = true;
    meter->stopped++;
}

struct meter_call *meter_late(const struct meter *meter)
{
    if (meter->stopped == 0)
        return NULL;
    RING_EACH(at, &meter->calls) {
        struct meter_call *mc = RING_OF(at, struct meter_call, ring);
        if (mc->is_stopped && meter_used(meter, mc) > METER_GRACE_US)
            return mc;
    }
    return NULL;
}

/* Can any call have used more than that?  The first has the most of what was shared. */
static bool may_be_over(const struct meter *meter, int64_t limit_us)
{
    const struct meter_call *first;

    if (ring_is_empty(&meter->calls))
        return false;
    first = RING_OF(meter->calls.next, struct meter_call, ring);
    return meter->own_max_us + meter->share_us - first->base_us > limit_us;
}

struct meter_call *meter_over(const struct meter *meter, int64_t *ret_used_us)
{
    struct meter_call *guilty = NULL;
    int64_t limit_us = meter->rule ? meter->rule->limit_us : 0, own_us = 0;
    bool is_over = false;

    if (limit_us == 0 || !may_be_over(meter, limit_us))
        return NULL;
    RING_EACH(at, &meter->calls) {
        struct meter_call *mc = RING_OF(at, struct meter_call, ring);
        int64_t used_us = meter_used(meter, mc);
        if (mc->is_stopped || used_us < limit_us - limit_us / NEARLY)
            continue;
        is_over |= used_us > limit_us;
        if (guilty && mc->own_us < own_us - limit_us / NEARLY)
            continue;
        guilty = mc;
        *ret_used_us = used_us;
        if (mc->own_us > own_us)
            own_us = mc->own_us;
    }
    return is_over ? guilty : NULL;
}

void meter_pace(struct meter *meter, int64_t now_ms)
{
    int64_t most_us = 0, most_ms = METER_BUSY_MS, wait_ms;

    if (meter->due_ms > 0 && meter->clock_us - meter->rest_us < METER_REST_US)
        most_ms = METER_REST_MS;
    meter->rest_us = meter->clock_us;
    meter->own_max_us = 0;
    RING_EACH(at, &meter->calls) {
        const struct meter_call *mc = RING_OF(at, struct meter_call, ring);
        if (mc->own_us > meter->own_max_us)
            meter->own_max_us = mc->own_us;
        if (meter_used(meter, mc) > most_us)
            most_us = meter_used(meter, mc);
    }
    wait_ms = (meter->rule->limit_us - most_us) / PROCESSORS / 1000;
    if (wait_ms > most_ms)
        wait_ms = most_ms;
    if (wait_ms < METER_MS || meter->stopped > 0)
        wait_ms = METER_MS;
    meter->due_ms = now_ms + wait_ms;
}

struct meter_call *meter_take_over(struct meter *meter, int64_t *ret_used_us)
{
    struct meter_call *guilty = meter_over(meter, ret_used_us);

    if (guilty)
        take_out(meter, guilty);
    return guilty;
}
