/* service_transfer.c - src/service/transfer.c: what becomes of a request whose kept connection dies.
 *
 * The child plays the instance.  A server in a thread of the test answers the first request of a
 * connection and resets it at the head of the second one; libcurl finds our send() before libc's,
 * which lets that reset arrive at the worst of moments: behind libcurl's last look at the socket
 * and before it writes the body. */
#include "herd_actor.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "service/service.h"

#define BODY "the body of a PUT"

static struct service *service;
static int listener, port;
static unsigned connections;
static char heard[4096]; /* by the last connection */
static unsigned resets;      /* connections to reset */
static atomic_uint held;     /* bodies that were written behind the reset */
static sem_t may_be_reset;

__attribute__((visibility("default"))) ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    struct pollfd gone = {.fd = fd, .events = 0};

    if (len == strlen(BODY) && memcmp(bytes, BODY, len) == 0 && atomic_load(&held) < resets) {
        sem_post(&may_be_reset);
        if (poll(&gone, 1, LIMIT_MS) == 1)
            atomic_fetch_add(&held, 1);
    }
    return syscall(SYS_sendto, fd, bytes, len, flags, NULL, 0);
}

/* ---- the server ---- */

static bool hear_up_to(int fd, const char *end)
{
    size_t n = 0;

    while (n < sizeof heard - 1) {
        ssize_t k = read(fd, heard + n, sizeof heard - 1 - n);
        if (k <= 0)
            return false;
        n += (size_t)k;
        heard[n] = 0;
        if (strstr(heard, end))
            return true;
    }
    return false;
}

static void answer_ok(int fd)
{
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    if (write(fd, ANSWER, sizeof ANSWER - 1) < 0)
        perror("answer");
}

/* The first so many connections answer once; the one behind them hears all and answers. */
static void *serve_and_reset(void *self)
{
    static const struct linger RESET = {.l_onoff = 1};
    int fd;

    (void)self;
    for (;;) {
        fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        if (++connections > resets) {
            if (hear_up_to(fd, BODY))
                answer_ok(fd);
            close(fd);
            continue;
        }
        if (connections == 1 && hear_up_to(fd, "\r\n\r\n"))
            answer_ok(fd);
        if (hear_up_to(fd, "\r\n\r\n"))
            sem_wait(&may_be_reset);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &RESET, sizeof RESET);
        close(fd);
    }
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

static void ask(uint32_t number, const char *method, const char *body)
{
    struct buf arguments = {0}, out = {0};
    struct outcall_head head = {.binding = SPAN(""), .method = SPAN("fetch")};
    char url[64];
    struct err err;

    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    if (pairs_add(&arguments, SPAN("method"), span_of(method)) < 0 ||
        pairs_add(&arguments, SPAN("url"), span_of(url)) < 0)
        _exit(96);
    head.arguments = (struct pairs){buf_span(&arguments), 2};
    head.body_length = (int64_t)strlen(body);
    if (outcall_head_put(&out, *body ? 0 : FRAME_END, FRAME_OUTCALL_BIT | number, &head, &err) < 0)
        _exit(97);
    if (*body && frame_put(&out, FRAME_BODY, FRAME_END, FRAME_OUTCALL_BIT | number, body, strlen(body)) < 0)
        _exit(97);
    say(buf_data(&out), buf_len(&out)); /* at once: libcurl begins with all there is */
    buf_done(&out);
    buf_done(&arguments);
}

static void hear_ok(uint32_t number)
{
    struct reply reply;
    struct err err;
    struct frame f = hear();

    if (f.type != FRAME_REPLY || f.stream != (FRAME_OUTCALL_BIT | number) ||
        reply_get(&f, &reply, &err) < 0 || reply.status != 200)
        _exit(98);
    do
        f = hear();
    while (f.type == FRAME_BODY && !(f.flags & FRAME_END));
}

static void asks_twice(void)
{
    hello();
    ask(1, "GET", "");
    hear_ok(1);
    ask(2, "PUT", BODY);
    hear_ok(2);
    _exit(0);
}

/* What was never answered on a new connection is nobody's to repeat. */
static void asks_in_vain(void)
{
    struct frame f;

    hello();
    ask(1, "GET", "");
    hear_ok(1);
    ask(2, "PUT", BODY);
    f = hear();
    _exit(f.type == FRAME_RESET && f.stream == (FRAME_OUTCALL_BIT | 2) ? 0 : 99);
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

static int run(void (*script)(void))
{
    static const struct service_config CONFIG = {.connect_ms = 2000};
    struct err err = {0};
    bool is_closed = false;

    start(script);
    outcalls.serve = serve;
    CHECK(service_open(&loop, &CONFIG, &service, &err) == 0);
    run_until(&seen.has_ended);
    service_close(service, on_service_closed, &is_closed);
    run_until(&is_closed);
    return stop();
}

static void meet(unsigned n, void (*script)(void))
{
    pthread_t thread;

    connections = 0;
    resets = n;
    atomic_store(&held, 0);
    sem_init(&may_be_reset, 0, 0);
    listen_somewhere();
    pthread_create(&thread, NULL, serve_and_reset, NULL);
    CHECK(run(script) == 0);
    shutdown(listener, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener);
    CHECK(connections == 2 && atomic_load(&held) == n);
}

static void a_body_that_meets_a_dead_connection_is_sent_on_another(void)
{
    meet(1, asks_twice);
    CHECK(strstr(heard, "PUT / HTTP/1.1\r\n") && strstr(heard, "\r\n\r\n" BODY));
}

/* A new connection that dies is no accident of keeping it. */
static void a_new_connection_that_dies_ends_the_request(void)
{
    meet(2, asks_in_vain);
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(a_body_that_meets_a_dead_connection_is_sent_on_another),
        T(a_new_connection_that_dies_ends_the_request),
        {0},
    };

    signal(SIGPIPE, SIG_IGN);
    return test_main("service_transfer", TESTS, argc, argv);
}
