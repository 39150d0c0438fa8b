/* crew.c - few instances, each with many calls, and one ahead of need.
 *
 * An instance is spare until it gets its first call, active from then on.  A
 * call goes to the active one that is not busy and holds the fewest; a spare is
 * touched only when every active one is busy (its loop stands still: a second
 * process, and with it a second core, is worth something) and there are fewer
 * than instances_max active ones.  When a spare becomes active the next is
 * forked a moment later.  With as many as allowed, all busy, the one with the
 * fewest calls gets more: they wait there no longer than here.
 *
 * Invariants
 *   1. At most one instance is forked and not yet active (starting or spare).
 *   2. At most instances_max are active, those that retire not counted.
 *   3. After a fork that brought nothing the next one waits for the back-off;
 *      a call that was answered ends the series.
 *   4. A template that forks nothing in START_MS is ended when nobody else is up, or after
 *      START_TRIES such times: each order left descriptors with it.
 *   5. After an instance that broke the protocol the next one waits for a back-off of its
 *      own, whatever it had answered before: a fork costs more than a lie. */
#include "herd/crew.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "herd/guard.h"
#include "herd/met.h"

enum {
    START_MS = 5000, /* from FORK to HELLO */
    START_TRIES =
        3, /* late ones in a row; that end in a row before they take a call: it does not start */
    FORK_RETRY_MS = 100,   /* the template still has helper threads */
    SPARE_DELAY_MS = 10,   /* a fork ahead of need leaves the processor to the call that
                              has just taken the last spare */
    LINGER_LOOK_MS = 1000, /* how often to look at calls that only run on */
    PLACE_LOOK_MS = 50,    /* who waits for a place: has anybody become idle? */
    SPACE_US = 100,        /* of the processor, before its address space is worth another look */
    CROWDED_MS = 1000,     /* so long calls go to busy instances without asking again */
};

static struct instance *instance_at(struct ring *at)
{
    return RING_OF(at, struct instance, ring);
}

static bool is_living(const struct instance *i)
{
    return i->kin.state < KIN_ENDING && !i->kin.killed;
}

static void on_place(void *self)
{
    struct crew *crew = self;

    crew->events->changed(crew->self);
}

void crew_init(struct crew *crew)
{
    ring_init(&crew->instances);
    place_claim_init(&crew->claim, on_place, crew);
}

bool crew_has(const void *self, pid_t pid)
{
    const struct crew *crew = self;

    RING_EACH(at, &crew->instances)
        if (kin_pid(&instance_at(at)->kin) == pid)
            return true;
    return false;
}

static unsigned count_active(const struct crew *crew)
{
    unsigned n = 0;

    RING_EACH(at, &crew->instances) {
        const struct instance *i = instance_at(at);
        n += is_living(i) && i->is_active && !i->is_retiring;
    }
    return n;
}

/* The one that is starting or spare. */
static struct instance *find_spare(const struct crew *crew)
{
    RING_EACH(at, &crew->instances) {
        struct instance *i = instance_at(at);
        if (is_living(i) && !i->is_active)
            return i;
    }
    return NULL;
}

static unsigned instances_max(const struct crew *crew)
{
    int64_t own = crew->limits.of[LIMIT_INSTANCES];

    return own > 0 && own < crew->config->instances_max ? (unsigned)own
                                                        : crew->config->instances_max;
}

struct instance *crew_pick(struct crew *crew)
{
    struct instance *free = NULL, *busy = NULL, *spare = NULL;
    unsigned active = 0;

    RING_EACH(at, &crew->instances) {
        struct instance *i = instance_at(at);
        struct instance **best = i->is_busy ? &busy : &free;
        active += is_living(i) && i->is_active && !i->is_retiring;
        if (!i->is_active && is_living(i))
            spare = i;
        if (i->is_active && instance_has_room(i) && (!*best || i->open < (*best)->open))
            *best = i;
    }
    if (free)
        return free;
    if (active >= instances_max(crew))
        return busy;
    if (spare && instance_has_room(spare))
        return spare;
    /* One is coming, or will be: wait for it; but not for a fork that fails, nor for a place. */
    return crew->backoff.failures > 0 || crew->is_crowded ? busy : NULL;
}

static void on_up(void *self, struct instance *instance)
{
    struct crew *crew = self;

    instance->space_base = proc_address_bytes(kin_pid(&instance->kin));
    guard_begin(crew, instance, clock_now_ms());
    if (crew->is_hung_up)
        instance_hang_up(instance);
    crew->is_told_of_threads = false;
    crew->late = 0;
    crew->events->changed(crew->self);
}

static void on_log(void *self, enum log_level level, struct span text, struct span told,
                   void *ticket, bool is_raised)
{
    struct crew *crew = self;

    crew->events->log(crew->self, level, text, told, ticket, is_raised);
}

static void on_stopped(void *self, struct instance *instance, struct call *call)
{
    struct crew *crew = self;
    char text[200];
    int n =
        snprintf(text, sizeof text,
                 "a request has used more than its %lld ms of processor time (limits.cpu_ms) and "
                 "was stopped, in process %d",
                 (long long)(crew->rule.limit_us / 1000), (int)kin_pid(&instance->kin));

    crew->events->limited(crew->self, LIMIT_CPU, (struct span){text, (size_t)n}, call->ticket);
}

static void on_eased(void *self, struct instance *instance)
{
    struct crew *crew = self;

    (void)instance;
    backoff_reset(&crew->backoff);
    crew->events->eased(crew->self);
}

/* It ended before it took a call. */
static void count_failure(struct crew *crew, int64_t lived_ms, int64_t now_ms)
{
    if (lived_ms >= BACKOFF_STEADY_MS)
        backoff_reset(&crew->backoff);
    crew->fork_at_ms = now_ms + backoff_fail(&crew->backoff);
    if (crew->backoff.failures == START_TRIES)
        log_error("'%s' does not start: %d instances in a row ended before they took a request; "
                  "requests get a 503 until one stays",
                  crew->name, START_TRIES);
}

static void count_lie(struct crew *crew, pid_t pid, const char *why, int64_t now_ms)
{
    int wait_ms;

    if (now_ms - crew->lie_ms >= BACKOFF_STEADY_MS)
        backoff_reset(&crew->lies);
    crew->lie_ms = now_ms;
    wait_ms = backoff_fail(&crew->lies);
    if (crew->fork_at_ms < now_ms + wait_ms)
        crew->fork_at_ms = now_ms + wait_ms;
    log_rationed(&crew->said, LOG_ERROR,
                 "an instance of '%s' (process %d) broke the protocol and was ended: %s",
                 crew->name, (int)pid, why);
}

static void on_ended(void *self, struct instance *instance, enum kin_end how, const char *why)
{
    struct crew *crew = self;
    int64_t now_ms = clock_now_ms();
    pid_t pid = kin_pid(&instance->kin);

    guard_end(crew, instance);
    if (how == KIN_KILLED)
        log_debug("an instance of '%s' (process %d) was ended: %s", crew->name, (int)pid, why);
    else if (how == KIN_DIED && crew->template)
        obituary_add(crew->obituaries, "an instance", pid, instance->pid_hint, now_ms);
    if (how != KIN_KILLED && !instance->is_active)
        count_failure(crew, now_ms - instance->born_ms, now_ms);
    if (how == KIN_LIED)
        count_lie(crew, pid, why, now_ms);
    crew->events->changed(crew->self);
}

static void on_gone(void *self, struct instance *instance)
{
    struct crew *crew = self;

    place_free(&instance->place);
    ring_drop(&instance->ring);
    crew->count--;
    crew->events->changed(crew->self);
}

static void on_outcall(void *self, struct outcall *outcall, const struct outcall_head *head,
                       bool is_end)
{
    struct crew *crew = self;

    if (crew->events->outcall)
        crew->events->outcall(crew->self, outcall, head, is_end);
}

/* struct place: since when is it idle, in the eyes of others that want its place? */
static int64_t idle_since(void *self)
{
    const struct instance *i = self;

    if (!is_living(i) || !kin_is_up(&i->kin) || i->is_retiring)
        return PLACE_STAYS;
    if (instance_is_idle(i))
        return i->idle_ms;
    return i->is_active && count_active(i->self) > 1 ? PLACE_ONE_OF_SEVERAL : PLACE_STAYS;
}

static void give_way(void *self)
{
    struct instance *i = self;
    struct crew *crew = i->self;

    if (instance_is_idle(i))
        kin_kill(&i->kin, "its place goes to another version");
    i->is_retiring = true;
    crew->events->changed(crew->self);
}

static bool has_place(struct crew *crew, int64_t now_ms, enum crew_need need)
{
    enum place_wish wish = need == CREW_SPARE       ? PLACE_AHEAD
                           : count_active(crew) > 0 ? PLACE_FURTHER
                                                    : PLACE_FIRST;

    if (!crew->places || places_ask(crew->places, &crew->claim, wish)) {
        crew->is_crowded = false;
        return true;
    }
    if (wish == PLACE_AHEAD || crew->is_crowded || !place_claim_is_stuck(&crew->claim))
        return false;
    crew->is_crowded = true;
    crew->crowded_ms = now_ms;
    met_crowded(crew, now_ms);
    crew->events->changed(crew->self); /* the busy ones take what waits */
    return false;
}

static int fork_one(struct crew *crew, struct err *err)
{
    static const struct instance_events EVENTS = {on_up,    on_log,   met_tell, on_stopped,
                                                  on_eased, on_ended, on_gone,  on_outcall};
    /* Code that asks for more hears a MemoryError before it is ended for what it has. */
    uint64_t memory_bytes = (uint64_t)(crew->limits.of[LIMIT_MEMORY] << 20) / 8 * 7;
    struct spawn spawn = {.id = crew->last_id + 1,
                          .memory_bytes = memory_bytes,
                          .descriptors = (uint32_t)crew->limits.of[LIMIT_DESCRIPTORS],
                          .is_timed = crew->rule.limit_us > 0};
    struct instance *instance = NULL;
    struct witness witness = {0};
    int ours, theirs[2] = {-1, -1}, r;

    r = spawn.is_timed ? witness_open(&witness, &theirs[1], err) : 0;
    if (r < 0)
        return r;
    r = peer_pair(&ours, &theirs[0], err);
    if (r == 0)
        r = instance_open(crew->turn, ours, kin_pid(&crew->template->kin), spawn.id, &EVENTS, crew,
                          &instance, err);
    if (r < 0) {
        witness_close(&witness);
        for (int i = 0; i < 2; i++)
            if (theirs[i] >= 0)
                close(theirs[i]);
        return r;
    }
    crew->last_id = spawn.id;
    instance->kin.all = crew->ration;
    ring_push(&crew->instances, &instance->ring);
    place_init(&instance->place, idle_since, give_way, instance);
    if (crew->places)
        places_take(crew->places, &instance->place);
    instance_meter_by(instance, &crew->rule, witness);
    instance->limits = &crew->limits;
    instance->space_max = (int64_t)memory_bytes;
    crew->count++;
    crew->forked++;
    r = template_fork(crew->template, &spawn, theirs, spawn.is_timed ? 2 : 1, err);
    if (r < 0)
        kin_kill(&instance->kin, "the order to fork could not be sent");
    return r;
}

static void fork_if_needed(struct crew *crew, int64_t now_ms, enum crew_need need)
{
    struct err err = {0};

    if (!crew->template || !kin_is_up(&crew->template->kin) || need == CREW_NOTHING ||
        now_ms < crew->fork_at_ms || find_spare(crew))
        return;
    if (need == CREW_SPARE && crew->config->spares == 0)
        return;
    if (crew->config->spares == 0 && count_active(crew) >= instances_max(crew))
        return;
    if (need == CREW_SPARE && crew->count > 0) {
        if (crew->missing_ms == 0)
            crew->missing_ms = now_ms;
        if (now_ms - crew->missing_ms < SPARE_DELAY_MS)
            return; /* waits for: crew_due */
    }
    if (!has_place(crew, now_ms, need))
        return; /* waits for: on_place, crew_due */
    crew->missing_ms = 0;
    if (fork_one(crew, &err) < 0) {
        int wait_ms = backoff_fail(&crew->backoff);
        log_warn("fork an instance of '%s': %s; again in %d ms", crew->name, err.text, wait_ms);
        crew->fork_at_ms = now_ms + wait_ms;
    }
}

/* With nobody up there is nothing to lose, and a template that stands still
 * would be asked in vain for ever: the pool starts another one.  So it does in the
 * end with others up: orders that nobody reads are descriptors in flight, and the
 * kernel has few of those for all workers together. */
static void give_up_start(struct crew *crew, struct instance *late)
{
    kin_kill(&late->kin, "it did not start in time");
    crew->late++;
    RING_EACH(at, &crew->instances)
        if (kin_is_up(&instance_at(at)->kin) && crew->late < START_TRIES)
            return;
    if (!crew->template || !kin_is_up(&crew->template->kin))
        return;
    log_warn("the template of '%s' has forked nothing in %d s: it is ended", crew->name,
             START_MS / 1000);
    crew->late = 0;
    kin_kill(&crew->template->kin, "it does not fork any more");
}

static void give_up_stuck(const struct crew *crew, struct instance *i)
{
    log_error("an instance of '%s' (process %d) is ended: its code has not returned to the event "
              "loop for %d s",
              crew->name, (int)kin_pid(&i->kin), crew->config->stuck_ms / 1000);
    kin_kill(&i->kin, "its loop stood still");
}

/* Has a call used up its processor time?  Then that is the end of all that runs beside it. */
static bool meter(struct crew *crew, struct instance *i, int64_t now_ms)
{
    if (crew->rule.limit_us == 0 || i->meter.count == 0)
        return false;
    if (i->meter.due_ms == 0) /* most calls are over before a look is worth it */
        i->meter.due_ms = now_ms + METER_MS;
    if (now_ms < i->meter.due_ms || !instance_meter(i, now_ms))
        return false;
    guard_exceeded(crew, i, LIMIT_CPU,
                   "a request has used more than its %lld ms of processor time (limits.cpu_ms)",
                   (long long)(crew->rule.limit_us / 1000));
    return true;
}

/* One that has just died has none any more: what it had last is what tells. */
static void measure_space(struct instance *i)
{
    int64_t clock_us = meter_clock_us(kin_pid(&i->kin)), bytes;

    /* Who has hardly run since has taken none. */
    if (i->space_us > 0 && clock_us - i->space_us < SPACE_US)
        return;
    bytes = proc_address_bytes(kin_pid(&i->kin));
    if (bytes > 0)
        i->space_bytes = bytes;
    i->space_us = clock_us;
}

static void look_after(struct crew *crew, struct instance *i, int64_t now_ms, bool is_paced)
{
    const struct herd_config *config = crew->config;

    if (!is_living(i))
        return;
    if (is_paced)
        instance_tick(i, now_ms, config->busy_ms);
    if (kin_is_up(&i->kin) && is_paced && i->open > 0)
        measure_space(i);
    if (kin_is_up(&i->kin) && i->is_active && !guard_look(crew, i, now_ms))
        return;
    if (kin_is_up(&i->kin) && meter(crew, i, now_ms))
        return;
    if (i->kin.state == KIN_STARTING && now_ms - i->born_ms >= START_MS)
        give_up_start(crew, i);
    else if (instance_is_stuck(i, now_ms, config->stuck_ms))
        give_up_stuck(crew, i);
    else if (i->is_retiring && instance_is_idle(i))
        kin_kill(&i->kin, "it takes no more calls");
    else if (i->is_active && instance_is_idle(i) && now_ms - i->idle_ms >= config->idle_ms)
        kin_kill(&i->kin, "it was idle");
}

void crew_tick(struct crew *crew, int64_t now_ms, enum crew_need need)
{
    bool is_paced = now_ms - crew->paced_ms >= crew->config->busy_ms / 2;

    if (is_paced)
        crew->paced_ms = now_ms;
    /* Nobody leaves the list in here: instances go when libuv has let go of them. */
    RING_EACH(at, &crew->instances)
        look_after(crew, instance_at(at), now_ms, is_paced);
    if (crew->is_crowded && now_ms - crew->crowded_ms >= CROWDED_MS)
        crew->is_crowded = false;
    if (need != CREW_CALLS)
        place_claim_drop(&crew->claim);
    fork_if_needed(crew, now_ms, need);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t crew_due(const struct crew *crew, int64_t now_ms)
{
    const struct herd_config *config = crew->config;
    int64_t due = INT64_MAX;

    RING_EACH(at, &crew->instances) {
        const struct instance *i = instance_at(at);
        if (!is_living(i))
            continue;
        if (i->kin.state == KIN_STARTING)
            due = earlier(due, i->born_ms + START_MS);
        else if (i->open > 0)
            due = earlier(due, instance_due(i, crew->paced_ms, config->busy_ms));
        else if (!instance_is_idle(i))
            due = earlier(due, crew->paced_ms + LINGER_LOOK_MS);
        else if (i->is_active)
            due = earlier(due, i->idle_ms + config->idle_ms);
        if (kin_is_up(&i->kin) && i->is_active)
            due = earlier(due, guard_due(i));
        if (i->is_retiring && instance_is_idle(i))
            due = now_ms;
        if (i->meter.count > 0 && crew->rule.limit_us > 0)
            due = earlier(due, i->meter.due_ms > 0 ? i->meter.due_ms : now_ms + METER_MS);
    }
    if (crew->template && !find_spare(crew) && crew->fork_at_ms > now_ms)
        due = earlier(due, crew->fork_at_ms);
    if (crew->claim.at)
        due = earlier(due, now_ms + PLACE_LOOK_MS);
    if (crew->template && crew->missing_ms > 0)
        due = earlier(due, crew->missing_ms + SPARE_DELAY_MS);
    return due;
}

int crew_spawned(struct crew *crew, const struct spawned *spawned, struct err *err)
{
    if (spawned->id == 0 || spawned->id > crew->last_id)
        return err_set(err, ERR_INVALID, "SPAWNED for order %u that was not given", spawned->id);
    RING_EACH(at, &crew->instances) {
        struct instance *i = instance_at(at);
        if (i->id == spawned->id)
            i->pid_hint = spawned->pid;
    }
    return 0;
}

int crew_spawn_failed(struct crew *crew, const struct spawn_failed *failed, struct err *err)
{
    int64_t now_ms = clock_now_ms();
    struct instance *refused = NULL;
    int wait_ms = FORK_RETRY_MS;

    if (failed->id == 0 || failed->id > crew->last_id)
        return err_set(err, ERR_INVALID, "SPAWN_FAILED for order %u that was not given",
                       failed->id);
    RING_EACH(at, &crew->instances) {
        struct instance *i = instance_at(at);
        if (i->id == failed->id && i->kin.state == KIN_STARTING && !i->kin.killed)
            refused = i;
    }
    /* Given up meanwhile; or a template that repeats itself to fill the log. */
    if (!refused)
        return 0;
    kin_kill(&refused->kin, "it was not forked");
    if (!failed->is_retry) {
        wait_ms = backoff_fail(&crew->backoff);
        log_warn("fork an instance of '%s': %.*s; again in %d ms", crew->name,
                 SPAN_ARG(failed->text), wait_ms);
    } else if (!crew->is_told_of_threads) {
        crew->is_told_of_threads = true;
        log_info("'%s' waits for helper threads to end before it can be forked", crew->name);
    }
    crew->fork_at_ms = now_ms + wait_ms;
    crew->events->changed(crew->self);
    return 0;
}

void crew_kill(struct crew *crew, const char *why)
{
    place_claim_drop(&crew->claim);
    RING_EACH(at, &crew->instances)
        kin_kill(&instance_at(at)->kin, why);
}

void crew_hang_up(struct crew *crew)
{
    if (crew->is_hung_up)
        return;
    crew->is_hung_up = true;
    RING_EACH(at, &crew->instances)
        if (kin_is_up(&instance_at(at)->kin))
            instance_hang_up(instance_at(at));
}

void crew_abandon(struct crew *crew)
{
    place_claim_drop(&crew->claim);
    /* kin_abandon only asks libuv to close: nobody leaves the list in here. */
    RING_EACH(at, &crew->instances)
        kin_abandon(&instance_at(at)->kin);
}

bool crew_is_idle(const struct crew *crew)
{
    RING_EACH(at, &crew->instances)
        if (!instance_is_idle(instance_at(at)))
            return false;
    return true;
}

bool crew_is_failing(const struct crew *crew)
{
    return crew->backoff.failures >= START_TRIES && crew_size(crew) == 0;
}

unsigned crew_size(const struct crew *crew)
{
    unsigned n = 0;

    RING_EACH(at, &crew->instances)
        n += is_living(instance_at(at));
    return n;
}

void crew_stats(const struct crew *crew, struct pool_stats *ret)
{
    *ret = (struct pool_stats){.forked = crew->forked};
    RING_EACH(at, &crew->instances) {
        const struct instance *i = instance_at(at);
        if (!is_living(i))
            continue;
        ret->instances++;
        ret->calls += i->open;
        ret->memory_bytes += proc_resident_bytes(kin_pid(&i->kin));
    }
}
