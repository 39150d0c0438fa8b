/* herd_call.c - src/herd/call.c: answers, uploads, aborts and failures of an honest instance. */
#include "herd_actor.h"

static void answers_all_calls(void)
{
    hello();
    for (uint32_t i = 1; i <= 100; i++)
        expect(FRAME_REQUEST, i);
    for (uint32_t i = 100; i >= 1; i--)
        answer(i);
    linger_there();
}

static void a_hundred_calls_are_answered_in_any_order(void)
{
    start(answers_all_calls);
    run_until(&seen.is_up);
    for (int i = 0; i < 100; i++)
        CHECK(send_request("GET", true) == 0);
    CHECK(instance->open == 100);
    run_until_count(&seen.ends, 100);
    CHECK(seen.heads == 100 && seen.body == 500 && seen.fails == 0);
    CHECK(instance_is_idle(instance) && instance->open == 0);
    stop();
    CHECK(seen.how == KIN_KILLED && seen.fails == 0);
}

static void answers_in_small_pieces(void)
{
    struct buf b = {0};
    struct response head = {.status = 404, .body_length = -1};
    struct err err;

    begin();
    if (response_put(&b, 0, 1, &head, &err) < 0 || frame_put(&b, FRAME_BODY, 0, 1, "a", 1) < 0 ||
        frame_put(&b, FRAME_BODY, FRAME_END, 1, "bc", 2) < 0 ||
        frame_put(&b, FRAME_DONE, 0, 1, NULL, 0) < 0)
        _exit(94);
    for (size_t i = 0; i < buf_len(&b); i++) {
        say(buf_data(&b) + i, 1);
        usleep(200);
    }
    linger_there();
}

static void frames_cut_anywhere_are_put_together(void)
{
    start_with_call(answers_in_small_pieces);
    run_until_count(&seen.ends, 1);
    CHECK(seen.heads == 1 && seen.body == 3 && seen.body_length == -1);
    stop();
}

static void streams_a_lot(void)
{
    static char bytes[FRAME_BODY_MAX];
    size_t window = FRAME_WINDOW, left = 20 * 1000 * 1000;
    struct credit credit;
    struct frame f;
    struct err err;

    begin();
    respond(1, 0, (int64_t)left);
    while (left > 0) {
        size_t n = left < sizeof bytes ? left : sizeof bytes;
        while (window < n) {
            f = hear();
            if (f.type != FRAME_CREDIT || credit_get(&f, &credit, &err) < 0)
                _exit(95);
            window += credit.bytes;
        }
        left -= n;
        window -= n;
        say_frame(FRAME_BODY, left == 0 ? FRAME_END | FRAME_FINISHED : 0, 1, bytes, n);
    }
    linger_there();
}

static void a_long_answer_flows_by_credit(void)
{
    start(streams_a_lot);
    seen.is_credited = true;
    run_until(&seen.is_up);
    CHECK(send_request("GET", true) == 0);
    run_until_count(&seen.ends, 1);
    CHECK(seen.body == 20 * 1000 * 1000);
    stop();
}

static void takes_an_upload(void)
{
    size_t got = 0;
    struct frame f;

    begin();
    do {
        f = hear();
        if (f.type != FRAME_BODY)
            _exit(96);
        got += f.payload.len;
        SAY_MESSAGE(credit, 0, 1, .bytes = (uint32_t)f.payload.len);
    } while (!(f.flags & FRAME_END));
    if (got != 3 * 1000 * 1000)
        _exit(97);
    answer(1);
    linger_there();
}

static void an_upload_waits_for_credit(void)
{
    static char bytes[FRAME_WINDOW];
    size_t left = 3 * 1000 * 1000, n;
    unsigned woken;

    start(takes_an_upload);
    run_until(&seen.is_up);
    CHECK(send_request("POST", false) == 0);
    CHECK(call_window(call) == FRAME_WINDOW);
    while (left > 0) {
        woken = seen.writable;
        n = call_window(call) < left ? call_window(call) : left;
        left -= n;
        call_body(call, (struct span){bytes, n}, left == 0);
        CHECK(left == 0 || call_window(call) == 0);
        if (left > 0)
            run_until_count(&seen.writable, woken + 1);
    }
    run_until_count(&seen.ends, 1);
    CHECK(seen.fails == 0);
    stop();
}

static void goes_on_after_the_answer(void)
{
    begin();
    respond(1, 0, 5);
    SAY(FRAME_BODY, FRAME_END, 1, "hello");
    expect(FRAME_PING, 0); /* the test lets time pass by a tick */
    SAY(FRAME_PONG, 0, 0, "");
    SAY(FRAME_DONE, 0, 1, "");
    SAY_MESSAGE(log_line, 0, 1, .level = LOG_INFO, .text = SPAN("done"));
    linger_there();
}

static void a_call_without_done_lingers(void)
{
    start_with_call(goes_on_after_the_answer);
    run_until_count(&seen.ends, 1);
    CHECK(!instance_is_idle(instance) && instance->open == 0);
    CHECK(frame_put(peer_out(&instance->kin.peer), FRAME_PING, 0, 0, NULL, 0) == 0);
    instance->ping_ms = clock_now_ms();
    run_until_count(&seen.logs, 1);
    CHECK(instance_is_idle(instance));
    stop();
}

static void never_says_done(void)
{
    begin();
    respond(1, FRAME_END, 0);
    linger_there();
}

static void lingering_has_an_end(void)
{
    int64_t now_ms = clock_now_ms();

    start_with_call(never_says_done);
    run_until_count(&seen.ends, 1);
    CHECK(seen.body_length == 0);
    instance_tick(instance, now_ms + INSTANCE_LINGER_MS - 1000, 30);
    CHECK(!instance_is_idle(instance));
    instance_tick(instance, now_ms + INSTANCE_LINGER_MS + LIMIT_MS, 30);
    CHECK(instance_is_idle(instance));
    stop();
}

static void waits_for_the_reset(void)
{
    struct reset reset;
    struct err err;
    struct frame f;

    begin();
    respond(1, 0, -1);
    f = hear();
    if (f.type != FRAME_RESET || reset_get(&f, &reset, &err) < 0 ||
        reset.reason != RESET_CLIENT_GONE)
        _exit(98);
    SAY(FRAME_BODY, FRAME_END, 1, "too late");
    SAY(FRAME_DONE, 0, 1, "");
    SAY(FRAME_BODY, 0, 1, "far too late");
    SAY_MESSAGE(log_line, 0, 0, .level = LOG_INFO, .text = SPAN("end"));
    linger_there();
}

static void after_an_abort_nothing_is_heard(void)
{
    start(waits_for_the_reset);
    seen.is_aborting = true;
    run_until(&seen.is_up);
    CHECK(send_request("GET", true) == 0);
    run_until_count(&seen.logs, 1);
    CHECK(seen.heads == 1 && seen.body == 0 && seen.ends == 0 && seen.fails == 0);
    CHECK(instance_is_idle(instance) && !seen.has_ended);
    stop();
}

static void answers_head(void)
{
    begin();
    respond(1, FRAME_END | FRAME_FINISHED, 1234);
    linger_there();
}

static void the_answer_to_head_keeps_its_length(void)
{
    start(answers_head);
    run_until(&seen.is_up);
    CHECK(send_request("HEAD", true) == 0);
    run_until_count(&seen.ends, 1);
    CHECK(seen.body_length == 1234 && seen.body == 0 && instance_is_idle(instance));
    stop();
}

static void raises(void)
{
    begin();
    SAY_MESSAGE(reset, 0, 1, .reason = RESET_EXCEPTION, .text = SPAN("Traceback"));
    SAY(FRAME_DONE, 0, 1, "");
    expect(FRAME_REQUEST, 2);
    SAY_MESSAGE(reset, 0, 2, .reason = RESET_BAD_RESULT, .text = SPAN("None"));
    SAY(FRAME_DONE, 0, 2, "");
    expect(FRAME_REQUEST, 3);
    respond(3, 0, -1);
    SAY_MESSAGE(reset, 0, 3, .reason = RESET_BODY, .text = SPAN("cut"));
    SAY(FRAME_DONE, 0, 3, "");
    expect(FRAME_REQUEST, 4);
    respond(4, 0, 10);
    SAY(FRAME_BODY, FRAME_END | FRAME_FINISHED, 4, "short");
    linger_there();
}

static void failures_keep_their_words(void)
{
    static const struct {
        enum call_failure why;
        const char *text;
    } WANT[] = {{CALL_EXCEPTION, "Traceback"},
                {CALL_BAD_RESULT, "None"},
                {CALL_CUT, "cut"},
                {CALL_CUT, "the answer's body is shorter than its head said"}};

    start(raises);
    run_until(&seen.is_up);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(send_request("GET", true) == 0);
        run_until_count(&seen.fails, i + 1);
        CHECK(seen.why == WANT[i].why && strcmp(seen.text, WANT[i].text) == 0);
    }
    CHECK(seen.ends == 0 && !seen.has_ended);
    stop();
}

static void does_not_read(void)
{
    begin();
    SAY_MESSAGE(reset, 0, 1, .reason = RESET_UNREAD);
    SAY_MESSAGE(log_line, 0, 1, .level = LOG_INFO, .text = SPAN("now"));
    answer(1);
    linger_there();
}

static void an_unwanted_body_is_dropped_and_the_answer_goes_on(void)
{
    static char bytes[FRAME_WINDOW];

    start(does_not_read);
    run_until(&seen.is_up);
    CHECK(send_request("POST", false) == 0);
    run_until_count(&seen.unwanted, 1);
    if (seen.ends == 0) {
        for (int i = 0; i < 10; i++)
            call_body(call, (struct span){bytes, call_window(call)}, i == 9);
        CHECK(peer_pending(&instance->kin.peer) == 0);
    }
    run_until_count(&seen.ends, 1);
    CHECK(seen.unwanted == 1 && seen.fails == 0);
    stop();
}

static void answers_and_dies(void)
{
    begin();
    answer(1);
    expect(FRAME_REQUEST, 2);
    answer(2);
    _exit(7);
}

static void the_last_breath_counts(void)
{
    start_with_call(answers_and_dies);
    run_until_count(&seen.ends, 1);
    CHECK(send_request("GET", true) == 0);
    run_until(&seen.has_ended);
    CHECK(seen.ends == 2 && seen.fails == 0 && seen.how == KIN_DIED);
    CHECK(stop() == 7);
}

static void answers_an_event(void)
{
    struct event event;
    struct frame f;
    struct err err;

    hello();
    f = hear();
    if (f.type != FRAME_EVENT || !(f.flags & FRAME_END) || event_get(&f, &event, &err) < 0 ||
        !span_is(event.kind, "scheduled") || !span_is(event.payload, "{}"))
        _exit(98);
    answer(1);
    linger_there();
}

static void an_event_is_answered_as_a_request_is(void)
{
    static const struct event EVENT = {SPAN("scheduled"), SPAN(""), SPAN("{}")};
    const struct opening opening = {.event = &EVENT};
    struct err err = {0};

    start(answers_an_event);
    run_until(&seen.is_up);
    call = call_new(&opening, true, &CALL, NULL);
    CHECK(call && instance_send(instance, call, &opening, &err) == 0);
    run_until_count(&seen.ends, 1);
    CHECK(seen.heads == 1 && seen.body == 5 && seen.fails == 0);
    stop();
}

static void becomes_a_websocket(void)
{
    struct frame f;

    hello();
    f = hear();
    if (f.type != FRAME_REQUEST || f.flags & FRAME_END)
        _exit(98);
    SAY_MESSAGE(response, 0, 1, .status = 101, .body_length = -1);
    f = hear();
    if (f.type != FRAME_BODY || !span_is(f.payload, "ab"))
        _exit(99);
    SAY(FRAME_BODY, 0, 1, "abc");
    expect(FRAME_HANG_UP, 0);
    SAY(FRAME_BODY, FRAME_END | FRAME_FINISHED, 1, "bye");
    linger_there();
}

static int send_upgrade(void)
{
    static const struct request UPGRADE = {
        .method = SPAN("GET"), .url = SPAN("http://a/"), .headers = {SPAN(""), 0}, .is_upgrade = 1};
    const struct opening opening = {.request = &UPGRADE};
    struct err err = {0};

    call = call_new(&opening, false, &CALL, NULL);
    return call ? instance_send(instance, call, &opening, &err) : ERR_NOMEM;
}

static void an_upgrade_is_answered_with_101(void)
{
    start(becomes_a_websocket);
    run_until(&seen.is_up);
    CHECK(send_upgrade() == 0);
    run_until_count(&seen.heads, 1);
    CHECK(seen.body_length == -1 && call_window(call) == FRAME_WINDOW);
    call_body(call, SPAN("ab"), false);
    while (seen.body < 3)
        uv_run(&loop, UV_RUN_ONCE);
    instance_hang_up(instance);
    run_until_count(&seen.ends, 1);
    CHECK(seen.body == 6 && seen.fails == 0);
    stop();
}

static void switches_unasked(void)
{
    begin();
    SAY_MESSAGE(response, 0, 1, .status = 101, .body_length = -1);
    linger_there();
}

static void switches_at_once_to_nothing(void)
{
    begin();
    SAY_MESSAGE(response, FRAME_END, 1, .status = 101, .body_length = 0);
    linger_there();
}

static void nothing_else_is(void)
{
    start_with_call(switches_unasked);
    run_until(&seen.has_ended);
    CHECK(seen.how == KIN_LIED && seen.heads == 0 && seen.fails == 1);
    stop();
    start(switches_at_once_to_nothing);
    run_until(&seen.is_up);
    CHECK(send_upgrade() == 0);
    run_until(&seen.has_ended);
    CHECK(seen.how == KIN_LIED && seen.heads == 0 && seen.fails == 1);
    stop();
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(a_hundred_calls_are_answered_in_any_order),
        T(frames_cut_anywhere_are_put_together),
        T(a_long_answer_flows_by_credit),
        T(an_upload_waits_for_credit),
        T(a_call_without_done_lingers),
        T(lingering_has_an_end),
        T(after_an_abort_nothing_is_heard),
        T(the_answer_to_head_keeps_its_length),
        T(failures_keep_their_words),
        T(an_unwanted_body_is_dropped_and_the_answer_goes_on),
        T(the_last_breath_counts),
        T(an_event_is_answered_as_a_request_is),
        T(an_upgrade_is_answered_with_101),
        T(nothing_else_is),
        {0},
    };

    signal(SIGPIPE, SIG_IGN);
    return test_main("herd_call", TESTS, argc, argv);
}
