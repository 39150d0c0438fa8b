/* kin.h - one process of ours behind its socket: who it is, its frames, its end.
 *
 * What zygote, template, instance and store have in common for the node.  Opened on
 * our end of the socket before the process exists.  `up` when it has said HELLO
 * and is who it should be; `frame` for every frame behind that, save LOG;
 * `ended` once, when it is no more or is given up; `gone` last: the memory is
 * the owner's again.
 *
 * Embedded in its owner.  Events fire from the loop or from the end of a turn,
 * never from inside a call on it.  Loop thread only. */
#ifndef CORRAL_KIN_KIN_H
#define CORRAL_KIN_KIN_H

#include "base/log.h"
#include "kin/limits.h"
#include "loop/peer.h"
#include "loop/proc.h"
#include "wire/message.h"

enum kin_state {
    KIN_STARTING,   /* waits for: HELLO */
    KIN_UP,
    KIN_ENDING,     /* killed or dead; waits for: the process to end */
    KIN_CLOSING,    /* waits for: libuv to let go of the handles */
    KIN_STATES
};

/* Why it ended, for the one who decides what to log. */
enum kin_end {
    KIN_DIED,       /* by itself */
    KIN_LIED,       /* broke a rule of the wire, or reads nothing of what it has brought upon itself */
    KIN_KILLED,     /* by kin_kill */
    KIN_LEFT,       /* by itself, after kin_hang_up */
};

struct kin_events {
    void (*up)(void *self, const struct hello *hello);
    /* An error ends it: KIN_LIED. */
    int (*frame)(void *self, const struct frame *frame, struct err *err);
    /* stream: what the line belongs to, in the words of the process; 0: nothing.  is_raised: an
     * exception that nobody caught.  told: as in struct log_line. */
    void (*log)(void *self, uint32_t stream, enum log_level level, struct span text,
                struct span told, bool is_raised);
    /* The peer was full and is no longer. */
    void (*room)(void *self);
    void (*ended)(void *self, enum kin_end how, const char *why);
    void (*gone)(void *self);
};

struct kin {
    struct peer peer;
    struct proc proc;
    struct turn *turn;
    const struct kin_events *events;
    void *self;
    enum kin_state state;
    enum role role;
    pid_t parent;               /* who must have forked it */
    struct ration ration;
    struct ration *all;         /* of it and others together; NULL: none */
    struct noise noise;
    const char *killed;         /* why, when it was us */
    bool is_leaving;            /* has been told to */
    bool has_proc;              /* known, held by a pidfd */
    bool is_peer_closed, is_proc_closed;
};

bool kin_may_move(enum kin_state from, enum kin_state to);

/* take_fd comes from peer_pair; its other end goes to a process whose parent will be `parent`. */
int kin_open(struct kin *kin, struct turn *turn, int take_fd, enum role role, pid_t parent,
             const struct kin_events *events, void *self, struct err *err) MUST_CHECK;
/* SIGKILL; `ended` comes at the end of the turn.  `why` is static. */
void kin_kill(struct kin *kin, const char *why);
/* Send nothing more: one that ends in good order when it has read all.  Give it a deadline. */
void kin_hang_up(struct kin *kin);
/* Wait no longer for the end of a process that was killed; `gone` follows. */
void kin_abandon(struct kin *kin);
/* Up, and nobody has decided to end it. */
bool kin_is_up(const struct kin *kin);
/* It has said something that says nothing: NOISE_GONE and so on.  An error is for `frame` to give back. */
int kin_noise(struct kin *kin, unsigned units, struct err *err) MUST_CHECK;
/* Frames to it.  One that cannot be written for want of memory ends it. */
void kin_reset(struct kin *kin, uint32_t stream, enum reset_reason reason, struct span text);
void kin_credit(struct kin *kin, uint32_t stream, size_t bytes);
/* In as many frames as it takes. */
void kin_body(struct kin *kin, uint32_t stream, struct span bytes, bool is_end);
/* Log text under the ration of this process: for what comes beside the socket. */
void kin_log(struct kin *kin, enum log_level level, struct span text);
/* Would text be logged now?  Not when more than its ration came in this second. */
bool kin_hears_log(const struct kin *kin);
/* It says more than its ration, or too much that says nothing, and is read a little at a time until the second is over. */
bool kin_is_resting(const struct kin *kin);
/* Its pid in our namespace, 0 before HELLO. */
pid_t kin_pid(const struct kin *kin);

#endif
