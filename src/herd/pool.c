/* pool.c - one version of one worker: keep its template up, queue what waits.
 *
 *                 zygote up         HELLO           LOADED
 *     WAITING ------------> SPAWNING -----> LOADING --------> UP
 *      |  ^ \                |   |           |  | \           | |
 *      |  |  \ zygote does   |   | ended     |  |  \ FAILED   | | ended
 *      |  |   \ not start    |   v           |  |   \         | v
 *      |  +----\------------ | --+- FALLING -+--|----\------- | +
 *      |        \            |         |        |     v       |
 *      |         +-----------+---------|--------+--> REFUSED  |
 *      |                     |         |        |     |       |
 *      +---------------------+---------+--------+-----+-------+--> CLOSING -> GONE
 *                              drained, or killed by the herd
 *
 * Whatever happens calls pool_wake; pool_tick runs once at the end of the turn
 * and decides.  The one exception is the hot path: pool_call hands a call to an
 * instance at once when nobody waits before it.
 *
 * Draining is no state: a draining pool still forks for the calls that wait.
 *
 * Invariants
 *   1. template is set exactly in SPAWNING, LOADING, UP, and while the last one
 *      is not gone in REFUSED, FALLING, CLOSING.
 *   2. crew.template is set in UP only: nobody else forks.
 *   3. The order of arrival holds: no call passes one that waits.
 *   4. `ready` or `failed` fires at most once, and `drained` last.
 *   5. A timer is set for the nearest deadline whenever there is one. */
#include "herd/pool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "herd/met.h"
#include "loop/strays.h"

enum {
    SPAWN_MS = 10 * 1000,   /* from SPAWN to HELLO; without SPAWNED the zygote is at fault */
    DRAIN_MS = 30 * 1000,   /* for calls and waitUntil of a pool that drains */
    GRACE_MS = 500,         /* for killed processes to be gone */
    RETRY_MS = 100,         /* the zygote has helper threads still */
    THREADS_MS = 30 * 1000, /* from EVALUATED to LOADED; the engines' own leave in 10 s */
    LOAD_TRIES = 3,         /* templates in a row that die while they load; starts of a zygote */
};

static const bool MOVES[POOL_STATES][POOL_STATES] = {
    [POOL_WAITING] = {[POOL_SPAWNING] = true, [POOL_REFUSED] = true, [POOL_CLOSING] = true},
    [POOL_SPAWNING] = {[POOL_LOADING] = true,
                       [POOL_REFUSED] = true,
                       [POOL_FALLING] = true,
                       [POOL_CLOSING] = true},
    [POOL_LOADING] =
        {[POOL_UP] = true, [POOL_REFUSED] = true, [POOL_FALLING] = true, [POOL_CLOSING] = true},
    [POOL_UP] = {[POOL_FALLING] = true, [POOL_CLOSING] = true},
    [POOL_REFUSED] = {[POOL_CLOSING] = true},
    [POOL_FALLING] = {[POOL_WAITING] = true, [POOL_CLOSING] = true},
    [POOL_CLOSING] = {[POOL_GONE] = true},
};

bool pool_may_move(enum pool_state from, enum pool_state to)
{
    return MOVES[from][to];
}

static void move(struct pool *pool, enum pool_state to, int64_t deadline_ms)
{
    assert(pool_may_move(pool->state, to));
    pool->state = to;
    pool->deadline_ms = deadline_ms;
}

void pool_wake(struct pool *pool)
{
    turn_add(pool->turn, TURN_WORK, &pool->wake);
}

/* Calls that wait */

/* Why the version does not load, in the words of the template. */
static struct span refusal(const struct pool *pool)
{
    return buf_len(&pool->refusal) > 0 ? buf_span(&pool->refusal) : SPAN("no reason was given");
}

static void fail_queue(struct pool *pool, enum call_failure why, struct span text)
{
    struct ring all;

    /* What a caller sends again from inside waits for the next tick. */
    ring_init(&all);
    ring_move(&all, &pool->queue.calls);
    while (!ring_is_empty(&all))
        call_fail(RING_OF(all.next, struct call, ring), why, text);
}

static void expire_queue(struct pool *pool, int64_t now_ms)
{
    enum call_failure why = pool->crew.claim.at ? CALL_EXCEEDED_OTHER : CALL_OVERLOADED;
    char text[256];
    int n = snprintf(text, sizeof text, "no instance of '%.100s' was free for %d ms",
                     pool->text.name, pool->config->queue_ms);

    if (pool->crew.claim.at)
        n = met_print_places(&pool->crew, text, sizeof text);

    while (!ring_is_empty(&pool->queue.calls)) {
        struct call *call = RING_OF(pool->queue.calls.next, struct call, ring);
        if (now_ms - call->since_ms < pool->config->queue_ms)
            return;
        call_fail(call, why, (struct span){text, (size_t)n});
    }
}

/* Somebody ends again and again before there is an instance: no use to wait for the next try. */
static void fail_unstarted(struct pool *pool, const char *who, unsigned times)
{
    char text[256];
    int n =
        snprintf(text, sizeof text,
                 "'%.100s' does not start: %s ended %u times in a row before it took a request; "
                 "the log says how",
                 pool->text.name, who, times);

    fail_queue(pool, CALL_NOT_STARTED, (struct span){text, (size_t)n});
}

static void serve_queue(struct pool *pool)
{
    struct err err = {0};

    while (!ring_is_empty(&pool->queue.calls)) {
        struct call *call = RING_OF(pool->queue.calls.next, struct call, ring);
        struct instance *instance = crew_pick(&pool->crew);
        if (!instance)
            return;
        if (instance_send(instance, call, NULL, &err) < 0)
            call_fail(call, CALL_OVERLOADED, span_of(err.text));
        else
            call_wake(call);
    }
}

/* The template */

static void refuse(struct pool *pool, const struct failed *why)
{
    struct span text = why->traceback.len > 0 ? why->traceback : why->text;

    buf_done(&pool->refusal);
    if (buf_append(&pool->refusal, text.data, text.len) < 0)
        log_warn("no memory to keep why '%s' does not load", pool->text.name);
    pool_wake(pool);
    if (pool->is_told) {
        /* It has loaded before: say so, and try again with back-off. */
        log_error("'%s' does not load any more: %.*s", pool->text.name, SPAN_ARG(why->text));
        fail_queue(pool, CALL_NOT_LOADED, refusal(pool));
        if (pool->template)
            kin_kill(&pool->template->kin, "it does not load any more");
        return;
    }
    move(pool, POOL_REFUSED, 0);
    pool->is_told = true;
    if (pool->template)
        kin_kill(&pool->template->kin, "it did not load");
    pool->events->failed(pool->self, why);
}

void pool_refuse_because(struct pool *pool, enum failure kind, const char *text)
{
    struct failed why = {.kind = kind, .text = span_of(text)};

    refuse(pool, &why);
}

static int on_evaluated(void *self, struct err *err)
{
    struct pool *pool = self;

    if (pool->state != POOL_LOADING || pool->is_evaluated)
        return err_set(err, ERR_INVALID, "EVALUATED without LOAD");
    pool->is_evaluated = true;
    pool->deadline_ms = clock_now_ms() + THREADS_MS;
    pool_wake(pool);
    return 0;
}

static int on_loaded(void *self, const struct loaded *loaded, struct err *err)
{
    struct pool *pool = self;

    if (pool->state != POOL_LOADING)
        return err_set(err, ERR_INVALID, "LOADED without LOAD");
    pool->up_ms = clock_now_ms();
    pool->loaded++;
    pool->unloaded = 0;
    tries_reset(&pool->tries);
    move(pool, POOL_UP, 0);
    pool->crew.template = pool->template;
    pool_wake(pool);
    if (!pool->is_told) {
        pool->is_told = true;
        pool->startup_ms = pool->up_ms > pool->load_ms ? pool->up_ms - pool->load_ms : 1;
        pool->events->ready(pool->self, loaded->handlers);
    }
    return 0;
}

static int on_refused(void *self, const struct failed *why, struct err *err)
{
    struct pool *pool = self;

    if (pool->state != POOL_LOADING)
        return err_set(err, ERR_INVALID, "FAILED without LOAD");
    refuse(pool, why);
    return 0;
}

static int on_spawned(void *self, const struct spawned *spawned, struct err *err)
{
    struct pool *pool = self;

    return crew_spawned(&pool->crew, spawned, err);
}

static int on_spawn_failed(void *self, const struct spawn_failed *failed, struct err *err)
{
    struct pool *pool = self;

    return crew_spawn_failed(&pool->crew, failed, err);
}

static void on_exited(void *self, const struct exited *exited)
{
    struct pool *pool = self;

    obituary_exited(&pool->obituaries, exited);
    pool_wake(pool);
}

static void on_log(void *self, enum log_level level, struct span text)
{
    struct pool *pool = self;

    pool->events->log(pool->self, level, text, NULL);
}

/* Milliseconds for top-level code. */
static int64_t load_limit(const struct pool *pool)
{
    int64_t ms = pool->crew.limits.of[LIMIT_STARTUP];

    return ms > 0 ? ms : pool->config->load_ms;
}

static void on_template_up(void *self)
{
    struct pool *pool = self;
    struct load load = {.name = span_of(pool->text.name),
                        .folder = span_of(pool->text.folder),
                        .main = span_of(pool->text.main),
                        .compatibility_date = span_of(pool->text.compatibility_date),
                        .compatibility_flags = span_of(pool->text.compatibility_flags),
                        .env = span_of(pool->text.env_json),
                        .bindings = span_of(pool->text.bindings_json),
                        .packages = span_of(pool->text.packages_json),
                        .tmp_bytes = (uint64_t)pool->crew.limits.of[LIMIT_TMP] << 20,
                        .message_bytes = (uint64_t)pool->crew.limits.of[LIMIT_MESSAGE] << 20,
                        .request_cf = pool->config->request_cf};
    struct err err = {0};

    if (pool->state != POOL_SPAWNING)
        return;
    pool->is_evaluated = false;
    pool->strayed = 0;
    pool->load_ms = clock_now_ms();
    weight_begin(&pool->weight, kin_pid(&pool->template->kin), pool->load_ms);
    move(pool, POOL_LOADING, pool->load_ms + load_limit(pool));
    pool_wake(pool);
    if (template_load(pool->template, &load, &err) < 0)
        pool_refuse_because(pool, FAILURE_INTERNAL, err.text);
}

static void on_template_ended(void *self, enum kin_end how, const char *why)
{
    struct pool *pool = self;
    const struct template *template = pool->template;
    int64_t now_ms = clock_now_ms();

    pool->crew.template = NULL;
    weight_done(&pool->weight);
    hoard_drop(pool->config->hoard, &pool->held);
    crew_kill(&pool->crew, "its template has ended");
    pool_wake(pool);
    if (how == KIN_DIED)
        obituary_add(&pool->obituaries, "the template", kin_pid(&template->kin), template->pid_hint,
                     now_ms);
    else if (how == KIN_LIED)
        log_error("the template of '%s' broke the protocol and was ended: %s", pool->text.name,
                  why);
    if (pool->state == POOL_UP && now_ms - pool->up_ms >= BACKOFF_STEADY_MS)
        backoff_reset(&pool->backoff);
    if (pool->state == POOL_LOADING && how != KIN_KILLED)
        pool->unloaded++;
    if (pool->state == POOL_LOADING)
        tries_ended(&pool->tries, how == KIN_LIED ? TRIES_LIED : TRIES_DIED);
    else if (pool->state == POOL_SPAWNING && !pool->is_patient)
        tries_ended(&pool->tries, TRIES_IDLE);
    if (pool_may_move(pool->state, POOL_FALLING))
        move(pool, POOL_FALLING, now_ms + GRACE_MS);
}

static void on_template_gone(void *self)
{
    struct pool *pool = self;

    pool->template = NULL;
    pool_wake(pool);
}

/* With what it may read. */
static int order_template(struct pool *pool, struct spawn *order, int take_socket, int take_output,
                          struct err *err)
{
    struct buf paths = {0};
    int r = buf_print(&paths, "%s\n%s", pool->text.folder, pool->text.read_paths);

    if (r < 0) {
        close(take_socket);
        close(take_output);
        return err_nomem(err);
    }
    order->paths = buf_span(&paths);
    r = zygote_spawn(pool->zygote, order, take_socket, take_output, err);
    buf_done(&paths);
    return r;
}

/* An order to the zygote: the template's socket and the end of its output pipe go along. */
static int spawn(struct pool *pool, struct err *err)
{
    static const struct template_events EVENTS = {
        on_template_up, on_evaluated,      on_loaded,       on_refused,
        on_spawned,     on_spawn_failed,   on_exited,       met_tell_top,
        on_log,         on_template_ended, on_template_gone};
    struct spawn order = {.id = herd_next_id(pool->herd)};
    int ours, theirs, output[2], r;

    r = peer_pair(&ours, &theirs, err);
    if (r < 0)
        return r;
    if (pipe2(output, O_CLOEXEC) < 0) {
        r = err_errno(err, errno, "make a pipe");
        close(ours);
        close(theirs);
        return r;
    }
    r = template_open(pool->turn, ours, output[0], zygote_pid(pool->zygote), order.id, &EVENTS,
                      pool, &pool->template, err);
    if (r < 0) {
        close(theirs);
        close(output[1]);
        return r;
    }
    pool->template->kin.all = pool->ration;
    tries_begin(&pool->tries, pool->zygote->round);
    move(pool, POOL_SPAWNING, clock_now_ms() + SPAWN_MS);
    r = order_template(pool, &order, theirs, output[1], err);
    if (r < 0)
        kin_kill(&pool->template->kin, "the order to fork could not be sent");
    return r;
}

/* The states */

static void start(struct pool *pool, int64_t now_ms)
{
    enum tries_verdict verdict;
    struct err err = {0};
    char text[256];
    int wait_ms;

    if (pool->is_later || !zygote_is_up(pool->zygote) || now_ms < pool->deadline_ms)
        return; /* waits for: pool_load, pool_zygote_changed, the timer */
    verdict = tries_judge(&pool->tries, pool->zygote->round);
    if (verdict != TRIES_GO_ON && !pool->is_told) {
        tries_words(&pool->tries, pool->text.name, text, sizeof text);
        pool_refuse_because(
            pool, verdict == TRIES_CODE_FAILS ? FAILURE_EXCEPTION : FAILURE_INTERNAL, text);
        return;
    }
    if (spawn(pool, &err) == 0)
        return;
    tries_ended(&pool->tries, TRIES_IDLE);
    wait_ms = backoff_fail(&pool->backoff);
    log_error("start the template of '%s': %s; again in %d ms", pool->text.name, err.text, wait_ms);
    if (pool->state == POOL_WAITING)
        pool->deadline_ms = now_ms + wait_ms;
}

static void check_start(struct pool *pool, int64_t now_ms)
{
    char text[256];

    if (now_ms < pool->deadline_ms)
        return; /* waits for: HELLO, LOADED, FAILED */
    if (pool->state == POOL_SPAWNING && pool->template->pid_hint == 0) {
        /* Every other template goes with it; but without it nothing ever loads again. */
        zygote_replace(pool->zygote, "it has forked nothing for 10 s");
        kin_kill(&pool->template->kin, "it was not forked");
    } else if (pool->state == POOL_SPAWNING) {
        log_error("the template of '%s' said nothing for %d s", pool->text.name, SPAWN_MS / 1000);
        kin_kill(&pool->template->kin, "no HELLO");
    } else if (pool->is_evaluated) {
        snprintf(text, sizeof text,
                 "threads that top-level code of '%.100s' started still run after %d s: start "
                 "them in a handler",
                 pool->text.name, THREADS_MS / 1000);
        pool_refuse_because(pool, FAILURE_EXCEPTION, text);
    } else {
        snprintf(text, sizeof text, "top-level code of '%.100s' took longer than %g s",
                 pool->text.name, (double)load_limit(pool) / 1000.0);
        pool_refuse_because(pool, FAILURE_EXCEPTION, text);
    }
    /* The kill is told at the end of this turn; until then there is no deadline. */
    pool->deadline_ms = INT64_MAX;
}

static void check_fallen(struct pool *pool, int64_t now_ms)
{
    int wait_ms;

    if (pool->template || pool->crew.count > 0) {
        if (now_ms < pool->deadline_ms)
            return; /* waits for: on_template_gone, the crew's changed */
        crew_abandon(&pool->crew);
        if (pool->template)
            kin_abandon(&pool->template->kin);
        pool->deadline_ms = INT64_MAX;
        return; /* waits for: libuv */
    }
    wait_ms = pool->is_patient ? RETRY_MS : backoff_fail(&pool->backoff);
    pool->is_patient = false;
    if (pool->drain_ms == 0)
        log_warn("the template of '%s' starts again in %d ms", pool->text.name, wait_ms);
    move(pool, POOL_WAITING, now_ms + wait_ms);
}

static bool is_over(const struct pool *pool, int64_t now_ms)
{
    if (pool->state >= POOL_CLOSING)
        return false;
    if (pool->is_killed)
        return true;
    if (pool->drain_ms == 0)
        return false;
    return now_ms >= pool->drain_ms || (pool->queue.count == 0 && crew_is_idle(&pool->crew));
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct pool *pool = handle->data;

    pool->events->drained(pool->self);
    herd_forget(pool->herd, pool);
    turn_drop(&pool->wake);
    buf_done(&pool->refusal);
    pool_text_done(&pool->text);
    mem_free(pool);
}

static void check_closed(struct pool *pool, int64_t now_ms)
{
    /* Instances first: their template reaps them. */
    crew_kill(&pool->crew, "its pool has drained");
    if (pool->crew.count == 0 && pool->template)
        kin_kill(&pool->template->kin, "its pool has drained");
    if (pool->crew.count == 0 && !pool->template) {
        move(pool, POOL_GONE, 0);
        (void)obituary_tick(&pool->obituaries, INT64_MAX);
        uv_close((uv_handle_t *)&pool->timer, on_timer_closed);
        return;
    }
    if (now_ms < pool->deadline_ms)
        return; /* waits for: the crew's changed, on_template_gone */
    crew_abandon(&pool->crew);
    if (pool->template) {
        kin_kill(&pool->template->kin, "its pool has drained");
        kin_abandon(&pool->template->kin);
    }
    pool->deadline_ms = now_ms + GRACE_MS;
}

static enum crew_need pool_need(const struct pool *pool)
{
    if (pool->queue.count > 0)
        return CREW_CALLS;
    return pool->drain_ms ? CREW_NOTHING : CREW_SPARE;
}

static void on_timer(uv_timer_t *timer);

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void set_timer(struct pool *pool, int64_t now_ms)
{
    int64_t due = obituary_tick(&pool->obituaries, now_ms);

    if (pool->state == POOL_GONE)
        return;
    due = earlier(due, crew_due(&pool->crew, now_ms));
    if (pool->state == POOL_LOADING || pool->state == POOL_UP)
        due = earlier(due, pool->weight.due_ms);
    if (pool->queue.count > 0)
        due = earlier(due, RING_OF(pool->queue.calls.next, struct call, ring)->since_ms +
                               pool->config->queue_ms);
    if (pool->deadline_ms > 0 && (pool->state != POOL_WAITING || pool->deadline_ms > now_ms))
        due = earlier(due, pool->deadline_ms);
    if (pool->drain_ms && pool->state < POOL_CLOSING)
        due = earlier(due, pool->drain_ms);
    if (due == INT64_MAX) {
        pool->timer_ms = 0;
        uv_timer_stop(&pool->timer);
    } else if (due != pool->timer_ms) {
        pool->timer_ms = due;
        uv_update_time(pool->timer.loop);
        uv_timer_start(&pool->timer, on_timer, due > now_ms ? (uint64_t)(due - now_ms) : 1, 0);
    }
}

static void pool_tick(struct pool *pool)
{
    int64_t now_ms = clock_now_ms();
    enum pool_state before;

    expire_queue(pool, now_ms);
    if (pool->state == POOL_LOADING || pool->state == POOL_UP)
        pool_weigh_template(pool, now_ms);
    do {
        before = pool->state;
        if (is_over(pool, now_ms)) {
            move(pool, POOL_CLOSING, now_ms + GRACE_MS);
            pool->crew.template = NULL;
            fail_queue(pool, CALL_CRASHED, SPAN("the worker is being closed"));
        }
        switch (pool->state) {
        case POOL_WAITING:
            start(pool, now_ms);
            if (pool->is_told && pool->unloaded >= LOAD_TRIES)
                fail_unstarted(pool, "its template", pool->unloaded);
            break;
        case POOL_SPAWNING:
        case POOL_LOADING:
            check_start(pool, now_ms);
            break;
        case POOL_UP:
            serve_queue(pool);
            crew_tick(&pool->crew, now_ms, pool_need(pool));
            if (crew_is_failing(&pool->crew))
                fail_unstarted(pool, "its process", pool->crew.backoff.failures);
            break;
        case POOL_REFUSED:
            fail_queue(pool, CALL_NOT_LOADED, refusal(pool));
            break;
        case POOL_FALLING:
            check_fallen(pool, now_ms);
            break;
        case POOL_CLOSING:
            check_closed(pool, now_ms);
            break;
        case POOL_GONE:
        case POOL_STATES:
            break;
        }
    } while (pool->state != before || is_over(pool, now_ms));
    set_timer(pool, now_ms);
}

static void run_wake(struct turn_item *item)
{
    pool_tick(RING_OF(item, struct pool, wake));
}

static void on_timer(uv_timer_t *timer)
{
    struct pool *pool = timer->data;

    pool->timer_ms = 0;
    pool_wake(pool);
}

static void on_crew_changed(void *self)
{
    pool_wake(self);
}

static void on_crew_log(void *self, enum log_level level, struct span text, struct span told,
                        void *ticket, bool is_raised)
{
    struct pool *pool = self;

    if (told.len > 0 && ticket && pool->events->told)
        pool->events->told(pool->self, told, ticket);
    if (is_raised && pool->events->raised)
        pool->events->raised(pool->self, level, text, ticket);
    else
        pool->events->log(pool->self, level, text, ticket);
}

void pool_limited(struct pool *pool, enum limit limit, struct span text, void *ticket)
{
    if (pool->events->limited)
        pool->events->limited(pool->self, limit, text, ticket);
    else if (text.len > 0)
        pool->events->log(pool->self, LOG_WARN, text, ticket);
}

static void on_crew_limited(void *self, enum limit limit, struct span text, void *ticket)
{
    pool_limited(self, limit, text, ticket);
}

static void on_crew_outcall(void *self, struct outcall *outcall, const struct outcall_head *head,
                            bool is_end)
{
    struct pool *pool = self;

    if (pool->events->outcall)
        pool->events->outcall(pool->self, outcall, head, is_end);
}

static void on_crew_eased(void *self)
{
    struct pool *pool = self;

    if (pool->queue.count > 0 || pool->drain_ms)
        pool_wake(pool);
}

/* From the herd */

void pool_zygote_changed(struct pool *pool, unsigned failures)
{
    if (failures >= LOAD_TRIES && pool->state == POOL_WAITING && !pool->is_told)
        pool_refuse_because(pool, FAILURE_INTERNAL, "the engine process (zygote) does not start");
    pool_wake(pool);
}

void pool_spawned(struct pool *pool, const struct spawned *spawned)
{
    if (!pool->template || pool->template->id != spawned->id)
        return;
    pool->template->pid_hint = spawned->pid;
    tries_spawned(&pool->tries, spawned->pid);
}

void pool_spawn_failed(struct pool *pool, const struct spawn_failed *failed)
{
    if (!pool->template || pool->template->id != failed->id || pool->state != POOL_SPAWNING)
        return;
    pool->is_patient = failed->is_retry;
    if (!failed->is_retry)
        log_error("fork the template of '%s': %.*s", pool->text.name, SPAN_ARG(failed->text));
    kin_kill(&pool->template->kin, "it was not forked");
}

void pool_exited(struct pool *pool, const struct exited *exited)
{
    tries_exited(&pool->tries, exited->pid, exited->status);
    on_exited(pool, exited);
}

void pool_kill(struct pool *pool)
{
    pool->is_killed = true;
    pool_wake(pool);
}

/* Public */

static void set_rule(struct pool *pool, const struct pool_spec *spec, bool is_measured)
{
    pool->crew.rule.turn = &pool->turn->count;
    pool->crew.rule.is_measured = is_measured || spec->measures_cpu;
    pool_limit(pool, &spec->limits);
}

int pool_open(struct herd *herd, const struct pool_spec *spec, const struct pool_events *events,
              void *self, struct pool **ret_pool, struct err *err)
{
    static const struct crew_events CREW = {on_crew_changed, on_crew_eased, on_crew_log,
                                            on_crew_limited, on_crew_outcall};
    struct pool *pool = mem_alloc(sizeof *pool);

    if (!pool || pool_text_copy(&pool->text, spec) < 0) {
        mem_free(pool);
        return err_nomem(err);
    }
    pool->events = events;
    pool->self = self;
    pool->obituaries.name = pool->text.name;
    pool->is_later = spec->is_later;
    ring_init(&pool->ring);
    ring_init(&pool->queue.calls);
    turn_item_init(&pool->wake, run_wake);
    herd_add(herd, pool);
    crew_init(&pool->crew);
    hoard_item_init(&pool->held, pool_is_heaviest, pool);
    set_rule(pool, spec, false);
    pool->crew.turn = pool->turn;
    pool->crew.config = pool->config;
    pool->crew.ration = pool->ration;
    pool->crew.name = pool->text.name;
    pool->crew.events = &CREW;
    pool->crew.self = pool;
    pool->crew.obituaries = &pool->obituaries;
    uv_timer_init(pool->turn->prepare.loop, &pool->timer);
    pool->timer.data = pool;
    pool_wake(pool);
    *ret_pool = pool;
    return 0;
}

int pool_load(struct pool *pool, const struct pool_spec *spec, struct err *err)
{
    struct pool_text old = pool->text, text;

    if (pool_text_copy(&text, spec) < 0)
        return err_nomem(err);
    /* The name is known by where it stands. */
    mem_free(text.name);
    text.name = old.name;
    old.name = NULL;
    pool_text_done(&old);
    pool->text = text;
    set_rule(pool, spec, pool->crew.rule.is_measured);
    pool->is_later = false;
    pool_wake(pool);
    return 0;
}

void pool_refuse(struct pool *pool, const struct failed *why)
{
    if (pool->state == POOL_WAITING && !pool->is_told)
        refuse(pool, why);
}

void pool_drain(struct pool *pool)
{
    if (pool->drain_ms == 0)
        pool->drain_ms = clock_now_ms() + DRAIN_MS;
    crew_hang_up(&pool->crew);
    pool_wake(pool);
}

void pool_hang_up(struct pool *pool)
{
    crew_hang_up(&pool->crew);
    pool_wake(pool);
}

void pool_stats(const struct pool *pool, struct pool_stats *ret)
{
    crew_stats(&pool->crew, ret);
    ret->waiting = pool->queue.count;
    ret->waited = pool->waited;
    ret->loaded = pool->loaded;
    if (pool->template)
        ret->memory_bytes += proc_resident_bytes(kin_pid(&pool->template->kin));
}

void pool_limit(struct pool *pool, const struct limit_set *limits)
{
    int64_t cpu_ms = limits->of[LIMIT_CPU];

    pool->crew.limits = *limits;
    pool->crew.rule.limit_us = cpu_ms * 1000;
    pool->crew.rule.is_measured = pool->crew.rule.is_measured || cpu_ms > 0;
}

const struct limit_set *pool_limits(const struct pool *pool)
{
    return &pool->crew.limits;
}

int64_t pool_startup_ms(const struct pool *pool)
{
    return pool->startup_ms;
}

unsigned pool_instances(const struct pool *pool)
{
    return crew_size(&pool->crew);
}
