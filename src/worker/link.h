/* link.h - a child's end of its socket to the node: frames in, frames out.
 *
 * Blocking or not is the caller's choice of call: link_wait reads with poll,
 * link_flush writes all it can, link_flush_all waits for the node to take it.
 * Descriptors that the node sends are kept in order of arrival.
 *
 * The node is trusted here; a broken frame means a bug or a version mix and
 * ends the process.  Embedded; one thread. */
#ifndef CORRAL_WORKER_LINK_H
#define CORRAL_WORKER_LINK_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "wire/message.h"

enum {
    LINK_FDS_MAX = 8,
    LINK_TEXT_MAX = 32 * 1024,  /* bytes of text in one frame */
};

struct link {
    int fd;
    bool takes_fds;             /* read with recvmsg: zygote and template */
    struct buf in, out;
    size_t used;                /* bytes of `in` that the last frame occupies */
    int fds[LINK_FDS_MAX];      /* received, not yet taken */
    unsigned fd_count;
};

void link_init(struct link *l, int fd, bool takes_fds);
/* Closes the socket and every descriptor that nobody took. */
void link_done(struct link *l);

/* Read what is there.  1: something came; 0: nothing now; ERR_GONE: the node
 * closed; ERR_SYSTEM, ERR_NOMEM. */
int link_read(struct link *l, struct err *err) MUST_CHECK;
/* The next whole frame: 1, 0 when there is none, negative when it is broken.
 * The frame's bytes are valid until the next link_next or link_read. */
int link_next(struct link *l, struct frame *ret, struct err *err) MUST_CHECK;
/* The oldest descriptor received, or -1. */
int link_take_fd(struct link *l);

/* As much of the beginning as one frame takes, without cutting a character. */
struct span link_cut(struct span text);
/* Likewise, at most so many bytes. */
struct span link_cut_at(struct span text, size_t max);
/* Put text into LOG frames, as many as it needs; told (host.h) when one will do.  LOG_NONE: an exception that nobody caught. */
int link_log(struct link *l, uint32_t stream, enum log_level level, struct span text,
             struct span told, struct err *err) MUST_CHECK;

/* Write what the socket takes now.  0, ERR_GONE, ERR_SYSTEM. */
int link_flush(struct link *l, struct err *err) MUST_CHECK;
/* Write everything, waiting for the node. */
int link_flush_all(struct link *l, struct err *err) MUST_CHECK;

#endif
