/* peer.c - one recv and one send per turn for each of our processes.
 *
 * Reading goes through one buffer that all peers share: what the owner does not
 * use at once (the first half of a frame) is copied to `in`, and only then do
 * reads go there.  uv_poll and not uv_pipe_t, because libuv's streams can
 * neither receive credentials nor keep descriptors and bytes in step.
 *
 * A send that fails is not the end: the process may have answered before it
 * died, so what it wrote is read to the last byte first.
 *
 * Invariants
 *   1. `ended` fires at most once, and nothing fires after it or after peer_close.
 *   2. A parcel's descriptors leave with the first byte of its message, and a
 *      send never spans the start of a parcel or the end of a fresh one.
 *   3. Bytes and descriptors of an ended peer are dropped at the end of the turn.
 *
 * Who calls: kin. */
#include "loop/peer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

struct parcel {
    struct ring ring;
    uint64_t start;     /* as peer.out_at counts */
    uint64_t end;
    unsigned count;
    int fds[PEER_FDS_MAX];
};

enum {
    SOCKET_BYTES = 512 * 1024,  /* asked of the kernel for each direction; it may give less */
    LAST_READS = 64,            /* of PEER_READ: many times what a socket can hold */
};

static char shared[PEER_READ];
static bool is_shared_taken;

static void parcel_free(struct parcel *p)
{
    ring_drop(&p->ring);
    for (unsigned i = 0; i < p->count; i++)
        close(p->fds[i]);
    mem_free(p);
}

static void drop_out(struct peer *peer)
{
    while (!ring_is_empty(&peer->parcels))
        parcel_free(RING_OF(peer->parcels.next, struct parcel, ring));
    buf_done(&peer->out);
}

static void end(struct peer *peer, const char *why)
{
    if (peer->is_ended)
        return;
    peer->is_ended = true;
    uv_poll_stop(&peer->poll);
    fair_done(&peer->fair);
    turn_drop(&peer->rest);
    peer->events->ended(peer->self, why);
    drop_out(peer);
}

/* recv, and who wrote it while that is still asked. */
static ssize_t receive(struct peer *peer, char *room, size_t len)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec iov = {room, len};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct ucred who;
    int off = 0;
    ssize_t n;

    if (!peer->wants_pid)
        return recv(peer->fd, room, len, MSG_DONTWAIT);
    n = recvmsg(peer->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n <= 0)
        return n;
    /* The kernel stops at the first byte of another writer while SO_PASSCRED is on. */
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&who, CMSG_DATA(c), sizeof who);
            peer->pid = who.pid;
        }
    peer->wants_pid = false;
    if (setsockopt(peer->fd, SOL_SOCKET, SO_PASSCRED, &off, sizeof off) < 0)
        return -1;
    return n;
}

/* Returns 1 when something came, 0 when there is nothing now, -1 at the end. */
static int read_once(struct peer *peer, size_t most)
{
    uint64_t start_ns = uv_hrtime();
    char *room = shared;
    bool is_direct = buf_len(&peer->in) == 0;
    size_t used, len;
    ssize_t n;

    if (!is_direct && buf_reserve(&peer->in, most, &room) < 0) {
        end(peer, "out of memory");
        return -1;
    }
    do
        n = receive(peer, room, most);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0) {
        end(peer, n == 0 ? "closed its socket" : strerrordesc_np(errno));
        return -1;
    }
    if (!is_direct)
        buf_commit(&peer->in, (size_t)n);
    len = is_direct ? (size_t)n : buf_len(&peer->in);
    assert(!is_shared_taken);
    is_shared_taken = true;
    used = peer->events->bytes(peer->self, (struct span){is_direct ? shared : buf_data(&peer->in),
                                                         len});
    is_shared_taken = false;
    if (peer->is_ended)
        return -1;
    if (!is_direct)
        buf_eat(&peer->in, used);
    else if (used < len && buf_append(&peer->in, shared + used, len - used) < 0)
        end(peer, "out of memory");
    fair_account(&peer->fair, (size_t)n, start_ns);
    return peer->is_ended ? -1 : 1;
}

/* Who is ended may be alive and go on writing (its end shut for reading makes
 * our sends fail): it is heard no longer than what a dead one can have left. */
void peer_read_all(struct peer *peer)
{
    for (int i = 0; i < LAST_READS && !peer->is_ended && read_once(peer, PEER_READ) > 0; i++)
        ;
}

static void on_poll(uv_poll_t *handle, int status, int events);

static void watch(struct peer *peer)
{
    uv_poll_start(&peer->poll,
                  (peer->is_resting ? 0 : UV_READABLE) | (peer->is_waiting ? UV_WRITABLE : 0),
                  on_poll);
}

static void wait_for(struct peer *peer, bool is_waiting)
{
    if (peer->is_waiting == is_waiting)
        return;
    peer->is_waiting = is_waiting;
    watch(peer);
}

static void run_rest(struct turn_item *item)
{
    struct peer *peer = RING_OF(item, struct peer, rest);

    peer->is_resting = false;
    watch(peer);
    if (fair_is_due(&peer->fair, peer->turn)) {
        size_t quantum = fair_quantum(&peer->fair);
        (void)read_once(peer, quantum < PEER_REST_READ ? quantum : PEER_REST_READ);
    }
}

void peer_rest(struct peer *peer)
{
    if (peer->is_ended || peer->is_resting)
        return;
    peer->is_resting = true;
    turn_add(peer->turn, TURN_REST, &peer->rest);
    turn_drop(&peer->fair.late);
    watch(peer);
}

bool peer_is_resting(const struct peer *peer) { return peer->is_resting; }

static ssize_t send_some(struct peer *peer, struct parcel *parcel)
{
    size_t len = buf_len(&peer->out);
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(PEER_FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec iov;
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

    if (!parcel)
        return send(peer->fd, buf_data(&peer->out), len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (parcel->start > peer->out_at)
        return send(peer->fd, buf_data(&peer->out), (size_t)(parcel->start - peer->out_at),
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    iov = (struct iovec){peer->out.mem + peer->out.head, (size_t)(parcel->end - peer->out_at)};
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(parcel->count * sizeof(int));
    control.align = (struct cmsghdr){.cmsg_len = CMSG_LEN(parcel->count * sizeof(int)),
                                     .cmsg_level = SOL_SOCKET,
                                     .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.align), parcel->fds, parcel->count * sizeof(int));
    return sendmsg(peer->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Returns 0, or -1 when the other side takes no more. */
static int write_out(struct peer *peer)
{
    while (buf_len(&peer->out) > 0) {
        struct parcel *parcel = ring_is_empty(&peer->parcels)
                                    ? NULL
                                    : RING_OF(peer->parcels.next, struct parcel, ring);
        ssize_t n = send_some(peer, parcel);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            wait_for(peer, true);
            return 0; /* waits for: the socket to take more */
        }
        if (n < 0)
            return -1;
        if (parcel && parcel->start <= peer->out_at)
            parcel_free(parcel);
        peer->out_at += (uint64_t)n;
        buf_eat(&peer->out, (size_t)n);
    }
    wait_for(peer, false);
    return 0;
}

static void flush(struct peer *peer)
{
    if (peer->is_ended)
        return;
    if (!peer->failed && buf_len(&peer->out) > peer->out_max) {
        peer->is_deaf = true;
        peer->failed = "it does not read what it is sent";
    }
    if (peer->failed) {
        end(peer, peer->failed);
        return;
    }
    /* Before the sending: somebody may have seen it full in this turn, and waits. */
    peer->was_full |= buf_len(&peer->out) >= PEER_OUT_FULL;
    if (write_out(peer) < 0) {
        peer_read_all(peer);
        end(peer, "takes no more bytes");
        return;
    }
    if (peer->is_shut && buf_len(&peer->out) == 0)
        (void)shutdown(peer->fd, SHUT_WR);
    if (peer->was_full && buf_len(&peer->out) < PEER_OUT_FULL / 2) {
        peer->was_full = false;
        peer->events->room(peer->self);
    }
}

static void run_flush(struct turn_item *item) { flush(RING_OF(item, struct peer, flush)); }

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct peer *peer = handle->data;

    if (status < 0) {
        /* libuv has stopped the handle: the socket carries an error, maybe behind good bytes. */
        peer_read_all(peer);
        end(peer, "broke its socket");
        return;
    }
    if (events & UV_WRITABLE)
        turn_add(peer->turn, TURN_FLUSH, &peer->flush);
    if ((events & UV_READABLE) && !peer->is_ended && !peer->is_resting && fair_is_due(&peer->fair, peer->turn))
        (void)read_once(peer, fair_quantum(&peer->fair));
}

static void read_late(struct turn_item *item)
{
    struct peer *peer = RING_OF(item, struct peer, fair.late);

    (void)read_once(peer, fair_quantum(&peer->fair));
}

int peer_open(struct peer *peer, struct turn *turn, int take_fd, enum peer_identity identity,
              const struct peer_events *events, void *self, struct err *err)
{
    int r;

    *peer = (struct peer){.turn = turn, .events = events, .self = self, .fd = take_fd,
                          .out_max = PEER_OUT_MAX, .wants_pid = identity == PEER_IDENTIFIED};
    ring_init(&peer->parcels);
    turn_item_init(&peer->flush, run_flush);
    turn_item_init(&peer->rest, run_rest);
    fair_init(&peer->fair, PEER_READ, read_late);
    r = uv_poll_init(turn->prepare.loop, &peer->poll, take_fd);
    if (r < 0) {
        close(take_fd);
        return err_set(err, ERR_SYSTEM, "watch a socket: %s", uv_strerror(r));
    }
    peer->poll.data = peer;
    uv_poll_start(&peer->poll, UV_READABLE, on_poll);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct peer *peer = handle->data;

    /* Not earlier: the caller of peer_close may have been reading it. */
    buf_done(&peer->in);
    buf_done(&peer->out);
    peer->closed(peer->self);
}

void peer_close(struct peer *peer, void (*closed)(void *self))
{
    peer->is_ended = true;
    peer->closed = closed;
    turn_drop(&peer->flush);
    turn_drop(&peer->rest);
    fair_done(&peer->fair);
    drop_out(peer);
    uv_close((uv_handle_t *)&peer->poll, on_closed);
    close(peer->fd);
    peer->fd = -1;
}

struct buf *peer_out(struct peer *peer)
{
    if (!peer->is_ended)
        turn_add(peer->turn, TURN_FLUSH, &peer->flush);
    return &peer->out;
}

size_t peer_pending(const struct peer *peer) { return buf_len(&peer->out); }

bool peer_is_full(const struct peer *peer) { return buf_len(&peer->out) >= PEER_OUT_FULL; }

int peer_attach(struct peer *peer, size_t start, const int *take_fds, unsigned count,
                struct err *err)
{
    struct parcel *p = mem_alloc(sizeof *p);

    assert(count <= PEER_FDS_MAX && start < buf_len(&peer->out));
    if (!p) {
        for (unsigned i = 0; i < count; i++)
            close(take_fds[i]);
        /* The bytes are in the queue already; without the descriptors they make no sense. */
        peer_fail(peer, "no memory for descriptors");
        return err_nomem(err);
    }
    ring_init(&p->ring);
    p->start = peer->out_at + start;
    p->end = peer->out_at + buf_len(&peer->out);
    p->count = count;
    memcpy(p->fds, take_fds, count * sizeof *take_fds);
    ring_push(&peer->parcels, &p->ring);
    return 0;
}

void peer_fail(struct peer *peer, const char *why)
{
    if (peer->is_ended || peer->failed)
        return;
    peer->failed = why;
    turn_add(peer->turn, TURN_FLUSH, &peer->flush);
}

void peer_shut(struct peer *peer)
{
    peer->is_shut = true;
    (void)peer_out(peer);
}

uint64_t peer_sent(const struct peer *peer) { return peer->out_at; }
struct span peer_unsent(const struct peer *peer) { return buf_span(&peer->out); }

pid_t peer_pid(const struct peer *peer) { return peer->pid; }

int peer_pair(int *ret_ours, int *ret_theirs, struct err *err)
{
    int fds[2], on = 1, bytes = SOCKET_BYTES;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return err_errno(err, errno, "make a pair of sockets");
    /* Before anybody else can hold the other end: credentials are put on at the time of writing. */
    if (setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) {
        int code = errno;
        close(fds[0]);
        close(fds[1]);
        return err_errno(err, code, "ask for the credentials of a socket");
    }
    for (int i = 0; i < 2; i++)
        (void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    *ret_ours = fds[0];
    *ret_theirs = fds[1];
    return 0;
}
