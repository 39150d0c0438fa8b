/* change.c - what was read takes effect: hosts, schedules, quotas at once, a deployment when it is
 * up.
 *
 *     live_changed -> reading (desk) -> install -> the next deployment's versions start
 *                                                   -> all are up, or do not load -> switch ->
 * done()
 *
 * A later reading may bring another deployment before the next one is up: then that is waited for,
 * and whoever waited for the earlier one waits on with it. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "live/cron.h"
#include "live/quota.h"
#include "live/read.h"
#include "live/room.h"
#include "live/router.h"
#include "text/value.h"

enum { SWITCH_MS = 60 * 1000 }; /* whoever changed something waits no longer for it to be up */

static void waiter_tell(struct live_waiter *waiter, const struct err *err)
{
    struct survey *survey = RING_OF(waiter, struct survey, waiter);
    void (*done)(void *self, const struct err *err) = waiter->done;
    void *self = waiter->self;

    ring_drop(&waiter->ring);
    mem_free(survey);
    if (done)
        done(self, err);
}

void live_waiters_tell(struct ring *waiters, const struct err *err)
{
    while (!ring_is_empty(waiters))
        waiter_tell(RING_OF(waiters->next, struct live_waiter, ring), err);
}

/* ---- a deployment ---- */

static bool is_same(const struct live_share *a, size_t a_count, const struct live_share *b,
                    size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (a[i].version != b[i].version || a[i].percentage != b[i].percentage)
            return false;
    return true;
}

/* Versions that neither this deployment nor the next one has go when their requests have ended. */
static void keep_only(struct live_worker *worker)
{
    struct ring *at, *next;

    RING_EACH(v, &worker->versions) {
        struct live_version *version = RING_OF(v, struct live_version, ring);
        version->was_kept = version->is_kept;
        version->is_kept = false;
    }
    for (size_t i = 0; i < worker->share_count; i++)
        worker->shares[i].version->is_kept = true;
    for (size_t i = 0; worker->has_next && i < worker->next_count; i++)
        worker->next[i].version->is_kept = true;
    for (at = worker->versions.next; at != &worker->versions; at = next) {
        struct live_version *version = RING_OF(at, struct live_version, ring);
        next = at->next;
        if (version->is_kept)
            continue;
        if (version->was_kept)
            live_version_retire(version);
        live_version_drop(version);
    }
}

static void switch_over(struct live_worker *worker)
{
    memcpy(worker->shares, worker->next, sizeof worker->shares);
    worker->share_count = worker->next_count;
    worker->has_next = false;
    keep_only(worker);
}

void live_advance(struct live_worker *worker)
{
    struct ring told;

    if (!worker->has_next)
        return;
    for (size_t i = 0; i < worker->next_count; i++)
        if (worker->next[i].version->state == VERSION_STARTING)
            return; /* waits for: live_version_ready, live_version_failed */
    live_worker_ref(worker);
    switch_over(worker);
    ring_init(&told);
    ring_move(&told, &worker->switching);
    live_waiters_tell(&told, NULL);
    live_worker_unref(worker);
}

void live_hurry(struct live_worker *worker, int64_t now_ms)
{
    struct ring told;

    if (!worker->has_next || now_ms - worker->next_ms < SWITCH_MS ||
        ring_is_empty(&worker->switching))
        return;
    log_warn("%s: its new version is not up after %d s; the old one goes on until it is",
             worker->name, SWITCH_MS / 1000);
    live_worker_ref(worker);
    ring_init(&told);
    ring_move(&told, &worker->switching);
    live_waiters_tell(&told, NULL);
    live_worker_unref(worker);
}

/* Sets `next`.  is_start: the node starts, and nothing is started before it is asked for. */
static int plan(struct live_worker *worker, const struct worker_record *record, bool is_start,
                struct err *err)
{
    struct live_share next[DEPLOYMENT_VERSIONS_MAX] = {0};
    size_t count = record->has_deployment ? record->deployment.share_count : 0;

    for (size_t i = 0; i < count; i++) {
        const struct deployment_share *share = &record->deployment.shares[i];
        next[i].version = live_version_need(worker, share->version_id);
        next[i].percentage = share->percentage;
        if (!next[i].version)
            return err_nomem(err);
        next[i].version->is_kept = true;
    }
    worker->has_next = !is_same(next, count, worker->shares, worker->share_count);
    memcpy(worker->next, next, sizeof next);
    worker->next_count = count;
    worker->next_ms = clock_now_ms();
    keep_only(worker);
    for (size_t i = 0; worker->has_next && !is_start && i < count; i++) {
        struct err why = {0};
        /* Its first request tries again, and says why. */
        if (live_version_start(next[i].version, &why) < 0)
            log_warn("%s: version %.8s is not started ahead: %s", worker->name, next[i].version->id,
                     why.text);
    }
    return 0;
}

/* ---- records ---- */

static bool is_same_routes(const struct routes *a, const struct routes *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].id, b->items[i].id) != 0 ||
            strcmp(a->items[i].worker_id, b->items[i].worker_id) != 0 ||
            strcmp(a->items[i].pattern, b->items[i].pattern) != 0 ||
            a->items[i].is_domain != b->items[i].is_domain)
            return false;
    return true;
}

static int set_text(char **at, const char *text, bool *is_changed, struct err *err)
{
    char *copy;

    if (*at && strcmp(*at, text) == 0)
        return 0;
    copy = mem_strdup(text);
    if (!copy)
        return err_nomem(err);
    mem_free(*at);
    *at = copy;
    *is_changed = true;
    return 0;
}

static int install_account(struct live *live, struct account_record *record, bool *is_changed,
                           struct err *err)
{
    struct live_account *account = live_account_need(live, record->account.id);

    if (!account || set_text(&account->subdomain, record->account.subdomain, is_changed, err) < 0)
        return err_nomem(err);
    if (!is_same_routes(&account->routes, &record->routes)) {
        struct routes old = account->routes;
        account->routes = record->routes;
        record->routes = old;
        *is_changed = true;
    }
    account->quota = record->quota;
    quota_install_account(account, &record->quota);
    RING_EACH(w, &account->workers)
        RING_EACH(v, &RING_OF(w, struct live_worker, ring)->versions)
            if (RING_OF(v, struct live_version, ring)->room)
                room_limit(RING_OF(v, struct live_version, ring)->room);
    return 0;
}

static void take_previews(struct live_worker *worker, struct worker_record *record)
{
    char(*old)[UUID_SIZE] = worker->previews;

    worker->previews = record->previews;
    worker->preview_count = record->preview_count;
    record->previews = old;
}

static int install_worker(struct live *live, struct worker_record *record, bool is_start,
                          bool *is_changed, struct err *err)
{
    struct live_account *account = live_account_need(live, record->account_id);
    struct live_worker *worker;

    if (!record->is_there) {
        worker = live_worker_find_id(live, record->worker_id);
        if (worker) {
            *is_changed = true;
            live_worker_delete(worker);
        }
        return 0;
    }
    worker = account ? live_worker_need(account, record->worker_id) : NULL;
    if (!worker || set_text(&worker->name, record->worker.name, is_changed, err) < 0)
        return err_nomem(err);
    *is_changed |= !worker->is_read;
    worker->is_read = true;
    worker->is_subdomain_enabled = record->worker.is_subdomain_enabled;
    worker->has_previews = record->worker.has_previews;
    take_previews(worker, record);
    worker->quota = record->quota;
    quota_install(worker, &record->quota);
    cron_install(worker, &record->schedules);
    RING_EACH(v, &worker->versions)
        if (RING_OF(v, struct live_version, ring)->room)
            room_limit(RING_OF(v, struct live_version, ring)->room);
    return plan(worker, record, is_start, err);
}

/* Whose node it is, when accounts may not share it. */
static int check_alone(struct live *live, const struct survey *survey, struct err *err)
{
    if (!live->config.alone || !survey->is_all || survey->account_count == 0)
        return 0;
    if (survey->account_count == 1) {
        memcpy(live->only_id, survey->accounts[0].account.id, ID_SIZE);
        return 0;
    }
    *err = *live->config.alone;
    return err_wrap(err, "there are %zu accounts", survey->account_count);
}

static int install(struct survey *survey, struct err *err)
{
    struct live *live = survey->live;
    bool is_changed = survey->is_all;
    int r = survey->r;

    if (r < 0) {
        *err = survey->err;
        return r;
    }
    r = check_alone(live, survey, err);
    for (size_t i = 0; r == 0 && i < survey->account_count; i++)
        r = install_account(live, &survey->accounts[i], &is_changed, err);
    for (size_t i = 0; r == 0 && i < survey->worker_count; i++)
        r = install_worker(live, &survey->workers[i], survey->is_all, &is_changed, err);
    return r == 0 && is_changed ? router_build(live, err) : r;
}

/* What could not be read is read once more at the next sweep: what the catalog says has to come
 * true. */
static void try_again(struct live *live, const struct survey *failed)
{
    struct survey *again;

    RING_EACH(at, &live->again) {
        const struct survey *s = RING_OF(at, struct survey, waiter.ring);
        if (strcmp(s->worker_id, failed->worker_id) == 0 &&
            strcmp(s->account_id, failed->account_id) == 0)
            return;
    }
    again = mem_alloc(sizeof *again);
    if (!again)
        return;
    memcpy(again->account_id, failed->account_id, ID_SIZE);
    memcpy(again->worker_id, failed->worker_id, ID_SIZE);
    ring_init(&again->waiter.ring);
    ring_push(&live->again, &again->waiter.ring);
}

/* Tell, or wait for the versions of the next deployment. */
static void finish(struct survey *survey)
{
    struct live *live = survey->live;
    struct err err = {0};
    int r = install(survey, &err);

    for (size_t i = 0; r == 0 && survey->is_all && i < survey->worker_count; i++) {
        struct live_worker *worker = live_worker_find_id(live, survey->workers[i].worker_id);
        if (worker)
            live_advance(worker);
    }
    if (survey->skipped > 0)
        log_error("%u workers could not be read and are not served: %s", survey->skipped,
                  survey->skipped_err.text);
    survey_done(survey);
    if (r == 0 && survey->worker_id[0]) {
        struct live_worker *worker = live_worker_find_id(live, survey->worker_id);
        if (worker && worker->has_next) {
            ring_push(&worker->switching, &survey->waiter.ring);
            live_advance(worker);
            return;
        }
    }
    live->is_loaded |= r == 0 && survey->is_all;
    if (r < 0 && r != ERR_NOT_FOUND && !survey->is_all)
        try_again(live, survey);
    waiter_tell(&survey->waiter, r < 0 ? &err : NULL);
}

void live_read_again(struct live *live)
{
    struct ring all;

    ring_init(&all);
    ring_move(&all, &live->again);
    while (!ring_is_empty(&all)) {
        struct survey *s = RING_OF(all.next, struct survey, waiter.ring);
        ring_drop(&s->waiter.ring);
        if (!live->is_closing)
            live_changed(live, s->account_id, s->worker_id, NULL, NULL);
        mem_free(s);
    }
}

static void on_read(struct desk_job *job)
{
    struct survey *survey = RING_OF(job, struct survey, job);
    struct live *live = survey->live;

    finish(survey);
    live_job_ends(live);
}

/* Nobody hears of it before the loop goes on. */
static void refuse_later(struct live *live, struct survey *survey)
{
    if (!survey->is_all && !live->is_closing)
        try_again(live, survey);
    ring_push(&live->refused, &survey->waiter.ring);
    uv_timer_start(&live->refusing, live_refuse, 0, 0);
}

static void start(struct live *live, bool is_all, const char *account_id, const char *worker_id,
                  void (*done)(void *self, const struct err *err), void *self)
{
    struct survey *survey = mem_alloc(sizeof *survey);
    struct err err = {0};

    value_init();
    if (!survey) {
        err_nomem(&err);
        if (done)
            done(self, &err);
        return;
    }
    survey->job.work = survey_work;
    survey->job.done = on_read;
    ring_init(&survey->job.ring);
    survey->live = live;
    survey->is_all = is_all;
    strncpy(survey->account_id, account_id, ID_SIZE - 1);
    strncpy(survey->worker_id, worker_id, ID_SIZE - 1);
    ring_init(&survey->waiter.ring);
    survey->waiter.done = done;
    survey->waiter.self = self;
    if (desk_add(live->config.desk, &survey->job, &err) < 0)
        refuse_later(live, survey);
    else
        live_job_begins(live);
}

void live_load(struct live *live, void (*loaded)(void *self, const struct err *err), void *self)
{
    start(live, true, "", "", loaded, self);
}

void live_changed(struct live *live, const char *account_id, const char *worker_id,
                  void (*done)(void *self, const struct err *err), void *self)
{
    start(live, false, account_id, worker_id, done, self);
}

void live_account_changed(struct live *live, const char *account_id,
                          void (*done)(void *self, const struct err *err), void *self)
{
    start(live, false, account_id, "", done, self);
}
