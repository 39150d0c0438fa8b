/* version.c - versions of workers: see worker.h. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/bundles.h"
#include "catalog/inside.h"
#include "catalog/query.h"
#include "catalog/secret.h"
#include "catalog/worker.h"

enum { DEPLOYMENTS_HOLD = 10 }; /* the newest of them keep their versions */

#define COLUMNS                                                                                    \
    "id, worker_id, number, created_ms, source, author, bundle, main, metadata, bindings,"         \
    " annotations, facts"

void version_done(struct version *version)
{
    mem_free(version->source);
    mem_free(version->author);
    mem_free(version->bundle);
    mem_free(version->main);
    json_decref(version->metadata);
    json_decref(version->bindings);
    json_decref(version->annotations);
    json_decref(version->facts);
    *version = (struct version){0};
}

void versions_done(struct versions *versions)
{
    for (size_t i = 0; i < versions->count; i++)
        version_done(&versions->items[i]);
    mem_free(versions->items);
    *versions = (struct versions){0};
}

static int take(struct query *q, void *item, struct err *err)
{
    struct version *ret = item;
    struct version v = {.number = query_i64(q, 2), .created_ms = query_i64(q, 3)};
    struct {
        int column;
        char **to;
    } texts[] = {{4, &v.source}, {5, &v.author}, {6, &v.bundle}, {7, &v.main}};
    struct {
        int column;
        json_t **to;
    } values[] = {{8, &v.metadata}, {9, &v.bindings}, {10, &v.annotations}, {11, &v.facts}};
    int r = 0;

    query_put(q, 0, v.id, sizeof v.id);
    query_put(q, 1, v.worker_id, sizeof v.worker_id);
    for (size_t i = 0; r == 0 && i < sizeof texts / sizeof *texts; i++)
        r = query_copy(q, texts[i].column, texts[i].to, err);
    for (size_t i = 0; r == 0 && i < sizeof values / sizeof *values; i++)
        r = query_json(q, values[i].column, values[i].to, err);
    if (r == 0)
        *ret = v;
    else
        version_done(&v);
    return r;
}

static int take_only(struct query *q, const char *what, struct version *ret, struct err *err)
{
    int r = query_next(q, err);

    if (r > 0)
        r = take(q, ret, err);
    else if (r == 0)
        r = err_set(err, ERR_NOT_FOUND, "there is no version%s", what);
    query_done(q);
    return r;
}

int version_find(struct catalog *catalog, const char *worker_id, const char *version_id,
                 struct version *ret, struct err *err)
{
    char what[64];
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT " COLUMNS " FROM versions WHERE id = ? AND worker_id = ?", "tt",
                       version_id, worker_id);

    sqlite3_snprintf(sizeof what, what, " '%.40s' of this worker", version_id);
    return r < 0 ? r : take_only(&q, what, ret, err);
}

int version_latest(struct catalog *catalog, const char *worker_id, struct version *ret,
                   struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT " COLUMNS " FROM versions WHERE worker_id = ?"
                       " ORDER BY number DESC LIMIT 1",
                       "t", worker_id);

    return r < 0 ? r : take_only(&q, " of this worker yet", ret, err);
}

int version_list(struct catalog *catalog, const char *worker_id, struct versions *ret,
                 struct err *err)
{
    struct versions list;
    struct rows rows;
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT " COLUMNS " FROM versions WHERE worker_id = ? ORDER BY number DESC",
                       "t", worker_id);

    r = query_rows(&q, r, sizeof *list.items, take, &rows, err);
    list = (struct versions){rows.items, rows.count};
    if (r == 0)
        *ret = list;
    else
        versions_done(&list);
    return r;
}

/* ---- making one ---- */

struct dumped { /* as it is stored */
    json_t *kept;
    char *metadata, *bindings, *annotations, *facts;
};

static void dumped_done(struct dumped *d)
{
    json_decref(d->kept);
    mem_free(d->metadata);
    mem_free(d->bindings);
    mem_free(d->annotations);
    mem_free(d->facts);
}

static int check(const struct version *draft, struct dumped *ret, struct err *err)
{
    json_t *objects[] = {draft->metadata, draft->annotations, draft->facts};
    int r;

    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
        if (objects[i] && !json_is_object(objects[i]))
            return err_set(err, ERR_INVALID,
                           "metadata and annotations of a version must be objects");
    if (draft->bundle && draft->bundle[0] && !hex_is(draft->bundle, BUNDLE_HASH_SIZE - 1))
        return err_set(err, ERR_INVALID, "'%.80s' is not the hash of a bundle", draft->bundle);
    r = secret_strip(draft->bindings, &ret->kept, err);
    if (r == 0)
        r = query_dump(ret->kept, "[]", "the bindings", &ret->bindings, err);
    if (r == 0)
        r = query_dump(draft->metadata, "{}", "the metadata", &ret->metadata, err);
    if (r == 0)
        r = query_dump(draft->annotations, "{}", "the annotations", &ret->annotations, err);
    if (r == 0)
        r = query_dump(draft->facts, "{}", "the facts", &ret->facts, err);
    return r;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* The number that the version gets, and whose worker it is. */
static int count_up(struct catalog *catalog, struct version *v, char account_id[ID_SIZE],
                    struct err *err)
{
    struct query q;
    int r = query_open(&q, catalog, err,
                       "UPDATE workers SET version_count = version_count + 1, modified_ms = ?"
                       " WHERE id = ? RETURNING version_count, account_id",
                       "it", v->created_ms, v->worker_id);

    if (r == 0)
        r = query_next(&q, err);
    if (r > 0) {
        v->number = query_i64(&q, 0);
        query_put(&q, 1, account_id, ID_SIZE);
        r = query_next(&q, err);
    } else if (r == 0) {
        r = err_set(err, ERR_NOT_FOUND, "there is no worker '%.64s'", v->worker_id);
    }
    query_done(&q);
    return r;
}

static int take_id(const struct version *draft, char out[UUID_SIZE], struct err *err)
{
    if (!draft->id[0])
        return database_make_uuid(out, err);
    if (!memchr(draft->id, '\0', UUID_SIZE) || !database_is_uuid(draft->id))
        return err_set(err, ERR_INVALID, "'%.36s' is not the id of a version", draft->id);
    memcpy(out, draft->id, UUID_SIZE);
    return 0;
}

static int check_id(struct catalog *catalog, const char *id, struct err *err)
{
    int64_t one;
    int r = query_number(catalog, &one, err, "SELECT 1 FROM versions WHERE id = ?", "t", id);

    if (r == 0)
        return err_set(err, ERR_LIMIT, "there is a version '%s' already", id);
    return r == ERR_NOT_FOUND ? 0 : r;
}

static int insert(struct catalog *catalog, const struct version *v, const struct version *draft,
                  const struct dumped *d, struct err *err)
{
    return query_run(catalog, NULL, err,
                     "INSERT INTO versions (" COLUMNS ")"
                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     "ttiitttttttt", v->id, v->worker_id, v->number, v->created_ms,
                     or_empty(draft->source), or_empty(draft->author), or_empty(draft->bundle),
                     or_empty(draft->main), d->metadata, d->bindings, d->annotations, d->facts);
}

/* Older than VERSIONS_KEPT, and of no deployment that one may want to go back to. */
#define RETIRED                                                                                    \
    " FROM versions WHERE worker_id = ?1 AND number <= ?2 AND id NOT IN (SELECT version_id"        \
    " FROM shares WHERE deployment IN (SELECT number FROM deployments WHERE worker_id = ?1"        \
    " ORDER BY number DESC LIMIT ?3))"

static int retire(struct catalog *catalog, const struct version *newest, struct err *err)
{
    int64_t last = newest->number - VERSIONS_KEPT;
    struct query q;
    int r;

    if (last <= 0)
        return 0;
    r = query_open(&q, catalog, err, "SELECT DISTINCT bundle" RETIRED, "tii", newest->worker_id,
                   last, (int64_t)DEPLOYMENTS_HOLD);
    while (r == 0 && (r = query_next(&q, err)) > 0) {
        bundles_touch(catalog, query_text(&q, 0));
        r = 0;
    }
    query_done(&q);
    if (r == 0)
        r = query_run(catalog, NULL, err, "DELETE" RETIRED, "tii", newest->worker_id, last,
                      (int64_t)DEPLOYMENTS_HOLD);
    return r;
}

int version_create(struct catalog *catalog, const struct version *draft,
                   const char *base_version_id, struct version *ret, struct err *err)
{
    struct version v = {.created_ms = draft->created_ms ? draft->created_ms : clock_wall_ms()};
    struct version made = {0};
    char account_id[ID_SIZE] = "";
    struct dumped d = {0};
    bool is_own;
    int r = check(draft, &d, err);

    memcpy(v.worker_id, draft->worker_id, sizeof v.worker_id);
    if (r == 0)
        r = take_id(draft, v.id, err);
    if (r == 0)
        r = change_begin(catalog, &is_own, err);
    if (r < 0)
        goto done;
    r = check_id(catalog, v.id, err);
    if (r == 0)
        r = count_up(catalog, &v, account_id, err);
    if (r == 0)
        r = insert(catalog, &v, draft, &d, err);
    if (r == 0)
        r = secret_store(catalog, &v, account_id, base_version_id, draft->bindings, err);
    if (r == 0)
        r = retire(catalog, &v, err);
    if (r == 0)
        r = version_find(catalog, v.worker_id, v.id, &made, err);
    r = change_end(catalog, is_own, r, err);
    if (r == 0)
        *ret = made;
    else
        version_done(&made);
done:
    dumped_done(&d);
    return r;
}
