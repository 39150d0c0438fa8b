/* link.c - move bytes between the socket and the two buffers. */
#include "worker/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINK_READ = 128 * 1024 };    /* bytes asked of one read */

void link_init(struct link *l, int fd, bool takes_fds)
{
    *l = (struct link){.fd = fd, .takes_fds = takes_fds};
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void link_done(struct link *l)
{
    for (unsigned i = 0; i < l->fd_count; i++)
        close(l->fds[i]);
    if (l->fd >= 0)
        close(l->fd);
    buf_done(&l->in);
    buf_done(&l->out);
    *l = (struct link){.fd = -1};
}

/* Keep the descriptors of one message; more than fit is a bug of the node. */
static int keep_fds(struct link *l, struct msghdr *m, struct err *err)
{
    struct cmsghdr *c;

    for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        if (l->fd_count + n > LINK_FDS_MAX)
            return err_set(err, ERR_LIMIT, "the node sent more than %d descriptors", LINK_FDS_MAX);
        memcpy(l->fds + l->fd_count, CMSG_DATA(c), n * sizeof(int));
        l->fd_count += (unsigned)n;
    }
    if (m->msg_flags & MSG_CTRUNC)
        return err_set(err, ERR_LIMIT, "descriptors from the node were cut");
    return 0;
}

static ssize_t read_some(struct link *l, char *room, struct err *err)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(LINK_FDS_MAX * sizeof(int))];
    } control;
    struct iovec io = {room, LINK_READ};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.space,
                       .msg_controllen = sizeof control.space};
    ssize_t n;

    if (!l->takes_fds)
        return read(l->fd, room, LINK_READ);
    n = recvmsg(l->fd, &m, MSG_CMSG_CLOEXEC);
    if (n > 0 && keep_fds(l, &m, err) < 0)
        return -2;
    return n;
}

int link_read(struct link *l, struct err *err)
{
    char *room;
    ssize_t n;

    buf_eat(&l->in, l->used);
    l->used = 0;
    if (buf_reserve(&l->in, LINK_READ, &room) < 0)
        return err_nomem(err);
    n = read_some(l, room, err);
    if (n == -2)
        return err->code;
    if (n == 0)
        return err_set(err, ERR_GONE, "the node closed the connection");
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        return err_errno(err, errno, "read from the node");
    buf_commit(&l->in, (size_t)n);
    return 1;
}

int link_next(struct link *l, struct frame *ret, struct err *err)
{
    buf_eat(&l->in, l->used);
    l->used = 0;
    return frame_parse(buf_data(&l->in), buf_len(&l->in), ret, &l->used, err);
}

int link_take_fd(struct link *l)
{
    int fd;

    if (l->fd_count == 0)
        return -1;
    fd = l->fds[0];
    memmove(l->fds, l->fds + 1, --l->fd_count * sizeof(int));
    return fd;
}

struct span link_cut_at(struct span text, size_t max)
{
    size_t n = text.len < max ? text.len : max;

    /* Not through a character, as far as this is UTF-8 at all. */
    for (size_t back = 0; n < text.len && back <= 3 && back < n; back++)
        if (((unsigned char)text.data[n - back] & 0xC0) != 0x80) {
            n -= back;
            break;
        }
    return (struct span){text.data, n};
}

struct span link_cut(struct span text)
{
    return link_cut_at(text, LINK_TEXT_MAX);
}

int link_log(struct link *l, uint32_t stream, enum log_level level, struct span text,
             struct span told, struct err *err)
{
    uint8_t flags = level == LOG_NONE ? FRAME_RAISED : 0; /* HOST_RAISED */
    const bool is_told = text.len <= LINK_TEXT_MAX && told.len < LINK_TEXT_MAX;

    while (text.len > 0) {
        const struct log_line m = {.level = level == LOG_NONE ? LOG_ERROR : level,
                                   .text = link_cut(text),
                                   .told = is_told ? told : SPAN("")};
        int r = log_line_put(&l->out, flags, stream, &m, err);
        flags = 0;
        if (r < 0)
            return r;
        text.data += m.text.len;
        text.len -= m.text.len;
    }
    return 0;
}

int link_flush(struct link *l, struct err *err)
{
    while (buf_len(&l->out) > 0) {
        ssize_t n = write(l->fd, buf_data(&l->out), buf_len(&l->out));
        if (n < 0 && errno == EAGAIN)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EPIPE)
            return err_set(err, ERR_GONE, "the node closed the connection");
        if (n < 0)
            return err_errno(err, errno, "write to the node");
        buf_eat(&l->out, (size_t)n);
    }
    return 0;
}

int link_flush_all(struct link *l, struct err *err)
{
    for (;;) {
        struct pollfd p = {.fd = l->fd, .events = POLLOUT};
        int r = link_flush(l, err);
        if (r < 0 || buf_len(&l->out) == 0)
            return r;
        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            return err_errno(err, errno, "wait for the node");
    }
}
