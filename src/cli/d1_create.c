/* d1_create.c - `corral d1 create NAME`: make a database, and say how a worker gets it. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/d1_remote.h"
#include "project/patch.h"

static const struct option OPTIONS[] = {
    {"--binding", NULL, "NAME", "what the worker calls it: env.NAME (made of the database's name)"},
    {"--write-config", "--update-config", NULL, "put it into the configuration file"},
    {"--location", NULL, "PLACE", NULL}, /* of wrangler; all are here */
    {"--jurisdiction", NULL, "PLACE", NULL},
    {"--use-remote", NULL, NULL, NULL},
    {0},
};

struct create {
    const char *binding; /* as asked for, or NULL */
    bool writes;
};

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct create *c = self;

    if (strcmp(option->name, "--write-config") == 0)
        c->writes = option_is_on(value);
    if (strcmp(option->name, "--binding") != 0)
        return 0;
    if (!project_is_binding(value)) {
        err_set(err, ERR_INVALID, "--binding '%.64s' is not a JavaScript identifier", value);
        return err_hint(err, "Letters, digits, '_' and '$', no digit first: such as DB.");
    }
    c->binding = value;
    return 0;
}

/* "my-books" -> "my_books": what is left of the name in an identifier; DB when nothing is. */
static void binding_of(const char *name, char out[DATABASE_NAME_MAX + 2])
{
    size_t n = 0;

    for (; *name; name++) {
        bool is_gap = *name == '-' || *name == '_' || isspace((unsigned char)*name);
        if (is_gap && (n == 0 || out[n - 1] != '_'))
            out[n++] = '_';
        if (!isascii(*name) || !isalnum((unsigned char)*name))
            continue;
        if (n == 0 && isdigit((unsigned char)*name))
            out[n++] = '_';
        out[n++] = *name;
    }
    out[n] = '\0';
    if (!out[strspn(out, "_")])
        strcpy(out, "DB");
}

/* ---- the snippet ---- */

static void print_toml_text(const char *key, const char *text)
{
    printf("%s = \"", key);
    for (; *text; text++) /* a name: no control characters */
        printf(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    printf("\"\n");
}

static void print_toml(const char *env, const char *binding, const struct database *d)
{
    bool is_bare = !strchr(env, '.');

    if (env[0])
        printf(is_bare ? "[[env.%s.d1_databases]]\n" : "[[env.\"%s\".d1_databases]]\n", env);
    else
        printf("[[d1_databases]]\n");
    print_toml_text("binding", binding);
    print_toml_text("database_name", d->name);
    print_toml_text("database_id", d->uuid);
}

static int print_json(const char *env, const char *binding, const struct database *d,
                      struct err *err)
{
    json_t *root = json_pack("{s:[{s:s, s:s, s:s}]}", "d1_databases", "binding", binding,
                             "database_name", d->name, "database_id", d->uuid);

    if (env[0])
        root = json_pack("{s:{s:o}}", "env", env, root);
    return cli_print_json(root, err);
}

static bool is_json(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && (strcmp(dot, ".json") == 0 || strcmp(dot, ".jsonc") == 0);
}

static int show(const struct project *p, const char *binding, const struct database *d,
                struct err *err)
{
    printf("\nTo use it in your worker, add this to %s:\n\n",
           p->shown[0] ? p->shown : "wrangler.toml");
    if (is_json(p->config))
        return print_json(p->env, binding, d, err);
    print_toml(p->env, binding, d);
    return 0;
}

/* ---- the command ---- */

static const struct project_database *configured(const struct project *p, const char *name)
{
    for (size_t i = 0; i < p->database_count; i++)
        if (strcmp(p->databases[i].name, name) == 0)
            return &p->databases[i];
    return NULL;
}

/* The id of the configuration, when it is one that no other database here has; else a new one. */
static int uuid_for(const struct project *p, const struct project_database *c, char out[UUID_SIZE],
                    struct err *err)
{
    struct database other;
    struct err ignored;

    if (!c || !database_is_uuid(c->id))
        return database_make_uuid(out, err);
    if (database_find(p->data_folder, c->id, &other, &ignored) == 0) {
        database_done(&other);
        return database_make_uuid(out, err);
    }
    memcpy(out, c->id, UUID_SIZE);
    return 0;
}

/* The new text of the configuration, which is written when the database is there. */
static int prepare(const struct d1 *d1, const char *binding, const char *uuid, struct patch *ret,
                   struct err *err)
{
    const struct project *p = &d1->project;
    const struct patch_database db = {binding, d1->words[0], uuid};

    if (!p->config[0]) {
        err_set(err, ERR_NOT_FOUND, "--write-config: there is no configuration in '%s'", p->folder);
        return err_hint(err, "Leave it out, and put what is shown then into a wrangler.toml.");
    }
    return patch_make(p->config, p->shown, p->env, d1->worker_program, &db, ret, err);
}

/* A database that the configuration could not be given is none. */
static int write_config(const struct d1 *d1, const struct patch *patch, struct err *err)
{
    struct err ignored;
    int r = patch_write(patch, err);

    if (r < 0)
        (void)!database_delete(d1->project.data_folder, d1->words[0], &ignored);
    return r;
}

/* The node makes it and its uuid; then it goes into the configuration, or is shown. */
static int create_remote(const struct d1 *d1, const struct create *c, struct err *err)
{
    const struct project *p = &d1->project;
    char made[DATABASE_NAME_MAX + 2] = "";
    const char *binding = c->binding ? c->binding : made;
    struct patch patch = {0};
    struct database d = {0};
    int r = database_check_name(d1->words[0], err);

    if (r == 0)
        binding_of(d1->words[0], made);
    if (r == 0 && c->writes) /* what cannot be written is said before anything is made */
        r = prepare(d1, binding, "00000000-0000-4000-8000-000000000000", &patch, err);
    patch_done(&patch);
    patch = (struct patch){0};
    r = r < 0 ? r : d1_remote_create(d1, &d, err);
    if (r < 0)
        return r;
    printf("✅ Successfully created DB '%s'\n", d.name);
    if (c->writes)
        r = prepare(d1, binding, d.uuid, &patch, err);
    if (r == 0 && patch.path)
        r = patch_write(&patch, err);
    if (r == 0 && patch.path)
        printf("It is in %s as env.%s.\n", p->shown, binding);
    else
        r = show(p, binding, &d, err);
    database_done(&d);
    patch_done(&patch);
    return r;
}

static int create(const struct d1 *d1, const struct create *c, struct err *err)
{
    const struct project *p = &d1->project;
    const struct project_database *known = configured(p, d1->words[0]);
    bool is_known = known && (!c->binding || strcmp(c->binding, known->binding) == 0);
    char made[DATABASE_NAME_MAX + 2] = "", uuid[UUID_SIZE];
    const char *binding = c->binding ? c->binding : made;
    struct patch patch = {0};
    struct database d = {0};
    int r = uuid_for(p, known, uuid, err);

    if (r == 0)
        r = database_check_name(d1->words[0], err);
    if (r == 0)
        binding_of(d1->words[0], made);
    if (r == 0 && c->writes && !is_known)
        r = prepare(d1, binding, uuid, &patch, err);
    if (r == 0)
        r = database_create(p->data_folder, d1->words[0], uuid, &d, err);
    if (r == 0 && patch.path)
        r = write_config(d1, &patch, err);
    if (r < 0)
        goto done;
    printf("✅ Successfully created DB '%s'\n", d.name);
    if (patch.path)
        printf("It is in %s as env.%s.\n", p->shown, binding);
    else if (is_known)
        printf("%s has it already: env.%s.\n", p->shown, known->binding);
    else
        r = show(p, binding, &d, err);
done:
    database_done(&d);
    patch_done(&patch);
    return r;
}

int d1_create(char **args)
{
    static const struct d1_spec SPEC = {
        .usage = "create NAME",
        .about =
            "Make a database on this machine, and show what to put into the configuration, or\n"
            "put it there.\n",
        .words = {"NAME"},
        .options = OPTIONS,
        .take = take,
        .is_silent = true,
    };
    struct create c = {0};
    struct err err = {0};
    struct d1 d1;
    int code = d1_begin(&SPEC, args, &c, &d1), r;

    if (code != D1_GO)
        return code;
    r = d1.is_remote ? create_remote(&d1, &c, &err) : create(&d1, &c, &err);
    d1_end(&d1);
    return r < 0 ? cli_fail(&err, 1) : 0;
}
