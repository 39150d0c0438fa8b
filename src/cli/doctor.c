/* doctor.c - `corral doctor`: what a node finds on this machine, what keeps workers in, what needs
 * hands.
 *
 * Exit code: 0 all is well; 1 something needs hands; 2 a wrong command line. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/option.h"
#include "cli/report.h"
#include "project/server.h"

static const struct option OPTIONS[] = {
    {"--data", "-d", "FOLDER", "look at this data folder of a node, too"},
    {"--config", "-c", "FILE", "take the folder and [box] from this corral.toml"},
    {"--accept-box", NULL, "GRADE", "what `corral serve` is told about strangers, if it is"},
    {"--json", NULL, NULL, "write JSON"},
    {"--help", "-h", NULL, "show this"},
    {0},
};
enum { OPTION_COUNT = sizeof OPTIONS / sizeof *OPTIONS - 1 };

struct walk {
    const char *data, *config, *accept, *uids;
    bool is_json, wants_help;
};

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct walk *w = self;
    const struct {
        const char *name;
        const char **to;
    } TEXTS[] = {{"--data", &w->data}, {"--config", &w->config}, {"--accept-box", &w->accept}};

    if (!option)
        return err_set(err, ERR_INVALID, "'%.64s' is too much: corral doctor takes options only",
                       value);
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (strcmp(option->name, TEXTS[i].name) != 0)
            continue;
        if (*TEXTS[i].to || !value[0])
            return err_set(err, ERR_INVALID, "%s takes one value", option->name);
        *TEXTS[i].to = value;
    }
    if (strcmp(option->name, "--json") == 0)
        w->is_json = option_is_on(value);
    if (strcmp(option->name, "--help") == 0)
        w->wants_help = w->wants_help || option_is_on(value);
    return 0;
}

/* What the file says, where the command line says nothing. */
static int read_config(struct walk *w, struct server *server, struct err *err)
{
    struct diagnostics said = {0};
    struct node_programs programs;
    int r = node_find_programs(&programs, err);

    r = r < 0 ? r : server_read(server, w->config, programs.worker, &said, err);
    node_say_diagnostics(&said);
    if (r < 0 && said.errors > 0)
        r = err_set(err, ERR_INVALID, "'%.200s' cannot be used", w->config);
    diagnostics_done(&said);
    if (r < 0)
        return r;
    w->data = w->data ? w->data : server->data;
    w->accept = w->accept ? w->accept : server->accept_box;
    w->uids = server->box_uids;
    return 0;
}

static int examine(const struct walk *w, struct err *err)
{
    const struct box_tier *tier = node_box(err);
    struct report report;
    int r = tier ? report_init(&report, err) : err->code;

    if (r < 0)
        return r;
    report.tier = *tier;
    report_host(&report);
    report_programs(&report);
    report_box(&report);
    report_uids(&report, w->uids);
    report_data(&report, w->data, w->accept);
    report_set(&report, "ok", json_boolean(report.problems == 0));
    if (report.is_short)
        r = err_nomem(err);
    else if (w->is_json)
        r = cli_print_json(json_incref(report.json), err);
    else
        report_print(&report);
    r = r < 0 ? r : report.problems > 0;
    report_done(&report);
    return r;
}

int doctor_command(char **args)
{
    struct server server;
    struct walk w = {0};
    struct err err = {0};
    int r = option_parse(OPTIONS, args, take, &w, &err);

    if (r < 0)
        return cli_fail(&err, 2);
    if (w.wants_help) {
        printf("Usage: corral doctor [options]\n\n"
               "Look at this machine as a node would: its programs, what keeps workers apart, and "
               "what is in the way.\n"
               "Exit code: 0 all is well, 1 something needs hands.\n\n");
        option_print(OPTIONS, OPTION_COUNT);
        return 0;
    }
    /* Before anything that may start a thread. */
    if (!node_box(&err))
        return cli_fail(&err, 2);
    server_init(&server);
    r = w.config ? read_config(&w, &server, &err) : 0;
    r = r < 0 ? r : examine(&w, &err);
    server_done(&server);
    return r < 0 ? cli_fail(&err, r == ERR_INVALID ? 2 : 1) : r;
}
