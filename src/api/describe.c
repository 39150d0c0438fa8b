/* describe.c - workers, versions and deployments as the API shows them.  See describe.h. */
#include "api/describe.h"

#include <stdio.h>
#include <string.h>

/* A copy of what `object` has under `key`, else the fallback, which is taken. */
static json_t *pick(const json_t *object, const char *key, json_t *take_fallback)
{
    json_t *value = json_object_get(object, key);

    if (!value || json_is_null(value))
        return take_fallback;
    json_decref(take_fallback);
    return json_deep_copy(value);
}

static json_t *time_of(int64_t ms)
{
    char text[API_TIME_SIZE];

    api_time(ms, text);
    return json_string(text);
}

static json_t *text_of(const char *text)
{
    return json_string(text ? text : "");
}

/* "wrangler" is what wrangler compares with: everything else makes it ask whether to go on. */
static const char *deployed_from(const struct version *version)
{
    return version && version->source && strcmp(version->source, "api") == 0 ? "api" : "wrangler";
}

static int set(json_t *object, const char *key, json_t *take_value)
{
    return json_object_set_new(object, key, take_value);
}

static json_t *finish(json_t *object, int r)
{
    if (r == 0)
        return object;
    json_decref(object);
    return NULL;
}

json_t *describe_bindings(const json_t *bindings)
{
    json_t *copy = bindings ? json_deep_copy(bindings) : json_array();
    json_t *binding;
    size_t i;

    json_array_foreach(copy, i, binding)
    {
        const char *type = json_string_value(json_object_get(binding, "type"));
        if (!type || strncmp(type, "secret_", 7) != 0)
            continue;
        json_object_del(binding, "text");
        json_object_del(binding, "key_base64");
        json_object_del(binding, "key_jwk");
    }
    return copy;
}

json_t *describe_settings(const struct worker *worker)
{
    json_t *out = json_object();
    int r = set(out, "logpush", pick(worker->settings, "logpush", json_false()));

    r |= set(out, "tags", pick(worker->settings, "tags", json_array()));
    r |= set(out, "tail_consumers", pick(worker->settings, "tail_consumers", json_array()));
    r |= set(out, "observability",
             pick(worker->settings, "observability", json_pack("{s:b}", "enabled", 0)));
    return finish(out, r);
}

json_t *describe_script(const struct worker *worker, const struct version *version)
{
    json_t *metadata = version ? version->metadata : NULL;
    json_t *out = describe_settings(worker);
    int r = set(out, "id", text_of(worker->name));

    r |= set(out, "tag", json_string(worker->id));
    r |= set(out, "etag", text_of(version ? version->bundle : ""));
    r |= set(out, "handlers", pick(version ? version->facts : NULL, "handlers", json_array()));
    r |= set(out, "created_on", time_of(worker->created_ms));
    r |= set(out, "modified_on", time_of(worker->modified_ms));
    r |= set(out, "usage_model", json_string("standard"));
    r |= set(out, "compatibility_date", pick(metadata, "compatibility_date", json_string("")));
    r |= set(out, "compatibility_flags", pick(metadata, "compatibility_flags", json_array()));
    r |= set(out, "limits", pick(metadata, "limits", json_object()));
    r |= set(out, "last_deployed_from", json_string(deployed_from(version)));
    r |= set(out, "has_modules", json_true());
    r |= set(out, "has_assets", json_false());
    r |= set(out, "migration_tag", json_null());
    return finish(out, r);
}

json_t *describe_environment(const struct worker *worker, const struct version *version)
{
    json_t *script = describe_script(worker, version);
    json_t *out = json_pack("{s:s, s:o?}", "environment", "production", "script", script);
    int r = set(out, "created_on", time_of(worker->created_ms));

    r |= set(out, "modified_on", time_of(worker->modified_ms));
    return finish(out, r);
}

json_t *describe_service(const struct worker *worker, const struct version *version)
{
    json_t *one = describe_environment(worker, version);
    json_t *out = json_pack("{s:s, s:o?, s:[{s:s}]}", "id", worker->name, "default_environment",
                            one, "environments", "environment", "production");
    int r = set(out, "created_on", time_of(worker->created_ms));

    r |= set(out, "modified_on", time_of(worker->modified_ms));
    r |= set(out, "default_environment_name", json_string("production"));
    return finish(out, r);
}

static json_t *metadata_of(const struct version *v)
{
    json_t *out = json_object();
    int r = set(out, "author_email", text_of(v->author));

    r |= set(out, "author_id", json_string(v->worker_id));
    r |= set(out, "created_on", time_of(v->created_ms));
    r |= set(out, "modified_on", time_of(v->created_ms));
    r |= set(out, "source", text_of(v->source));
    return finish(out, r);
}

static json_t *resources_of(const struct version *v)
{
    json_t *script = json_object(), *runtime = json_object();
    int r = set(script, "etag", text_of(v->bundle));

    r |= set(script, "handlers", pick(v->facts, "handlers", json_array()));
    r |= set(script, "last_deployed_from", json_string(deployed_from(v)));
    r |= set(runtime, "compatibility_date",
             pick(v->metadata, "compatibility_date", json_string("")));
    r |=
        set(runtime, "compatibility_flags", pick(v->metadata, "compatibility_flags", json_array()));
    r |= set(runtime, "usage_model", json_string("standard"));
    r |= set(runtime, "limits", pick(v->metadata, "limits", json_object()));
    if (r != 0) {
        json_decref(script);
        json_decref(runtime);
        return NULL;
    }
    return json_pack("{s:o, s:o, s:o}", "script", script, "script_runtime", runtime, "bindings",
                     describe_bindings(v->bindings));
}

json_t *describe_version(const struct version *version, bool is_full)
{
    json_t *out = json_object();
    int r = set(out, "id", json_string(version->id));

    r |= set(out, "number", json_integer(version->number));
    r |= set(out, "metadata", metadata_of(version));
    r |= set(out, "annotations",
             version->annotations ? json_deep_copy(version->annotations) : json_object());
    if (is_full) {
        json_t *startup = json_object_get(version->facts, "startup_ms");
        r |= set(out, "resources", resources_of(version));
        r |= set(out, "startup_time_ms", startup ? json_incref(startup) : json_integer(0));
    }
    return finish(out, r);
}

static json_t *share_of(const struct deployment_share *share)
{
    bool is_whole = share->percentage == (double)(int)share->percentage;

    return json_pack("{s:s, s:o}", "version_id", share->version_id, "percentage",
                     is_whole ? json_integer((int)share->percentage)
                              : json_real(share->percentage));
}

json_t *describe_deployment(const struct deployment *deployment)
{
    json_t *out = json_object(), *shares = json_array();
    int r = set(out, "id", json_string(deployment->id));

    for (size_t i = 0; i < deployment->share_count; i++)
        r |= json_array_append_new(shares, share_of(&deployment->shares[i]));
    r |= set(out, "source", text_of(deployment->source));
    r |= set(out, "strategy", json_string("percentage"));
    r |= set(out, "author_email", text_of(deployment->author));
    r |= set(out, "created_on", time_of(deployment->created_ms));
    r |= set(out, "annotations",
             deployment->annotations ? json_deep_copy(deployment->annotations) : json_object());
    r |= set(out, "versions", shares);
    return finish(out, r);
}

json_t *describe_worker(const struct worker *worker, int64_t deployed_ms, const char *url)
{
    json_t *out = describe_settings(worker);
    json_t *subdomain = json_pack("{s:b, s:b}", "enabled", worker->is_subdomain_enabled,
                                  "previews_enabled", worker->has_previews);
    const char *host = url ? strstr(url, "://") : NULL;
    int r = url ? set(subdomain, "url", json_string(url)) : 0;

    if (host) /* Behind a version's first eight digits: its preview. */
        r |= set(subdomain, "preview_url_suffix", json_sprintf("-%s", host + 3));
    r |= set(out, "subdomain", subdomain);
    r |= set(out, "id", json_string(worker->id));
    r |= set(out, "name", json_string(worker->name));
    r |= set(out, "created_on", time_of(worker->created_ms));
    r |= set(out, "updated_on", time_of(worker->modified_ms));
    r |= set(out, "deployed_on", deployed_ms > 0 ? time_of(deployed_ms) : json_null());
    r |= set(out, "references",
             json_pack("{s:[], s:[], s:[], s:[], s:[]}", "dispatch_namespace_outbounds", "domains",
                       "durable_objects", "queues", "workers"));
    return finish(out, r);
}

/* ---- finding ---- */

bool api_worker(struct api_call *call, struct catalog *catalog, int code, struct worker *ret)
{
    struct err err = {0};
    int r = worker_find(catalog, call->token.account_id, api_param(call, "script"), ret, &err);

    if (r == 0)
        return true;
    /* A name that cannot be is a worker that is not there. */
    if (r == ERR_NOT_FOUND || r == ERR_INVALID)
        api_error(call, 404, code, "This Worker does not exist on your account.");
    else
        api_fail(call, code, &err);
    return false;
}

const char *workers_name(const struct workers *workers, const char *worker_id)
{
    for (size_t i = 0; i < workers->count; i++)
        if (strcmp(workers->items[i].id, worker_id) == 0)
            return workers->items[i].name;
    return NULL;
}

bool version_is_draft(const struct version *version)
{
    return json_is_true(json_object_get(version->facts, "draft"));
}

int version_current(struct catalog *catalog, const struct worker *worker, struct version *ret,
                    bool *ret_is_deployed, struct err *err)
{
    struct deployment deployment = {0};
    int r = deployment_latest(catalog, worker->id, &deployment, err);
    bool is_deployed = r == 0;

    if (r == 0) {
        size_t best = 0;
        for (size_t i = 1; i < deployment.share_count; i++)
            if (deployment.shares[i].percentage > deployment.shares[best].percentage)
                best = i;
        r = version_find(catalog, worker->id, deployment.shares[best].version_id, ret, err);
        deployment_done(&deployment);
    } else if (r == ERR_NOT_FOUND) {
        r = version_latest(catalog, worker->id, ret, err);
    }
    if (ret_is_deployed)
        *ret_is_deployed = is_deployed;
    return r;
}
