/* namespace.c - see namespace.h.
 *
 * The folder is there before the catalog says that the namespace is, and goes after it: what a
 * crash leaves between the two is a folder that nobody names. */
#include "catalog/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/folder.h"
#include "catalog/inside.h"
#include "catalog/query.h"
#include "text/value.h"

#define COLUMNS "id, title, created_ms"
#define GONE    ".gone-"

void namespace_done(struct namespace *ns)
{
    mem_free(ns->title);
    *ns = (struct namespace){0};
}

void namespaces_done(struct namespaces *list)
{
    for (size_t i = 0; i < list->count; i++)
        namespace_done(&list->items[i]);
    mem_free(list->items);
    *list = (struct namespaces){0};
}

static int take(struct query *q, void *item, struct err *err)
{
    struct namespace *ret = item;
    query_put(q, 0, ret->id, sizeof ret->id);
    ret->created_ms = query_i64(q, 2);
    return query_copy(q, 1, &ret->title, err);
}

static int no_such(const char *id, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no KV namespace '%.64s'", id);
}

static int check_title(const char *title, struct err *err)
{
    json_t *text = json_string(title);
    bool is_text = text != NULL;

    json_decref(text);
    for (const char *at = title; *at; at++)
        is_text = is_text && (unsigned char)*at >= 0x20 && *at != 0x7f;
    if (!title[0] || strlen(title) > NAMESPACE_TITLE_MAX || !is_text)
        return err_set(err, ERR_INVALID,
                       "a title is 1 to %d bytes of UTF-8 without control characters",
                       NAMESPACE_TITLE_MAX);
    return 0;
}

/* `but`: the one that may have it. */
static int check_free(struct catalog *catalog, const char *account_id, const char *title,
                      const char *but, struct err *err)
{
    int64_t one;
    int r = query_number(catalog, &one, err,
                         "SELECT 1 FROM namespaces WHERE account_id = ? AND title = ? AND id <> ?",
                         "ttt", account_id, title, but);

    if (r == 0)
        return err_set(err, ERR_LIMIT, "there is a KV namespace '%.64s' already", title);
    return r == ERR_NOT_FOUND ? 0 : r;
}

int namespace_folder(struct catalog *catalog, const char *account_id, const char *id,
                     char **ret_folder, struct err *err)
{
    char *account = NULL;
    int r = catalog_account_folder(catalog, account_id, &account, err);

    if (r == 0 && !hex_is(id, ID_SIZE - 1))
        r = no_such(id, err);
    if (r == 0)
        *ret_folder = folder_join(account, "kv", id);
    if (r == 0 && !*ret_folder)
        r = err_nomem(err);
    mem_free(account);
    return r;
}

static int make_folder(struct catalog *catalog, const char *account_id, const char *id,
                       struct err *err)
{
    char *path = NULL;
    int r = namespace_folder(catalog, account_id, id, &path, err);

    if (r == 0)
        r = folder_make(path, err);
    mem_free(path);
    return r;
}

static int check_count(struct catalog *catalog, const char *account_id, struct err *err)
{
    int64_t count;
    int r = query_number(catalog, &count, err,
                         "SELECT count(*) FROM namespaces WHERE account_id = ?", "t", account_id);

    if (r == 0 && count >= NAMESPACES_MAX)
        r = err_set(err, ERR_GONE, "the account has %d KV namespaces: no more than that",
                    NAMESPACES_MAX);
    return r;
}

int namespace_create(struct catalog *catalog, const char *account_id, const char *title,
                     struct namespace *ret, struct err *err)
{
    struct namespace ns = {.created_ms = clock_wall_ms()};
    int r = check_title(title, err);

    r = r < 0 ? r : check_count(catalog, account_id, err);
    r = r < 0 ? r : check_free(catalog, account_id, title, "", err);
    r = r < 0 ? r : catalog_make_id(ns.id, err);
    if (r == 0 && !(ns.title = mem_strdup(title)))
        r = err_nomem(err);
    r = r < 0 ? r : make_folder(catalog, account_id, ns.id, err);
    r = r < 0 ? r
              : query_run(catalog, NULL, err,
                          "INSERT INTO namespaces (id, account_id, title, created_ms)"
                          " VALUES (?, ?, ?, ?)",
                          "ttti", ns.id, account_id, title, ns.created_ms);
    if (r < 0)
        namespace_done(&ns);
    else
        *ret = ns;
    return r;
}

int namespace_find(struct catalog *catalog, const char *account_id, const char *id,
                   struct namespace *ret, struct err *err)
{
    struct namespace ns = {0};
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT " COLUMNS " FROM namespaces WHERE account_id = ? AND id = ?", "tt",
                       account_id, id);

    if (r == 0)
        r = query_next(&q, err);
    if (r > 0)
        r = take(&q, &ns, err);
    else if (r == 0)
        r = no_such(id, err);
    query_done(&q);
    if (r == 0)
        *ret = ns;
    else
        namespace_done(&ns);
    return r;
}

int namespace_list(struct catalog *catalog, const char *account_id, struct namespaces *ret,
                   struct err *err)
{
    struct namespaces list;
    struct rows rows;
    struct query q;
    int r = query_open(&q, catalog, err,
                       "SELECT " COLUMNS " FROM namespaces WHERE account_id = ? ORDER BY title",
                       "t", account_id);

    r = query_rows(&q, r, sizeof *list.items, take, &rows, err);
    list = (struct namespaces){rows.items, rows.count};
    if (r == 0)
        *ret = list;
    else
        namespaces_done(&list);
    return r;
}

int namespace_rename(struct catalog *catalog, const char *account_id, const char *id,
                     const char *title, struct err *err)
{
    int changes = 0, r = check_title(title, err);

    r = r < 0 ? r : check_free(catalog, account_id, title, id, err);
    r = r < 0 ? r
              : query_run(catalog, &changes, err,
                          "UPDATE namespaces SET title = ? WHERE account_id = ? AND id = ?", "ttt",
                          title, account_id, id);
    return r == 0 && changes == 0 ? no_such(id, err) : r;
}

/* It loses its name first: its store sees that it is gone, whatever is left of it. */
static int clear(struct catalog *catalog, const char *account_id, const char *id, struct err *err)
{
    char *account = NULL, *path = NULL, gone[64];
    int home = -1, failed = 0, r = catalog_account_folder(catalog, account_id, &account, err);

    if (r == 0 && !(path = folder_join(account, "kv", NULL)))
        r = err_nomem(err);
    if (r == 0)
        home = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folder_random_name(GONE, gone);
    if (home >= 0 && renameat(home, id, home, gone) == 0)
        failed = folder_clear(home, gone);
    if (failed)
        r = err_errno(err, failed, "delete all of the KV namespace '%s'", id);
    if (home >= 0)
        close(home);
    mem_free(account);
    mem_free(path);
    return r;
}

int namespace_delete(struct catalog *catalog, const char *account_id, const char *id,
                     struct err *err)
{
    int changes = 0, r;

    if (!hex_is(id, ID_SIZE - 1))
        return no_such(id, err);
    r = query_run(catalog, &changes, err, "DELETE FROM namespaces WHERE account_id = ? AND id = ?",
                  "tt", account_id, id);
    if (r == 0 && changes == 0)
        return no_such(id, err);
    return r < 0 ? r : clear(catalog, account_id, id, err);
}
