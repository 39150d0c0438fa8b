/* store.h - one database, and the process that holds it when there is one.
 *
 * Made by the first call on its folder; it frees itself when nothing waits, no
 * process is there and no failure need be remembered.  Loop thread only. */
#ifndef CORRAL_KEEPER_STORE_H
#define CORRAL_KEEPER_STORE_H

#include <sys/types.h>

#include "keeper/call.h"
#include "kin/kin.h"
#include "kin/limits.h"
#include "kin/streams.h"
#include "loop/child.h"

enum {
    STORE_STREAM_LAST =
        0x7fffffff,             /* streams are numbered up to here; then comes another process */
    STORE_HELLO_MS = 30 * 1000, /* a long WAL is read before HELLO */
    STORE_LEAVE_MS = 10 * 1000, /* for the last checkpoint of one that was idle */
    STORE_CLOSE_MS = 300,       /* for that of all of them, when the node ends */
    STORE_SEEN_MS = 500,        /* between two looks whether its folder is still there */
    STORE_WHY_MAX = 400,        /* bytes of why it does not start */
};

enum store_state {
    STORE_RESTING,  /* no process; waits for: a call, the back-off, a place (stores_max) */
    STORE_STARTING, /* waits for: HELLO */
    STORE_UP,
    STORE_LEAVING, /* has been told to end; waits for: its end */
    STORE_ENDING,  /* dead or killed; waits for: socket and child to be closed */
    STORE_GONE,    /* waits for: libuv to let go of the timer */
    STORE_STATES
};

struct store {
    struct ring ring;   /* keeper->stores, the one used last is first */
    struct ring hungry; /* keeper->hungry: waits for a place */
    struct keeper *keeper;
    char *folder;
    const char *name; /* of the folder, for people */
    enum store_state state;
    struct kin kin;
    struct child child;
    bool is_kin_open, is_child_open;
    struct turn_item wake;
    uv_timer_t timer;
    int64_t timer_ms; /* when it fires; 0: it is off */
    struct streams streams;
    uint32_t stream_last;
    struct ring calls; /* that the process has, oldest first */
    struct ring queue; /* that wait, oldest first */
    unsigned count;    /* of both */
    struct backoff backoff;
    int64_t deadline_ms;    /* of STARTING, LEAVING; of RESTING: not before */
    int64_t up_ms, idle_ms; /* since when */
    int64_t ping_ms;        /* when the open PING was sent, 0: none */
    int64_t look_ms;        /* when to look next whether it turns */
    int64_t seen_ms;        /* when its folder was last looked at */
    /* Of the process that is there, or was last. */
    dev_t folder_device; /* what it has open */
    ino_t folder_inode;
    bool is_moved;           /* the folder was deleted or replaced: no call goes there any more */
    bool has_been_up;
    bool is_heard;           /* a frame has come since the last look */
    bool has_answered;       /* it has said something of a call */
    bool is_refused;         /* FAILED has come: `why` has the reason */
    bool is_leaving;         /* counted by the keeper */
    bool is_stuck;           /* killed because it stood still */
    bool is_ended;           /* by us, and why was said */
    bool is_broken;          /* it did not start: calls fail until deadline_ms */
    char why[STORE_WHY_MAX]; /* it does not start */
};

bool store_may_move(enum store_state from, enum store_state to);

struct store *store_new(struct keeper *keeper, const char *folder);
/* Take a call in: into the process, or into the queue.  ERR_NOMEM. */
int store_take(struct store *store, struct store_call *call, struct err *err) MUST_CHECK;
/* ERR_SYSTEM: it did not start a moment ago; ERR_LIMIT: too many calls. */
int store_check(const struct store *store, struct err *err) MUST_CHECK;
/* Before a call on it: is the folder still the one that its process has open?  If not, what that one
 * acknowledges would be lost, so it goes, and the next one finds what is there now.
 * is_expected: we took it away ourselves, and there is nothing to say. */
void store_look_at_folder(struct store *store, bool is_expected);
/* May it give its place to another database? */
bool store_is_idle(const struct store *store);
/* Something has changed: look at it at the end of this turn. */
void store_wake(struct store *store);
/* Fail all calls and end. */
void store_close(struct store *store);

/* For process.c. */
void store_move(struct store *store, enum store_state to, int64_t deadline_ms);
/* Look at it now: from a callback of the loop, with nothing of it on the stack. */
void store_tick(struct store *store);
void store_fail_all(struct ring *calls, struct span text);
/* ERR_SYSTEM: it does not start, and why. */
int store_refuse(const struct store *store, struct err *err);

/* For call.c: a call is over. */
void store_forget(struct store *store, struct store_call *call);

#endif
