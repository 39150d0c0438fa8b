/* deploy_options.c - see deploy_options.h. */
#include "cli/deploy_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/foreign.h"

static const struct option SHARED[] = {
    {"--var", NULL, "KEY:VALUE", "set a variable; may be repeated"},
    {"--compatibility-date", NULL, "DATE", "behave as on this day"},
    {"--compatibility-flags", "--compatibility-flag", "FLAG",
     "such as python_workers; may be repeated"},
    {"--keep-vars", NULL, NULL, "leave variables alone that were set elsewhere"},
    {"--secrets-file", NULL, "FILE", "give it these secrets, too: JSON or NAME=value lines"},
    {"--message", "-m", "TEXT", "what this version is, for `corral versions list`"},
    {"--tag", NULL, "TEXT", "a short name for this version"},
    {"--outdir", NULL, "FOLDER", "put a copy of the uploaded files there"},
    {"--dry-run", NULL, NULL, "say what would be uploaded; ask no node"},
};

static const struct option LIVE[] = {
    {"--triggers", "--schedule", "CRON", "cron expressions in place of the configuration's"},
    {"--schedules", NULL, "CRON", NULL},
    {"--routes", "--route", "PATTERN", "routes in place of the configuration's"},
    {"--domains", "--domain", "HOST", "custom domains, beside the routes"},
};

#define CONTAINER "there are no containers here"

static const struct foreign FOREIGN[] = {
    {{"--strict", NULL, NULL, NULL}, FOREIGN_QUIET, NULL}, /* nothing else edits a worker here */
    {{"--autoconfig", "--x-autoconfig", NULL, NULL}, FOREIGN_QUIET, NULL},
    {{"--experimental-deploy-remote-diff-check", NULL, NULL, NULL}, FOREIGN_QUIET, NULL},
    {{"--logpush", NULL, NULL, NULL}, FOREIGN_WARN, "there is `corral tail`"},
    {{"--old-asset-ttl", NULL, "SECONDS", NULL}, FOREIGN_WARN, FOREIGN_ASSETS},
    {{"--containers-rollout", NULL, "HOW", NULL}, FOREIGN_WARN, CONTAINER},
    {{"--preview-alias", NULL, "NAME", NULL}, FOREIGN_WARN, "there are no preview addresses yet"},
    {{"--dispatch-namespace", NULL, "NAME", NULL},
     FOREIGN_REFUSE,
     "there are no dispatch namespaces"},
    {{"--temporary", NULL, NULL, NULL},
     FOREIGN_REFUSE,
     "a node knows accounts that were made there"},
};

enum {
    SHARED_COUNT = sizeof SHARED / sizeof *SHARED,
    LIVE_COUNT = sizeof LIVE / sizeof *LIVE,
    FOREIGN_COUNT = sizeof FOREIGN / sizeof *FOREIGN,
};
_Static_assert(SHARED_COUNT + LIVE_COUNT + FOREIGN_COUNT + FOREIGN_SHARED_COUNT + BUNDLING_COUNT <=
                   DEPLOY_OPTIONS_MAX,
               "the table holds all");

const char *const DEPLOY_LISTS[] = {"--var",      "--compatibility-flags",
                                    "--triggers", "--schedules",
                                    "--routes",   "--domains",
                                    "--alias",    "--define",
                                    NULL};

void deploy_options_table(enum deploy_kind kind, struct option table[DEPLOY_OPTIONS_MAX + 1])
{
    size_t n = SHARED_COUNT;

    memset(table, 0, (DEPLOY_OPTIONS_MAX + 1) * sizeof *table);
    memcpy(table, SHARED, sizeof SHARED);
    if (kind == DEPLOY_LIVE) {
        memcpy(table + n, LIVE, sizeof LIVE);
        n += LIVE_COUNT;
    }
    memcpy(table + n, BUNDLING_OPTIONS, sizeof BUNDLING_OPTIONS);
    n += BUNDLING_COUNT;
    n += foreign_options(FOREIGN, FOREIGN_COUNT, table + n);
    foreign_options(FOREIGN_SHARED, FOREIGN_SHARED_COUNT, table + n);
}

static int add(struct deploy_list *list, const char *name, const char *value, struct err *err)
{
    if (list->count == DEPLOY_LIST_MAX)
        return err_set(err, ERR_LIMIT, "more than %d %s", DEPLOY_LIST_MAX, name);
    list->items[list->count++] = value;
    return 0;
}

int deploy_options_take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct deploy_options *o = self;
    const struct {
        const char *name;
        struct deploy_list *to;
    } LISTS[] = {{"--var", &o->vars},       {"--compatibility-flags", &o->flags},
                 {"--triggers", &o->crons}, {"--schedules", &o->crons},
                 {"--routes", &o->routes},  {"--domains", &o->domains}};
    const struct {
        const char *name;
        const char **to;
    } TEXTS[] = {{"--compatibility-date", &o->date},
                 {"--secrets-file", &o->wish.secrets_file},
                 {"--message", &o->wish.message},
                 {"--tag", &o->wish.tag},
                 {"--outdir", &o->wish.outdir}};
    int r;

    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++)
        if (strcmp(option->name, LISTS[i].name) == 0)
            return add(LISTS[i].to, option->name, value, err);
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (strcmp(option->name, TEXTS[i].name) == 0) {
            *TEXTS[i].to = value;
            return 0;
        }
    }
    if (strcmp(option->name, "--keep-vars") == 0)
        o->wish.keeps_vars = option_is_on(value);
    if (strcmp(option->name, "--dry-run") == 0)
        o->is_dry = option_is_on(value);
    r = bundling_take(&o->bundling, &o->bundling_wish, option, value, err);
    if (r == 0)
        r = foreign_take(FOREIGN, FOREIGN_COUNT, option, value, err);
    if (r == 0)
        r = foreign_take(FOREIGN_SHARED, FOREIGN_SHARED_COUNT, option, value, err);
    return r < 0 ? r : 0;
}

static int apply(struct deploy_options *o, struct remote *r, struct err *err)
{
    const char *word = r->words[0];
    struct stat st;

    r->options.vars = o->vars.items;
    r->options.var_count = o->vars.count;
    r->options.flags = o->flags.items;
    r->options.flag_count = o->flags.count;
    r->options.compatibility_date = o->date;
    r->options.bundling = o->bundling_wish;
    if (!word)
        return 0;
    if (stat(word, &st) < 0)
        return err_errno(err, errno, "project '%s'", word);
    if (S_ISDIR(st.st_mode))
        r->options.folder = word;
    else
        r->options.entry = word;
    return 0;
}

int deploy_options_pack(struct deploy_options *o, struct remote *r, struct parcel *ret,
                        struct err *err)
{
    int code = apply(o, r, err);

    if (code == 0)
        code = remote_load(r, err);
    if (code == 0)
        code = parcel_make(r, &o->wish, ret, err);
    if (code == 0) {
        parcel_print_size(ret);
        fflush(stdout);
    }
    return code;
}
