/* settings.c - settings of a worker (those of its versions, and those that no version has), its
 * subdomain. */
#include <string.h>

#include "api/bindings.h"
#include "api/deploy.h"
#include "api/describe.h"
#include "base/mem.h"

static json_t *full_settings(const struct worker *worker, const struct version *version)
{
    json_t *metadata = version ? version->metadata : NULL, *out = describe_settings(worker);
    static const char *const OF_VERSIONS[] = {"compatibility_date", "compatibility_flags", "limits",
                                              "placement"};

    json_object_set_new(out, "bindings",
                        version ? describe_bindings(version->bindings) : json_array());
    json_object_set_new(out, "usage_model", json_string("standard"));
    json_object_set_new(out, "compatibility_date", json_string(""));
    json_object_set_new(out, "compatibility_flags", json_array());
    json_object_set_new(out, "limits", json_object());
    json_object_set_new(out, "placement", json_object());
    for (size_t i = 0; i < sizeof OF_VERSIONS / sizeof *OF_VERSIONS; i++) {
        json_t *value = json_object_get(metadata, OF_VERSIONS[i]);
        if (value && !json_is_null(value))
            json_object_set_new(out, OF_VERSIONS[i], json_deep_copy(value));
    }
    json_object_set_new(out, "migration_tag", json_null());
    json_object_set_new(out, "annotations",
                        version ? json_deep_copy(version->annotations) : json_object());
    return out;
}

/* With the version that counts. */
static void describe_current(struct api_call *call, struct catalog *catalog, int code,
                             json_t *(*describe)(const struct worker *worker,
                                                 const struct version *version))
{
    struct version version = {0};
    struct worker worker = {0};
    struct err err = {0};
    int r;

    if (!api_worker(call, catalog, code, &worker))
        return;
    r = version_current(catalog, &worker, &version, NULL, &err);
    if (r < 0 && r != ERR_NOT_FOUND)
        api_fail(call, code, &err);
    else
        api_result(call, describe(&worker, r == 0 ? &version : NULL));
    version_done(&version);
    worker_done(&worker);
}

static void get_settings(struct api_call *call, struct catalog *catalog)
{
    describe_current(call, catalog, 10007, full_settings);
}

static json_t *only_bindings(const struct worker *worker, const struct version *version)
{
    (void)worker;
    return version ? describe_bindings(version->bindings) : json_array();
}

static void get_bindings(struct api_call *call, struct catalog *catalog)
{
    describe_current(call, catalog, 10090, only_bindings);
}

/* ---- PATCH settings: `secret bulk` of wrangler 3 ---- */

static void answer_settings(struct api_call *call, const struct deploy *d,
                            const struct worker *worker, const struct version *version)
{
    (void)d;
    api_result(call, full_settings(worker, version));
}

static const char *const WORKERS_OWN[] = {"logpush", "tags", "tail_consumers", "observability"};

bool settings_check(struct api_call *call, const json_t *given)
{
    json_t *logpush = json_object_get(given, "logpush"), *tags = json_object_get(given, "tags");
    json_t *consumers = json_object_get(given, "tail_consumers"), *one;
    json_t *observability = json_object_get(given, "observability");
    size_t i;

    if (!json_is_object(given))
        api_error(call, 400, 10026, "The settings must be an object");
    else if (logpush && !json_is_boolean(logpush) && !json_is_null(logpush))
        api_error(call, 400, 10026, "\"logpush\" must be true or false");
    else if (tags && !json_is_array(tags) && !json_is_null(tags))
        api_error(call, 400, 10026, "\"tags\" must be an array of strings");
    else if (consumers && !json_is_array(consumers) && !json_is_null(consumers))
        api_error(call, 400, 10026, "\"tail_consumers\" must be an array");
    else if (observability && !json_is_object(observability) && !json_is_null(observability))
        api_error(call, 400, 10026, "\"observability\" must be an object");
    json_array_foreach(tags, i, one)
    {
        if (!json_is_string(one) || json_string_length(one) > 200 || i >= 100)
            api_error(call, 400, 10026,
                      "\"tags\" must be at most 100 strings of at most 200 bytes");
    }
    return !api_is_answered(call);
}

json_t *settings_of_worker(const json_t *given)
{
    json_t *out = json_object();

    for (size_t i = 0; i < sizeof WORKERS_OWN / sizeof *WORKERS_OWN; i++) {
        json_t *value = json_object_get(given, WORKERS_OWN[i]);
        if (value)
            json_object_set(out, WORKERS_OWN[i], value);
    }
    return out;
}

/* The part "settings" as JSON: a new reference; NULL: the call is answered. */
static json_t *read_part(struct api_call *call)
{
    struct api_part *parts = NULL;
    struct err err = {0};
    size_t count = 0;
    json_t *out = NULL;
    int r = 0;

    if (api_parts(call, &parts, &count, &err) < 0) {
        api_fail(call, 10026, &err);
        return NULL;
    }
    for (size_t i = 0; i < count && !out && r == 0; i++)
        if (strcmp(parts[i].name, "settings") == 0)
            r = api_json(parts[i].bytes, &out, &err);
    if (!out)
        api_error(call, 400, 10026, "The form has no part \"settings\" that is JSON%s%s",
                  r < 0 ? ": " : "", r < 0 ? err.text : "");
    api_parts_done(parts, count);
    return out;
}

/* Only settings of the worker: no version is made for them. */
static void patch_worker_only(struct api_call *call, struct catalog *catalog, const json_t *given)
{
    struct worker worker = {0};
    json_t *own = settings_of_worker(given);
    struct err err = {0};

    if (api_worker(call, catalog, 10007, &worker)) {
        if (worker_patch_settings(catalog, worker.id, own, &err) < 0)
            api_fail(call, 10026, &err);
        else
            get_settings(call, catalog);
        api_changed(call, worker.id);
    }
    json_decref(own);
    worker_done(&worker);
}

static void patch_settings(struct api_call *call, struct catalog *catalog)
{
    json_t *given = read_part(call), *bindings;
    struct deploy *d;

    if (!given || !settings_check(call, given))
        goto done;
    bindings = json_object_get(given, "bindings");
    if (!bindings) {
        patch_worker_only(call, catalog, given);
        goto done;
    }
    if (!json_is_array(bindings)) {
        api_error(call, 400, 10026, "\"bindings\" must be an array");
        goto done;
    }
    d = deploy_new(call);
    if (!d)
        goto done;
    d->deploys = true;
    d->base = DEPLOY_ON_CURRENT;
    d->missing = BINDINGS_STRICT;
    d->triggered_by = "secret";
    d->asked = json_incref(bindings);

    d->settings = settings_of_worker(given);
    d->answer = answer_settings;
    if (deploy_annotations(call, json_object_get(given, "annotations"), &d->annotations))
        deploy_prepare(call, catalog, d);
done:
    json_decref(given);
}

static void after_settings(struct api_call *call)
{
    if (call->state)
        deploy_check(call);
    else
        api_after_change(call);
}

/* ---- script-settings: what no version has ---- */

static json_t *own_settings(const struct worker *worker, const struct version *version)
{
    (void)version;
    return describe_settings(worker);
}

static void get_script_settings(struct api_call *call, struct catalog *catalog)
{
    describe_current(call, catalog, 10007, own_settings);
}

static void patch_script_settings(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};
    json_t *own = NULL;
    struct err err = {0};

    if (!api_worker(call, catalog, 10007, &worker))
        return;
    if (settings_check(call, call->json)) {
        own = settings_of_worker(call->json);
        if (worker_patch_settings(catalog, worker.id, own, &err) < 0)
            api_fail(call, 10026, &err);
        else
            get_script_settings(call, catalog);
        api_changed(call, worker.id);
    }
    json_decref(own);
    worker_done(&worker);
}

/* ---- its place below the subdomain ---- */

static json_t *describe_subdomain(bool is_enabled, bool has_previews)
{
    return json_pack("{s:b, s:b, s:b}", "enabled", is_enabled, "previews_enabled", has_previews,
                     "available_on_subdomain", is_enabled);
}

static void get_subdomain_of(struct api_call *call, struct catalog *catalog, int code)
{
    struct worker worker = {0};

    if (!api_worker(call, catalog, code, &worker))
        return;
    api_result(call, describe_subdomain(worker.is_subdomain_enabled, worker.has_previews));
    worker_done(&worker);
}

static void get_subdomain(struct api_call *call, struct catalog *catalog)
{
    get_subdomain_of(call, catalog, 10007);
}

static void get_service_subdomain(struct api_call *call, struct catalog *catalog)
{
    get_subdomain_of(call, catalog, 10090);
}

/* false: the call is answered. */
static bool read_flag(struct api_call *call, const char *key, bool *flag)
{
    json_t *value = json_object_get(call->json, key);

    if (value && !json_is_null(value) && !json_is_boolean(value)) {
        api_error(call, 400, 10026, "\"%s\" must be true or false", key);
        return false;
    }
    if (json_is_boolean(value))
        *flag = json_is_true(value);
    return true;
}

static void post_subdomain(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};
    struct err err = {0};

    if (!api_worker(call, catalog, 10007, &worker))
        return;
    if (!json_is_object(call->json) || !json_object_get(call->json, "enabled")) {
        api_error(call, 400, 10026, "The request body must be {\"enabled\": true} or false");
    } else if (read_flag(call, "enabled", &worker.is_subdomain_enabled) &&
               read_flag(call, "previews_enabled", &worker.has_previews)) {
        if (worker_set_subdomain(catalog, worker.id, worker.is_subdomain_enabled,
                                 worker.has_previews, &err) < 0) {
            api_fail(call, 10026, &err);
        } else {
            api_result(call, describe_subdomain(worker.is_subdomain_enabled, worker.has_previews));
            api_changed(call, worker.id);
        }
    }
    worker_done(&worker);
}

static void delete_subdomain(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};
    struct err err = {0};

    if (!api_worker(call, catalog, 10007, &worker))
        return;
    if (worker_set_subdomain(catalog, worker.id, false, false, &err) < 0) {
        api_fail(call, 10026, &err);
    } else {
        api_result(call, describe_subdomain(false, false));
        api_changed(call, worker.id);
    }
    worker_done(&worker);
}

#define SCRIPT  "/accounts/:account/workers/scripts/:script"
#define SERVICE "/accounts/:account/workers/services/:script/environments/:environment"

const struct api_endpoint SETTING_ENDPOINTS[] = {
    {"GET", SCRIPT "/settings", SCOPE_READ, API_NO_BODY, .work = get_settings},
    {"PATCH", SCRIPT "/settings", SCOPE_DEPLOY, API_FORM, .work = patch_settings,
     .after = after_settings},
    {"GET", SCRIPT "/script-settings", SCOPE_READ, API_NO_BODY, .work = get_script_settings},
    {"PATCH", SCRIPT "/script-settings", SCOPE_DEPLOY, API_JSON, .work = patch_script_settings,
     .after = api_after_change},
    {"GET", SCRIPT "/subdomain", SCOPE_READ, API_NO_BODY, .work = get_subdomain},
    {"POST", SCRIPT "/subdomain", SCOPE_DEPLOY, API_JSON, .work = post_subdomain,
     .after = api_after_change},
    {"DELETE", SCRIPT "/subdomain", SCOPE_DEPLOY, API_NO_BODY, .work = delete_subdomain,
     .after = api_after_change},
    {"GET", SERVICE "/bindings", SCOPE_READ, API_NO_BODY, .work = get_bindings},
    {"GET", SERVICE "/subdomain", SCOPE_READ, API_NO_BODY, .work = get_service_subdomain},
    {0}};
