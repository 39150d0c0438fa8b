/* group.c - the writer: what is queued runs in one transaction, and is answered after its commit.
 *
 * Each call has a savepoint, so that it fails alone.  Three things are not to be had that way:
 *
 *   - SQL that ends the whole transaction (OR ROLLBACK, RAISE(ROLLBACK), a full disk): those before
 *     it in the group have lost their work too, and run again, one by one, it behind them;
 *   - a call that is cancelled after it has run: the others run again without it;
 *   - records that are too many to be kept until the commit: such a call has to be the first of its
 *     transaction, which it then does not share with those behind it.  A call that is not the first
 *     is undone when it comes to that, and begins the next group; so does one that proves slow, for
 *     which those before it are not to wait.
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

/* The next call joins the group, if it may: a script is alone. */
static struct call *take_call(struct store *s, struct group *g)
{
    struct call *call;

    pthread_mutex_lock(&s->lock);
    call = g->count < STORE_GROUP_MAX && !atomic_load(&s->is_ending) ? s->writes.first : NULL;
    if (call && call->method == CALL_SCRIPT && g->count > 0)
        call = NULL;
    if (call) {
        queue_pop(&s->writes);
        call->state = CALL_RUNNING;
        g->calls[g->count++] = call;
    }
    pthread_mutex_unlock(&s->lock);
    return call;
}

/* The last one was not its time. */
static void give_back(struct store *s, struct group *g)
{
    struct call *call = g->calls[--g->count];

    pthread_mutex_lock(&s->lock);
    call->state = CALL_QUEUED;
    queue_push_front(&s->writes, call);
    pthread_mutex_unlock(&s->lock);
}

/* false: there is nothing more, and is_writing has ended. */
static bool has_more(struct store *s)
{
    bool has;

    pthread_mutex_lock(&s->lock);
    has = s->writes.first && !atomic_load(&s->is_ending);
    s->is_writing = has;
    pthread_mutex_unlock(&s->lock);
    return has;
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
    return connection_is_inside(c) ? OUTCOME_RAN : OUTCOME_ENDED;
}

/* ---- the group ---- */

/* Where the calls behind the first one come from. */
enum source { SOURCE_GROUP, SOURCE_QUEUE };

static void run_transaction(struct thread *t, struct group *g, enum source source);

static void run_one_by_one(struct thread *t, const struct group *g)
{
    for (unsigned i = 0; i < g->count; i++) {
        struct group one = {.calls = {g->calls[i]}, .count = 1};
        run_transaction(t, &one, SOURCE_GROUP);
    }
}

static void fail(struct thread *t, struct call *call, const struct err *err)
{
    const struct row_error fault = {.statement = UINT32_MAX};

    answer_error(t, call, &fault, err);
}

/* Somebody has lost interest in what is done already, but not committed. */
static bool has_cancelled(const struct group *g)
{
    for (unsigned i = 0; i < g->count; i++)
        if (atomic_load(&g->calls[i]->is_cancelled) && !g->calls[i]->is_failed)
            return true;
    return false;
}

/* Run the calls of the group, or those of the queue, until something ends it. */
static enum outcome run_calls(struct thread *t, struct connection *c, struct group *g,
                              enum source source)
{
    enum outcome outcome = OUTCOME_RAN;
    int64_t began_us = clock_now_us();
    struct call *call = g->calls[0];

    while (call && outcome == OUTCOME_RAN) {
        outcome = run_marked(t, c, call, g->count == 1);
        if (outcome == OUTCOME_BLOCKED) {
            give_back(t->store, g); /* and it may be gone now */
            break;
        }
        if (source == SOURCE_GROUP || g->calls[0]->has_left || call->method == CALL_SCRIPT ||
            clock_now_us() - began_us > STORE_GROUP_US)
            break;
        thread_pass_lead_if_slow(t);
        if (outcome == OUTCOME_RAN)
            call = take_call(t->store, g);
    }
    return outcome;
}

static void commit(struct thread *t, struct connection *c, struct group *g)
{
    struct err err = {0};

    /* A disk takes its time. */
    if (t->store->options.sync == ENGINE_SYNC_FULL)
        thread_pass_lead(t);
    thread_unwatch(t);
    if (connection_commit(c, &err) < 0) {
        connection_rollback(c);
        if (g->count > 1)
            run_one_by_one(t, g);
        else if (g->calls[0]->is_failed)
            answer_done(t, g->calls[0]);
        else
            fail(t, g->calls[0], &err);
        return;
    }
    for (unsigned i = 0; i < g->count; i++)
        answer_done(t, g->calls[i]);
}

/* The group has one call. */
static void run_transaction(struct thread *t, struct group *g, enum source source)
{
    struct connection *c = t->store->writer;
    struct err err = {0};
    enum outcome outcome;

    if (atomic_load(&g->calls[0]->is_cancelled)) {
        answer_nothing(t, g->calls[0]);
        return;
    }
    thread_watch(t, g->calls[0]);
    if (connection_begin(c, &err) < 0) {
        /* It has not run: another process did. */
        if (t->is_late)
            err_set(&err, ERR_CANCELLED, "D1 DB is overloaded. Requests queued for too long.");
        t->is_late = false;
        fail(t, g->calls[0], &err);
        return;
    }
    outcome = run_calls(t, c, g, source);
    if (outcome == OUTCOME_ENDED && g->count == 1) {
        answer_done(t, g->calls[0]);
    } else if (outcome == OUTCOME_ENDED || has_cancelled(g) || !connection_is_inside(c)) {
        connection_rollback(c);
        run_one_by_one(t, g);
    } else {
        commit(t, c, g);
    }
}

/* While nobody writes all of it can be moved, and the WAL begins anew.  Followers that try the same
 * never catch up with a writer that never rests. */
static void checkpoint_if_large(struct thread *t)
{
    struct store *s = t->store;
    uint32_t frames = engine_position().frame;

    if (frames < s->tried_frames)
        s->tried_frames = 0; /* it has begun anew */
    /* A reader may hold it up: then not again at once. */
    if (!s->writer || frames < STORE_WAL_FRAMES ||
        frames - s->tried_frames < STORE_CHECKPOINT_FRAMES)
        return;
    s->tried_frames = frames;
    thread_pass_lead(t);
    pthread_mutex_lock(&s->lock);
    while (s->is_checkpointing)
        pthread_cond_wait(&s->changed, &s->lock);
    s->is_checkpointing = true;
    pthread_mutex_unlock(&s->lock);
    store_checkpoint(s, s->writer);
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
    struct err err = {0};

    thread_begin(t);
    do {
        struct group g = {.count = 0};
        struct call *call = take_call(s, &g);
        if (call && open_writer(t, &err) < 0)
            fail(t, call, &err);
        else if (call)
            run_transaction(t, &g, SOURCE_QUEUE);
        thread_unwatch(t);
        checkpoint_if_large(t);
        store_offer_checkpoint(s, STORE_CHECKPOINT_FRAMES);
    } while (has_more(s));
    thread_end(t);
}
