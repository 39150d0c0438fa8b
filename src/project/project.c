/* project.c - from a folder and some flags to a checked struct project.
 *
 *     locate -> config_read -> schema_check -> settings -> vars -> entry
 *
 * Each step goes on after the user's mistakes as long as that makes sense, so
 * that all of them are shown at once; kernel errors and lack of memory end it.
 * Called by cli; nothing is kept between two calls. */
#include "project/project.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "project/config.h"
#include "project/deploy.h"
#include "project/bindings.h"
#include "project/entry.h"
#include "project/inputs.h"
#include "project/path.h"
#include "project/schema.h"
#include "project/script.h"
#include "project/settings.h"
#include "project/vars.h"

static const char *const NAMES[] = {"wrangler.json", "wrangler.jsonc", "wrangler.toml"};
enum { NAME_COUNT = sizeof NAMES / sizeof *NAMES };

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- locate ---- */

/* Look for a configuration in p->folder: 1 with p->config, 0 without. */
static int find_here(struct project *p, struct err *err)
{
    /* Of a locked folder nobody can say that it has none. */
    if (faccessat(AT_FDCWD, p->folder, X_OK, AT_EACCESS) < 0 && errno == EACCES)
        return err_errno(err, errno, "look into '%s'", p->folder);
    for (int i = 0; i < NAME_COUNT; i++) {
        char *path = path_join(p->folder, NAMES[i]);
        if (!path)
            return err_nomem(err);
        if (is_file(path)) {
            p->config = path;
            return 1;
        }
        mem_free(path);
    }
    return 0;
}

/* Look in p->folder and above it; p->folder moves to where it was found. */
static int find_above(struct project *p, struct err *err)
{
    char *first = p->folder, *parent;
    int r;

    while ((r = find_here(p, err)) == 0 && strcmp(p->folder, "/") != 0) {
        parent = path_parent(p->folder);
        if (!parent) {
            r = err_nomem(err);
            break;
        }
        if (p->folder != first)
            mem_free(p->folder);
        p->folder = parent;
    }
    if (p->folder == first)
        return r;
    if (r == 1) {
        mem_free(first);
    } else {
        mem_free(p->folder);
        p->folder = first;
    }
    return r;
}

/* --config FILE: its folder is the project. */
static int use_config(struct project *p, const char *config, struct diagnostics *d, struct err *err)
{
    char *path = path_real_parent(config);

    if (!path && errno == ENOMEM)
        return err_nomem(err);
    if (path)
        p->folder = path_parent(path);
    if (path && !p->folder) {
        mem_free(path);
        return err_nomem(err);
    }
    if (path && is_file(path)) {
        p->config = path;
        return 0;
    }
    mem_free(path);
    diagnostics_add(d, SEVERITY_ERROR, (struct place){0}, NULL,
                    "there is no configuration file '%s' (--config)", config);
    return ERR_NOT_FOUND;
}

/* The folder where the search starts; ERR_NOT_FOUND with a diagnostic. */
static int start_folder(const struct project_options *o, struct project *p, struct diagnostics *d,
                        struct err *err)
{
    char *entry = NULL;

    if (o->folder) {
        p->folder = path_real(o->folder);
    } else if (o->entry) {
        entry = path_real_parent(o->entry);
        p->folder = entry ? path_parent(entry) : NULL;
        if (entry && !p->folder)
            errno = ENOMEM;
        mem_free(entry);
    } else {
        p->folder = path_real(".");
    }
    if (!p->folder && errno == ENOMEM)
        return err_nomem(err);
    if (p->folder && is_folder(p->folder))
        return 0;
    if (p->folder)
        diagnostics_add(d, SEVERITY_ERROR, (struct place){0}, "name the folder that it is in",
                        "'%s' is a file, not a project folder", o->folder ? o->folder : ".");
    else
        diagnostics_add(d, SEVERITY_ERROR, (struct place){0}, NULL, "there is no %s '%s'",
                        o->folder ? "folder" : "file",
                        o->folder  ? o->folder
                        : o->entry ? o->entry
                                   : ".");
    return ERR_NOT_FOUND;
}

/* Without a configuration: the current folder is the project if the entry is in it. */
static int adopt_current(struct project *p, struct err *err)
{
    char *here = path_real(".");

    if (!here)
        return errno == ENOMEM ? err_nomem(err) : 0;
    if (!path_below(here, p->folder)) {
        mem_free(here);
        return 0;
    }
    mem_free(p->folder);
    p->folder = here;
    return 0;
}

enum search { SEARCH_HERE, SEARCH_ABOVE }; /* in one folder, or in those above it too */

static void report_no_config(const struct project *p, enum search search, struct diagnostics *d)
{
    char *near = entry_nearest(p->folder, NULL), *shown = path_shown(p->folder);
    char hint[900], today[16];
    time_t now = (time_t)(clock_wall_ms() / 1000);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(today, sizeof today, "%Y-%m-%d", &tm);
    snprintf(hint, sizeof hint,
             "a wrangler.toml can be as short as this:\n"
             "  name = \"hello\"\n"
             "  main = \"%.400s\"\n"
             "  compatibility_date = \"%s\"\n"
             "  compatibility_flags = [\"python_workers\"]",
             near ? near : "src/entry.py", today);
    diagnostics_add(d, SEVERITY_ERROR, (struct place){0}, hint,
                    "no wrangler.json, wrangler.jsonc or wrangler.toml in '%s'%s",
                    shown ? shown : p->folder,
                    search == SEARCH_ABOVE ? " or a folder above it" : "");
    mem_free(shown);
    mem_free(near);
}

/* The name becomes part of file names and of the worker's name. */
static void check_env_name(const char *env, struct diagnostics *d)
{
    static const char GOOD[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    if (env[strspn(env, GOOD)] || env[0] == '.' || strlen(env) > 64)
        diagnostics_add(d, SEVERITY_ERROR, (struct place){0}, NULL,
                        "--env '%s' is not the name of an environment", env);
}

static int locate(const struct project_options *o, struct project *p, struct diagnostics *d,
                  struct err *err)
{
    enum search search = o->folder ? SEARCH_HERE : SEARCH_ABOVE;
    int r;

    if (o->config)
        return use_config(p, o->config, d, err);
    r = start_folder(o, p, d, err);
    if (r < 0)
        return r;
    r = search == SEARCH_HERE ? find_here(p, err) : find_above(p, err);
    if (r != 0)
        return r < 0 ? r : 0;
    if (o->entry)
        return search == SEARCH_ABOVE ? adopt_current(p, err) : 0;
    if (o->scope == PROJECT_STATE)
        return 0;
    report_no_config(p, search, d);
    return ERR_NOT_FOUND;
}

/* ---- load ---- */

/* Without symbolic links, as far as the path is there already.  NULL: no memory. */
static char *real_so_far(const char *path)
{
    char *whole = path_normal(path), *real = NULL, *out, kept;
    size_t len = whole ? strlen(whole) : 0;

    errno = 0;
    while (len > 1 && !real && errno != ENOMEM) {
        kept = whole[len];
        whole[len] = '\0';
        real = path_real(whole);
        whole[len] = kept;
        while (!real && len > 1 && whole[--len] != '/')
            ;
    }
    if (!real && errno != ENOMEM)
        return whole;
    out = real && whole[len] ? path_join(real, whole + len + 1) : real;
    if (out != real)
        mem_free(real);
    mem_free(whole);
    return out;
}

static int fill_state_folder(const struct project_options *o, struct project *p, struct err *err)
{
    bool is_given = o->state_folder && o->state_folder[0];
    char *given = is_given ? mem_strdup(o->state_folder) : path_join(p->folder, ".corral");

    p->state_folder = given ? real_so_far(given) : NULL;
    mem_free(given);
    if (!p->state_folder)
        return err_nomem(err);
    p->data_folder = is_given ? mem_strdup(p->state_folder) : path_join(p->state_folder, "state");
    return p->data_folder ? 0 : err_nomem(err);
}

/* `main` of the configuration, or the entry of the command line. */
static int check_main(const struct project_options *o, const struct config *c,
                      const struct settings *s, struct project *p, struct diagnostics *d,
                      struct err *err)
{
    char hint[600], *near, *entry;
    int r;

    if (o->entry) {
        entry = path_normal(o->entry);
        if (!entry)
            return err_nomem(err);
        if (o->folder && o->entry[0] != '/' && !is_file(entry)) { /* or seen from the folder */
            mem_free(entry);
            entry = path_join(p->folder, o->entry);
        }
        r = entry ? entry_check(p, entry, (struct place){0}, d, err) : err_nomem(err);
        mem_free(entry);
        return r;
    }
    if (s->main)
        return entry_check(p, s->main, s->main_place, d, err);
    if (s->has_main) /* of a wrong type: said already */
        return 0;
    near = entry_nearest(p->folder, NULL);
    snprintf(hint, sizeof hint,
             c->format == CONFIG_TOML ? "add main = \"%.500s\" at the top"
                                      : "add \"main\": \"%.500s\"",
             near ? near : "src/entry.py");
    mem_free(near);
    diagnostics_add(d, SEVERITY_ERROR, (struct place){.file = c->shown}, hint,
                    "'main' is missing: it names the file with the handlers");
    return 0;
}

static int load_config(const struct project_options *o, struct project *p, struct config *c,
                       struct diagnostics *d, struct err *err)
{
    struct schema_said said = {0};
    json_t *envs;
    int r;

    p->shown = path_shown(p->config);
    if (!p->shown)
        return err_nomem(err);
    r = config_read(p->config, p->shown, o->worker_program, c, d, err);
    if (r < 0)
        return r;
    schema_check(c, NULL, &said, d);
    envs = json_object_get(c->root, "env");
    if (p->env[0] && json_is_object(json_object_get(envs, p->env)))
        schema_check(c, p->env, &said, d);
    return 0;
}

/* Is main there yet?  A custom build may have to make it first. */
static bool is_file_of(const struct project *p, const struct project_options *o,
                       const struct settings *s)
{
    char *path = o->entry || !s->main ? NULL : path_join(p->folder, s->main);
    bool is_there = !path || is_file(path);

    mem_free(path);
    return is_there;
}

static int load(const struct project_options *o, struct project *p, struct config *c,
                struct diagnostics *d, struct err *err)
{
    struct settings s = {0};
    int r;

    p->env = mem_strdup(o->env ? o->env : "");
    if (!p->env)
        return err_nomem(err);
    check_env_name(p->env, d);
    if (d->errors > 0)
        return ERR_INVALID;
    r = locate(o, p, d, err);
    if (r < 0)
        return r;
    r = fill_state_folder(o, p, err);
    if (r == 0 && p->config)
        r = load_config(o, p, c, d, err);
    if (r == 0)
        r = settings_read(p->config ? c : NULL, o, p, &s, d, err);
    if (r == 0 && p->config)
        r = bindings_read(c, p, d, err);
    if (r == 0 && p->config)
        r = deploy_read(c, p, d, err);
    if (r != 0 || o->scope == PROJECT_STATE)
        return r;
    r = vars_collect(p->config ? c : NULL, o, p, d, err);
    if (r == 0 && p->config)
        r = script_read_build(c, p, d, err);
    if (r == 0 && p->build.command && o->runs_build && d->errors == 0)
        r = build_run(o, p, d, err);
    if (r == 0 && (!p->build.command || o->runs_build || is_file_of(p, o, &s)))
        r = check_main(o, c, &s, p, d, err);
    if (r == 0)
        r = script_read(p->config ? c : NULL, o, p, d, err);
    return r;
}

/* No NULL among the strings. */
static int fill_empty(struct project *p, struct err *err)
{
    char **all[] = {&p->config,
                    &p->shown,
                    &p->main,
                    &p->env_json,
                    &p->secrets_file,
                    &p->env_files,
                    &p->package_files,
                    &p->left_out,
                    &p->compatibility_date,
                    &p->compatibility_flags,
                    &p->deploy.account_id,
                    &p->deploy.settings_json,
                    &p->deploy.required};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!*all[i])
            *all[i] = mem_strdup("");
        if (!*all[i])
            return err_nomem(err);
    }
    return 0;
}

/* The first diagnostic as the caller's error. */
static int fail(const struct diagnostics *d, enum err_code code, struct err *err)
{
    const struct diagnostic *first = diagnostics_first_error(d);
    struct buf line = {0};

    if (!first || diagnostic_print_short(first, &line) < 0) {
        buf_done(&line);
        return err_nomem(err);
    }
    err_set(err, code, "%.*s", SPAN_ARG(buf_span(&line)));
    err_hint(err, "%s", first->hint);
    buf_done(&line);
    return code;
}

/* What links lead to must be watched as well.  A walk that fails is reported when
 * the bundle is made; what it has seen until then counts. */
static void look_for_links(struct project *p)
{
    struct inputs in;
    struct err err = {0};

    p->has_links = inputs_list(p, &in, &err) == ERR_NOMEM || in.has_links;
    inputs_done(&in);
}

int project_load(const struct project_options *options, struct project *ret_project,
                 struct diagnostics *diagnostics, struct err *err)
{
    struct config c = {0};
    struct project *p = ret_project;
    int r;

    *p = (struct project){0};
    r = load(options, p, &c, diagnostics, err);
    if (r == 0)
        r = fill_empty(p, err);
    config_done(&c);
    if (r != ERR_NOMEM && diagnostics->is_short)
        return err_nomem(err);
    if (r == 0 && diagnostics->errors > 0)
        r = ERR_INVALID;
    if ((r == ERR_INVALID || r == ERR_NOT_FOUND) && diagnostics->errors > 0)
        return fail(diagnostics, r, err);
    if (r == 0 && options->scope == PROJECT_WHOLE && p->main[0] && !p->script.is_used)
        look_for_links(p);
    return r;
}

void project_done(struct project *p)
{
    char *all[] = {
        p->folder,   p->config,    p->shown,        p->state_folder,       p->data_folder,
        p->env,      p->name,      p->main,         p->compatibility_date, p->compatibility_flags,
        p->env_json, p->env_files, p->secrets_file, p->package_files,      p->left_out};

    bindings_done(p);
    deploy_done(p);
    script_done(p);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mem_free(all[i]);
    *p = (struct project){0};
}
