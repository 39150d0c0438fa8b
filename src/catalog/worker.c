/* worker.c - workers of accounts: see worker.h.  Versions are in version.c, deployments in
 * deployment.c. */
#include "catalog/worker.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/bundles.h"
#include "catalog/query.h"
#include "catalog/record.h"

#define COLUMNS                                                                                    \
    "account_id, id, name, created_ms, modified_ms, is_subdomain_enabled, has_previews, settings," \
    " version_count"

void worker_done(struct worker *worker)
{
    mem_free(worker->name);
    json_decref(worker->settings);
    *worker = (struct worker){0};
}

void workers_done(struct workers *workers)
{
    for (size_t i = 0; i < workers->count; i++)
        worker_done(&workers->items[i]);
    mem_free(workers->items);
    *workers = (struct workers){0};
}

static int take(struct query *q, void *item, struct err *err)
{
    struct worker *ret = item;
    struct worker w = {
        .created_ms = query_i64(q, 3),
        .modified_ms = query_i64(q, 4),
        .is_subdomain_enabled = query_i64(q, 5),
        .has_previews = query_i64(q, 6),
        .version_count = query_i64(q, 8),
    };
    int r;

    query_put(q, 0, w.account_id, sizeof w.account_id);
    query_put(q, 1, w.id, sizeof w.id);
    r = query_copy(q, 2, &w.name, err);
    if (r == 0)
        r = query_json(q, 7, &w.settings, err);
    if (r == 0)
        *ret = w;
    else
        worker_done(&w);
    return r;
}

static int check_name(const char *name, struct err *err)
{
    size_t n = strlen(name);

    if (n > 0 && n <= WORKER_NAME_MAX &&
        !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")])
        return 0;
    err_set(err, ERR_INVALID, "'%.80s' cannot be the name of a worker", name);
    return err_hint(err, "1 to %d of a-z, A-Z, 0-9, '-' and '_'", WORKER_NAME_MAX);
}

static int take_only(struct query *q, const char *name, struct worker *ret, struct err *err)
{
    int r = query_next(q, err);

    if (r > 0)
        r = take(q, ret, err);
    else if (r == 0)
        r = err_set(err, ERR_NOT_FOUND, "there is no worker '%.80s'", name);
    query_done(q);
    return r;
}

int worker_find(struct catalog *catalog, const char *account_id, const char *name,
                struct worker *ret, struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT " COLUMNS " FROM workers WHERE account_id = ? AND name = ?", "tt",
                       account_id, name);

    return r < 0 ? r : take_only(&q, name, ret, err);
}

int worker_find_id(struct catalog *catalog, const char *worker_id, struct worker *ret,
                   struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err, "SELECT " COLUMNS " FROM workers WHERE id = ?", "t",
                       worker_id);

    return r < 0 ? r : take_only(&q, worker_id, ret, err);
}

int worker_list(struct catalog *catalog, const char *account_id, struct workers *ret,
                struct err *err)
{
    struct workers list;
    struct rows rows;
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT " COLUMNS " FROM workers WHERE ?1 IS NULL OR account_id = ?1"
                       " ORDER BY name, account_id",
                       "t", account_id);

    r = query_rows(&q, r, sizeof *list.items, take, &rows, err);
    list = (struct workers){rows.items, rows.count};
    if (r == 0)
        *ret = list;
    else
        workers_done(&list);
    return r;
}

/* ---- changing ---- */

static int create(struct catalog *catalog, const char *account_id, const char *name,
                  struct err *err)
{
    char id[ID_SIZE];
    int64_t count = 0, now = clock_wall_ms();
    int r = record_need_account(catalog, account_id, err);

    if (r == 0)
        r = query_number(catalog, &count, err, "SELECT count(*) FROM workers WHERE account_id = ?",
                         "t", account_id);
    if (r == 0 && count >= WORKERS_MAX)
        r = err_set(err, ERR_LIMIT, "the account has %d workers already", WORKERS_MAX);
    if (r == 0)
        r = catalog_make_id(id, err);
    if (r == 0)
        r = query_run(catalog, NULL, err,
                      "INSERT INTO workers (" COLUMNS ") VALUES (?, ?, ?, ?, ?, 1, 0, '{}', 0)",
                      "tttii", account_id, id, name, now, now);
    return r;
}

int worker_need(struct catalog *catalog, const char *account_id, const char *name,
                struct worker *ret, bool *ret_is_new, struct err *err)
{
    struct worker w = {0};
    bool is_own, is_new = false;
    int r = check_name(name, err);

    if (r == 0)
        r = change_begin(catalog, &is_own, err);
    if (r < 0)
        return r;
    r = worker_find(catalog, account_id, name, &w, err);
    if (r == ERR_NOT_FOUND) {
        is_new = true;
        r = create(catalog, account_id, name, err);
        if (r == 0)
            r = worker_find(catalog, account_id, name, &w, err);
    }
    r = change_end(catalog, is_own, r, err);
    if (r < 0) {
        worker_done(&w);
        return r;
    }
    *ret = w;
    if (ret_is_new)
        *ret_is_new = is_new;
    return 0;
}

/* Its bundles are nobody's from now on, but their processes may still be ending. */
static int let_go(struct catalog *catalog, const char *worker_id, struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err, "SELECT DISTINCT bundle FROM versions WHERE worker_id = ?",
                       "t", worker_id);

    while (r == 0 && (r = query_next(&q, err)) > 0) {
        bundles_touch(catalog, query_text(&q, 0));
        r = 0;
    }
    query_done(&q);
    return r;
}

/* What it has used counts for the account, or a worker made anew would have used nothing. */
static int keep_usage(struct catalog *catalog, const char *worker_id, struct err *err)
{
    int r = query_run(catalog, NULL, err,
                      "INSERT INTO usage (day, account_id, worker_id, requests, errors, cpu_us)"
                      " SELECT day, account_id, '', requests, errors, cpu_us FROM usage"
                      " WHERE worker_id = ?"
                      " ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,"
                      " errors = errors + excluded.errors, cpu_us = cpu_us + excluded.cpu_us",
                      "t", worker_id);

    if (r == 0)
        r = query_run(catalog, NULL, err, "DELETE FROM usage WHERE worker_id = ?", "t", worker_id);
    return r;
}

int worker_delete(struct catalog *catalog, const char *account_id, const char *name,
                  struct err *err)
{
    struct worker w = {0};
    bool is_own;
    int r = change_begin(catalog, &is_own, err);

    if (r < 0)
        return r;
    r = worker_find(catalog, account_id, name, &w, err);
    if (r == 0)
        r = let_go(catalog, w.id, err);
    if (r == 0)
        r = keep_usage(catalog, w.id, err);
    if (r == 0)
        r = query_run(catalog, NULL, err, "DELETE FROM quotas WHERE worker_id = ?", "t", w.id);
    if (r == 0)
        r = query_run(catalog, NULL, err, "DELETE FROM workers WHERE id = ?", "t", w.id);
    worker_done(&w);
    return change_end(catalog, is_own, r, err);
}

int worker_set_subdomain(struct catalog *catalog, const char *worker_id, bool is_enabled,
                         bool has_previews, struct err *err)
{
    bool is_own;
    int changes = 0, r = change_begin(catalog, &is_own, err);

    if (r < 0)
        return r;
    r = query_run(catalog, &changes, err,
                  "UPDATE workers SET is_subdomain_enabled = ?, has_previews = ?, modified_ms = ?"
                  " WHERE id = ?",
                  "iiit", (int64_t)is_enabled, (int64_t)has_previews, clock_wall_ms(), worker_id);
    if (r == 0 && changes == 0)
        r = err_set(err, ERR_NOT_FOUND, "there is no worker '%.64s'", worker_id);
    return change_end(catalog, is_own, r, err);
}

static int patch_into(json_t *settings, json_t *patch, struct err *err)
{
    const char *key;
    json_t *value;
    void *next;
    int r = 0;

    json_object_foreach_safe(patch, next, key, value)
    {
        if (json_is_null(value))
            json_object_del(settings, key);
        else if (json_object_set(settings, key, value) < 0)
            r = err_nomem(err);
    }
    return r;
}

int worker_patch_settings(struct catalog *catalog, const char *worker_id, json_t *patch,
                          struct err *err)
{
    struct worker w = {0};
    char *text = NULL;
    bool is_own;
    int r;

    if (!json_is_object(patch))
        return err_set(err, ERR_INVALID, "the settings of a worker must be an object");
    r = change_begin(catalog, &is_own, err);
    if (r < 0)
        return r;
    r = worker_find_id(catalog, worker_id, &w, err);
    if (r == 0)
        r = patch_into(w.settings, patch, err);
    if (r == 0)
        r = query_dump(w.settings, "{}", "the settings", &text, err);
    if (r == 0)
        r = query_run(catalog, NULL, err,
                      "UPDATE workers SET settings = ?, modified_ms = ? WHERE id = ?", "tit", text,
                      clock_wall_ms(), worker_id);
    mem_free(text);
    worker_done(&w);
    return change_end(catalog, is_own, r, err);
}
