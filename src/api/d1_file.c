/* d1_file.c - the table of imports and exports: who finds them, how long they stay. */
#include "api/d1_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "api/call.h"
#include "base/clock.h"
#include "base/mem.h"

enum { TICK_MS = 250 };

struct d1_files {
    struct api *api;
    struct ring jobs; /* oldest first */
    unsigned count;
    uv_timer_t timer;
    bool is_ticking, is_closing;
};

static struct job *job_at(struct ring *ring)
{
    return RING_OF(ring, struct job, ring);
}

/* ---- the table ---- */

struct d1_files *d1_files_of(struct api *api)
{
    struct d1_files *files = api->files;

    if (files)
        return files;
    files = mem_alloc(sizeof *files);
    if (!files)
        return NULL;
    files->api = api;
    ring_init(&files->jobs);
    if (uv_timer_init(api->loop, &files->timer) < 0) {
        mem_free(files);
        return NULL;
    }
    files->timer.data = files;
    api->files = files;
    return files;
}

static void free_files(uv_handle_t *timer)
{
    mem_free(timer->data);
}

void d1_files_close(struct d1_files *files)
{
    if (!files)
        return;
    files->is_closing = true;
    while (!ring_is_empty(&files->jobs)) {
        struct job *job = job_at(files->jobs.next);
        job->busy = 0;
        job_free(job);
    }
    uv_close((uv_handle_t *)&files->timer, free_files);
}

/* Whoever waits for news gets what there is: the node ends. */
void d1_files_drain(struct d1_files *files)
{
    if (!files)
        return;
    RING_EACH(at, &files->jobs)
        if (job_at(at)->poll)
            job_settle(job_at(at), job_at(at)->state, NULL);
}

/* ---- time ---- */

static bool is_over(const struct job *job, int64_t now_ms)
{
    bool stays = job->kind == JOB_IMPORT && job->state == JOB_RUNNING;

    return !stays && !job->poll && job->busy == 0 && now_ms >= job->until_ms;
}

static void on_tick(uv_timer_t *timer)
{
    struct d1_files *files = timer->data;
    int64_t now_ms = clock_now_ms();
    struct ring *next;

    for (struct ring *at = files->jobs.next; at != &files->jobs; at = next) {
        struct job *job = job_at(at);
        next = at->next;
        if (job->poll && now_ms >= job->poll_ms)
            job_settle(job, job->state, NULL);
        if (is_over(job, now_ms))
            job_free(job);
    }
    if (files->count == 0) {
        uv_timer_stop(timer);
        files->is_ticking = false;
    }
}

/* ---- jobs ---- */

static int make_key(char *out, size_t bytes, struct err *err)
{
    unsigned char random[32];

    if (getrandom(random, bytes, 0) != (ssize_t)bytes)
        return err_errno(err, errno, "make a key");
    for (size_t i = 0; i < bytes; i++)
        sprintf(out + 2 * i, "%02x", random[i]);
    return 0;
}

/* The account's oldest that nothing happens to. */
static struct job *spare_of(struct d1_files *files, const char *account)
{
    RING_EACH(at, &files->jobs) {
        struct job *job = job_at(at);
        if (strcmp(job->account, account) == 0 && job->state != JOB_RUNNING && !job->poll &&
            job->busy == 0)
            return job;
    }
    return NULL;
}

static int make_place(struct d1_files *files, const char *account, struct err *err)
{
    unsigned own = 0;
    struct job *spare;

    RING_EACH(at, &files->jobs)
        own += strcmp(job_at(at)->account, account) == 0;
    if (own < JOBS_ACCOUNT_MAX && files->count < JOBS_MAX)
        return 0;
    spare = spare_of(files, account);
    if (!spare)
        return err_set(err, ERR_LIMIT,
                       "Too many imports and exports are under way: wait for one to end.");
    job_free(spare);
    return 0;
}

static void name_file(struct job *job, const struct database *d)
{
    char name[DATABASE_NAME_MAX + 1];

    snprintf(name, sizeof name, "%s", d->name);
    for (char *at = name; *at; at++)
        if (!(*at == '-' || *at == '_' || (*at >= '0' && *at <= '9') ||
              ((*at | 32) >= 'a' && (*at | 32) <= 'z')))
            *at = '_';
    snprintf(job->filename, sizeof job->filename, "%s.%.16s.sql", name, job->id);
}

int job_new(struct d1_files *files, const struct api_call *call, enum job_kind kind,
            const struct database *d, struct job **ret, struct err *err)
{
    struct job *job;
    int r = make_place(files, call->account.id, err);

    if (r < 0)
        return r;
    job = mem_alloc(sizeof *job);
    if (!job)
        return err_nomem(err);
    job->fd = -1;
    job->kind = kind;
    job->files = files;
    job->loop = files->api->loop;
    ring_init(&job->ring);
    memcpy(job->account, call->account.id, sizeof job->account);
    snprintf(job->uuid, sizeof job->uuid, "%s", d->uuid);
    job->folder = mem_strdup(d->folder);
    r = job->folder ? make_key(job->id, 16, err) : err_nomem(err);
    r = r < 0 ? r : make_key(job->key, 32, err);
    if (r < 0) {
        mem_free(job->folder);
        mem_free(job);
        return r;
    }
    name_file(job, d);
    job->until_ms = clock_now_ms() + JOB_HELD_MS;
    ring_push(&files->jobs, &job->ring);
    files->count++;
    if (!files->is_ticking)
        files->is_ticking = uv_timer_start(&files->timer, on_tick, TICK_MS, TICK_MS) == 0;
    *ret = job;
    return 0;
}

void job_free(struct job *job)
{
    if (job->errand)
        errand_cancel(job->errand);
    job->errand = NULL;
    ring_drop(&job->ring);
    job->files->count--;
    job->is_freed = true;
    if (!job->is_writing)
        job_destroy(job);
}

void job_destroy(struct job *job)
{
    if (job->fd >= 0)
        close(job->fd);
    records_done(&job->records);
    buf_done(&job->flying);
    buf_done(&job->pending);
    mem_free(job->folder);
    mem_free(job);
}

struct job *job_by_id(struct d1_files *files, const struct api_call *call, enum job_kind kind,
                      const char *uuid, const char *id)
{
    RING_EACH(at, &files->jobs) {
        struct job *job = job_at(at);
        if (job->kind == kind && strcmp(job->account, call->account.id) == 0 &&
            strcmp(job->uuid, uuid) == 0 &&
            (strcmp(job->id, id) == 0 || strcmp(job->filename, id) == 0))
            return job;
    }
    return NULL;
}

struct job *job_by_key(struct d1_files *files, enum job_kind kind, const char *key)
{
    int64_t now_ms = clock_now_ms();

    RING_EACH(at, &files->jobs) {
        struct job *job = job_at(at);
        if (job->kind == kind && strcmp(job->key, key) == 0)
            return now_ms < job->until_ms || job->busy > 0 ? job : NULL;
    }
    return NULL;
}

uint64_t jobs_bytes(struct d1_files *files, const char *account)
{
    uint64_t bytes = 0;

    RING_EACH(at, &files->jobs)
        if (strcmp(job_at(at)->account, account) == 0)
            bytes += job_at(at)->bytes;
    return bytes;
}

/* ---- news ---- */

static json_t *report(struct job *job, const struct api_call *call)
{
    return job->kind == JOB_IMPORT ? import_report(job) : export_report(job, call);
}

void job_settle(struct job *job, enum job_state state, const char *why)
{
    struct api_call *call = job->poll;

    job->state = state;
    if (why)
        snprintf(job->why, sizeof job->why, "%s", why);
    if (!call)
        return;
    job->poll = NULL;
    api_result(call, report(job, call));
    api_reply(call);
}

void job_poll(struct job *job, struct api_call *call)
{
    if (job->poll)
        job_settle(job, job->state, NULL); /* who asked before gets what there is */
    if (job->state != JOB_RUNNING) {
        api_result(call, report(job, call));
        return;
    }
    job->poll = call;
    job->poll_ms = clock_now_ms() + JOB_WAIT_MS;
    if (job->kind == JOB_EXPORT)
        job->until_ms = clock_now_ms() + JOB_UNPOLLED_MS;
    api_wait(call);
}

int job_start(struct job *job, const struct errand_spec *spec, struct err *err)
{
    struct api *api = job->files->api;

    return errand_start(api->loop, api->keeper, spec, &job->errand, err);
}

/* ---- the database of a call ---- */

static void free_database(void *state)
{
    database_done(state);
    mem_free(state);
}

void d1_keep_database(struct api_call *call, struct catalog *catalog)
{
    struct database *d = mem_alloc(sizeof *d);
    struct err err = {0};

    if (!d) {
        (void)err_nomem(&err);
        api_fail(call, D1_FAILED, &err);
        return;
    }
    call->state = d;
    call->free_state = free_database;
    if (!d1_look_up(call, catalog, d))
        *d = (struct database){0};
}
