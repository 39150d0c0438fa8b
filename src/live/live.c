/* live.c - accounts and workers of a node: opening, closing, lists.
 *
 * Closing: cron ends, rooms drain, herds are closed; when the last room, herd and job of the desk
 * is gone the threads that prepare; then what others have in here, then the memory. */
#include "live/live.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "herd/hoard.h"
#include "herd/places.h"
#include "live/cron.h"
#include "live/inside.h"
#include "live/metrics.h"
#include "live/quota.h"
#include "live/room.h"
#include "live/router.h"
#include "live/trace.h"

enum {
    SWEEP_MS = 1000,
    POOL_IDLE_MS = 10 * 60 * 1000,
    POOLS_MAX = 200,
    ACCOUNT_INSTANCES = 128,
    NODE_INSTANCES = 512,
};

static unsigned limit_or(int64_t said, unsigned otherwise)
{
    return said < 0 ? otherwise : (unsigned)said;
}

/* ---- lists ---- */

struct live_account *live_account_find(struct live *live, const char *id)
{
    return names_get(&live->accounts_by_id, span_of(id));
}

struct live_account *live_account_need(struct live *live, const char *id)
{
    struct live_account *account = live_account_find(live, id);
    struct err err;

    if (account)
        return account;
    account = mem_alloc(sizeof *account);
    if (!account || names_put(&live->accounts_by_id, span_of(id), account, &err) < 0) {
        mem_free(account);
        return NULL;
    }
    account->live = live;
    snprintf(account->id, sizeof account->id, "%s", id);
    ring_init(&account->ring);
    ring_init(&account->workers);
    account->quota = (struct quota){-1, -1};
    ring_push(&live->accounts, &account->ring);
    return account;
}

struct live_worker *live_worker_find_id(struct live *live, const char *worker_id)
{
    return names_get(&live->workers_by_id, span_of(worker_id));
}

struct live_worker *live_worker_find(struct live *live, const char *account_id, const char *name)
{
    struct live_account *account = live_account_find(live, account_id);

    if (!account)
        return NULL;
    RING_EACH(at, &account->workers) {
        struct live_worker *worker = RING_OF(at, struct live_worker, ring);
        if (worker->is_read && strcmp(worker->name, name) == 0)
            return worker;
    }
    return NULL;
}

struct live_worker *live_worker_need(struct live_account *account, const char *worker_id)
{
    struct live_worker *worker = live_worker_find_id(account->live, worker_id);
    struct err err;

    if (worker)
        return worker->account == account ? worker : NULL;
    worker = mem_alloc(sizeof *worker);
    if (!worker || !(worker->name = mem_strdup("")) ||
        names_put(&account->live->workers_by_id, span_of(worker_id), worker, &err) < 0) {
        if (worker)
            mem_free(worker->name);
        mem_free(worker);
        return NULL;
    }
    worker->account = account;
    snprintf(worker->id, sizeof worker->id, "%s", worker_id);
    worker->refs = 1;
    worker->quota = (struct quota){-1, -1};
    ring_init(&worker->ring);
    ring_init(&worker->versions);
    ring_init(&worker->switching);
    ring_push(&account->workers, &worker->ring);
    return worker;
}

void live_worker_name(struct live_worker *worker, const char *name)
{
    char *copy = mem_strdup(name);

    if (!copy)
        return;
    mem_free(worker->name);
    worker->name = copy;
}

void live_worker_ref(struct live_worker *worker)
{
    worker->refs++;
}

void live_worker_unref(struct live_worker *worker)
{
    if (--worker->refs > 0)
        return;
    metrics_forget(worker); /* of what ended behind its end */
    mem_free(worker->previews);
    mem_free(worker->name);
    mem_free(worker);
}

void live_worker_delete(struct live_worker *worker)
{
    struct ring told, *at, *next;

    worker->is_deleted = true;
    ring_drop(&worker->ring);
    names_drop(&worker->account->live->workers_by_id, span_of(worker->id));
    worker->share_count = 0;
    worker->has_next = false;
    for (at = worker->versions.next; at != &worker->versions; at = next) {
        struct live_version *version = RING_OF(at, struct live_version, ring);
        next = at->next;
        version->is_kept = false;
        live_version_retire(version);
        live_version_drop(version);
    }
    cron_forget(worker);
    quota_forget(worker);
    trace_forget(worker);
    metrics_forget(worker);
    ring_init(&told);
    ring_move(&told, &worker->switching);
    live_waiters_tell(&told, NULL);
    live_worker_unref(worker);
}

/* ---- time ---- */

static void on_sweep(uv_timer_t *timer)
{
    struct live *live = timer->data;
    int64_t now_ms = clock_now_ms();

    live_read_again(live);
    check_sweep(live, now_ms);
    live_version_sweep(live, now_ms);
}

void live_refuse(uv_timer_t *timer)
{
    struct live *live = timer->data;
    struct err err = {0};

    err_set(&err, ERR_LIMIT, "too many changes wait already");
    live_waiters_tell(&live->refused, &err);
}

/* ---- ahead of need ---- */

static bool is_deployed(const struct live_account *account)
{
    RING_EACH(at, &account->workers)
        if (RING_OF(at, struct live_worker, ring)->share_count > 0)
            return true;
    return false;
}

void live_warm(struct live *live)
{
    for (unsigned left = uv_available_parallelism(); left > 0; left--) {
        struct live_account *next = NULL;
        RING_EACH(at, &live->accounts) {
            struct live_account *account = RING_OF(at, struct live_account, ring);
            if (!account->herd && is_deployed(account) &&
                (!next || quota_used(account) > quota_used(next)))
                next = account;
        }
        if (!next)
            return;
        room_warm(next);
        if (!next->herd)
            return;
    }
}

/* ---- opening and closing ---- */

static void free_all(struct live *live)
{
    live_read_again(live); /* frees: it is closing */
    router_free(live->router);
    check_free_all(live);
    while (!ring_is_empty(&live->accounts)) {
        struct live_account *account = RING_OF(live->accounts.next, struct live_account, ring);
        ring_drop(&account->ring);
        quota_forget_account(account);
        mem_free(account->subdomain);
        routes_done(&account->routes);
        mem_free(account->usage);
        mem_free(account);
    }
    while (!ring_is_empty(&live->spare_tickets)) {
        struct live_ticket *ticket = RING_OF(live->spare_tickets.next, struct live_ticket, ring);
        ring_drop(&ticket->ring);
        mem_free(ticket);
    }
    names_done(&live->accounts_by_id);
    names_done(&live->workers_by_id);
    mem_free((char *)(uintptr_t)live->config.worker_program);
    mem_free((char *)(uintptr_t)live->config.data_folder);
    mem_free((char *)(uintptr_t)live->config.domain);
    hoard_free(live->hoard);
    places_free(live->places);
    mem_free(live);
}

static void on_prepared_closed(struct live *live)
{
    void (*closed)(void *self) = live->closed;
    void *self = live->closed_self;

    trace_close(live);
    quota_close(live);
    free_all(live);
    closed(self);
}

void live_job_begins(struct live *live)
{
    live->jobs++;
}

void live_job_ends(struct live *live)
{
    if (--live->jobs == 0 && live->is_closing)
        preparing_close(live, on_prepared_closed);
}

static void on_timer_closed(uv_handle_t *handle)
{
    live_job_ends(handle->data);
}

static void close_account(struct live_account *account)
{
    while (!ring_is_empty(&account->workers))
        live_worker_delete(RING_OF(account->workers.next, struct live_worker, ring));
    room_close_herd(account);
}

/* Its runs have ended, or have had their time. */
static void on_cron_closed(struct live *live)
{
    RING_EACH(at, &live->rooms_list) {
        struct room *room = RING_OF(at, struct room, ring);
        if (room->prepare)
            prepare_cancel(room->prepare);
    }
    RING_EACH(at, &live->accounts)
        close_account(RING_OF(at, struct live_account, ring));
    live_job_ends(live);
}

void live_close(struct live *live, void (*closed)(void *self), void *self)
{
    live->closed = closed;
    live->closed_self = self;
    live->is_closing = true;
    live->jobs += 3; /* cron and the timers */
    live_refuse(&live->refusing);
    live_drain(live);
    cron_close(live, on_cron_closed);
    uv_close((uv_handle_t *)&live->sweep, on_timer_closed);
    uv_close((uv_handle_t *)&live->refusing, on_timer_closed);
}

void live_drain(struct live *live)
{
    if (live->is_draining)
        return;
    live->is_draining = true;
    cron_drain(live);
    quota_drain(live);
    /* A WebSocket would keep the node for as long as it may take. */
    RING_EACH(at, &live->rooms_list) {
        struct room *room = RING_OF(at, struct room, ring);
        if (room->pool)
            pool_hang_up(room->pool);
    }
}

/* Of one that did not open. */
static void ignore(void *self)
{
    (void)self;
}

static int copy_config(struct live *live, const struct live_config *config, struct err *err)
{
    live->config = *config;
    live->config.worker_program = mem_strdup(config->worker_program);
    live->config.data_folder = mem_strdup(config->data_folder);
    live->config.domain = mem_strdup(config->domain);
    if (config->account_instances < 0)
        live->config.account_instances = ACCOUNT_INSTANCES;
    if (live->config.pool_idle_ms <= 0)
        live->config.pool_idle_ms = POOL_IDLE_MS;
    if (live->config.pools_max == 0)
        live->config.pools_max = POOLS_MAX;
    return live->config.worker_program && live->config.data_folder && live->config.domain
               ? 0
               : err_nomem(err);
}

int live_open(uv_loop_t *loop, const struct live_config *config, struct live **ret_live,
              struct err *err)
{
    struct live *live = mem_alloc(sizeof *live);
    int r;

    if (!live)
        return err_nomem(err);
    live->loop = loop;
    ring_init(&live->accounts);
    ring_init(&live->recent);
    ring_init(&live->checks);
    ring_init(&live->rooms_list);
    ring_init(&live->spare_tickets);
    ring_init(&live->refused);
    ring_init(&live->again);
    if (getrandom(&live->dice, sizeof live->dice, 0) != sizeof live->dice || live->dice == 0)
        live->dice = (uint64_t)clock_now_us() | 1;
    live->hoard = hoard_new(config->node_memory_bytes);
    live->places = places_new(limit_or(config->node_instances, NODE_INSTANCES));
    r = live->hoard && live->places ? copy_config(live, config, err) : err_nomem(err);
    r = r < 0 ? r : preparing_open(live, err);
    if (r < 0) {
        free_all(live);
        return r;
    }
    uv_timer_init(loop, &live->sweep);
    uv_timer_init(loop, &live->refusing);
    live->sweep.data = live->refusing.data = live;
    uv_timer_start(&live->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    /* From here on live_close is what undoes it. */
    r = trace_open(live, err);
    r = r < 0 ? r : quota_open(live, err);
    r = r < 0 ? r : cron_open(live, err);
    if (r < 0) {
        live_close(live, ignore, NULL);
        return r;
    }
    *ret_live = live;
    return 0;
}

/* ---- addresses ---- */

void live_set_address(struct live *live, bool has_tls, int port)
{
    live->config.has_tls = has_tls;
    live->config.public_port = port;
}

char *live_url(const struct live *live, const char *subdomain, const char *worker_name)
{
    struct buf url = {0};

    if (buf_print(&url, "%s://%s.%s.%s", live->config.has_tls ? "https" : "http", worker_name,
                  subdomain, live->config.domain) == 0 &&
        (live->config.public_port == 0 || buf_print(&url, ":%d", live->config.public_port) == 0))
        return buf_detach(&url);
    buf_done(&url);
    return NULL;
}
