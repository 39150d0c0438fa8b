/* keeper.c - the list of databases, and who of them may have a process.
 *
 * A place is taken by each process.  When all are taken who wants one waits in
 * `hungry`, and for each of those the longest idle store is told to end; when
 * none is idle the next one that gets idle goes.  One that has just answered is
 * not the longest idle: its next call may be on its way.
 *
 * Closing: every store fails its calls and lets its process end in good order;
 * when the last is gone the turn; then closed(). */
#include "keeper/keeper.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "keeper/inside.h"

enum {
    IDLE_MS = 60 * 1000,
    QUERY_MS = 30 * 1000,
    BUSY_MS = 10 * 1000,
    QUEUE_MS = 30 * 1000,
    STORES_MAX = 64,
    CALLS_MAX = 1024,
};
#define SIZE_MAX_BYTES (10ull * 1000 * 1000 * 1000)

static struct store *store_at(struct ring *at)
{
    return RING_OF(at, struct store, ring);
}

/* ---- places ---- */

bool keeper_is_crowded(const struct keeper *keeper)
{
    return keeper->hungers > keeper->leaving;
}

bool keeper_wants_place_of(const struct keeper *keeper, const struct store *store)
{
    unsigned before = 0; /* stores that are idle for longer */

    if (!keeper_is_crowded(keeper))
        return false;
    for (struct ring *at = keeper->stores.prev; at != &store->ring; at = at->prev)
        before += store_is_idle(store_at(at));
    return before < keeper->hungers - keeper->leaving;
}

void keeper_wake_idlest(const struct keeper *keeper)
{
    unsigned woken = 0;

    if (!keeper_is_crowded(keeper))
        return;
    for (struct ring *at = keeper->stores.prev;
         at != &keeper->stores && woken < keeper->hungers - keeper->leaving; at = at->prev)
        if (store_is_idle(store_at(at))) {
            store_wake(store_at(at));
            woken++;
        }
}

void keeper_leave_line(struct keeper *keeper, struct store *store)
{
    if (ring_is_empty(&store->hungry))
        return;
    ring_drop(&store->hungry);
    keeper->hungers--;
}

static void call_next(struct keeper *keeper)
{
    if (keeper->places < keeper->config.stores_max && !ring_is_empty(&keeper->hungry))
        store_wake(RING_OF(keeper->hungry.next, struct store, hungry));
}

bool keeper_take_place(struct keeper *keeper, struct store *store)
{
    bool is_waiting = !ring_is_empty(&store->hungry);
    bool is_first = keeper->hungers == 0 || keeper->hungry.next == &store->hungry;

    if (keeper->places < keeper->config.stores_max && is_first) {
        keeper_leave_line(keeper, store);
        keeper->places++;
        call_next(keeper);
        return true;
    }
    if (is_waiting)
        return false;
    ring_push(&keeper->hungry, &store->hungry);
    keeper->hungers++;
    keeper_wake_idlest(keeper);
    return false;
}

void keeper_give_place(struct keeper *keeper)
{
    keeper->places--;
    call_next(keeper);
}

/* ---- for store.c ---- */

void keeper_say(const struct keeper *keeper, const struct store *store, enum log_level level,
                const char *format, ...)
{
    struct buf line = {0};
    char text[2048];
    va_list list;

    if (!keeper->config.log)
        return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (buf_print(&line, "database '%s': %s", store->name, text) == 0)
        keeper->config.log(keeper->config.log_self, level, buf_span(&line));
    buf_done(&line);
}

static void keeper_free(struct keeper *keeper)
{
    mem_free(keeper->program);
    mem_free(keeper);
}

static void on_turn_closed(void *self)
{
    struct keeper *keeper = self;

    if (keeper->closed)
        keeper->closed(keeper->self);
    keeper_free(keeper);
}

static void close_if_empty(struct keeper *keeper)
{
    if (keeper->is_closing && ring_is_empty(&keeper->stores))
        turn_close(&keeper->turn, on_turn_closed, keeper);
}

void keeper_forget(struct keeper *keeper, struct store *store)
{
    ring_drop(&store->ring);
    close_if_empty(keeper);
}

/* ---- public ---- */

static void set_defaults(struct keeper_config *config)
{
    if (config->size_max_bytes == 0)
        config->size_max_bytes = SIZE_MAX_BYTES;
    if (config->idle_ms == 0)
        config->idle_ms = IDLE_MS;
    if (config->query_ms == 0)
        config->query_ms = QUERY_MS;
    if (config->busy_ms == 0)
        config->busy_ms = BUSY_MS;
    if (config->queue_ms == 0)
        config->queue_ms = QUEUE_MS;
    if (config->stores_max == 0)
        config->stores_max = STORES_MAX;
    if (config->calls_max == 0)
        config->calls_max = CALLS_MAX;
}

int keeper_open(uv_loop_t *loop, const struct keeper_config *config, struct keeper **ret_keeper,
                struct err *err)
{
    struct keeper *keeper = mem_alloc(sizeof *keeper);
    int r;

    if (!keeper)
        return err_nomem(err);
    keeper->config = *config;
    set_defaults(&keeper->config);
    keeper->program = mem_strdup(config->store_program);
    if (!keeper->program) {
        keeper_free(keeper);
        return err_nomem(err);
    }
    keeper->config.store_program = keeper->program;
    ring_init(&keeper->stores);
    ring_init(&keeper->hungry);
    r = turn_open(&keeper->turn, loop, err);
    if (r < 0) {
        keeper_free(keeper);
        return r;
    }
    *ret_keeper = keeper;
    return 0;
}

void keeper_close(struct keeper *keeper, void (*closed)(void *self), void *self)
{
    keeper->closed = closed;
    keeper->self = self;
    keeper->is_closing = true;
    RING_EACH(at, &keeper->stores)
        store_wake(store_at(at));
    close_if_empty(keeper);
}

static struct store *find(const struct keeper *keeper, const char *folder)
{
    RING_EACH(at, &keeper->stores)
        if (strcmp(store_at(at)->folder, folder) == 0 && store_at(at)->state != STORE_GONE)
            return store_at(at);
    return NULL;
}

bool keeper_holds(const struct keeper *keeper, const char *folder)
{
    struct store *store = find(keeper, folder);

    if (store)
        store_look_at_folder(store, false);
    return store && store->state != STORE_RESTING && !store->is_moved;
}

void keeper_let_go(struct keeper *keeper, const char *folder)
{
    struct store *store = find(keeper, folder);

    if (!store)
        return;
    store->seen_ms = INT64_MIN / 2; /* whenever it was last looked at */
    store_look_at_folder(store, true);
}

/* To the front: the list is in the order of use. */
static void use(struct keeper *keeper, struct store *store)
{
    if (keeper->stores.next == &store->ring)
        return;
    ring_drop(&store->ring);
    ring_push(keeper->stores.next, &store->ring);
}

int keeper_call(struct keeper *keeper, const char *folder, const struct outcall_head *head,
                bool is_end, const struct store_call_events *events, void *self,
                struct store_call **ret_call, struct err *err)
{
    struct store_call *call;
    struct store *store;
    int r;

    if (keeper->is_closing)
        return err_set(err, ERR_GONE, "Network connection lost. The node is being closed.");
    if (keeper->config.needs_folders && !keeper_holds(keeper, folder) && access(folder, F_OK) < 0)
        return err_set(err, ERR_NOT_FOUND, "The database has been deleted.");
    store = find(keeper, folder);
    if (!store)
        store = store_new(keeper, folder);
    if (!store)
        return err_nomem(err);
    use(keeper, store);
    store_look_at_folder(store, false);
    r = store_check(store, err);
    if (r == 0)
        r = store_call_new(store, head, is_end, events, self, &call, err);
    if (r == 0)
        r = store_take(store, call, err);
    if (r < 0) {
        store_wake(store);
        return r;
    }
    *ret_call = call;
    return 0;
}
