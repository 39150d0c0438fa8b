/* zygote.h - keep one zygote running, and order templates from it.
 *
 * Starts `corral-worker zygote` at once, and again with back-off whenever it
 * ends, until zygote_close.  `up` each time it has said hello; `down` each time
 * it is gone (every template is dead or dying then: PR_SET_PDEATHSIG).
 *
 * Loop thread, which must be the main thread (child.h). */
#ifndef CORRAL_HERD_ZYGOTE_H
#define CORRAL_HERD_ZYGOTE_H

#include "herd/herd.h"
#include "kin/kin.h"
#include "loop/child.h"

struct zygote_events {
    void (*up)(void *self);
    /* failures: starts in a row that never came up. */
    void (*down)(void *self, unsigned failures);
    void (*spawned)(void *self, const struct spawned *spawned);
    void (*spawn_failed)(void *self, const struct spawn_failed *failed);
    void (*exited)(void *self, const struct exited *exited);
    void (*closed)(void *self);
};

enum zygote_state {
    ZYGOTE_RESTING,     /* no process; waits for: the back-off timer */
    ZYGOTE_STARTING,    /* waits for: HELLO, or its deadline */
    ZYGOTE_UP,
    ZYGOTE_ENDING,      /* waits for: the socket and the child to be closed */
    ZYGOTE_CLOSED,
    ZYGOTE_STATES
};

struct zygote {
    struct kin kin;
    struct child child;
    uv_timer_t timer;
    struct turn *turn;
    const struct herd_config *config;
    const struct zygote_events *events;
    void *self;
    enum zygote_state state;
    struct backoff backoff;
    unsigned round;             /* how often it has come up */
    unsigned unborn;            /* starts in a row that never came up */
    int64_t up_ms;
    bool is_kin_open, is_child_open;
    bool has_exited;
    bool is_closing;
};

bool zygote_may_move(enum zygote_state from, enum zygote_state to);

/* Embedded.  `config` must outlive it; JavaScript's collector goes by its memory_bytes.  On failure
 * nothing is left open. */
int zygote_open(struct zygote *zygote, struct turn *turn, const struct herd_config *config,
                const struct zygote_events *events, void *self, struct err *err) MUST_CHECK;
/* SIGKILL; `closed` when all is gone. */
void zygote_close(struct zygote *zygote);
bool zygote_is_up(const struct zygote *zygote);
/* Order a template; the answer comes as spawned or spawn_failed with this id. */
int zygote_spawn(struct zygote *zygote, const struct spawn *spawn, int take_socket,
                 int take_output, struct err *err) MUST_CHECK;
/* It has not done what it was told to: end it, start another one. */
void zygote_replace(struct zygote *zygote, const char *why);
pid_t zygote_pid(const struct zygote *zygote);

#endif
