/* schema.c - the table of wrangler's keys, and the check against it.
 *
 * Names and types are those of wrangler 4.86; at the end some of older ones,
 * which still stand in many projects. */
#include "project/schema.h"

#include <stdio.h>
#include <string.h>

#include "text/nearest.h"

enum {
    STRING = 1,
    NUMBER = 2,
    BOOLEAN = 4,
    TABLE = 8,
    LIST = 16,
    ANY = 31,
};

enum where { TOP, EVERYWHERE }; /* EVERYWHERE: in [env.X] as well */

enum state {
    USED,   /* Corral reads it */
    LATER,  /* known; not supported yet */
    SILENT, /* nothing to support */
    GONE,   /* of old wranglers */
};

struct known {
    const char *name;
    unsigned types;
    enum where where;
    enum state state;
    const char *wanted; /* NULL: made from types */
};

static const struct known KNOWN[] = {
    {"$schema", STRING, TOP, SILENT, NULL},
    {"account_id", STRING, EVERYWHERE, USED, NULL},
    {"ai", TABLE, EVERYWHERE, LATER, NULL},
    {"ai_search", LIST, EVERYWHERE, LATER, NULL},
    {"ai_search_namespaces", LIST, EVERYWHERE, LATER, NULL},
    {"alias", TABLE, TOP, USED, NULL},
    {"analytics_engine_datasets", LIST, EVERYWHERE, LATER, NULL},
    {"artifacts", LIST, EVERYWHERE, LATER, NULL},
    {"assets", TABLE, EVERYWHERE, LATER, NULL},
    {"base_dir", STRING, EVERYWHERE, USED, NULL},
    {"browser", TABLE, EVERYWHERE, LATER, NULL},
    {"build", TABLE, EVERYWHERE, USED, NULL},
    {"cache", TABLE, EVERYWHERE, LATER, NULL},
    {"cloudchamber", TABLE, EVERYWHERE, LATER, NULL},
    {"compatibility_date", STRING, EVERYWHERE, USED, "a string such as \"2026-03-01\""},
    {"compatibility_flags", LIST, EVERYWHERE, USED,
     "a list of strings such as [\"python_workers\"]"},
    {"compliance_region", STRING, EVERYWHERE, LATER, NULL},
    {"containers", LIST, EVERYWHERE, LATER, NULL},
    {"d1_databases", LIST, EVERYWHERE, USED, NULL},
    {"data_blobs", TABLE, TOP, LATER, NULL},
    {"define", TABLE, EVERYWHERE, USED, NULL},
    {"dev", TABLE, TOP, LATER, NULL},
    {"dispatch_namespaces", LIST, EVERYWHERE, LATER, NULL},
    {"durable_objects", TABLE, EVERYWHERE, LATER, NULL},
    {"env", TABLE, TOP, USED, NULL},
    {"find_additional_modules", BOOLEAN, EVERYWHERE, USED, NULL},
    {"first_party_worker", BOOLEAN, EVERYWHERE, LATER, NULL},
    {"flagship", LIST, EVERYWHERE, LATER, NULL},
    {"hyperdrive", LIST, EVERYWHERE, LATER, NULL},
    {"images", TABLE, EVERYWHERE, LATER, NULL},
    {"jsx_factory", STRING, EVERYWHERE, USED, NULL},
    {"jsx_fragment", STRING, EVERYWHERE, USED, NULL},
    {"keep_names", BOOLEAN, EVERYWHERE, USED, NULL},
    {"keep_vars", BOOLEAN, TOP, USED, NULL},
    {"kv_namespaces", LIST, EVERYWHERE, LATER, NULL},
    {"legacy_env", BOOLEAN, TOP, LATER, NULL},
    {"limits", TABLE, EVERYWHERE, USED, NULL},
    {"logfwdr", TABLE, EVERYWHERE, LATER, NULL},
    {"logpush", BOOLEAN, EVERYWHERE, LATER, NULL},
    {"main", STRING, EVERYWHERE, USED, "a string such as \"src/entry.py\""},
    {"media", TABLE, EVERYWHERE, LATER, NULL},
    {"migrations", LIST, EVERYWHERE, LATER, NULL},
    {"minify", BOOLEAN, EVERYWHERE, USED, NULL},
    {"mtls_certificates", LIST, EVERYWHERE, LATER, NULL},
    {"name", STRING, EVERYWHERE, USED, "a string such as \"hello\""},
    {"no_bundle", BOOLEAN, EVERYWHERE, USED, NULL},
    {"observability", TABLE, EVERYWHERE, SILENT, NULL},
    {"pages_build_output_dir", STRING, TOP, LATER, NULL},
    {"pipelines", LIST, EVERYWHERE, LATER, NULL},
    {"placement", TABLE, EVERYWHERE, LATER, NULL},
    {"preserve_file_names", BOOLEAN, EVERYWHERE, USED, NULL},
    {"preview_urls", BOOLEAN, EVERYWHERE, USED, NULL},
    {"previews", TABLE, EVERYWHERE, LATER, NULL},
    {"python_modules", TABLE, EVERYWHERE, LATER, NULL},
    {"queues", TABLE, EVERYWHERE, LATER, NULL},
    {"r2_buckets", LIST, EVERYWHERE, LATER, NULL},
    {"ratelimits", LIST, EVERYWHERE, LATER, NULL},
    {"route", STRING | TABLE, EVERYWHERE, USED, NULL},
    {"routes", LIST, EVERYWHERE, USED, NULL},
    {"rules", LIST, EVERYWHERE, USED, NULL},
    {"secrets", TABLE, EVERYWHERE, USED, NULL},
    {"secrets_store_secrets", LIST, EVERYWHERE, LATER, NULL},
    {"send_email", LIST, EVERYWHERE, LATER, NULL},
    {"send_metrics", BOOLEAN, TOP, LATER, NULL},
    {"services", LIST, EVERYWHERE, LATER, NULL},
    {"site", TABLE, TOP, LATER, NULL},
    {"stream", TABLE, EVERYWHERE, LATER, NULL},
    {"streaming_tail_consumers", LIST, EVERYWHERE, LATER, NULL},
    {"tail_consumers", LIST, EVERYWHERE, LATER, NULL},
    {"text_blobs", TABLE, TOP, LATER, NULL},
    {"triggers", TABLE, EVERYWHERE, USED, NULL},
    {"tsconfig", STRING, EVERYWHERE, USED, NULL},
    {"unsafe", TABLE, EVERYWHERE, LATER, NULL},
    {"unsafe_hello_world", LIST, EVERYWHERE, LATER, NULL},
    {"upload_source_maps", BOOLEAN, EVERYWHERE, USED, NULL},
    {"vars", TABLE, EVERYWHERE, USED, NULL},
    {"vectorize", LIST, EVERYWHERE, LATER, NULL},
    {"version_metadata", TABLE, EVERYWHERE, LATER, NULL},
    {"vpc_networks", LIST, EVERYWHERE, LATER, NULL},
    {"vpc_services", LIST, EVERYWHERE, LATER, NULL},
    {"wasm_modules", TABLE, TOP, LATER, NULL},
    {"worker_loaders", LIST, EVERYWHERE, LATER, NULL},
    {"workers_dev", BOOLEAN, EVERYWHERE, USED, NULL},
    {"workflows", LIST, EVERYWHERE, LATER, NULL},
    {"experimental_services", ANY, EVERYWHERE, GONE, NULL},
    {"kv-namespaces", ANY, EVERYWHERE, GONE, NULL},
    {"miniflare", ANY, EVERYWHERE, GONE, NULL},
    {"node_compat", ANY, EVERYWHERE, GONE, NULL},
    {"type", ANY, EVERYWHERE, GONE, NULL},
    {"usage_model", ANY, EVERYWHERE, GONE, NULL},
    {"webpack_config", ANY, EVERYWHERE, GONE, NULL},
    {"zone_id", ANY, EVERYWHERE, GONE, NULL},
};

#define KNOWN_COUNT (sizeof KNOWN / sizeof *KNOWN)
_Static_assert(KNOWN_COUNT <= SCHEMA_KEYS_MAX, "struct schema_said holds every key");

static const struct known *find(const char *name)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (strcmp(KNOWN[i].name, name) == 0)
            return &KNOWN[i];
    return NULL;
}

static unsigned type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return STRING;
    case JSON_INTEGER:
    case JSON_REAL:
        return NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return BOOLEAN;
    case JSON_OBJECT:
        return TABLE;
    case JSON_ARRAY:
        return LIST;
    default:
        return 0;
    }
}

static const char *word_of(enum config_format format, unsigned type)
{
    switch (type) {
    case STRING:
        return "a string";
    case NUMBER:
        return "a number";
    case BOOLEAN:
        return "true or false";
    case TABLE:
        return format == CONFIG_TOML ? "a table" : "an object";
    case LIST:
        return "a list";
    default:
        return "null";
    }
}

const char *schema_key(size_t i)
{
    return i < KNOWN_COUNT ? KNOWN[i].name : NULL;
}

bool schema_fits(const char *key, const json_t *value)
{
    const struct known *known = find(key);

    return known && (known->types & type_of(value)) != 0;
}

const char *schema_word(const struct config *c, const json_t *value)
{
    unsigned type = type_of(value);

    if (type == BOOLEAN)
        return json_is_true(value) ? "true" : "false";
    return word_of(c->format, type);
}

/* "a string or a table" */
static void wanted(const struct config *c, const struct known *known, char *out, size_t cap)
{
    size_t n = 0;

    if (known->wanted) {
        snprintf(out, cap, "%s", known->wanted);
        return;
    }
    for (unsigned type = 1; type < ANY; type <<= 1)
        if (known->types & type)
            n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? " or " : "",
                                  word_of(c->format, type));
}

/* One key of one level: path ends with it, shown is its dotted name. */
static void check_key(const struct config *c, const char *const *path, size_t depth,
                      const char *shown, const json_t *value, struct schema_said *said,
                      struct diagnostics *d)
{
    const struct known *known = find(path[depth - 1]);
    struct place where = config_key_place(c, path, depth);
    struct nearest near;
    char text[160], hint[300];
    bool *is_said, is_single;

    if (!known) {
        nearest_init(&near, path[depth - 1]);
        for (size_t i = 0; i < KNOWN_COUNT; i++)
            if (KNOWN[i].state != GONE)
                nearest_try(&near, KNOWN[i].name);
        snprintf(text, sizeof text, "did you mean '%s'?", near.best ? near.best : "");
        diagnostics_add(d, SEVERITY_WARNING, where, near.best ? text : NULL,
                        "'%s' is not a key of a wrangler configuration", shown);
        return;
    }
    if (depth > 1 && known->where == TOP) {
        diagnostics_add(d, SEVERITY_WARNING, where, "move it to the top of the file",
                        "'%s' has no effect inside an environment", shown);
        return;
    }
    if (!(known->types & type_of(value))) {
        wanted(c, known, text, sizeof text);
        is_single = known->types == LIST && json_is_object(value) && c->format == CONFIG_TOML;
        snprintf(hint, sizeof hint, "two brackets make a list of tables: [[%s]]", shown);
        diagnostics_add(d, SEVERITY_ERROR, config_value_place(c, path, depth),
                        is_single ? hint : NULL, "'%s' must be %s, not %s", shown, text,
                        schema_word(c, value));
        return;
    }
    is_said = &said->keys[known - KNOWN];
    if (*is_said || known->state == USED || known->state == SILENT)
        return;
    *is_said = true;
    where = (struct place){where.file, where.line, 0, {NULL, 0}};
    if (known->state == GONE)
        diagnostics_add(d, SEVERITY_WARNING, where, NULL, "'%s' has no effect any more", shown);
    else
        diagnostics_add(d, SEVERITY_WARNING, where, NULL, "'%s' is not supported yet", shown);
}

void schema_check(const struct config *c, const char *env, struct schema_said *said,
                  struct diagnostics *d)
{
    json_t *level = c->root, *value;
    const char *path[3] = {"env", env}, *key;
    size_t depth = env ? 3 : 1;
    char shown[256];

    if (env)
        level = json_object_get(json_object_get(level, "env"), env);
    json_object_foreach(level, key, value)
    {
        path[depth - 1] = key;
        if (env)
            snprintf(shown, sizeof shown, "env.%s.%s", env, key);
        else
            snprintf(shown, sizeof shown, "%s", key);
        check_key(c, path, depth, shown, value, said, d);
    }
}
