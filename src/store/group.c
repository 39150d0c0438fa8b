/* group.c - the writer: what is queued runs in one transaction, and is answered after its commit.
 *
 * Each call has a savepoint, so that it fails alone.  Three things are not to be had that way:
 *
 *   - SQL that ends the whole transaction (OR ROLLBACK, RAISE(ROLLBACK), a full disk): those before
 *     it in the group have lost their work too, and run again, one by one, it behind them;
 *   - a call that is cancelled after it has run: the others run again without it;
 *   - records that are too many to be kept until the commit: such a call has to be the first of its
 *     transaction, which it then does not share with those behind it.  A call that is not the first
 *     is undone when it comes to that, and begins the next group.
 *
 * So records leave before the commit only when the call can never run twice, and calls take
 * effect in the order of the queue, whatever happens.
 *
 * Invariant: the thread that has set is_writing is the only one that touches the writer. */
#include <stdlib.h>

#include "base/clock.h"
#include "store/serving.h"

struct group {
    struct call *calls[STORE_GROUP_MAX];
    unsigned count;
};

enum outcome {
    OUTCOME_RAN,     /* it is done, or has failed and is undone */
    OUTCOME_BLOCKED, /* it is undone: the next group begins with it */
    OUTCOME_ENDED,   /* there is no transaction any more */
};

/* ---- the queue ---- */

/* false: there is nothing more, and is_writing has ended. */
static bool take_group(struct store *s, struct group *g)
{
    struct call *call;

    g->count = 0;
    pthread_mutex_lock(&s->lock);
    while (g->count < STORE_GROUP_MAX && s->writes.first && !atomic_load(&s->is_ending)) {
        bool is_script = s->writes.first->method == CALL_SCRIPT;
        if (is_script && g->count > 0)
            break;
        call = queue_pop(&s->writes);
        call->state = CALL_RUNNING;
        g->calls[g->count++] = call;
        if (is_script)
            break;
    }
    if (g->count == 0)
        s->is_writing = false;
    pthread_mutex_unlock(&s->lock);
    return g->count > 0;
}

/* Those from `first` on go back to the head of the queue. */
static void give_back(struct store *s, struct group *g, unsigned first)
{
    pthread_mutex_lock(&s->lock);
    while (g->count > first) {
        struct call *call = g->calls[--g->count];
        call->state = CALL_QUEUED;
        queue_push_front(&s->writes, call);
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- one call ---- */

/* As it was before it ran. */
static void begin_again(struct call *call)
{
    buf_eat(&call->stage, buf_len(&call->stage));
    call->is_failed = false;
}

static enum outcome run_marked(struct thread *t, struct connection *c, struct call *call,
                               bool is_first)
{
    struct row_error fault = {.statement = UINT32_MAX};
    struct err err = {0};
    int r;

    thread_watch(t, call);
    t->is_first = is_first;
    begin_again(call);
    r = connection_mark(c, &err);
    if (r == 0)
        r = run_write(t, c, call, &fault, &err);
    if (r == 0 && connection_is_inside(c))
        r = connection_release(c, &err);
    if (r == 0 && connection_is_inside(c))
        return OUTCOME_RAN;
    if (r == 0)
        err_set(&err, ERR_INVALID, "the transaction was ended: SQLITE_ERROR");
    if (t->is_blocked && connection_is_inside(c)) {
        connection_rollback_to_mark(c);
        begin_again(call);
        return OUTCOME_BLOCKED;
    }
    answer_fail(t, call, &fault, &err);
    if (!connection_is_inside(c))
        return OUTCOME_ENDED;
    connection_rollback_to_mark(c);
    return OUTCOME_RAN;
}

/* ---- the group ---- */

static void run_transaction(struct thread *t, struct group *g);

static void run_one_by_one(struct thread *t, const struct group *g)
{
    for (unsigned i = 0; i < g->count; i++) {
        struct group one = {.calls = {g->calls[i]}, .count = 1};
        run_transaction(t, &one);
    }
}

static void fail_all(struct thread *t, const struct group *g, const struct err *err)
{
    const struct row_error fault = {.statement = UINT32_MAX};

    for (unsigned i = 0; i < g->count; i++)
        answer_error(t, g->calls[i], &fault, err);
}

/* Somebody has lost interest in what is done already, but not committed. */
static bool has_cancelled(const struct group *g)
{
    for (unsigned i = 0; i < g->count; i++)
        if (atomic_load(&g->calls[i]->is_cancelled) && !g->calls[i]->is_failed)
            return true;
    return false;
}

static void drop_cancelled(struct thread *t, struct group *g)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < g->count; i++)
        if (atomic_load(&g->calls[i]->is_cancelled))
            answer_nothing(t, g->calls[i]);
        else
            g->calls[kept++] = g->calls[i];
    g->count = kept;
}

/* Run calls until something ends the group; afterwards it has only those that ran. */
static enum outcome run_calls(struct thread *t, struct connection *c, struct group *g)
{
    enum outcome outcome = OUTCOME_RAN;
    int64_t began_us = clock_now_us();
    unsigned n = 0;

    while (n < g->count && outcome == OUTCOME_RAN) {
        outcome = run_marked(t, c, g->calls[n], n == 0);
        if (outcome != OUTCOME_BLOCKED)
            n++;
        if (g->calls[0]->has_left || clock_now_us() - began_us > STORE_GROUP_US)
            break;
        thread_pass_lead_if_slow(t);
    }
    give_back(t->store, g, n);
    return outcome;
}

static void commit(struct thread *t, struct connection *c, struct group *g)
{
    const struct row_error fault = {.statement = UINT32_MAX};
    struct err err = {0};

    /* A disk takes its time. */
    if (t->store->options.sync == ENGINE_SYNC_FULL)
        thread_pass_lead(t);
    t->call = NULL;
    if (connection_commit(c, &err) < 0) {
        connection_rollback(c);
        if (g->count > 1)
            run_one_by_one(t, g);
        else if (g->calls[0]->is_failed)
            answer_done(t, g->calls[0]);
        else
            answer_error(t, g->calls[0], &fault, &err);
        return;
    }
    for (unsigned i = 0; i < g->count; i++)
        answer_done(t, g->calls[i]);
}

static void run_transaction(struct thread *t, struct group *g)
{
    struct connection *c = t->store->writer;
    struct err err = {0};
    enum outcome outcome;

    drop_cancelled(t, g);
    if (g->count == 0)
        return;
    thread_watch(t, g->calls[0]);
    if (connection_begin(c, &err) < 0) {
        fail_all(t, g, &err);
        return;
    }
    outcome = run_calls(t, c, g);
    if (outcome == OUTCOME_ENDED && g->count == 1) {
        answer_done(t, g->calls[0]);
    } else if (outcome == OUTCOME_ENDED || has_cancelled(g)) {
        connection_rollback(c);
        run_one_by_one(t, g);
    } else {
        commit(t, c, g);
    }
}

static int open_writer(struct thread *t, struct err *err)
{
    struct store *s = t->store;
    int r = 0;

    if (!s->writer)
        r = connection_open(CONNECTION_WRITE, &s->writer, err);
    if (r == 0)
        connection_watch(s->writer, &t->watch);
    return r;
}

void group_run(struct thread *t)
{
    struct store *s = t->store;
    struct group g;
    struct err err = {0};

    thread_begin(t);
    while (take_group(s, &g)) {
        if (open_writer(t, &err) < 0)
            fail_all(t, &g, &err);
        else
            run_transaction(t, &g);
        t->call = NULL;
    }
    store_offer_checkpoint(s, STORE_CHECKPOINT_FRAMES);
}
