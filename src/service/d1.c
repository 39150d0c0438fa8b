/* d1.c - relay a call on a database and its answer, unread.
 *
 *   worker --outcall--> up ----> store call --> store
 *   worker <--outcall-- down <-- store call <-- store
 *
 * Bodies are bounded in both directions by credit: what came from one side is
 * given back as credit when the other side has taken it, so that `up` and
 * `down` hold no more than a window each.  They stay empty while both sides
 * keep up.
 *
 * Calls of one request on one database run in the order in which the worker
 * made them: the store is told by the argument `order`, which is made here, as
 * the worker's word for it would reach into other workers' order.
 *
 * Invariants
 *   1. outcall is NULL from its last word (reply or body with is_end, fail,
 *      gone) on, call from its own (is_end, failed, abort) on.
 *   2. A relay is freed when outcall is NULL; call is aborted then if it is not. */
#include "service/d1.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/database.h"

enum { BOUND_SEEN_MS = 500 }; /* between two looks whether a bound database is still there */

struct relay {
    struct outcall *outcall;
    struct store_call *call;
    const struct outlets *outlets; /* who counts; with the pool that asks */
    const struct outlet *outlet;
    int64_t began_us;
    bool is_good;    /* the store has answered with success, and to the end */
    struct buf up;   /* from the worker, for the store */
    struct buf down; /* from the store, for the worker */
    uint32_t status; /* of the reply that is due */
    int64_t length;
    bool has_up_end;   /* the worker has sent its last byte */
    bool has_down_end; /* so has the store */
    bool is_reply_due; /* waits for: the instance to take it */
};

static void relay_free(struct relay *relay)
{
    if (relay->outlets->counted)
        relay->outlets->counted(relay->outlets->self, relay->outlet,
                                clock_now_us() - relay->began_us, relay->is_good);
    if (relay->call)
        store_call_abort(relay->call);
    buf_done(&relay->up);
    buf_done(&relay->down);
    mem_free(relay);
}

static void fail(struct relay *relay, struct span text)
{
    outcall_fail(relay->outcall, text);
    relay->outcall = NULL;
    relay_free(relay);
}

/* ---- down: from the store to the worker ---- */

/* false: the relay is gone. */
static bool say_reply(struct relay *relay)
{
    const struct reply reply = {.status = relay->status, .body_length = relay->length};
    bool is_end = relay->has_down_end && relay->length == 0;
    struct err err = {0};

    if (outcall_reply(relay->outcall, &reply, is_end, &err) < 0) {
        fail(relay, span_of(err.text));
        return false;
    }
    relay->is_reply_due = false;
    if (!is_end)
        return true;
    relay->outcall = NULL;
    relay_free(relay);
    return false;
}

static void on_head(void *self, const struct reply *reply, bool is_end)
{
    struct relay *relay = self;

    if (is_end)
        relay->call = NULL;
    relay->has_down_end = is_end;
    relay->status = reply->status;
    relay->is_good = reply->status < 400;
    relay->length = is_end ? 0 : reply->body_length;
    relay->is_reply_due = true;
    /* Many answers at once are more than an instance that computes is given. */
    if (outcall_is_ready(relay->outcall))
        (void)say_reply(relay);
}

/* Pass on as much as the worker takes; what passed is given back to the store.  false: gone. */
static bool pour_down(struct relay *relay, struct span bytes, size_t *ret_passed)
{
    size_t window = relay->is_reply_due ? 0 : outcall_window(relay->outcall);
    bool is_end = relay->has_down_end && bytes.len <= window && !relay->is_reply_due;
    size_t n = bytes.len < window ? bytes.len : window;

    *ret_passed = n;
    if (n == 0 && !is_end)
        return true;
    outcall_body(relay->outcall, (struct span){bytes.data, n}, is_end);
    if (relay->call)
        store_call_credit(relay->call, n);
    if (!is_end)
        return true;
    relay->outcall = NULL;
    relay_free(relay);
    return false;
}

static void on_body(void *self, struct span bytes, bool is_end)
{
    struct relay *relay = self;
    size_t passed = 0;

    if (is_end)
        relay->call = NULL;
    relay->has_down_end = is_end;
    if (buf_len(&relay->down) == 0 && !pour_down(relay, bytes, &passed))
        return;
    if (passed == bytes.len)
        return;
    if (buf_append(&relay->down, bytes.data + passed, bytes.len - passed) < 0)
        fail(relay, SPAN("The node is out of memory."));
}

static void on_failed(void *self, struct span text)
{
    struct relay *relay = self;

    relay->is_good = false;
    relay->call = NULL;
    fail(relay, text);
}

/* ---- up: from the worker to the store ---- */

/* Pass on as much as the store takes, and give it back to the worker.  Returns how much. */
static size_t pour_up(struct relay *relay, struct span bytes)
{
    size_t window = store_call_window(relay->call), n = bytes.len < window ? bytes.len : window;
    bool is_end = relay->has_up_end && n == bytes.len;

    if (n == 0 && !is_end)
        return 0;
    store_call_body(relay->call, (struct span){bytes.data, n}, is_end);
    if (n > 0)
        outcall_credit(relay->outcall, n);
    return n;
}

static void on_room(void *self)
{
    struct relay *relay = self;

    if (buf_len(&relay->up) > 0)
        buf_eat(&relay->up, pour_up(relay, buf_span(&relay->up)));
}

static void on_worker_body(void *self, struct span bytes, bool is_end)
{
    struct relay *relay = self;
    size_t passed = 0;

    /* The store wants no more of it, and its answer is on the way. */
    if (!relay->call) {
        outcall_credit(relay->outcall, bytes.len);
        return;
    }
    relay->has_up_end = is_end;
    if (buf_len(&relay->up) == 0)
        passed = pour_up(relay, bytes);
    if (passed < bytes.len && buf_append(&relay->up, bytes.data + passed, bytes.len - passed) < 0)
        fail(relay, SPAN("The node is out of memory."));
}

static void on_writable(void *self)
{
    struct relay *relay = self;
    size_t passed;

    if (relay->is_reply_due && (!outcall_is_ready(relay->outcall) || !say_reply(relay)))
        return;
    if (buf_len(&relay->down) == 0)
        return;
    if (pour_down(relay, buf_span(&relay->down), &passed))
        buf_eat(&relay->down, passed);
}

static void on_gone(void *self)
{
    struct relay *relay = self;

    relay->outcall = NULL;
    relay_free(relay);
}

/* ---- the beginning ---- */

/* The folder of a database that nobody has used yet. */
static int make_database(const struct outlet *outlet, struct err *err)
{
    struct database d = {0};
    bool is_there;
    int r;

    r = database_find(outlet->data_folder, outlet->database, &d, err);
    /* By its uuid another one is found. */
    is_there = r == 0 && strcmp(d.folder, outlet->folder) == 0;
    database_done(&d);
    if (is_there || (r < 0 && r != ERR_NOT_FOUND))
        return r;
    d = (struct database){0};
    r = database_create(outlet->data_folder, outlet->database,
                        outlet->uuid[0] ? outlet->uuid : NULL, &d, err);
    database_done(&d);
    return r == ERR_LIMIT ? 0 : r; /* somebody else was faster */
}

/* Is the database still the one that was bound? */
static int look_at_bound(const struct outlet *outlet, struct err *err)
{
    int64_t now_ms = clock_now_ms();
    struct database d = {0};
    bool is_it;
    int r;

    if (*outlet->seen_ms > 0 && now_ms - *outlet->seen_ms < BOUND_SEEN_MS)
        return 0;
    r = database_find(outlet->data_folder, outlet->database, &d, err);
    is_it = r == 0 && strcmp(d.uuid, outlet->uuid) == 0;
    database_done(&d);
    if (is_it)
        *outlet->seen_ms = now_ms;
    if (is_it || (r < 0 && r != ERR_NOT_FOUND))
        return r;
    *outlet->seen_ms = 0;
    return err_set(err, ERR_NOT_FOUND, "The database '%s' (env.%s) has been deleted.",
                   outlet->database, outlet->binding);
}

/* What the worker says of it, but for the order. */
static int copy_arguments(struct buf *out, uint32_t *ret_count, const struct outcall_head *head,
                          uint32_t instance)
{
    struct span name, value;
    char order[64];
    size_t at = 0;
    int n = snprintf(order, sizeof order, "%u-%u", instance, head->request);
    int r = pairs_add(out, SPAN("order"), (struct span){order, (size_t)n});

    *ret_count = 1;
    while (r == 0 && pairs_next(&head->arguments, &at, &name, &value)) {
        if (span_is(name, "order"))
            continue;
        r = pairs_add(out, name, value);
        ++*ret_count;
    }
    return r;
}

static int start(struct relay *relay, struct keeper *keeper, const struct outlet *outlet,
                 const struct outcall_head *head, bool is_end, struct err *err)
{
    static const struct store_call_events EVENTS = {on_head, on_body, on_room, on_failed};
    struct outcall_head passed = {.method = head->method, .body_length = head->body_length};
    struct buf arguments = {0};
    int r = 0;

    bool is_held = keeper_holds(keeper, outlet->folder);

    if (outlet->seen_ms && !is_held)
        *outlet->seen_ms = 0;
    if (outlet->seen_ms)
        r = look_at_bound(outlet, err);
    else if (!is_held)
        r = make_database(outlet, err);
    if (r == 0 && copy_arguments(&arguments, &passed.arguments.count, head,
                                 outcall_instance(relay->outcall)) < 0)
        r = err_nomem(err);
    passed.arguments.bytes = buf_span(&arguments);
    if (r == 0)
        r = keeper_call(keeper, outlet->folder, &passed, is_end, &EVENTS, relay, &relay->call, err);
    buf_done(&arguments);
    return r;
}

void d1_call(struct keeper *keeper, const struct outlets *outlets, const struct outlet *outlet,
             struct outcall *outcall, const struct outcall_head *head, bool is_end)
{
    static const struct outcall_events EVENTS = {on_worker_body, on_writable, on_gone};
    static const char *const METHODS[] = {"query", "exec", "dump"};
    struct relay *relay = NULL;
    struct err err = {0};
    bool is_known = false;

    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        is_known = is_known || span_is(head->method, METHODS[i]);
    if (!is_known)
        err_set(&err, ERR_INVALID, "The D1 database '%.64s' has no method '%.*s'.", outlet->binding,
                head->method.len < 64 ? (int)head->method.len : 64, head->method.data);
    else
        relay = mem_alloc(sizeof *relay);
    if (is_known && !relay)
        (void)err_nomem(&err);
    if (relay) {
        relay->outcall = outcall;
        relay->outlets = outlets;
        relay->outlet = outlet;
        relay->began_us = clock_now_us();
        relay->has_up_end = is_end;
    }
    if (!relay || start(relay, keeper, outlet, head, is_end, &err) < 0) {
        outcall_fail(outcall, span_of(err.text));
        if (relay)
            relay_free(relay);
        return;
    }
    outcall_accept(outcall, &EVENTS, relay);
}
