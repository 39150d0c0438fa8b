/* strand.c - stacks that wait: threads of which exactly one runs at a time.
 *
 * Invariants
 *  1. `running` has the baton; all else here belongs to whoever has it, so only
 *     `running` needs the mutex.
 *  2. A strand that was resumed has a resumer, which waits in the switch; the
 *     baton goes back to it when the strand waits again or has unwound.
 *  3. The strand without a resumer runs the loop.  When it waits, another one
 *     takes the loop over.
 *  4. The loop goes back to the first strand as soon as that one is free: the
 *     process is then as it was before anybody waited.
 *
 * Called by: py/sync.c and realm.c. */
#include "realm/strand.h"

#include <pthread.h>

#include "base/mem.h"
#include "realm/stacks.h"

struct strand {
    pthread_cond_t turn;
    struct strand *resumer; /* waits until this one waits or ends */
    struct strand *next_free;
};

static struct {
    pthread_mutex_t mutex;
    struct strand *running;
    struct strand *loop; /* who runs the loop; NULL before strand_serve */
    struct strand *free;
    unsigned free_count, waiting_count;
    bool is_first_free;
    struct strand first;
    const struct strand_hooks *hooks;
    void (*run)(void *argument);
    void *argument;
} strands = {.mutex = PTHREAD_MUTEX_INITIALIZER};

_Thread_local struct strand *strand_self;

static void pass(struct strand *to)
{
    pthread_mutex_lock(&strands.mutex);
    strands.running = to;
    pthread_cond_signal(&to->turn);
    pthread_mutex_unlock(&strands.mutex);
}

static void await_turn(struct strand *me)
{
    pthread_mutex_lock(&strands.mutex);
    while (strands.running != me)
        pthread_cond_wait(&me->turn, &strands.mutex);
    pthread_mutex_unlock(&strands.mutex);
}

static void switch_to(struct strand *me, struct strand *to)
{
    pthread_mutex_lock(&strands.mutex);
    strands.running = to;
    pthread_cond_signal(&to->turn);
    while (strands.running != me)
        pthread_cond_wait(&me->turn, &strands.mutex);
    pthread_mutex_unlock(&strands.mutex);
}

/* Its work is over: who goes on.  Without a resumer it ran the loop, and gives it back. */
static struct strand *successor(struct strand *me)
{
    struct strand *next = me->resumer;

    me->resumer = NULL;
    if (next)
        return next;
    strands.loop = &strands.first;
    return &strands.first;
}

static void *live(void *argument)
{
    struct strand *me = argument, *next;

    strand_self = me;
    await_turn(me);
    for (;;) {
        strands.hooks->begin();
        strands.run(strands.argument);
        strands.hooks->end();
        next = successor(me);
        if (strands.free_count == STRAND_FREE_MAX)
            break;
        me->next_free = strands.free;
        strands.free = me;
        strands.free_count++;
        switch_to(me, next);
    }
    strand_self = NULL;
    pass(next);
    pthread_cond_destroy(&me->turn);
    mem_free(me);
    return NULL;
}

static struct strand *make(void)
{
    struct strand *s = mem_alloc(sizeof *s);
    pthread_attr_t attributes;
    pthread_t thread;
    bool is_made = false;

    if (!s)
        return NULL;
    stacks_make_room();
    pthread_cond_init(&s->turn, NULL);
    if (pthread_attr_init(&attributes) == 0) {
        is_made = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
                  pthread_attr_setstacksize(&attributes, STRAND_STACK_BYTES) == 0 &&
                  pthread_create(&thread, &attributes, live, s) == 0;
        pthread_attr_destroy(&attributes);
    }
    if (is_made)
        return s;
    pthread_cond_destroy(&s->turn);
    mem_free(s);
    return NULL;
}

/* A strand with nothing to do, for the loop. */
static struct strand *take(void)
{
    struct strand *s = strands.free;

    if (strands.is_first_free)
        return &strands.first;
    if (!s)
        return make();
    strands.free = s->next_free;
    strands.free_count--;
    return s;
}

void strand_open(const struct strand_hooks *hooks)
{
    strands.hooks = hooks;
    strands.running = strand_self = &strands.first;
    pthread_cond_init(&strands.first.turn, NULL);
}

void strand_serve(void (*loop)(void *argument), void *argument)
{
    struct strand *next;

    strands.run = loop;
    strands.argument = argument;
    strands.loop = &strands.first;
    for (;;) {
        loop(argument);
        next = successor(&strands.first);
        strands.is_first_free = true;
        strands.hooks->end();
        switch_to(&strands.first, next);
        strands.hooks->begin();
        strands.is_first_free = false;
    }
}

bool strand_is_serving(void)
{
    return strands.loop != NULL;
}

bool strand_has_loop(void)
{
    return strands.loop == strand_self && !(strands.is_first_free && strand_self != &strands.first);
}

bool strand_has_waiting(void)
{
    return strands.waiting_count > 0;
}

int strand_wait(struct err *err)
{
    struct strand *me = strand_self, *next = me->resumer;

    if (strands.waiting_count == STRAND_WAITING_MAX)
        return err_set(err, ERR_LIMIT, "%d calls wait already, and no more may",
                       STRAND_WAITING_MAX);
    if (!next) {
        next = take();
        if (!next)
            return err_set(err, ERR_NOMEM, "there is no memory for another thread");
        strands.loop = next;
    }
    me->resumer = NULL;
    strands.waiting_count++;
    switch_to(me, next);
    strands.waiting_count--;
    return 0;
}

void strand_resume(struct strand *strand)
{
    strand->resumer = strand_self;
    switch_to(strand_self, strand);
}
