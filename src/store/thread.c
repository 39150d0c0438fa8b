/* thread.c - leader and followers.
 *
 * Invariants
 *  1. Exactly one thread leads.  What only the leader may touch it touches while leads_us is 0;
 * while it runs SQL the deputy may take the lead.
 *  2. While the leader runs SQL another thread is idle, or was when it began:
 *     the watch passes the lead on as soon as there is one.
 *  3. A thread is idle only while there is nothing that it could take up, but
 *     for what the leader is about to.
 *
 * A thread has a connection for reading of its own, with its statements; the
 * one for writing goes with is_writing. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/serving.h"

enum job { JOB_NONE, JOB_LEAD, JOB_WRITE, JOB_CALL, JOB_CHECKPOINT };

void store_die(struct store *s, const struct err *err)
{
    char text[sizeof err->text + sizeof err->hint + 8];
    struct log_line m = {.level = LOG_ERROR};
    struct err ignored;
    struct buf *out;

    if (err->code == ERR_GONE)
        _exit(0);
    snprintf(text, sizeof text, "%s%s%s", err->text, err->hint[0] ? ". " : "", err->hint);
    m.text = span_of(text);
    out = outbox_enter(&s->out);
    if (log_line_put(out, 0, 0, &m, &ignored) < 0)
        _exit(1);
    outbox_leave(&s->out);
    /* As far as the node reads: it may be the one that is broken. */
    if (outbox_flush(&s->out, &ignored) < 0)
        _exit(1);
    _exit(1);
}

/* ---- the lead ---- */

/* It looks from the next time on that the leader runs something. */
static void set_deputy(struct store *s, struct thread *t)
{
    s->deputy = t;
    s->is_watched = false;
}

static struct thread *pop_idle(struct store *s)
{
    struct thread *t = s->idle;

    if (t) {
        s->idle = t->next_idle;
        s->idle_count--;
        t->is_idle = false;
        if (s->deputy == t)
            set_deputy(s, NULL);
    }
    return t;
}

static void push_idle(struct store *s, struct thread *t)
{
    if (!s->idle)
        set_deputy(s, t);
    t->is_idle = true;
    t->next_idle = s->idle;
    s->idle = t;
    s->idle_count++;
}

static void remove_idle(struct store *s, struct thread *t)
{
    struct thread **at = &s->idle, *above = NULL;

    while (*at != t) {
        above = *at;
        at = &above->next_idle;
    }
    *at = t->next_idle;
    s->idle_count--;
    t->is_idle = false;
    set_deputy(s, above);
}

bool thread_leads(struct thread *t)
{
    if (t->is_leader && atomic_load(&t->leads_us) == LEAD_LOST) {
        atomic_store(&t->leads_us, 0);
        t->is_leader = false;
    }
    return t->is_leader;
}

/* What the leader alone may touch is its own again, if nobody has taken the lead. */
static bool keeps_lead(struct thread *t)
{
    if (t->is_leader && atomic_exchange(&t->leads_us, 0) == LEAD_LOST)
        t->is_leader = false;
    return t->is_leader;
}

void thread_pass_lead(struct thread *t)
{
    struct store *s = t->store;
    struct thread *next;

    if (!keeps_lead(t))
        return;
    pthread_mutex_lock(&s->lock);
    next = pop_idle(s);
    if (next) {
        t->is_leader = false;
        next->is_leader = true;
        s->leader = next;
        pthread_cond_signal(&next->wake);
    }
    pthread_mutex_unlock(&s->lock);
    if (!next)
        atomic_store(&t->leads_us, t->began_us);
}

/* With the lock held, by the deputy. */
static bool takes_lead(struct store *s, struct thread *deputy)
{
    int64_t since = atomic_load(&s->leader->leads_us);

    if (since <= 0 || clock_now_us() - since < STORE_STUCK_MS * 1000)
        return false;
    if (!atomic_compare_exchange_strong(&s->leader->leads_us, &since, LEAD_LOST))
        return false;
    remove_idle(s, deputy);
    deputy->is_leader = true;
    s->leader = deputy;
    return true;
}

void store_watch_leader(struct store *s)
{
    s->is_active = true;
    if (s->is_watched || !s->deputy)
        return;
    s->is_watched = true;
    pthread_cond_signal(&s->deputy->wake);
}

void thread_pass_lead_if_slow(struct thread *t)
{
    if (thread_leads(t) && clock_now_us() - t->began_us > STORE_SLOW_US)
        thread_pass_lead(t);
}

/* ---- the watch ---- */

static bool look(void *self)
{
    struct thread *t = self;
    int64_t now = clock_now_us();

    if (thread_leads(t) && now - t->began_us > STORE_SLOW_US)
        thread_pass_lead(t);
    if (atomic_load_explicit(&t->store->is_ending, memory_order_relaxed))
        return true;
    if (!t->call)
        return false;
    if (now > t->deadline_us)
        t->is_late = true;
    /* Those before it in the group do not wait for its end: it begins the next one. */
    if (!t->is_first && now - t->watched_us > STORE_GROUP_US)
        t->is_blocked = true;
    return t->is_late || t->is_blocked ||
           atomic_load_explicit(&t->call->is_cancelled, memory_order_relaxed);
}

void thread_begin(struct thread *t)
{
    t->began_us = clock_now_us();
    thread_unwatch(t);
    if (t->is_leader)
        atomic_store(&t->leads_us, t->began_us);
}

void thread_end(struct thread *t)
{
    struct err err = {0};
    bool was_leader = t->is_leader;

    thread_unwatch(t);
    /* What it has put into the outbox since the new leader looked. */
    if (was_leader && !keeps_lead(t) && outbox_drain(&t->store->out, &err) < 0)
        store_die(t->store, &err);
}

void thread_watch(struct thread *t, struct call *call)
{
    t->call = call;
    atomic_store(&t->watched_stream, call->stream);
    thread_watch_on(t);
    t->watched_us = clock_now_us();
    t->is_late = t->is_stalled = t->is_blocked = t->has_no_rows = false;
    t->is_first = true;
}

void thread_watch_on(struct thread *t)
{
    int64_t query_us = t->store->options.query_ms * 1000, grace_us = query_us / 8;

    if (grace_us < STORE_OVERDUE_MS * 1000)
        grace_us = STORE_OVERDUE_MS * 1000;
    t->deadline_us = clock_now_us() + query_us;
    atomic_store(&t->overdue_us, t->deadline_us + grace_us);
}

void thread_unwatch(struct thread *t)
{
    t->call = NULL;
    atomic_store(&t->overdue_us, 0);
}

struct call *store_find_overdue(struct store *s, int64_t now_us)
{
    for (unsigned i = 0; i < STORE_THREADS; i++) {
        int64_t overdue_us = atomic_load(&s->threads[i].overdue_us);
        if (overdue_us != 0 && now_us > overdue_us)
            return call_find(&s->calls, atomic_load(&s->threads[i].watched_stream));
    }
    return NULL;
}

int thread_reader(struct thread *t, struct connection **ret, struct err *err)
{
    int r = 0;

    if (!t->reader) {
        r = connection_open(CONNECTION_READ, &t->reader, err);
        if (r == 0)
            connection_watch(t->reader, &t->watch);
    }
    *ret = t->reader;
    return r;
}

/* ---- checkpoints ---- */

bool store_wants_checkpoint(const struct store *s, uint32_t frames)
{
    struct engine_position now = engine_position(), then = s->checkpointed;
    bool is_same_wal = now.epoch == then.epoch && now.checkpoint == then.checkpoint;

    if (s->is_checkpointing || engine_wal_frames() <= frames)
        return false;
    /* What a reader held up is tried again when there is more. */
    return !is_same_wal || now.frame > then.frame + frames;
}

void store_checkpoint(struct store *s, struct connection *c)
{
    struct engine_position position = engine_position();

    connection_checkpoint(c);
    pthread_mutex_lock(&s->lock);
    s->is_checkpointing = false;
    s->checkpointed = position;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

void store_offer_call(struct store *s)
{
    /* the last idle one is for the lead; who runs SQL with the lead looks when it is done, or slow
     */
    if (s->idle_count >= 2 && atomic_load(&s->leader->leads_us) == 0)
        pthread_cond_signal(&pop_idle(s)->wake);
}

static void checkpoint(struct thread *t)
{
    struct connection *c;
    struct err err = {0};

    thread_begin(t);
    if (thread_reader(t, &c, &err) < 0)
        store_die(t->store, &err);
    store_checkpoint(t->store, c);
    thread_end(t);
}

void store_offer_checkpoint(struct store *s, uint32_t frames)
{
    pthread_mutex_lock(&s->lock);
    /* the last idle one is for the lead */
    if (s->idle_count >= 2 && !s->is_checkpoint_due && store_wants_checkpoint(s, frames)) {
        s->is_checkpoint_due = true;
        pthread_cond_signal(&pop_idle(s)->wake);
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- the life of a thread ---- */

static enum job pick(struct thread *t, struct call **ret_call)
{
    struct store *s = t->store;

    if (t->is_leader)
        return JOB_LEAD;
    if (atomic_load(&s->is_ending))
        return JOB_NONE;
    if (s->writes.first && !s->is_writing) {
        s->is_writing = true;
        return JOB_WRITE;
    }
    *ret_call = queue_pop(&s->todo);
    if (*ret_call) {
        (*ret_call)->state = CALL_RUNNING;
        return JOB_CALL;
    }
    if (s->is_checkpoint_due ||
        (s->is_started && store_wants_checkpoint(s, STORE_CHECKPOINT_FRAMES))) {
        s->is_checkpointing = true;
        s->is_checkpoint_due = false;
        return JOB_CHECKPOINT;
    }
    return JOB_NONE;
}

/* Idle, under the lock: until somebody has work, or the leader is stuck. */
static void rest(struct thread *t)
{
    struct store *s = t->store;
    unsigned looks = 0;

    push_idle(s, t);
    pthread_cond_broadcast(&s->changed);
    while (t->is_idle) {
        int64_t until_us = clock_now_us() + STORE_STUCK_MS * 1000;
        struct timespec at = {until_us / 1000000, until_us % 1000000 * 1000};
        if (s->deputy != t || !s->is_watched) {
            pthread_cond_wait(&t->wake, &s->lock);
            looks = 0;
            continue;
        }
        pthread_cond_timedwait(&t->wake, &s->lock, &at);
        if (!t->is_idle || takes_lead(s, t))
            break;
        looks = s->is_active ? 0 : looks + 1;
        s->is_active = false;
        s->is_watched = looks < STORE_WATCHED_LOOKS;
    }
}

static enum job wait_for_job(struct thread *t, struct call **ret_call)
{
    struct store *s = t->store;
    enum job job;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        job = pick(t, ret_call);
        if (job != JOB_NONE)
            break;
        rest(t);
    }
    pthread_mutex_unlock(&s->lock);
    return job;
}

void *thread_main(void *self)
{
    struct thread *t = self;
    struct call *call = NULL;

    t->watch = (struct engine_watch){look, t};
    for (;;) {
        switch (wait_for_job(t, &call)) {
        case JOB_LEAD:
            lead_run(t);
            break;
        case JOB_WRITE:
            group_run(t);
            break;
        case JOB_CALL:
            run_call(t, call);
            break;
        case JOB_CHECKPOINT:
            checkpoint(t);
            break;
        case JOB_NONE:
            break;
        }
    }
    return NULL;
}
