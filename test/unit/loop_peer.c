/* loop_peer.c - src/loop/peer.c and turn.c: batches, descriptors, bounds, identity, ends.
 *
 * Where it matters what one send was, the other end is a SOCK_SEQPACKET socket,
 * which keeps them apart. */
#include "loop/peer.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "test.h"

static uv_loop_t loop;
static struct turn turn;
static struct peer peer;
static int other;
static char got[64 * 1024];
static size_t got_len, use_at_most;
static unsigned ends, rooms;
static bool is_closed;
static size_t chatter;          /* bytes that the other end still writes, whenever it is heard */

static size_t on_bytes(void *self, struct span bytes)
{
    size_t n = bytes.len < use_at_most ? bytes.len : use_at_most;

    (void)self;
    CHECK(ends == 0);
    if (got_len + n <= sizeof got)
        memcpy(got + got_len, bytes.data, n);
    got_len += n;
    if (chatter > 0) {
        chatter--;
        CHECK(write(other, "x", 1) == 1);
    }
    return n;
}

static void on_room(void *self)
{
    (void)self;
    rooms++;
}

static void on_ended(void *self, const char *why)
{
    (void)self;
    CHECK(why != NULL);
    ends++;
}

static const struct peer_events EVENTS = {on_bytes, on_room, on_ended};

static void open_peer(int type)
{
    int fds[2];
    struct err err = {0};

    got_len = 0;
    use_at_most = SIZE_MAX;
    ends = rooms = 0;
    uv_loop_init(&loop);
    CHECK(turn_open(&turn, &loop, &err) == 0);
    CHECK(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) == 0);
    CHECK(peer_open(&peer, &turn, fds[0], PEER_ANONYMOUS, &EVENTS, NULL, &err) == 0);
    other = fds[1];
}

static void on_closed(void *self)
{
    (void)self;
    is_closed = true;
}

static void close_peer(void)
{
    is_closed = false;
    peer_close(&peer, on_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed);
    is_closed = false;
    turn_close(&turn, on_closed, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed && uv_loop_close(&loop) == 0);
    if (other >= 0)
        close(other);
}

static void put(const char *text)
{
    CHECK(buf_append(peer_out(&peer), text, strlen(text)) == 0);
}

/* One message of the other end, and how many descriptors came with it. */
static void hear(const char *want, int want_fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    char room[256];
    struct iovec iov = {room, sizeof room};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(other, &m, MSG_DONTWAIT);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int fds[4], count = 0;

    if (n >= 0 && c) {
        count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(c), (size_t)count * sizeof(int));
        for (int i = 0; i < count; i++)
            close(fds[i]);
    }
    CHECK(n == (ssize_t)strlen(want) && memcmp(room, want, strlen(want)) == 0);
    CHECK(count == want_fds);
}

static void what_one_turn_says_leaves_in_one_send(void)
{
    open_peer(SOCK_SEQPACKET);
    put("one ");
    put("two ");
    put("three");
    CHECK(peer_pending(&peer) == 13);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(peer_pending(&peer) == 0);
    hear("one two three", 0);
    put("next turn");
    uv_run(&loop, UV_RUN_NOWAIT);
    hear("next turn", 0);
    close_peer();
}

static void descriptors_travel_with_their_message_alone(void)
{
    struct err err = {0};
    int fds[2][2];
    size_t start;

    open_peer(SOCK_SEQPACKET);
    CHECK(pipe(fds[0]) == 0 && pipe(fds[1]) == 0);
    put("before");
    start = peer_pending(&peer);
    put("first");
    CHECK(peer_attach(&peer, start, fds[0], 2, &err) == 0);
    start = peer_pending(&peer);
    put("second");
    CHECK(peer_attach(&peer, start, fds[1], 1, &err) == 0);
    put("behind");
    uv_run(&loop, UV_RUN_NOWAIT);
    hear("before", 0);
    hear("first", 2);
    hear("second", 1);
    hear("behind", 0);
    close(fds[1][1]);
    close_peer();
}

static void descriptors_that_never_leave_are_closed(void)
{
    struct err err = {0};
    int fds[2];
    char byte;

    open_peer(SOCK_STREAM);
    CHECK(pipe(fds) == 0);
    put("x");
    CHECK(peer_attach(&peer, 0, &fds[1], 1, &err) == 0);
    close_peer();
    CHECK(read(fds[0], &byte, 1) == 0);
    close(fds[0]);
}

static void what_is_not_used_comes_again(void)
{
    open_peer(SOCK_STREAM);
    use_at_most = 3;
    for (int i = 0; i < 5; i++) {
        CHECK(write(other, "abcde", 5) == 5);
        uv_run(&loop, UV_RUN_NOWAIT);
        CHECK(got_len == 3 * (size_t)(i + 1));
    }
    use_at_most = SIZE_MAX;
    CHECK(write(other, "!", 1) == 1);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(got_len == 26 && memcmp(got, "abcdeabcdeabcdeabcdeabcde!", 26) == 0);
    close_peer();
}

static void all_is_read_before_the_end(void)
{
    open_peer(SOCK_STREAM);
    put("never read, so that the socket breaks with an error");
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(write(other, "last words", 10) == 10);
    close(other);
    other = -1;
    for (int i = 0; i < 10 && ends == 0; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(ends == 1 && got_len == 10);
    put("into the void");
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(ends == 1);
    close_peer();
}

static void one_that_never_falls_silent_is_ended_all_the_same(void)
{
    open_peer(SOCK_STREAM);
    chatter = 1000 * 1000;
    CHECK(shutdown(other, SHUT_RD) == 0);
    CHECK(write(other, "x", 1) == 1);
    put("it takes no more");
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(ends == 1 && chatter > 0);
    chatter = 0;
    close_peer();
}

static void a_full_peer_says_when_there_is_room(void)
{
    static char bytes[64 * 1024];
    ssize_t n;

    open_peer(SOCK_STREAM);
    while (!peer_is_full(&peer)) {
        CHECK(buf_append(peer_out(&peer), bytes, sizeof bytes) == 0);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    CHECK(rooms == 0);
    do {
        n = recv(other, bytes, sizeof bytes, MSG_DONTWAIT);
        uv_run(&loop, UV_RUN_NOWAIT);
    } while (n > 0 || (n < 0 && errno == EAGAIN && peer_pending(&peer) > 0));
    CHECK(rooms == 1 && ends == 0 && peer_pending(&peer) == 0);
    close_peer();
}

/* Who saw it full in the middle of a turn waits, however much the turn's end sends. */
static void what_was_full_within_a_turn_says_when_there_is_room(void)
{
    static char bytes[64 * 1024];

    open_peer(SOCK_STREAM);
    while (!peer_is_full(&peer))
        CHECK(buf_append(peer_out(&peer), bytes, sizeof bytes) == 0);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(!peer_is_full(&peer) && peer_pending(&peer) > 0);
    while (peer_pending(&peer) > 0) {
        if (recv(other, bytes, sizeof bytes, MSG_DONTWAIT) < 0)
            CHECK(errno == EAGAIN);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    CHECK(rooms == 1 && ends == 0);
    close_peer();
}

static void who_never_reads_is_ended(void)
{
    static char bytes[64 * 1024];

    open_peer(SOCK_STREAM);
    for (size_t sent = 0; sent < 2 * PEER_OUT_MAX && ends == 0; sent += sizeof bytes) {
        CHECK(buf_append(peer_out(&peer), bytes, sizeof bytes) == 0);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    CHECK(ends == 1 && peer_pending(&peer) == 0);
    close_peer();
}

static void the_pid_is_the_writers(void)
{
    struct err err = {0};
    int ours, theirs, status;
    pid_t child;

    open_peer(SOCK_STREAM);
    close_peer();
    other = -1;
    got_len = 0;
    uv_loop_init(&loop);
    CHECK(turn_open(&turn, &loop, &err) == 0);
    CHECK(peer_pair(&ours, &theirs, &err) == 0);
    child = fork();
    if (child == 0)
        _exit(write(theirs, "it is me", 8) != 8);
    close(theirs);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(peer_open(&peer, &turn, ours, PEER_IDENTIFIED, &EVENTS, NULL, &err) == 0);
    CHECK(peer_pid(&peer) == 0);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(peer_pid(&peer) == child && got_len == 8);
    close_peer();
}

/* Once: what is written while it rests comes at the next beat, a little at a time. */
static void one_that_rests_is_not_read(void)
{
    static const char MANY[3 * PEER_REST_READ] = {0};
    uint64_t start_ms;

    open_peer(SOCK_STREAM);
    CHECK(write(other, MANY, sizeof MANY) == sizeof MANY);
    start_ms = uv_now(&loop); /* what the beat counts from */
    peer_rest(&peer);
    CHECK(peer_is_resting(&peer));
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(got_len == 0 || uv_now(&loop) - start_ms >= TURN_REST_MS);
    while (peer_is_resting(&peer))
        uv_run(&loop, UV_RUN_ONCE);
    CHECK(uv_now(&loop) - start_ms >= TURN_REST_MS);
    /* It is read by the beat; what else there is comes as ever. */
    CHECK(got_len >= PEER_REST_READ);
    while (got_len < sizeof MANY)
        uv_run(&loop, UV_RUN_ONCE);
    /* What it is sent leaves all the same. */
    peer_rest(&peer);
    put("x");
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(got_len == sizeof MANY);
    hear("x", 0);
    /* And it may end, or be closed. */
    close(other);
    other = -1;
    while (ends == 0)
        uv_run(&loop, UV_RUN_ONCE);
    close_peer();
    open_peer(SOCK_STREAM);
    peer_rest(&peer);
    close_peer();
}

static void copes_without_memory(void)
{
    struct err err = {0};
    int fds[2];

    open_peer(SOCK_STREAM);
    CHECK(pipe(fds) == 0);
    put("x");
    mem_fail_after(0);
    CHECK(peer_attach(&peer, 0, fds, 2, &err) == ERR_NOMEM);
    mem_fail_after(-1);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(ends == 1);
    CHECK(close(fds[0]) < 0 && close(fds[1]) < 0);
    close_peer();
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(what_one_turn_says_leaves_in_one_send),
        T(descriptors_travel_with_their_message_alone),
        T(descriptors_that_never_leave_are_closed),
        T(what_is_not_used_comes_again),
        T(all_is_read_before_the_end),
        T(one_that_never_falls_silent_is_ended_all_the_same),
        T(a_full_peer_says_when_there_is_room),
        T(what_was_full_within_a_turn_says_when_there_is_room),
        T(who_never_reads_is_ended),
        T(the_pid_is_the_writers),
        T(one_that_rests_is_not_read),
        T(copes_without_memory),
        {0},
    };

    signal(SIGPIPE, SIG_IGN);
    return test_main("loop_peer", TESTS, argc, argv);
}
