/* call.c - the table of calls, their order, and how their answers leave. */
#include "store/call.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* ---- queues ---- */

void queue_push(struct queue *q, struct call *call)
{
    call->next = NULL;
    if (q->last)
        q->last->next = call;
    else
        q->first = call;
    q->last = call;
}

void queue_push_front(struct queue *q, struct call *call)
{
    call->next = q->first;
    q->first = call;
    if (!q->last)
        q->last = call;
}

struct call *queue_pop(struct queue *q)
{
    struct call *call = q->first;

    if (!call)
        return NULL;
    q->first = call->next;
    if (!q->first)
        q->last = NULL;
    call->next = NULL;
    return call;
}

void queue_remove(struct queue *q, struct call *call)
{
    struct call **at = &q->first, *before = NULL;

    while (*at && *at != call) {
        before = *at;
        at = &before->next;
    }
    if (!*at)
        return;
    *at = call->next;
    if (q->last == call)
        q->last = before;
    call->next = NULL;
}

/* ---- the table ---- */

static uint32_t hash_of(struct span s)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.data[i]) * 16777619u;
    return h;
}

static int copy(struct span s, struct span *ret)
{
    if (s.len == 0)
        return 0;
    *ret = (struct span){mem_copy(s.data, s.len), s.len};
    return ret->data ? 0 : ERR_NOMEM;
}

static bool is_set(struct span value)
{
    return !span_is(value, "false") && !span_is(value, "0");
}

static size_t table_count(const struct call *call)
{
    return buf_len(&call->tables) / sizeof(struct span);
}

static int add_table(struct call *call, struct span name)
{
    struct span own = {0};
    int r;

    if (table_count(call) >= CALLS_TABLES_MAX)
        return ERR_LIMIT;
    own = (struct span){mem_copy(name.data, name.len), name.len};
    r = own.data ? buf_append(&call->tables, &own, sizeof own) : ERR_NOMEM;
    if (r < 0)
        mem_free((char *)own.data);
    return r;
}

static int take_arguments(struct call *call, const struct outcall_head *head)
{
    struct span name, value;
    size_t at = 0;
    int r = 0;

    while (r == 0 && pairs_next(&head->arguments, &at, &name, &value)) {
        if (span_is(name, "order") && call->order.len == 0)
            r = copy(value, &call->order);
        else if (span_is(name, "table"))
            r = add_table(call, value);
        else if (span_is(name, "rows"))
            call->has_rows = is_set(value);
        else if (span_is(name, "no-data"))
            call->has_no_data = is_set(value);
        else if (span_is(name, "no-schema"))
            call->has_no_schema = is_set(value);
    }
    return r;
}

static int method_of(struct span name)
{
    static const char *const NAMES[] = {[CALL_QUERY] = "query",
                                        [CALL_EXEC] = "exec",
                                        [CALL_SCRIPT] = "script",
                                        [CALL_DUMP] = "dump",
                                        [CALL_INFO] = "info"};

    for (int i = 0; i <= CALL_INFO; i++)
        if (span_is(name, NAMES[i]))
            return i;
    return -1;
}

struct dump_options call_dump(const struct call *call)
{
    return (struct dump_options){.tables = (const struct span *)(const void *)call->tables.mem,
                                 .table_count = table_count(call),
                                 .has_no_data = call->has_no_data,
                                 .has_no_schema = call->has_no_schema};
}

static void release(struct call *call)
{
    struct dump_options dump = call_dump(call);

    for (size_t i = 0; i < dump.table_count; i++)
        mem_free((char *)dump.tables[i].data);
    buf_done(&call->tables);
    mem_free((char *)call->order.data);
    buf_done(&call->body);
    buf_done(&call->stage);
    mem_free(call);
}

static void enter_order(struct calls *calls, struct call *call)
{
    struct call **bucket, *other;

    if (call->order.len == 0)
        return;
    call->order_hash = hash_of(call->order);
    bucket = &calls->orders[call->order_hash % CALLS_BUCKETS];
    /* the newest is found first */
    for (other = *bucket; other; other = other->next_order)
        if (other->order_hash == call->order_hash && other->order.len == call->order.len &&
            memcmp(other->order.data, call->order.data, call->order.len) == 0)
            break;
    if (other) {
        other->behind = call;
        call->ahead = other;
    }
    call->next_order = *bucket;
    *bucket = call;
}

int call_new(struct calls *calls, uint32_t stream, const struct outcall_head *head,
             struct call **ret, struct err *err)
{
    int method = method_of(head->method);
    struct call *call = mem_alloc(sizeof *call);
    int r;

    if (!call)
        return err_nomem(err);
    if (method < 0) {
        mem_free(call);
        return err_set(err, ERR_INVALID, "a database has no method '%.*s'", SPAN_ARG(head->method));
    }
    call->stream = stream;
    call->method = (enum call_method)method;
    call->came_us = clock_now_us();
    call->window = FRAME_WINDOW;
    r = take_arguments(call, head);
    if (r < 0) {
        release(call);
        return r == ERR_LIMIT ? err_set(err, r,
                                        "a dump of more than %d tables by name: leave the "
                                        "names out",
                                        CALLS_TABLES_MAX)
                              : err_nomem(err);
    }
    call->next_stream = calls->streams[stream % CALLS_BUCKETS];
    calls->streams[stream % CALLS_BUCKETS] = call;
    calls->count++;
    enter_order(calls, call);
    *ret = call;
    return 0;
}

struct call *call_find(const struct calls *calls, uint32_t stream)
{
    struct call *call = calls->streams[stream % CALLS_BUCKETS];

    while (call && call->stream != stream)
        call = call->next_stream;
    return call;
}

struct call *call_unorder(struct calls *calls, struct call *call)
{
    struct call **at = &calls->orders[call->order_hash % CALLS_BUCKETS];
    struct call *behind = call->behind;

    if (call->order.len == 0)
        return NULL;
    while (*at && *at != call)
        at = &(*at)->next_order;
    if (*at)
        *at = call->next_order;
    if (call->ahead)
        call->ahead->behind = behind;
    if (behind)
        behind->ahead = call->ahead;
    call->ahead = call->behind = NULL;
    mem_free((char *)call->order.data);
    call->order = (struct span){0};
    return behind && behind->state == CALL_ORDERED && (!behind->ahead || behind->ahead->is_write)
               ? behind
               : NULL;
}

void call_free(struct calls *calls, struct call *call)
{
    struct call **at = &calls->streams[call->stream % CALLS_BUCKETS];

    while (*at && *at != call)
        at = &(*at)->next_stream;
    if (*at)
        *at = call->next_stream;
    calls->count--;
    calls->body_bytes -= buf_len(&call->body);
    release(call);
}

/* ---- answers ---- */

static int put_head(struct call *call, struct buf *out)
{
    static const struct reply OK = {.status = 200, .body_length = -1};
    struct err err;

    call->has_head = true;
    return reply_put(out, 0, call->stream, &OK, &err);
}

static int put_bytes(struct call *call, struct buf *out, bool *ret_is_end)
{
    int r = 0;

    while (r == 0 && call->window > 0 && buf_len(&call->stage) > 0) {
        size_t len = buf_len(&call->stage), n = len;
        if (n > call->window)
            n = (size_t)call->window;
        if (n > FRAME_BODY_MAX)
            n = FRAME_BODY_MAX;
        *ret_is_end = call->is_over && n == len;
        r = frame_put(out, FRAME_BODY, *ret_is_end ? FRAME_END : 0, call->stream,
                      buf_data(&call->stage), n);
        buf_eat(&call->stage, n);
        call->window -= n;
        call->has_left = true;
    }
    return r;
}

bool call_pump(struct call *call, struct outbox *out)
{
    struct buf *bytes = outbox_enter(out);
    bool is_end = false;
    int r = 0;

    if (!call->has_head && (call->is_over || buf_len(&call->stage) > 0))
        r = put_head(call, bytes);
    if (r == 0)
        r = put_bytes(call, bytes, &is_end);
    if (r == 0 && call->is_over && !is_end && buf_len(&call->stage) == 0) {
        r = frame_put(bytes, FRAME_BODY, FRAME_END, call->stream, NULL, 0);
        is_end = true;
    }
    outbox_leave(out);
    /* A frame that is lost would be a lie: the node starts another process. */
    if (r < 0)
        abort();
    return is_end;
}
