/* timer.c - things that are due at a time, soonest first.
 *
 * A binary heap of pointers; each timer knows its place, so that removing one
 * costs no search.  One heap per process, since there is one realm: Python's
 * call_later and JavaScript's setTimeout wait in it together, and fire in one
 * order.
 *
 * Invariants: heap[1..count] holds timers, heap[t->place] == t, and no timer
 * is due before its parent heap[place / 2]. */
#include "realm/timer.h"

#include "base/mem.h"

static struct timer **heap;
static size_t count, cap;
static uint64_t order;

static bool is_before(const struct timer *a, const struct timer *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void put(struct timer *timer, size_t place)
{
    heap[place] = timer;
    timer->place = place;
}

static void rise(struct timer *timer, size_t place)
{
    for (; place > 1 && is_before(timer, heap[place / 2]); place /= 2)
        put(heap[place / 2], place);
    put(timer, place);
}

static void sink(struct timer *timer, size_t place)
{
    for (;;) {
        size_t child = place * 2;
        if (child > count)
            break;
        if (child < count && is_before(heap[child + 1], heap[child]))
            child++;
        if (!is_before(heap[child], timer))
            break;
        put(heap[child], place);
        place = child;
    }
    put(timer, place);
}

int timers_add(struct timer *timer, int64_t due_us, timer_fire_fn fire)
{
    timers_remove(timer);
    if (count + 1 >= cap) {
        size_t want = cap ? cap * 2 : 64;
        struct timer **grown = mem_resize(heap, want * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        heap = grown;
        cap = want;
    }
    timer->due_us = due_us;
    timer->order = order++;
    timer->fire = fire;
    rise(timer, ++count);
    return 0;
}

void timers_remove(struct timer *timer)
{
    size_t place = timer->place;
    struct timer *last;

    if (place == 0)
        return;
    timer->place = 0;
    last = heap[count--];
    if (last == timer)
        return;
    if (place > 1 && is_before(last, heap[place / 2]))
        rise(last, place);
    else
        sink(last, place);
}

bool timers_run(int64_t now_us)
{
    uint64_t end = order;   /* those added meanwhile wait for the next turn */
    bool any = false;

    while (count > 0 && heap[1]->due_us <= now_us && heap[1]->order < end) {
        struct timer *timer = heap[1];
        timers_remove(timer);
        timer->fire(timer);
        any = true;
    }
    return any;
}

int64_t timers_next_us(void)
{
    return count > 0 ? heap[1]->due_us : -1;
}
