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
 *   4. A template that forks nothing in START_MS is ended when nobody else is up. */
#include "herd/crew.h"

#include <unistd.h>

#include "base/clock.h"

enum {
    START_MS = 5000,            /* from FORK to HELLO */
    FORK_RETRY_MS = 100,        /* the template still has helper threads */
    SPARE_DELAY_MS = 10,        /* a fork ahead of need leaves the processor to the call that
                                   has just taken the last spare */
    WEIGH_MS = 100,             /* how often to look at what an instance holds in memfds */
    LINGER_LOOK_MS = 1000,      /* how often to look at calls that only run on */
};

static struct instance *instance_at(struct ring *at) { return RING_OF(at, struct instance, ring); }

static bool is_living(const struct instance *i)
{
    return i->kin.state < KIN_ENDING && !i->kin.killed;
}

void crew_init(struct crew *crew) { ring_init(&crew->instances); }

static unsigned count_active(const struct crew *crew)
{
    unsigned n = 0;

    RING_EACH(at, &crew->instances)
    {
        const struct instance *i = instance_at(at);
        n += is_living(i) && i->is_active && !i->is_retiring;
    }
    return n;
}

/* The one that is starting or spare. */
static struct instance *find_spare(const struct crew *crew)
{
    RING_EACH(at, &crew->instances)
    {
        struct instance *i = instance_at(at);
        if (is_living(i) && !i->is_active)
            return i;
    }
    return NULL;
}

struct instance *crew_pick(struct crew *crew)
{
    struct instance *free = NULL, *busy = NULL, *spare = NULL;
    unsigned active = 0;

    RING_EACH(at, &crew->instances)
    {
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
    if (active >= crew->config->instances_max)
        return busy;
    if (spare && instance_has_room(spare))
        return spare;
    /* One is coming, or will be: wait for it; but not for a fork that fails. */
    return crew->backoff.failures > 0 ? busy : NULL;
}

static void on_up(void *self, struct instance *instance)
{
    struct crew *crew = self;

    if (crew->is_hung_up)
        instance_hang_up(instance);
    crew->is_told_of_threads = false;
    crew->events->changed(crew->self);
}

static void on_log(void *self, enum log_level level, struct span text)
{
    struct crew *crew = self;

    crew->events->log(crew->self, level, text);
}

static void on_eased(void *self, struct instance *instance)
{
    struct crew *crew = self;

    (void)instance;
    backoff_reset(&crew->backoff);
    crew->events->eased(crew->self);
}

static void on_ended(void *self, struct instance *instance, enum kin_end how, const char *why)
{
    struct crew *crew = self;
    int64_t now_ms = clock_now_ms();
    pid_t pid = kin_pid(&instance->kin);

    if (how == KIN_KILLED)
        log_debug("an instance of '%s' (process %d) was ended: %s", crew->name, (int)pid, why);
    else if (how == KIN_LIED)
        log_error("an instance of '%s' (process %d) broke the protocol and was ended: %s",
                  crew->name, (int)pid, why);
    else if (crew->template)
        obituary_add(crew->obituaries, "an instance", pid, instance->pid_hint, now_ms);
    if (how != KIN_KILLED && !instance->is_active)
        crew->fork_at_ms = now_ms + backoff_fail(&crew->backoff);
    crew->events->changed(crew->self);
}

static void on_gone(void *self, struct instance *instance)
{
    struct crew *crew = self;

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

static int fork_one(struct crew *crew, struct err *err)
{
    static const struct instance_events EVENTS = {on_up,    on_log,  on_eased,
                                                  on_ended, on_gone, on_outcall};
    struct spawn spawn = {.id = crew->last_id + 1, .memory_bytes = crew->config->memory_bytes};
    struct instance *instance = NULL;
    int ours, theirs, r;

    r = peer_pair(&ours, &theirs, err);
    if (r < 0)
        return r;
    r = instance_open(crew->turn, ours, kin_pid(&crew->template->kin), spawn.id, &EVENTS, crew,
                      &instance, err);
    if (r < 0) {
        close(theirs);
        return r;
    }
    crew->last_id = spawn.id;
    ring_push(&crew->instances, &instance->ring);
    crew->count++;
    r = template_fork(crew->template, &spawn, theirs, err);
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
    if (crew->config->spares == 0 && count_active(crew) >= crew->config->instances_max)
        return;
    if (need == CREW_SPARE && crew->count > 0) {
        if (crew->missing_ms == 0)
            crew->missing_ms = now_ms;
        if (now_ms - crew->missing_ms < SPARE_DELAY_MS)
            return; /* waits for: crew_due */
    }
    crew->missing_ms = 0;
    if (fork_one(crew, &err) < 0) {
        int wait_ms = backoff_fail(&crew->backoff);
        log_warn("fork an instance of '%s': %s; again in %d ms", crew->name, err.text, wait_ms);
        crew->fork_at_ms = now_ms + wait_ms;
    }
}

/* With nobody up there is nothing to lose, and a template that stands still
 * would be asked in vain for ever: the pool starts another one. */
static void give_up_start(struct crew *crew, struct instance *late)
{
    kin_kill(&late->kin, "it did not start in time");
    RING_EACH(at, &crew->instances)
        if (kin_is_up(&instance_at(at)->kin))
            return;
    if (!crew->template || !kin_is_up(&crew->template->kin))
        return;
    log_warn("the template of '%s' has forked nothing in %d s: it is ended", crew->name,
             START_MS / 1000);
    kin_kill(&crew->template->kin, "it does not fork any more");
}

static void give_up_stuck(const struct crew *crew, struct instance *i)
{
    log_error("an instance of '%s' (process %d) is ended: its code has not returned to the event "
              "loop for %d s",
              crew->name, (int)kin_pid(&i->kin), INSTANCE_STUCK_MS / 1000);
    kin_kill(&i->kin, "its loop stood still");
}

/* Memory that the kernel counts for nobody.  Returns whether that was its end. */
static bool weigh(const struct crew *crew, struct instance *i, int64_t now_ms)
{
    if (now_ms - i->weighed_ms < WEIGH_MS)
        return false;
    i->weighed_ms = now_ms;
    i->held_bytes = proc_held_bytes(kin_pid(&i->kin));
    if (i->held_bytes <= INSTANCE_HELD_MAX)
        return false;
    log_error("an instance of '%s' (process %d) is ended: it holds %d MiB in memfds, and %d are "
              "allowed",
              crew->name, (int)kin_pid(&i->kin), (int)(i->held_bytes >> 20),
              (int)(INSTANCE_HELD_MAX >> 20));
    kin_kill(&i->kin, "it held too much memory in memfds");
    return true;
}

static void look_after(struct crew *crew, struct instance *i, int64_t now_ms, bool is_paced)
{
    const struct herd_config *config = crew->config;

    if (!is_living(i))
        return;
    if (is_paced)
        instance_tick(i, now_ms, config->busy_ms);
    if (kin_is_up(&i->kin) && is_paced && weigh(crew, i, now_ms))
        return;
    if (i->kin.state == KIN_STARTING && now_ms - i->born_ms >= START_MS)
        give_up_start(crew, i);
    else if (instance_is_stuck(i, now_ms))
        give_up_stuck(crew, i);
    else if (i->is_retiring && instance_is_idle(i))
        kin_kill(&i->kin, "it has used up its stream numbers");
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
    fork_if_needed(crew, now_ms, need);
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t crew_due(const struct crew *crew, int64_t now_ms)
{
    const struct herd_config *config = crew->config;
    int64_t due = INT64_MAX;

    RING_EACH(at, &crew->instances)
    {
        const struct instance *i = instance_at(at);
        if (!is_living(i))
            continue;
        if (i->kin.state == KIN_STARTING)
            due = earlier(due, i->born_ms + START_MS);
        else if (i->open > 0)
            due = earlier(due, crew->paced_ms + (config->busy_ms + 1) / 2);
        else if (!instance_is_idle(i) || i->held_bytes > 0)
            due = earlier(due, crew->paced_ms + LINGER_LOOK_MS);
        else if (i->is_active)
            due = earlier(due, i->idle_ms + config->idle_ms);
    }
    if (crew->template && !find_spare(crew) && crew->fork_at_ms > now_ms)
        due = earlier(due, crew->fork_at_ms);
    if (crew->template && crew->missing_ms > 0)
        due = earlier(due, crew->missing_ms + SPARE_DELAY_MS);
    return due;
}

int crew_spawned(struct crew *crew, const struct spawned *spawned, struct err *err)
{
    if (spawned->id == 0 || spawned->id > crew->last_id)
        return err_set(err, ERR_INVALID, "SPAWNED for order %u that was not given", spawned->id);
    RING_EACH(at, &crew->instances)
    {
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
    RING_EACH(at, &crew->instances)
    {
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

unsigned crew_size(const struct crew *crew)
{
    unsigned n = 0;

    RING_EACH(at, &crew->instances)
        n += is_living(instance_at(at));
    return n;
}
