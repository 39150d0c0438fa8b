/* herd_outcall.c - src/herd/outcall.c: what an instance asks, under the eyes of a sceptic. */
#include "herd_actor.h"

#define CALL_1 (FRAME_OUTCALL_BIT | 1)

static void ask(uint32_t number, int64_t length)
{
    SAY_MESSAGE(outcall_head, length == 0 ? FRAME_END : 0, FRAME_OUTCALL_BIT | number,
                .method = SPAN("fetch"), .body_length = length);
}

static void open_instance(void (*script)(void))
{
    start(script);
    run_until(&seen.is_up);
}

static void answer_call(uint32_t status, bool is_end)
{
    struct reply reply = {.status = status, .body_length = is_end ? 0 : -1};
    struct err err = {0};

    CHECK(outcall_reply(outcalls.last, &reply, is_end, &err) == 0);
}

/* ---- honest ---- */

static void asks_and_reads(void)
{
    struct frame f;
    struct reply reply;
    struct err err;

    hello();
    ask(1, 5);
    SAY(FRAME_BODY, FRAME_END, CALL_1, "hello");
    f = hear();
    if (f.type != FRAME_REPLY || f.stream != CALL_1 || reply_get(&f, &reply, &err) < 0 ||
        reply.status != 201)
        _exit(94);
    f = hear();
    if (f.type != FRAME_BODY || f.flags != FRAME_END || !span_is(f.payload, "world"))
        _exit(95);
    /* It crossed the end: dropped. */
    SAY_MESSAGE(credit, 0, CALL_1, .bytes = 5);
    ask(2, 0);
    expect(FRAME_REPLY, FRAME_OUTCALL_BIT | 2);
    ask(3, 0);
    expect(FRAME_RESET, FRAME_OUTCALL_BIT | 3);
    _exit(0);
}

static void a_call_is_asked_answered_and_over(void)
{
    open_instance(asks_and_reads);
    run_until_count(&outcalls.ends, 1);
    CHECK(outcalls.body == 5 && strcmp(outcalls.text, "fetch") == 0);
    CHECK(outcall_window(outcalls.last) == 0);
    answer_call(201, false);
    CHECK(outcall_window(outcalls.last) == FRAME_WINDOW);
    outcall_body(outcalls.last, SPAN("world"), true);
    run_until_count(&outcalls.calls, 2);
    answer_call(204, true);
    outcalls.is_refused = true;
    run_until(&seen.has_ended);
    CHECK(outcalls.calls == 3 && outcalls.gone == 0);
    CHECK(seen.how == KIN_DIED && stop() == 0);
}

static void uploads_by_credit(void)
{
    static char piece[FRAME_BODY_MAX];
    size_t window = FRAME_WINDOW, sent = 0;

    hello();
    ask(1, -1);
    while (sent < 4 * FRAME_WINDOW) {
        if (window < sizeof piece) {
            struct frame f = hear();
            struct credit credit;
            struct err err;
            if (f.type != FRAME_CREDIT || credit_get(&f, &credit, &err) < 0)
                _exit(94);
            window += credit.bytes;
            continue;
        }
        say_frame(FRAME_BODY, 0, CALL_1, piece, sizeof piece);
        window -= sizeof piece;
        sent += sizeof piece;
    }
    SAY(FRAME_BODY, FRAME_END, CALL_1, "");
    linger_there();
}

static void an_upload_flows_by_credit(void)
{
    open_instance(uploads_by_credit);
    run_until_count(&outcalls.ends, 1);
    CHECK(outcalls.body == 4 * FRAME_WINDOW && !seen.has_ended);
    stop();
    CHECK(outcalls.gone == 1);
}

static void cancels(void)
{
    hello();
    ask(1, 0);
    SAY_MESSAGE(reset, 0, CALL_1, .reason = RESET_CANCELLED);
    SAY_MESSAGE(reset, 0, CALL_1, .reason = RESET_CANCELLED);
    ask(2, -1);
    linger_there();
}

static void cancelled_and_ended_calls_are_gone_once(void)
{
    open_instance(cancels);
    run_until_count(&outcalls.calls, 2);
    CHECK(outcalls.gone == 1 && instance->outcalls.count == 1);
    stop();
    CHECK(outcalls.gone == 2);
}

static void asks_too_often(void)
{
    hello();
    for (uint32_t i = 1; i <= FRAME_OUTCALLS_MAX; i++)
        ask(i, 0);
    ask(FRAME_OUTCALLS_MAX + 1, 0);
    linger_there();
}

/* ---- liars ---- */

static void skips_a_number(void)
{
    hello(), ask(2, 0), linger_there();
}
static void repeats_a_number(void)
{
    hello(), ask(1, 0), ask(1, 0), linger_there();
}
static void says_a_strange_length(void)
{
    hello(), ask(1, -2), linger_there();
}

static void asks_for_a_request_that_never_was(void)
{
    hello();
    SAY_MESSAGE(outcall_head, FRAME_END, CALL_1, .request = 1);
    linger_there();
}

static void says_no_end(void)
{
    hello();
    SAY_MESSAGE(outcall_head, 0, CALL_1, .body_length = 0);
    linger_there();
}

static void sends_a_body_that_it_has_not(void)
{
    hello();
    ask(1, 0);
    SAY(FRAME_BODY, FRAME_END, CALL_1, "x");
    linger_there();
}

static void sends_too_much(void)
{
    hello();
    ask(1, 3);
    SAY(FRAME_BODY, FRAME_END, CALL_1, "four");
    linger_there();
}

static void sends_too_little(void)
{
    hello();
    ask(1, 3);
    SAY(FRAME_BODY, FRAME_END, CALL_1, "ab");
    linger_there();
}

static void sends_without_credit(void)
{
    static char piece[FRAME_BODY_MAX];

    hello();
    ask(1, -1);
    /* For ever: some may be credited before the test says that nothing is to be. */
    for (;;)
        say_frame(FRAME_BODY, 0, CALL_1, piece, sizeof piece);
}

static void speaks_before_it_asks(void)
{
    hello();
    SAY_MESSAGE(credit, 0, CALL_1, .bytes = 1);
    linger_there();
}

static void replies_itself(void)
{
    hello();
    ask(1, 0);
    SAY_MESSAGE(reply, FRAME_END, CALL_1, .status = 200);
    linger_there();
}

static void resets_for_another_reason(void)
{
    hello();
    ask(1, 0);
    SAY_MESSAGE(reset, 0, CALL_1, .reason = RESET_FAILED);
    linger_there();
}

static void credits_without_measure(void)
{
    hello();
    ask(1, 0);
    SAY_MESSAGE(credit, 0, CALL_1, .bytes = UINT32_MAX);
    linger_there();
}

static void says_done(void)
{
    hello(), ask(1, 0), SAY(FRAME_DONE, 0, CALL_1, ""), linger_there();
}

static void says_finished(void)
{
    hello();
    ask(1, 1);
    SAY(FRAME_BODY, FRAME_END | FRAME_FINISHED, CALL_1, "x");
    linger_there();
}

static void liars_are_ended(void)
{
    static void (*const LIARS[])(void) = {
        skips_a_number,
        repeats_a_number,
        says_a_strange_length,
        asks_for_a_request_that_never_was,
        says_no_end,
        sends_a_body_that_it_has_not,
        sends_too_much,
        sends_too_little,
        sends_without_credit,
        speaks_before_it_asks,
        replies_itself,
        resets_for_another_reason,
        credits_without_measure,
        says_done,
        says_finished,
        asks_too_often,
    };

    for (size_t i = 0; i < sizeof LIARS / sizeof *LIARS; i++) {
        open_instance(LIARS[i]);
        outcalls.is_kept = true;
        run_until(&seen.has_ended);
        if (seen.how != KIN_LIED)
            printf("  liar %zu: %s\n", i, seen.ended);
        CHECK(seen.how == KIN_LIED);
        stop();
        CHECK(instance != NULL && outcalls.calls - outcalls.gone == 0);
    }
}

/* ---- how many ---- */

static unsigned too_many, own, counted;

static void serve_counting(struct outcall *o, const struct outcall_head *head, bool is_end)
{
    (void)head, (void)is_end;
    too_many += outcall_is_too_many(o);
    own += outcall_request(o) == 1;
    CHECK(outcall_limit(o, LIMIT_SUBREQUESTS) == 3);
    outcall_fail(o, SPAN("no"));
    counted++;
}

static void ask_for(uint32_t number, uint32_t request)
{
    SAY_MESSAGE(outcall_head, FRAME_END, FRAME_OUTCALL_BIT | number, .method = SPAN("fetch"),
                .request = request);
    expect(FRAME_RESET, FRAME_OUTCALL_BIT | number);
}

/* Of its one request, of none, and of none again as one that is over. */
static void asks_on_and_on(void)
{
    hello();
    expect(FRAME_REQUEST, 1);
    for (uint32_t i = 1; i <= 5; i++)
        ask_for(i, 1);
    for (uint32_t i = 6; i <= 10; i++)
        ask_for(i, 0);
    SAY_MESSAGE(reset, 0, 1, .reason = RESET_EXCEPTION);
    SAY(FRAME_DONE, 0, 1, "");
    for (uint32_t i = 11; i <= 15; i++)
        ask_for(i, 1);
    linger_there();
}

static void a_request_and_none_have_a_limit_each(void)
{
    static const struct limit_set LIMIT = {{[LIMIT_SUBREQUESTS] = 3}};

    too_many = own = counted = 0;
    open_instance(asks_on_and_on);
    instance->limits = &LIMIT;
    outcalls.serve = serve_counting;
    CHECK(send_request("GET", true) == 0);
    run_until_count(&counted, 5);
    CHECK(own == 5 && too_many == 2);
    run_until_count(&counted, 10);
    CHECK(own == 5 && too_many == 4);
    run_until_count(&counted, 15);
    CHECK(own == 5 && too_many == 9 && !seen.has_ended);
    stop();
}

/* ---- circles ---- */

static unsigned hops_of(const char *name, const char *value)
{
    struct buf fields = {0};
    struct request request = {0};
    unsigned hops;

    CHECK(pairs_add(&fields, SPAN("host"), SPAN("corral; hops=9")) == 0 &&
          pairs_add(&fields, span_of(name), span_of(value)) == 0);
    request.headers = (struct pairs){buf_span(&fields), 2};
    hops = call_hops(&request);
    buf_done(&fields);
    return hops;
}

static void asks_and_never_reads(void)
{
    hello();
    for (uint32_t n = 1; n <= 1000 * 1000; n++)
        ask(n, 0);
    linger_there();
}

static void who_reads_no_refusal_is_ended(void)
{
    size_t most = 0;

    start(asks_and_never_reads);
    outcalls.is_refused = true;
    while (!seen.has_ended) {
        size_t pending = peer_pending(&instance->kin.peer);
        most = pending > most ? pending : most;
        uv_run(&loop, UV_RUN_ONCE);
    }
    /* Nobody may ask again and again without reading: a worker of ours has 256 calls open at most. */
    CHECK(most > PEER_OUT_FULL / 2 && most <= INSTANCE_UNREAD_MAX);
    CHECK(seen.how == KIN_LIED && strcmp(seen.ended, "it does not read what it is sent") == 0);
    CHECK(outcalls.calls < 1000 * 1000 && stop() == -1);
}

static void hops_are_read_out_of_cdn_loop(void)
{
    CHECK(hops_of("CDN-Loop", "corral; hops=3") == 3 && hops_of("cdn-loop", "corral; hops=16") == 16);
    CHECK(hops_of("cdn-loop", "x, corral; hops=2, corral; hops=5, corral; hops=4") == 5);
    CHECK(hops_of("cdn-loop", "corral; hops=17") == CALL_HOPS_MAX + 1);
    CHECK(hops_of("cdn-loop", "corral; hops=99999999999999999999") == CALL_HOPS_MAX + 1);
    CHECK(hops_of("cdn-loop", "corral; hops=") == 0 && hops_of("cdn-loop", "corral; hops=x") == 0);
    CHECK(hops_of("cdn-loop", "corral") == 0 && hops_of("cdn-loop", "") == 0 && hops_of("loop", "corral; hops=3") == 0);
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(a_call_is_asked_answered_and_over),
        T(an_upload_flows_by_credit),
        T(cancelled_and_ended_calls_are_gone_once),
        T(liars_are_ended),
        T(who_reads_no_refusal_is_ended),
        T(a_request_and_none_have_a_limit_each),
        T(hops_are_read_out_of_cdn_loop),
        {0},
    };

    signal(SIGPIPE, SIG_IGN);
    return test_main("herd_outcall", TESTS, argc, argv);
}
