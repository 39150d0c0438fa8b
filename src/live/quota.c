/* quota.c - see quota.h.
 *
 *     take, count --> worker_usage.fresh --every second--> a batch at the desk --> catalog
 *                                             ^------------------ it failed ----/
 *
 * 1. What is in neither the catalog nor a batch stands in `fresh` of its worker, or in a `rest` of
 * the counters when the worker is gone or its day is over.
 * 2. One batch at a time; what a batch could not add goes back into rests.
 * 3. What was used before the start comes by the first job; until it is there nothing is refused.
 *
 * Who calls it: live.c (open, drain, close), change.c (install), request.c (take, count), cron.c.
 */
#include "live/quota.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum {
    FLUSH_MS = 1000,
    RESTS_MAX = 10000, /* when the disk takes nothing: more are forgotten, and said */
};
#define DAY_MS INT64_C(86400000)

struct worker_usage {
    struct live_worker *worker;
    struct ring ring;      /* counters->dirty, while `fresh` has something */
    int64_t day, requests; /* used on this day, all of it */
    struct usage fresh;    /* not at the desk yet */
};

struct account_usage {
    int64_t day, requests;
};

struct rest {
    struct ring ring;
    struct usage usage;
};

struct usage_counters {
    struct live *live;
    uv_timer_t timer;
    struct ring dirty, rests;
    unsigned rest_count;
    struct desk_job job; /* the first one reads, the others add */
    struct desk *desk;
    bool is_busy, is_loaded, is_closed, is_timer_closed; /* is_closed: live is gone */
    struct usage *items;                                 /* of the job: to be added */
    size_t count;
    int64_t day;          /* of the start */
    struct usage *before; /* what the catalog had then */
    size_t before_count;
    struct names workers, accounts; /* by id: struct usage, the last one of an account */
    int64_t opened_ms;
    int result;
    struct err err;
};

static void flush(struct usage_counters *u);

int64_t live_wall_ms(const struct live *live)
{
    const struct live_config *c = &live->config;
    int64_t now = clock_wall_ms();

    if (c->clock_speed > 1 && live->usage)
        now += (now - live->usage->opened_ms) * (c->clock_speed - 1);
    return now + c->clock_ahead_ms;
}

static int64_t today(const struct live *live)
{
    return live_wall_ms(live) / DAY_MS;
}

unsigned quota_wait_s(const struct live *live)
{
    return (unsigned)((DAY_MS - live_wall_ms(live) % DAY_MS) / 1000) + 1;
}

/* ---- what waits for the desk ---- */

static void keep_rest(struct usage_counters *u, const struct usage *usage)
{
    struct rest *rest = u->rest_count < RESTS_MAX ? mem_alloc(sizeof *rest) : NULL;

    if (!rest) {
        log_error("%lld requests of worker %s were not counted: no room",
                  (long long)usage->requests, usage->worker_id);
        return;
    }
    rest->usage = *usage;
    ring_init(&rest->ring);
    ring_push(&u->rests, &rest->ring);
    u->rest_count++;
}

static void on_timer(uv_timer_t *timer)
{
    flush(timer->data);
}

static void wait_a_second(struct usage_counters *u)
{
    if (!u->is_closed && !uv_is_active((uv_handle_t *)&u->timer))
        uv_timer_start(&u->timer, on_timer, FLUSH_MS, 0);
}

static void clear_fresh(struct worker_usage *w)
{
    ring_drop(&w->ring);
    w->fresh.requests = w->fresh.errors = w->fresh.cpu_us = 0;
}

/* The numbers of this worker, of today. */
static struct worker_usage *of_today(struct live_worker *worker)
{
    struct worker_usage *w = worker->usage;
    struct usage_counters *u = worker->account->live->usage;
    int64_t day = today(worker->account->live);

    if (!w || w->day == day)
        return w;
    if (!ring_is_empty(&w->ring))
        keep_rest(u, &w->fresh);
    clear_fresh(w);
    w->day = w->fresh.day = day;
    w->requests = 0;
    return w;
}

static struct account_usage *of_account(struct live_account *account)
{
    struct account_usage *a = account->usage;
    int64_t day = today(account->live);

    if (a && a->day != day)
        *a = (struct account_usage){.day = day};
    return a;
}

int64_t quota_used(struct live_account *account)
{
    struct account_usage *a = of_account(account);

    return a ? a->requests : 0;
}

static void mark(struct worker_usage *w)
{
    struct usage_counters *u = w->worker->account->live->usage;

    ring_push(&u->dirty, &w->ring);
    wait_a_second(u);
}

/* ---- the desk's jobs ---- */

static void work_add(struct desk_job *job, struct catalog *catalog)
{
    struct usage_counters *u = RING_OF(job, struct usage_counters, job);

    u->result = usage_add(catalog, u->items, u->count, &u->err);
}

static void end_close(struct usage_counters *u);

static void on_added(struct desk_job *job)
{
    struct usage_counters *u = RING_OF(job, struct usage_counters, job);
    struct live *live = u->live;

    u->is_busy = false;
    for (size_t i = 0; u->result < 0 && i < u->count; i++)
        keep_rest(u, &u->items[i]);
    if (u->result < 0)
        log_error("count requests: %s", u->err.text);
    mem_free(u->items);
    u->items = NULL;
    if (u->is_closed && u->result < 0)
        end_close(u); /* it was the last attempt */
    else if (u->is_closed || u->result == 0)
        flush(u);
    else
        wait_a_second(u);
    if (live)
        live_job_ends(live);
}

/* Everything that waits becomes one batch. */
static void flush(struct usage_counters *u)
{
    size_t count = u->rest_count, n = 0;
    struct err err = {0};

    if (u->is_busy || !u->is_loaded || (u->live && u->live->is_closing))
        return; /* when live closes: quota_close, once nothing of live runs */
    RING_EACH(at, &u->dirty) count++;
    if (count == 0) {
        end_close(u);
        return;
    }
    u->items = mem_alloc(count * sizeof *u->items);
    if (!u->items) {
        if (u->is_closed)
            end_close(u);
        else
            wait_a_second(u);
        return;
    }
    while (!ring_is_empty(&u->rests)) {
        struct rest *rest = RING_OF(u->rests.next, struct rest, ring);
        ring_drop(&rest->ring);
        u->items[n++] = rest->usage;
        mem_free(rest);
    }
    u->rest_count = 0;
    while (!ring_is_empty(&u->dirty)) {
        struct worker_usage *w = RING_OF(u->dirty.next, struct worker_usage, ring);
        u->items[n++] = w->fresh;
        clear_fresh(w);
    }
    u->count = n;
    u->is_busy = true;
    u->job = (struct desk_job){.work = work_add, .done = on_added};
    ring_init(&u->job.ring);
    if (u->live)
        live_job_begins(u->live);
    if (desk_add(u->desk, &u->job, &err) == 0)
        return; /* waits for: on_added */
    u->result = err.code;
    u->err = err;
    on_added(&u->job);
}

static void work_read(struct desk_job *job, struct catalog *catalog)
{
    struct usage_counters *u = RING_OF(job, struct usage_counters, job);

    u->result = usage_of_day(catalog, u->day, &u->before, &u->before_count, &u->err);
}

/* Numbers from before the start, for a worker or account that is new here. */
static int64_t used_before(struct names *names, const char *id, int64_t day)
{
    const struct usage *usage = names_get(names, span_of(id));

    return usage && usage->day == day ? usage->requests : 0;
}

/* Tables of what was read; `requests` of the last one of an account becomes the account's sum. */
static int index_before(struct usage_counters *u, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < u->before_count && r == 0; i++) {
        struct usage *one = &u->before[i], *sum;
        if (one->worker_id[0])
            r = names_put(&u->workers, span_of(one->worker_id), one, err);
        sum = names_get(&u->accounts, span_of(one->account_id));
        if (sum) {
            sum->requests += one->requests;
            continue;
        }
        sum = mem_alloc(sizeof *sum);
        if (!sum)
            return err_nomem(err);
        *sum = *one;
        r = r < 0 ? r : names_put(&u->accounts, span_of(one->account_id), sum, err);
        if (r < 0)
            mem_free(sum);
    }
    return r;
}

/* Workers that were installed before this get theirs here, others in quota_install. */
static void on_read(struct desk_job *job)
{
    struct usage_counters *u = RING_OF(job, struct usage_counters, job);
    struct live *live = u->live;

    u->is_busy = false;
    u->is_loaded = true;
    if (u->result < 0 || index_before(u, &u->err) < 0)
        log_error("what was used today is not known: %s", u->err.text);
    for (struct ring *at = u->live ? u->live->accounts.next : NULL; at && at != &u->live->accounts;
         at = at->next) {
        struct live_account *account = RING_OF(at, struct live_account, ring);
        if (account->usage)
            account->usage->requests += used_before(&u->accounts, account->id, account->usage->day);
        RING_EACH(other, &account->workers)
        {
            struct live_worker *worker = RING_OF(other, struct live_worker, ring);
            if (worker->usage)
                worker->usage->requests += used_before(&u->workers, worker->id, worker->usage->day);
        }
    }
    if (u->is_closed || !ring_is_empty(&u->dirty))
        flush(u);
    if (live)
        live_job_ends(live);
}

int quota_open(struct live *live, struct err *err)
{
    struct usage_counters *u = mem_alloc(sizeof *u);
    int r;

    if (!u)
        return err_nomem(err);
    u->live = live;
    u->desk = live->config.desk;
    ring_init(&u->dirty);
    ring_init(&u->rests);
    u->opened_ms = clock_wall_ms();
    u->day = live_wall_ms(live) / DAY_MS;
    u->is_busy = true;
    u->job = (struct desk_job){.work = work_read, .done = on_read};
    ring_init(&u->job.ring);
    r = uv_timer_init(live->loop, &u->timer);
    u->timer.data = u;
    if (r < 0) {
        mem_free(u);
        return err_set(err, ERR_SYSTEM, "start a timer: %s", uv_strerror(r));
    }
    uv_unref((uv_handle_t *)&u->timer);
    live->usage = u;
    r = desk_add(live->config.desk, &u->job, err);
    if (r == 0) {
        live_job_begins(live);
    } else {
        u->is_busy = false;
        u->is_loaded = true;
    }
    return r;
}

void quota_drain(struct live *live)
{
    if (live->usage)
        flush(live->usage);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct usage_counters *u = handle->data;

    while (!ring_is_empty(&u->rests)) {
        struct rest *rest = RING_OF(u->rests.next, struct rest, ring);
        ring_drop(&rest->ring);
        mem_free(rest);
    }
    for (size_t i = 0; i < u->accounts.size; i++)
        if (u->accounts.items[i].key)
            mem_free(u->accounts.items[i].value);
    names_done(&u->accounts);
    names_done(&u->workers);
    mem_free(u->before);
    mem_free(u->items);
    mem_free(u);
}

static void end_close(struct usage_counters *u)
{
    if (!u->is_closed || u->is_timer_closed)
        return;
    u->is_timer_closed = true;
    uv_close((uv_handle_t *)&u->timer, on_timer_closed);
}

void quota_close(struct live *live)
{
    struct usage_counters *u = live->usage;

    if (!u)
        return;
    live->usage = NULL;
    u->live = NULL;
    u->is_closed = true;
    uv_timer_stop(&u->timer);
    flush(u); /* or its job, when it is done */
}

/* ---- workers ---- */

void quota_install_account(struct live_account *account, const struct quota *quota)
{
    struct live *live = account->live;

    account->quota = *quota;
    if (account->usage || !live->usage)
        return;
    account->usage = mem_alloc(sizeof *account->usage);
    if (!account->usage)
        return; /* nothing is refused */
    account->usage->day = today(live);
    if (live->usage->is_loaded)
        account->usage->requests =
            used_before(&live->usage->accounts, account->id, account->usage->day);
}

void quota_install(struct live_worker *worker, const struct quota *quota)
{
    struct live *live = worker->account->live;
    struct worker_usage *w = worker->usage;

    worker->quota = *quota;
    if (w || !live->usage)
        return;
    w = mem_alloc(sizeof *w);
    if (!w)
        return;
    w->worker = worker;
    ring_init(&w->ring);
    w->day = w->fresh.day = today(live);
    memcpy(w->fresh.account_id, worker->account->id, sizeof w->fresh.account_id);
    memcpy(w->fresh.worker_id, worker->id, sizeof w->fresh.worker_id);
    if (live->usage->is_loaded)
        w->requests = used_before(&live->usage->workers, worker->id, w->day);
    worker->usage = w;
}

void quota_forget(struct live_worker *worker)
{
    struct worker_usage *w = worker->usage;

    if (!w)
        return;
    if (!ring_is_empty(&w->ring)) {
        keep_rest(worker->account->live->usage, &w->fresh);
        wait_a_second(worker->account->live->usage);
    }
    ring_drop(&w->ring);
    mem_free(w);
    worker->usage = NULL;
}

void quota_forget_account(struct live_account *account)
{
    mem_free(account->usage);
    account->usage = NULL;
}

/* ---- requests ---- */

static bool is_over(int64_t limit, int64_t used)
{
    return limit > 0 && used >= limit;
}

enum quota_verdict quota_take(struct live_worker *worker)
{
    struct worker_usage *w = of_today(worker);
    struct account_usage *a = of_account(worker->account);
    int64_t limit = worker->account->quota.requests_per_day;

    if (limit < 0)
        limit = worker->account->live->config.requests_per_day;
    if ((a && is_over(limit, a->requests)) ||
        (w && is_over(worker->quota.requests_per_day, w->requests)))
        return QUOTA_USED_UP;
    if (a)
        a->requests++;
    if (w) {
        w->requests++;
        w->fresh.requests++;
        mark(w);
    }
    return QUOTA_OK;
}

void quota_count(struct live_worker *worker, const struct front_outcome *outcome)
{
    struct worker_usage *w = of_today(worker);
    struct account_usage *a = of_account(worker->account);
    bool is_moved = outcome->ending == FRONT_MOVED; /* it is taken once more */

    if (is_moved && a && a->requests > 0)
        a->requests--;
    if (!w)
        return;
    if (is_moved && w->requests > 0) {
        w->requests--;
        w->fresh.requests--;
    }
    if (!is_moved && outcome->ending != FRONT_OK && outcome->ending != FRONT_CANCELED)
        w->fresh.errors++;
    if (outcome->cpu_us > 0)
        w->fresh.cpu_us += outcome->cpu_us;
    mark(w);
}

int64_t quota_cpu_ms(const struct live_worker *worker)
{
    const struct live_account *account = worker->account;

    if (worker->quota.cpu_ms >= 0)
        return worker->quota.cpu_ms;
    return account->quota.cpu_ms >= 0 ? account->quota.cpu_ms : account->live->config.limits.of[LIMIT_CPU];
}
