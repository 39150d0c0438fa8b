/* worker_link.c - src/worker/link.c: frames cut anywhere, descriptors in order, a full socket. */
#include "worker/link.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

struct pair {
    int node;
    struct link link;
};

static struct pair pair_open(bool takes_fds)
{
    struct pair p = {.node = -1};
    int fds[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    p.node = fds[0];
    link_init(&p.link, fds[1], takes_fds);
    return p;
}

static void pair_close(struct pair *p)
{
    close(p->node);
    link_done(&p->link);
}

static void joins_a_frame_that_comes_in_pieces(void)
{
    struct pair p = pair_open(false);
    struct buf b = {0};
    struct err err = {0};
    struct frame f = {0};

    CHECK(frame_put(&b, FRAME_BODY, FRAME_END, 5, "hello", 5) == 0);
    for (size_t i = 0; i < buf_len(&b); i++) {
        CHECK(link_next(&p.link, &f, &err) == 0);
        CHECK(write(p.node, buf_data(&b) + i, 1) == 1);
        CHECK(link_read(&p.link, &err) == 1);
    }
    CHECK(link_next(&p.link, &f, &err) == 1);
    CHECK(f.stream == 5 && span_is(f.payload, "hello"));
    CHECK(link_next(&p.link, &f, &err) == 0);
    CHECK(link_read(&p.link, &err) == 0);
    buf_done(&b);
    pair_close(&p);
}

static void send_fd(int socket_fd, int fd)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec io = {"x", 1};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.space,
                       .msg_controllen = sizeof control.space};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    CHECK(sendmsg(socket_fd, &m, 0) == 1);
}

static void keeps_descriptors_in_order(void)
{
    struct pair p = pair_open(true);
    struct err err = {0};
    int fds[2], first, second;
    char c;

    CHECK(pipe(fds) == 0);
    send_fd(p.node, fds[0]);
    send_fd(p.node, fds[1]);
    while (p.link.fd_count < 2)
        CHECK(link_read(&p.link, &err) == 1);
    first = link_take_fd(&p.link);
    second = link_take_fd(&p.link);
    CHECK(link_take_fd(&p.link) == -1);
    CHECK(fcntl(first, F_GETFD) == FD_CLOEXEC && fcntl(second, F_GETFD) == FD_CLOEXEC);
    CHECK(write(second, "y", 1) == 1 && read(first, &c, 1) == 1 && c == 'y');
    close(first);
    close(second);
    close(fds[0]);
    close(fds[1]);
    pair_close(&p);
}

static void keeps_what_the_socket_does_not_take(void)
{
    static char block[60000];
    struct pair p = pair_open(false);
    struct err err = {0};
    size_t put = 0, got = 0;
    ssize_t n;
    static char sink[65536];

    for (int i = 0; i < 40; i++, put += FRAME_HEADER + sizeof block)
        CHECK(frame_put(&p.link.out, FRAME_BODY, 0, 1, block, sizeof block) == 0);
    CHECK(link_flush(&p.link, &err) == 0);
    CHECK(buf_len(&p.link.out) > 0);
    while (got < put) {
        n = read(p.node, sink, sizeof sink);
        CHECK(n > 0);
        got += n > 0 ? (size_t)n : put;
        CHECK(link_flush(&p.link, &err) == 0);
    }
    CHECK(got == put && buf_len(&p.link.out) == 0);
    pair_close(&p);
}

static void says_that_the_node_is_gone(void)
{
    struct pair p = pair_open(false);
    struct err err = {0};

    close(p.node);
    p.node = -1;
    CHECK(link_read(&p.link, &err) == ERR_GONE);
    link_done(&p.link);
}

static void cuts_a_long_log_between_characters(void)
{
    static const char *const CHARACTERS[] = {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\xb4"};
    struct pair p = pair_open(false);
    struct err err = {0};

    for (size_t c = 0; c < sizeof CHARACTERS / sizeof *CHARACTERS; c++)
        for (int shift = 0; shift < 4; shift++) {
            struct buf text = {0}, joined = {0};
            size_t used = 0, at = 0;
            struct frame f;
            for (int i = 0; i < shift; i++)
                CHECK(buf_append(&text, "x", 1) == 0);
            while (buf_len(&text) < 2 * LINK_TEXT_MAX + 100)
                CHECK(buf_append(&text, CHARACTERS[c], strlen(CHARACTERS[c])) == 0);
            CHECK(link_log(&p.link, 7, LOG_INFO, buf_span(&text), SPAN(""), &err) == 0);
            while (frame_parse(buf_data(&p.link.out) + at, buf_len(&p.link.out) - at, &f, &used, &err) == 1) {
                struct log_line m;
                CHECK(log_line_get(&f, &m, &err) == 0 && f.stream == 7);
                CHECK(m.text.len <= LINK_TEXT_MAX && ((unsigned char)m.text.data[0] & 0xC0) != 0x80);
                CHECK(buf_append(&joined, m.text.data, m.text.len) == 0);
                at += used;
            }
            CHECK(at == buf_len(&p.link.out));
            CHECK(buf_len(&joined) == buf_len(&text) && memcmp(buf_data(&joined), buf_data(&text), buf_len(&text)) == 0);
            buf_eat(&p.link.out, at);
            buf_done(&text);
            buf_done(&joined);
        }
    pair_close(&p);
}

static void cuts_what_is_no_text_too(void)
{
    char bytes[LINK_TEXT_MAX + 10];

    memset(bytes, 0x80, sizeof bytes);
    CHECK(link_cut((struct span){bytes, sizeof bytes}).len == LINK_TEXT_MAX);
    CHECK(link_cut((struct span){bytes, 5}).len == 5);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"joins_a_frame_that_comes_in_pieces", joins_a_frame_that_comes_in_pieces},
        {"keeps_descriptors_in_order", keeps_descriptors_in_order},
        {"keeps_what_the_socket_does_not_take", keeps_what_the_socket_does_not_take},
        {"says_that_the_node_is_gone", says_that_the_node_is_gone},
        {"cuts_a_long_log_between_characters", cuts_a_long_log_between_characters},
        {"cuts_what_is_no_text_too", cuts_what_is_no_text_too},
        {0},
    };

    return test_main("worker_link", TESTS, argc, argv);
}
