/* outcall.h - one call that a worker makes, seen from the node: for instance.c.
 *
 * herd.h says what a service does with one.  It lives from its OUTCALL frame
 * until the reply's last byte, outcall_fail, or `gone`.  Loop thread only. */
#ifndef CORRAL_HERD_OUTCALL_H
#define CORRAL_HERD_OUTCALL_H

#include "herd/herd.h"
#include "loop/ring.h"
#include "wire/frame.h"

struct instance;

struct outcall {
    struct ring ring; /* instance->outcall_ring */
    struct instance *instance;
    uint32_t stream;
    const struct outcall_events *events; /* NULL: nobody has accepted it */
    void *self;
    size_t send_window; /* bytes of the reply that may be sent */
    size_t take_window; /* bytes that the instance may still send */
    size_t owed;        /* credit given to us and not yet passed on */
    int64_t body_left;  /* of its body as its head said; -1: not known */
    unsigned hops;      /* of that request */
    uint32_t request;   /* whose code asks, 0: nobody's that runs */
    bool is_too_many;   /* beyond what that one may ask */
    bool has_end;       /* the instance has sent its last byte */
    bool has_reply;
    bool is_over;   /* freed when nothing of it runs */
    bool is_inside; /* one of its callbacks runs */
};

/* A frame on a stream with FRAME_OUTCALL_BIT.  An error says that the instance lies. */
int outcall_frame(struct instance *instance, const struct frame *frame, struct err *err) MUST_CHECK;
/* The instance takes frames again. */
void outcall_room(struct instance *instance);
/* The instance has ended: all of them are gone. */
void outcall_end_all(struct instance *instance);

#endif
