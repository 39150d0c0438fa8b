/* front_trigger.c - src/front/trigger.c: requests that run the scheduled handler, and their answers. */
#include "front/inside.h"
#include "front_client.h"

static const char OK[] = "{\"outcome\":\"ok\",\"noRetry\":false}";
static const char LOST[] = "{\"outcome\":\"exception\",\"noRetry\":true,\"error\":\"Traceback (most recent call last):\\nValueError: x\"}";

/* What the node asks the worker for this target; the worker replies `reply`, the client must see `wants`. */
static void expect_trigger(const char *target, const char *event, const char *reply, const char *wants)
{
    struct client c = client_connect();
    char request[512];
    int n = fake_count;

    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    client_send(&c, request);
    UNTIL(fake_count == n + 1);
    CHECK(strcmp(fake_calls[n]->url, event) == 0);
    if (strcmp(fake_calls[n]->url, event) != 0)
        printf("  %s: %s\n", target, fake_calls[n]->url);
    fake_answer(fake_calls[n], reply);
    UNTIL(client_has(&c, wants));
    CHECK(!client_has(&c, "Connection: close"));
    client_done(&c);
}

static void runs_the_handler_and_says_what_came_of_it(void)
{
    set_up((struct front_config){.triggers = FRONT_ALL_TRIGGERS, .show_errors = true});
    expect_trigger("/__scheduled?cron=*+*+*+*+*", "scheduled {\"cron\":\"* * * * *\"}", OK,
                   "\r\n\r\nRan scheduled event");
    expect_trigger("/__scheduled", "scheduled {}", OK, "\r\n\r\nRan scheduled event");
    expect_trigger("/__scheduled?time=5", "scheduled {}", OK, "Content-Type: text/plain;charset=UTF-8\r\n");
    expect_trigger("/__scheduled", "scheduled {}", LOST, "\r\n\r\nPythonError: Traceback (most recent call last):\nValueError: x");
    expect_trigger("/cdn-cgi/handler/scheduled", "scheduled {}", OK, "HTTP/1.1 200 OK");
    expect_trigger("/cdn-cgi/handler/scheduled?x=1&cron=a%20b&cron=c&time=1234z", "scheduled {\"cron\":\"a b\",\"time\":1234}", OK, "\r\n\r\nok");
    expect_trigger("/cdn-cgi/handler/scheduled?cron&time=x", "scheduled {}", LOST, "HTTP/1.1 500 Internal Server Error");
    expect_trigger("/cdn-cgi/mf/scheduled?cron=", "scheduled {\"cron\":\"\"}", LOST, "\r\n\r\nexception");
    expect_trigger("/cdn-cgi/mf/scheduled?cron=%ff&format=json", "scheduled {}", OK, OK);
    expect_trigger("/cdn-cgi/mf/scheduled?format=json", "scheduled {}", LOST, LOST);
    expect_trigger("/__scheduled", "scheduled {}", "", "HTTP/1.1 500 ");
    expect_trigger("/__scheduled", "scheduled {}", "[]", "HTTP/1.1 500 ");
    expect_trigger("/__scheduled", "scheduled {}", "{\"outcome\":", "HTTP/1.1 500 ");
    tear_down();
}

static void other_paths_are_requests(void)
{
    static const char *const PATHS[] = {"/__scheduledx", "/__scheduled/", "/x/__scheduled", "/cdn-cgi/handler", "/?/__scheduled"};
    struct client c;

    set_up((struct front_config){.triggers = FRONT_ALL_TRIGGERS});
    c = client_connect();
    for (int i = 0; i < 5; i++) {
        char request[128], url[64];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", PATHS[i]);
        snprintf(url, sizeof url, "http://a%s", PATHS[i]);
        client_send(&c, request);
        UNTIL(fake_count == i + 1);
        CHECK(strcmp(fake_calls[i]->method, "GET") == 0 && strcmp(fake_calls[i]->url, url) == 0);
        fake_answer(fake_calls[i], "x");
    }
    client_done(&c);
    tear_down();
}

static void only_what_is_allowed_is_a_trigger(void)
{
    struct client c;

    set_up((struct front_config){.triggers = FRONT_TRIGGERS});
    expect_trigger("/cdn-cgi/handler/scheduled", "scheduled {}", OK, "\r\n\r\nok");
    expect_trigger("/__scheduled", "http://a/__scheduled", "mine", "mine");
    tear_down();
    set_up((struct front_config){0});
    c = client_connect();
    client_send(&c, "GET /cdn-cgi/handler/scheduled HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(fake_count == 1);
    CHECK(strcmp(fake_calls[0]->method, "GET") == 0);
    fake_answer(fake_calls[0], "x");
    client_done(&c);
    tear_down();
}

static void a_crash_is_not_tried_again(void)
{
    struct client c;

    set_up((struct front_config){.triggers = FRONT_TRIGGERS});
    c = client_connect();
    client_send(&c, "GET /cdn-cgi/handler/scheduled HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(fake_count == 1);
    fake_fail(fake_calls[0], CALL_CRASHED, "");
    UNTIL(client_has(&c, "HTTP/1.1 502 "));
    CHECK(fake_count == 1);
    client_done(&c);
    tear_down();
}

static void a_client_that_leaves_ends_nothing_twice(void)
{
    struct client c;

    set_up((struct front_config){.triggers = FRONT_TRIGGERS});
    c = client_connect();
    client_send(&c, "POST /cdn-cgi/handler/scheduled HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    UNTIL(fake_count == 1);
    client_done(&c);
    UNTIL_PASSED(fake_calls[0]->aborted == RESET_CLIENT_GONE);
    c = client_connect();
    client_send(&c, "POST /cdn-cgi/handler/scheduled HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyGET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    UNTIL(fake_count == 2);
    fake_answer(fake_calls[1], OK);
    UNTIL(fake_count == 3);
    CHECK(strcmp(fake_calls[2]->url, "http://a/next") == 0);
    fake_answer(fake_calls[2], "x");
    UNTIL(client_has(&c, "\r\n\r\nokHTTP/1.1 200 OK"));
    client_done(&c);
    tear_down();
}

/* More than is taken comes in pieces: the call ends then, or what follows would reach an exchange that is gone. */
static void an_answer_that_is_too_long_ends_its_call(void)
{
    static char piece[64 * 1024];
    struct client c;

    memset(piece, ' ', sizeof piece);
    set_up((struct front_config){.triggers = FRONT_TRIGGERS, .show_errors = true});
    for (int last = 0; last < 2; last++) {
        c = client_connect();
        client_send(&c, "GET /cdn-cgi/handler/scheduled HTTP/1.1\r\nHost: a\r\n\r\n");
        UNTIL(fake_count == last + 1);
        fake_head(fake_calls[last], 200, "", -1);
        for (int i = 0; i < 3; i++)
            fake_body(fake_calls[last], piece, sizeof piece, false);
        fake_body(fake_calls[last], piece, sizeof piece / 2, false);
        CHECK(fake_calls[last]->aborted == 0);
        fake_body(fake_calls[last], piece, 1, last == 1);
        UNTIL(client_has(&c, "HTTP/1.1 502 "));
        UNTIL(client_has(&c, "the worker's answer to its event is too long"));
        CHECK(fake_calls[last]->aborted == (last ? 0 : RESET_CLIENT_GONE));
        client_done(&c);
    }
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"runs_the_handler_and_says_what_came_of_it", runs_the_handler_and_says_what_came_of_it},
        {"other_paths_are_requests", other_paths_are_requests},
        {"only_what_is_allowed_is_a_trigger", only_what_is_allowed_is_a_trigger},
        {"a_crash_is_not_tried_again", a_crash_is_not_tried_again},
        {"a_client_that_leaves_ends_nothing_twice", a_client_that_leaves_ends_nothing_twice},
        {"an_answer_that_is_too_long_ends_its_call", an_answer_that_is_too_long_ends_its_call},
        {0},
    };

    return front_test_main("front_trigger", TESTS, argc, argv);
}
