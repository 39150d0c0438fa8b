/* call.h - one call of the node on its way through this process.
 *
 * RECEIVING -> QUEUED -> RUNNING -> LEAVING -> gone; ORDERED in between while
 * one with the same `order` is ahead of it.  RESET ends any of them.
 *
 * What a call answers is staged in `stage`, and leaves as credit allows; while
 * it runs the stage belongs to the thread that runs it, later to whoever has
 * the lock.
 *
 * Everything here is called with the store's lock held, unless it says otherwise. */
#ifndef CORRAL_STORE_CALL_H
#define CORRAL_STORE_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "store/engine.h"
#include "store/outbox.h"
#include "wire/message.h"

enum call_method { CALL_QUERY, CALL_EXEC, CALL_SCRIPT, CALL_DUMP, CALL_INFO };

enum call_state {
    CALL_RECEIVING, /* its body is not whole */
    CALL_ORDERED,   /* waits for the one ahead of it */
    CALL_QUEUED,    /* in `todo` or `writes` */
    CALL_RUNNING,   /* a thread has it */
    CALL_LEAVING,   /* answered; the rest of the stage waits for credit */
};

struct call {
    struct call *next;          /* in a queue or group */
    struct call *next_stream;   /* in its bucket */
    struct call *next_order;    /* in its bucket */
    struct call *ahead, *behind;/* neighbours of the same order */
    uint32_t stream;
    uint32_t order_hash;
    struct span order;          /* owned; "": none */
    enum call_method method;
    enum call_state state;
    bool is_write;              /* in the writer's queue or group, or was there */
    bool has_whole_body;
    bool has_head;              /* REPLY has left */
    bool has_left;              /* records have left */
    bool is_failed;             /* its ERROR is staged; what it did is undone */
    bool is_stalled;            /* ... for it got no credit: a RESET says so */
    bool is_over;               /* the last record is staged */
    atomic_bool is_cancelled;   /* read without the lock by the thread that runs it */
    int64_t came_us;
    uint64_t window;            /* bytes that may leave */
    uint32_t owed;              /* bytes of body received and not yet credited */
    struct buf body;
    struct buf stage;
    struct buf tables;          /* of a dump: struct span, each owned */
    bool has_no_data, has_no_schema;
    bool has_rows;              /* of an exec or script: ROWS are wanted */
};

enum {
    CALLS_MAX = 1024,                       /* open at once */
    CALLS_BODIES_MAX = 256 * 1024 * 1024,   /* bytes of all their bodies */
    CALLS_BUCKETS = 256,
    CALLS_TABLES_MAX = 10 * 1000,           /* named in one dump */
};

struct calls {
    struct call *streams[CALLS_BUCKETS];
    struct call *orders[CALLS_BUCKETS];
    unsigned count;
    size_t body_bytes;
};

struct queue {
    struct call *first, *last;
};

void queue_push(struct queue *q, struct call *call);
void queue_push_front(struct queue *q, struct call *call);
struct call *queue_pop(struct queue *q);
void queue_remove(struct queue *q, struct call *call);

/* In the table from here on, behind those of the same order.  The head has been checked. */
int call_new(struct calls *calls, uint32_t stream, const struct outcall_head *head,
             struct call **ret, struct err *err) MUST_CHECK;
struct call *call_find(const struct calls *calls, uint32_t stream);
/* What a dump is to have. */
struct dump_options call_dump(const struct call *call);
/* Let those behind it run: gives the one that may now, or NULL. */
struct call *call_unorder(struct calls *calls, struct call *call);
/* Out of the table; unordered already. */
void call_free(struct calls *calls, struct call *call);

/* Put what the window allows into the outbox; true when the end has left with it. */
bool call_pump(struct call *call, struct outbox *out);

#endif
