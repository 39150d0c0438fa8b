/* outbox.h - the frames that wait to be written to the node; any thread puts some in.
 *
 * The writer of a frame holds the lock while it appends, so frames never mix.
 * Embedded; lives as long as the process. */
#ifndef CORRAL_STORE_OUTBOX_H
#define CORRAL_STORE_OUTBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct outbox {
    pthread_mutex_t lock;
    int fd;                 /* does not block */
    struct buf bytes;       /* under the lock */
};

void outbox_init(struct outbox *o, int fd);
/* Append between the two. */
struct buf *outbox_enter(struct outbox *o);
void outbox_leave(struct outbox *o);
/* Write what the socket takes now, or forget it when the node is gone.  1: nothing is left; 0: the
 * socket is full; ERR_SYSTEM. */
int outbox_flush(struct outbox *o, struct err *err) MUST_CHECK;
/* Write until nothing is left, waiting for the node. */
int outbox_drain(struct outbox *o, struct err *err) MUST_CHECK;

#endif
