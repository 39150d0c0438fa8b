/* quota.c - see quota.h. */
#include "catalog/quota.h"

#include "base/mem.h"
#include "catalog/query.h"
#include "catalog/record.h"

int quota_get(struct catalog *catalog, const char *account_id, const char *worker_id,
              struct quota *ret, struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT requests_per_day, cpu_ms FROM quotas"
                       " WHERE account_id = ? AND worker_id = ?",
                       "tt", account_id, worker_id);

    if (r == 0)
        r = query_next(&q, err);
    if (r >= 0)
        *ret = r > 0 ? (struct quota){query_i64(&q, 0), query_i64(&q, 1)} : (struct quota){-1, -1};
    query_done(&q);
    return r < 0 ? r : 0;
}

int quota_set(struct catalog *catalog, const char *account_id, const char *worker_id,
              const struct quota *quota, struct err *err)
{
    bool is_own, is_said = quota->requests_per_day >= 0 || quota->cpu_ms >= 0;
    int r;

    if (quota->requests_per_day < -1 || quota->cpu_ms < -1)
        return err_set(err, ERR_INVALID, "a quota is a number from 0 on (0: no limit)");
    r = change_begin(catalog, &is_own, err);
    if (r < 0)
        return r;
    r = worker_id[0] ? record_need_worker(catalog, account_id, worker_id, err)
                     : record_need_account(catalog, account_id, err);
    if (r == 0 && is_said)
        r = query_run(catalog, NULL, err,
                      "INSERT OR REPLACE INTO quotas (account_id, worker_id, requests_per_day,"
                      " cpu_ms) VALUES (?, ?, ?, ?)",
                      "ttii", account_id, worker_id, quota->requests_per_day, quota->cpu_ms);
    else if (r == 0)
        r = query_run(catalog, NULL, err,
                      "DELETE FROM quotas WHERE account_id = ? AND worker_id = ?", "tt", account_id,
                      worker_id);
    return change_end(catalog, is_own, r, err);
}

/* ---- usage ---- */

/* Of a worker that was deleted meanwhile it counts for the account; an account that is gone has
 * none.
 */
static int add_one(struct catalog *catalog, const struct usage *item, struct err *err)
{
    return query_run(catalog, NULL, err,
                     "INSERT INTO usage (day, account_id, worker_id, requests, errors, cpu_us)"
                     " SELECT ?1, a.id, coalesce((SELECT id FROM workers WHERE id = ?3"
                     " AND account_id = a.id), ''), ?4, ?5, ?6 FROM accounts AS a WHERE a.id = ?2"
                     " ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,"
                     " errors = errors + excluded.errors, cpu_us = cpu_us + excluded.cpu_us",
                     "ittiii", item->day, item->account_id, item->worker_id, item->requests,
                     item->errors, item->cpu_us);
}

int usage_add(struct catalog *catalog, const struct usage *items, size_t count, struct err *err)
{
    int64_t last = 0;
    bool is_own;
    int r = 0;

    if (count == 0)
        return 0;
    r = change_begin(catalog, &is_own, err);
    if (r < 0)
        return r;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = add_one(catalog, &items[i], err);
        last = items[i].day > last ? items[i].day : last;
    }
    if (r == 0)
        r = query_run(catalog, NULL, err, "DELETE FROM usage WHERE day < ?", "i",
                      last - USAGE_DAYS_KEPT);
    return change_end(catalog, is_own, r, err);
}

static int take(struct query *q, void *item, struct err *err)
{
    struct usage *ret = item;

    (void)err;
    *ret = (struct usage){.day = query_i64(q, 2),
                          .requests = query_i64(q, 3),
                          .errors = query_i64(q, 4),
                          .cpu_us = query_i64(q, 5)};
    query_put(q, 0, ret->account_id, sizeof ret->account_id);
    query_put(q, 1, ret->worker_id, sizeof ret->worker_id);
    return 0;
}

int usage_of_day(struct catalog *catalog, int64_t day, struct usage **ret_items, size_t *ret_count,
                 struct err *err)
{
    struct rows rows;
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT account_id, worker_id, day, requests, errors, cpu_us FROM usage"
                       " WHERE day = ? ORDER BY account_id, worker_id",
                       "i", day);

    r = query_rows(&q, r, sizeof **ret_items, take, &rows, err);
    if (r < 0) {
        mem_free(rows.items);
        return r;
    }
    *ret_items = rows.items;
    *ret_count = rows.count;
    return 0;
}
