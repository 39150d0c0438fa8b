/* cron.c - see cron.h.
 *
 *     schedule:  WAITING --its minute--> DUE --no run of its worker--> RUNNING --> WAITING
 *
 * 1. One timer for all: it rings at the next minute that something is due, and every TICK_MS at the
 * latest, so that a clock that was set is noticed.
 * 2. next_ms is the schedule's next time behind the last one that was looked at.  What is later
 * than LATE_MS when it is seen (the machine slept, the clock was set forward) counts as missed.
 * When the clock was set back by more than LATE_MS, times are made anew from it.
 * 3. looked_ms goes to the catalog behind each time that came due, in one job for all of a tick:
 * what was said or begun before a crash is not said or begun again.
 * 4. A run holds its worker, not its schedule: a schedule that is replaced while it runs ends as it
 * began.
 *
 * Who calls it: live.c, change.c. */
#include "live/cron.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "herd/herd.h"
#include "live/event.h"
#include "live/quota.h"
#include "live/trace.h"
#include "text/cron.h"

enum {
    TICK_MS = 30 * 1000,
    LATE_MS = 2 * 60 * 1000,
    CRON_RUN_MS = 15 * 60 * 1000, /* as Cloudflare's limit on wall time */
    CRON_DRAIN_MS = 10 * 1000,
    MISSED_MAX = 10000,      /* counted further than that it is only "more" */
    ANSWER_MAX = 224 * 1024, /* a traceback of 32 KiB, escaped */
};

struct schedule_state {
    char *text;
    struct cron cron;
    bool is_understood;
    int64_t next_ms;
    int64_t due_ms; /* 0: it is not due */
};

struct run {
    struct worker_cron *owner; /* NULL: the worker has gone */
    struct ring ring;          /* table->runs */
    struct timetable *table;
    struct live_ticket *ticket;
    struct call *call;
    char *text;
    int64_t due_ms, started_ms, started_us;
    struct buf answer;
    bool is_again; /* its pool had gone, and it got another one */
};

struct worker_cron {
    struct live_worker *worker;
    struct ring ring; /* table->workers */
    struct schedule_state *items;
    size_t count;
    struct run *run;
};

/* A mark for the catalog: this schedule was looked at up to here. */
struct looked {
    char worker_id[ID_SIZE];
    char *text;
    int64_t looked_ms;
};

struct timetable {
    struct live *live;
    uv_timer_t timer;
    struct ring workers, runs;
    int64_t last_ms;             /* of the wall clock, at the last tick */
    struct looked *fresh, *sent; /* to be sent; at the desk */
    size_t fresh_count, fresh_cap, sent_count;
    struct desk_job job;
    bool is_busy, is_draining, is_closing_timer;
    int64_t cut_ms; /* clock_now_ms: when runs are cut; 0: not closing */
    void (*closed)(struct live *live);
};

static void tick(struct timetable *t);
static void begin_next(struct worker_cron *w);

/* ---- what was looked at ---- */

static void on_timer(uv_timer_t *timer)
{
    tick(timer->data);
}

static void send_looked(struct timetable *t);

static void looked_done(struct looked *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free(items[i].text);
    mem_free(items);
}

static void work_looked(struct desk_job *job, struct catalog *catalog)
{
    struct timetable *t = RING_OF(job, struct timetable, job);
    struct err err = {0};
    int r = catalog_begin(catalog, &err);

    for (size_t i = 0; i < t->sent_count && r == 0; i++) {
        r = schedule_looked(catalog, t->sent[i].worker_id, t->sent[i].text, t->sent[i].looked_ms,
                            &err);
        if (r == ERR_NOT_FOUND)
            r = 0; /* it was replaced meanwhile */
    }
    if (r < 0 || catalog_commit(catalog, &err) < 0)
        catalog_rollback(catalog);
}

static void try_close(struct timetable *t);

static void on_looked(struct desk_job *job)
{
    struct timetable *t = RING_OF(job, struct timetable, job);

    t->is_busy = false;
    looked_done(t->sent, t->sent_count);
    t->sent = NULL;
    send_looked(t);
    try_close(t);
}

static void send_looked(struct timetable *t)
{
    struct err err = {0};

    if (t->is_busy || t->fresh_count == 0)
        return;
    t->sent = t->fresh;
    t->sent_count = t->fresh_count;
    t->fresh = NULL;
    t->fresh_count = t->fresh_cap = 0;
    t->job = (struct desk_job){.work = work_looked, .done = on_looked};
    ring_init(&t->job.ring);
    t->is_busy = true;
    if (desk_add(t->live->config.desk, &t->job, &err) == 0)
        return;
    log_warn("schedules are not noted: %s", err.text);
    t->is_busy = false;
    looked_done(t->sent, t->sent_count);
    t->sent = NULL;
}

/* Without memory the catalog hears of it the next time. */
static void note_looked(struct worker_cron *w, const struct schedule_state *s, int64_t looked_ms)
{
    struct timetable *t = w->worker->account->live->cron;
    struct looked *wider;

    if (t->fresh_count == t->fresh_cap) {
        size_t cap = t->fresh_cap ? 2 * t->fresh_cap : 16;
        wider = mem_resize(t->fresh, cap * sizeof *wider);
        if (!wider)
            return;
        t->fresh = wider;
        t->fresh_cap = cap;
    }
    wider = &t->fresh[t->fresh_count];
    memcpy(wider->worker_id, w->worker->id, sizeof wider->worker_id);
    wider->looked_ms = looked_ms;
    wider->text = mem_strdup(s->text);
    t->fresh_count += wider->text != NULL;
}

/* ---- telling ---- */

static const char *shown_time(int64_t ms, char out[32])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    if (!gmtime_r(&seconds, &tm) || strftime(out, 32, "%Y-%m-%d %H:%M UTC", &tm) == 0)
        snprintf(out, 32, "%lld", (long long)ms);
    return out;
}

/* How often it came due behind `from`, up to `to`. */
static int count_times(const struct cron *cron, int64_t from_ms, int64_t to_ms)
{
    int count = 0;

    while (count <= MISSED_MAX) {
        from_ms = cron_next(cron, from_ms);
        if (from_ms < 0 || from_ms > to_ms)
            break;
        count++;
    }
    return count;
}

static void say_missed(const struct worker_cron *w, const struct schedule_state *s,
                       int64_t since_ms, int64_t to_ms, const char *why)
{
    char since[32];
    int count = count_times(&s->cron, since_ms, to_ms);

    if (count == 0)
        return;
    log_warn("schedule '%s' of worker '%s': %s%d run%s missed since %s: %s", s->text,
             w->worker->name, count > MISSED_MAX ? "more than " : "",
             count > MISSED_MAX ? MISSED_MAX : count, count == 1 ? " was" : "s were",
             shown_time(since_ms, since), why);
}

/* ---- a run ---- */

static void run_free(struct run *run)
{
    ring_drop(&run->ring);
    buf_done(&run->answer);
    mem_free(run->text);
    mem_free(run);
}

/* Tell what came of it, then its worker may run the next one. */
static void finish(struct run *run, enum front_ending ending, struct span text)
{
    struct timetable *t = run->table;
    struct worker_cron *w = run->owner;
    const struct front_outcome outcome = {.ending = ending,
                                          .status = ending == FRONT_OK ? 200 : 500,
                                          .started_ms = run->started_ms,
                                          .wall_us = clock_now_us() - run->started_us,
                                          .cpu_us = run->call ? call_cpu_us(run->call) : -1,
                                          .text = text};

    run->call = NULL;
    if (ending == FRONT_OK)
        log_debug("schedule '%s' of worker '%s' has run", run->text, run->ticket->worker->name);
    else
        log_error("schedule '%s' of worker '%s' failed (%s)%s%.*s", run->text,
                  run->ticket->worker->name, event_outcome(ending), text.len ? ":\n" : "",
                  SPAN_ARG(text));
    live_finished(t->live, run->ticket, &outcome);
    if (w)
        w->run = NULL;
    run_free(run);
    if (w)
        begin_next(w);
    try_close(t);
}

static void on_head(void *self, const struct response *head)
{
    if (head->body_length == 0)
        finish(self, FRONT_UNKNOWN, SPAN("the worker said nothing of its event"));
}

static void on_body(void *self, struct span bytes, bool is_end)
{
    struct run *run = self;
    const char *outcome, *error;
    json_t *said;

    if (buf_len(&run->answer) + bytes.len <= ANSWER_MAX &&
        buf_append(&run->answer, bytes.data, bytes.len) < 0)
        buf_done(&run->answer); /* is no JSON then */
    if (!is_end) {
        call_credit(run->call, bytes.len);
        return;
    }
    said = json_loadb(buf_data(&run->answer), buf_len(&run->answer), 0, NULL);
    outcome = json_string_value(json_object_get(said, "outcome"));
    error = json_string_value(json_object_get(said, "error"));
    if (outcome && strcmp(outcome, "ok") == 0)
        finish(run, FRONT_OK, SPAN(""));
    else if (outcome)
        finish(run, FRONT_EXCEPTION, error ? span_of(error) : SPAN(""));
    else
        finish(run, FRONT_UNKNOWN, SPAN("the worker's answer to its event is malformed"));
    json_decref(said);
}

static void on_nothing(void *self)
{
    (void)self;
}

static void on_failed(void *self, enum call_failure why, struct span text)
{
    static const enum front_ending ENDINGS[] = {[CALL_OVERLOADED] = FRONT_UNKNOWN,
                                                [CALL_NOT_STARTED] = FRONT_UNKNOWN,
                                                [CALL_NOT_LOADED] = FRONT_NOT_LOADED,
                                                [CALL_EXCEPTION] = FRONT_EXCEPTION,
                                                [CALL_BAD_RESULT] = FRONT_EXCEPTION,
                                                [CALL_CRASHED] = FRONT_UNKNOWN,
                                                [CALL_EXCEEDED_CPU] = FRONT_EXCEEDED_CPU,
                                                [CALL_EXCEEDED_MEMORY] = FRONT_EXCEEDED_MEMORY,
                                                [CALL_EXCEEDED_OTHER] = FRONT_EXCEEDED_OTHER,
                                                [CALL_CUT] = FRONT_UNKNOWN};

    finish(self, ENDINGS[why], text);
}

/* Into a pool of the version that the deployment says now. */
static int call(struct run *run, struct live_worker *worker, struct err *err)
{
    static const struct call_events EVENTS = {.head = on_head,
                                              .body = on_body,
                                              .writable = on_nothing,
                                              .unwanted = on_nothing,
                                              .failed = on_failed};
    struct live_version *version = live_choose(worker);
    struct event event = {.kind = SPAN("scheduled"), .entrypoint = SPAN("")};
    json_t *payload;
    struct pool *pool;
    char *text;
    int r;

    if (!version)
        return err_set(err, ERR_NOT_FOUND, "nothing of it is deployed");
    payload = json_pack("{s:s, s:I}", "cron", run->text, "time", (json_int_t)run->due_ms);
    text = payload ? json_dumps(payload, JSON_COMPACT) : NULL;
    json_decref(payload);
    if (!text)
        return err_nomem(err);
    event.payload = span_of(text);
    r = live_use(version, &pool, &run->ticket, err);
    if (r == 0) {
        r = pool_event(pool, &event, &EVENTS, run, &run->call, err);
        if (r < 0)
            live_unuse(run->ticket);
    }
    if (r == 0) {
        run->ticket->is_scheduled = true;
        trace_scheduled(run->ticket, run->text, run->due_ms);
        call_set_ticket(run->call, run->ticket);
    }
    mem_free(text);
    return r;
}

static int begin(struct worker_cron *w, struct schedule_state *s, struct err *err)
{
    struct timetable *t = w->worker->account->live->cron;
    struct run *run = mem_alloc(sizeof *run);
    int r;

    if (!run)
        return err_nomem(err);
    ring_init(&run->ring);
    run->table = t;
    run->owner = w;
    run->due_ms = s->due_ms;
    run->started_ms = clock_wall_ms();
    run->started_us = clock_now_us();
    run->text = mem_strdup(s->text);
    r = run->text ? call(run, w->worker, err) : err_nomem(err);
    if (r == ERR_GONE)
        r = call(run, w->worker, err); /* that version was just replaced */
    if (r < 0) {
        run_free(run);
        return r;
    }
    ring_push(&t->runs, &run->ring);
    w->run = run;
    return 0;
}

/* The one that has been due for longest, unless one runs. */
static void begin_next(struct worker_cron *w)
{
    struct timetable *t = w->worker->account->live->cron;

    while (!w->run && !t->is_draining) {
        struct schedule_state *first = NULL;
        struct err err = {0};
        int r;
        for (size_t i = 0; i < w->count; i++)
            if (w->items[i].due_ms && (!first || w->items[i].due_ms < first->due_ms))
                first = &w->items[i];
        if (!first)
            return;
        r = quota_take(w->worker) == QUOTA_OK
                ? begin(w, first, &err)
                : err_set(&err, ERR_LIMIT, "the requests of today are used up");
        first->due_ms = 0;
        if (r < 0)
            log_error("schedule '%s' of worker '%s' did not run: %s", first->text, w->worker->name,
                      err.text);
    }
}

/* ---- the clock ---- */

static void look_at(struct worker_cron *w, struct schedule_state *s, int64_t now)
{
    int64_t due = s->next_ms;

    if (!s->is_understood || due < 0 || due > now)
        return;
    if (now - due > LATE_MS) {
        say_missed(w, s, due - 1, now, "the clock has jumped, or the machine slept");
    } else if (s->due_ms || (w->run && strcmp(w->run->text, s->text) == 0)) {
        log_warn("schedule '%s' of worker '%s' was skipped: it still %s", s->text, w->worker->name,
                 s->due_ms ? "waits for another one to end" : "runs");
    } else {
        s->due_ms = due;
    }
    s->next_ms = cron_next(&s->cron, now);
    note_looked(w, s, now);
}

static void cut_late(struct timetable *t)
{
    int64_t now = clock_now_ms();
    bool is_over = t->cut_ms && now >= t->cut_ms;

    for (struct ring *at = t->runs.next, *next; at != &t->runs; at = next) {
        struct run *run = RING_OF(at, struct run, ring);
        struct call *running = run->call;
        next = at->next;
        if (!is_over && clock_now_us() - run->started_us < CRON_RUN_MS * INT64_C(1000))
            continue;
        call_abort(running, RESET_DEADLINE);
        run->call = NULL;
        finish(run, FRONT_UNKNOWN,
               is_over ? SPAN("the node ends") : SPAN("it ran for longer than 15 minutes"));
        next = t->runs.next; /* others may have begun */
    }
}

/* Ring at the next time that something is due. */
static void wind(struct timetable *t, int64_t now)
{
    int speed = t->live->config.clock_speed > 1 ? t->live->config.clock_speed : 1;
    int64_t wait = TICK_MS;

    RING_EACH(at, &t->workers)
    {
        const struct worker_cron *w = RING_OF(at, struct worker_cron, ring);
        for (size_t i = 0; i < w->count; i++)
            if (w->items[i].is_understood && w->items[i].next_ms >= 0 &&
                w->items[i].next_ms - now < wait)
                wait = w->items[i].next_ms - now;
    }
    if (t->cut_ms && t->cut_ms - clock_now_ms() < wait)
        wait = t->cut_ms - clock_now_ms();
    wait = wait < 0 ? 0 : wait;
    uv_timer_start(&t->timer, on_timer, (uint64_t)(wait / speed + 1), 0);
}

static void tick(struct timetable *t)
{
    int64_t now = live_wall_ms(t->live);
    bool is_set_back = now < t->last_ms - LATE_MS;

    t->last_ms = now;
    for (struct ring *at = t->workers.next; at != &t->workers && !t->is_draining; at = at->next) {
        struct worker_cron *w = RING_OF(at, struct worker_cron, ring);
        for (size_t i = 0; i < w->count; i++) {
            if (is_set_back && w->items[i].is_understood)
                w->items[i].next_ms = cron_next(&w->items[i].cron, now);
            look_at(w, &w->items[i], now);
        }
        begin_next(w);
    }
    send_looked(t);
    cut_late(t);
    if (!t->closed || !ring_is_empty(&t->runs))
        wind(t, now);
}

/* ---- workers ---- */

static void items_done(struct schedule_state *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free(items[i].text);
    mem_free(items);
}

/* One that is new here: what it missed while no node ran is said. */
static int take_schedule(struct worker_cron *w, const struct schedule *from,
                         struct schedule_state *s)
{
    struct live *live = w->worker->account->live;
    int64_t now = live_wall_ms(live), since = from->looked_ms ? from->looked_ms : from->created_ms;
    struct err err = {0};

    s->text = mem_strdup(from->cron);
    if (!s->text)
        return ERR_NOMEM;
    s->is_understood = cron_parse(span_of(s->text), &s->cron, &err) == 0;
    if (!s->is_understood) {
        log_error("schedule of worker '%s': %s", w->worker->name, err.text);
        return 0;
    }
    s->next_ms = cron_next(&s->cron, now);
    if (live->is_loaded || count_times(&s->cron, since, now) == 0)
        return 0;
    say_missed(w, s, since, now, "no node ran");
    note_looked(w, s, now);
    return 0;
}

static int make_items(struct worker_cron *w, const struct schedules *schedules,
                      struct schedule_state *items)
{
    int r = 0;

    for (size_t i = 0; i < schedules->count && r == 0; i++) {
        struct schedule_state *old = NULL;
        for (size_t k = 0; k < w->count && !old; k++)
            if (w->items[k].text && strcmp(w->items[k].text, schedules->items[i].cron) == 0)
                old = &w->items[k];
        if (old) {
            items[i] = *old; /* it goes on as it was */
            old->text = NULL;
        } else {
            r = take_schedule(w, &schedules->items[i], &items[i]);
        }
    }
    return r;
}

void cron_install(struct live_worker *worker, const struct schedules *schedules)
{
    struct timetable *t = worker->account->live->cron;
    struct worker_cron *w = worker->cron;
    struct schedule_state *items;

    if (!t || (!w && schedules->count == 0))
        return;
    if (!w) {
        w = mem_alloc(sizeof *w);
        if (!w)
            goto nomem;
        w->worker = worker;
        ring_init(&w->ring);
        ring_push(&t->workers, &w->ring);
        worker->cron = w;
    }
    items = mem_alloc((schedules->count + 1) * sizeof *items);
    if (!items)
        goto nomem;
    if (make_items(w, schedules, items) < 0)
        log_error("schedules of worker '%s': memory is short", worker->name);
    items_done(w->items, w->count);
    w->items = items;
    w->count = schedules->count;
    send_looked(t);
    if (!t->is_draining)
        wind(t, live_wall_ms(t->live));
    return;
nomem:
    log_error("schedules of worker '%s' do not run: memory is short", worker->name);
}

void cron_forget(struct live_worker *worker)
{
    struct worker_cron *w = worker->cron;
    struct run *run = w ? w->run : NULL;

    if (!w)
        return;
    worker->cron = NULL;
    ring_drop(&w->ring);
    items_done(w->items, w->count);
    mem_free(w);
    if (!run)
        return;
    run->owner = NULL;
    call_abort(run->call, RESET_DEADLINE);
    run->call = NULL;
    finish(run, FRONT_CANCELED, SPAN("the worker was deleted"));
}

/* ---- beginning and end ---- */

int cron_open(struct live *live, struct err *err)
{
    struct timetable *t = mem_alloc(sizeof *t);
    int r;

    if (!t)
        return err_nomem(err);
    t->live = live;
    ring_init(&t->workers);
    ring_init(&t->runs);
    t->last_ms = live_wall_ms(live);
    r = uv_timer_init(live->loop, &t->timer);
    t->timer.data = t;
    if (r < 0) {
        mem_free(t);
        return err_set(err, ERR_SYSTEM, "start a timer: %s", uv_strerror(r));
    }
    live->cron = t;
    return 0;
}

void cron_drain(struct live *live)
{
    if (live->cron)
        live->cron->is_draining = true;
}

/* Workers go behind this, and leave its lists. */
static void on_timer_closed(uv_handle_t *handle)
{
    struct timetable *t = handle->data;
    struct live *live = t->live;

    live->cron = NULL;
    t->closed(live);
    looked_done(t->fresh, t->fresh_count);
    mem_free(t);
}

static void try_close(struct timetable *t)
{
    if (!t->closed || t->is_closing_timer || t->is_busy || !ring_is_empty(&t->runs))
        return;
    t->is_closing_timer = true;
    uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}

void cron_close(struct live *live, void (*closed)(struct live *live))
{
    struct timetable *t = live->cron;

    if (!t) {
        closed(live);
        return;
    }
    t->is_draining = true;
    t->closed = closed;
    t->cut_ms = clock_now_ms() + CRON_DRAIN_MS;
    send_looked(t);
    wind(t, live_wall_ms(live));
    try_close(t);
}
