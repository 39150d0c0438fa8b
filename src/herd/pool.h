/* pool.h - the inside of struct pool, for herd.c and the files of the pool.
 *
 * herd.h says what a pool is; here stand the orders that the herd passes on
 * from its zygote.  Loop thread only. */
#ifndef CORRAL_HERD_POOL_H
#define CORRAL_HERD_POOL_H

#include "herd/crew.h"
#include "herd/tries.h"
#include "herd/zygote.h"

enum pool_state {
    POOL_WAITING,       /* waits for: the zygote, the back-off, pool_load */
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
        *bindings_json, *packages_json, *read_paths;
};

struct pool {
    struct ring ring;           /* herd's list */
    struct herd *herd;
    struct turn *turn;
    struct zygote *zygote;
    const struct herd_config *config;
    struct ration *ration;      /* of log lines, of the whole herd */
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
    int64_t load_ms, up_ms;     /* when LOADING and UP began */
    struct weight weight;       /* of the template, from LOADING on */
    unsigned strayed;           /* looks in a row that found too much below it */
    struct hoard_item held;     /* likewise */
    int64_t startup_ms;         /* of the first load; 0: not yet */
    struct crew crew;
    struct call_queue queue;
    struct obituaries obituaries;
    struct backoff backoff;     /* of templates */
    struct tries tries;         /* until the first load */
    unsigned unloaded;          /* templates in a row that ended while they loaded */
    char words[256];            /* why the template was ended */
    struct buf refusal;         /* text for CALL_NOT_LOADED */
    bool is_told;               /* ready or failed has been said */
    bool is_evaluated;          /* LOADING: only threads are waited for */
    bool is_patient;            /* the zygote asked for a moment: no failure */
    bool is_killed;             /* by the herd: no grace */
    bool is_later;              /* WAITING: for pool_load, too */
    uint64_t waited;            /* calls that found no instance ready, ever */
    uint64_t loaded;            /* templates, ever */
};

/* ERR_NOMEM: nothing is left of it.  Done: with what stood in it, env_json holds secrets. */
int pool_text_copy(struct pool_text *text, const struct pool_spec *spec) MUST_CHECK;
void pool_text_done(struct pool_text *text);

bool pool_may_move(enum pool_state from, enum pool_state to);

/* From the herd: the zygote came up or went away; what it says about template `id`. */
void pool_zygote_changed(struct pool *pool, unsigned failures);
void pool_spawned(struct pool *pool, const struct spawned *spawned);
void pool_spawn_failed(struct pool *pool, const struct spawn_failed *failed);
void pool_exited(struct pool *pool, const struct exited *exited);
void pool_kill(struct pool *pool);

/* Of pool.c: the version does not load, for ever, and why; something has changed, look at the end of
 * the turn; who waits goes as far as there is room. */
void pool_refuse_because(struct pool *pool, enum failure kind, const char *text);
void pool_wake(struct pool *pool);
/* Of pool_weight.c. */
void pool_weigh_template(struct pool *pool, int64_t now_ms);
void pool_is_heaviest(void *self);

/* Of herd.c: the next number for a SPAWN; a pool that is gone for good. */
uint32_t herd_next_id(struct herd *herd);
void herd_forget(struct herd *herd, struct pool *pool);
void herd_add(struct herd *herd, struct pool *pool);

#endif
