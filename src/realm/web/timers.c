/* timers.c - the C half of timers.js: ids of JavaScript in the realm's heap of timers. */
#include <stddef.h>

#include "base/clock.h"
#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/py/overtime.h"
#include "realm/script/script.h"
#include "realm/timer.h"
#include "realm/web/web.h"

struct js_timer {
    struct timer timer;
    struct js_timer *next;      /* in its bucket */
    double id;
    uint32_t stream;            /* of the request that started it */
};

enum { BUCKETS = 256 };
static struct js_timer *buckets[BUCKETS];

static struct js_timer **find(double id)
{
    struct js_timer **p = &buckets[(uint64_t)id % BUCKETS];

    while (*p && (*p)->id != id)
        p = &(*p)->next;
    return p;
}

static void fire(struct timer *timer)
{
    static JSObjectRef fire_timer;
    struct js_timer *t = (struct js_timer *)(void *)((char *)timer - offsetof(struct js_timer, timer));
    struct js_timer **p = find(t->id);
    JSValueRef id = engine_number(t->id);

    if (!fire_timer)
        fire_timer = engine_internal("fireTimer");
    *p = t->next;
    overtime_run(t->stream);
    mem_free(t);
    engine_run(fire_timer, 1, &id);
    /* What it has woken belongs to its request, too; Python knows by other means. */
    if (script_is_on()) {
        engine_unlock();
        engine_lock();
    }
}

/* timerStart(id, milliseconds); the id must not wait already */
static JSValueRef start(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                        const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    double id = JSValueToNumber(js, arguments[0], NULL), ms = JSValueToNumber(js, arguments[1], NULL);
    struct js_timer *t = mem_alloc(sizeof *t);

    (void)function, (void)self, (void)count;
    if (!t || timers_add(&t->timer, clock_now_us() + (int64_t)(ms * 1000), fire) < 0) {
        mem_free(t);
        return engine_throw(ret_thrown, "RangeError", "out of memory");
    }
    t->id = id;
    t->stream = overtime_current();
    t->next = buckets[(uint64_t)id % BUCKETS];
    buckets[(uint64_t)id % BUCKETS] = t;
    return engine.undefined;
}

/* timerStop(id) */
static JSValueRef stop(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct js_timer **p = find(JSValueToNumber(js, arguments[0], NULL)), *t = *p;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (t) {
        timers_remove(&t->timer);
        *p = t->next;
        mem_free(t);
    }
    return engine.undefined;
}

void web_define_timers(void)
{
    engine_native("timerStart", start);
    engine_native("timerStop", stop);
}
