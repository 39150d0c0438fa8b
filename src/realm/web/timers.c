/* timers.c - the C half of timers.js: ids of JavaScript in the realm's heap of timers.
 *
 * In a worker in JavaScript a timer that is tied ends with its request.  Whose it is, is known when
 * one request is alone, and in what the host calls until that returns; in the microtasks behind it
 * another one may go on, which has waited for what this one has settled.  Such a timer ends with
 * the last of those that were alive when it was started: never too early. */
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
    uint32_t last;              /* it may be of any up to this one; 0: it is that one's */
    bool is_tied;               /* and ends with it */
};

enum { BUCKETS = 256 };
static struct js_timer *buckets[BUCKETS];
static size_t tied;             /* that wait */
static struct {
    uint32_t stream, last;      /* as above; 0: nobody is known to run */
} owner;

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
    tied -= t->is_tied;
    overtime_run(t->stream);
    if (t->is_tied) {
        owner.stream = t->stream;
        owner.last = t->last;
    }
    mem_free(t);
    engine_run(fire_timer, 1, &id);
    owner.stream = 0;
    /* What it has woken belongs to its request, too; Python knows by other means. */
    if (script_is_on()) {
        engine_unlock();
        engine_lock();
    }
}

void web_timers_owner(uint32_t stream)
{
    owner.stream = stream;
    owner.last = 0;
}

/* false: there is nobody whom it could end with. */
static bool tie(struct js_timer *t)
{
    t->is_tied = true;
    t->last = 0;
    if (owner.stream) {
        t->stream = owner.stream;
        t->last = owner.last;
    } else if (exchange_count() != 1 || !exchange_find(t->stream)) {
        t->last = exchange_last();
    }
    return t->last ? exchange_count() > 0 : exchange_find(t->stream) != NULL;
}

/* Out of the buckets: those that nobody is left for. */
static struct js_timer *take_left(void)
{
    const uint32_t first = exchange_first();
    struct js_timer *left = NULL, *t;

    for (size_t i = 0; i < BUCKETS; i++)
        for (struct js_timer **p = &buckets[i]; (t = *p);) {
            if (!t->is_tied || (t->last ? first > 0 && first <= t->last
                                        : exchange_find(t->stream) != NULL)) {
                p = &t->next;
                continue;
            }
            *p = t->next;
            t->next = left;
            left = t;
            tied--;
            timers_remove(&t->timer);
        }
    return left;
}

static void on_ended(uint32_t stream)
{
    static JSObjectRef end_timer;
    struct js_timer *left = tied > 0 ? take_left() : NULL;

    (void)stream;
    while (left) {
        struct js_timer *t = left;
        JSValueRef id = engine_number(t->id);
        if (!end_timer)
            end_timer = engine_internal("endTimer");
        left = t->next;
        mem_free(t);
        engine_run(end_timer, 1, &id);
    }
}

/* timerStart(id, milliseconds, is it tied to the request?) -> false: it would never be due; the id
 * must not wait already */
static JSValueRef start(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                        const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    double id = JSValueToNumber(js, arguments[0], NULL), ms = JSValueToNumber(js, arguments[1], NULL);
    struct js_timer *t = mem_alloc(sizeof *t);

    (void)function, (void)self;
    if (t)
        t->stream = overtime_current();
    if (t && count > 2 && script_is_on() && JSValueToBoolean(js, arguments[2]) && !tie(t)) {
        mem_free(t);
        return JSValueMakeBoolean(js, false);
    }
    if (!t || timers_add(&t->timer, clock_now_us() + (int64_t)(ms * 1000), fire) < 0) {
        mem_free(t);
        return engine_throw(ret_thrown, "RangeError", "out of memory");
    }
    t->id = id;
    tied += t->is_tied;
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
        tied -= t->is_tied;
        mem_free(t);
    }
    return engine.undefined;
}

void web_define_timers(void)
{
    exchange_set_ended(on_ended);
    engine_native("timerStart", start);
    engine_native("timerStop", stop);
}
