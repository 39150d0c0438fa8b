/* service_upgrade.c - src/service: a WebSocket that a process which was taken over asks for.
 *
 * The child plays the instance and sends bytes before it may; a server in a thread of the test keeps
 * all that reaches it, up to the end of the connection. */
#include "herd_actor.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

#include "service/service.h"

#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: inside\r\n\r\n"
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

static struct service *service;
static int listener, port;
static char heard[4096];
static const char *says;

static void *serve_one(void *self)
{
    int fd = accept(listener, NULL, NULL);
    bool has_answered = false;
    size_t n = 0;

    (void)self;
    while (fd >= 0 && n < sizeof heard - 1) {
        ssize_t k = read(fd, heard + n, sizeof heard - 1 - n);
        if (k <= 0)
            break;
        n += (size_t)k;
        heard[n] = 0;
        if (!has_answered && strstr(heard, "\r\n\r\n")) {
            has_answered = true;
            if (write(fd, says, strlen(says)) < 0)
                perror("answer");
        }
        if (strstr(heard, SMUGGLED))
            break;
    }
    close(fd);
    return NULL;
}

static void listen_somewhere(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(listener, 8) < 0 ||
        getsockname(listener, (struct sockaddr *)&a, &len) < 0)
        abort();
    port = ntohs(a.sin_port);
}

/* ---- the child ---- */

static void ask(const char *method, int64_t length)
{
    struct buf arguments = {0}, headers = {0}, out = {0};
    struct outcall_head head = {.binding = SPAN(""), .method = SPAN("upgrade")};
    char url[64];
    struct err err;

    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    if (pairs_add(&arguments, SPAN("method"), span_of(method)) < 0 ||
        pairs_add(&arguments, SPAN("url"), span_of(url)) < 0 ||
        pairs_add(&headers, SPAN("Upgrade"), SPAN("h2c")) < 0 ||
        pairs_add(&headers, SPAN("Sec-WebSocket-Version"), SPAN("8")) < 0 ||
        pairs_add(&headers, SPAN("Transfer-Encoding"), SPAN("chunked")) < 0)
        _exit(96);
    head.arguments = (struct pairs){buf_span(&arguments), 2};
    head.headers = (struct pairs){buf_span(&headers), 3};
    head.body_length = length;
    if (outcall_head_put(&out, length ? 0 : FRAME_END, FRAME_OUTCALL_BIT | 1, &head, &err) < 0)
        _exit(97);
    say(buf_data(&out), buf_len(&out));
    buf_done(&out);
    buf_done(&arguments);
    buf_done(&headers);
}

/* The status of its answer, all of which is heard. */
static uint32_t speaks_too_early(void)
{
    struct reply reply;
    struct frame f;
    struct err err;
    uint32_t status;

    hello();
    ask("GET", -1);
    say_frame(FRAME_BODY, 0, FRAME_OUTCALL_BIT | 1, SMUGGLED, strlen(SMUGGLED));
    f = hear();
    if (f.type != FRAME_REPLY || reply_get(&f, &reply, &err) < 0)
        _exit(98);
    status = reply.status;
    while (!(f.flags & FRAME_END))
        f = hear();
    return status;
}

static void is_refused(void)
{
    _exit(speaks_too_early() == 200 ? 0 : 99);
}

static void is_switched(void)
{
    _exit(speaks_too_early() == 101 ? 0 : 99);
}

static void hears_why_not(void)
{
    struct frame f = hear();

    _exit(f.type == FRAME_RESET ? 0 : 99);
}

static void asks_with_a_length(void)
{
    hello();
    ask("GET", 5);
    hears_why_not();
}

static void asks_without_a_body(void)
{
    hello();
    ask("GET", 0);
    hears_why_not();
}

static void asks_by_another_method(void)
{
    hello();
    ask("POST", -1);
    hears_why_not();
}

/* ---- the node ---- */

static void serve(struct outcall *outcall, const struct outcall_head *head, bool is_end)
{
    service_outcall(service, &(struct outlets){0}, outcall, head, is_end);
}

static void on_service_closed(void *self)
{
    *(bool *)self = true;
}

/* The exit status of the child, whose server answers so. */
static int run(const char *text, void (*script)(void))
{
    static const struct service_config CONFIG = {.connect_ms = 2000};
    struct err err = {0};
    bool is_closed = false;
    pthread_t thread;

    says = text;
    heard[0] = 0;
    listen_somewhere();
    pthread_create(&thread, NULL, serve_one, NULL);
    start(script);
    outcalls.serve = serve;
    CHECK(service_open(&loop, &CONFIG, &service, &err) == 0);
    run_until(&seen.has_ended);
    service_close(service, on_service_closed, &is_closed);
    run_until(&is_closed);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    return stop();
}

static void nothing_leaves_for_a_server_that_does_not_switch(void)
{
    char wanted[256];

    CHECK(run("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", is_refused) == 0);
    snprintf(wanted, sizeof wanted,
             "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             "Sec-WebSocket-Version: 13\r\n\r\n",
             port);
    CHECK(strcmp(heard, wanted) == 0);
}

static void what_came_early_leaves_behind_the_101(void)
{
    CHECK(run(SWITCH, is_switched) == 0);
    CHECK(strstr(heard, "\r\n\r\n" SMUGGLED));
    CHECK(!strcasestr(heard, "transfer-encoding") && !strstr(heard, "h2c"));
}

static void what_is_no_handshake_does_not_leave(void)
{
    CHECK(run(SWITCH, asks_with_a_length) == 0 && !heard[0]);
    CHECK(run(SWITCH, asks_without_a_body) == 0 && !heard[0]);
    CHECK(run(SWITCH, asks_by_another_method) == 0 && !heard[0]);
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(nothing_leaves_for_a_server_that_does_not_switch),
        T(what_came_early_leaves_behind_the_101),
        T(what_is_no_handshake_does_not_leave),
        {0},
    };

    signal(SIGPIPE, SIG_IGN);
    return test_main("service_upgrade", TESTS, argc, argv);
}
