/* bindings.c - what a new version is bound to.  See bindings.h. */
#include "api/bindings.h"

#include <stdint.h>
#include <string.h>

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

bool binding_is_secret(const json_t *binding)
{
    const char *type = string_of(binding, "type");

    return strcmp(type, "secret_text") == 0 || strcmp(type, "secret_key") == 0;
}

static json_t *find(const json_t *bindings, const char *name)
{
    json_t *binding;
    size_t i;

    json_array_foreach(bindings, i, binding)
    {
        if (strcmp(string_of(binding, "name"), name) == 0)
            return binding;
    }
    return NULL;
}

static bool names_kind(const json_t *keep, const char *kind)
{
    json_t *one;
    size_t i;

    json_array_foreach(keep, i, one)
    {
        if (json_is_string(one) && strcmp(json_string_value(one), kind) == 0)
            return true;
    }
    return false;
}

static bool is_kept(const json_t *binding, const json_t *keep)
{
    const char *type = string_of(binding, "type");
    bool names_secrets = names_kind(keep, "secret_text") || names_kind(keep, "secret_key");

    if (binding_is_secret(binding) && !names_secrets)
        return true;
    return names_kind(keep, type);
}

/* Does it say nothing but its name and kind, where there is more to say? */
static bool is_bare(const json_t *binding)
{
    static const char *const WHOLE[] = {"ai", "browser", "version_metadata", "images", "assets"};
    const char *type = string_of(binding, "type");

    if (json_object_size(binding) > 2)
        return false;
    for (size_t i = 0; i < sizeof WHOLE / sizeof *WHOLE; i++)
        if (strcmp(type, WHOLE[i]) == 0)
            return false;
    return true;
}

static int inherit(const json_t *binding, const json_t *before, enum bindings_missing missing,
                   json_t *out, struct err *err)
{
    bool is_said = strcmp(string_of(binding, "type"), "inherit") == 0;
    const char *name = string_of(binding, "name"), *old = string_of(binding, "old_name");
    const json_t *source = find(before, old[0] ? old : name);
    json_t *copy;

    /* A secret is sealed under its name; and "type" says what it was. */
    if (source && !is_said && strcmp(string_of(source, "type"), string_of(binding, "type")) != 0)
        source = NULL;
    if (!source && missing == BINDINGS_LENIENT && is_said)
        return 0;
    if (!source && strcmp(string_of(binding, "type"), "d1") == 0)
        return err_set(err, ERR_INVALID, "binding %s of type d1 must have a valid `id` specified",
                       name);
    if (!source)
        return err_set(
            err, ERR_NOT_FOUND,
            "binding %s of type inherit has nothing to inherit: the version before has no "
            "binding %s",
            name, old[0] ? old : name);
    if (old[0] && strcmp(old, name) != 0 && binding_is_secret(source))
        return err_set(err, ERR_INVALID, "the secret %s cannot be inherited under another name",
                       old);
    copy = json_deep_copy(source);
    if (!copy || json_object_set_new(copy, "name", json_string(name)) < 0 ||
        json_array_append(out, copy) < 0) {
        json_decref(copy);
        return err_nomem(err);
    }
    json_decref(copy);
    return 0;
}

static int keep_rest(const json_t *asked, const json_t *keep, const json_t *before, json_t *out,
                     struct err *err)
{
    json_t *binding;
    size_t i;

    json_array_foreach(before, i, binding)
    {
        const char *name = string_of(binding, "name");
        if (find(asked, name) || !is_kept(binding, keep))
            continue;
        if (json_array_append_new(out, json_deep_copy(binding)) < 0)
            return err_nomem(err);
    }
    return 0;
}

int bindings_resolve(const json_t *asked, const json_t *keep, const json_t *before,
                     enum bindings_missing missing, json_t **ret, struct err *err)
{
    json_t *out = json_array(), *binding;
    size_t i;
    int r = out ? 0 : err_nomem(err);

    json_array_foreach(asked, i, binding)
    {
        if (r < 0)
            break;
        if (!json_is_object(binding) || !string_of(binding, "name")[0] ||
            !string_of(binding, "type")[0])
            r = err_set(err, ERR_INVALID,
                        "binding %zu must be an object with \"name\" and \"type\"", i + 1);
        else if (strcmp(string_of(binding, "type"), "inherit") == 0 || is_bare(binding))
            r = inherit(binding, before, missing, out, err);
        else if (json_array_append_new(out, json_deep_copy(binding)) < 0)
            r = err_nomem(err);
    }
    if (r == 0)
        r = keep_rest(asked, keep, before, out, err);
    if (r == 0)
        *ret = out;
    else
        json_decref(out);
    return r;
}

int bindings_patch(const json_t *changes, const json_t *before, json_t **ret, struct err *err)
{
    json_t *out = json_array(), *binding, *value;
    const char *name;
    size_t i;
    int r = out ? 0 : err_nomem(err);

    json_array_foreach(before, i, binding)
    {
        if (r == 0 && !json_object_get(changes, string_of(binding, "name")) &&
            json_array_append_new(out, json_deep_copy(binding)) < 0)
            r = err_nomem(err);
    }
    json_object_foreach((json_t *)(uintptr_t)changes, name, value)
    {
        json_t *copy, *old = find(before, name);
        if (r < 0)
            break;
        if (json_is_null(value)) {
            /* A merge patch may take away what is not there; a variable is no secret. */
            if (old && !binding_is_secret(old) &&
                json_array_append_new(out, json_deep_copy(old)) < 0)
                r = err_nomem(err);
            continue;
        }
        copy = json_deep_copy(value);
        if (!copy || json_object_set_new(copy, "name", json_string(name)) < 0 ||
            json_array_append(out, copy) < 0)
            r = err_nomem(err);
        json_decref(copy);
    }
    if (r == 0)
        *ret = out;
    else
        json_decref(out);
    return r;
}
