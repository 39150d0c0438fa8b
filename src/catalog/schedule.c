/* schedule.c - the cron schedules of workers: see trigger.h. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/name.h"
#include "catalog/query.h"
#include "catalog/record.h"
#include "catalog/trigger.h"

enum { CRON_MAX = 255 };

static void schedule_done(struct schedule *schedule)
{
    mem_free(schedule->cron);
}

void schedules_done(struct schedules *schedules)
{
    for (size_t i = 0; i < schedules->count; i++)
        schedule_done(&schedules->items[i]);
    mem_free(schedules->items);
    *schedules = (struct schedules){0};
}

static int take(struct query *q, void *item, struct err *err)
{
    struct schedule *ret = item;
    struct schedule s = {.created_ms = query_i64(q, 3), .looked_ms = query_i64(q, 4)};
    int r;

    query_put(q, 0, s.worker_id, sizeof s.worker_id);
    query_put(q, 1, s.account_id, sizeof s.account_id);
    r = query_copy(q, 2, &s.cron, err);
    if (r == 0)
        *ret = s;
    return r;
}

int schedule_list(struct catalog *catalog, const char *worker_id, struct schedules *ret,
                  struct err *err)
{
    struct schedules list;
    struct rows rows;
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT s.worker_id, w.account_id, s.cron, s.created_ms, s.looked_ms"
                       " FROM schedules AS s JOIN workers AS w ON w.id = s.worker_id"
                       " WHERE ?1 IS NULL OR s.worker_id = ?1 ORDER BY s.number",
                       "t", worker_id);

    r = query_rows(&q, r, sizeof *list.items, take, &rows, err);
    list = (struct schedules){rows.items, rows.count};
    if (r == 0)
        *ret = list;
    else
        schedules_done(&list);
    return r;
}

static int drop_others(struct catalog *catalog, const char *worker_id, const char *const *crons,
                       size_t count, struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT number, cron FROM schedules WHERE worker_id = ? ORDER BY number",
                       "t", worker_id);

    while (r == 0 && (r = query_next(&q, err)) > 0) {
        r = record_is_among(query_text(&q, 1), crons, count)
                ? 0
                : query_run(catalog, NULL, err, "DELETE FROM schedules WHERE number = ?", "i",
                            query_i64(&q, 0));
    }
    query_done(&q);
    return r;
}

int schedule_replace(struct catalog *catalog, const char *worker_id, const char *const *crons,
                     size_t count, struct err *err)
{
    bool is_own;
    int r = 0;

    if (count > SCHEDULES_MAX)
        return err_set(err, ERR_LIMIT, "a worker has at most %d schedules", SCHEDULES_MAX);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = name_check("a schedule", crons[i], CRON_MAX, err);
    if (r == 0)
        r = change_begin(catalog, &is_own, err);
    if (r < 0)
        return r;
    r = record_need_worker(catalog, NULL, worker_id, err);
    if (r == 0)
        r = drop_others(catalog, worker_id, crons, count, err);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = query_run(catalog, NULL, err,
                      "INSERT INTO schedules (worker_id, cron, created_ms, looked_ms)"
                      " VALUES (?, ?, ?, 0) ON CONFLICT DO NOTHING",
                      "tti", worker_id, crons[i], clock_wall_ms());
    return change_end(catalog, is_own, r, err);
}

int schedule_looked(struct catalog *catalog, const char *worker_id, const char *cron,
                    int64_t looked_ms, struct err *err)
{
    bool is_own;
    int changes = 0, r = change_begin(catalog, &is_own, err);

    if (r < 0)
        return r;
    r = query_run(catalog, &changes, err,
                  "UPDATE schedules SET looked_ms = ? WHERE worker_id = ? AND cron = ?", "itt",
                  looked_ms, worker_id, cron);
    if (r == 0 && changes == 0)
        r = err_set(err, ERR_NOT_FOUND, "there is no schedule '%.100s' of this worker", cron);
    return change_end(catalog, is_own, r, err);
}
