/* dev_options.c - walk the command line by tables: what we do, and what wrangler would.
 *
 * wrangler's lists take several values behind one name (--var A:1 B:2): a word
 * behind such a list that is neither an option nor a file is one more value. */
#include "cli/dev_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/foreign.h"
#include "cli/option.h"

static const struct option OPTIONS[] = {
    {"--port", "-p", "PORT", "listen on this port; 0 takes any free one (8787)"},
    {"--ip", NULL, "ADDRESS", "listen on this address (localhost)"},
    {"--var", NULL, "KEY:VALUE", "set a variable; may be repeated"},
    {"--env", "-e", "NAME", "use [env.NAME] of the configuration"},
    {"--env-file", NULL, "FILE", "take secrets from here instead of .dev.vars; may be repeated"},
    {"--config", "-c", "FILE", "use this configuration file"},
    {"--cwd", NULL, "FOLDER", "as if started in this folder"},
    {"--name", NULL, "NAME", "name of the worker"},
    {"--compatibility-date", NULL, "DATE", "behave as on this day"},
    {"--compatibility-flags", NULL, "FLAG", "such as python_workers; may be repeated"},
    {"--persist-to", NULL, "FOLDER", "keep state here (.corral in the project)"},
    {"--request-cf", NULL, "FILE", "what request.cf says of every request: a JSON object"},
    {"--d1-sync", NULL, "HOW",
     "full: D1 survives power cuts too; or normal, which is faster (normal)"},
    {"--guard-fetch", NULL, NULL, "refuse what a node refuses: loopback and private addresses"},
    {"--test-scheduled", NULL, NULL, "/__scheduled?cron=... runs the scheduled handler"},
    {"--log-level", NULL, "LEVEL", "debug, info, warn, error or none (info)"},
    {"--show-interactive-dev-session", NULL, NULL, "=false: no keys in the terminal"},
    {"--help", "-h", NULL, "show this"},
};

#define ORIGIN    "workers see the address that the client asked for"
#define TLS       "TLS is not supported yet"
#define CONTAINER "there are no containers here"

static const struct foreign FOREIGN[] = {
    {{"--compatibility-flag", NULL, "FLAG", NULL},
     FOREIGN_QUIET,
     NULL}, /* of --compatibility-flags */
    {{"--local-protocol", NULL, "PROTOCOL", NULL}, FOREIGN_QUIET, NULL}, /* take_protocol */
    {{"--local", "-l", NULL, NULL}, FOREIGN_QUIET, NULL},
    {{"--live-reload", NULL, NULL, NULL},
     FOREIGN_WARN,
     "reload the page yourself, the new code answers at once"},
    {{"--inspector-port", NULL, "PORT", NULL}, FOREIGN_WARN, "there is no inspector yet"},
    {{"--inspector-ip", NULL, "ADDRESS", NULL}, FOREIGN_WARN, "there is no inspector yet"},
    {{"--routes", "--route", "PATTERN", NULL}, FOREIGN_WARN, ORIGIN},
    {{"--host", NULL, "HOST", NULL}, FOREIGN_WARN, ORIGIN},
    {{"--local-upstream", NULL, "HOST", NULL}, FOREIGN_WARN, ORIGIN},
    {{"--upstream-protocol", NULL, "PROTOCOL", NULL}, FOREIGN_WARN, ORIGIN},
    {{"--enable-containers", NULL, NULL, NULL}, FOREIGN_WARN, CONTAINER},
    {{"--container-engine", NULL, "NAME", NULL}, FOREIGN_WARN, CONTAINER},
    {{"--experimental-vectorize-bind-to-prod", NULL, NULL, NULL}, FOREIGN_WARN, FOREIGN_BINDING},
    {{"--experimental-images-local-mode", NULL, NULL, NULL}, FOREIGN_WARN, FOREIGN_BINDING},
    {{"--experimental-remote-bindings", "--x-remote-bindings", NULL, NULL},
     FOREIGN_WARN,
     FOREIGN_BINDING},
    {{"--https-key-path", NULL, "FILE", NULL}, FOREIGN_REFUSE, TLS},
    {{"--https-cert-path", NULL, "FILE", NULL}, FOREIGN_REFUSE, TLS},
    {{"--remote", "-r", NULL, NULL},
     FOREIGN_REFUSE,
     "workers run on this machine, never on Cloudflare's network"},
};

enum {
    OPTION_COUNT = sizeof OPTIONS / sizeof *OPTIONS,
    FOREIGN_COUNT = sizeof FOREIGN / sizeof *FOREIGN,
};

struct walk {
    struct dev_options *o;
    const char *positional; /* a file or folder, seen from where --cwd leads */
    const char *list;       /* the list whose values may go on, or NULL */
};

static void help(void)
{
    printf("Usage: corral dev [options] [PROJECT]\n\n"
           "Serve the project in the folder PROJECT (this one by default), or the worker\n"
           "whose main file is PROJECT, and reload it when a file changes.\n\n");
    option_print(OPTIONS, OPTION_COUNT);
    option_print(BUNDLING_OPTIONS, BUNDLING_COUNT);
    printf(
        "\nOther options of wrangler dev are known: each is accepted or refused with a reason.\n");
}

static int add(const char *name, const char **list, size_t *count, const char *value,
               struct err *err)
{
    if (*count == DEV_LIST_MAX)
        return err_set(err, ERR_LIMIT, "more than %d %s", DEV_LIST_MAX, name);
    list[(*count)++] = value;
    return 0;
}

/* One more value of a list; ERR_NOT_FOUND: it is no list. */
static int take_list(struct walk *w, const char *name, const char *value, struct err *err)
{
    struct dev_options *o = w->o;
    struct project_options *p = &o->project;

    if (strcmp(name, "--var") == 0)
        return add(name, o->vars, &p->var_count, value, err);
    if (strcmp(name, "--env-file") == 0)
        return add(name, o->env_files, &p->env_file_count, value, err);
    if (strcmp(name, "--compatibility-flags") == 0 || strcmp(name, "--compatibility-flag") == 0)
        return add(name, o->flags, &p->flag_count, value, err);
    if (strcmp(name, "--alias") == 0 || strcmp(name, "--define") == 0) {
        int r =
            bundling_take(&o->bundling, &p->bundling, &(struct option){.name = name}, value, err);
        return r < 0 ? r : 0;
    }
    return ERR_NOT_FOUND;
}

static int take_positional(struct walk *w, const char *value, struct err *err)
{
    struct stat st;

    if (w->list && stat(value, &st) < 0)
        return take_list(w, w->list, value, err);
    w->list = NULL;
    if (w->positional)
        return err_set(err, ERR_INVALID, "one project at a time: '%s' is too much", value);
    w->positional = value;
    return 0;
}

static int take_protocol(const char *value, struct err *err)
{
    if (strcmp(value, "http") == 0)
        return 0;
    if (strcmp(value, "https") != 0)
        return err_set(err, ERR_INVALID, "--local-protocol is http or https, not '%s'", value);
    err_set(err, ERR_INVALID, "--local-protocol https: " TLS);
    return err_hint(err, "Leave it out: browsers trust http://localhost as they do https.");
}

static int take_level(const char *value, struct err *err)
{
    int level = log_level_parse(value);

    if (level < 0)
        return err_set(err, ERR_INVALID,
                       "--log-level is debug, info, warn, error or none, not '%s'", value);
    log_set_level((enum log_level)level);
    return 0;
}

static int take_sync(struct dev_options *o, const char *value, struct err *err)
{
    if (strcmp(value, "full") != 0 && strcmp(value, "normal") != 0)
        return err_set(err, ERR_INVALID, "--d1-sync is full or normal, not '%s'", value);
    o->has_full_sync = strcmp(value, "full") == 0;
    return 0;
}

static int take_own(struct walk *w, const char *name, const char *value, struct err *err)
{
    struct dev_options *o = w->o;
    const struct {
        const char *name;
        const char **to;
    } TEXTS[] = {{"--ip", &o->ip},
                 {"--env", &o->project.env},
                 {"--config", &o->project.config},
                 {"--name", &o->project.name},
                 {"--compatibility-date", &o->project.compatibility_date},
                 {"--persist-to", &o->project.state_folder},
                 {"--request-cf", &o->request_cf}};

    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (strcmp(name, TEXTS[i].name) == 0) {
            *TEXTS[i].to = value;
            return 0;
        }
    }
    if (strcmp(name, "--help") == 0) {
        help();
        exit(0);
    }
    if (strcmp(name, "--port") == 0)
        return option_number(name, value, 0, 65535, &o->port, err);
    if (strcmp(name, "--log-level") == 0)
        return take_level(value, err);
    if (strcmp(name, "--d1-sync") == 0)
        return take_sync(o, value, err);
    if (strcmp(name, "--cwd") == 0)
        return value[0] && chdir(value) < 0 ? err_errno(err, errno, "--cwd '%s'", value) : 0;
    if (strcmp(name, "--show-interactive-dev-session") == 0)
        o->has_keys = option_is_on(value);
    if (strcmp(name, "--guard-fetch") == 0)
        o->guards_fetch = option_is_on(value);
    if (strcmp(name, "--test-scheduled") == 0)
        o->tests_scheduled = option_is_on(value);
    return 0;
}

static int take_option(void *self, const struct option *option, const char *value, struct err *err)
{
    struct walk *w = self;
    int r;

    if (!option)
        return take_positional(w, value, err);
    r = take_list(w, option->name, value, err);
    w->list = r == ERR_NOT_FOUND ? NULL : option->name;
    if (r != ERR_NOT_FOUND)
        return r;
    if (strcmp(option->name, "--local-protocol") == 0)
        return take_protocol(value, err);
    r = bundling_take(&w->o->bundling, &w->o->project.bundling, option, value, err);
    if (r == 0)
        r = foreign_take(FOREIGN, FOREIGN_COUNT, option, value, err);
    if (r == 0)
        r = foreign_take(FOREIGN_SHARED, FOREIGN_SHARED_COUNT, option, value, err);
    if (r != 0)
        return r < 0 ? r : 0;
    return take_own(w, option->name, value, err);
}

static int place_positional(struct walk *w, struct err *err)
{
    struct stat st;

    if (!w->positional)
        return 0;
    if (stat(w->positional, &st) < 0)
        return err_errno(err, errno, "project '%s'", w->positional);
    if (S_ISDIR(st.st_mode))
        w->o->project.folder = w->positional;
    else
        w->o->project.entry = w->positional;
    return 0;
}

int dev_options_parse(struct dev_options *ret_options, char **args, struct err *err)
{
    struct option table[OPTION_COUNT + BUNDLING_COUNT + FOREIGN_COUNT + FOREIGN_SHARED_COUNT + 1] =
        {0};
    const size_t own = OPTION_COUNT + BUNDLING_COUNT;
    struct dev_options *o = ret_options;
    struct walk w = {.o = o};
    int r;

    *o = (struct dev_options){.ip = "localhost", .port = 8787, .has_keys = true};
    o->project.vars = o->vars;
    o->project.env_files = o->env_files;
    o->project.flags = o->flags;
    memcpy(table, OPTIONS, sizeof OPTIONS);
    memcpy(table + OPTION_COUNT, BUNDLING_OPTIONS, sizeof BUNDLING_OPTIONS);
    foreign_options(FOREIGN, FOREIGN_COUNT, table + own);
    foreign_options(FOREIGN_SHARED, FOREIGN_SHARED_COUNT, table + own + FOREIGN_COUNT);
    r = option_parse(table, args, take_option, &w, err);
    return r < 0 ? r : place_positional(&w, err);
}
