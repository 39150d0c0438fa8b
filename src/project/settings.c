/* settings.c - pick each key from [env.X] or the top, as wrangler inherits them.
 *
 * schema.c has complained about wrong types already: here such a value counts
 * as not given. */
#include "project/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "project/flags.h"
#include "project/path.h"
#include "project/schema.h"

enum { NAME_LEN_MAX = 255 };

struct setting settings_pick(const struct config *c, const char *env, const char *key)
{
    json_t *own = env[0] ? json_object_get(json_object_get(c->root, "env"), env) : NULL;
    struct setting f = {json_object_get(own, key), {"env", env, key}, 3};

    if (f.value)
        return f;
    return (struct setting){json_object_get(c->root, key), {key}, 1};
}

struct place settings_place(const struct config *c, const struct setting *f)
{
    return config_value_place(c, f->path, f->depth);
}

/* A string without NUL bytes, or NULL. */
static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);

    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

static bool is_name(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");

    return n > 0 && text[0] != '-' && !text[n] && n <= NAME_LEN_MAX;
}

/* A name out of a folder's: "My Worker" -> "my-worker"; "worker" when nothing is left. */
static char *name_of_folder(const char *folder)
{
    char *name = mem_strdup(path_base(folder)), *out = name;

    if (!name)
        return NULL;
    for (const char *in = name; *in; in++) {
        char c = (char)tolower((unsigned char)*in);
        bool is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (is_good && (c != '-' || out > name))
            *out++ = c;
        else if (out > name && out[-1] != '-')
            *out++ = '-';
    }
    while (out > name && out[-1] == '-')
        out--;
    *out = '\0';
    if (name[0])
        return name;
    mem_free(name);
    return mem_strdup("worker");
}

static const char NAME_RULE[] = "may hold lower-case letters, digits, '-' and '_' only, at most "
                                "255 of them, and not begin with '-'";
_Static_assert(NAME_LEN_MAX == 255, "the rule says so");

/* --name, as it is: the environment is not added to it. */
static int take_name(const char *name, struct project *p, struct diagnostics *d)
{
    if (!is_name(name))
        diagnostics_add(d, SEVERITY_ERROR, (struct place){0}, NULL, "--name %s", NAME_RULE);
    p->name = mem_strdup(name);
    return p->name ? 0 : ERR_NOMEM;
}

static int read_name(const struct config *c, struct project *p, struct diagnostics *d)
{
    struct setting f = c ? settings_pick(c, p->env, "name") : (struct setting){0};
    const char *name = text_of(f.value);
    char *base = NULL;
    struct buf whole = {0};
    int r;

    if (f.value && schema_fits("name", f.value) && (!name || !is_name(name))) {
        diagnostics_add(d, SEVERITY_ERROR, settings_place(c, &f), NULL, "'name' %s", NAME_RULE);
        name = NULL;
    }
    base = name ? mem_strdup(name) : name_of_folder(p->folder);
    if (!base)
        return ERR_NOMEM;
    if (!p->env[0] || (name && f.depth == 3)) {
        p->name = base;
        return 0;
    }
    r = buf_print(&whole, "%s-%s", base, p->env);
    mem_free(base);
    p->name = r == 0 ? buf_detach(&whole) : NULL;
    buf_done(&whole);
    return p->name ? 0 : ERR_NOMEM;
}

static bool is_date(const char *text)
{
    static const int DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;

    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
        return false;
    for (int i = 0; i < 10; i++)
        if (i != 4 && i != 7 && !isdigit((unsigned char)text[i]))
            return false;
    if (sscanf(text, "%d-%d-%d", &year, &month, &day) != 3 || month < 1 || month > 12 || day < 1)
        return false;
    if (month == 2 && day == 29)
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= DAYS[month - 1];
}

static int take_date(const char *date, struct project *p, struct diagnostics *d)
{
    if (!is_date(date))
        diagnostics_add(d, SEVERITY_ERROR, (struct place){0}, NULL,
                        "--compatibility-date must be a date such as 2026-03-01, not '%s'", date);
    p->compatibility_date = mem_strdup(date);
    return p->compatibility_date ? 0 : ERR_NOMEM;
}

static int read_date(const struct config *c, enum project_scope scope, struct project *p,
                     struct diagnostics *d)
{
    struct setting f = settings_pick(c, p->env, "compatibility_date");
    const char *date = text_of(f.value);

    if (!f.value && scope == PROJECT_STATE)
        return 0; /* no worker runs */
    if (!f.value) {
        diagnostics_add(d, SEVERITY_WARNING, (struct place){.file = c->shown},
                        c->format == CONFIG_TOML ? "add compatibility_date = \"2026-03-01\""
                                                 : "add \"compatibility_date\": \"2026-03-01\"",
                        "'compatibility_date' is missing: the newest behaviour is used");
        return 0;
    }
    if (!schema_fits("compatibility_date", f.value))
        return 0;
    if (!date || !is_date(date)) {
        diagnostics_add(d, SEVERITY_ERROR, settings_place(c, &f), NULL,
                        "'compatibility_date' must be a date such as \"2026-03-01\", not \"%s\"",
                        date ? date : "");
        return 0;
    }
    p->compatibility_date = mem_strdup(date);
    return p->compatibility_date ? 0 : ERR_NOMEM;
}

static bool is_flag(const char *text)
{
    return text && text[0] && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-.:")];
}

static void check_flag(const char *flag, struct place where, struct diagnostics *d)
{
    const char *near;
    char hint[128];

    if (!flags_are_odd(flag, &near))
        return;
    snprintf(hint, sizeof hint, "did you mean '%s'?", near ? near : "");
    diagnostics_add(d, SEVERITY_WARNING, where, near ? hint : NULL,
                    "'%s' is no compatibility flag of Python workers: it has no effect", flag);
}

static int take_flags(const struct project_options *o, struct project *p, struct diagnostics *d)
{
    struct buf all = {0};
    int r = 0;

    for (size_t i = 0; i < o->flag_count && r == 0; i++) {
        if (is_flag(o->flags[i])) {
            check_flag(o->flags[i], (struct place){0}, d);
            r = buf_print(&all, "%s%s", i > 0 ? " " : "", o->flags[i]);
        } else
            diagnostics_add(d, SEVERITY_ERROR, (struct place){0}, NULL,
                            "--compatibility-flags '%s' is not a flag such as python_workers",
                            o->flags[i]);
    }
    if (r == 0) {
        p->compatibility_flags = buf_detach(&all);
        r = p->compatibility_flags ? 0 : ERR_NOMEM;
    }
    buf_done(&all);
    return r;
}

static int read_flags(const struct config *c, struct project *p, struct diagnostics *d)
{
    struct setting f = settings_pick(c, p->env, "compatibility_flags");
    struct buf all = {0};
    char index[24];
    json_t *flag;
    size_t i;
    int r = 0;

    if (!json_is_array(f.value))
        return 0;
    json_array_foreach(f.value, i, flag)
    {
        const char *text = text_of(flag);
        snprintf(index, sizeof index, "%zu", i);
        f.path[f.depth] = index;
        if (!json_is_string(flag))
            diagnostics_add(d, SEVERITY_ERROR, config_value_place(c, f.path, f.depth + 1), NULL,
                            "'compatibility_flags' must be a list of strings such as "
                            "[\"python_workers\"]: this one is %s",
                            schema_word(c, flag));
        else if (!is_flag(text))
            diagnostics_add(d, SEVERITY_ERROR, config_value_place(c, f.path, f.depth + 1), NULL,
                            "\"%s\" is not a compatibility flag such as \"python_workers\"",
                            text ? text : "");
        else if (r == 0) {
            check_flag(text, config_value_place(c, f.path, f.depth + 1), d);
            r = buf_print(&all, "%s%s", buf_len(&all) ? " " : "", text);
        }
    }
    if (r == 0) {
        p->compatibility_flags = buf_detach(&all);
        r = p->compatibility_flags ? 0 : ERR_NOMEM;
    }
    buf_done(&all);
    return r;
}

static void read_main(const struct config *c, const struct project *p, struct settings *s,
                      struct diagnostics *d)
{
    struct setting f = settings_pick(c, p->env, "main");

    s->has_main = f.value != NULL;
    s->main = text_of(f.value);
    s->main_place = settings_place(c, &f);
    if (!json_is_string(f.value) || (s->main && s->main[0]))
        return;
    diagnostics_add(d, SEVERITY_ERROR, s->main_place, NULL,
                    "'main' must be a string such as \"src/entry.py\", not an empty one");
    s->main = NULL;
}

/* Does the chosen environment exist? */
static void check_env(const struct config *c, const struct project *p, struct diagnostics *d)
{
    json_t *envs = json_object_get(c->root, "env"), *env = json_object_get(envs, p->env), *value;
    const char *path[] = {"env", p->env}, *name;
    struct buf names = {0};
    int r = 0;

    if (env && !json_is_object(env))
        diagnostics_add(d, SEVERITY_ERROR, config_value_place(c, path, 2), NULL,
                        "'env.%s' must be %s, not %s", p->env,
                        c->format == CONFIG_TOML ? "a table" : "an object", schema_word(c, env));
    if (env)
        return;
    if (json_object_size(envs) == 0) {
        diagnostics_add(d, SEVERITY_WARNING, (struct place){.file = c->shown},
                        c->format == CONFIG_TOML ? "add a table [env.NAME]"
                                                 : "add \"env\": {\"NAME\": { ... }}",
                        "there is no environment '%s': the top level is used", p->env);
        return;
    }
    json_object_foreach(envs, name, value) if (r == 0) r =
        buf_print(&names, "%s%s", buf_len(&names) ? ", " : "the environments are: ", name);
    if (r == 0)
        r = buf_append(&names, "", 1);
    d->is_short |= r < 0;
    if (r == 0)
        diagnostics_add(d, SEVERITY_ERROR, config_key_place(c, path, 1), buf_data(&names),
                        "there is no environment '%s'", p->env);
    buf_done(&names);
}

int settings_read(const struct config *c, const struct project_options *options, struct project *p,
                  struct settings *ret, struct diagnostics *d, struct err *err)
{
    int r = options->name ? take_name(options->name, p, d) : read_name(c, p, d);

    *ret = (struct settings){0};
    if (c && p->env[0])
        check_env(c, p, d);
    if (r == 0 && options->compatibility_date)
        r = take_date(options->compatibility_date, p, d);
    else if (r == 0 && c)
        r = read_date(c, options->scope, p, d);
    if (r == 0 && options->flag_count > 0)
        r = take_flags(options, p, d);
    else if (r == 0 && c)
        r = read_flags(c, p, d);
    if (r == 0 && c)
        read_main(c, p, ret, d);
    return r < 0 ? err_nomem(err) : 0;
}
