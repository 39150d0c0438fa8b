/* read.c - accounts, workers, deployments, routes, schedules, quotas: copied in the desk's thread.
 */
#include "live/read.h"

#include <string.h>

#include "base/mem.h"

static void worker_record_done(struct worker_record *record)
{
    worker_done(&record->worker);
    if (record->has_deployment)
        deployment_done(&record->deployment);
    mem_free(record->previews);
    schedules_done(&record->schedules);
}

void survey_done(struct survey *survey)
{
    for (size_t i = 0; i < survey->account_count; i++) {
        account_done(&survey->accounts[i].account);
        routes_done(&survey->accounts[i].routes);
    }
    for (size_t i = 0; i < survey->worker_count; i++)
        worker_record_done(&survey->workers[i]);
    mem_free(survey->accounts);
    mem_free(survey->workers);
    survey->accounts = NULL;
    survey->workers = NULL;
    survey->account_count = survey->worker_count = 0;
}

/* Takes the account. */
static int read_account(struct catalog *catalog, struct account *take_account,
                        struct account_record *record, struct err *err)
{
    int r = quota_get(catalog, take_account->id, "", &record->quota, err);

    record->account = *take_account;
    *take_account = (struct account){0};
    return r < 0 ? r : route_list(catalog, record->account.id, &record->routes, err);
}

static int read_previews(struct catalog *catalog, struct worker_record *record, struct err *err)
{
    struct versions versions = {0};
    int r = version_list(catalog, record->worker.id, &versions, err);

    if (r < 0)
        return r;
    record->previews = versions.count ? mem_alloc(versions.count * UUID_SIZE) : NULL;
    if (versions.count && !record->previews)
        r = err_nomem(err);
    for (size_t i = 0; r == 0 && i < versions.count; i++)
        memcpy(record->previews[record->preview_count++], versions.items[i].id, UUID_SIZE);
    versions_done(&versions);
    return r;
}

/* Takes the worker. */
static int read_worker(struct catalog *catalog, struct worker *take_worker,
                       struct worker_record *record, struct err *err)
{
    int r;

    record->worker = *take_worker;
    *take_worker = (struct worker){0};
    memcpy(record->account_id, record->worker.account_id, ID_SIZE);
    memcpy(record->worker_id, record->worker.id, ID_SIZE);
    record->is_there = true;
    r = deployment_latest(catalog, record->worker.id, &record->deployment, err);
    record->has_deployment = r == 0;
    if (r == ERR_NOT_FOUND)
        r = 0;
    if (r == 0 && record->worker.has_previews)
        r = read_previews(catalog, record, err);
    if (r == 0)
        r = quota_get(catalog, record->account_id, record->worker_id, &record->quota, err);
    return r < 0 ? r : schedule_list(catalog, record->worker_id, &record->schedules, err);
}

/* One broken worker does not keep the others from serving. */
static void read_one_of_all(struct survey *survey, struct catalog *catalog, struct worker *worker)
{
    struct worker_record *record = &survey->workers[survey->worker_count];
    struct err err = {0};

    if (read_worker(catalog, worker, record, &err) == 0) {
        survey->worker_count++;
        return;
    }
    worker_record_done(record);
    *record = (struct worker_record){0};
    if (survey->skipped++ == 0)
        survey->skipped_err = err;
}

static int read_all(struct survey *survey, struct catalog *catalog)
{
    struct accounts accounts = {0};
    struct workers workers = {0};
    int r = account_list(catalog, &accounts, &survey->err);

    if (r == 0)
        r = worker_list(catalog, NULL, &workers, &survey->err);
    if (r == 0) {
        survey->accounts = mem_alloc((accounts.count + 1) * sizeof *survey->accounts);
        survey->workers = mem_alloc((workers.count + 1) * sizeof *survey->workers);
        if (!survey->accounts || !survey->workers)
            r = err_nomem(&survey->err);
    }
    for (size_t i = 0; r == 0 && i < accounts.count; i++)
        r = read_account(catalog, &accounts.items[i], &survey->accounts[survey->account_count++],
                         &survey->err);
    for (size_t i = 0; r == 0 && i < workers.count; i++)
        read_one_of_all(survey, catalog, &workers.items[i]);
    accounts_done(&accounts);
    workers_done(&workers);
    return r;
}

static int read_some(struct survey *survey, struct catalog *catalog)
{
    struct account account = {0};
    struct worker worker = {0};
    int r = account_find(catalog, survey->account_id, &account, &survey->err);

    if (r < 0)
        return r;
    survey->accounts = mem_alloc(sizeof *survey->accounts);
    survey->workers = mem_alloc(sizeof *survey->workers);
    if (!survey->accounts || !survey->workers) {
        account_done(&account);
        return err_nomem(&survey->err);
    }
    survey->account_count = 1;
    r = read_account(catalog, &account, &survey->accounts[0], &survey->err);
    if (r < 0 || !survey->worker_id[0])
        return r;
    survey->worker_count = 1;
    memcpy(survey->workers[0].account_id, survey->account_id, ID_SIZE);
    memcpy(survey->workers[0].worker_id, survey->worker_id, ID_SIZE);
    r = worker_find_id(catalog, survey->worker_id, &worker, &survey->err);
    if (r == ERR_NOT_FOUND || (r == 0 && strcmp(worker.account_id, survey->account_id) != 0)) {
        worker_done(&worker);
        return 0;
    }
    return r < 0 ? r : read_worker(catalog, &worker, &survey->workers[0], &survey->err);
}

void survey_work(struct desk_job *job, struct catalog *catalog)
{
    struct survey *survey = RING_OF(job, struct survey, job);

    survey->r = survey->is_all ? read_all(survey, catalog) : read_some(survey, catalog);
}
