/* outbox.c - frames on their way to the node. */
#include "store/outbox.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { OUTBOX_LOOK_MS = 100 }; /* somebody else may have written meanwhile */

void outbox_init(struct outbox *o, int fd)
{
    pthread_mutex_init(&o->lock, NULL);
    o->fd = fd;
    buf_init(&o->bytes);
}

struct buf *outbox_enter(struct outbox *o)
{
    pthread_mutex_lock(&o->lock);
    return &o->bytes;
}

void outbox_leave(struct outbox *o)
{
    pthread_mutex_unlock(&o->lock);
}

static int write_some(struct outbox *o, struct err *err)
{
    while (buf_len(&o->bytes) > 0) {
        ssize_t n = write(o->fd, buf_data(&o->bytes), buf_len(&o->bytes));
        if (n < 0 && errno == EAGAIN)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        /* Who reads the socket will see that too, and end everything in good order. */
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            n = (ssize_t)buf_len(&o->bytes);
        if (n < 0)
            return err_errno(err, errno, "write to the node");
        buf_eat(&o->bytes, (size_t)n);
    }
    return 1;
}

int outbox_flush(struct outbox *o, struct err *err)
{
    int r;

    pthread_mutex_lock(&o->lock);
    r = write_some(o, err);
    pthread_mutex_unlock(&o->lock);
    return r;
}

int outbox_drain(struct outbox *o, struct err *err)
{
    for (;;) {
        struct pollfd p = {.fd = o->fd, .events = POLLOUT};
        int r = outbox_flush(o, err);
        if (r != 0)
            return r < 0 ? r : 0;
        if (poll(&p, 1, OUTBOX_LOOK_MS) < 0 && errno != EINTR)
            return err_errno(err, errno, "wait for the node");
    }
}
