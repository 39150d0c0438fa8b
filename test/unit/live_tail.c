/* live_tail.c - src/live/tail.c, event.c: who hears of what, for how long, and in which words. */
#include "live/tail.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "live/event.h"
#include "live/inside.h"
#include "live/trace.h"
#include "test.h"

static uv_loop_t loop;
static struct live live;
static json_t *last; /* event */
static unsigned events, ends;
static bool is_full;

static bool on_event(void *self, struct span json)
{
    (void)self;
    if (is_full)
        return false;
    json_decref(last);
    last = json_loadb(json.data, json.len, JSON_ALLOW_NUL, NULL);
    events++;
    return true;
}

static void on_ended(void *self)
{
    (void)self;
    ends++;
}

static const struct tail_listener LISTENER = {on_event, on_ended};

static void begin(void)
{
    struct err err;

    events = ends = 0;
    is_full = false;
    last = NULL;
    uv_loop_init(&loop);
    live = (struct live){.loop = &loop};
    CHECK(trace_open(&live, &err) == 0);
}

static void finish(void)
{
    trace_close(&live);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
    json_decref(last);
    clock_fake(-1);
}

static struct tail *make(const char *worker)
{
    struct tail *tail = NULL;
    struct err err = {0};

    CHECK(tail_create(&live, "a1", worker, NULL, "192.0.2.1", &tail, &err) == 0);
    return tail;
}

static struct trace *request(struct span url)
{
    static const struct trace_source SOURCE = {"a1", "w", "v1"};
    struct buf headers = {0};
    struct request r = {.method = SPAN("GET"), .url = url};
    struct front_arrival arrival = {.request = &r, .client = SPAN("192.0.2.1")};
    struct trace *trace;

    CHECK(pairs_add(&headers, SPAN("X-Tag"), SPAN("a")) == 0 && pairs_add(&headers, SPAN("x-tag"), SPAN("b\xff")) == 0);
    CHECK(pairs_add(&headers, SPAN("Cookie"), SPAN("hidden")) == 0);
    r.headers = (struct pairs){buf_span(&headers), 3};
    trace = event_request(live.tails, &SOURCE, &arrival);
    buf_done(&headers);
    return trace;
}

static void end(struct trace *trace)
{
    event_finished(trace, &(struct front_outcome){.ending = FRONT_OK, .status = 200, .started_ms = 5, .wall_us = 1500});
    event_end(trace, 700);
}

static const char *text_at(json_t *from, const char *a, const char *b, const char *c)
{
    json_t *at = json_object_get(json_object_get(from, a), b);

    return json_string_value(c ? json_object_get(at, c) : at);
}

static void nobody_listens_and_nothing_is_kept(void)
{
    struct tail *tail;

    begin();
    CHECK(!request(SPAN("http://h/")));
    tail = make("w");
    CHECK(!request(SPAN("http://h/"))); /* nobody has connected */
    event_log(NULL, LOG_INFO, SPAN("x"));
    event_raised(NULL, SPAN("x"));
    end(NULL);
    tail_delete(tail);
    CHECK(ends == 0);
    finish();
}

static void strangers_text_becomes_json(void)
{
    struct tail *tail;
    struct trace *trace;
    struct err err;
    json_t *logs;

    begin();
    tail = make("w");
    CHECK(tail_listen(tail, &LISTENER, NULL, &err) == 0);
    CHECK(tail_listen(tail, &LISTENER, NULL, &err) == ERR_LIMIT);
    trace = request(SPAN("http://h/\xff\x01"));
    event_log(trace, LOG_WARN, (struct span){"a\0b\xed\xa0\x80\xc3\xa9", 8});
    event_log(trace, LOG_INFO, SPAN("\xf0\x9f\x98\x80"));
    end(trace);
    CHECK(events == 1 && strcmp(text_at(last, "event", "request", "url"), "http://h/\xef\xbf\xbd\x01") == 0);
    CHECK(strcmp(text_at(json_object_get(last, "event"), "request", "headers", "x-tag"), "a, b\xef\xbf\xbd") == 0);
    CHECK(strcmp(text_at(json_object_get(last, "event"), "request", "headers", "cookie"), "REDACTED") == 0);
    logs = json_object_get(last, "logs");
    CHECK(json_array_size(logs) == 2 && json_number_value(json_object_get(last, "cpuTime")) == 0.7);
    tail_delete(tail);
    CHECK(ends == 1);
    finish();
}

static void arguments_of_a_line_are_values(void)
{
    static const char *const BAD[] = {"", "{}", "[]", "[1,2]", "[\"log\"", "\xff", "[\"log\",1]]"};
    static char many[32 * 1024];
    struct tail *tail;
    struct trace *trace;
    struct err err;
    json_t *logs;
    char *text;

    begin();
    tail = make("w");
    CHECK(tail_listen(tail, &LISTENER, NULL, &err) == 0);
    trace = request(SPAN("http://h/"));
    event_told(NULL, SPAN("[\"log\",1]"));
    event_told(trace, SPAN("[\"info\",\"a\",{\"b\":1},null]"));
    event_log(trace, LOG_INFO, SPAN("a { b: 1 } null"));
    event_log(trace, LOG_INFO, SPAN("plain"));
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        event_told(trace, span_of(BAD[i]));
        event_log(trace, LOG_WARN, SPAN("text"));
    }
    memset(many, '[', sizeof many); /* more values than an event may have */
    event_told(trace, (struct span){many, sizeof many});
    event_log(trace, LOG_WARN, SPAN("text"));
    event_told(trace, SPAN("[\"log\",\"nobody's\"]"));
    end(trace);
    logs = json_object_get(last, "logs");
    CHECK(json_array_size(logs) == 2 + sizeof BAD / sizeof *BAD + 1);
    text = json_dumps(json_object_get(json_array_get(logs, 0), "message"), JSON_COMPACT);
    CHECK(text && strcmp(text, "[\"a\",{\"b\":1},null]") == 0);
    free(text);
    CHECK(strcmp(json_string_value(json_object_get(json_array_get(logs, 0), "level")), "info") == 0);
    for (size_t i = 1; i < json_array_size(logs); i++) {
        text = json_dumps(json_object_get(json_array_get(logs, i), "message"), JSON_COMPACT);
        CHECK(text && strcmp(text, i == 1 ? "[\"plain\"]" : "[\"text\"]") == 0);
        free(text);
    }
    finish();
}

static void what_is_long_is_cut(void)
{
    static char text[20 * 1024];
    struct tail *tail;
    struct trace *trace;
    struct err err;

    begin();
    tail = make("w");
    CHECK(tail_listen(tail, &LISTENER, NULL, &err) == 0);
    memset(text, 'x', sizeof text);
    trace = request(SPAN("http://h/"));
    for (int i = 0; i < 100; i++)
        event_log(trace, LOG_INFO, (struct span){text, sizeof text});
    end(trace);
    CHECK(events == 1 && json_is_true(json_object_get(last, "truncated")));
    CHECK(json_array_size(json_object_get(last, "logs")) == 8);
    finish();
    CHECK(ends == 1);
}

static void a_slow_listener_is_told(void)
{
    struct tails_count count;
    struct tail *tail;
    struct err err;

    begin();
    clock_fake(1000);
    tail = make("w");
    CHECK(tail_listen(tail, &LISTENER, NULL, &err) == 0);
    is_full = true;
    end(request(SPAN("http://h/")));
    end(request(SPAN("http://h/")));
    tails_count(live.tails, NULL, &count);
    CHECK(events == 0 && count.dropped == 2 && count.tails == 1);
    is_full = false;
    end(request(SPAN("http://h/")));
    CHECK(events == 2 && text_at(last, "event", "request", "url"));
    tails_count(live.tails, "a2", &count);
    CHECK(count.tails == 0);
    finish();
}

static void tails_end(void)
{
    struct tail *heard, *unheard;
    struct err err;
    char id[64];

    begin();
    clock_fake(1000);
    heard = make("w");
    unheard = make("w");
    CHECK(tail_listen(heard, &LISTENER, NULL, &err) == 0);
    snprintf(id, sizeof id, "%s", tail_id(unheard));
    CHECK(strlen(id) == 32 && tail_find(&live, NULL, id) == unheard && tail_find(&live, "a1", id) == unheard);
    CHECK(!tail_find(&live, "a2", id) && !tail_find(&live, NULL, "") && !tail_find(&live, NULL, "0"));
    clock_fake(1000 + TAIL_WAIT_MS);
    while (tail_find(&live, NULL, id))
        uv_run(&loop, UV_RUN_ONCE);
    CHECK(ends == 0);
    clock_fake(1000 + TAIL_TTL_MS);
    while (ends == 0)
        uv_run(&loop, UV_RUN_ONCE);
    finish();
}

static void only_so_many_tails(void)
{
    struct tail *tail;
    struct err err;

    begin();
    for (int i = 0; i < TAILS_MAX; i++)
        (void)make("w");
    CHECK(tail_create(&live, "a1", "w", NULL, "", &tail, &err) == ERR_LIMIT);
    (void)make("other");
    finish();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"nobody_listens_and_nothing_is_kept", nobody_listens_and_nothing_is_kept},
        {"strangers_text_becomes_json", strangers_text_becomes_json},
        {"arguments_of_a_line_are_values", arguments_of_a_line_are_values},
        {"what_is_long_is_cut", what_is_long_is_cut},
        {"a_slow_listener_is_told", a_slow_listener_is_told},
        {"tails_end", tails_end},
        {"only_so_many_tails", only_so_many_tails},
        {0},
    };

    return test_main("live_tail", TESTS, argc, argv);
}
