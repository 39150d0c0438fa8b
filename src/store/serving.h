/* serving.h - what the serving files share: the store and its threads.
 *
 *   start.c   arguments, files, threads, the box
 *   thread.c  who leads, who follows, what a free thread takes up
 *   lead.c    the leader's turn: frames in, calls dispatched
 *   run.c     the statements of one call on one connection
 *   script.c  exec and script: text that is split into statements
 *   group.c   the writer: many calls, one commit
 *   answer.c  how a call ends
 *
 * One thread leads: it reads the socket and runs short reads, and groups of
 * short writes, on the spot.  When something turns out slow it passes the lead
 * to an idle thread and goes on; when it cannot even do that, within a function
 * of SQL or while it compiles, an idle thread takes the lead from it.  It starts nothing while no other thread is
 * idle, so the socket is always read: calls then wait in `todo` and `writes`
 * for the first thread that gets free. */
#ifndef CORRAL_STORE_SERVING_H
#define CORRAL_STORE_SERVING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/call.h"
#include "store/engine.h"
#include "store/outbox.h"
#include "store/store.h"

enum {
    STORE_THREADS = 8,
    STORE_STAGE = 64 * 1024,        /* bytes of records that a read keeps before it sends some */
    STORE_STAGE_WRITE = 256 * 1024, /* as above, of a write: they should wait for the commit */
    STORE_SLOW_US = 1000,           /* that a leader may compute before it passes the lead */
    STORE_STUCK_MS = 20,            /* ... before it loses it */
    STORE_WATCHED_LOOKS = 50,       /* at a leader that does nothing, before nobody looks any more */
    STORE_GROUP_MAX = 256,          /* calls in one commit */
    STORE_GROUP_US = 10 * 1000,     /* after which no other call is taken into a group,
                                       and of one that shares its transaction with those before it */
    STORE_CHECKPOINT_FRAMES = 1000, /* of the WAL */
    STORE_WAL_FRAMES = 4000,        /* length of the WAL at which the writer rests until the WAL is moved */
    STORE_WAL_CROWDED = 16 * 1000,  /* frames: from here on reads take their turn with the writes */
    STORE_WAL_DUMPED = 64 * 1000,   /* ... and no dump begins */
    STORE_TICK_MS = 1000,
    STORE_TRIM_MS = 10 * 1000,      /* between two times that memory is given back, while calls come */
    STORE_OVERDUE_MS = 2000,        /* at least, that a call may go on when its time is over */
    STORE_END_MS = 3000,            /* that running calls get to end when the node has gone */
};

#define LEAD_LOST (-1)

struct store;

struct thread {
    struct store *store;
    pthread_t id;
    pthread_cond_t wake;
    struct thread *next_idle;
    struct connection *reader;  /* its own; NULL until it is wanted */
    struct engine_watch watch;
    bool is_idle;               /* under the store's lock */
    bool is_leader;             /* its own; another thread sets it only while it is idle */
    _Atomic int64_t leads_us;   /* when a leader began to run SQL; 0: it does not; LEAD_LOST */
    /* what it runs now: its own */
    struct call *call;
    int64_t began_us;           /* the work, which may be many calls */
    int64_t watched_us;         /* when the call began */
    int64_t deadline_us;
    _Atomic int64_t overdue_us;         /* when its call has to have ended; 0: it has none */
    _Atomic uint32_t watched_stream;    /* of that call */
    bool is_late;               /* the watch has seen the deadline pass */
    bool is_stalled;            /* ... while the node gave no credit */
    bool is_first;              /* in its transaction: may send records, and wait for credit */
    bool is_blocked;            /* was not the first, and should have */
    bool has_no_rows;           /* ROWS records are dropped */
    char sql[200];              /* the beginning of the statement that failed */
};

struct store {
    struct store_options options;
    struct thread threads[STORE_THREADS];
    struct outbox out;
    atomic_bool is_ending;
    /* the leader's */
    struct buf in;
    size_t in_used;             /* bytes of `in` that the last frame occupies */
    uint32_t last_stream;
    int64_t flushed_us;
    int64_t ticked_us;
    int64_t trimmed_us;
    bool is_rested;             /* it has ticked since it last read something */
    /* the writer's: who has set is_writing */
    struct connection *writer;
    uint32_t tried_frames;      /* of the WAL, when the writer last checkpointed */
    /* under the lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;     /* credit, body, cancel, end; waited for by threads with a call */
    struct calls calls;
    struct queue todo;          /* reads, and what is not known to be a write */
    struct queue writes;
    struct thread *idle;        /* the last one that got idle first: its caches are warm */
    struct thread *deputy;      /* the last of them: it looks whether the leader is stuck */
    struct thread *leader;
    unsigned idle_count;
    bool is_active;             /* the leader has run something since the deputy looked */
    bool is_watched;            /* the deputy looks every STORE_STUCK_MS */
    bool is_started;
    bool is_writing;
    bool is_checkpointing;
    bool is_checkpoint_due;
    struct engine_position checkpointed;    /* where the last checkpoint began */
};

/* ---- thread.c ---- */
void *thread_main(void *self);
/* Does it lead still?  While it runs SQL that may change at any time. */
bool thread_leads(struct thread *t);
/* Let an idle thread lead, if there is one and we do. */
void thread_pass_lead(struct thread *t);
/* As above, once the leader has computed for STORE_SLOW_US. */
void thread_pass_lead_if_slow(struct thread *t);
/* Work begins that may take long, and ends: is_leader may be false then. */
void thread_begin(struct thread *t);
void thread_end(struct thread *t);
/* With the lock held: the leader is about to run something. */
void store_watch_leader(struct store *s);
/* A call begins, or goes on: the watch looks at it, for so long. */
void thread_watch(struct thread *t, struct call *call);
/* Its time begins anew. */
void thread_watch_on(struct thread *t);
/* The time of no call is counted any more. */
void thread_unwatch(struct thread *t);
/* With the lock held: is there a call that nothing can stop?  NULL: no. */
struct call *store_find_overdue(struct store *s, int64_t now_us);
/* The thread's own connection, opened when it is first wanted. */
int thread_reader(struct thread *t, struct connection **ret, struct err *err) MUST_CHECK;
/* Are more than so many frames of the WAL to be moved into the database, and came since the last try? */
bool store_wants_checkpoint(const struct store *s, uint32_t frames);
/* With is_checkpointing set by the caller; then it is no more. */
void store_checkpoint(struct store *s, struct connection *c);
/* Give the work to an idle thread, if two are, when the WAL has grown by so many frames. */
void store_offer_checkpoint(struct store *s, uint32_t frames);
/* With the lock held: a call has been put into `todo` by a thread that may have other work before
 * it looks there.  An idle one takes it, if two are, unless the leader is about to look. */
void store_offer_call(struct store *s);
/* Nothing can be right any more: say why, end. */
_Noreturn void store_die(struct store *s, const struct err *err);

/* ---- lead.c ---- */
/* Until somebody else leads. */
void lead_run(struct thread *t);

/* ---- run.c ---- */
/* A call out of `todo`: runs it, or finds that it writes and queues it. */
void run_call(struct thread *t, struct call *call);
/* All statements of a call on the writer, inside of a transaction and its mark. */
int run_write(struct thread *t, struct connection *c, struct call *call, struct row_error *fault,
              struct err *err) MUST_CHECK;
/* Stages records, sends them when there are many; may wait. */
int run_put(void *thread, struct span bytes, struct err *err) MUST_CHECK;
/* What is staged leaves now, as far as there is credit. */
void run_send(struct thread *t);

/* ---- script.c ---- */
int script_run(struct thread *t, struct connection *c, struct call *call, struct row_error *fault,
               struct err *err) MUST_CHECK;

/* ---- group.c ---- */
/* With is_writing set by the caller: everything in `writes`, then is_writing no more. */
void group_run(struct thread *t);

/* ---- answer.c ---- */
/* The call is over, with END unless it failed. */
void answer_done(struct thread *t, struct call *call);
/* It failed: stage the error. */
void answer_fail(struct thread *t, struct call *call, const struct row_error *fault,
                 const struct err *err);
/* Both. */
void answer_error(struct thread *t, struct call *call, const struct row_error *fault,
                  const struct err *err);
/* Nobody waits for it. */
void answer_nothing(struct thread *t, struct call *call);
/* Records are no use any more, or there were to be none: the stream ends with a text. */
void answer_reset(struct thread *t, struct call *call, struct span text);
/* A reply of names and values, without a body. */
void answer_results(struct thread *t, struct call *call, const struct pairs *results);
/* With the lock held: for one that is in no thread's hands. */
void answer_late_locked(struct store *s, struct call *call, struct span text);
void answer_dropped_locked(struct store *s, struct call *call);
/* As above, for one that a thread has, when this process ends. */
void answer_overdue_locked(struct store *s, struct call *call);
/* What D1 says of it. */
struct span answer_text(const struct thread *t, const struct err *err);

#endif
