/* d1.c - find the command of `corral d1`, read its command line, its project and its database. */
#include "cli/d1.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/node.h"
#include "text/nearest.h"
#include "text/value.h"

static const struct command COMMANDS[] = {
    {"create", "create NAME", "make a database, and show what to configure", d1_create},
    {"list", "list", "show the databases that there are", d1_list},
    {"info", "info NAME", "show one: its uuid, size and tables", d1_info},
    {"delete", "delete NAME", "delete one with all that is in it", d1_delete},
    {"execute", "execute NAME", "run SQL from the command line or a file", d1_execute},
    {"export", "export NAME", "write one as SQL text", d1_export},
    {"migrations", "migrations ...", "create, list and apply files of SQL in order", d1_migrations},
    {.name = "time-travel"},
    {.name = "insights"},
    {0},
};

static const struct option SHARED[] = {
    {"--env", "-e", "NAME", "use [env.NAME] of the configuration"},
    {"--config", "-c", "FILE", "use this configuration file"},
    {"--cwd", NULL, "FOLDER", "as if started in this folder"},
    {"--persist-to", NULL, "FOLDER", "where databases are kept (.corral/state in the project)"},
    {"--local", NULL, NULL, "on this machine, which is so unless --remote says otherwise"},
    {"--remote", NULL, NULL, "on the node that `corral login` knows"},
    {"--help", "-h", NULL, "show this"},
    {"--env-file", NULL, "FILE", NULL},   /* of wrangler: secrets, which nothing here needs */
    {"--json", NULL, NULL, "write JSON"}, /* the last: only where there is something to write */
};

enum { SHARED_COUNT = sizeof SHARED / sizeof *SHARED, OWN_MAX = 24 };

int d1_command(char **args)
{
    static const struct commands ALL = {
        "corral d1", "D1 databases of this machine, or of a node: SQLite with Cloudflare's API.",
        COMMANDS};

    return commands_run(&ALL, args);
}

/* ---- the command line ---- */

struct walk {
    const struct d1_spec *spec;
    void *self;
    struct d1 *d1;
    size_t words;
    const char *cwd;
    const struct option *table; /* of all options */
    uint64_t given;             /* which of them there were, a bit each */
    const struct option *list;  /* whose values may go on, or NULL */
    bool is_remote, wants_help;
};

static int take_word(struct walk *w, const char *word, struct err *err)
{
    if (w->words == D1_WORDS_MAX || !w->spec->words[w->words]) {
        if (w->list)
            return w->spec->take(w->self, w->list, word, err);
        err_set(err, ERR_INVALID, "'%.64s' is too much: corral d1 %s", word, w->spec->usage);
        return err_hint(err, "A name with spaces in it needs quotes.");
    }
    if (!word[0])
        return err_set(err, ERR_INVALID, "%s must not be empty: corral d1 %s",
                       w->spec->words[w->words], w->spec->usage);
    w->d1->words[w->words++] = word;
    return 0;
}

/* wrangler refuses a second value, too: which of them is meant? */
static int check_single(struct walk *w, const struct option *option, struct err *err)
{
    uint64_t bit = (uint64_t)1 << (option - w->table);
    bool is_list = w->spec->list && strcmp(option->name, w->spec->list) == 0;
    bool is_again = w->given & bit;

    w->list = is_list ? option : NULL;
    w->given |= bit;
    if (!is_again || is_list || !option->argument || strcmp(option->name, "--env-file") == 0)
        return 0;
    return err_set(err, ERR_INVALID, "%s takes one value, and stands there twice", option->name);
}

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct walk *w = self;
    struct d1 *d1 = w->d1;
    const struct {
        const char *name;
        const char **to;
    } TEXTS[] = {{"--env", &d1->options.env},
                 {"--config", &d1->options.config},
                 {"--cwd", &w->cwd},
                 {"--persist-to", &d1->options.state_folder}};
    const struct {
        const char *name;
        bool *to;
    } SWITCHES[] = {
        {"--json", &d1->is_json}, {"--remote", &w->is_remote}, {"--help", &w->wants_help}};

    if (!option)
        return take_word(w, value, err);
    if (check_single(w, option, err) < 0)
        return err->code;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (strcmp(option->name, TEXTS[i].name) == 0) {
            *TEXTS[i].to = value;
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof SWITCHES / sizeof *SWITCHES; i++) {
        if (strcmp(option->name, SWITCHES[i].name) == 0) {
            *SWITCHES[i].to = option_is_on(value);
            return 0;
        }
    }
    for (size_t i = 0; i < SHARED_COUNT; i++)
        if (strcmp(option->name, SHARED[i].name) == 0)
            return 0; /* --local, --env-file */
    return w->spec->take(w->self, option, value, err);
}

/* The command's own options, then those of all. */
static size_t join_options(const struct d1_spec *spec, struct option *table)
{
    size_t own = 0, shared = spec->has_json ? SHARED_COUNT : SHARED_COUNT - 1;

    while (spec->options && spec->options[own].name && own < OWN_MAX) {
        table[own] = spec->options[own];
        own++;
    }
    memcpy(table + own, SHARED, shared * sizeof *SHARED);
    return own + shared;
}

static int parse(struct walk *w, char **args, struct err *err)
{
    struct option table[OWN_MAX + SHARED_COUNT + 1] = {0};
    size_t count = join_options(w->spec, table);
    int r;

    for (char **at = args; *at && strcmp(*at, "--") != 0; at++)
        w->wants_help = w->wants_help || strcmp(*at, "--help") == 0 || strcmp(*at, "-h") == 0;
    if (w->wants_help) {
        printf("Usage: corral d1 %s [options]\n\n%s\n", w->spec->usage, w->spec->about);
        option_print(table, count);
        return 0;
    }
    w->table = table;
    r = option_parse(table, args, take, w, err);
    if (r < 0)
        return r;
    if (w->words < D1_WORDS_MAX && w->spec->words[w->words])
        return err_set(err, ERR_INVALID, "%s is missing: corral d1 %s", w->spec->words[w->words],
                       w->spec->usage);
    if (w->cwd && w->cwd[0] && chdir(w->cwd) < 0)
        return err_errno(err, errno, "--cwd '%s'", w->cwd);
    return 0;
}

static int load(struct d1 *d1, bool is_silent, struct err *err)
{
    struct diagnostics said = {0};
    struct buf text = {0};
    int r;

    value_init();
    d1->options.scope = PROJECT_STATE;
    d1->options.worker_program = d1->worker_program;
    r = node_find_worker(d1->worker_program, err);
    if (r < 0)
        return r;
    r = project_load(&d1->options, &d1->project, &said, err);
    if ((said.errors > 0 || !is_silent) && diagnostics_print(&said, &text) == 0)
        fprintf(stderr, "%.*s", SPAN_ARG(buf_span(&text)));
    if (r < 0 && said.errors > 0)
        err->text[0] = '\0';
    buf_done(&text);
    diagnostics_done(&said);
    return r;
}

int d1_begin(const struct d1_spec *spec, char **args, void *self, struct d1 *ret)
{
    struct walk w = {.spec = spec, .self = self, .d1 = ret};
    struct err err = {0};

    *ret = (struct d1){0};
    if (parse(&w, args, &err) < 0)
        return cli_fail(&err, 2);
    if (w.wants_help)
        return 0;
    ret->is_remote = w.is_remote && !spec->is_local;
    if (load(ret, spec->is_silent, &err) == 0)
        return D1_GO;
    d1_end(ret);
    return err.text[0] ? cli_fail(&err, 1) : 1;
}

void d1_end(struct d1 *d1)
{
    project_done(&d1->project);
}

/* ---- the database ---- */

static const struct project_database *find_configured(const struct project *p, const char *word)
{
    for (size_t i = 0; i < p->database_count; i++)
        if (strcmp(p->databases[i].name, word) == 0)
            return &p->databases[i];
    for (size_t i = 0; i < p->database_count; i++)
        if (strcmp(p->databases[i].binding, word) == 0)
            return &p->databases[i];
    for (size_t i = 0; i < p->database_count; i++)
        if (strcasecmp(p->databases[i].id, word) == 0)
            return &p->databases[i];
    return NULL;
}

static int report_unknown(const struct d1 *d1, const char *word, struct err *err)
{
    struct databases all = {0};
    struct err ignored;
    struct nearest near;

    nearest_init(&near, word);
    for (size_t i = 0; i < d1->project.database_count; i++) {
        nearest_try(&near, d1->project.databases[i].name);
        nearest_try(&near, d1->project.databases[i].binding);
    }
    if (database_list(d1->project.data_folder, &all, &ignored) == 0)
        for (size_t i = 0; i < all.count; i++)
            nearest_try(&near, all.items[i].name);
    err_set(err, ERR_NOT_FOUND, "there is no database '%s'", word);
    if (near.best)
        err_hint(err, "Did you mean '%s'?", near.best);
    else
        err_hint(err, "`corral d1 list` shows those there are, `corral d1 create NAME` makes one.");
    databases_done(&all);
    return ERR_NOT_FOUND;
}

int d1_target(const struct d1 *d1, const char *word, struct d1_target *ret, struct err *err)
{
    const char *data = d1->project.data_folder;
    struct database found;
    int r;

    *ret = (struct d1_target){.configured = find_configured(&d1->project, word)};
    if (ret->configured) {
        ret->name = mem_strdup(ret->configured->name);
        if (!ret->name)
            return err_nomem(err);
        r = database_folder(data, ret->name, &ret->folder, err);
        if (r < 0)
            d1_target_done(ret);
        return r;
    }
    r = database_find(data, word, &found, err);
    if (r == ERR_NOT_FOUND)
        return report_unknown(d1, word, err);
    if (r < 0)
        return r;
    ret->name = found.name;
    ret->folder = found.folder;
    found.name = found.folder = NULL;
    database_done(&found);
    return 0;
}

void d1_target_done(struct d1_target *target)
{
    mem_free(target->name);
    mem_free(target->folder);
    *target = (struct d1_target){0};
}

int d1_find(const struct d1 *d1, const char *word, struct database *ret, struct err *err)
{
    struct d1_target target;
    int r = d1_target(d1, word, &target, err);

    if (r < 0)
        return r;
    r = database_find(d1->project.data_folder, target.name, ret, err);
    if (r == ERR_NOT_FOUND && target.configured) {
        err_set(err, ERR_NOT_FOUND, "the database '%s' (env.%s) is configured, but not made yet",
                target.name, target.configured->binding);
        err_hint(err, "Its first use makes it, or `corral d1 create`.");
    }
    d1_target_done(&target);
    return r;
}
