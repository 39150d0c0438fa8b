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

#include "base/limit.h"
#include "herd/call.h"
#include "herd/hoard.h"
#include "herd/meter.h"
#include "herd/places.h"
#include "kin/kin.h"
#include "herd/outcall.h"
#include "kin/streams.h"
#include "loop/weight.h"

enum {
    INSTANCE_STREAMS_MAX = 1024,        /* calls in one instance at once */
    INSTANCE_LINGER_MS = 30 * 1000,     /* waitUntil may run for so long */
    INSTANCE_STUCK_MS = 30 * 1000,      /* no code may hold the loop up for so long: herd_config.stuck_ms */
    INSTANCE_UNREAD_MAX = 2 * 1024 * 1024, /* bytes that wait for one that does not read: twice what is
                                              asked before it must (PEER_OUT_FULL); more is what it has
                                              brought upon itself, by calls that are refused at once */
    INSTANCE_STREAM_LAST = 0x7fffffff,  /* stream numbers are used up to here */
};

struct instance_events {
    void (*up)(void *self, struct instance *instance);
    /* As in pool_events; is_raised: `raised`. */
    void (*log)(void *self, enum log_level level, struct span text, struct span told, void *ticket,
                bool is_raised);
    /* A limit was met that does not end it: once for each call, and once for all code of no call (NULL). */
    void (*met)(void *self, struct instance *instance, enum limit limit, struct call *call);
    /* It was over its limit, and its code was stopped. */
    void (*stopped)(void *self, struct instance *instance, struct call *call);
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
    const struct limit_set *limits; /* its pool's; NULL: none */
    unsigned hops;                  /* the most of the calls in it, since it was empty */
    int64_t stray_subrequests;      /* of no request that runs, since the last one began ... */
    uint32_t stray_last;            /* ... which was this stream_last */
    uint32_t outcall_last;          /* the highest number used, without FRAME_OUTCALL_BIT */
    int64_t born_ms;
    int64_t idle_ms;                /* since when it holds no stream */
    int64_t ping_ms;                /* when the open PING was sent, 0: none */
    bool is_heard;                  /* a frame has come since the last instance_tick */
    int calm_ms;                    /* from one PING to the next of who only waits; 0: it does more */
    int64_t ask_ms, asked_us;       /* no PING before; the clock of its process at the last one */
    bool is_busy;
    struct weight weight;           /* guard.c's, as the next three */
    struct hoard_item held;
    bool is_resting;                /* looked at without work: rarely */
    int64_t rest_ms, rest_us;       /* idle since, and the clock of its process then */
    struct place place;             /* crew.c's */
    unsigned met;                   /* bit set of enum limit: by code of no call */
    enum limit exceeded;            /* what it was ended for; LIMITS: nothing */
    char words[200];                /* about that */
    struct meter meter;
    int64_t told_us;                /* meter.clock_us when a call was told to stop last */
    int64_t space_base, space_bytes;/* its address space when it came up, and lately */
    int64_t space_us;               /* the clock of its process at that moment */
    int64_t space_max;              /* it may grow by so much; 0: nobody knows */
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
/* Has it (nearly) as much address space as it may? */
bool instance_is_full(const struct instance *instance);
/* A limit that its code runs into and survives; call NULL: of nobody's that runs.  LIMIT_MEMORY: it retires. */
void instance_met(struct instance *instance, enum limit limit, struct call *call);
/* Look how much its calls have used.  One that is over its limit is told to stop, again and again; true: it does
 * not, and that is the end of all that runs beside it. */
bool instance_meter(struct instance *instance, int64_t now_ms);
/* Its calls are metered by this rule, and by what it says itself.  After instance_open. */
void instance_meter_by(struct instance *instance, const struct meter_rule *rule,
                       struct witness take_witness);
/* The call has failed: was it stopped, since it was over its limit? */
bool instance_has_stopped(struct instance *instance, struct call *call);
/* At least when instance_due says so, while it holds calls. */
void instance_tick(struct instance *instance, int64_t now_ms, int busy_ms);
/* When the next instance_tick is due that does something for its calls. */
int64_t instance_due(const struct instance *instance, int64_t ticked_ms, int busy_ms);
/* Something comes for its code to do. */
void instance_rouse(struct instance *instance);
/* Its loop has stood still for so long: code of its worker does not return. */
bool instance_is_stuck(const struct instance *instance, int64_t now_ms, int stuck_ms);
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
