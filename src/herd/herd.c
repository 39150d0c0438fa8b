/* herd.c - the list of pools around one zygote.
 *
 * Passes on what the zygote says; everything else is the pools' own.
 *
 * Closing: every pool is killed; when the last is gone the zygote; when that is
 * gone the turn; then closed(). */
#include "herd/herd.h"

#include <string.h>

#include "base/mem.h"
#include "herd/places.h"
#include "herd/pool.h"

enum {
    IDLE_MS = 60 * 1000,
    BUSY_MS = 30,
    QUEUE_MAX = 1024,
    QUEUE_MS = 30 * 1000,
    LOAD_MS = 10 * 1000,
};

struct herd {
    struct herd_config config;
    char *program;
    struct turn turn;
    struct zygote zygote;
    struct ring pools;
    struct ration ration;   /* of log lines */
    struct places places;   /* of instances */
    uint32_t last_id;
    bool is_closing;
    void (*closed)(void *self);
    void *self;
};

static struct pool *pool_at(struct ring *at) { return RING_OF(at, struct pool, ring); }

static void on_turn_closed(void *self)
{
    struct herd *herd = self;

    herd->closed(herd->self);
    places_done(&herd->places);
    mem_free(herd->program);
    mem_free(herd);
}

static void on_zygote_closed(void *self)
{
    struct herd *herd = self;

    turn_close(&herd->turn, on_turn_closed, herd);
}

static void on_zygote_up(void *self)
{
    struct herd *herd = self;

    RING_EACH(at, &herd->pools)
        pool_zygote_changed(pool_at(at), 0);
}

static void on_zygote_down(void *self, unsigned failures)
{
    struct herd *herd = self;
    struct ring all;

    /* A pool may say `failed` in here, and its owner may open another one. */
    ring_init(&all);
    ring_move(&all, &herd->pools);
    while (!ring_is_empty(&all)) {
        struct pool *pool = pool_at(all.next);
        ring_push(&herd->pools, &pool->ring);
        pool_zygote_changed(pool, failures);
    }
}

static void on_spawned(void *self, const struct spawned *spawned)
{
    struct herd *herd = self;

    RING_EACH(at, &herd->pools)
        pool_spawned(pool_at(at), spawned);
}

static void on_spawn_failed(void *self, const struct spawn_failed *failed)
{
    struct herd *herd = self;

    RING_EACH(at, &herd->pools)
        pool_spawn_failed(pool_at(at), failed);
}

static void on_exited(void *self, const struct exited *exited)
{
    struct herd *herd = self;

    RING_EACH(at, &herd->pools)
        pool_exited(pool_at(at), exited);
}

static void set_defaults(struct herd_config *config)
{
    if (config->instances_max == 0)
        config->instances_max = uv_available_parallelism();
    if (config->idle_ms == 0)
        config->idle_ms = IDLE_MS;
    if (config->stuck_ms == 0)
        config->stuck_ms = INSTANCE_STUCK_MS;
    if (config->busy_ms == 0)
        config->busy_ms = BUSY_MS;
    if (config->queue_max == 0)
        config->queue_max = QUEUE_MAX;
    if (config->queue_ms == 0)
        config->queue_ms = QUEUE_MS;
    if (config->load_ms == 0)
        config->load_ms = LOAD_MS;
}

/* Of a herd whose zygote did not open: only the turn is there. */
static void on_failed_closed(void *self)
{
    struct herd *herd = self;

    places_done(&herd->places);
    mem_free(herd->program);
    mem_free(herd);
}

int herd_open(uv_loop_t *loop, const struct herd_config *config, struct herd **ret_herd,
              struct err *err)
{
    static const struct zygote_events EVENTS = {on_zygote_up,    on_zygote_down, on_spawned,
                                                on_spawn_failed, on_exited,      on_zygote_closed};
    struct herd *herd = mem_alloc(sizeof *herd);
    int r;

    if (!herd)
        return err_nomem(err);
    herd->config = *config;
    set_defaults(&herd->config);
    ring_init(&herd->pools);
    places_init(&herd->places, config->account_instances, config->places);
    herd->program = mem_strdup(config->worker_program);
    if (!herd->program) {
        on_failed_closed(herd);
        return err_nomem(err);
    }
    herd->config.worker_program = herd->program;
    r = turn_open(&herd->turn, loop, err);
    if (r < 0) {
        on_failed_closed(herd);
        return r;
    }
    r = zygote_open(&herd->zygote, &herd->turn, &herd->config, &EVENTS, herd, err);
    if (r < 0) {
        turn_close(&herd->turn, on_failed_closed, herd);
        return r;
    }
    *ret_herd = herd;
    return 0;
}

static void close_if_empty(struct herd *herd)
{
    if (herd->is_closing && ring_is_empty(&herd->pools))
        zygote_close(&herd->zygote);
}

void herd_close(struct herd *herd, void (*closed)(void *self), void *self)
{
    herd->closed = closed;
    herd->self = self;
    herd->is_closing = true;
    RING_EACH(at, &herd->pools)
        pool_kill(pool_at(at));
    close_if_empty(herd);
}

uint32_t herd_next_id(struct herd *herd) { return ++herd->last_id; }

void herd_add(struct herd *herd, struct pool *pool)
{
    pool->herd = herd;
    pool->turn = &herd->turn;
    pool->zygote = &herd->zygote;
    pool->config = &herd->config;
    pool->ration = &herd->ration;
    pool->crew.places = &herd->places;
    ring_push(&herd->pools, &pool->ring);
}

void herd_forget(struct herd *herd, struct pool *pool)
{
    ring_drop(&pool->ring);
    close_if_empty(herd);
}
