/* secret.c - see secret.h.
 *
 * What a sealed value belongs to is bound to it: account, worker, name.  So it can be copied from a
 * version to the next of the same worker as it is, and opens nowhere else. */
#include "catalog/secret.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "catalog/inside.h"
#include "catalog/query.h"
#include "text/value.h"

enum { BINDING_NAME_MAX = 255, CONTEXT_MAX = 2 * ID_SIZE + BINDING_NAME_MAX + 1 };

#define TEXT "secret_text"
#define KEY  "secret_key"

/* What a binding of a kind cannot do without: a string. */
static const struct {
    const char *type, *key;
} NEEDS[] = {
    {"plain_text", "text"},
    {"kv_namespace", "namespace_id"},
    {"service", "service"},
    {"queue", "queue_name"},
    {"r2_bucket", "bucket_name"},
    {"durable_object_namespace", "class_name"},
    {"d1", "id"},
};

static const char *string_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool is_secret(const char *type)
{
    return strcmp(type, TEXT) == 0 || strcmp(type, KEY) == 0;
}

/* Borrowed; NULL: it is to be kept. */
static json_t *value_of(const json_t *binding, const char *type)
{
    json_t *value;

    if (strcmp(type, TEXT) == 0) {
        value = json_object_get(binding, "text");
    } else {
        value = json_object_get(binding, "key_base64");
        if (!value)
            value = json_object_get(binding, "key_jwk");
    }
    return json_is_null(value) ? NULL : value;
}

static int check_needs(const json_t *binding, const char *name, const char *type, struct err *err)
{
    json_t *value;

    if (strcmp(type, "inherit") == 0)
        return err_set(err, ERR_INVALID, "there is no binding '%s' to be inherited", name);
    if (strcmp(type, "json") == 0 && !json_object_get(binding, "json"))
        return err_set(err, ERR_INVALID, "the binding '%s' of type json has no \"json\"", name);
    for (size_t i = 0; i < sizeof NEEDS / sizeof *NEEDS; i++)
        if (strcmp(type, NEEDS[i].type) == 0 && !string_of(binding, NEEDS[i].key))
            return err_set(err, ERR_INVALID, "the binding '%s' of type %s has no \"%s\"", name,
                           type, NEEDS[i].key);
    if (!is_secret(type))
        return 0;
    value = value_of(binding, type);
    if (value && strcmp(type, TEXT) == 0 && !json_is_string(value))
        return err_set(err, ERR_INVALID, "the secret '%s' is not a text", name);
    if (value && json_is_string(value) && json_string_length(value) > SECRET_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the secret '%s' has more than %d bytes", name,
                       SECRET_BYTES_MAX);
    return 0;
}

static int check_one(const json_t *binding, struct err *err)
{
    const char *name = string_of(binding, "name"), *type = string_of(binding, "type");

    if (!name || !type)
        return err_set(err, ERR_INVALID, "a binding must be an object with \"name\" and \"type\"");
    if (!name[0] || strlen(name) > BINDING_NAME_MAX)
        return err_set(err, ERR_INVALID, "the name of a binding has 1 to %d bytes",
                       BINDING_NAME_MAX);
    return check_needs(binding, name, type, err);
}

static int strip_one(json_t *binding, json_t *names, json_t *kept, struct err *err)
{
    const char *name;
    json_t *copy;
    int r = check_one(binding, err);

    if (r < 0)
        return r;
    name = string_of(binding, "name");
    if (json_object_get(names, name))
        return err_set(err, ERR_INVALID, "the binding '%s' is there twice", name);
    if (json_object_set_new(names, name, json_true()) < 0)
        return err_nomem(err);
    copy = json_copy(binding);
    if (copy && json_object_size(copy) != json_object_size(binding)) {
        json_decref(copy); /* jansson does not say that memory was short */
        copy = NULL;
    }
    if (copy && is_secret(string_of(binding, "type"))) {
        json_object_del(copy, "text");
        json_object_del(copy, "key_base64");
        json_object_del(copy, "key_jwk");
    }
    if (!copy || json_array_append_new(kept, copy) < 0)
        return err_nomem(err);
    return 0;
}

int secret_strip(json_t *bindings, json_t **ret_kept, struct err *err)
{
    json_t *names, *kept, *binding;
    size_t i;
    int r = 0;

    if (bindings && !json_is_array(bindings))
        return err_set(err, ERR_INVALID, "the bindings must be an array");
    if (json_array_size(bindings) > BINDINGS_MAX)
        return err_set(err, ERR_LIMIT, "a worker has at most %d bindings", BINDINGS_MAX);
    names = json_object();
    kept = json_array();
    if (!names || !kept)
        r = err_nomem(err);
    json_array_foreach(bindings, i, binding)
    {
        if (r == 0)
            r = strip_one(binding, names, kept, err);
    }
    json_decref(names);
    if (r == 0)
        *ret_kept = kept;
    else
        json_decref(kept);
    return r;
}

/* ---- sealing ---- */

static int no_key(struct err *err)
{
    return err_set(err, ERR_INVALID, "this process has no key for secrets");
}

static struct span context_of(const char *account_id, const char *worker_id, const char *name,
                              char out[CONTEXT_MAX])
{
    int n = snprintf(out, CONTEXT_MAX, "%s/%s/%s", account_id, worker_id, name);

    return (struct span){out, (size_t)n};
}

static int seal_one(struct catalog *catalog, const struct version *v, struct span context,
                    const char *name, const char *type, json_t *value, struct err *err)
{
    bool is_text = strcmp(type, TEXT) == 0;
    char *dumped = is_text ? NULL : value_dump(value, JSON_COMPACT | JSON_ENCODE_ANY);
    struct span text = {json_string_value(value), json_string_length(value)};
    struct buf sealed = {0};
    int r = 0;

    if (!is_text && !dumped)
        return err_nomem(err);
    if (!catalog->has_key)
        r = no_key(err);
    if (dumped)
        text = span_of(dumped);
    if (r == 0 && text.len > SECRET_BYTES_MAX)
        r = err_set(err, ERR_LIMIT, "the secret '%s' has more than %d bytes", name,
                    SECRET_BYTES_MAX);
    if (r == 0)
        r = seal_close(&catalog->key, context, text, &sealed, err);
    if (r == 0)
        r = query_run(catalog, NULL, err,
                      "INSERT INTO secrets (version_id, name, kind, sealed) VALUES (?, ?, ?, ?)",
                      "tttb", v->id, name, type, buf_span(&sealed));
    buf_done(&sealed);
    seal_wipe(dumped, dumped ? strlen(dumped) : 0);
    return r;
}

static int take_over(struct catalog *catalog, const struct version *v, const char *base,
                     const char *name, const char *type, struct err *err)
{
    int changes = 0;
    int r = query_run(catalog, &changes, err,
                      "INSERT INTO secrets (version_id, name, kind, sealed)"
                      " SELECT ?, s.name, s.kind, s.sealed FROM secrets AS s JOIN versions AS v"
                      " ON v.id = s.version_id WHERE v.id = ? AND v.worker_id = ?"
                      " AND s.name = ? AND s.kind = ?",
                      "ttttt", v->id, base, v->worker_id, name, type);

    if (r < 0 || changes > 0)
        return r;
    err_set(err, ERR_INVALID, "there is no secret '%s' to be kept", name);
    return err_hint(err, "Put it with its text.");
}

int secret_store(struct catalog *catalog, const struct version *version, const char *account_id,
                 const char *base_version_id, json_t *bindings, struct err *err)
{
    char context[CONTEXT_MAX];
    json_t *binding;
    size_t i;
    int r = 0;

    json_array_foreach(bindings, i, binding)
    {
        const char *name = string_of(binding, "name"), *type = string_of(binding, "type");
        json_t *value;
        if (r < 0 || !is_secret(type))
            continue;
        value = value_of(binding, type);
        r = value ? seal_one(catalog, version,
                             context_of(account_id, version->worker_id, name, context), name, type,
                             value, err)
                  : take_over(catalog, version, base_version_id, name, type, err);
    }
    return r;
}

/* ---- opening ---- */

static int open_one(struct catalog *catalog, struct query *q, json_t *object, struct err *err)
{
    char context[CONTEXT_MAX], *text = NULL;
    const char *name = query_text(q, 0);
    size_t len = 0;
    json_t *value = NULL;
    int r = seal_open(&catalog->key, context_of(query_text(q, 2), query_text(q, 3), name, context),
                      query_blob(q, 1), &text, &len, err);

    if (r == ERR_INVALID) {
        err_set(err, ERR_SYSTEM, "the secret '%.100s' cannot be unsealed: it was changed", name);
        return err_hint(err, "Put it again: `corral secret put %.100s`.", name);
    }
    if (r < 0)
        return r;
    value = json_stringn_nocheck(text, len);
    if (!value || json_object_set_new(object, name, value) < 0)
        r = err_nomem(err);
    seal_wipe(text, len);
    return r;
}

int version_secrets(struct catalog *catalog, const char *version_id, json_t **ret_object,
                    struct err *err)
{
    json_t *object = json_object();
    struct query q = {0};
    int r = !object ? err_nomem(err) : !catalog->has_key ? no_key(err) : 0;

    if (r == 0)
        r = query_open(&q, catalog, err,
                       "SELECT s.name, s.sealed, w.account_id, w.id FROM secrets AS s"
                       " JOIN versions AS v ON v.id = s.version_id"
                       " JOIN workers AS w ON w.id = v.worker_id"
                       " WHERE s.version_id = ? AND s.kind = '" TEXT "' ORDER BY s.name",
                       "t", version_id);
    while (r == 0 && (r = query_next(&q, err)) > 0)
        r = open_one(catalog, &q, object, err);
    query_done(&q);
    if (r == 0)
        *ret_object = object;
    else
        json_decref(object);
    return r;
}
