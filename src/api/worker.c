/* worker.c - workers as one resource: /workers/workers, which wrangler 4 reads after each deploy
 * (trap 7). */
#include <string.h>

#include "api/call.h"
#include "api/deploy.h"
#include "api/describe.h"
#include "base/mem.h"

/* With its address and the time of its deployment. */
static json_t *describe(struct api_call *call, struct catalog *catalog, const struct worker *worker)
{
    char *url = live_url(call->api->live, call->account.subdomain, worker->name);
    struct deployment deployment = {0};
    struct err err = {0};
    int r = deployment_latest(catalog, worker->id, &deployment, &err);
    json_t *out;

    if (r < 0 && r != ERR_NOT_FOUND) {
        api_fail(call, 10013, &err);
        mem_free(url);
        return NULL;
    }
    out = describe_worker(worker, r == 0 ? deployment.created_ms : 0, url);
    deployment_done(&deployment);
    mem_free(url);
    return out;
}

/* By its name, or by its id; else the call is answered. */
static bool find(struct api_call *call, struct catalog *catalog, struct worker *ret)
{
    const char *name = api_param(call, "script");
    struct err err = {0};

    if (strlen(name) == ID_SIZE - 1 && worker_find_id(catalog, name, ret, &err) == 0) {
        if (strcmp(ret->account_id, call->account.id) == 0)
            return true;
        worker_done(ret);
    }
    return api_worker(call, catalog, 10007, ret);
}

static void answer(struct api_call *call, struct catalog *catalog, const struct worker *worker)
{
    json_t *out = describe(call, catalog, worker);

    if (!api_is_answered(call))
        api_result(call, out);
}

static void get_worker(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};

    if (find(call, catalog, &worker))
        answer(call, catalog, &worker);
    worker_done(&worker);
}

static void list_workers(struct api_call *call, struct catalog *catalog)
{
    struct workers workers = {0};
    unsigned page, per_page;
    json_t *out;
    struct err err = {0};

    if (worker_list(catalog, call->account.id, &workers, &err) < 0) {
        api_fail(call, 10013, &err);
        return;
    }
    out = json_array();
    for (size_t i = 0; i < workers.count && !api_is_answered(call); i++)
        json_array_append_new(out, describe(call, catalog, &workers.items[i]));
    workers_done(&workers);
    api_page(call, 50, 1000, &page, &per_page);
    if (api_is_answered(call))
        json_decref(out);
    else
        api_result_page(call, out, page, per_page);
}

/* ---- changes ---- */

/* Is `value` true or false?  false: the call is answered. */
static bool read_flag(struct api_call *call, const json_t *object, const char *key, bool *flag)
{
    json_t *value = json_object_get(object, key);

    if (value && !json_is_boolean(value)) {
        api_error(call, 400, 10026, "\"%s\" must be true or false", key);
        return false;
    }
    if (value)
        *flag = json_is_true(value);
    return true;
}

static bool patch_subdomain(struct api_call *call, struct catalog *catalog, struct worker *worker)
{
    json_t *given = json_object_get(call->json, "subdomain");
    struct err err = {0};

    if (!given)
        return true;
    if (!read_flag(call, given, "enabled", &worker->is_subdomain_enabled) ||
        !read_flag(call, given, "previews_enabled", &worker->has_previews))
        return false;
    if (worker_set_subdomain(catalog, worker->id, worker->is_subdomain_enabled,
                             worker->has_previews, &err) < 0)
        api_fail(call, 10026, &err);
    return !api_is_answered(call);
}

static void patch_worker(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0}, changed = {0};
    struct err err = {0};
    json_t *own;

    if (!settings_check(call, call->json) || !find(call, catalog, &worker)) {
        worker_done(&worker);
        return;
    }
    own = settings_of_worker(call->json);
    if (patch_subdomain(call, catalog, &worker)) {
        if (worker_patch_settings(catalog, worker.id, own, &err) < 0 ||
            worker_find_id(catalog, worker.id, &changed, &err) < 0)
            api_fail(call, 10026, &err);
        else
            answer(call, catalog, &changed);
        api_changed(call, worker.id);
    }
    json_decref(own);
    worker_done(&worker);
    worker_done(&changed);
}

#define WORKER "/accounts/:account/workers/workers/:script"

const struct api_endpoint WORKER_ENDPOINTS[] = {
    {"GET", "/accounts/:account/workers/workers", SCOPE_READ, API_NO_BODY, .work = list_workers},
    {"GET", WORKER, SCOPE_READ, API_NO_BODY, .work = get_worker},
    {"PATCH", WORKER, SCOPE_DEPLOY, API_JSON, .work = patch_worker, .after = api_after_change},
    {0}};
