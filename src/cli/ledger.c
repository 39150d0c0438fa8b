/* ledger.c - see ledger.h. */
#include "cli/ledger.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/table.h"

static const struct option SHARED[] = {
    {"--data", "-d", "FOLDER", "the node's data folder; made when it is not there (required)"},
    {"--help", "-h", NULL, "show this"},
    {"--json", NULL, NULL, "write JSON"}, /* the last: only where there is something to write */
};

enum { SHARED_COUNT = sizeof SHARED / sizeof *SHARED };

struct walk {
    const struct ledger_spec *spec;
    struct ledger *ledger;
    bool wants_help;
};

static int take_once(const char **to, const struct option *option, const char *value,
                     struct err *err)
{
    if (*to)
        return err_set(err, ERR_INVALID, "%s takes one value, and stands there twice",
                       option->name);
    if (!value[0])
        return err_set(err, ERR_INVALID, "%s must not be empty", option->name);
    *to = value;
    return 0;
}

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct walk *w = self;

    if (!option && (!w->spec->word || w->ledger->word))
        return err_set(err, ERR_INVALID, "'%.64s' is too much: corral %s", value, w->spec->usage);
    if (!option) {
        w->ledger->word = value;
        return 0;
    }
    for (size_t i = 0; w->spec->options && w->spec->options[i].name; i++)
        if (strcmp(option->name, w->spec->options[i].name) == 0)
            return take_once(&w->ledger->values[i], option, value, err);
    if (strcmp(option->name, "--data") == 0)
        return take_once(&w->ledger->data, option, value, err);
    if (strcmp(option->name, "--json") == 0)
        w->ledger->is_json = option_is_on(value);
    if (strcmp(option->name, "--help") == 0)
        w->wants_help = w->wants_help || option_is_on(value);
    return 0;
}

static int parse(struct walk *w, char **args, struct err *err)
{
    struct option table[LEDGER_OPTIONS_MAX + SHARED_COUNT + 1] = {0};
    size_t shared = w->spec->has_json ? SHARED_COUNT : SHARED_COUNT - 1, own = 0;
    int r;

    for (; w->spec->options && w->spec->options[own].name; own++)
        table[own] = w->spec->options[own];
    memcpy(table + own, SHARED, shared * sizeof *SHARED);
    for (char **at = args; *at && strcmp(*at, "--") != 0; at++)
        w->wants_help = w->wants_help || strcmp(*at, "--help") == 0 || strcmp(*at, "-h") == 0;
    if (w->wants_help) {
        printf("Usage: corral %s --data FOLDER [options]\n\n%s\n", w->spec->usage, w->spec->about);
        option_print(table, own + shared);
        return 0;
    }
    r = option_parse(table, args, take, w, err);
    if (r == 0 && w->spec->word && !w->ledger->word)
        r = err_set(err, ERR_INVALID, "%s is missing: corral %s --data FOLDER", w->spec->word,
                    w->spec->usage);
    if (r == 0 && !w->ledger->data) {
        err_set(err, ERR_INVALID, "no data folder was named");
        r = err_hint(err, "Say --data FOLDER: the one of `corral serve`.");
    }
    return r;
}

int ledger_begin(const struct ledger_spec *spec, char **args, struct ledger *ret)
{
    struct walk w = {.spec = spec, .ledger = ret};
    struct err err = {0};

    *ret = (struct ledger){.spec = spec};
    if (parse(&w, args, &err) < 0)
        return cli_fail(&err, 2);
    return w.wants_help ? 0 : LEDGER_GO;
}

int ledger_open(const struct ledger *ledger, struct catalog **ret_catalog, struct err *err)
{
    struct catalog_config config = {.data_folder = ledger->data, .has_no_key = true};
    char file[PATH_MAX];

    if (!ledger->spec->may_make) {
        snprintf(file, sizeof file, "%s/catalog.sqlite", ledger->data);
        if (access(file, F_OK) < 0 && errno == ENOENT) {
            err_set(err, ERR_NOT_FOUND, "'%s' is not the data folder of a node", ledger->data);
            return err_hint(err, "`corral serve` makes one, `corral token create` does, too.");
        }
    }
    return catalog_open(&config, ret_catalog, err);
}

int ledger_table(const struct span *cells, size_t columns, size_t rows, struct err *err)
{
    struct buf out = {0};
    int r = table_print(&out, table_look(), cells, columns, rows);

    if (r == 0)
        printf("%.*s", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    return r < 0 ? err_nomem(err) : 0;
}

void ledger_time(int64_t ms, char out[LEDGER_TIME])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    if (strftime(out, LEDGER_TIME, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        out[0] = '\0';
}
