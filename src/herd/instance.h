/* instance.h - the node's side of one instance: its streams, and whether it still turns.
 *
 * A kin (kin.h: up, ended, gone mean the same here) that carries calls.  When
 * `ended` fires every call in it has failed; the memory goes when `gone` returns.
 * To kill it: kin_kill(&instance->kin, why).
 *
 * Events fire from the loop or from the end of a turn, never from inside a call
 * on an instance; but `eased` may (it should only make a note).  Loop thread
 * only; times are clock_now_ms. */
#ifndef CORRAL_HERD_INSTANCE_H
#define CORRAL_HERD_INSTANCE_H

#include "herd/call.h"
#include "kin/kin.h"
#include "herd/outcall.h"
#include "kin/streams.h"

enum {
    INSTANCE_STREAMS_MAX = 1024,        /* calls in one instance at once */
    INSTANCE_LINGER_MS = 30 * 1000,     /* waitUntil may run for so long */
    INSTANCE_HELD_MAX = 768 << 20,      /* bytes in memfds, which RLIMIT_AS does not count */
    INSTANCE_STUCK_MS = 30 * 1000,      /* no code may hold the loop up for so long */
    INSTANCE_STREAM_LAST = 0x7fffffff,  /* stream numbers are used up to here */
};

struct instance_events {
    void (*up)(void *self, struct instance *instance);
    void (*log)(void *self, enum log_level level, struct span text);
    /* A call has left, or it answers again: there may be room, or nothing left to wait for. */
    void (*eased)(void *self, struct instance *instance);
    void (*ended)(void *self, struct instance *instance, enum kin_end how, const char *why);
    void (*gone)(void *self, struct instance *instance);
    /* As in pool_events. */
    void (*outcall)(void *self, struct outcall *outcall, const struct outcall_head *head,
                    bool is_end);
};

struct instance {
    struct ring ring;               /* the pool's list */
    struct kin kin;
    const struct instance_events *events;
    void *self;
    uint32_t id;                    /* of the FORK that made it */
    uint32_t pid_hint;              /* as its template calls it: to find its EXITED */
    struct streams streams;
    uint32_t stream_last;           /* the highest number used */
    unsigned open;                  /* calls whose answer is not complete */
    struct ring uploading;          /* calls with more request body to come */
    struct ring lingering;          /* calls that only run on, oldest first */
    struct streams outcalls;        /* what its code asks of the node */
    struct ring outcall_ring;       /* the same, in no order */
    uint32_t outcall_last;          /* the highest number used, without FRAME_OUTCALL_BIT */
    int64_t born_ms;
    int64_t idle_ms;                /* since when it holds no stream */
    int64_t ping_ms;                /* when the open PING was sent, 0: none */
    bool is_heard;                  /* a frame has come since the last instance_tick */
    bool is_busy;
    int64_t weighed_ms, held_bytes; /* when, and how much it held in memfds */
    bool is_active;                 /* has been given work: no spare any more */
    bool is_retiring;               /* takes no new calls */
};

/* take_fd comes from peer_pair; its other end goes to a child of `parent`. */
int instance_open(struct turn *turn, int take_fd, pid_t parent, uint32_t id,
                  const struct instance_events *events, void *self, struct instance **ret,
                  struct err *err) MUST_CHECK;
/* Has it room for one more call? */
bool instance_has_room(const struct instance *instance);
/* Put a call into it: `opening`, or what the call has kept since call_wait. */
int instance_send(struct instance *instance, struct call *call, const struct opening *opening,
                  struct err *err) MUST_CHECK;
/* At least every busy_ms / 2 while it holds streams. */
void instance_tick(struct instance *instance, int64_t now_ms, int busy_ms);
/* Its loop has stood still for INSTANCE_STUCK_MS: code of its worker does not return. */
bool instance_is_stuck(const struct instance *instance, int64_t now_ms);
/* Have it close its WebSockets, now and later. */
void instance_hang_up(struct instance *instance);
/* No stream is left in it. */
bool instance_is_idle(const struct instance *instance);

/* For call.c. */
/* The caller is through with the call; take it out of the open ones. */
void instance_finish(struct instance *instance, struct call *call);
/* Forget its stream. */
void instance_forget(struct instance *instance, struct call *call);

#endif
