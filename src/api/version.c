/* version.c - versions and deployments. */
#include <math.h>
#include <string.h>

#include "api/call.h"
#include "api/deploy.h"
#include "api/describe.h"
#include "base/mem.h"

enum { DEPLOYABLE_MAX = 100 };

/* ---- versions ---- */

static void answer_version(struct api_call *call, const struct deploy *d,
                           const struct worker *worker, const struct version *version)
{
    json_t *out = describe_version(version, true);
    /* Then wrangler tells its address, and that of an alias, which nothing answers at. */
    bool has_preview =
        worker->has_previews && !json_object_get(version->annotations, "workers/alias");

    (void)d;
    json_object_set_new(json_object_get(out, "metadata"), "has_preview", json_boolean(has_preview));
    api_result(call, out);
}

static void post_version(struct api_call *call, struct catalog *catalog)
{
    struct deploy *d = deploy_new(call);
    char *inherit = api_query(call, "bindings_inherit", 0);

    if (d) {
        d->triggered_by = "version_upload";
        d->missing = inherit && strcmp(inherit, "strict") == 0 ? BINDINGS_STRICT : BINDINGS_LENIENT;
        d->answer = answer_version;
        if (deploy_read_form(call, catalog, d)) {
            /* Those of the worker come with its deployment: see script-settings. */
            json_object_clear(d->settings);
            deploy_prepare(call, catalog, d);
        }
    }
    mem_free(inherit);
}

static void list_versions(struct api_call *call, struct catalog *catalog)
{
    struct versions versions = {0};
    struct worker worker = {0};
    json_t *out = json_array();
    unsigned page, per_page;
    struct err err = {0};
    char *deployable;
    size_t first;
    int r;

    if (!api_worker(call, catalog, 10007, &worker)) {
        json_decref(out);
        return;
    }
    deployable = api_query(call, "deployable", 0);
    api_page(call, deployable ? DEPLOYABLE_MAX : 10, DEPLOYABLE_MAX, &page, &per_page);
    first = (size_t)(page - 1) * per_page;
    r = version_list(catalog, worker.id, &versions, &err);
    for (size_t i = first; r == 0 && i < versions.count && i < first + per_page; i++)
        json_array_append_new(out, describe_version(&versions.items[i], false));
    if (r < 0) {
        json_decref(out);
        api_fail(call, 10007, &err);
    } else {
        json_int_t count = (json_int_t)json_array_size(out), total = (json_int_t)versions.count;
        api_result_list(call, json_pack("{s:o}", "items", out),
                        json_pack("{s:i, s:i, s:I, s:I, s:I}", "page", (int)page, "per_page",
                                  (int)per_page, "count", count, "total_count", total,
                                  "total_pages", (total + per_page - 1) / per_page));
    }
    versions_done(&versions);
    worker_done(&worker);
    mem_free(deployable);
}

static void get_version(struct api_call *call, struct catalog *catalog)
{
    struct version version = {0};
    struct worker worker = {0};
    struct err err = {0};

    if (!api_worker(call, catalog, 10007, &worker))
        return;
    if (version_find(catalog, worker.id, api_param(call, "version"), &version, &err) < 0)
        api_fail(call, 10007, &err);
    else
        api_result(call, describe_version(&version, true));
    version_done(&version);
    worker_done(&worker);
}

/* ---- deployments ---- */

static void list_deployments(struct api_call *call, struct catalog *catalog)
{
    struct deployments deployments = {0};
    struct worker worker = {0};
    json_t *out = json_array();
    struct err err = {0};
    int r;

    if (!api_worker(call, catalog, 10007, &worker)) {
        json_decref(out);
        return;
    }
    r = deployment_list(catalog, worker.id, &deployments, &err);
    for (size_t i = 0; r == 0 && i < deployments.count; i++)
        json_array_append_new(out, describe_deployment(&deployments.items[i]));
    deployments_done(&deployments);
    worker_done(&worker);
    if (r == 0) {
        api_result(call, json_pack("{s:o}", "deployments", out));
        return;
    }
    json_decref(out);
    api_fail(call, 10007, &err);
}

static void get_deployment(struct api_call *call, struct catalog *catalog)
{
    struct deployments deployments = {0};
    struct worker worker = {0};
    struct err err = {0};

    if (!api_worker(call, catalog, 10007, &worker))
        return;
    if (deployment_list(catalog, worker.id, &deployments, &err) < 0)
        api_fail(call, 10007, &err);
    for (size_t i = 0; i < deployments.count; i++)
        if (strcmp(deployments.items[i].id, api_param(call, "deployment")) == 0)
            api_result(call, describe_deployment(&deployments.items[i]));
    if (!api_is_answered(call))
        api_error(call, 404, 10007, "There is no deployment '%.40s' of this Worker",
                  api_param(call, "deployment"));
    deployments_done(&deployments);
    worker_done(&worker);
}

static bool read_share(struct api_call *call, const json_t *given, size_t n,
                       struct deployment_share *ret)
{
    const char *id = json_string_value(json_object_get(given, "version_id"));
    json_t *percentage = json_object_get(given, "percentage");
    double value = json_number_value(percentage);

    if (!id || !database_is_uuid(id)) {
        api_error(call, 400, 10021, "\"version_id\" of version %zu must be the id of a version",
                  n + 1);
        return false;
    }
    if (!json_is_number(percentage) || !isfinite(value) || value < 0 || value > 100) {
        api_error(call, 400, 10021, "\"percentage\" of version %zu must be a number from 0 to 100",
                  n + 1);
        return false;
    }
    strcpy(ret->version_id, id);
    ret->percentage = value;
    return true;
}

/* Versions with no share at all are left out: wrangler lists them. */
static bool read_shares(struct api_call *call, struct deployment *draft)
{
    const char *strategy = json_string_value(json_object_get(call->json, "strategy"));
    json_t *versions = json_object_get(call->json, "versions"), *one;
    size_t i;

    if (strategy && strcmp(strategy, "percentage") != 0) {
        api_error(call, 400, 10021, "There is no strategy \"%.40s\": it must be \"percentage\"",
                  strategy);
        return false;
    }
    if (!json_is_array(versions) || json_array_size(versions) == 0 ||
        json_array_size(versions) > VERSIONS_KEPT) {
        api_error(call, 400, 10021, "\"versions\" must name one or two versions");
        return false;
    }
    json_array_foreach(versions, i, one)
    {
        struct deployment_share share = {0};
        if (!read_share(call, one, i, &share))
            return false;
        if (share.percentage <= 0)
            continue;
        if (draft->share_count == DEPLOYMENT_VERSIONS_MAX) {
            api_error(call, 400, 10021, "At most %d versions can be deployed at once",
                      DEPLOYMENT_VERSIONS_MAX);
            return false;
        }
        draft->shares[draft->share_count++] = share;
    }
    return true;
}

/* Every version of it has code, and is this worker's. */
static bool check_versions(struct api_call *call, struct catalog *catalog,
                           const struct deployment *draft)
{
    for (size_t i = 0; i < draft->share_count && !api_is_answered(call); i++) {
        struct version version = {0};
        struct err err = {0};
        if (version_find(catalog, draft->worker_id, draft->shares[i].version_id, &version, &err) <
            0)
            api_fail(call, 10007, &err);
        else if (version_is_draft(&version))
            api_error(call, 400, 10021,
                      "Version %s has no code yet: upload the worker before you deploy it",
                      version.id);
        version_done(&version);
    }
    return !api_is_answered(call);
}

static void post_deployment(struct api_call *call, struct catalog *catalog)
{
    char author[API_AUTHOR_MAX];
    struct deployment draft = {.source = call_inside(call)->agent,
                               .author = api_author(call, author)};
    struct deployment made = {0};
    struct worker worker = {0};
    struct err err = {0};

    if (!api_worker(call, catalog, 10007, &worker))
        return;
    memcpy(draft.worker_id, worker.id, sizeof draft.worker_id);
    if (!json_is_object(call->json)) {
        api_error(call, 400, 10026, "The request body must be an object with \"versions\"");
    } else if (deploy_annotations(call, json_object_get(call->json, "annotations"),
                                  &draft.annotations) &&
               read_shares(call, &draft) && check_versions(call, catalog, &draft)) {
        json_object_set_new(draft.annotations, "workers/triggered_by", json_string("deployment"));
        if (deployment_create(catalog, &draft, &made, &err) < 0) {
            api_fail(call, 10021, &err);
        } else {
            api_result(call, describe_deployment(&made));
            api_changed(call, worker.id);
        }
    }
    deployment_done(&made);
    json_decref(draft.annotations);
    worker_done(&worker);
}

#define SCRIPT "/accounts/:account/workers/scripts/:script"

const struct api_endpoint VERSION_ENDPOINTS[] = {
    {"GET", SCRIPT "/versions", SCOPE_READ, API_NO_BODY, .work = list_versions},
    {"POST", SCRIPT "/versions", SCOPE_DEPLOY, API_FORM, .work = post_version,
     .after = deploy_check},
    {"GET", SCRIPT "/versions/:version", SCOPE_READ, API_NO_BODY, .work = get_version},
    {"GET", SCRIPT "/deployments", SCOPE_READ, API_NO_BODY, .work = list_deployments},
    {"GET", SCRIPT "/deployments/:deployment", SCOPE_READ, API_NO_BODY, .work = get_deployment},
    {"POST", SCRIPT "/deployments", SCOPE_DEPLOY, API_JSON, .work = post_deployment,
     .after = api_after_change},
    {0}};
