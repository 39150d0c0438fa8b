/* answer.c - how a call ends: with records, with an error, or without a word.
 *
 * Texts are those that D1 documents for its users; they go on by themselves
 * ("D1_ERROR: " is put before them where the worker's code sees them). */
#include <stdlib.h>

#include "base/clock.h"
#include "store/serving.h"

#define CPU_TEXT     "D1 DB exceeded its CPU time limit and was reset."
#define STORAGE_TEXT "D1 DB storage operation exceeded timeout which caused object to be reset."
#define MEMORY_TEXT  "D1 DB's isolate exceeded its memory limit and was reset."

struct span answer_text(const struct thread *t, const struct err *err)
{
    if (t->is_stalled)
        return SPAN(STORAGE_TEXT);
    if (t->is_late)
        return SPAN(CPU_TEXT);
    if (err->code == ERR_NOMEM)
        return SPAN(MEMORY_TEXT);
    return span_of(err->text);
}

/* The one behind it may go on now. */
static void unorder(struct store *s, struct call *call)
{
    struct call *behind = call_unorder(&s->calls, call);

    if (behind) {
        behind->state = CALL_QUEUED;
        queue_push(&s->todo, behind);
        store_offer_call(s);
    }
}

static void gone(struct store *s, struct call *call)
{
    unorder(s, call);
    call_free(&s->calls, call);
}

/* Its last record is staged. */
static void leave(struct store *s, struct call *call)
{
    /* Reset since the thread that ran it last looked: nobody gives credit for the rest. */
    if (atomic_load(&call->is_cancelled)) {
        gone(s, call);
        return;
    }
    call->is_over = true;
    s->calls.body_bytes -= buf_len(&call->body);
    buf_done(&call->body);
    buf_init(&call->body);
    unorder(s, call);
    call->state = CALL_LEAVING;
    if (call_pump(call, &s->out))
        call_free(&s->calls, call);
}

/* The leader's frames leave at the end of its turn. */
static void flush(struct thread *t)
{
    struct err err = {0};
    int r = thread_leads(t) ? 0 : outbox_drain(&t->store->out, &err);

    if (r < 0)
        store_die(t->store, &err);
}

static void put_end(struct call *call)
{
    char bookmark[ENGINE_BOOKMARK + 1];

    if (call->is_failed || call->method == CALL_DUMP)
        return;
    engine_bookmark(bookmark);
    if (row_put_text(&call->stage, ROW_RECORD_END, span_of(bookmark)) < 0)
        abort();
}

void answer_done(struct thread *t, struct call *call)
{
    struct store *s = t->store;

    if (atomic_load(&call->is_cancelled)) {
        answer_nothing(t, call);
        return;
    }
    if (call->is_stalled) {
        answer_reset(t, call, SPAN(STORAGE_TEXT));
        return;
    }
    put_end(call);
    pthread_mutex_lock(&s->lock);
    leave(s, call);
    pthread_mutex_unlock(&s->lock);
    flush(t);
}

static void put_error(struct call *call, const struct row_error *fault)
{
    call->is_failed = true;
    /* Records that nobody will look at need no way. */
    if (!call->has_left)
        buf_eat(&call->stage, buf_len(&call->stage));
    if (row_put_error(&call->stage, fault) < 0)
        abort();
}

void answer_fail(struct thread *t, struct call *call, const struct row_error *fault,
                 const struct err *err)
{
    struct row_error m = *fault;

    m.text = answer_text(t, err);
    put_error(call, &m);
    /* Without credit no record gets through. */
    call->is_stalled = t->is_stalled;
}

void answer_error(struct thread *t, struct call *call, const struct row_error *fault,
                  const struct err *err)
{
    if (atomic_load(&call->is_cancelled))
        answer_nothing(t, call);
    else if (call->method == CALL_DUMP || call->method == CALL_INFO)
        answer_reset(t, call, answer_text(t, err)); /* they have no records */
    else {
        answer_fail(t, call, fault, err);
        answer_done(t, call);
    }
}

void answer_nothing(struct thread *t, struct call *call)
{
    struct store *s = t->store;

    pthread_mutex_lock(&s->lock);
    gone(s, call);
    pthread_mutex_unlock(&s->lock);
}

void answer_reset(struct thread *t, struct call *call, struct span text)
{
    const struct reset m = {.reason = RESET_FAILED, .text = text};
    struct store *s = t->store;
    struct err err = {0};
    struct buf *out;

    pthread_mutex_lock(&s->lock);
    out = outbox_enter(&s->out);
    if (reset_put(out, 0, call->stream, &m, &err) < 0)
        abort();
    outbox_leave(&s->out);
    gone(s, call);
    pthread_mutex_unlock(&s->lock);
    flush(t);
}

void answer_results(struct thread *t, struct call *call, const struct pairs *results)
{
    const struct reply m = {.status = 200, .results = *results};
    struct store *s = t->store;
    struct err err = {0};
    struct buf *out;

    pthread_mutex_lock(&s->lock);
    out = outbox_enter(&s->out);
    if (reply_put(out, FRAME_END, call->stream, &m, &err) < 0)
        abort();
    outbox_leave(&s->out);
    gone(s, call);
    pthread_mutex_unlock(&s->lock);
    flush(t);
}

void answer_late_locked(struct store *s, struct call *call, struct span text)
{
    put_error(call, &(struct row_error){.statement = UINT32_MAX, .text = text});
    leave(s, call);
}

void answer_overdue_locked(struct store *s, struct call *call)
{
    const struct reset m = {.reason = RESET_FAILED, .text = SPAN(CPU_TEXT)};
    struct err err = {0};

    if (reset_put(outbox_enter(&s->out), 0, call->stream, &m, &err) < 0)
        abort();
    outbox_leave(&s->out);
}

void answer_dropped_locked(struct store *s, struct call *call)
{
    gone(s, call);
}
