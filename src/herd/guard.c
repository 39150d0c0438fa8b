/* guard.c - look at an instance, and end it when it has too much. */
#include "herd/guard.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    IDLE_US = 1000 * 1000, /* of the processor, without a call: for what its engines tidy up */
};

void guard_exceeded(struct crew *crew, struct instance *i, enum limit limit, const char *format,
                    ...)
{
    char text[320];
    va_list arguments;
    int n;

    if (i->kin.killed)
        return;
    va_start(arguments, format);
    vsnprintf(i->words, sizeof i->words, format, arguments);
    va_end(arguments);
    i->exceeded = limit;
    n = snprintf(text, sizeof text, "an instance of '%.64s' (process %d) is ended: %s", crew->name,
                 (int)kin_pid(&i->kin), i->words);
    crew->events->limited(crew->self, limit, (struct span){text, (size_t)n}, NULL);
    kin_kill(&i->kin, i->words);
}

static void on_heaviest(void *self)
{
    struct instance *i = self;
    struct crew *crew = i->self;

    guard_exceeded(crew, i, LIMIT_MEMORY,
                   "the workers of this node hold more than %lld MiB of memory together, and none "
                   "holds as much as this one: %lld MiB",
                   (long long)(crew->config->hoard->limit_bytes >> 20),
                   (long long)(weight_bytes(&i->weight) >> 20));
}

void guard_begin(struct crew *crew, struct instance *i, int64_t now_ms)
{
    (void)crew;
    weight_begin(&i->weight, kin_pid(&i->kin), now_ms);
    hoard_item_init(&i->held, on_heaviest, i);
}

void guard_end(struct crew *crew, struct instance *i)
{
    weight_done(&i->weight);
    hoard_drop(crew->config->hoard, &i->held);
}

/* Code that runs on without a call: threads that a request has left behind. */
static bool is_restless(const struct crew *crew, struct instance *i)
{
    int64_t clock_us;

    if (crew->rule.limit_us == 0)
        return false;
    clock_us = meter_clock_us(kin_pid(&i->kin));
    if (!instance_is_idle(i) || i->rest_ms != i->idle_ms) {
        i->rest_ms = i->idle_ms;
        i->rest_us = clock_us;
    }
    return instance_is_idle(i) && clock_us - i->rest_us > IDLE_US + crew->rule.limit_us;
}

bool guard_look(struct crew *crew, struct instance *i, int64_t now_ms)
{
    const struct limit_set *limits = &crew->limits;
    int64_t most = limits->of[LIMIT_MEMORY] << 20, has;

    if (now_ms < guard_due(i))
        return true;
    weight_look(&i->weight, now_ms, meter_clock_us(kin_pid(&i->kin)), most);
    i->is_resting = instance_is_idle(i);
    if (i->is_resting)
        i->weight.due_ms = now_ms + GUARD_IDLE_MS;
    has = weight_bytes(&i->weight);
    if (i->weight.files >= limits->of[LIMIT_DESCRIPTORS] && limits->of[LIMIT_DESCRIPTORS] > 0)
        instance_met(i, LIMIT_DESCRIPTORS, NULL);
    if (most > 0 && has > most)
        guard_exceeded(crew, i, LIMIT_MEMORY,
                       "it holds %lld MiB of memory, and %lld are allowed (limits.memory_mb)",
                       (long long)(has >> 20), (long long)(most >> 20));
    else if (limits->of[LIMIT_THREADS] > 0 && i->weight.threads > limits->of[LIMIT_THREADS])
        guard_exceeded(crew, i, LIMIT_THREADS,
                       "it has %u threads, and %lld are allowed (limits.threads)",
                       i->weight.threads, (long long)limits->of[LIMIT_THREADS]);
    else if (is_restless(crew, i))
        guard_exceeded(crew, i, LIMIT_CPU,
                       "its code computes on and on while no request runs (limits.cpu_ms)");
    if (!i->kin.killed)
        hoard_say(crew->config->hoard, &i->held, has);
    return !i->kin.killed;
}

int64_t guard_due(const struct instance *i)
{
    /* It has got work since. */
    return i->is_resting && !instance_is_idle(i) ? 0 : i->weight.due_ms;
}
