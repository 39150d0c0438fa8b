/* wire_message.c - src/wire/message.c: what goes in comes out; what is cut is refused. */
#include "wire/message.h"

#include <string.h>

#include "base/mem.h"
#include "test.h"

static struct frame parsed(const struct buf *b)
{
    struct frame f = {0};
    struct err err = {0};
    size_t used;

    CHECK(frame_parse(buf_data(b), buf_len(b), &f, &used, &err) == 1);
    CHECK(used == buf_len(b));
    return f;
}

static int put_a_request(struct buf *out, struct buf *pairs, struct err *err)
{
    struct request m = {.method = SPAN("GET"), .url = SPAN("http://a/b?c"), .body_length = -1,
                        .is_upgrade = 1};

    if (pairs_add(pairs, SPAN("Host"), SPAN("a")) < 0 ||
        pairs_add(pairs, SPAN("Accept"), SPAN("")) < 0)
        return err_nomem(err);
    m.headers = (struct pairs){buf_span(pairs), 2};
    return request_put(out, FRAME_END, 9, &m, err);
}

static void carries_a_request_with_its_headers(void)
{
    struct buf b = {0}, pairs = {0};
    struct request m = {0};
    struct span name, value;
    struct err err = {0};
    struct frame f;
    size_t at = 0;

    CHECK(put_a_request(&b, &pairs, &err) == 0);
    f = parsed(&b);
    CHECK(f.type == FRAME_REQUEST && f.flags == FRAME_END && f.stream == 9);
    CHECK(request_get(&f, &m, &err) == 0);
    CHECK(span_is(m.method, "GET") && span_is(m.url, "http://a/b?c") && m.body_length == -1);
    CHECK(m.is_upgrade == 1);
    CHECK(pairs_next(&m.headers, &at, &name, &value));
    CHECK(span_is(name, "Host") && span_is(value, "a"));
    CHECK(pairs_next(&m.headers, &at, &name, &value));
    CHECK(span_is(name, "Accept") && value.len == 0);
    CHECK(!pairs_next(&m.headers, &at, &name, &value));
    buf_done(&b);
    buf_done(&pairs);
}

static void refuses_every_cut_and_every_surplus(void)
{
    struct buf b = {0}, pairs = {0};
    struct request m;
    struct err err = {0};
    struct frame f;
    char more[256];

    CHECK(put_a_request(&b, &pairs, &err) == 0);
    f = parsed(&b);
    memcpy(more, f.payload.data, f.payload.len);
    more[f.payload.len] = 0;
    for (size_t n = 0; n < f.payload.len; n++) {
        struct frame cut = f;
        cut.payload.len = n;
        CHECK(request_get(&cut, &m, &err) == ERR_INVALID);
    }
    f.payload = (struct span){more, f.payload.len + 1};
    CHECK(request_get(&f, &m, &err) == ERR_INVALID);
    CHECK(strcmp(err.text, "REQUEST message: 1 bytes left over") == 0);
    buf_done(&b);
    buf_done(&pairs);
}

static void refuses_pairs_whose_count_lies(void)
{
    struct buf b = {0}, pairs = {0};
    struct response m = {.status = 200, .body_length = 0};
    struct err err = {0};

    CHECK(pairs_add(&pairs, SPAN("a"), SPAN("b")) == 0);
    for (uint32_t count = 0; count < 4; count++) {
        struct frame f;
        struct response out;
        m.headers = (struct pairs){buf_span(&pairs), count};
        CHECK(response_put(&b, 0, 1, &m, &err) == 0);
        f = parsed(&b);
        CHECK((response_get(&f, &out, &err) == 0) == (count == 1));
        buf_eat(&b, buf_len(&b));
    }
    buf_done(&b);
    buf_done(&pairs);
}

static void carries_an_outcall_and_its_reply(void)
{
    struct buf b = {0}, arguments = {0}, headers = {0};
    struct outcall_head call = {.request = 7, .binding = SPAN("DB"), .method = SPAN("query"),
                                .body_length = -1};
    struct outcall_head got = {0};
    struct reply reply = {.status = 404, .body_length = 12}, back = {0};
    struct span name, value;
    struct err err = {0};
    struct frame f;
    size_t at = 0;

    CHECK(pairs_add(&arguments, SPAN("sql"), SPAN("select 1")) == 0);
    CHECK(pairs_add(&headers, SPAN("a"), SPAN("1")) == 0);
    CHECK(pairs_add(&headers, SPAN("a"), SPAN("2")) == 0);
    call.arguments = (struct pairs){buf_span(&arguments), 1};
    call.headers = reply.headers = (struct pairs){buf_span(&headers), 2};
    CHECK(outcall_head_put(&b, 0, FRAME_OUTCALL_BIT | 1, &call, &err) == 0);
    f = parsed(&b);
    CHECK(f.type == FRAME_OUTCALL && f.stream == (FRAME_OUTCALL_BIT | 1));
    CHECK(outcall_head_get(&f, &got, &err) == 0);
    CHECK(got.request == 7 && span_is(got.binding, "DB") && span_is(got.method, "query"));
    CHECK(got.arguments.count == 1 && got.headers.count == 2 && got.body_length == -1);
    CHECK(pairs_next(&got.arguments, &at, &name, &value) && span_is(value, "select 1"));
    for (size_t n = 0; n < f.payload.len; n++) {
        struct frame cut = f;
        cut.payload.len = n;
        CHECK(outcall_head_get(&cut, &got, &err) == ERR_INVALID);
    }
    buf_eat(&b, buf_len(&b));
    CHECK(reply_put(&b, FRAME_END, FRAME_OUTCALL_BIT | 1, &reply, &err) == 0);
    f = parsed(&b);
    CHECK(reply_get(&f, &back, &err) == 0);
    CHECK(back.status == 404 && back.results.count == 0 && back.headers.count == 2);
    CHECK(back.body_length == 12);
    buf_done(&b);
    buf_done(&arguments);
    buf_done(&headers);
}

static void carries_an_event(void)
{
    static const struct event EVENT = {SPAN("scheduled"), SPAN("Named"), SPAN("{\"cron\":\"*\"}")};
    struct buf b = {0};
    struct event got = {0};
    struct err err = {0};
    struct frame f;

    CHECK(event_put(&b, FRAME_END, 3, &EVENT, &err) == 0);
    f = parsed(&b);
    CHECK(f.type == FRAME_EVENT && f.flags == FRAME_END && f.stream == 3);
    CHECK(event_get(&f, &got, &err) == 0);
    CHECK(span_is(got.kind, "scheduled") && span_is(got.entrypoint, "Named"));
    CHECK(span_is(got.payload, "{\"cron\":\"*\"}"));
    for (size_t n = 0; n < f.payload.len; n++) {
        struct frame cut = f;
        cut.payload.len = n;
        CHECK(event_get(&cut, &got, &err) == ERR_INVALID);
    }
    buf_done(&b);
}

static void refuses_to_send_more_than_the_limit(void)
{
    static char big[300 * 1024];
    struct buf b = {0};
    struct request m = {.method = SPAN("GET"), .url = {big, sizeof big}};
    struct err err = {0};

    CHECK(request_put(&b, 0, 1, &m, &err) == ERR_LIMIT);
    CHECK(buf_len(&b) == 0);
    CHECK(strstr(err.text, "is over 262144") != NULL);
    buf_done(&b);
}

static void appends_nothing_without_memory(void)
{
    int rounds = 0, r;

    for (;; rounds++) {
        struct buf b = {0}, pairs = {0};
        struct err err = {0};
        mem_fail_after(rounds);
        r = put_a_request(&b, &pairs, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || (r == ERR_NOMEM && buf_len(&b) == 0));
        buf_done(&b);
        buf_done(&pairs);
        if (r == 0)
            break;
    }
    CHECK(rounds >= 2);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"carries_a_request_with_its_headers", carries_a_request_with_its_headers},
        {"refuses_every_cut_and_every_surplus", refuses_every_cut_and_every_surplus},
        {"refuses_pairs_whose_count_lies", refuses_pairs_whose_count_lies},
        {"carries_an_outcall_and_its_reply", carries_an_outcall_and_its_reply},
        {"carries_an_event", carries_an_event},
        {"refuses_to_send_more_than_the_limit", refuses_to_send_more_than_the_limit},
        {"appends_nothing_without_memory", appends_nothing_without_memory},
        {0},
    };

    return test_main("wire_message", TESTS, argc, argv);
}
