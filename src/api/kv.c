/* kv.c - KV namespaces of an account: create, list, rename, delete. */
#include "api/kv.h"

#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "base/mem.h"

/* ---- shared ---- */

static void no_namespace(struct api_call *call)
{
    api_error(call, 404, KV_NO_NAMESPACE, "namespace not found");
}

bool kv_look_up(struct api_call *call, struct catalog *catalog, char **ret_folder)
{
    const char *account = call->account.id, *id = api_param(call, "namespace");
    struct namespace ns = {0};
    struct err err = {0};
    int r = namespace_find(catalog, account, id, &ns, &err);

    namespace_done(&ns);
    r = r < 0 ? r : namespace_folder(catalog, account, id, ret_folder, &err);
    if (r == ERR_NOT_FOUND)
        no_namespace(call);
    else if (r < 0)
        api_fail(call, KV_FAILED, &err);
    return r == 0;
}

void kv_refuse(struct api_call *call, const struct err *err)
{
    switch (err->code) {
    case ERR_NOT_FOUND:
        no_namespace(call);
        return;
    case ERR_INVALID:
        api_error(call, 400, KV_MALFORMED, "%s", err->text);
        return;
    case ERR_LIMIT:
        api_error(call, 413, KV_TOO_MUCH, "%s", err->text);
        return;
    default:
        api_fail(call, KV_FAILED, err);
    }
}

static json_t *pack(const struct namespace *ns)
{
    return json_pack("{s:s, s:s, s:b}", "id", ns->id, "title", ns->title, "supports_url_encoding",
                     1);
}

static void answer(struct api_call *call, int r, const struct namespace *ns, const struct err *err)
{
    if (r == 0)
        api_result(call, ns ? pack(ns) : NULL);
    else if (r == ERR_NOT_FOUND)
        no_namespace(call);
    else if (r == ERR_LIMIT)
        api_error(call, 400, KV_EXISTS,
                  "a namespace with this account ID and title already exists");
    else if (r == ERR_GONE || r == ERR_INVALID)
        api_error(call, 400, KV_MALFORMED, "%s", err->text);
    else
        api_fail(call, KV_FAILED, err);
}

/* NULL: answered. */
static const char *title_of(struct api_call *call)
{
    const char *title = json_string_value(json_object_get(call->json, "title"));

    if (!title)
        api_error(call, 400, KV_MALFORMED, "title is missing, or is no string");
    return title;
}

/* ---- the endpoints ---- */

static void create(struct api_call *call, struct catalog *catalog)
{
    const char *title = title_of(call);
    struct namespace ns = {0};
    struct err err = {0};
    int r;

    if (!title)
        return;
    r = namespace_create(catalog, call->account.id, title, &ns, &err);
    answer(call, r, &ns, &err);
    namespace_done(&ns);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct namespace *)a)->id, ((const struct namespace *)b)->id);
}

static bool asks(const struct api_call *call, const char *name, const char *value)
{
    char *given = api_query(call, name, 0);
    bool does = given && strcmp(given, value) == 0;

    mem_free(given);
    return does;
}

static void list(struct api_call *call, struct catalog *catalog)
{
    bool is_down = asks(call, "direction", "desc");
    struct namespaces all = {0};
    json_t *array = json_array();
    unsigned page, per_page;
    struct err err = {0};
    int r = namespace_list(catalog, call->account.id, &all, &err);

    if (all.count > 0 && asks(call, "order", "id"))
        qsort(all.items, all.count, sizeof *all.items, by_id);
    for (size_t i = 0; i < all.count && r == 0; i++) {
        const struct namespace *ns = &all.items[is_down ? all.count - 1 - i : i];
        if (json_array_append_new(array, pack(ns)) < 0)
            r = err_nomem(&err);
    }
    namespaces_done(&all);
    api_page(call, 20, 1000, &page, &per_page);
    if (r == 0) {
        api_result_page(call, array, page, per_page);
        return;
    }
    json_decref(array);
    api_fail(call, KV_FAILED, &err);
}

static void show(struct api_call *call, struct catalog *catalog)
{
    struct namespace ns = {0};
    struct err err = {0};
    int r = namespace_find(catalog, call->account.id, api_param(call, "namespace"), &ns, &err);

    answer(call, r, &ns, &err);
    namespace_done(&ns);
}

static void rename_one(struct api_call *call, struct catalog *catalog)
{
    const char *id = api_param(call, "namespace"), *title = title_of(call);
    struct namespace ns = {0};
    struct err err = {0};
    int r;

    if (!title)
        return;
    r = namespace_rename(catalog, call->account.id, id, title, &err);
    r = r < 0 ? r : namespace_find(catalog, call->account.id, id, &ns, &err);
    answer(call, r, &ns, &err);
    namespace_done(&ns);
}

static void drop(struct api_call *call, struct catalog *catalog)
{
    const char *account = call->account.id, *id = api_param(call, "namespace");
    char *folder = NULL;
    struct err err = {0};
    int r;

    if (!kv_look_up(call, catalog, &folder))
        return;
    r = namespace_delete(catalog, account, id, &err);
    answer(call, r, NULL, &err);
    call->state = folder;
    call->free_state = mem_free;
}

/* Its process, if there is one, is told now and not when somebody calls. */
static void let_go(struct api_call *call)
{
    if (call->state)
        keeper_let_go(call->api->keeper, call->state);
}

#define NAMESPACES "/accounts/:account/storage/kv/namespaces"
const struct api_endpoint KV_ENDPOINTS[] = {
    {"GET", NAMESPACES, SCOPE_READ, API_NO_BODY, .work = list},
    {"POST", NAMESPACES, SCOPE_DEPLOY, API_JSON, .work = create},
    {"GET", KV_NAMESPACE, SCOPE_READ, API_NO_BODY, .work = show},
    {"PUT", KV_NAMESPACE, SCOPE_DEPLOY, API_JSON, .work = rename_one},
    {"DELETE", KV_NAMESPACE, SCOPE_DEPLOY, API_NO_BODY, .work = drop, .after = let_go},
    {0}};
