/* route.c - routes and custom domains: see trigger.h.
 *
 * A host belongs to the account that first had a route or a domain on it, as long as it has one: a
 * more exact pattern of another account would take its requests. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/name.h"
#include "catalog/query.h"
#include "catalog/record.h"
#include "catalog/trigger.h"

enum { PATTERN_MAX = 1024, ZONE_MAX = 255 };

#define COLUMNS "id, account_id, worker_id, pattern, zone, is_domain, created_ms"

void route_done(struct route *route)
{
    mem_free(route->pattern);
    mem_free(route->zone);
    *route = (struct route){0};
}

void routes_done(struct routes *routes)
{
    for (size_t i = 0; i < routes->count; i++)
        route_done(&routes->items[i]);
    mem_free(routes->items);
    *routes = (struct routes){0};
}

static int take(struct query *q, void *item, struct err *err)
{
    struct route *ret = item;
    struct route t = {.is_domain = query_i64(q, 5) != 0, .created_ms = query_i64(q, 6)};
    int r;

    query_put(q, 0, t.id, sizeof t.id);
    query_put(q, 1, t.account_id, sizeof t.account_id);
    query_put(q, 2, t.worker_id, sizeof t.worker_id);
    r = query_copy(q, 3, &t.pattern, err);
    if (r == 0)
        r = query_copy(q, 4, &t.zone, err);
    if (r == 0)
        *ret = t;
    else
        route_done(&t);
    return r;
}

int route_list(struct catalog *catalog, const char *account_id, struct routes *ret, struct err *err)
{
    struct routes list;
    struct rows rows;
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT " COLUMNS " FROM routes WHERE ?1 IS NULL OR account_id = ?1"
                       " ORDER BY number",
                       "t", account_id);

    r = query_rows(&q, r, sizeof *list.items, take, &rows, err);
    list = (struct routes){rows.items, rows.count};
    if (r == 0)
        *ret = list;
    else
        routes_done(&list);
    return r;
}

/* ---- whose is a host? ---- */

struct host {         /* of a pattern */
    struct span name; /* "example.com", behind the wildcard */
    bool is_wild;     /* a star before it: all that end so */
};

static struct host host_of(const char *pattern)
{
    const char *scheme = strstr(pattern, "://");
    struct host h = {.name = span_of(scheme ? scheme + 3 : pattern)};

    h.name.len = strcspn(h.name.data, "/:");
    while (h.name.len > 0 && h.name.data[0] == '*') {
        h.is_wild = true;
        h.name.data++;
        h.name.len--;
    }
    while (h.name.len > 0 && h.name.data[h.name.len - 1] == '.')
        h.name.len--;
    return h;
}

static bool ends_with(struct span text, struct span end)
{
    return text.len >= end.len &&
           strncasecmp(text.data + text.len - end.len, end.data, end.len) == 0;
}

/* Is there a host that both mean? */
static bool hosts_meet(struct host a, struct host b)
{
    if (!a.is_wild && !b.is_wild)
        return a.name.len == b.name.len && ends_with(a.name, b.name);
    return (a.is_wild && ends_with(b.name, a.name)) || (b.is_wild && ends_with(a.name, b.name));
}

static int check_host(struct catalog *catalog, const char *account_id, const char *pattern,
                      struct err *err)
{
    struct host wanted = host_of(pattern);
    struct query q;
    int r = query_open(&q, catalog, err, "SELECT pattern FROM routes WHERE account_id <> ?", "t",
                       account_id);

    while (r == 0 && (r = query_next(&q, err)) > 0) {
        r = 0;
        if (hosts_meet(wanted, host_of(query_text(&q, 0))))
            r = err_set(err, ERR_LIMIT, "the host of '%.200s' is in use by another account",
                        pattern);
    }
    query_done(&q);
    return r;
}

/* ---- making one ---- */

static int check_text(const char *pattern, const char *zone, struct err *err)
{
    int r = name_check("the pattern of a route", pattern, PATTERN_MAX, err);

    if (r == 0 && zone && zone[0])
        r = name_check("the zone of a route", zone, ZONE_MAX, err);
    return r;
}

static int check_room(struct catalog *catalog, const char *account_id, struct err *err)
{
    int64_t count;
    int r = query_number(catalog, &count, err, "SELECT count(*) FROM routes WHERE account_id = ?",
                         "t", account_id);

    if (r == 0 && count >= ROUTES_MAX)
        r = err_set(err, ERR_LIMIT, "the account has %d routes already", ROUTES_MAX);
    return r;
}

static int insert(struct catalog *catalog, const struct route *draft, char ret_id[ID_SIZE],
                  struct err *err)
{
    int r = check_host(catalog, draft->account_id, draft->pattern, err);

    if (r == 0)
        r = check_room(catalog, draft->account_id, err);
    if (r == 0)
        r = catalog_make_id(ret_id, err);
    if (r == 0)
        r = query_run(catalog, NULL, err,
                      "INSERT INTO routes (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)", "tttttii",
                      ret_id, draft->account_id, draft->worker_id[0] ? draft->worker_id : NULL,
                      draft->pattern, draft->zone ? draft->zone : "",
                      (int64_t)(draft->is_domain != 0), clock_wall_ms());
    return r;
}

/* Of this account; of others check_host speaks. */
static int check_free(struct catalog *catalog, const struct route *draft, struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT w.name FROM routes AS r LEFT JOIN workers AS w ON w.id = r.worker_id"
                       " WHERE r.account_id = ? AND r.pattern = ? AND r.is_domain = ?",
                       "tti", draft->account_id, draft->pattern, (int64_t)(draft->is_domain != 0));

    if (r == 0)
        r = query_next(&q, err);
    if (r > 0)
        r = err_set(err, ERR_LIMIT, "'%.200s' is there already%s%.64s%s", draft->pattern,
                    query_text(&q, 0)[0] ? ": it leads to the worker '" : "", query_text(&q, 0),
                    query_text(&q, 0)[0] ? "'" : ", for no worker");
    query_done(&q);
    return r;
}

static int read_back(struct catalog *catalog, const char *id, struct route *ret, struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err, "SELECT " COLUMNS " FROM routes WHERE id = ?", "t", id);

    if (r == 0)
        r = query_next(&q, err);
    if (r > 0)
        r = take(&q, ret, err);
    query_done(&q);
    return r;
}

int route_create(struct catalog *catalog, const struct route *draft, struct route *ret,
                 struct err *err)
{
    struct route made = {0};
    char id[ID_SIZE];
    bool is_own;
    int r = check_text(draft->pattern, draft->zone, err);

    if (r == 0)
        r = change_begin(catalog, &is_own, err);
    if (r < 0)
        return r;
    r = record_need_account(catalog, draft->account_id, err);
    if (r == 0 && draft->worker_id[0])
        r = record_need_worker(catalog, draft->account_id, draft->worker_id, err);
    if (r == 0)
        r = check_free(catalog, draft, err);
    if (r == 0)
        r = insert(catalog, draft, id, err);
    if (r == 0)
        r = read_back(catalog, id, &made, err);
    r = change_end(catalog, is_own, r, err);
    if (r == 0)
        *ret = made;
    else
        route_done(&made);
    return r;
}

int route_delete(struct catalog *catalog, const char *account_id, const char *route_id,
                 struct err *err)
{
    bool is_own;
    int changes = 0, r = change_begin(catalog, &is_own, err);

    if (r < 0)
        return r;
    r = query_run(catalog, &changes, err, "DELETE FROM routes WHERE id = ? AND account_id = ?",
                  "tt", route_id, account_id);
    if (r == 0 && changes == 0)
        r = err_set(err, ERR_NOT_FOUND, "there is no route '%.64s'", route_id);
    return change_end(catalog, is_own, r, err);
}

/* ---- all of a worker ---- */

static int drop_others(struct catalog *catalog, const char *worker_id, int is_domain,
                       const char *const *patterns, size_t count, struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT id, pattern FROM routes WHERE worker_id = ? AND is_domain = ?"
                       " ORDER BY number",
                       "ti", worker_id, (int64_t)(is_domain != 0));

    /* A row may go while the query walks on: it has been read. */
    while (r == 0 && (r = query_next(&q, err)) > 0) {
        r = record_is_among(query_text(&q, 1), patterns, count)
                ? 0
                : query_run(catalog, NULL, err, "DELETE FROM routes WHERE id = ?", "t",
                            query_text(&q, 0));
    }
    query_done(&q);
    return r;
}

static int put_one(struct catalog *catalog, const struct route *draft, struct err *err)
{
    char id[ID_SIZE];
    int changes = 0;
    int r = query_run(catalog, &changes, err,
                      "UPDATE routes SET worker_id = ?, zone = ?"
                      " WHERE account_id = ? AND pattern = ? AND is_domain = ?",
                      "tttti", draft->worker_id, draft->zone, draft->account_id, draft->pattern,
                      (int64_t)(draft->is_domain != 0));

    return r == 0 && changes == 0 ? insert(catalog, draft, id, err) : r;
}

int route_replace(struct catalog *catalog, const char *account_id, const char *worker_id,
                  int is_domain, const char *const *patterns, const char *const *zones,
                  size_t count, struct err *err)
{
    struct route draft = {.is_domain = is_domain};
    bool is_own;
    int r = 0;

    if (count > ROUTES_MAX)
        return err_set(err, ERR_LIMIT, "an account has at most %d routes", ROUTES_MAX);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = check_text(patterns[i], zones[i], err);
    if (r == 0)
        r = change_begin(catalog, &is_own, err);
    if (r < 0)
        return r;
    r = record_need_worker(catalog, account_id, worker_id, err);
    if (r == 0)
        r = drop_others(catalog, worker_id, is_domain, patterns, count, err);
    snprintf(draft.account_id, sizeof draft.account_id, "%s", account_id);
    snprintf(draft.worker_id, sizeof draft.worker_id, "%s", worker_id);
    for (size_t i = 0; r == 0 && i < count; i++) {
        draft.pattern = (char *)patterns[i]; /* read only */
        draft.zone = (char *)(zones[i] ? zones[i] : "");
        r = put_one(catalog, &draft, err);
    }
    return change_end(catalog, is_own, r, err);
}
