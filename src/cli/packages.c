/* packages.c - find the command of `corral packages`, read its command line, run the packager. */
#include "cli/packages.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/node.h"
#include "packages/packages.h"
#include "text/value.h"

static const struct command COMMANDS[] = {
    {"list", "list [SET]", "show the package sets, or what is in one", packages_list},
    {"info", "info NAME", "show what the sets know of a package", packages_info},
    {"sync", "sync [WHAT]", "make or renew a package set: Debian's, or that of a date",
     packages_sync},
    {"lock", "lock", "write a project's pylock.toml", packages_lock},
    {0},
};

static const struct option SHARED[] = {
    {"--json", NULL, NULL, "write JSON"},
    {"--help", "-h", NULL, "show this"},
};

enum { SHARED_COUNT = sizeof SHARED / sizeof *SHARED, OWN_MAX = 8 };

int packages_command(char **args)
{
    static const struct commands ALL = {
        "corral packages",
        "Python packages that workers have built in: sets of them, by compatibility date.",
        COMMANDS};

    return commands_run(&ALL, args);
}

/* ---- the command line ---- */

struct walk {
    const struct packages_spec *spec;
    struct packages_line *line;
    const char *cwd;
};

static int take_word(struct walk *w, const char *word, struct err *err)
{
    if (!w->spec->word || w->line->word)
        return err_set(err, ERR_INVALID, "'%.64s' is too much: corral packages %s", word,
                       w->spec->usage);
    if (!word[0])
        return err_set(err, ERR_INVALID, "%s must not be empty: corral packages %s", w->spec->word,
                       w->spec->usage);
    w->line->word = word;
    return 0;
}

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct walk *w = self;
    const struct {
        const char *name;
        const char **to;
    } TEXTS[] = {{"--index-url", &w->line->index_url},
                 {"--lock", &w->line->lock},
                 {"--config", &w->line->config},
                 {"--env", &w->line->env},
                 {"--cwd", &w->cwd}};

    if (!option)
        return take_word(w, value, err);
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (strcmp(option->name, TEXTS[i].name) != 0)
            continue;
        if (*TEXTS[i].to)
            return err_set(err, ERR_INVALID, "%s takes one value, and stands there twice",
                           option->name);
        if (!value[0])
            return err_set(err, ERR_INVALID, "%s must not be empty", option->name);
        *TEXTS[i].to = value;
    }
    if (strcmp(option->name, "--json") == 0)
        w->line->is_json = option_is_on(value);
    return 0;
}

/* The command's own options, then those of all. */
static size_t join_options(const struct packages_spec *spec, struct option *table)
{
    size_t own = 0;

    for (; spec->options && spec->options[own].name && own < OWN_MAX; own++)
        table[own] = spec->options[own];
    memcpy(table + own, SHARED, sizeof SHARED);
    return own + SHARED_COUNT;
}

static bool wants_help(char **args)
{
    for (; *args && strcmp(*args, "--") != 0; args++)
        if (strcmp(*args, "--help") == 0 || strcmp(*args, "-h") == 0)
            return true;
    return false;
}

int packages_begin(const struct packages_spec *spec, char **args, struct packages_line *ret)
{
    struct option table[OWN_MAX + SHARED_COUNT + 1] = {0};
    size_t count = join_options(spec, table);
    struct walk w = {.spec = spec, .line = ret};
    struct err err = {0};
    int r;

    *ret = (struct packages_line){0};
    if (wants_help(args)) {
        printf("Usage: corral packages %s [options]\n\n%s\n", spec->usage, spec->about);
        option_print(table, count);
        return 0;
    }
    r = option_parse(table, args, take, &w, &err);
    if (r == 0 && spec->is_word_needed && !ret->word)
        r = err_set(&err, ERR_INVALID, "%s is missing: corral packages %s", spec->word,
                    spec->usage);
    if (r == 0 && w.cwd && chdir(w.cwd) < 0)
        r = err_errno(&err, errno, "--cwd '%s'", w.cwd);
    return r < 0 ? cli_fail(&err, 2) : PACKAGES_GO;
}

/* ---- the packager ---- */

static const char *text_of(json_t *said, const char *key)
{
    const char *text = json_string_value(json_object_get(said, key));

    return text ? text : "";
}

/* "requirements.txt:3: TEXT", the hint below it; what somebody else said at length before it. */
static void print_problem(const char *kind, json_t *said)
{
    const char *file = text_of(said, "file"), *hint = text_of(said, "hint");
    const char *detail = text_of(said, "detail");
    json_int_t line = json_integer_value(json_object_get(said, "line"));

    if (detail[0])
        fprintf(stderr, "%s%s", detail, detail[strlen(detail) - 1] == '\n' ? "" : "\n");
    fprintf(stderr, "%s: ", kind);
    if (file[0] && line > 0)
        fprintf(stderr, "%s:%" JSON_INTEGER_FORMAT ": ", file, line);
    fprintf(stderr, "%s\n", text_of(said, "text"));
    if (hint[0])
        fprintf(stderr, "  %s\n", hint);
}

static void tell_progress(void *self, const char *line)
{
    (void)self;
    fprintf(stderr, "%s\n", line);
}

static void tell_warning(void *self, json_t *warning)
{
    (void)self;
    print_problem("warning", warning);
}

int packages_ask(json_t *take_job, json_t **ret_done)
{
    struct packages_run run = {.job = take_job, .progress = tell_progress, .warning = tell_warning};
    char program[PROGRAM_PATH_MAX], *home = NULL;
    struct err err = {0};
    json_t *answer = NULL;
    int r;

    *ret_done = NULL;
    r = take_job ? packages_home(&home, &err) : err_nomem(&err);
    if (r == 0 && json_object_set_new(take_job, "home", json_string(home)) < 0)
        r = err_set(&err, ERR_INVALID, "the path '%s' is no UTF-8", home);
    if (r == 0)
        r = node_find_worker(program, &err);
    if (r == 0) {
        run.worker_program = program;
        r = packages_run(&run, &answer, &err);
    }
    mem_free(home);
    json_decref(take_job);
    if (r == 0) {
        *ret_done = answer;
        return 0;
    }
    if (answer)
        print_problem("corral", answer);
    else
        cli_fail(&err, 1);
    json_decref(answer);
    return -1;
}
