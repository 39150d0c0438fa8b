/* pool_call.c - requests and events into a pool. */
#include "base/clock.h"
#include "herd/pool.h"

static int open_call(struct pool *pool, const struct opening *opening, bool is_end,
                     const struct call_events *events, void *self, struct call **ret_call,
                     struct err *err)
{
    struct instance *instance = NULL;
    struct call *call;
    bool is_first;
    int r;

    if (pool->drain_ms || pool->is_killed)
        return err_set(err, ERR_GONE, "'%s' is being closed", pool->text.name);
    if (pool->queue.count == 0)
        instance = crew_pick(&pool->crew);
    if (!instance && pool->queue.count >= pool->config->queue_max)
        return err_set(err, ERR_LIMIT, "%u requests wait for '%s' already", pool->queue.count,
                       pool->text.name);
    call = call_new(opening, is_end, events, self);
    if (!call)
        return err_nomem(err);
    call->pool_events = pool->events;
    call->pool_self = pool->self;
    if (instance) {
        is_first = instance->open == 0;
        r = instance_send(instance, call, opening, err);
    } else {
        is_first = pool->queue.count == 0;
        pool->waited++;
        r = call_wait(call, &pool->queue, opening, clock_now_ms(), err);
    }
    if (r < 0) {
        call_end(call);
        return r;
    }
    /* Somebody must look whether it stays busy, fork the next one, watch the deadline. */
    if (is_first)
        pool_wake(pool);
    *ret_call = call;
    return 0;
}

int pool_call(struct pool *pool, const struct request *request, bool is_end,
              const struct call_events *events, void *self, struct call **ret_call, struct err *err)
{
    const struct opening opening = {.request = request};

    return open_call(pool, &opening, is_end, events, self, ret_call, err);
}

int pool_event(struct pool *pool, const struct event *event, const struct call_events *events,
               void *self, struct call **ret_call, struct err *err)
{
    const struct opening opening = {.event = event};

    return open_call(pool, &opening, true, events, self, ret_call, err);
}
