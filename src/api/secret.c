/* secret.c - secrets of a worker: put, list, delete, and many at once.
 *
 * A change is a new version with the code of the one that answers, and a deployment of it.  Which
 * secrets there are is told, what they say never. */
#include <string.h>

#include "api/bindings.h"
#include "api/deploy.h"
#include "api/describe.h"

static json_t *describe_secret(const json_t *binding)
{
    return json_pack("{s:O?, s:O?}", "name", json_object_get(binding, "name"), "type",
                     json_object_get(binding, "type"));
}

static json_t *list_of(const json_t *bindings)
{
    json_t *out = json_array(), *binding;
    size_t i;

    json_array_foreach(bindings, i, binding)
    {
        if (binding_is_secret(binding))
            json_array_append_new(out, describe_secret(binding));
    }
    return out;
}

/* The bindings of the version that counts: a new reference, an empty array when there is none;
 * NULL: the call is answered. */
static json_t *current_bindings(struct api_call *call, struct catalog *catalog)
{
    struct version version = {0};
    struct worker worker = {0};
    struct err err = {0};
    json_t *out = NULL;
    int r;

    if (!api_worker(call, catalog, 10007, &worker))
        return NULL;
    r = version_current(catalog, &worker, &version, NULL, &err);
    if (r == 0)
        out = json_incref(version.bindings);
    else if (r == ERR_NOT_FOUND)
        out = json_array();
    else
        api_fail(call, 10007, &err);
    version_done(&version);
    worker_done(&worker);
    return out;
}

static void list_secrets(struct api_call *call, struct catalog *catalog)
{
    json_t *bindings = current_bindings(call, catalog);

    if (bindings)
        api_result(call, list_of(bindings));
    json_decref(bindings);
}

static json_t *find_secret(const json_t *bindings, const char *name)
{
    json_t *binding;
    size_t i;

    json_array_foreach(bindings, i, binding)
    {
        if (binding_is_secret(binding) &&
            strcmp(json_string_value(json_object_get(binding, "name")), name) == 0)
            return binding;
    }
    return NULL;
}

static void no_such_secret(struct api_call *call)
{
    api_error(call, 404, 10056, "This Worker has no secret '%.200s'", api_param(call, "secret"));
}

static void get_secret(struct api_call *call, struct catalog *catalog)
{
    json_t *bindings = current_bindings(call, catalog), *binding;

    if (!bindings)
        return;
    binding = find_secret(bindings, api_param(call, "secret"));
    if (binding)
        api_result(call, describe_secret(binding));
    else
        no_such_secret(call);
    json_decref(bindings);
}

/* ---- changes ---- */

/* Takes the changes.  NULL: the call is answered. */
static struct deploy *begin(struct api_call *call, json_t *take_changes,
                            void (*answer)(struct api_call *call, const struct deploy *d,
                                           const struct worker *worker,
                                           const struct version *version))
{
    struct deploy *d = deploy_new(call);

    if (!d) {
        json_decref(take_changes);
        return NULL;
    }
    d->deploys = true;
    d->base = DEPLOY_ON_CURRENT;
    d->triggered_by = "secret";
    d->annotations = json_object();
    d->changes = take_changes;
    d->answer = answer;
    return d;
}

/* A binding {"name", "type", "text"} out of what was sent; NULL: the call is answered. */
static json_t *read_secret(struct api_call *call, const json_t *given, const char *name)
{
    const char *type = json_string_value(json_object_get(given, "type"));
    json_t *text = json_object_get(given, "text"), *out;

    if (!name || !*name) {
        api_error(call, 400, 10026, "A secret needs a \"name\"");
        return NULL;
    }
    if (type && strcmp(type, "secret_text") != 0 && strcmp(type, "secret_key") != 0) {
        api_error(call, 400, 10026,
                  "The secret '%.200s' must be of type \"secret_text\", not \"%.40s\"", name, type);
        return NULL;
    }
    if ((!type || strcmp(type, "secret_text") == 0) && !json_is_string(text)) {
        api_error(call, 400, 10026, "The secret '%.200s' needs a \"text\"", name);
        return NULL;
    }
    out = json_deep_copy(given);
    json_object_set_new(out, "name", json_string(name));
    if (!type)
        json_object_set_new(out, "type", json_string("secret_text"));
    return out;
}

static void answer_one(struct api_call *call, const struct deploy *d, const struct worker *worker,
                       const struct version *version)
{
    const char *name = json_object_iter_key(json_object_iter(d->changes));

    (void)worker;
    api_result(call, describe_secret(find_secret(version->bindings, name)));
}

static void put_secret(struct api_call *call, struct catalog *catalog)
{
    const char *name = json_string_value(json_object_get(call->json, "name"));
    json_t *secret = read_secret(call, call->json, name), *changes = json_object();
    struct deploy *d;

    if (!secret) {
        json_decref(changes);
        return;
    }
    json_object_set_new(changes, name, secret);
    d = begin(call, changes, answer_one);
    if (d)
        deploy_prepare(call, catalog, d);
}

static void answer_nothing(struct api_call *call, const struct deploy *d,
                           const struct worker *worker, const struct version *version)
{
    (void)d;
    (void)worker;
    (void)version;
    api_result(call, NULL);
}

static void delete_secret(struct api_call *call, struct catalog *catalog)
{
    const char *name = api_param(call, "secret");
    json_t *bindings = current_bindings(call, catalog);
    struct deploy *d;

    if (!bindings)
        return;
    if (!find_secret(bindings, name)) {
        no_such_secret(call);
    } else {
        json_t *changes = json_object();
        json_object_set_new(changes, name, json_null());
        d = begin(call, changes, answer_nothing);
        if (d)
            deploy_prepare(call, catalog, d);
    }
    json_decref(bindings);
}

static void answer_list(struct api_call *call, const struct deploy *d, const struct worker *worker,
                        const struct version *version)
{
    (void)d;
    (void)worker;
    api_result(call, list_of(version->bindings));
}

/* {NAME: secret or null}, a merge patch; takes nothing.  NULL: the call is answered. */
static json_t *read_bulk(struct api_call *call, const json_t *given)
{
    json_t *changes, *value;
    const char *name;

    if (!json_is_object(given)) {
        api_error(call, 400, 10026, "\"secrets\" must be an object of secrets by their names");
        return NULL;
    }
    changes = json_object();
    json_object_foreach((json_t *)(uintptr_t)given, name, value)
    {
        json_t *one = json_is_null(value) ? json_null() : read_secret(call, value, name);
        if (!one) {
            deploy_wipe(changes);
            json_decref(changes);
            return NULL;
        }
        json_object_set_new(changes, name, one);
    }
    return changes;
}

static void patch_secrets(struct api_call *call, struct catalog *catalog)
{
    json_t *changes = read_bulk(call, json_object_get(call->json, "secrets"));
    struct deploy *d = changes ? begin(call, changes, answer_list) : NULL;

    if (d)
        deploy_prepare(call, catalog, d);
}

/* ---- `versions secret` of wrangler 4: a version on top of the newest, not deployed ---- */

static void answer_version(struct api_call *call, const struct deploy *d,
                           const struct worker *worker, const struct version *version)
{
    json_t *out = describe_version(version, true);

    (void)d;
    (void)worker;
    json_object_set_new(out, "urls", json_array());
    api_result(call, out);
}

static void patch_latest(struct api_call *call, struct catalog *catalog)
{
    json_t *env = json_object_get(call->json, "env");
    json_t *changes = read_bulk(call, env ? env : json_object_get(call->json, "secrets"));
    struct deploy *d = changes ? begin(call, changes, answer_version) : NULL;

    if (!d)
        return;
    json_decref(d->annotations);
    d->annotations = NULL;
    d->deploys = false;
    d->base = DEPLOY_ON_NEWEST;
    if (deploy_annotations(call, json_object_get(call->json, "annotations"), &d->annotations))
        deploy_prepare(call, catalog, d);
}

#define SCRIPT "/accounts/:account/workers/scripts/:script"

const struct api_endpoint SECRET_ENDPOINTS[] = {
    {"GET", SCRIPT "/secrets", SCOPE_READ, API_NO_BODY, .work = list_secrets},
    {"PUT", SCRIPT "/secrets", SCOPE_DEPLOY, API_JSON, .work = put_secret, .after = deploy_check},
    {"GET", SCRIPT "/secrets/:secret", SCOPE_READ, API_NO_BODY, .work = get_secret},
    {"DELETE", SCRIPT "/secrets/:secret", SCOPE_DEPLOY, API_NO_BODY, .work = delete_secret,
     .after = deploy_check},
    {"PATCH", SCRIPT "/secrets-bulk", SCOPE_DEPLOY, API_JSON, .work = patch_secrets,
     .after = deploy_check},
    {"PATCH", "/accounts/:account/workers/workers/:script/versions/latest", SCOPE_DEPLOY, API_JSON,
     .work = patch_latest, .after = deploy_check},
    {0}};
