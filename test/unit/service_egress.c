/* service_egress.c - src/service: what a process that was taken over may ask of fetch, and what it
 * gets.
 *
 * The child plays the instance and asks what no honest realm would; a server
 * in a thread of the test keeps what reached it. */
#include "herd_actor.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#include "service/service.h"

enum { LOOKUPS = 16 };

static struct service *service;
static int port;
static char heard[64 * 1024];

/* ---- a server: keeps what it hears, answers, hangs up ---- */

static int listener;

static void *serve_one(void *self)
{
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\r\n\r\nok";
    int fd = accept(listener, NULL, NULL);
    size_t n = 0;

    (void)self;
    while (fd >= 0 && n < sizeof heard - 1) {
        ssize_t k = read(fd, heard + n, sizeof heard - 1 - n);
        if (k <= 0)
            break;
        n += (size_t)k;
        heard[n] = 0;
        if (strstr(heard, "\r\n\r\n"))
            break;
    }
    if (fd >= 0 && write(fd, ANSWER, sizeof ANSWER - 1) < 0)
        perror("answer");
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

/* Answers 205 and goes on and on; tells `word` whether it was stopped. */
static int word[2] = {-1, -1};

static void *serve_endlessly(void *self)
{
    static const char ANSWER[] = "HTTP/1.1 205 Reset Content\r\n\r\n";
    static const char MORE[16 * 1024];
    struct timeval patience = {.tv_sec = LIMIT_MS / 2000};
    int fd = accept(listener, NULL, NULL), n = 0;
    char request[1024], c;

    (void)self;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (read(fd, request, sizeof request) <= 0 || write(fd, ANSWER, sizeof ANSWER - 1) < 0)
        perror("answer");
    while (n < 64 * 1024 && send(fd, MORE, sizeof MORE, MSG_NOSIGNAL) > 0)
        n++;
    c = n < 64 * 1024 && (errno == EPIPE || errno == ECONNRESET) ? 'y' : 'n';
    if (write(word[1], &c, 1) < 0)
        perror("tell");
    close(fd);
    return NULL;
}

/* ---- a name that takes its time: libcurl finds this function before libc's ---- */

static sem_t may_resolve;
static bool has_waited_in_vain;
static atomic_int resolving;

/* Let all of them fail, and wait until they have. */
static void let_them_resolve(void)
{
    sem_post(&may_resolve);
    while (atomic_load(&resolving) > 0)
        sched_yield();
}

__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service_name,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **ret)
{
    struct timespec until;

    atomic_fetch_add(&resolving, 1);
    (void)name, (void)service_name, (void)hints, (void)ret;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LIMIT_MS / 1000;
    if (word[1] >= 0 && write(word[1], "r", 1) < 0)
        perror("tell");
    if (sem_timedwait(&may_resolve, &until) < 0)
        has_waited_in_vain = true;
    sem_post(&may_resolve);
    atomic_fetch_sub(&resolving, 1);
    return EAI_NONAME;
}

/* ---- the child ---- */

struct question {
    const char *binding, *method, *http_method, *url, *name, *value;
};
static const struct question *question;

static void ask(uint32_t number, const struct question *q)
{
    struct buf arguments = {0}, headers = {0};
    struct outcall_head head = {.binding = span_of(q->binding), .method = span_of(q->method)};
    struct buf out = {0};
    struct err err;

    if (pairs_add(&arguments, SPAN("method"), span_of(q->http_method)) < 0 ||
        pairs_add(&arguments, SPAN("url"), span_of(q->url)) < 0 ||
        pairs_add(&headers, span_of(q->name), span_of(q->value)) < 0)
        _exit(96);
    head.arguments = (struct pairs){buf_span(&arguments), 2};
    head.headers = (struct pairs){buf_span(&headers), 1};
    if (outcall_head_put(&out, FRAME_END, FRAME_OUTCALL_BIT | number, &head, &err) < 0)
        _exit(97);
    say(buf_data(&out), buf_len(&out));
    buf_done(&out);
    buf_done(&arguments);
    buf_done(&headers);
}

static void asks_what_it_may_not(void)
{
    struct frame f;

    hello();
    ask(1, question);
    f = hear();
    _exit(f.type == FRAME_RESET && f.stream == (FRAME_OUTCALL_BIT | 1) ? 0 : 98);
}

static void asks_honestly(void)
{
    struct frame f;
    struct reply reply;
    struct err err;

    hello();
    ask(1, question);
    f = hear();
    if (f.type != FRAME_REPLY || reply_get(&f, &reply, &err) < 0 || reply.status != 200 ||
        reply.headers.count != 2 || reply.body_length != 2)
        _exit(99);
    f = hear();
    if (!span_is(f.payload, "ok"))
        _exit(100);
    if (!(f.flags & FRAME_END)) {
        f = hear();
        if (!(f.flags & FRAME_END))
            _exit(101);
    }
    _exit(0);
}

static void asks_for_205(void)
{
    struct reply reply;
    struct frame f;
    struct err err;
    char c = 0;

    hello();
    ask(1, question);
    f = hear();
    if (f.type != FRAME_REPLY || reply_get(&f, &reply, &err) < 0 || reply.status != 205 ||
        reply.body_length != 0 || !(f.flags & FRAME_END))
        _exit(99);
    _exit(read(word[0], &c, 1) == 1 && c == 'y' ? 0 : 100);
}

/* Gives up a name that is being looked for, and asks for something else. */
static void asks_and_gives_up(void)
{
    static const struct question NOTHING = {"DB", "x", "GET", "http://a.test/", "a", "b"};
    struct frame f;
    char c;

    hello();
    ask(1, question);
    if (read(word[0], &c, 1) != 1)
        _exit(98);
    SAY_MESSAGE(reset, 0, FRAME_OUTCALL_BIT | 1, .reason = RESET_CANCELLED);
    ask(2, &NOTHING);
    f = hear();
    _exit(f.type == FRAME_RESET && f.stream == (FRAME_OUTCALL_BIT | 2) ? 0 : 99);
}

/* Gives up one name after the other, until no more is taken; an address still is. */
static void asks_for_many_names(void)
{
    static const struct question ADDRESS = {"", "fetch", "GET", "http://127.0.0.1:1/", "a", "b"};
    struct pollfd fds[] = {{.fd = side, .events = POLLIN}, {.fd = word[0], .events = POLLIN}};
    struct reset reset;
    struct frame f;
    struct err err;
    uint32_t n = 0;
    char c;

    hello();
    for (;;) {
        ask(++n, question);
        if (poll(fds, 2, LIMIT_MS) <= 0 || n > LOOKUPS + 1)
            _exit(97);
        if (fds[0].revents)
            break;
        if (read(word[0], &c, 1) != 1)
            _exit(98);
        SAY_MESSAGE(reset, 0, FRAME_OUTCALL_BIT | n, .reason = RESET_CANCELLED);
    }
    f = hear();
    if (n < LOOKUPS / 2 || f.type != FRAME_RESET || reset_get(&f, &reset, &err) < 0 ||
        !memmem(reset.text.data, reset.text.len, "Too many names", 14))
        _exit(99);
    ask(n + 1, &ADDRESS);
    f = hear();
    if (f.type != FRAME_RESET || reset_get(&f, &reset, &err) < 0 ||
        !memmem(reset.text.data, reset.text.len, "No connection", 13))
        _exit(100);
    _exit(0);
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

/* The exit status of a child that asks this. */
static int run(const struct question *q, void (*script)(void))
{
    static const struct service_config CONFIG = {.connect_ms = 2000, .lookups_max = LOOKUPS};
    struct err err = {0};
    bool is_closed = false;

    question = q;
    start(script);
    outcalls.serve = serve;
    CHECK(service_open(&loop, &CONFIG, &service, &err) == 0);
    run_until(&seen.has_ended);
    service_close(service, on_service_closed, &is_closed);
    run_until(&is_closed);
    return stop();
}

static void what_is_not_allowed_does_not_leave(void)
{
    static const struct question BAD[] = {
        {"DB", "fetch", "GET", "http://127.0.0.1:1/", "a", "b"},
        {"", "connect", "GET", "http://127.0.0.1:1/", "a", "b"},
        {"", "fetch", "GET", "file:///etc/passwd", "a", "b"},
        {"", "fetch", "GET", "HTTP://127.0.0.1:1/", "a", "b"},
        {"", "fetch", "GET", "http", "a", "b"},
        {"", "fetch", "GET", "", "a", "b"},
        {"", "fetch", "GET", "http://127.0.0.1:1/ x", "a", "b"},
        {"", "fetch", "GET", "http://127.0.0.1:1/\r\nA: b", "a", "b"},
        {"", "fetch", "GET", "http://user:word@127.0.0.1:1/", "a", "b"},
        {"", "fetch", "GET", "https://127.0.0.1:99999/", "a", "b"},
        {"", "fetch", "GET", "http://[::1/", "a", "b"},
        {"", "fetch", "CONNECT", "http://127.0.0.1:1/", "a", "b"},
        {"", "fetch", "trace", "http://127.0.0.1:1/", "a", "b"},
        {"", "fetch", "GET / HTTP/1.1\r\nA:", "http://127.0.0.1:1/", "a", "b"},
        {"", "fetch", "", "http://127.0.0.1:1/", "a", "b"},
        {"", "fetch", "GET", "http://127.0.0.1:1/", "a", "b\r\nc: d"},
        {"", "fetch", "GET", "http://127.0.0.1:1/", "a b", "c"},
        {"", "fetch", "GET", "http://127.0.0.1:1/", "", "c"},
        {"", "fetch", "GET", "http://127.0.0.1:1/", "a", "b\x01"},
    };

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        int status = run(&BAD[i], asks_what_it_may_not);
        if (status != 0)
            printf("  question %zu: %d\n", i, status);
        CHECK(status == 0);
    }
}

static void what_is_allowed_arrives_as_it_was_asked(void)
{
    static const struct question CASES[] = {
        {"", "fetch", "POST", NULL, "x-a", "b"},
        {"", "fetch", "GET", NULL, "transfer-encoding", "chunked"},
        {"", "fetch", "GET", NULL, "host", "evil"},
        {"", "fetch", "GET", NULL, "x-empty", ""},
    };
    static const char *const HEARD[] = {
        "POST /a/../b?c HTTP/1.1\r\nHost: %s\r\nx-a: b\r\nContent-Length: 0\r\n\r\n",
        "GET /a/../b?c HTTP/1.1\r\nHost: %s\r\n\r\n",
        "GET /a/../b?c HTTP/1.1\r\nHost: %s\r\n\r\n",
        "GET /a/../b?c HTTP/1.1\r\nHost: %s\r\nx-empty:\r\n\r\n",
    };
    char url[64], place[32], wanted[256];
    pthread_t thread;

    for (size_t i = 0; i < 4; i++) {
        struct question q = CASES[i];
        listen_somewhere();
        pthread_create(&thread, NULL, serve_one, NULL);
        snprintf(place, sizeof place, "127.0.0.1:%d", port);
        snprintf(url, sizeof url, "http://%s/a/../b?c", place);
        q.url = url;
        CHECK(run(&q, asks_honestly) == 0);
        shutdown(listener, SHUT_RDWR);
        pthread_join(thread, NULL);
        close(listener);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(wanted, sizeof wanted, HEARD[i], place);
#pragma GCC diagnostic pop
        if (strcmp(heard, wanted) != 0)
            printf("  heard %s", heard);
        CHECK(strcmp(heard, wanted) == 0);
    }
}

static void a_name_that_takes_its_time_does_not_stop_the_loop(void)
{
    static const struct question SLOW = {"", "fetch", "GET", "http://slow.test/", "a", "b"};

    sem_init(&may_resolve, 0, 0);
    CHECK(pipe(word) == 0);
    CHECK(run(&SLOW, asks_and_gives_up) == 0);
    CHECK(!has_waited_in_vain);
    let_them_resolve();
    close(word[0]);
    close(word[1]);
    word[1] = -1;
}

static void names_that_take_their_time_are_bounded(void)
{
    static const struct question SLOW = {"", "fetch", "GET", "http://slow.test/", "a", "b"};

    sem_init(&may_resolve, 0, 0);
    CHECK(pipe(word) == 0);
    CHECK(run(&SLOW, asks_for_many_names) == 0);
    CHECK(!has_waited_in_vain);
    let_them_resolve();
    close(word[0]);
    close(word[1]);
    word[1] = -1;
}

static void a_body_behind_205_is_cut_off(void)
{
    struct question q = {"", "fetch", "GET", NULL, "a", "b"};
    pthread_t thread;
    char url[64];

    CHECK(pipe(word) == 0);
    listen_somewhere();
    pthread_create(&thread, NULL, serve_endlessly, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    q.url = url;
    CHECK(run(&q, asks_for_205) == 0);
    pthread_join(thread, NULL);
    close(listener);
    close(word[0]);
    close(word[1]);
    word[1] = -1;
}

/* Where the name is cut off for the message, no port is to be seen. */
static void an_endless_name_is_named_in_part(void)
{
    static char url[600] = "http://";
    struct question q = {"", "fetch", "GET", url, "a", "b"};

    memset(url + 7, 'a', 500);
    memcpy(url + 507, ":80/", 5);
    CHECK(run(&q, asks_what_it_may_not) == 0);
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(what_is_not_allowed_does_not_leave),
        T(what_is_allowed_arrives_as_it_was_asked),
        T(a_name_that_takes_its_time_does_not_stop_the_loop),
        T(names_that_take_their_time_are_bounded),
        T(a_body_behind_205_is_cut_off),
        T(an_endless_name_is_named_in_part),
        {0},
    };

    signal(SIGPIPE, SIG_IGN);
    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    return test_main("service_egress", TESTS, argc, argv);
}
