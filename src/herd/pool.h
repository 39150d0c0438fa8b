/* pool.h - the inside of struct pool, for herd.c and pool.c.
 *
 * herd.h says what a pool is; here stand the orders that the herd passes on
 * from its zygote.  Loop thread only. */
#ifndef CORRAL_HERD_POOL_H
#define CORRAL_HERD_POOL_H

#include "herd/crew.h"
#include "herd/zygote.h"

enum pool_state {
    POOL_WAITING,       /* waits for: the zygote, the back-off */
    POOL_SPAWNING,      /* waits for: the template's HELLO */
    POOL_LOADING,       /* waits for: LOADED or FAILED */
    POOL_UP,
    POOL_REFUSED,       /* the version does not load; waits for: pool_drain */
    POOL_FALLING,       /* the template is no more; waits for: every process of it to be gone */
    POOL_CLOSING,       /* for good; waits for: instances gone, then the template */
    POOL_GONE,
    POOL_STATES
};

struct pool_text {              /* the spec, copied; absent strings are "" */
    char *name, *folder, *main, *compatibility_date, *compatibility_flags, *env_json,
        *bindings_json, *packages_json;
};

struct pool {
    struct ring ring;           /* herd's list */
    struct herd *herd;
    struct turn *turn;
    struct zygote *zygote;
    const struct herd_config *config;
    struct pool_text text;
    const struct pool_events *events;
    void *self;
    struct turn_item wake;
    uv_timer_t timer;
    int64_t timer_ms;           /* when it fires, 0: it is off */
    enum pool_state state;
    int64_t deadline_ms;        /* of SPAWNING, LOADING, FALLING, CLOSING; of WAITING: not before */
    int64_t drain_ms;           /* when draining ends by force; 0: not draining */
    struct template *template;
    int64_t up_ms;
    struct crew crew;
    struct call_queue queue;
    struct obituaries obituaries;
    struct backoff backoff;     /* of templates */
    struct buf refusal;         /* text for CALL_NOT_LOADED */
    bool is_told;               /* ready or failed has been said */
    bool is_evaluated;          /* LOADING: only threads are waited for */
    bool is_patient;            /* the zygote asked for a moment: no failure */
    bool is_killed;             /* by the herd: no grace */
};

bool pool_may_move(enum pool_state from, enum pool_state to);

/* From the herd: the zygote came up or went away; what it says about template `id`. */
void pool_zygote_changed(struct pool *pool, unsigned failures);
void pool_spawned(struct pool *pool, const struct spawned *spawned);
void pool_spawn_failed(struct pool *pool, const struct spawn_failed *failed);
void pool_exited(struct pool *pool, const struct exited *exited);
void pool_kill(struct pool *pool);

/* Of herd.c: the next number for a SPAWN; a pool that is gone for good. */
uint32_t herd_next_id(struct herd *herd);
void herd_forget(struct herd *herd, struct pool *pool);
void herd_add(struct herd *herd, struct pool *pool);

#endif
