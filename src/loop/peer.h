/* peer.h - bytes both ways with one of our own processes, over a unix stream socket.
 *
 * Out: append to peer_out(); everything of one turn leaves in one send at its
 * end.  In: whatever one recv per turn gives, up to PEER_READ bytes, fewer when
 * they are dear (fair.h).  Knows nothing about what the bytes mean.
 *
 * Ownership: embedded in its owner; peer_open takes the descriptor; after
 * peer_close the memory is the owner's again inside the callback.
 *
 * Bounds: the owner keeps peer_pending small by asking peer_is_full before it
 * appends what can wait; `room` says when it may again.  A peer that lets more
 * than PEER_OUT_MAX bytes pile up, or than its owner's out_max, is ended as deaf.
 *
 * No event fires from inside a call on a peer.  Loop thread only. */
#ifndef CORRAL_LOOP_PEER_H
#define CORRAL_LOOP_PEER_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "loop/fair.h"
#include "loop/turn.h"

enum {
    PEER_READ = 256 * 1024,         /* bytes taken in one turn at most */
    PEER_REST_READ = 32 * 1024,     /* of one that rests between its reads: 3 MB a second */
    PEER_OUT_FULL = 1024 * 1024,    /* bytes not yet sent: peer_is_full from here on */
    PEER_OUT_MAX = 8 * 1024 * 1024, /* bytes not yet sent: it does not read; ended */
    PEER_FDS_MAX = 4,               /* descriptors that ride with one message */
};

struct peer_events {
    /* Returns how many bytes were used; the rest comes again with more behind it. */
    size_t (*bytes)(void *self, struct span bytes);
    /* It was full and is no longer. */
    void (*room)(void *self);
    /* Nothing will come any more, everything that came was given; at most once. */
    void (*ended)(void *self, const char *why);
};

struct peer {
    uv_poll_t poll;
    struct turn *turn;
    struct turn_item flush;
    struct fair fair;
    struct turn_item rest;
    const struct peer_events *events;
    void *self;
    struct buf in;              /* the start of something whose rest has not come yet */
    struct buf out;
    uint64_t out_at;            /* bytes sent so far: where out's first byte stands */
    struct ring parcels;        /* descriptors that wait for their bytes' turn */
    size_t out_max;             /* PEER_OUT_MAX, unless the owner sets less */
    const char *failed;         /* why it is to be ended at the end of this turn, or NULL */
    pid_t pid;                  /* of who wrote the first bytes, 0 before */
    int fd;
    bool wants_pid;
    bool is_waiting;            /* for the socket to take more */
    bool was_full;
    bool is_shut;
    bool is_resting;            /* is not read until the next beat */
    bool is_deaf;               /* ended for what it does not read */
    bool is_ended;
    void (*closed)(void *self);
};

enum peer_identity { PEER_ANONYMOUS, PEER_IDENTIFIED };

/* PEER_IDENTIFIED: the socket must have had SO_PASSCRED before the other side
 * could write (peer_pair does it); peer_pid is set before `bytes` is called. */
int peer_open(struct peer *peer, struct turn *turn, int take_fd, enum peer_identity identity,
              const struct peer_events *events, void *self, struct err *err) MUST_CHECK;
void peer_close(struct peer *peer, void (*closed)(void *self));

/* Where to append; sent at the end of the turn.  Valid until the next turn. */
struct buf *peer_out(struct peer *peer);
size_t peer_pending(const struct peer *peer);
bool peer_is_full(const struct peer *peer);
/* Let the bytes appended since peer_pending() was `start` travel alone, with
 * these descriptors.  They are closed when sent, on failure too. */
int peer_attach(struct peer *peer, size_t start, const int *take_fds, unsigned count,
                struct err *err) MUST_CHECK;
/* End it from our side: `ended` fires at the end of the turn.  `why` is static. */
void peer_fail(struct peer *peer, const char *why);
/* Nothing more will be appended: the other side reads the end behind what is there. */
void peer_shut(struct peer *peer);
/* Read nothing until the next beat (TURN_REST), and PEER_REST_READ bytes then: for one that says more than
 * anybody wants to hear.  Called again and again, also from `bytes`, it holds on. */
void peer_rest(struct peer *peer);
bool peer_is_resting(const struct peer *peer);
/* How many bytes the kernel has taken so far, and what it has not, also inside `ended`: this is
 * how one knows what a process that has ended can never have read. */
uint64_t peer_sent(const struct peer *peer);
struct span peer_unsent(const struct peer *peer);
/* Take in what the socket still holds, for a process that is about to be given up. */
void peer_read_all(struct peer *peer);

/* The kernel's word for who wrote the first bytes, in our pid namespace; 0 before. */
pid_t peer_pid(const struct peer *peer);

/* A connected pair, both ends close-on-exec; ours is non-blocking and has SO_PASSCRED. */
int peer_pair(int *ret_ours, int *ret_theirs, struct err *err) MUST_CHECK;

#endif
