/* vars.c - merge variables and secrets into one JSON object. */
#include "project/vars.h"

#include <string.h>

#include "base/mem.h"
#include "project/path.h"
#include "project/schema.h"
#include "text/dotenv.h"
#include "text/value.h"

enum { VARS_FILE_MAX = 1 << 20 };

static int read_pairs(const char *shown, struct span text, json_t *out, struct diagnostics *d)
{
    struct dotenv e = {.text = text};
    struct buf value = {0};
    struct span name;
    int r;

    for (;;) {
        r = dotenv_next(&e, &name, &value);
        if (r <= DOTENV_END)
            break;
        if (r == DOTENV_SKIPPED) {
            /* The line may hold a secret: name its place, do not show it. */
            diagnostics_add(d, SEVERITY_WARNING, (struct place){shown, e.line, 0, {NULL, 0}}, NULL,
                            "this line is ignored: it is not NAME=value");
            continue;
        }
        if (e.has_loose_quotes)
            diagnostics_add(d, SEVERITY_WARNING, (struct place){shown, e.line, 0, {NULL, 0}}, NULL,
                            "the quotes of '%.*s' do not enclose its value, so they belong to it",
                            SPAN_ARG(name));
        r = value_set_string(out, name, buf_len(&value) ? buf_span(&value) : SPAN(""));
        if (r == ERR_INVALID)
            diagnostics_add(d, SEVERITY_ERROR, (struct place){shown, e.line, 0, {NULL, 0}}, NULL,
                            "the value of '%.*s' is not UTF-8", SPAN_ARG(name));
        else if (r < 0)
            break;
    }
    buf_done(&value);
    return r;
}

/* Read FOLDER/NAME into out: 1 when it is there, 0 when not. */
static int read_file(struct project *p, const char *name, json_t *out, struct diagnostics *d,
                     struct err *err)
{
    char *path = path_join(p->folder, name), *shown = NULL, *text = NULL;
    size_t len = 0;
    int r;

    if (path)
        shown = path_shown(path);
    if (!shown) {
        r = err_nomem(err);
        goto done;
    }
    r = config_read_file(path, shown, VARS_FILE_MAX, &text, &len, err);
    if (r == ERR_NOT_FOUND)
        r = 0;
    else if (r == 0)
        r = read_pairs(shown, (struct span){text, len}, out, d) < 0 ? err_nomem(err) : 1;
    if (r == 1 && !p->secrets_file) {
        p->secrets_file = shown;
        shown = NULL;
    }
done:
    mem_free(text);
    mem_free(shown);
    mem_free(path);
    return r;
}

static int read_named(struct project *p, const char *first, const char *second, json_t *out,
                      struct diagnostics *d, struct err *err)
{
    struct buf name = {0};
    char *text;
    int r = buf_print(&name, first, p->env);

    if (r == 0)
        r = buf_append(&name, second, strlen(second));
    text = r == 0 ? buf_detach(&name) : NULL;
    buf_done(&name);
    r = text ? read_file(p, text, out, d, err) : err_nomem(err);
    mem_free(text);
    return r;
}

static struct span find_string(void *self, struct span name)
{
    const json_t *found = json_object_getn(self, name.data, name.len);

    return (struct span){json_string_value(found), json_string_length(found)};
}

/* Expand the values of .env in their order, each seeing those before it. */
static int expand_all(json_t *raw, const char *shown, json_t *out, struct diagnostics *d)
{
    json_t *done = json_object(), *value;
    struct buf text = {0};
    const char *name;
    int r = done ? 0 : ERR_NOMEM;

    json_object_foreach(raw, name, value)
    {
        buf_eat(&text, buf_len(&text));
        if (r == 0)
            r = dotenv_expand((struct span){json_string_value(value), json_string_length(value)},
                              find_string, done, &text);
        if (r == 0)
            r = value_set_string(done, span_of(name), buf_len(&text) ? buf_span(&text) : SPAN(""));
        if (r == ERR_LIMIT || r == ERR_INVALID) {
            diagnostics_add(d, SEVERITY_ERROR, (struct place){.file = shown}, NULL,
                            r == ERR_LIMIT ? "'%s' becomes too long" : "'%s' is not UTF-8", name);
            r = 0;
        }
    }
    if (r == 0 && json_object_update(out, done) < 0)
        r = ERR_NOMEM;
    buf_done(&text);
    json_decref(done);
    return r;
}

static int read_dotenv(struct project *p, json_t *out, struct diagnostics *d, struct err *err)
{
    json_t *raw = json_object();
    bool has_env = p->env[0] != '\0';
    int r;

    if (!raw)
        return err_nomem(err);
    r = read_file(p, ".env", raw, d, err);
    if (r >= 0)
        r = read_file(p, ".env.local", raw, d, err);
    if (r >= 0 && has_env)
        r = read_named(p, ".env.%s", "", raw, d, err);
    if (r >= 0 && has_env)
        r = read_named(p, ".env.%s", ".local", raw, d, err);
    if (r >= 0 && json_object_size(raw) > 0 &&
        expand_all(raw, p->secrets_file ? p->secrets_file : ".env", out, d) < 0)
        r = err_nomem(err);
    json_decref(raw);
    return r;
}

/* Remember a file that stands in the folder itself, for the watcher. */
static int note_env_file(struct project *p, const char *name, struct buf *names)
{
    char *joined = path_join(p->folder, name), *whole = joined ? path_normal(joined) : NULL;
    const char *inside = whole ? path_below(p->folder, whole) : NULL;
    int r = whole ? 0 : ERR_NOMEM;

    if (inside && inside[0] && !strchr(inside, '/'))
        r = buf_print(names, "%s\n", inside);
    mem_free(whole);
    mem_free(joined);
    return r;
}

/* --env-file: these and no others, the later ones win. */
static int read_named_files(const struct project_options *o, struct project *p, json_t *out,
                            struct diagnostics *d, struct err *err)
{
    json_t *raw = json_object();
    struct buf names = {0};
    int r = raw ? 0 : err_nomem(err);

    for (size_t i = 0; i < o->env_file_count && r >= 0; i++) {
        r = read_file(p, o->env_files[i], raw, d, err);
        if (r == 0)
            diagnostics_add(d, SEVERITY_WARNING, (struct place){0}, NULL,
                            "there is no file '%s' (--env-file)", o->env_files[i]);
        if (r >= 0 && note_env_file(p, o->env_files[i], &names) < 0)
            r = err_nomem(err);
    }
    if (r >= 0 && expand_all(raw, p->secrets_file ? p->secrets_file : "", out, d) < 0)
        r = err_nomem(err);
    if (r >= 0 && buf_len(&names) > 0)
        p->env_files = buf_detach(&names);
    buf_done(&names);
    json_decref(raw);
    return r < 0 ? r : 0;
}

static int read_files(struct project *p, json_t *out, struct diagnostics *d, struct err *err)
{
    int r = 0;

    if (p->env[0])
        r = read_named(p, ".dev.vars.%s", "", out, d, err);
    if (r == 0)
        r = read_file(p, ".dev.vars", out, d, err);
    if (r != 0)
        return r;
    return read_dotenv(p, out, d, err);
}

bool vars_is_file(const struct project *p, const char *name)
{
    size_t n = strlen(p->env ? p->env : "");
    const char *rest;

    for (const char *at = p->env_files; at && *at; at += strcspn(at, "\n") + 1)
        if (strcspn(at, "\n") == strlen(name) && strncmp(at, name, strlen(name)) == 0)
            return true;
    if (strcmp(name, ".dev.vars") == 0 || strcmp(name, ".env") == 0 ||
        strcmp(name, ".env.local") == 0)
        return true;
    rest = strncmp(name, ".dev.vars.", 10) == 0 ? name + 10 : NULL;
    if (rest)
        return n > 0 && strcmp(rest, p->env) == 0;
    rest = strncmp(name, ".env.", 5) == 0 ? name + 5 : NULL;
    if (!rest || n == 0 || strncmp(rest, p->env, n) != 0)
        return false;
    return rest[n] == '\0' || strcmp(rest + n, ".local") == 0;
}

/* Say which top-level variables the environment lacks. */
static void warn_missing(const struct config *c, const char *env, json_t *top, json_t *own,
                         struct diagnostics *d)
{
    const char *path[] = {"env", env}, *key;
    struct place where = config_key_place(c, path, 2);
    struct buf names = {0};
    char hint[160];
    json_t *value;
    int r = 0;

    json_object_foreach(top, key, value) if (r == 0 && !json_object_get(own, key)) r =
        buf_print(&names, "%s%s", buf_len(&names) ? ", " : "", key);
    if (buf_len(&names) > 0) {
        where.column = 0;
        where.source = (struct span){NULL, 0};
        snprintf(hint, sizeof hint, "set them for the environment too (env.%s.vars)", env);
        diagnostics_add(d, SEVERITY_WARNING, where, hint,
                        "the environment '%s' does not inherit 'vars': it has no %.*s", env,
                        SPAN_ARG(buf_span(&names)));
    }
    d->is_short |= r < 0;
    buf_done(&names);
}

static int read_config_vars(const struct config *c, const struct project *p, json_t *out,
                            struct diagnostics *d)
{
    json_t *top = json_object_get(c->root, "vars");
    json_t *env = json_object_get(json_object_get(c->root, "env"), p->env), *own = top;

    if (!json_is_object(top))
        top = NULL;
    if (p->env[0] && json_is_object(env)) {
        own = json_object_get(env, "vars");
        warn_missing(c, p->env, top, own, d);
    }
    return json_is_object(own) ? json_object_update(out, own) : 0;
}

/* secrets.required of the chosen environment, which inherits none; NULL: any secret counts. */
static json_t *required_names(const struct config *c, const struct project *p,
                              struct diagnostics *d)
{
    const char *path[] = {"env", p->env, "secrets", "required"};
    json_t *env = json_object_get(json_object_get(c->root, "env"), p->env), *names;
    bool is_own = p->env[0] && json_is_object(env);

    names = json_object_get(json_object_get(is_own ? env : c->root, "secrets"), "required");
    if (!names || json_is_array(names))
        return names;
    diagnostics_add(d, SEVERITY_ERROR,
                    config_value_place(c, is_own ? path : path + 2, is_own ? 4 : 2), NULL,
                    "'secrets.required' must be a list of names such as [\"API_TOKEN\"], not %s",
                    schema_word(c, names));
    return NULL;
}

/* Of what the files say keep the names that are asked for. */
static int take_required(const struct config *c, const json_t *names, const json_t *files,
                         json_t *out, struct diagnostics *d)
{
    json_t *name, *value;
    size_t i;

    json_array_foreach(names, i, name)
    {
        value = json_object_get(files, json_string_value(name));
        if (value && json_object_set(out, json_string_value(name), value) < 0)
            return ERR_NOMEM;
        if (!json_is_string(name))
            diagnostics_add(d, SEVERITY_ERROR, (struct place){.file = c->shown}, NULL,
                            "'secrets.required' is a list of names: %s is none",
                            schema_word(c, name));
        else if (!value)
            diagnostics_add(d, SEVERITY_WARNING, (struct place){.file = c->shown},
                            "add it to .dev.vars", "the secret '%s' is required and not set",
                            json_string_value(name));
    }
    return 0;
}

/* For an upload: the names alone, one a line. */
static int note_required(const struct config *c, struct project *p, struct diagnostics *d)
{
    json_t *names = c ? required_names(c, p, d) : NULL, *name;
    struct buf lines = {0};
    size_t i;
    int r = 0;

    json_array_foreach(names, i, name)
    {
        const char *text = json_string_value(name);
        if (!text || !text[0] || strlen(text) != json_string_length(name) || strchr(text, '\n'))
            diagnostics_add(d, SEVERITY_ERROR, (struct place){.file = c->shown}, NULL,
                            "'secrets.required' is a list of names: %s is none",
                            schema_word(c, name));
        else if (r == 0)
            r = buf_print(&lines, "%s\n", text);
    }
    if (r == 0)
        p->deploy.required = buf_detach(&lines);
    buf_done(&lines);
    return p->deploy.required ? 0 : ERR_NOMEM;
}

static int read_secrets(const struct config *c, const struct project_options *options,
                        struct project *p, json_t *out, struct diagnostics *d, struct err *err)
{
    json_t *files = json_object(), *names;
    int r;

    if (!files)
        return err_nomem(err);
    r = options->env_file_count > 0 ? read_named_files(options, p, files, d, err)
                                    : read_files(p, files, d, err);
    names = r >= 0 && c ? required_names(c, p, d) : NULL;
    if (r >= 0 &&
        (names ? take_required(c, names, files, out, d) : json_object_update(out, files)) < 0)
        r = err_nomem(err);
    json_decref(files);
    return r;
}

static int read_flags(const struct project_options *options, json_t *out, struct diagnostics *d)
{
    int r;

    for (size_t i = 0; i < options->var_count; i++) {
        const char *text = options->vars[i], *colon = strchr(text, ':');
        if (!colon || colon == text) {
            diagnostics_add(d, SEVERITY_ERROR, (struct place){0},
                            "for example --var GREETING:hello", "--var '%.*s' must be NAME:VALUE",
                            (int)strcspn(text, "= \t"), text); /* no more: it may be a secret */
            continue;
        }
        r = value_set_string(out, (struct span){text, (size_t)(colon - text)}, span_of(colon + 1));
        if (r == ERR_INVALID)
            diagnostics_add(d, SEVERITY_ERROR, (struct place){0}, NULL, "--var %.*s is not UTF-8",
                            (int)(colon - text), text);
        else if (r < 0)
            return r;
    }
    return 0;
}

/* Bindings win.  One that the configuration's own vars are in the way of was an error already. */
static void warn_hidden(const struct project *p, const json_t *config_vars, const json_t *out,
                        struct diagnostics *d)
{
    for (size_t i = 0; i < p->database_count; i++) {
        const char *name = p->databases[i].binding;
        if (json_object_get(out, name) && !json_object_get(config_vars, name))
            diagnostics_add(d, SEVERITY_WARNING, (struct place){0}, "rename one of them",
                            "the variable '%s' (%s) has no effect: a database is called so", name,
                            p->secrets_file ? p->secrets_file : "--var");
    }
}

int vars_collect(const struct config *c, const struct project_options *options, struct project *p,
                 struct diagnostics *d, struct err *err)
{
    json_t *out, *config_vars = NULL;
    int r = 0;

    value_init();
    out = json_object();
    if (!out)
        return err_nomem(err);
    if (c && read_config_vars(c, p, out, d) < 0)
        r = err_nomem(err);
    config_vars = r == 0 ? json_copy(out) : NULL;
    if (r == 0 && !config_vars)
        r = err_nomem(err);
    if (r == 0 && options->scope == PROJECT_UPLOAD)
        r = note_required(c, p, d) < 0 ? err_nomem(err) : 0;
    else if (r == 0)
        r = read_secrets(c, options, p, out, d, err);
    if (r >= 0)
        r = read_flags(options, out, d) < 0 ? err_nomem(err) : 0;
    if (r == 0) {
        warn_hidden(p, config_vars, out, d);
        p->env_json = json_dumps(out, JSON_COMPACT);
        if (!p->env_json)
            r = err_nomem(err);
    }
    json_decref(config_vars);
    json_decref(out);
    return r;
}
