/* lead.c - the leader's turn: frames in, calls started, answers out.
 *
 * A turn begins with a read of the socket and ends when its frames are dealt
 * with: reads run as they come, writes together at the end, and all answers
 * leave in one write, or earlier when the turn gets long.
 *
 * Invariants
 *  1. Only the leader touches `in`, and after anything that may pass the lead
 *     it looks whether it still is the leader before it touches it again.
 *  2. A frame's payload is not looked at once a call has been run.
 *  3. Nothing is run unless another thread is idle (serving.h). */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/serving.h"

enum {
    LEAD_READ = 128 * 1024,  /* bytes asked of one read */
    LEAD_BATCH_US = 200,     /* an answer waits so long for others to leave with */
    LEAD_CREDIT = 64 * 1024, /* bytes of body that are credited at once */
};

#define BUSY_TEXT    "D1 DB is overloaded. Too many requests queued."
#define WAIT_TEXT    "D1 DB is overloaded. Requests queued for too long."
#define SESSION_TEXT "D1_SESSION_ERROR: invalid bookmark or constraint"
#define LONG_TEXT    "The call is too long: at most 100 MB of SQL and values: SQLITE_TOOBIG"

/* ---- ending ---- */

/* What runs is undone, nothing new begins; then the WAL goes into the database. */
static _Noreturn void end(struct thread *t)
{
    struct store *s = t->store;
    int64_t until_us = clock_now_us() + STORE_END_MS * 1000;
    struct timespec at;
    struct connection *c;
    struct err err;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += STORE_END_MS / 1000;
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->is_ending, true);
    pthread_cond_broadcast(&s->changed);
    while (s->idle_count < STORE_THREADS - 1 && clock_now_us() < until_us)
        pthread_cond_timedwait(&s->changed, &s->lock, &at);
    if (s->idle_count < STORE_THREADS - 1)
        _exit(0);
    pthread_mutex_unlock(&s->lock);
    /* Nobody takes the lead any more, and the watch lets a checkpoint be. */
    t->is_leader = false;
    atomic_store(&s->is_ending, false);
    thread_begin(t);
    if (thread_reader(t, &c, &err) == 0)
        connection_checkpoint(c);
    _exit(0);
}

/* ---- frames ---- */

/* A call that gets no further than its head. */
static int refuse(struct store *s, uint32_t stream, struct span text, struct err *err)
{
    const struct reset m = {.reason = RESET_FAILED, .text = text};
    int r = reset_put(outbox_enter(&s->out), 0, stream, &m, err);

    outbox_leave(&s->out);
    return r;
}

/* As above, in a record if it should have answered in records. */
static int refuse_call(struct store *s, uint32_t stream, const struct outcall_head *head,
                       struct span text, struct err *err)
{
    static const struct reply OK = {.status = 200, .body_length = -1};
    const struct row_error fault = {.statement = UINT32_MAX, .text = text};
    struct buf record = {0}, *out;
    int r;

    if (span_is(head->method, "dump") || span_is(head->method, "info"))
        return refuse(s, stream, text, err);
    out = outbox_enter(&s->out);
    r = row_put_error(&record, &fault);
    r = r < 0 ? err_nomem(err) : reply_put(out, 0, stream, &OK, err);
    if (r == 0 &&
        frame_put(out, FRAME_BODY, FRAME_END, stream, buf_data(&record), buf_len(&record)) < 0)
        r = err_nomem(err);
    outbox_leave(&s->out);
    buf_done(&record);
    return r;
}

/* "first-unconstrained", "first-primary" and where we have been: there is one copy, so everything
 * that was ever acknowledged is seen anyway. */
static bool is_session(struct span s)
{
    return s.len == 0 || span_is(s, "first-unconstrained") || span_is(s, "first-primary") ||
           engine_is_bookmark(s);
}

static bool has_bad_session(const struct outcall_head *head)
{
    struct span name, value;
    size_t at = 0;

    while (pairs_next(&head->arguments, &at, &name, &value))
        if (span_is(name, "bookmark") && !is_session(value))
            return true;
    return false;
}

/* With the lock held: its body is whole, or it wants none, or takes it as it comes. */
static void dispatch(struct store *s, struct call *call)
{
    if (call->ahead && !call->ahead->is_write) {
        call->state = CALL_ORDERED;
        return;
    }
    call->state = CALL_QUEUED;
    queue_push(&s->todo, call);
}

static int take_outcall(struct store *s, const struct frame *f, struct err *err)
{
    struct err why = {0};
    struct outcall_head head;
    struct call *call;
    int r = outcall_head_get(f, &head, err);

    if (r < 0)
        return r;
    if (f->stream <= s->last_stream)
        return err_set(err, ERR_INVALID, "the stream %u of an OUTCALL was there before", f->stream);
    s->last_stream = f->stream;
    if (has_bad_session(&head))
        return refuse_call(s, f->stream, &head, SPAN(SESSION_TEXT), err);
    pthread_mutex_lock(&s->lock);
    if (s->calls.count >= CALLS_MAX) {
        pthread_mutex_unlock(&s->lock);
        return refuse_call(s, f->stream, &head, SPAN(BUSY_TEXT), err);
    }
    r = call_new(&s->calls, f->stream, &head, &call, &why);
    if (r == 0) {
        call->has_whole_body = (f->flags & FRAME_END) != 0;
        if (call->has_whole_body || call->method >= CALL_SCRIPT)
            dispatch(s, call);
    }
    pthread_mutex_unlock(&s->lock);
    return r < 0 ? refuse(s, f->stream, span_of(why.text), err) : 0;
}

static int give_credit(struct store *s, struct call *call, size_t len, struct err *err)
{
    struct credit m;
    int r;

    /* A script gets its credit from who eats it. */
    call->owed += (uint32_t)len;
    if (call->has_whole_body || call->method == CALL_SCRIPT || call->owed < LEAD_CREDIT)
        return 0;
    m.bytes = call->owed;
    call->owed = 0;
    r = credit_put(outbox_enter(&s->out), 0, call->stream, &m, err);
    outbox_leave(&s->out);
    return r;
}

/* With the lock held.  Then the call is answered. */
static bool is_too_much(struct store *s, struct call *call, size_t len)
{
    if (buf_len(&call->body) + len > ROW_CALL_MAX)
        answer_late_locked(s, call, SPAN(LONG_TEXT));
    else if (s->calls.body_bytes + len > CALLS_BODIES_MAX)
        answer_late_locked(s, call, SPAN(BUSY_TEXT));
    else
        return false;
    return true;
}

/* With the lock held. */
static int add_body(struct store *s, struct call *call, const struct frame *f, struct err *err)
{
    struct span bytes = f->payload;
    bool is_end = (f->flags & FRAME_END) != 0;

    if (call->has_whole_body)
        return err_set(err, ERR_INVALID, "BODY on the stream %u after its end", f->stream);
    if (call->method == CALL_SCRIPT && buf_len(&call->body) + bytes.len > FRAME_WINDOW)
        return err_set(err, ERR_INVALID, "BODY without credit on the stream %u", f->stream);
    if (call->state == CALL_RECEIVING && is_too_much(s, call, bytes.len))
        return 0;
    if (call->method >= CALL_DUMP)
        bytes.len = 0; /* they have none */
    if (buf_append(&call->body, bytes.data, bytes.len) < 0)
        return err_nomem(err);
    s->calls.body_bytes += bytes.len;
    call->has_whole_body = is_end;
    if (call->state != CALL_RECEIVING)
        pthread_cond_broadcast(&s->changed); /* a script is read while it runs */
    else if (is_end)
        dispatch(s, call);
    return give_credit(s, call, bytes.len, err);
}

static int take_body(struct store *s, const struct frame *f, struct err *err)
{
    struct call *call;
    int r = 0;

    pthread_mutex_lock(&s->lock);
    call = call_find(&s->calls, f->stream);
    /* What is answered already, or was reset, is nobody's fault. */
    if (call && call->state != CALL_LEAVING)
        r = add_body(s, call, f, err);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static int take_credit(struct store *s, const struct frame *f, struct err *err)
{
    struct credit m;
    struct call *call;
    int r = credit_get(f, &m, err);

    if (r < 0)
        return r;
    pthread_mutex_lock(&s->lock);
    call = call_find(&s->calls, f->stream);
    if (call) {
        call->window += m.bytes;
        if (call->state == CALL_RUNNING)
            pthread_cond_broadcast(&s->changed);
        else if (call->state == CALL_LEAVING && call_pump(call, &s->out))
            call_free(&s->calls, call);
    }
    pthread_mutex_unlock(&s->lock);
    return 0;
}

static int take_reset(struct store *s, const struct frame *f, struct err *err)
{
    struct reset m;
    struct call *call;
    int r = reset_get(f, &m, err);

    if (r < 0)
        return r;
    pthread_mutex_lock(&s->lock);
    call = call_find(&s->calls, f->stream);
    if (call && call->state == CALL_RUNNING) {
        atomic_store(&call->is_cancelled, true);
        pthread_cond_broadcast(&s->changed);
    } else if (call) {
        queue_remove(&s->todo, call);
        queue_remove(&s->writes, call);
        answer_dropped_locked(s, call);
    }
    pthread_mutex_unlock(&s->lock);
    return 0;
}

static int take_frame(struct store *s, const struct frame *f, struct err *err)
{
    int r;

    switch (f->type) {
    case FRAME_OUTCALL:
        return take_outcall(s, f, err);
    case FRAME_BODY:
        return take_body(s, f, err);
    case FRAME_CREDIT:
        return take_credit(s, f, err);
    case FRAME_RESET:
        return take_reset(s, f, err);
    case FRAME_PING:
        r = frame_put(outbox_enter(&s->out), FRAME_PONG, 0, 0, NULL, 0);
        outbox_leave(&s->out);
        return r < 0 ? err_nomem(err) : 0;
    default:
        return err_set(err, ERR_INVALID, "unexpected %s frame", frame_name(f->type));
    }
}

/* ---- work ---- */

static void flush(struct thread *t)
{
    struct err err = {0};

    if (outbox_flush(&t->store->out, &err) < 0)
        store_die(t->store, &err);
    t->store->flushed_us = clock_now_us();
}

/* What a leader may run now: it can pass the lead on. */
static struct call *take_todo(struct store *s)
{
    struct call *call = NULL;

    pthread_mutex_lock(&s->lock);
    if (s->idle_count > 0)
        call = queue_pop(&s->todo);
    if (call) {
        call->state = CALL_RUNNING;
        store_watch_leader(s);
    }
    pthread_mutex_unlock(&s->lock);
    return call;
}

static void run_todo(struct thread *t)
{
    struct store *s = t->store;
    struct call *call;

    while (t->is_leader) {
        call = take_todo(s);
        if (!call)
            return;
        run_call(t, call);
        if (t->is_leader && clock_now_us() - s->flushed_us > LEAD_BATCH_US)
            flush(t);
    }
}

static void run_writes(struct thread *t)
{
    struct store *s = t->store;
    bool is_mine;

    pthread_mutex_lock(&s->lock);
    is_mine = s->writes.first && !s->is_writing && s->idle_count > 0;
    if (is_mine) {
        s->is_writing = true;
        store_watch_leader(s);
    }
    pthread_mutex_unlock(&s->lock);
    if (is_mine)
        group_run(t);
}

/* Calls that are answered let others go on, which may write, and so on. */
static void run_all(struct thread *t)
{
    struct store *s = t->store;
    bool has_more = true;

    while (t->is_leader && has_more) {
        run_todo(t);
        if (t->is_leader)
            run_writes(t);
        pthread_mutex_lock(&s->lock);
        has_more = s->idle_count > 0 && (s->todo.first || (s->writes.first && !s->is_writing));
        pthread_mutex_unlock(&s->lock);
    }
}

/* All frames that are whole.  false: somebody else leads now. */
static bool run_frames(struct thread *t)
{
    struct store *s = t->store;
    struct err err = {0};
    struct frame f;
    int r;

    for (;;) {
        buf_eat(&s->in, s->in_used);
        s->in_used = 0;
        r = frame_parse(buf_data(&s->in), buf_len(&s->in), &f, &s->in_used, &err);
        if (r == 0)
            return true;
        if (r > 0)
            r = take_frame(s, &f, &err);
        if (r < 0)
            store_die(s, &err);
        run_todo(t);
        if (!t->is_leader)
            return false;
    }
}

/* ---- waiting ---- */

static void expire(struct store *s, struct call *call, int64_t now_us)
{
    int64_t limit_us = s->options.query_ms * 1000;

    if (call->state != CALL_QUEUED && call->state != CALL_ORDERED)
        return;
    if (now_us - call->came_us < limit_us)
        return;
    queue_remove(&s->todo, call);
    queue_remove(&s->writes, call);
    answer_late_locked(s, call, SPAN(WAIT_TEXT));
}

/* SQLite looks at the time between the steps of a statement only, not within a function of SQL, nor
 * while it compiles.  What takes too long there ends with the process; what it was to write is
 * undone. */
static void end_overdue(struct store *s, int64_t now_us)
{
    struct err err = {0};
    struct call *call = store_find_overdue(s, now_us);

    if (!call)
        return;
    answer_overdue_locked(s, call);
    err_set(&err, ERR_LIMIT, "a statement could not be stopped when its %lld ms were over",
            (long long)s->options.query_ms);
    store_die(s, &err);
}

/* Now and then: who has waited too long, a WAL that nobody else empties, memory that is free. */
static void tick(struct store *s, bool is_quiet)
{
    int64_t now_us = clock_now_us();

    s->ticked_us = now_us;
    pthread_mutex_lock(&s->lock);
    end_overdue(s, now_us);
    for (unsigned i = 0; i < CALLS_BUCKETS; i++) {
        struct call *next, *call = s->calls.streams[i];
        for (; call; call = next) {
            next = call->next_stream;
            expire(s, call, now_us);
        }
    }
    pthread_mutex_unlock(&s->lock);
    store_offer_checkpoint(s, is_quiet ? 0 : STORE_CHECKPOINT_FRAMES);
    s->is_rested = is_quiet;
    if (is_quiet || now_us - s->trimmed_us > STORE_TRIM_MS * 1000) {
        s->trimmed_us = now_us;
        engine_trim();
    }
}

static bool is_out_empty(struct store *s)
{
    bool is_empty = buf_len(outbox_enter(&s->out)) == 0;

    outbox_leave(&s->out);
    return is_empty;
}

static int read_more(struct store *s, struct err *err)
{
    char *room;
    ssize_t n;

    if (buf_reserve(&s->in, LEAD_READ, &room) < 0)
        return err_nomem(err);
    n = read(s->out.fd, room, LEAD_READ);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0 && errno != ECONNRESET)
        return err_errno(err, errno, "read from the node");
    if (n <= 0)
        return err_set(err, ERR_GONE, "the node closed the connection");
    buf_commit(&s->in, (size_t)n);
    s->is_rested = false;
    return 1;
}

static void await_node(struct thread *t)
{
    struct store *s = t->store;
    struct pollfd p = {.fd = s->out.fd, .events = POLLIN};
    bool is_needed;
    int n;

    if (!is_out_empty(s))
        p.events |= POLLOUT;
    pthread_mutex_lock(&s->lock);
    is_needed = s->calls.count > 0 || !s->is_rested || store_wants_checkpoint(s, 0);
    pthread_mutex_unlock(&s->lock);
    n = poll(&p, 1, is_needed ? STORE_TICK_MS : -1);
    if (n == 0)
        tick(s, true);
}

void lead_run(struct thread *t)
{
    struct store *s = t->store;
    struct err err = {0};
    int r;

    while (t->is_leader) {
        if (!run_frames(t))
            return;
        run_all(t);
        if (!t->is_leader)
            return;
        flush(t);
        if (s->flushed_us - s->ticked_us > STORE_TICK_MS * 1000)
            tick(s, false);
        r = read_more(s, &err);
        if (r == ERR_GONE)
            end(t);
        if (r < 0)
            store_die(s, &err);
        if (r == 0)
            await_node(t);
    }
}
