/* keeper.h - the processes that hold databases (corral-store), seen from who uses them.
 *
 *   keeper      all of them: one per open database, known by its folder
 *   store_call  one call on its way through one of them
 *
 * The first call on a database starts its process; without calls it ends after
 * idle_ms.  When it dies, calls of which it cannot have read anything are
 * given to the next process; the others fail and say so.  A process that does
 * not come up is tried again with back-off, and calls fail quickly meanwhile.
 * A process is killed when it answers no PING for busy_ms, and when it breaks
 * the protocol.  When the folder is deleted or replaced beneath it, it ends with
 * the calls that it has, and another one opens what is there.
 *
 * A process is started as
 *
 *     corral-store FOLDER --sync=normal|full --size-max=BYTES --query-ms=MS --box=LAYERS [--uid=N]
 *
 * with a socket as descriptor 3, in a session of its own; the folder is there
 * already.  It is tied to its parent, and says HELLO when it takes calls.  When
 * the database cannot be opened it says HELLO and FAILED (struct failed, kind
 * FAILURE_INTERNAL: text and hint are for people) and waits for its end.  The end of
 * what it reads means: end in good order.  It closes its socket last.
 *
 * The socket speaks the wire's frames: the node sends OUTCALL (struct
 * outcall_head), BODY, CREDIT, RESET and PING; the store HELLO (ROLE_STORE), REPLY, BODY, CREDIT,
 * RESET (RESET_FAILED: the first line of its text is for the worker), LOG and PONG.
 * Streams are numbered from 1 by us.  Methods:
 *
 *   query   body: a call (row.h); reply: records.  Several statements are one transaction.
 *           argument `order`: calls with the same one run in the order they came.
 *   exec    body: SQL, any number of statements, one transaction; reply: records without ROWS
 *           (argument `rows`: with ROWS, as query)
 *   script  as exec, any length, with PROGRESS records; the BEGIN and COMMIT of a dump are left
 *           out, also when statements follow behind the COMMIT
 *   dump    arguments table (any number of them: those only), no-data, no-schema; reply: SQL text
 *   info    reply results: size (bytes), tables (count), bookmark
 *
 * The end of a reply (FRAME_END, RESET) ends the stream in both directions,
 * also while the call's body still comes; so does our RESET.
 *
 * Ownership: keeper_open, keeper_close(cb).  A call is gone when its terminal
 * callback (`failed`, or `body` with is_end) has returned, or store_call_abort.
 * Loop thread only.  No callback fires before the call that starts it returns. */
#ifndef CORRAL_KEEPER_KEEPER_H
#define CORRAL_KEEPER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/log.h"
#include "base/span.h"
#include "wire/message.h"

struct keeper;
struct store_call;

enum keeper_sync { KEEPER_SYNC_NORMAL, KEEPER_SYNC_FULL };

struct keeper_config {
    const char *store_program; /* path of corral-store */
    enum keeper_sync sync;   /* NORMAL: what was acknowledged survives every crash of ours, but not
                                a power cut; FULL: that too */
    uint64_t size_max_bytes; /* of a database; 0: 10 GB */
    int idle_ms;             /* 0: 60 s */
    int query_ms;            /* longest that one call may run; 0: 30 s */
    int busy_ms;             /* 0: 10 s */
    int queue_ms;            /* longest that a call waits for its process, or in it; 0: 30 s */
    bool needs_folders;  /* a database whose folder is not there has been deleted: none is made */
    unsigned stores_max; /* processes at once: the longest idle one gives way; 0: 64 */
    unsigned calls_max;  /* that wait or run in one store; 0: 1,024 */
    unsigned box_layers; /* what this machine gives: box/tier.h */
    /* With BOX_UID: whose the process of this database is.  NULL: the node's own user's, without
     * his rights.  An error is why it does not start. */
    int (*box_uid)(void *self, const char *folder, unsigned *ret_uid, struct err *err);
    void *box_uid_self;
    void (*log)(void *self, enum log_level level, struct span text); /* NULL: dropped */
    void *log_self;
};

int keeper_open(uv_loop_t *loop, const struct keeper_config *config, struct keeper **ret_keeper,
                struct err *err) MUST_CHECK;
/* Ends every store in good order (what was acknowledged is kept anyway); open calls fail. */
void keeper_close(struct keeper *keeper, void (*closed)(void *self), void *self);

/* Is a process there for this database, or on its way?  No, if its folder has been taken away
 * beneath it. */
bool keeper_holds(const struct keeper *keeper, const char *folder);

/* It was deleted, or another one stands in its place: no call goes to the process that there was. */
void keeper_let_go(struct keeper *keeper, const char *folder);

struct store_call_events {
    /* Once, unless it fails before. */
    void (*head)(void *self, const struct reply *reply, bool is_end);
    /* Bytes of the reply.  Give them back with store_call_credit once they are on their way. */
    void (*body)(void *self, struct span bytes, bool is_end);
    /* store_call_window has grown. */
    void (*writable)(void *self);
    /* One line for the worker's code, without "D1_ERROR: ". */
    void (*failed)(void *self, struct span text);
};

/* `folder`: of the database, absolute; made when it is not there, unless needs_folders
 * (ERR_NOT_FOUND).  `head` is copied; its binding is not looked at.  is_end: no body follows.
 * ERR_LIMIT: too many calls wait; ERR_SYSTEM: its process did not start a moment ago, and why;
 * ERR_GONE; ERR_NOMEM. */
int keeper_call(struct keeper *keeper, const char *folder, const struct outcall_head *head,
                bool is_end, const struct store_call_events *events, void *self,
                struct store_call **ret_call, struct err *err) MUST_CHECK;
/* Bytes of the body that may be sent now; 0 while it waits for its store. */
size_t store_call_window(const struct store_call *call);
/* At most store_call_window bytes; is_end without bytes at any time. */
void store_call_body(struct store_call *call, struct span bytes, bool is_end);
void store_call_credit(struct store_call *call, size_t bytes);
/* Nobody waits any more: no callback fires from here on.  What has begun is undone, unless
 * it is committed already. */
void store_call_abort(struct store_call *call);

#endif
