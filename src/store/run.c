/* run.c - the statements of one call, on one connection.
 *
 * A call that only reads runs on the connection of the thread that found it
 * out; any other goes to the writer's queue.  Several reads are one
 * transaction too: they see one state of the database. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/serving.h"

/* ---- records on their way out ---- */

/* Records, without rows. */
static int stage_without_rows(struct call *call, struct span bytes)
{
    enum row_record type;
    struct span inside;
    size_t used;
    int r = 0;

    while (r == 0 && row_next(bytes, &type, &inside, &used) == 1) {
        if (type != ROW_RECORD_ROWS)
            r = buf_append(&call->stage, bytes.data, used);
        bytes.data += used;
        bytes.len -= used;
    }
    return r;
}

/* Under the lock: until something changes or the time is over. */
static void wait_for_change(struct store *s, int64_t deadline_us)
{
    struct timespec at = {deadline_us / 1000000, deadline_us % 1000000 * 1000};

    pthread_cond_timedwait(&s->changed, &s->lock, &at);
}

static int flush(struct thread *t, struct err *err)
{
    return thread_leads(t) ? 0 : outbox_drain(&t->store->out, err);
}

void run_send(struct thread *t)
{
    struct err err = {0};

    pthread_mutex_lock(&t->store->lock);
    (void)call_pump(t->call, &t->store->out);
    pthread_mutex_unlock(&t->store->lock);
    if (flush(t, &err) < 0)
        store_die(t->store, &err);
}

/* The stage is full: send what may leave, and wait until it is half empty. */
static int send_stage(struct thread *t, size_t limit, struct err *err)
{
    struct store *s = t->store;
    struct call *call = t->call;
    int r = 0;

    for (;;) {
        run_send(t);
        if (buf_len(&call->stage) <= limit / 2)
            return 0;
        /* The credit comes to whoever leads: not to one who waits. */
        thread_pass_lead(t);
        if (flush(t, err) < 0)
            store_die(s, err);
        pthread_mutex_lock(&s->lock);
        while (r == 0 && call->window == 0) {
            if (atomic_load(&call->is_cancelled) || atomic_load(&s->is_ending))
                r = err_set(err, ERR_GONE, "nobody waits for it");
            else if (clock_now_us() >= t->deadline_us) {
                t->is_stalled = true;
                r = err_set(err, ERR_CANCELLED, "its records were not read");
            } else
                wait_for_change(s, t->deadline_us);
        }
        pthread_mutex_unlock(&s->lock);
        if (r < 0)
            return r;
    }
}

int run_put(void *self, struct span bytes, struct err *err)
{
    struct thread *t = self;
    struct call *call = t->call;
    size_t limit = call->is_write ? STORE_STAGE_WRITE : STORE_STAGE;
    int r = t->has_no_rows ? stage_without_rows(call, bytes)
                           : buf_append(&call->stage, bytes.data, bytes.len);

    if (r < 0)
        return err_nomem(err);
    if (buf_len(&call->stage) < limit)
        return 0;
    if (!t->is_first) {
        t->is_blocked = true;
        return err_set(err, ERR_GONE, "it has to be the first of a transaction");
    }
    return send_stage(t, limit, err);
}

/* ---- statements ---- */

/* The next statement of a call that row_check_call has found to be one. */
static void next_statement(struct span *in, struct span *ret_sql, struct span *ret_values,
                           uint32_t *ret_count)
{
    struct row_value value;

    if (row_get_statement(in, ret_sql, ret_count) < 0)
        abort();
    ret_values->data = in->data;
    for (uint32_t i = 0; i < *ret_count; i++)
        if (row_get_value(in, &value) < 0)
            abort();
    ret_values->len = (size_t)(in->data - ret_values->data);
}

static uint32_t statements_of(struct call *call, struct span *ret)
{
    uint32_t n;

    *ret = buf_span(&call->body);
    if (row_get_u32(ret, &n) < 0)
        abort();
    return n;
}

static int run_statements(struct thread *t, struct connection *c, struct call *call,
                          struct row_error *fault, struct err *err)
{
    const struct sink sink = {run_put, t};
    struct span in, sql, values;
    uint32_t count, n = statements_of(call, &in);
    int r = 0;

    for (uint32_t i = 0; i < n && r == 0; i++) {
        next_statement(&in, &sql, &values, &count);
        fault->statement = i;
        r = connection_run(c, sql, values, count, &sink, err);
    }
    return r;
}

int run_write(struct thread *t, struct connection *c, struct call *call, struct row_error *fault,
              struct err *err)
{
    if (call->method == CALL_QUERY)
        return run_statements(t, c, call, fault, err);
    t->has_no_rows = !call->has_rows;
    return script_run(t, c, call, fault, err);
}

/* ---- reads ---- */

/* 1: it only reads; 0: it writes; an error when a statement does not compile. */
static int is_read(struct connection *c, struct call *call, struct row_error *fault,
                   struct err *err)
{
    struct span in, sql, values;
    uint32_t count, n;
    int r = row_check_call(buf_span(&call->body), err);

    if (r < 0)
        return r;
    n = statements_of(call, &in);
    for (uint32_t i = 0; i < n; i++) {
        next_statement(&in, &sql, &values, &count);
        fault->statement = i;
        r = connection_is_read(c, sql, err);
        if (r != 1)
            return r;
    }
    return 1;
}

static bool has_one_statement(struct call *call)
{
    struct span in;

    return statements_of(call, &in) == 1;
}

static void run_reads(struct thread *t, struct connection *c, struct call *call)
{
    struct row_error fault = {.statement = UINT32_MAX};
    struct err err = {0};
    bool is_one = has_one_statement(call);
    int r = is_one ? 0 : connection_begin(c, &err);

    if (r == 0)
        r = run_statements(t, c, call, &fault, &err);
    if (!is_one)
        connection_rollback(c);
    if (r < 0)
        answer_error(t, call, &fault, &err);
    else
        answer_done(t, call);
}

static void to_writes(struct store *s, struct call *call)
{
    pthread_mutex_lock(&s->lock);
    call->is_write = true;
    call->state = CALL_QUEUED;
    queue_push(&s->writes, call);
    /* The writer keeps the order: one behind it may follow it there. */
    if (call->behind && call->behind->state == CALL_ORDERED) {
        call->behind->state = CALL_QUEUED;
        queue_push(&s->todo, call->behind);
    }
    pthread_mutex_unlock(&s->lock);
}

/* One ahead of it is not answered: then it waits until it is. */
static bool has_to_wait(struct store *s, struct call *call)
{
    bool has;

    pthread_mutex_lock(&s->lock);
    has = call->ahead != NULL;
    if (has)
        call->state = CALL_ORDERED;
    pthread_mutex_unlock(&s->lock);
    return has;
}

static bool has_ahead(struct store *s, struct call *call)
{
    bool has;

    pthread_mutex_lock(&s->lock);
    has = call->ahead != NULL;
    pthread_mutex_unlock(&s->lock);
    return has;
}

static void run_query(struct thread *t, struct connection *c, struct call *call)
{
    struct row_error fault = {.statement = UINT32_MAX};
    struct err err = {0};
    int r = is_read(c, call, &fault, &err);

    /* What does not compile may do so once the ones ahead of it have run; and the error of a call
     * is that of its first statement that fails, when it runs. */
    if (r == 0 || (r < 0 && fault.statement != UINT32_MAX &&
                   (fault.statement > 0 || has_ahead(t->store, call))))
        to_writes(t->store, call);
    else if (r < 0)
        answer_error(t, call, &fault, &err);
    else if (call->order.len && has_to_wait(t->store, call))
        ; /* until that one is answered */
    /* While one reader follows the other, the WAL never begins anew and grows without end. */
    else if (engine_wal_is_crowded(STORE_WAL_CROWDED))
        to_writes(t->store, call);
    else
        run_reads(t, c, call);
}

/* ---- dump, info ---- */

static void run_dump(struct thread *t, struct connection *c, struct call *call)
{
    const struct dump_options options = call_dump(call);
    const struct row_error fault = {.statement = UINT32_MAX};
    const struct sink sink = {run_put, t};
    struct err err = {0};

    thread_pass_lead(t);
    if (engine_wal_is_crowded(STORE_WAL_DUMPED)) {
        err_set(&err, ERR_LIMIT, "D1 DB is overloaded. Too much is written to dump it now.");
        answer_error(t, call, &fault, &err);
        return;
    }
    if (connection_dump(c, &options, &sink, &err) < 0)
        answer_error(t, call, &fault, &err);
    else
        answer_done(t, call);
}

static int keep(void *self, struct span bytes, struct err *err)
{
    return buf_append(self, bytes.data, bytes.len) < 0 ? err_nomem(err) : 0;
}

/* The one integer in the records, and the size of the database. */
static void look_at(struct span records, struct row_meta *ret_meta, struct row_value *ret_value)
{
    enum row_record type;
    struct span inside;
    uint32_t rows;
    size_t used;

    while (row_next(records, &type, &inside, &used) == 1) {
        if (type == ROW_RECORD_ROWS &&
            (row_get_u32(&inside, &rows) < 0 || row_get_value(&inside, ret_value) < 0))
            abort();
        if (type == ROW_RECORD_DONE && row_get_meta(inside, ret_meta) < 0)
            abort();
        records.data += used;
        records.len -= used;
    }
}

static int put_info(struct span records, struct buf *out)
{
    char size[24], tables[24], bookmark[ENGINE_BOOKMARK + 1];
    struct row_meta meta = {0};
    struct row_value value = {0};
    int r;

    look_at(records, &meta, &value);
    snprintf(size, sizeof size, "%lld", (long long)meta.size_after);
    snprintf(tables, sizeof tables, "%lld", (long long)value.integer);
    engine_bookmark(bookmark);
    r = pairs_add(out, SPAN("size"), span_of(size));
    r = r < 0 ? r : pairs_add(out, SPAN("tables"), span_of(tables));
    return r < 0 ? r : pairs_add(out, SPAN("bookmark"), span_of(bookmark));
}

static void run_info(struct thread *t, struct connection *c, struct call *call)
{
    static const char SQL[] = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND "
                              "substr(name, 1, 7) <> 'sqlite_' AND substr(name, 1, 4) <> '_cf_'";
    const struct row_error fault = {.statement = UINT32_MAX};
    struct buf records = {0}, results = {0};
    const struct sink sink = {keep, &records};
    struct err err = {0};
    int r = connection_run(c, span_of(SQL), SPAN(""), 0, &sink, &err);

    if (r == 0 && put_info(buf_span(&records), &results) < 0)
        r = err_nomem(&err);
    if (r < 0)
        answer_error(t, call, &fault, &err);
    else
        answer_results(t, call, &(struct pairs){buf_span(&results), 3});
    buf_done(&records);
    buf_done(&results);
}

/* ---- out of the queue ---- */

void run_call(struct thread *t, struct call *call)
{
    const struct row_error fault = {.statement = UINT32_MAX};
    struct connection *c;
    struct err err = {0};

    if (call->method == CALL_EXEC || call->method == CALL_SCRIPT) {
        to_writes(t->store, call);
        return;
    }
    thread_begin(t);
    thread_watch(t, call);
    if (thread_reader(t, &c, &err) < 0)
        answer_error(t, call, &fault, &err);
    else if (call->method == CALL_QUERY)
        run_query(t, c, call);
    else if (call->method == CALL_DUMP)
        run_dump(t, c, call);
    else
        run_info(t, c, call);
    thread_end(t);
}
