/* herd_instance.c - src/herd/instance.c, call.c and kin.c against a real process
 * at the other end of a socket, honest or not.
 *
 * Each case forks a child that plays the instance: it says HELLO, waits for
 * requests and writes whatever bytes its script wants.  The parent runs the
 * node's side in a real loop. */
#include "herd/instance.h"

#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "test.h"

enum { LIMIT_MS = 5000 };

/* The child's side */

static int side;
static struct buf side_in;

static void say(const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n > 0) {
        ssize_t k = write(side, p, n);
        if (k <= 0)
            _exit(0); /* the node has hung up: what a liar expects */
        p += k;
        n -= (size_t)k;
    }
}

static void say_frame(int type, int flags, uint32_t stream, const void *payload, size_t n)
{
    struct buf b = {0};

    if (frame_put(&b, (uint8_t)type, (uint8_t)flags, stream, payload, n) < 0)
        _exit(90);
    say(buf_data(&b), buf_len(&b));
    buf_done(&b);
}

#define SAY(type, flags, stream, text) say_frame(type, flags, stream, text, sizeof(text) - 1)

#define SAY_MESSAGE(name, flags, stream, ...)                                                      \
    do {                                                                                           \
        struct buf b_ = {0};                                                                       \
        struct err e_;                                                                             \
        struct name m_ = {__VA_ARGS__};                                                            \
        if (name##_put(&b_, (flags), (stream), &m_, &e_) < 0)                                      \
            _exit(91);                                                                             \
        say(buf_data(&b_), buf_len(&b_));                                                          \
        buf_done(&b_);                                                                             \
    } while (0)

/* Wait for a frame; the one before is forgotten. */
static struct frame hear(void)
{
    static size_t used;
    struct frame f;
    struct err err;
    char *room;
    ssize_t n;
    int r;

    buf_eat(&side_in, used);
    used = 0;
    for (;;) {
        r = frame_parse(buf_data(&side_in), buf_len(&side_in), &f, &used, &err);
        if (r == 1)
            return f;
        if (r < 0 || buf_reserve(&side_in, 65536, &room) < 0)
            _exit(92);
        n = read(side, room, 65536);
        if (n <= 0)
            _exit(0);
        buf_commit(&side_in, (size_t)n);
    }
}

static void expect(int type, uint32_t stream)
{
    struct frame f = hear();

    if (f.type != type || f.stream != stream)
        _exit(93);
}

static void hello(void)
{
    SAY_MESSAGE(hello, 0, 0, .version = WIRE_VERSION, .role = ROLE_INSTANCE);
}

static void begin(void)
{
    hello();
    expect(FRAME_REQUEST, 1);
}

static void respond(uint32_t stream, int flags, int64_t length)
{
    SAY_MESSAGE(response, (uint8_t)flags, stream, .status = 200, .body_length = length);
}

static void answer(uint32_t stream)
{
    respond(stream, 0, 5);
    SAY(FRAME_BODY, FRAME_END | FRAME_FINISHED, stream, "hello");
}

static void linger_there(void)
{
    for (;;)
        (void)hear();
}

/* The node's side */

struct seen {
    unsigned heads, ends, fails, unwanted, writable, logs, warnings;
    size_t body, log_bytes;
    bool is_up, has_ended, is_gone, is_aborting, is_credited;
    enum call_failure why;
    enum kin_end how;
    char text[640], ended[640];
    int64_t body_length;
};

static uv_loop_t loop;
static struct turn turn;
static uv_timer_t limit;
static struct instance *instance;
static struct call *call;
static struct seen seen;
static pid_t child;
static bool is_late;

static void on_head(void *self, const struct response *head)
{
    (void)self;
    seen.heads++;
    seen.body_length = head->body_length;
    if (head->body_length == 0)
        seen.ends++;
    if (seen.is_aborting)
        call_abort(call, RESET_CLIENT_GONE);
}

static void on_body(void *self, struct span bytes, bool is_end)
{
    (void)self;
    seen.body += bytes.len;
    seen.ends += is_end;
    if (seen.is_credited && !is_end)
        call_credit(call, bytes.len);
}

static void on_writable(void *self)
{
    (void)self;
    seen.writable++;
}

static void on_unwanted(void *self)
{
    (void)self;
    seen.unwanted++;
}

static void on_failed(void *self, enum call_failure why, struct span text)
{
    (void)self;
    seen.fails++;
    seen.why = why;
    snprintf(seen.text, sizeof seen.text, "%.*s", SPAN_ARG(text));
}

static const struct call_events CALL = {on_head, on_body, on_writable, on_unwanted, on_failed};

static void on_up(void *self, struct instance *i)
{
    (void)self;
    (void)i;
    seen.is_up = true;
}

static void on_log(void *self, enum log_level level, struct span text)
{
    (void)self;
    seen.logs++;
    seen.warnings += level == LOG_WARN;
    seen.log_bytes += text.len;
}

static void on_eased(void *self, struct instance *i)
{
    (void)self;
    (void)i;
}

static void on_ended(void *self, struct instance *i, enum kin_end how, const char *why)
{
    (void)self;
    CHECK(!seen.has_ended && instance_is_idle(i));
    seen.has_ended = true;
    seen.how = how;
    snprintf(seen.ended, sizeof seen.ended, "%s", why);
}

static void on_gone(void *self, struct instance *i)
{
    (void)self;
    (void)i;
    CHECK(seen.has_ended && !seen.is_gone);
    seen.is_gone = true;
}

static const struct instance_events EVENTS = {on_up, on_log, on_eased, on_ended, on_gone};

static void on_limit(uv_timer_t *timer)
{
    (void)timer;
    is_late = true;
}

/* Turn the loop until *flag, or complain. */
static void run_until(const bool *flag)
{
    is_late = false;
    uv_timer_start(&limit, on_limit, LIMIT_MS, 0);
    while (!*flag && !is_late)
        uv_run(&loop, UV_RUN_ONCE);
    uv_timer_stop(&limit);
    CHECK(!is_late);
}

static void run_until_count(const unsigned *count, unsigned n)
{
    is_late = false;
    uv_timer_start(&limit, on_limit, LIMIT_MS, 0);
    while (*count < n && !is_late)
        uv_run(&loop, UV_RUN_ONCE);
    uv_timer_stop(&limit);
    CHECK(!is_late);
}

static void open_loop(void)
{
    struct err err;

    seen = (struct seen){0};
    instance = NULL;
    call = NULL;
    uv_loop_init(&loop);
    uv_timer_init(&loop, &limit);
    CHECK(turn_open(&turn, &loop, &err) == 0);
}

static void start(void (*script)(void))
{
    struct err err = {0};
    int ours, theirs;

    open_loop();
    CHECK(peer_pair(&ours, &theirs, &err) == 0);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        close(ours);
        side = theirs;
        script();
        _exit(0);
    }
    close(theirs);
    CHECK(instance_open(&turn, ours, getpid(), 1, &EVENTS, NULL, &instance, &err) == 0);
}

static int send_request(const char *method, bool is_end)
{
    struct request request = {.method = span_of(method), .url = SPAN("http://localhost/"),
                              .body_length = is_end ? 0 : -1};
    struct err err = {0};
    int r;

    call = call_new(&request, is_end, &CALL, NULL);
    if (!call)
        return ERR_NOMEM;
    r = instance_send(instance, call, &request, &err);
    if (r < 0)
        call_end(call);
    return r;
}

static void start_with_call(void (*script)(void))
{
    start(script);
    run_until(&seen.is_up);
    if (seen.is_up)
        CHECK(send_request("GET", true) == 0);
}

static void on_turn_closed(void *self) { *(bool *)self = true; }

/* End what is left; returns the child's exit status, or -1 when a signal ended it. */
static int stop(void)
{
    bool is_closed = false;
    int status = 0;

    if (!seen.has_ended)
        kin_kill(&instance->kin, "the test is over");
    run_until(&seen.is_gone);
    if (child > 0) {
        kill(child, SIGKILL); /* one that was refused lives on, as it should */
        CHECK(waitpid(child, &status, 0) == child);
    }
    turn_close(&turn, on_turn_closed, &is_closed);
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed && uv_loop_close(&loop) == 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Honest instances */

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

static void pongs_late(void)
{
    begin();
    expect(FRAME_PING, 0);
    expect(FRAME_REQUEST, 2);
    SAY(FRAME_PONG, 0, 0, "");
    answer(1);
    answer(2);
    linger_there();
}

static void silence_makes_it_busy_until_it_answers(void)
{
    int64_t now_ms = clock_now_ms();

    start_with_call(pongs_late);
    instance->is_heard = false;
    instance_tick(instance, now_ms, 30);
    CHECK(instance->ping_ms == now_ms && !instance->is_busy);
    instance_tick(instance, now_ms + 29, 30);
    CHECK(!instance->is_busy);
    instance_tick(instance, now_ms + 30, 30);
    CHECK(instance->is_busy && instance_has_room(instance));
    CHECK(send_request("GET", true) == 0);
    run_until_count(&seen.ends, 2);
    CHECK(!instance->is_busy && instance->ping_ms == 0);
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

/* Those that die */

static void dies_in_the_middle(void)
{
    begin();
    respond(1, 0, 100);
    say("\x40\0\0\0\x12", 5);
    _exit(0);
}

static void hangs_up(void)
{
    begin();
    close(side);
    pause();
}

static void a_death_fails_the_calls(void)
{
    start_with_call(dies_in_the_middle);
    run_until(&seen.has_ended);
    CHECK(seen.fails == 1 && seen.why == CALL_CRASHED && seen.heads == 1 && seen.how == KIN_DIED);
    CHECK(strcmp(seen.text, "the process that ran this request ended") == 0);
    stop();
}

static void one_that_hangs_up_is_killed(void)
{
    start_with_call(hangs_up);
    run_until(&seen.has_ended);
    CHECK(seen.fails == 1 && seen.why == CALL_CRASHED);
    CHECK(stop() == -1);
}

static void a_kill_says_why(void)
{
    start_with_call(never_says_done);
    run_until_count(&seen.ends, 1);
    CHECK(send_request("GET", true) == 0);
    kin_kill(&instance->kin, "it took too long");
    CHECK(seen.fails == 0 && !instance_has_room(instance));
    run_until(&seen.has_ended);
    CHECK(seen.fails == 1 && seen.how == KIN_KILLED);
    CHECK(strstr(seen.text, "was ended: it took too long") != NULL);
    CHECK(stop() == -1);
}

static void logs_a_flood(void)
{
    static char text[60 * 1000];

    memset(text, 'x', sizeof text);
    begin();
    for (int i = 0; i < 100; i++)
        SAY_MESSAGE(log_line, 0, 1, .level = LOG_INFO, .text = {text, sizeof text});
    answer(1);
    linger_there();
}

static void a_flood_of_logs_is_cut_with_one_word(void)
{
    clock_fake(1000);
    start_with_call(logs_a_flood);
    run_until_count(&seen.ends, 1);
    CHECK(seen.warnings == 1 && seen.log_bytes <= RATION_BYTES + 100 && seen.logs == 18);
    clock_fake(-1);
    stop();
}

/* Those that lie: each is ended, with these words */

static void no_hello(void) { SAY(FRAME_PONG, 0, 0, ""); }
static void hello_of_a_template(void)
{
    SAY_MESSAGE(hello, 0, 0, .version = WIRE_VERSION, .role = ROLE_TEMPLATE);
}
static void hello_of_the_future(void)
{
    SAY_MESSAGE(hello, 0, 0, .version = WIRE_VERSION + 1, .role = ROLE_INSTANCE);
}
static void hello_twice(void)
{
    begin();
    hello();
}
static void unknown_frame(void)
{
    begin();
    say("\0\0\0\0\x7f\0\0\0\1\0\0\0", 12);
}
static void huge_frame(void)
{
    begin();
    say("\xff\xff\xff\x7f\x12\0\0\0\1\0\0\0", 12);
}
static void two_heads(void)
{
    begin();
    respond(1, 0, -1);
    respond(1, 0, -1);
}
static void status_99(void)
{
    begin();
    SAY_MESSAGE(response, 0, 1, .status = 99);
}
static void negative_length(void)
{
    begin();
    respond(1, 0, -2);
}
static void cut_message(void)
{
    begin();
    SAY(FRAME_RESPONSE, 0, 1, "\xc8\0\0\0\0");
}
static void body_first(void)
{
    begin();
    SAY(FRAME_BODY, 0, 1, "x");
}
static void flood(void)
{
    static char bytes[FRAME_BODY_MAX];

    begin();
    respond(1, 0, -1);
    for (int i = 0; i < 5; i++)
        say_frame(FRAME_BODY, 0, 1, bytes, sizeof bytes);
}
static void longer_than_said(void)
{
    begin();
    respond(1, 0, 3);
    SAY(FRAME_BODY, 0, 1, "four");
}
static void body_of_204(void)
{
    begin();
    SAY_MESSAGE(response, 0, 1, .status = 204, .body_length = -1);
    SAY(FRAME_BODY, 0, 1, "x");
}
static void ends_before_its_length(void)
{
    begin();
    respond(1, FRAME_END, 5);
}
static void behind_the_end(void)
{
    begin();
    respond(1, 0, 5);
    SAY(FRAME_BODY, FRAME_END, 1, "hello");
    SAY(FRAME_BODY, 0, 1, "more");
}
static void reset_behind_the_end(void)
{
    begin();
    respond(1, FRAME_END, 0);
    SAY_MESSAGE(reset, 0, 1, .reason = RESET_EXCEPTION);
}
static void finished_without_end(void)
{
    begin();
    respond(1, 0, 5);
    SAY(FRAME_BODY, FRAME_FINISHED, 1, "hello");
}
static void done_too_early(void)
{
    begin();
    SAY(FRAME_DONE, 0, 1, "");
}
static void stream_of_the_future(void)
{
    begin();
    answer(2);
}
static void credit_without_end(void)
{
    begin();
    SAY_MESSAGE(credit, 0, 1, .bytes = 0xffffffff);
}
static void pong_unasked(void)
{
    begin();
    SAY(FRAME_PONG, 0, 0, "");
}
static void request_to_the_node(void)
{
    begin();
    SAY_MESSAGE(request, 0, 1, .body_length = 0);
}
static void reset_as_the_node_says_it(void)
{
    begin();
    SAY_MESSAGE(reset, 0, 1, .reason = RESET_CLIENT_GONE);
}
static void log_of_level_7(void)
{
    begin();
    SAY_MESSAGE(log_line, 0, 1, .level = 7);
}
static void fork_order(void)
{
    begin();
    SAY_MESSAGE(spawned, 0, 0, .id = 1, .pid = 1);
}

static void liars_are_ended(void)
{
    static const struct {
        void (*script)(void);
        const char *why;
        bool is_before_up;
    } LIES[] = {
        {no_hello, "PONG frame before HELLO", true},
        {hello_of_a_template, "HELLO of version 1 in role 2", true},
        {hello_of_the_future, "HELLO of version 2 in role 3", true},
        {hello_twice, "HELLO frame from an instance", false},
        {unknown_frame, "frame of unknown type 127", false},
        {huge_frame, "BODY frame of 2147483647 bytes is over 65536", false},
        {two_heads, "a second RESPONSE on stream 1", false},
        {status_99, "RESPONSE with status 99", false},
        {negative_length, "RESPONSE with a body of -2 bytes", false},
        {cut_message, "RESPONSE message: 'status_text' is cut or malformed", false},
        {body_first, "BODY before RESPONSE on stream 1", false},
        {flood, "65536 bytes of BODY with credit for 0", false},
        {longer_than_said, "BODY is longer than its RESPONSE said", false},
        {body_of_204, "BODY is longer than its RESPONSE said", false},
        {ends_before_its_length, "RESPONSE ends before its body of 5 bytes", false},
        {behind_the_end, "BODY behind the end of stream 1", false},
        {reset_behind_the_end, "RESET behind the end of stream 1", false},
        {finished_without_end, "BODY frame that is finished and has no end", false},
        {done_too_early, "DONE before the end of stream 1", false},
        {stream_of_the_future, "RESPONSE frame for stream 2 that is not open", false},
        {credit_without_end, "CREDIT of 4294967295 bytes on top of 262144", false},
        {pong_unasked, "PONG without PING", false},
        {request_to_the_node, "REQUEST frame from an instance", false},
        {reset_as_the_node_says_it, "RESET for reason 1", false},
        {log_of_level_7, "LOG of level 7", false},
        {fork_order, "SPAWNED frame from an instance", false},
    };

    for (size_t i = 0; i < sizeof LIES / sizeof *LIES; i++) {
        if (LIES[i].is_before_up)
            start(LIES[i].script);
        else
            start_with_call(LIES[i].script);
        run_until(&seen.has_ended);
        CHECK(seen.how == KIN_LIED);
        CHECK(strcmp(seen.ended, LIES[i].why) == 0);
        if (strcmp(seen.ended, LIES[i].why) != 0)
            printf("    '%s' and not '%s'\n", seen.ended, LIES[i].why);
        /* A call has one end: a failure, or the end that came before the lie. */
        CHECK(seen.ends + seen.fails == !LIES[i].is_before_up);
        stop();
    }
}

static void lets_a_grandchild_speak(void)
{
    if (fork() == 0) {
        hello();
        pause();
    }
    pause();
}

static void a_stranger_is_refused_and_left_alone(void)
{
    char want[64];

    start(lets_a_grandchild_speak);
    run_until(&seen.has_ended);
    CHECK(!seen.is_up && seen.how == KIN_LIED);
    snprintf(want, sizeof want, " is a child of %d, not of %d", (int)child, (int)getpid());
    CHECK(strstr(seen.ended, want) != NULL);
    stop();
}

static void reads_nothing(void)
{
    hello();
    pause();
}

static void what_nobody_reads_is_bounded(void)
{
    static char bytes[FRAME_WINDOW];
    size_t n, sent = 0;

    start(reads_nothing);
    run_until(&seen.is_up);
    for (int i = 0; i < 100 && instance_has_room(instance); i++) {
        CHECK(send_request("POST", false) == 0);
        n = call_window(call);
        call_body(call, (struct span){bytes, n}, false);
        sent += n;
        if (i % 3 == 0)
            uv_run(&loop, UV_RUN_NOWAIT);
    }
    CHECK(!instance_has_room(instance) && call_window(call) == 0);
    CHECK(peer_pending(&instance->kin.peer) < PEER_OUT_FULL + 64 * 1024);
    CHECK(sent >= PEER_OUT_FULL);
    stop();
    CHECK(seen.fails > 0 && seen.why == CALL_CRASHED);
}

static void stream_numbers_end(void)
{
    start(reads_nothing);
    run_until(&seen.is_up);
    instance->stream_last = INSTANCE_STREAM_LAST - 1;
    CHECK(send_request("GET", true) == 0);
    CHECK(instance->is_retiring && !instance_has_room(instance));
    stop();
}

static void copes_without_memory(void)
{
    struct err err = {0};
    int ours, theirs, r = ERR_NOMEM, n;

    for (n = 0; r == ERR_NOMEM && n < 20; n++) {
        open_loop();
        CHECK(peer_pair(&ours, &theirs, &err) == 0);
        mem_fail_after(n);
        r = instance_open(&turn, ours, getpid(), 1, &EVENTS, NULL, &instance, &err);
        mem_fail_after(-1);
        child = 0;
        close(theirs);
        seen.has_ended = seen.is_gone = !instance;
        if (instance)
            run_until(&seen.has_ended);
        stop();
    }
    CHECK(r == 0);
    start(reads_nothing);
    run_until(&seen.is_up);
    for (n = 0, r = ERR_NOMEM; r == ERR_NOMEM && n < 20; n++) {
        mem_fail_after(n);
        r = send_request("GET", true);
        mem_fail_after(-1);
        CHECK(r == 0 || instance_is_idle(instance));
    }
    CHECK(r == 0 && n > 2);
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
        T(silence_makes_it_busy_until_it_answers),
        T(the_last_breath_counts),
        T(a_death_fails_the_calls),
        T(one_that_hangs_up_is_killed),
        T(a_kill_says_why),
        T(a_flood_of_logs_is_cut_with_one_word),
        T(liars_are_ended),
        T(a_stranger_is_refused_and_left_alone),
        T(what_nobody_reads_is_bounded),
        T(stream_numbers_end),
        T(copes_without_memory),
        {0},
    };

    signal(SIGPIPE, SIG_IGN);
    return test_main("herd_instance", TESTS, argc, argv);
}
