/* bindings.c - what stands in a version's env: values, and what leads to databases.
 *
 * A binding that this node cannot run is refused with its name and type: better at the upload than
 * at the first request that misses it. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "live/prepare.h"
#include "text/value.h"

enum { CODE_STARTUP = 10021, CODE_NO_DATABASE = 10181 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* "2026-11-22T07:08:59.123Z" */
static void print_time(int64_t ms, char room[32])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char day[24];

    gmtime_r(&seconds, &tm);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(room, 32, "%s.%03dZ", day, (int)(ms % 1000));
}

static json_t *version_metadata(const struct recipe *recipe)
{
    char when[32];

    print_time(recipe->created_ms, when);
    return json_pack("{s:s,s:s,s:s}", "id", recipe->version_id, "tag",
                     recipe->tag ? recipe->tag : "", "timestamp", when);
}

static int bind_database(const struct recipe *recipe, const char *data_folder, const char *name,
                         const json_t *binding, struct outlets *outlets, int *ret_code,
                         struct err *err)
{
    const char *uuid =
        text_of(binding, "id")[0] ? text_of(binding, "id") : text_of(binding, "database_id");
    struct database found = {0};
    char folder[4096];
    int r;

    if ((size_t)snprintf(folder, sizeof folder, "%s/accounts/%s", data_folder,
                         recipe->account_id) >= sizeof folder)
        return err_set(err, ERR_SYSTEM, "the path of the data folder is too long");
    if (!database_is_uuid(uuid)) {
        err_set(err, ERR_INVALID, "D1 binding '%s' has no database id: \"%.60s\" is none", name,
                uuid);
        return err_hint(err, "copy the id that `corral d1 create` or `wrangler d1 create` printed");
    }
    r = database_find(folder, uuid, &found, err);
    if (r == ERR_NOT_FOUND) {
        *ret_code = CODE_NO_DATABASE;
        err_set(err, ERR_INVALID, "D1 binding '%s' references database '%s' which was not found.",
                name, uuid);
        err_hint(err, "make it with `corral d1 create` or `wrangler d1 create`, and write the id "
                      "that it prints as database_id");
        r = ERR_INVALID;
    }
    if (r == 0)
        r = outlets_bind_d1(outlets, name, folder, found.name, found.uuid, err);
    database_done(&found);
    return r;
}

static int refuse(const char *name, const char *type, struct err *err)
{
    static const struct {
        const char *type, *words;
    } KNOWN[] = {
        {"kv_namespace", "a KV namespace"},
        {"r2_bucket", "an R2 bucket"},
        {"queue", "a queue"},
        {"durable_object_namespace", "a Durable Object namespace"},
        {"service", "another Worker"},
        {"ai", "Workers AI"},
        {"analytics_engine", "an Analytics Engine dataset"},
        {"assets", "static assets"},
        {"browser", "Browser Rendering"},
        {"dispatch_namespace", "a dispatch namespace"},
        {"hyperdrive", "Hyperdrive"},
        {"images", "Images"},
        {"mtls_certificate", "an mTLS certificate"},
        {"pipelines", "a pipeline"},
        {"secret_key", "a CryptoKey"},
        {"secrets_store_secret", "a secret of the Secrets Store"},
        {"send_email", "Email Routing"},
        {"tail_consumer", "a tail consumer"},
        {"vectorize", "a Vectorize index"},
        {"workflow", "a Workflow"},
    };
    const char *words = NULL;

    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strcmp(type, KNOWN[i].type) == 0)
            words = KNOWN[i].words;
    if (words)
        err_set(err, ERR_INVALID,
                "binding '%s' (type \"%s\") wants %s, which this Corral does not have yet", name,
                type, words);
    else
        err_set(err, ERR_INVALID, "binding '%s' has the type \"%.60s\", which Corral does not know",
                name, type);
    return err_hint(err, "take it out of the configuration, or wait for a Corral that has it");
}

/* Those of workers without modules: the linked script has them (link/bundler.c). */
static bool is_part(const json_t *binding, const char *type)
{
    return json_object_get(binding, "part") &&
           (strcmp(type, "wasm_module") == 0 || strcmp(type, "text_blob") == 0 ||
            strcmp(type, "data_blob") == 0);
}

static int bind_one(const struct recipe *recipe, const char *data_folder, const json_t *binding,
                    json_t *env, struct outlets *outlets, int *ret_code, struct err *err)
{
    const char *name = text_of(binding, "name"), *type = text_of(binding, "type");
    json_t *value;

    if (!name[0])
        return err_set(err, ERR_INVALID, "a binding of type \"%.60s\" has no name", type);
    if (strcmp(type, "d1") == 0)
        return bind_database(recipe, data_folder, name, binding, outlets, ret_code, err);
    if (is_part(binding, type))
        return 0;
    if (strcmp(type, "plain_text") == 0)
        value = json_incref(json_object_get(binding, "text"));
    else if (strcmp(type, "json") == 0)
        value = json_incref(json_object_get(binding, "json"));
    else if (strcmp(type, "secret_text") == 0)
        value = json_incref(json_object_get(recipe->secrets, name));
    else if (strcmp(type, "version_metadata") == 0)
        value = version_metadata(recipe);
    else
        return refuse(name, type, err);
    if (!value)
        return err_set(err, ERR_INVALID, "binding '%s' (type \"%s\") has no value", name, type);
    return json_object_set_new(env, name, value) < 0 ? err_nomem(err) : 0;
}

/* Separated by spaces; what is no text is none. */
static char *join_flags(json_t *list)
{
    struct buf flags = {0};
    json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *text = json_string_value(one);
        if (text && buf_print(&flags, "%s%s", buf_len(&flags) ? " " : "", text) < 0) {
            buf_done(&flags);
            return NULL;
        }
    }
    return buf_len(&flags) > 0 ? buf_detach(&flags) : mem_strdup("");
}

int prepare_bindings(const struct recipe *recipe, const char *data_folder, struct prepared *ret,
                     int *ret_code, struct err *err)
{
    json_t *env = json_object(), *one;
    size_t i;
    int r = env ? 0 : err_nomem(err);

    *ret_code = CODE_STARTUP;
    json_array_foreach(recipe->bindings, i, one)
    {
        if (r == 0)
            r = bind_one(recipe, data_folder, one, env, &ret->outlets, ret_code, err);
    }
    if (r == 0) {
        ret->date = mem_strdup(text_of(recipe->metadata, "compatibility_date"));
        ret->flags = join_flags(json_object_get(recipe->metadata, "compatibility_flags"));
        ret->env_json = json_dumps(env, JSON_COMPACT);
        ret->bindings_json = outlets_json(&ret->outlets);
        if (!ret->date || !ret->flags || !ret->env_json || !ret->bindings_json)
            r = err_nomem(err);
    }
    json_decref(env);
    return r;
}
