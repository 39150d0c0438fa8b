/* store.c - one database: start its process, give it calls, let it go.
 *
 *               child_open           HELLO            idle, crowded, closing
 *     RESTING ------------> STARTING ------> UP ----------------------> LEAVING
 *      |   ^                    |             |                            |
 *      |   |                    | died, lied, deadline, FAILED             | ended
 *      |   |    both halves     v             v                            v
 *      |   +---- are closed -- ENDING <-------+----------------------------+
 *      v
 *     GONE   nothing waits, and no failure need be remembered
 *
 * Whatever happens calls store_wake; tick runs once at the end of the turn and
 * decides.  The one exception is the hot path: store_take hands a call to the
 * process at once when nobody waits before it.
 *
 * A process may hold its socket and turn no more: while it has calls it is
 * pinged if nothing came from it since the last look.
 *
 * Invariants
 *   1. `calls` holds exactly the calls in SENT and ANSWERED, in the order they
 *      were sent, and `streams` the same; both are empty but in UP.
 *   2. No call passes one that waits, save that those which come back from a
 *      dead process stand before them.
 *   3. A place of the keeper is held from `start` until both halves are closed.
 *   4. A timer is set for the nearest deadline whenever there is one. */
#include "keeper/store.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "keeper/inside.h"
#include "keeper/process.h"

static const bool MOVES[STORE_STATES][STORE_STATES] = {
    [STORE_RESTING] = {[STORE_STARTING] = true, [STORE_GONE] = true},
    [STORE_STARTING] = {[STORE_UP] = true, [STORE_ENDING] = true},
    [STORE_UP] = {[STORE_LEAVING] = true, [STORE_ENDING] = true},
    [STORE_LEAVING] = {[STORE_ENDING] = true},
    [STORE_ENDING] = {[STORE_RESTING] = true},
};

bool store_may_move(enum store_state from, enum store_state to)
{
    return MOVES[from][to];
}

void store_move(struct store *store, enum store_state to, int64_t deadline_ms)
{
    assert(store_may_move(store->state, to));
    store->state = to;
    store->deadline_ms = deadline_ms;
}

void store_wake(struct store *store)
{
    turn_add(&store->keeper->turn, TURN_WORK, &store->wake);
}

#define QUEUED_TOO_LONG SPAN("D1 DB is overloaded. Requests queued for too long.")

static struct store_call *call_at(struct ring *at)
{
    return RING_OF(at, struct store_call, ring);
}

/* ---- calls ---- */

void store_fail_all(struct ring *calls, struct span text)
{
    struct ring all;

    /* What a caller asks anew from inside waits for the next tick. */
    ring_init(&all);
    ring_move(&all, calls);
    while (!ring_is_empty(&all))
        store_call_fail(call_at(all.next), text);
}

/* The process that is there takes no other call. */
static bool is_used_up(const struct store *store)
{
    return store->stream_last == STORE_STREAM_LAST || store->is_moved;
}

static bool has_room(const struct store *store)
{
    return store->state == STORE_UP && kin_is_up(&store->kin) && !is_used_up(store) &&
           !peer_is_full(&store->kin.peer);
}

static void on_timer(uv_timer_t *timer)
{
    struct store *store = timer->data;

    store->timer_ms = 0;
    store_wake(store);
}

static void set_timer(struct store *store, int64_t due_ms, int64_t now_ms)
{
    if (store->timer_ms != 0 && store->timer_ms <= due_ms)
        return; /* it looks earlier, and sets the next one then */
    store->timer_ms = due_ms;
    uv_update_time(store->timer.loop);
    uv_timer_start(&store->timer, on_timer, due_ms > now_ms ? (uint64_t)(due_ms - now_ms) : 1, 0);
}

/* Between two looks at a process that has calls. */
static int64_t pace_ms(const struct store *store)
{
    const struct keeper_config *config = &store->keeper->config;
    int ms = config->busy_ms / 4 < config->idle_ms ? config->busy_ms / 4 : config->idle_ms;

    return ms > 0 ? ms : 1;
}

/* Into the process; it is in store->calls then.  ERR_NOMEM. */
static int send_call(struct store *store, struct store_call *call)
{
    int64_t now_ms = clock_now_ms();
    uint32_t stream = store->stream_last + 1;

    if (streams_add(&store->streams, stream, call) < 0)
        return ERR_NOMEM;
    if (store_call_send(call, stream, now_ms) < 0) {
        streams_remove(&store->streams, stream);
        /* Half of it may be written. */
        peer_fail(&store->kin.peer, "no memory for what it is sent");
        return ERR_NOMEM;
    }
    store->stream_last = stream;
    if (ring_is_empty(&store->calls)) {
        store->look_ms = now_ms + pace_ms(store);
        set_timer(store, store->look_ms, now_ms);
    }
    ring_push(&store->calls, &call->ring);
    return 0;
}

static void serve_queue(struct store *store)
{
    while (!ring_is_empty(&store->queue) && has_room(store)) {
        struct store_call *call = call_at(store->queue.next);
        if (send_call(store, call) < 0)
            store_call_fail(call, SPAN("The node is out of memory."));
        else
            store_call_wake(call);
    }
}

int store_refuse(const struct store *store, struct err *err)
{
    return err_set(err, ERR_SYSTEM,
                   "Internal error while starting up D1 DB storage caused object to be reset. %s",
                   store->why);
}

int store_check(const struct store *store, struct err *err)
{
    if (store->is_broken && clock_now_ms() < store->deadline_ms)
        return store_refuse(store, err);
    if (store->count >= store->keeper->config.calls_max)
        return err_set(err, ERR_LIMIT, "D1 DB is overloaded. Too many requests queued.");
    return 0;
}

int store_take(struct store *store, struct store_call *call, struct err *err)
{
    store->count++;
    if (ring_is_empty(&store->queue) && has_room(store)) {
        if (send_call(store, call) == 0)
            return 0;
        store->count--;
        return err_nomem(err);
    }
    ring_push(&store->queue, &call->ring);
    store_wake(store);
    return 0;
}

void store_forget(struct store *store, struct store_call *call)
{
    ring_drop(&call->ring);
    if (call->state != STORE_CALL_WAITS)
        streams_remove(&store->streams, call->stream);
    store->count--;
    if (!ring_is_empty(&store->calls))
        return;
    store->idle_ms = clock_now_ms();
    if (store->count > 0 || store->state != STORE_UP || is_used_up(store) ||
        keeper_is_crowded(store->keeper))
        store_wake(store);
}

static void expire_queue(struct store *store, int64_t now_ms)
{
    while (!ring_is_empty(&store->queue) &&
           now_ms - call_at(store->queue.next)->moved_ms >= store->keeper->config.queue_ms)
        store_call_fail(call_at(store->queue.next), QUEUED_TOO_LONG);
}

/* ---- what to do next ---- */

static void leave(struct store *store, int64_t now_ms)
{
    bool is_closing = store->keeper->is_closing;

    store_move(store, STORE_LEAVING, now_ms + (is_closing ? STORE_CLOSE_MS : STORE_LEAVE_MS));
    store->is_leaving = true;
    store->keeper->leaving++;
    kin_hang_up(&store->kin);
}

static void kill_stuck(struct store *store, const char *why)
{
    store->is_stuck = store->is_ended = true;
    keeper_say(store->keeper, store, LOG_ERROR, "its process is ended: %s", why);
    kin_kill(&store->kin, why);
}

/* Does the process still turn, and does every call of it? */
static void look(struct store *store, int64_t now_ms)
{
    const struct keeper_config *config = &store->keeper->config;
    /* The store itself gives each call so long, and says so; this is for one that does not. */
    int silence_ms = config->query_ms + config->queue_ms + config->busy_ms;
    struct ring all;

    /* Stopped, or too busy to look: its answer may be there, unread. */
    if (store->ping_ms != 0 && now_ms - store->look_ms >= config->busy_ms / 2)
        store->ping_ms = now_ms;
    if (store->ping_ms != 0 && now_ms - store->ping_ms >= config->busy_ms) {
        kill_stuck(store, "it does not answer");
        return;
    }
    if (store->ping_ms == 0 && !store->is_heard &&
        frame_put(peer_out(&store->kin.peer), FRAME_PING, 0, 0, NULL, 0) == 0)
        store->ping_ms = now_ms;
    store->is_heard = false;
    ring_init(&all);
    ring_move(&all, &store->calls);
    while (!ring_is_empty(&all)) {
        struct store_call *call = call_at(all.next);
        ring_push(&store->calls, &call->ring);
        if (!store_call_is_stuck(call, now_ms, silence_ms))
            continue;
        kin_reset(&store->kin, call->stream, RESET_CLIENT_GONE, SPAN(""));
        store_call_fail(call, QUEUED_TOO_LONG);
    }
}

void store_look_at_folder(struct store *store, bool is_expected)
{
    int64_t now_ms = clock_now_ms();
    struct stat st;

    if (store->state != STORE_UP || store->is_moved || now_ms - store->seen_ms < STORE_SEEN_MS)
        return;
    store->seen_ms = now_ms;
    if (stat(store->folder, &st) == 0
            ? st.st_dev == store->folder_device && st.st_ino == store->folder_inode
            : errno != ENOENT && errno != ENOTDIR)
        return;
    if (!is_expected)
        keeper_say(store->keeper, store, LOG_WARN,
                   "its folder was deleted or replaced: it is opened anew");
    store->is_moved = true;
    store_wake(store);
}

bool store_is_idle(const struct store *store)
{
    return store->state == STORE_UP && store->count == 0 && kin_is_up(&store->kin);
}

/* UP: returns when to look again. */
static int64_t tick_up(struct store *store, int64_t now_ms)
{
    const struct keeper *keeper = store->keeper;
    int64_t idle_due_ms = store->idle_ms + keeper->config.idle_ms;

    if (!kin_is_up(&store->kin))
        return now_ms + pace_ms(store); /* waits for: on_ended */
    serve_queue(store);
    if (!kin_is_up(&store->kin))
        return now_ms + pace_ms(store);
    if (ring_is_empty(&store->calls)) {
        if (keeper->is_closing || is_used_up(store) ||
            (store->count == 0 &&
             (now_ms >= idle_due_ms || keeper_wants_place_of(keeper, store)))) {
            leave(store, now_ms);
            return store->deadline_ms;
        }
        return idle_due_ms;
    }
    keeper_wake_idlest(keeper); /* it may have been one of those, and has calls again */
    if (now_ms >= store->look_ms) {
        look(store, now_ms);
        store->look_ms = now_ms + pace_ms(store);
    }
    return store->look_ms;
}

/* RESTING: begin, wait, or be gone. */
static int64_t tick_resting(struct store *store, int64_t now_ms)
{
    bool has_failed = store->backoff.failures > 0;

    if (ring_is_empty(&store->queue)) {
        int64_t forget_ms = store->deadline_ms + BACKOFF_STEADY_MS;
        keeper_leave_line(store->keeper, store);
        if (!store->keeper->is_closing && has_failed && now_ms < forget_ms)
            return forget_ms;
        store_move(store, STORE_GONE, 0);
        return INT64_MAX;
    }
    if (now_ms < store->deadline_ms)
        return store->deadline_ms;
    if (!keeper_take_place(store->keeper, store))
        return now_ms + store->keeper->config.queue_ms; /* waits for: keeper_give_place */
    process_start(store, now_ms);
    return store->deadline_ms;
}

static void close_calls(struct store *store)
{
    struct ring all;

    ring_init(&all);
    ring_move(&all, &store->queue);
    RING_EACH(at, &store->calls)
    kin_reset(&store->kin, call_at(at)->stream, RESET_CLIENT_GONE, SPAN(""));
    ring_move(&all, &store->calls);
    store_fail_all(&all, span_of(process_obituary(KIN_LEFT, false)));
}

static int64_t tick_state(struct store *store, int64_t now_ms)
{
    switch (store->state) {
    case STORE_RESTING:
        return tick_resting(store, now_ms);
    case STORE_STARTING:
        if (store->keeper->is_closing)
            kin_kill(&store->kin, "the node closes");
        else if (now_ms >= store->deadline_ms)
            kin_kill(&store->kin, "it said nothing for 30 s");
        return store->deadline_ms;
    case STORE_UP:
        return tick_up(store, now_ms);
    case STORE_LEAVING:
        if (store->keeper->is_closing && store->deadline_ms > now_ms + STORE_CLOSE_MS)
            store->deadline_ms = now_ms + STORE_CLOSE_MS;
        if (now_ms >= store->deadline_ms)
            kin_kill(&store->kin, "it did not end");
        return store->deadline_ms;
    case STORE_ENDING:
    case STORE_GONE:
    case STORE_STATES:
        break;
    }
    return INT64_MAX;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct store *store = handle->data;
    struct keeper *keeper = store->keeper;

    turn_drop(&store->wake);
    streams_done(&store->streams);
    keeper_forget(keeper, store);
    mem_free(store->folder);
    mem_free(store);
}

void store_tick(struct store *store)
{
    int64_t now_ms = clock_now_ms(), due_ms;

    if (store->state == STORE_GONE)
        return;
    if (store->keeper->is_closing)
        close_calls(store);
    expire_queue(store, now_ms);
    due_ms = tick_state(store, now_ms);
    if (store->state == STORE_GONE) {
        uv_close((uv_handle_t *)&store->timer, on_timer_closed);
        return;
    }
    if (!ring_is_empty(&store->queue)) {
        int64_t expiry_ms = call_at(store->queue.next)->moved_ms + store->keeper->config.queue_ms;
        due_ms = due_ms < expiry_ms ? due_ms : expiry_ms;
    }
    if (due_ms != INT64_MAX)
        set_timer(store, due_ms > now_ms ? due_ms : now_ms + pace_ms(store), now_ms);
}

static void run_wake(struct turn_item *item)
{
    store_tick(RING_OF(item, struct store, wake));
}

struct store *store_new(struct keeper *keeper, const char *folder)
{
    struct store *store = mem_alloc(sizeof *store);
    const char *slash;

    if (!store)
        return NULL;
    store->folder = mem_strdup(folder);
    if (!store->folder) {
        mem_free(store);
        return NULL;
    }
    slash = strrchr(store->folder, '/');
    store->name = slash ? slash + 1 : store->folder;
    store->keeper = keeper;
    ring_init(&store->ring);
    ring_init(&store->hungry);
    ring_init(&store->calls);
    ring_init(&store->queue);
    turn_item_init(&store->wake, run_wake);
    uv_timer_init(keeper->turn.prepare.loop, &store->timer);
    store->timer.data = store;
    return store;
}
