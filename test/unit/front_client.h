/* front_client.h - a front on real loopback sockets, a herd that the test plays
 * (front_fake.h), and clients that send what they like.
 *
 * Time is the fake clock; the loop runs until something that the test waits
 * for has happened.  One translation unit per program includes this. */
#ifndef CORRAL_TEST_FRONT_CLIENT_H
#define CORRAL_TEST_FRONT_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "front/front.h"
#include "front_fake.h"
#include "test.h"

/* Real time after which a wait counts as failed: the kernel may hold bytes
 * back for some hundred milliseconds, and the machine may be busy. */
static const uint64_t PATIENCE_NS = 20ull * 1000 * 1000 * 1000;

static uv_loop_t loop;
static struct front *front;
static int port;
static struct pool pool;
static int64_t now_ms;
static int log_fd = -1;

/* ---- set-up ---- */

static inline void set_up(struct front_config config)
{
    struct err err;

    now_ms = 1000000;
    clock_fake(now_ms);
    pool = (struct pool){.window = 256 * 1024};
    config.timeouts.sweep_ms = 1;
    CHECK(uv_loop_init(&loop) == 0);
    CHECK(front_open(&loop, &config, &front, &err) == 0);
    CHECK(front_listen(front, "127.0.0.1", 0, &port, &err) == 0);
    front_set_pool(front, &pool);
}

static inline void note(void *self) { *(bool *)self = true; }

static inline void tear_down(void)
{
    bool is_closed = false;

    front_close(front, note, &is_closed);
    CHECK(!is_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed);
    CHECK(uv_loop_close(&loop) == 0);
    fake_reset();
    clock_fake(-1);
}

static inline void turn(void) { uv_run(&loop, UV_RUN_NOWAIT); }

/* Run the loop until cond holds. */
#define UNTIL(cond)                                                                                \
    do {                                                                                           \
        uint64_t start_ = uv_hrtime();                                                             \
        bool holds_ = false;                                                                       \
        while (!(holds_ = (cond)) && uv_hrtime() - start_ < PATIENCE_NS)                           \
            turn();                                                                                \
        if (!holds_) {                                                                             \
            printf("  %s:%d: never: %s\n", __FILE__, __LINE__, #cond);                            \
            exit(1);    /* what follows relies on it */                                            \
        }                                                                                          \
    } while (0)

/* The same while the fake clock goes on, a millisecond a turn. */
#define UNTIL_PASSED(cond)                                                                         \
    UNTIL((now_ms++, clock_fake(now_ms), cond))

static inline void pass(int ms)
{
    now_ms += ms;
    clock_fake(now_ms);
    /* The sweep runs on the loop's own clock, every millisecond: in the first turn behind those four, if not before. */
    for (uint64_t start = uv_hrtime(); uv_hrtime() - start < 4 * 1000 * 1000;)
        turn();
    for (int i = 0; i < 4; i++)
        turn();
}

/* ---- a client ---- */

struct client {
    int fd;
    bool is_closed, is_reset;
    struct buf got;
};

static inline struct client client_connect(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct client c = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(connect(c.fd, (struct sockaddr *)&address, sizeof address) == 0);
    fcntl(c.fd, F_SETFL, O_NONBLOCK);
    return c;
}

static inline void client_done(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    buf_done(&c->got);
    c->fd = -1;
}

static inline bool client_read(struct client *c)
{
    char *room;
    ssize_t n;

    while (!c->is_closed) {
        if (buf_reserve(&c->got, 4096, &room) < 0 && buf_reserve(&c->got, 4096, &room) < 0)
            abort();
        n = recv(c->fd, room, 4096, 0);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n > 0)
            buf_commit(&c->got, (size_t)n);
        c->is_reset = n < 0;
        c->is_closed = n <= 0;
    }
    return true;
}

static inline void client_send_bytes(struct client *c, const char *bytes, size_t len)
{
    uint64_t start = uv_hrtime();

    while (len > 0 && uv_hrtime() - start < PATIENCE_NS) {
        ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        } else if (errno != EAGAIN) {
            break;
        }
        turn();
    }
    CHECK(len == 0);
}

static inline void client_send(struct client *c, const char *text)
{
    client_send_bytes(c, text, strlen(text));
}

static inline bool client_has(struct client *c, const char *text)
{
    client_read(c);
    return buf_len(&c->got) > 0 &&
           memmem(buf_data(&c->got), buf_len(&c->got), text, strlen(text)) != NULL;
}

static inline int client_count(struct client *c, const char *text)
{
    const char *at = buf_data(&c->got), *end = at + buf_len(&c->got);
    int n = 0;

    while (buf_len(&c->got) > 0 && (at = memmem(at, (size_t)(end - at), text, strlen(text)))) {
        at += strlen(text);
        n++;
    }
    return n;
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/* What the front logs about failures played here is not for the reader; a
 * client that is gone must not end the program. */
static inline int front_test_main(const char *suite, const struct test *tests, int argc,
                                  char **argv)
{
    int r;

    signal(SIGPIPE, SIG_IGN);
    log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    log_set_fd(log_fd);
    r = test_main(suite, tests, argc, argv);
    close(log_fd);
    return r;
}

#endif
