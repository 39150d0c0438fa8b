/* store_call.c - src/store/call.c: the table, the order of calls, answers in pieces. */
#include "store/call.h"

#include <stdio.h>

#include "base/mem.h"
#include "test.h"

static struct calls calls;

static struct call *open_call(uint32_t stream, const char *order)
{
    struct outcall_head head = {.method = SPAN("query")};
    struct buf arguments = {0};
    struct err err = {0};
    struct call *call = NULL;

    CHECK(pairs_add(&arguments, SPAN("order"), span_of(order)) == 0);
    head.arguments = (struct pairs){buf_span(&arguments), 1};
    CHECK(call_new(&calls, stream, &head, &call, &err) == 0);
    buf_done(&arguments);
    return call;
}

static void close_call(struct call *call)
{
    (void)call_unorder(&calls, call);
    call_free(&calls, call);
}

static void keeps_a_queue(void)
{
    struct call *a = open_call(1, ""), *b = open_call(2, ""), *c = open_call(3, "");
    struct queue q = {0};

    queue_push(&q, a);
    queue_push(&q, b);
    queue_push_front(&q, c);
    queue_remove(&q, a);
    CHECK(queue_pop(&q) == c && queue_pop(&q) == b && queue_pop(&q) == NULL);
    queue_push_front(&q, a);
    queue_push(&q, b);
    queue_remove(&q, b);
    queue_remove(&q, c);
    queue_push(&q, c);
    CHECK(queue_pop(&q) == a && queue_pop(&q) == c && q.last == NULL);
    close_call(a);
    close_call(b);
    close_call(c);
}

static void finds_calls_by_their_stream(void)
{
    struct call *a = open_call(7, ""), *b = open_call(7 + CALLS_BUCKETS, "");

    CHECK(call_find(&calls, 7) == a && call_find(&calls, 7 + CALLS_BUCKETS) == b);
    CHECK(call_find(&calls, 8) == NULL && calls.count == 2);
    close_call(a);
    CHECK(call_find(&calls, 7) == NULL && call_find(&calls, 7 + CALLS_BUCKETS) == b);
    close_call(b);
    CHECK(calls.count == 0);
}

static void lines_up_calls_of_one_order(void)
{
    struct call *a = open_call(1, "x"), *other = open_call(2, "y"), *b = open_call(3, "x");
    struct call *c = open_call(4, "x"), *free = open_call(5, "");

    CHECK(!a->ahead && b->ahead == a && c->ahead == b && !other->ahead && !free->ahead);
    b->state = c->state = CALL_ORDERED;
    /* one from the middle: the next waits for the first still */
    CHECK(call_unorder(&calls, b) == NULL && c->ahead == a && a->behind == c);
    CHECK(call_unorder(&calls, a) == c && !c->ahead);
    CHECK(call_unorder(&calls, a) == NULL);
    close_call(a);
    close_call(b);
    /* what comes now is behind the last */
    a = open_call(6, "x");
    CHECK(a->ahead == c);
    close_call(c);
    CHECK(!a->ahead);
    close_call(a);
    close_call(other);
    close_call(free);
}

static void lets_a_write_follow_a_write(void)
{
    struct call *a = open_call(1, "x"), *b = open_call(2, "x"), *c = open_call(3, "x");

    a->is_write = true;
    b->state = c->state = CALL_ORDERED;
    /* the writer's queue keeps those two in order */
    CHECK(call_unorder(&calls, b) == c && c->ahead == a);
    close_call(a);
    close_call(b);
    close_call(c);
}

static void sends_what_the_window_allows(void)
{
    struct call *call = open_call(1, "");
    struct outbox out = {0};
    struct frame f;
    struct err err = {0};
    size_t used, total = 0;
    char bytes[1000] = {0};

    outbox_init(&out, -1);
    CHECK(!call_pump(call, &out) && buf_len(&out.bytes) == 0);
    for (int i = 0; i < 100; i++)
        CHECK(buf_append(&call->stage, bytes, sizeof bytes) == 0);
    call->window = 70000;
    CHECK(!call_pump(call, &out) && call->window == 0 && buf_len(&call->stage) == 30000);
    CHECK(frame_parse(buf_data(&out.bytes), buf_len(&out.bytes), &f, &used, &err) == 1);
    CHECK(f.type == FRAME_REPLY && f.flags == 0);
    call->window = 50000;
    call->is_over = true;
    CHECK(call_pump(call, &out));
    buf_eat(&out.bytes, used);
    while (frame_parse(buf_data(&out.bytes), buf_len(&out.bytes), &f, &used, &err) == 1) {
        CHECK(f.type == FRAME_BODY && f.payload.len <= FRAME_BODY_MAX);
        total += f.payload.len;
        CHECK((f.flags == FRAME_END) == (total == 100000));
        buf_eat(&out.bytes, used);
    }
    CHECK(total == 100000 && buf_len(&out.bytes) == 0);
    close_call(call);
    /* an end without bytes needs no credit */
    call = open_call(2, "");
    call->window = 0;
    call->is_over = true;
    CHECK(call_pump(call, &out));
    close_call(call);
    buf_done(&out.bytes);
}

static int try_to_open(void)
{
    struct outcall_head head = {.method = SPAN("dump")};
    struct buf arguments = {0};
    struct err err = {0};
    struct call *call;
    int r = pairs_add(&arguments, SPAN("order"), SPAN("o"));

    r = r < 0 ? r : pairs_add(&arguments, SPAN("table"), SPAN("a"));
    r = r < 0 ? r : pairs_add(&arguments, SPAN("table"), SPAN("b"));
    head.arguments = (struct pairs){buf_span(&arguments), 3};
    r = r < 0 ? r : call_new(&calls, 1, &head, &call, &err);
    if (r == 0) {
        CHECK(call_dump(call).table_count == 2 && span_is(call_dump(call).tables[1], "b"));
        close_call(call);
    }
    buf_done(&arguments);
    return r;
}

static void survives_every_failed_allocation(void)
{
    int r = ERR_NOMEM;

    for (long n = 0; r < 0 && n < 100; n++) {
        mem_fail_after(n);
        r = try_to_open();
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        CHECK(calls.count == 0);
    }
    CHECK(r == 0);
}

static void refuses_an_unknown_method(void)
{
    struct outcall_head head = {.method = SPAN("drop everything")};
    struct err err = {0};
    struct call *call;

    CHECK(call_new(&calls, 1, &head, &call, &err) == ERR_INVALID && calls.count == 0);
    CHECK(strcmp(err.text, "a database has no method 'drop everything'") == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"keeps_a_queue", keeps_a_queue},
        {"finds_calls_by_their_stream", finds_calls_by_their_stream},
        {"lines_up_calls_of_one_order", lines_up_calls_of_one_order},
        {"lets_a_write_follow_a_write", lets_a_write_follow_a_write},
        {"sends_what_the_window_allows", sends_what_the_window_allows},
        {"survives_every_failed_allocation", survives_every_failed_allocation},
        {"refuses_an_unknown_method", refuses_an_unknown_method},
        {0},
    };

    return test_main("store_call", TESTS, argc, argv);
}
