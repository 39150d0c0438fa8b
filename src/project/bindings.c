/* bindings.c - [[d1_databases]]: which databases a worker has, and what it calls them.
 *
 * A database of this machine is known by its name; ids are Cloudflare's, so a
 * placeholder or none will do.  A key without text ("") counts as not given. */
#include "project/bindings.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "project/schema.h"
#include "text/nearest.h"
#include "text/width.h"

enum { DATABASE_NAME_MAX = 64 }; /* bytes, as catalog/database.h says */

#define LIST_KEY "d1_databases"

static const char *const KEYS[] = {"binding",        "database_name",
                                   "database_id",    "preview_database_id",
                                   "migrations_dir", "migrations_table"};
enum { BINDING, NAME, ID, PREVIEW_ID, MIGRATIONS_DIR, MIGRATIONS_TABLE, KEY_COUNT };
_Static_assert(sizeof KEYS / sizeof *KEYS == KEY_COUNT, "one name for each");

struct walk {
    const struct config *c;
    struct project *p;
    struct diagnostics *d;
    const json_t *vars;  /* of the same level, or NULL */
    const char *path[5]; /* env, X, d1_databases, i, key; from `first` on */
    size_t first;
    char index[24];
};

/* Of the list, of one database in it, of one of its keys. */
enum { OF_LIST = 3, OF_ENTRY = 4, OF_KEY = 5 };

static struct place key_place(const struct walk *w, size_t depth)
{
    return config_key_place(w->c, w->path + w->first, depth - w->first);
}

static struct place value_place(const struct walk *w, size_t depth)
{
    return config_value_place(w->c, w->path + w->first, depth - w->first);
}

static void report_unknown(struct walk *w, const char *key)
{
    struct nearest near;
    char text[96];

    w->path[OF_ENTRY] = key;
    if (strcmp(key, "remote") == 0) {
        diagnostics_add(w->d, SEVERITY_WARNING, key_place(w, OF_KEY), NULL,
                        "'remote' has no effect: databases are on this machine");
        return;
    }
    if (strcmp(key, "database_internal_env") == 0)
        return;
    nearest_init(&near, key);
    for (size_t i = 0; i < KEY_COUNT; i++)
        nearest_try(&near, KEYS[i]);
    snprintf(text, sizeof text, "did you mean '%s'?", near.best ? near.best : "");
    diagnostics_add(w->d, SEVERITY_WARNING, key_place(w, OF_KEY), near.best ? text : NULL,
                    "'%s' is not a key of a database in '" LIST_KEY "'", key);
}

static bool is_known(const char *key)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(KEYS[i], key) == 0)
            return true;
    return false;
}

/* The text of one key, "" when it is not given; NULL when it is wrong. */
static const char *text_of(struct walk *w, json_t *entry, size_t key)
{
    json_t *value = json_object_get(entry, KEYS[key]);
    const char *text = json_string_value(value);

    if (!value)
        return "";
    w->path[OF_ENTRY] = KEYS[key];
    if (!text)
        diagnostics_add(w->d, SEVERITY_ERROR, value_place(w, OF_KEY), NULL,
                        "'%s' must be a string, not %s", KEYS[key], schema_word(w->c, value));
    else if (strlen(text) != json_string_length(value))
        diagnostics_add(w->d, SEVERITY_ERROR, value_place(w, OF_KEY), NULL,
                        "'%s' has a NUL character in it", KEYS[key]);
    else
        return text;
    return NULL;
}

bool project_is_binding(const char *text)
{
    static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$";

    if (!text[0] || (text[0] >= '0' && text[0] <= '9'))
        return false;
    for (const char *at = text; *at; at++) /* beyond ASCII the languages have letters enough */
        if ((unsigned char)*at < 0x80 && !strchr(LETTERS, *at) && (*at < '0' || *at > '9'))
            return false;
    return true;
}

static void check_binding(struct walk *w, const char *text)
{
    if (!text)
        return;
    if (!text[0]) {
        diagnostics_add(w->d, SEVERITY_ERROR, value_place(w, OF_ENTRY),
                        w->c->format == CONFIG_TOML ? "add binding = \"DB\" for env.DB"
                                                    : "add \"binding\": \"DB\" for env.DB",
                        "a database in '" LIST_KEY "' has no 'binding'");
        return;
    }
    w->path[OF_ENTRY] = KEYS[BINDING];
    if (!project_is_binding(text))
        diagnostics_add(w->d, SEVERITY_ERROR, value_place(w, OF_KEY),
                        "letters, digits, '_' and '$', no digit first: env.NAME must be code",
                        "the binding \"%s\" is not a JavaScript identifier", text);
    else if (json_object_get(w->vars, text))
        diagnostics_add(w->d, SEVERITY_ERROR, value_place(w, OF_KEY), "rename one of them",
                        "the binding '%s' is a variable in 'vars' too", text);
    else
        for (size_t i = 0; i < w->p->database_count; i++)
            if (strcmp(w->p->databases[i].binding, text) == 0)
                diagnostics_add(w->d, SEVERITY_ERROR, value_place(w, OF_KEY), "rename one of them",
                                "two bindings are called '%s'", text);
}

/* As catalog/database.h wants it; JSON and TOML are UTF-8 already. */
static void check_name(struct walk *w, const char *name, size_t key)
{
    struct span rest = span_of(name);
    bool is_odd = false;
    uint32_t c;
    size_t len;

    w->path[OF_ENTRY] = KEYS[key];
    for (; rest.len > 0; rest.data += len, rest.len -= len) {
        c = width_next(rest, &len);
        is_odd = is_odd || c < 0x20 || (c >= 0x7f && c < 0xa0);
    }
    if (strlen(name) > DATABASE_NAME_MAX)
        diagnostics_add(w->d, SEVERITY_ERROR, value_place(w, OF_KEY), NULL,
                        "the name of a database may have %d bytes: this one has %zu",
                        DATABASE_NAME_MAX, strlen(name));
    else if (is_odd)
        diagnostics_add(w->d, SEVERITY_ERROR, value_place(w, OF_KEY), NULL,
                        "the name of a database has no control characters");
}

static int keep(struct walk *w, const char *const texts[KEY_COUNT])
{
    struct project_database *db = &w->p->databases[w->p->database_count++];
    const char *name = texts[NAME];

    if (!name[0])
        name = texts[ID][0] ? texts[ID] : texts[BINDING];
    check_name(w, name, texts[NAME][0] ? NAME : texts[ID][0] ? ID : BINDING);
    db->binding = mem_strdup(texts[BINDING]);
    db->name = mem_strdup(name);
    db->id = mem_strdup(texts[ID]);
    db->preview_id = mem_strdup(texts[PREVIEW_ID]);
    db->migrations_dir =
        mem_strdup(texts[MIGRATIONS_DIR][0] ? texts[MIGRATIONS_DIR] : "migrations");
    db->migrations_table =
        mem_strdup(texts[MIGRATIONS_TABLE][0] ? texts[MIGRATIONS_TABLE] : "d1_migrations");
    return db->binding && db->name && db->id && db->preview_id && db->migrations_dir &&
                   db->migrations_table
               ? 0
               : ERR_NOMEM;
}

static int read_entry(struct walk *w, json_t *entry)
{
    const char *texts[KEY_COUNT], *key;
    bool is_whole = true;
    json_t *value;

    if (!json_is_object(entry)) {
        diagnostics_add(w->d, SEVERITY_ERROR, value_place(w, OF_ENTRY), NULL,
                        "'" LIST_KEY "' must be a list of %s: this one is %s",
                        w->c->format == CONFIG_TOML ? "tables" : "objects",
                        schema_word(w->c, entry));
        return 0;
    }
    json_object_foreach(entry, key, value) if (!is_known(key)) report_unknown(w, key);
    for (size_t i = 0; i < KEY_COUNT; i++) {
        texts[i] = text_of(w, entry, i);
        is_whole = is_whole && texts[i];
    }
    check_binding(w, texts[BINDING]);
    return is_whole && texts[BINDING][0] ? keep(w, texts) : 0;
}

static bool has_entry(const json_t *list, const char *binding)
{
    const char *other;
    json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        other = json_string_value(json_object_get(entry, KEYS[BINDING]));
        if (other && strcmp(other, binding) == 0)
            return true;
    }
    return false;
}

/* Say which databases of the top level the environment, which has `own`, lacks. */
static void warn_missing(struct walk *w, const json_t *top, const json_t *own)
{
    struct place where = config_key_place(w->c, w->path, 2);
    struct buf names = {0};
    char hint[160];
    const char *binding;
    json_t *entry;
    size_t i;
    int r = 0;

    json_array_foreach(top, i, entry)
    {
        binding = json_string_value(json_object_get(entry, KEYS[BINDING]));
        if (r == 0 && binding && !has_entry(own, binding))
            r = buf_print(&names, "%s%s", buf_len(&names) ? ", " : "", binding);
    }
    if (buf_len(&names) > 0) {
        where.column = 0;
        where.source = (struct span){NULL, 0};
        snprintf(hint, sizeof hint, "list them for the environment too (env.%s." LIST_KEY ")",
                 w->p->env);
        diagnostics_add(w->d, SEVERITY_WARNING, where, hint,
                        "the environment '%s' does not inherit '" LIST_KEY "': it has no %.*s",
                        w->p->env, SPAN_ARG(buf_span(&names)));
    }
    w->d->is_short |= r < 0;
    buf_done(&names);
}

int bindings_read(const struct config *c, struct project *p, struct diagnostics *d, struct err *err)
{
    struct walk w = {c, p, d, .path = {"env", p->env, LIST_KEY}, .first = 2};
    json_t *level = c->root, *list, *entry;
    size_t i;
    int r = 0;

    if (p->env[0] && json_is_object(json_object_get(json_object_get(c->root, "env"), p->env))) {
        level = json_object_get(json_object_get(c->root, "env"), p->env);
        w.first = 0;
        list = json_object_get(level, LIST_KEY);
        if (!list || json_array_size(list) > 0) /* an empty one is meant */
            warn_missing(&w, json_object_get(c->root, LIST_KEY), list);
    }
    list = json_object_get(level, LIST_KEY);
    w.vars = json_object_get(level, "vars");
    if (json_array_size(list) == 0)
        return 0;
    p->databases = mem_alloc(json_array_size(list) * sizeof *p->databases);
    if (!p->databases)
        return err_nomem(err);
    json_array_foreach(list, i, entry)
    {
        snprintf(w.index, sizeof w.index, "%zu", i);
        w.path[OF_LIST] = w.index;
        if (r == 0)
            r = read_entry(&w, entry);
    }
    return r < 0 ? err_nomem(err) : 0;
}

void bindings_done(struct project *p)
{
    for (size_t i = 0; i < p->database_count; i++) {
        struct project_database *db = &p->databases[i];
        mem_free(db->binding);
        mem_free(db->name);
        mem_free(db->id);
        mem_free(db->preview_id);
        mem_free(db->migrations_dir);
        mem_free(db->migrations_table);
    }
    mem_free(p->databases);
    p->databases = NULL;
    p->database_count = 0;
}
