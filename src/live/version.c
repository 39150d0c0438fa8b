/* version.c - versions come up when they are wanted and go when they are not.
 *
 *            live_use, live_change            ready
 *     COLD ------------------------> STARTING ------> UP
 *      ^                                |             |
 *      |        sweep, after RETRY_MS   | failed      |
 *      +------------- BAD <-------------+             |
 *      +----------------------------------------------+   retired: idle, replaced, one too many
 *
 * A version that is retired lets its room go, which drains; the next request opens another. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "live/room.h"
#include "live/trace.h"

enum {
    RETRY_MS = 5000,    /* a version that did not load is not tried again before */
    TICKETS_KEPT = 256, /* for reuse */
};

/* ---- tickets ---- */

static struct live_ticket *ticket_new(struct live_version *version)
{
    struct live *live = version->worker->account->live;
    struct live_ticket *ticket;

    if (ring_is_empty(&live->spare_tickets)) {
        ticket = mem_alloc(sizeof *ticket);
    } else {
        ticket = RING_OF(live->spare_tickets.next, struct live_ticket, ring);
        ring_drop(&ticket->ring);
        live->spare_count--;
        *ticket = (struct live_ticket){0};
    }
    if (!ticket)
        return NULL;
    ring_init(&ticket->ring);
    ticket->worker = version->worker;
    ticket->version = version;
    ticket->cpu_us = -1;
    memcpy(ticket->version_id, version->id, UUID_SIZE);
    live_worker_ref(version->worker);
    return ticket;
}

static void ticket_end(struct live_ticket *ticket)
{
    struct live_worker *worker = ticket->worker;
    struct live *live = worker->account->live;

    if (!ticket->is_over || ticket->calls > 0)
        return; /* waits for: live_finished, the end of what runs behind the answer */
    trace_done(ticket);
    if (live->spare_count < TICKETS_KEPT) {
        ring_push(&live->spare_tickets, &ticket->ring);
        live->spare_count++;
    } else {
        mem_free(ticket);
    }
    live_worker_unref(worker);
}

void live_ticket_over(struct live_ticket *ticket, int64_t cpu_us)
{
    ticket->calls--;
    if (cpu_us >= 0)
        ticket->cpu_us = cpu_us + (ticket->cpu_us > 0 ? ticket->cpu_us : 0);
    ticket_end(ticket);
}

void live_unuse(struct live_ticket *ticket)
{
    struct live_version *version = ticket->version;

    ticket->version = NULL;
    ticket->is_over = true;
    version->open--;
    version->used_ms = clock_now_ms();
    live_version_drop(version);
    ticket_end(ticket);
}

/* ---- versions ---- */

struct live_version *live_version_find(struct live_worker *worker, const char *version_id)
{
    RING_EACH(at, &worker->versions) {
        struct live_version *version = RING_OF(at, struct live_version, ring);
        if (strcasecmp(version->id, version_id) == 0)
            return version;
    }
    return NULL;
}

struct live_version *live_version_need(struct live_worker *worker, const char *version_id)
{
    struct live_version *version = live_version_find(worker, version_id);

    if (version)
        return version;
    version = mem_alloc(sizeof *version);
    if (!version)
        return NULL;
    version->worker = worker;
    memcpy(version->id, version_id, UUID_SIZE);
    ring_init(&version->ring);
    ring_init(&version->recent);
    ring_push(&worker->versions, &version->ring);
    live_worker_ref(worker);
    return version;
}

/* Requests of one account do not keep all others from having a pool: it works in three of four. */
static bool is_greedy(const struct live *live, const struct live_account *account)
{
    unsigned busy = 0, most = live->config.pools_max - live->config.pools_max / 4;

    if (live->open_rooms < most)
        return false;
    RING_EACH(at, &live->recent) {
        const struct live_version *version = RING_OF(at, struct live_version, recent);
        busy += version->worker->account == account &&
                (version->open > 0 || version->state == VERSION_STARTING);
    }
    return busy >= most;
}

/* The longest idle one makes room. */
static bool make_room(struct live *live, const struct live_account *account)
{
    if (is_greedy(live, account))
        return false;
    if (live->open_rooms < live->config.pools_max)
        return true;
    RING_EACH(at, &live->recent) {
        struct live_version *version = RING_OF(at, struct live_version, recent);
        if (version->open == 0 && version->state != VERSION_STARTING) {
            live_version_retire(version);
            live_version_drop(version);
            return true;
        }
    }
    return false;
}

int live_version_start(struct live_version *version, struct err *err)
{
    struct live_worker *worker = version->worker;
    struct live *live = worker->account->live;
    int r;

    if (version->room)
        return 0;
    if (live->is_closing)
        return err_set(err, ERR_GONE, "the node is being closed");
    if (!make_room(live, worker->account))
        return err_set(err, ERR_LIMIT, "too many versions are at work already (of %u)",
                       live->config.pools_max);
    r = room_new(worker->account, worker, worker->name, &version->room, err);
    if (r < 0)
        return r;
    version->room->version = version;
    version->state = VERSION_STARTING;
    version->used_ms = clock_now_ms();
    ring_push(&live->recent, &version->recent);
    live->open_rooms++;
    room_read(version->room, worker->id, version->id);
    return 0;
}

static void forget_room(struct live_version *version)
{
    version->room = NULL;
    version->state = VERSION_COLD;
    ring_drop(&version->recent);
    version->worker->account->live->open_rooms--;
}

void live_version_retire(struct live_version *version)
{
    struct room *room = version->room;

    if (!room)
        return;
    forget_room(version);
    room_let_go(room);
}

void live_version_drop(struct live_version *version)
{
    struct live_worker *worker = version->worker;

    if (version->is_kept || version->open > 0 || version->room)
        return;
    ring_drop(&version->ring);
    mem_free(version);
    live_worker_unref(worker);
}

void live_version_adopt(struct live_version *version, struct room *room)
{
    struct live *live = version->worker->account->live;

    version->room = room;
    version->state = VERSION_UP;
    version->used_ms = clock_now_ms();
    ring_push(&live->recent, &version->recent);
    live->open_rooms++;
}

void live_version_ready(struct live_version *version)
{
    version->state = VERSION_UP;
    live_advance(version->worker);
}

void live_version_failed(struct live_version *version, struct span text)
{
    log_error("%s: version %.8s does not load: %.*s", version->worker->name, version->id,
              SPAN_ARG(text));
    version->state = VERSION_BAD;
    version->bad_ms = clock_now_ms();
    live_advance(version->worker);
}

/* Its pool has gone by itself: the herd was closed. */
void live_version_empty(struct live_version *version)
{
    forget_room(version);
    live_version_drop(version);
}

int live_use(struct live_version *version, struct pool **ret_pool, struct live_ticket **ret_ticket,
             struct err *err)
{
    struct live *live = version->worker->account->live;
    struct live_ticket *ticket;
    int r = live_version_start(version, err);

    if (r < 0)
        return r;
    ticket = ticket_new(version);
    if (!ticket)
        return err_nomem(err);
    version->open++;
    version->used_ms = clock_now_ms();
    ring_push(&live->recent, &version->recent);
    *ret_pool = version->room->pool;
    *ret_ticket = ticket;
    return 0;
}

static void sweep_versions(struct live *live, int64_t now_ms)
{
    struct ring *at = live->recent.next, *next;

    for (; at != &live->recent; at = next) {
        struct live_version *version = RING_OF(at, struct live_version, recent);
        next = at->next;
        if (version->state == VERSION_BAD
                ? now_ms - version->bad_ms >= RETRY_MS
                : version->open == 0 && version->state == VERSION_UP &&
                      now_ms - version->used_ms >= live->config.pool_idle_ms) {
            live_version_retire(version);
            live_version_drop(version);
        }
    }
}

void live_version_sweep(struct live *live, int64_t now_ms)
{
    sweep_versions(live, now_ms);
    RING_EACH(at, &live->accounts) {
        struct live_account *account = RING_OF(at, struct live_account, ring);
        RING_EACH(w, &account->workers)
            live_hurry(RING_OF(w, struct live_worker, ring), now_ms);
        if (account->herd && account->rooms == 0 &&
            now_ms - account->quiet_ms >= live->config.pool_idle_ms)
            room_close_herd(account);
    }
}
