/* deployment.c - which versions of a worker answer: see worker.h. */
#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/query.h"
#include "catalog/record.h"
#include "catalog/worker.h"

#define COLUMNS      "number, id, worker_id, created_ms, source, author, annotations"
#define PERCENT_SLIP 1e-6 /* thirds do not add up exactly */

void deployment_done(struct deployment *deployment)
{
    mem_free(deployment->source);
    mem_free(deployment->author);
    json_decref(deployment->annotations);
    *deployment = (struct deployment){0};
}

void deployments_done(struct deployments *deployments)
{
    for (size_t i = 0; i < deployments->count; i++)
        deployment_done(&deployments->items[i]);
    mem_free(deployments->items);
    *deployments = (struct deployments){0};
}

static int take_shares(struct catalog *catalog, int64_t number, struct deployment *d,
                       struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT version_id, percentage FROM shares WHERE deployment = ?"
                       " ORDER BY position",
                       "i", number);

    while (r == 0 && (r = query_next(&q, err)) > 0) {
        if (d->share_count < DEPLOYMENT_VERSIONS_MAX) {
            struct deployment_share *share = &d->shares[d->share_count++];
            query_put(&q, 0, share->version_id, sizeof share->version_id);
            share->percentage = query_real(&q, 1);
        }
        r = 0;
    }
    query_done(&q);
    return r;
}

static int take(struct query *q, void *item, struct err *err)
{
    struct deployment *ret = item;
    struct deployment d = {.created_ms = query_i64(q, 3)};
    int r;

    query_put(q, 1, d.id, sizeof d.id);
    query_put(q, 2, d.worker_id, sizeof d.worker_id);
    r = query_copy(q, 4, &d.source, err);
    if (r == 0)
        r = query_copy(q, 5, &d.author, err);
    if (r == 0)
        r = query_json(q, 6, &d.annotations, err);
    if (r == 0)
        r = take_shares(q->catalog, query_i64(q, 0), &d, err);
    if (r == 0)
        *ret = d;
    else
        deployment_done(&d);
    return r;
}

int deployment_latest(struct catalog *catalog, const char *worker_id, struct deployment *ret,
                      struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT " COLUMNS " FROM deployments WHERE worker_id = ?"
                       " ORDER BY number DESC LIMIT 1",
                       "t", worker_id);

    if (r == 0)
        r = query_next(&q, err);
    if (r > 0)
        r = take(&q, ret, err);
    else if (r == 0)
        r = err_set(err, ERR_NOT_FOUND, "there is no deployment of this worker yet");
    query_done(&q);
    return r;
}

int deployment_list(struct catalog *catalog, const char *worker_id, struct deployments *ret,
                    struct err *err)
{
    struct deployments list;
    struct rows rows;
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT " COLUMNS " FROM deployments WHERE worker_id = ?"
                       " ORDER BY number DESC",
                       "t", worker_id);

    r = query_rows(&q, r, sizeof *list.items, take, &rows, err);
    list = (struct deployments){rows.items, rows.count};
    if (r == 0)
        *ret = list;
    else
        deployments_done(&list);
    return r;
}

/* ---- making one ---- */

static int check(const struct deployment *draft, struct err *err)
{
    double sum = 0;

    if (draft->share_count < 1 || draft->share_count > DEPLOYMENT_VERSIONS_MAX)
        return err_set(err, ERR_INVALID, "a deployment has 1 to %d versions",
                       DEPLOYMENT_VERSIONS_MAX);
    for (size_t i = 0; i < draft->share_count; i++) {
        double percentage = draft->shares[i].percentage;
        if (!(percentage > 0 && percentage <= 100))
            return err_set(err, ERR_INVALID,
                           "the percentage of the version '%s' must be over 0 and at most 100",
                           draft->shares[i].version_id);
        for (size_t k = 0; k < i; k++)
            if (strcmp(draft->shares[i].version_id, draft->shares[k].version_id) == 0)
                return err_set(err, ERR_INVALID, "the version '%s' is there twice",
                               draft->shares[i].version_id);
        sum += percentage;
    }
    if (fabs(sum - 100) > PERCENT_SLIP)
        return err_set(err, ERR_INVALID, "the percentages add up to %g, not to 100", sum);
    if (draft->annotations && !json_is_object(draft->annotations))
        return err_set(err, ERR_INVALID, "the annotations of a deployment must be an object");
    return 0;
}

static int insert_share(struct catalog *catalog, const struct deployment *draft, size_t i,
                        struct err *err)
{
    const struct deployment_share *share = &draft->shares[i];
    int64_t one;
    int r =
        query_number(catalog, &one, err, "SELECT 1 FROM versions WHERE id = ? AND worker_id = ?",
                     "tt", share->version_id, draft->worker_id);

    if (r == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "there is no version '%s' of this worker",
                       share->version_id);
    if (r == 0)
        r = query_run(catalog, NULL, err,
                      "INSERT INTO shares (deployment, position, version_id, percentage)"
                      " VALUES ((SELECT max(number) FROM deployments), ?, ?, ?)",
                      "itr", (int64_t)i, share->version_id, share->percentage);
    return r;
}

static int insert(struct catalog *catalog, const struct deployment *draft, const char *annotations,
                  struct err *err)
{
    int64_t now = clock_wall_ms();
    char id[UUID_SIZE];
    int r = record_need_worker(catalog, NULL, draft->worker_id, err);

    if (r == 0)
        r = database_make_uuid(id, err);
    if (r == 0)
        r = query_run(catalog, NULL, err,
                      "INSERT INTO deployments (id, worker_id, created_ms, source, author,"
                      " annotations) VALUES (?, ?, ?, ?, ?, ?)",
                      "ttittt", id, draft->worker_id, now, draft->source ? draft->source : "",
                      draft->author ? draft->author : "", annotations);
    for (size_t i = 0; r == 0 && i < draft->share_count; i++)
        r = insert_share(catalog, draft, i, err);
    if (r == 0)
        r = query_run(catalog, NULL, err, "UPDATE workers SET modified_ms = ? WHERE id = ?", "it",
                      now, draft->worker_id);
    if (r == 0)
        r = query_run(catalog, NULL, err,
                      "DELETE FROM deployments WHERE worker_id = ?1 AND number <= (SELECT number"
                      " FROM deployments WHERE worker_id = ?1 ORDER BY number DESC LIMIT 1"
                      " OFFSET ?2)",
                      "ti", draft->worker_id, (int64_t)DEPLOYMENTS_KEPT);
    return r;
}

int deployment_create(struct catalog *catalog, const struct deployment *draft,
                      struct deployment *ret, struct err *err)
{
    struct deployment made = {0};
    char *annotations = NULL;
    bool is_own;
    int r = check(draft, err);

    if (r == 0)
        r = query_dump(draft->annotations, "{}", "the annotations", &annotations, err);
    if (r == 0)
        r = change_begin(catalog, &is_own, err);
    if (r < 0)
        goto done;
    r = insert(catalog, draft, annotations, err);
    if (r == 0)
        r = deployment_latest(catalog, draft->worker_id, &made, err);
    r = change_end(catalog, is_own, r, err);
    if (r == 0)
        *ret = made;
    else
        deployment_done(&made);
done:
    mem_free(annotations);
    return r;
}
