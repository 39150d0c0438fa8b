/* deployments.c - `corral deployments list|status`: which versions answered when. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/history.h"
#include "cli/remote.h"

static int list(struct remote *r, void *unused, struct err *err)
{
    json_t *all, *one;
    struct buf out = {0};
    size_t i;
    int code = history_deployments(r, &all, err);

    (void)unused;
    if (code < 0)
        return code;
    if (r->is_json)
        return cli_print_json(all, err);
    json_array_foreach(all, i, one)
    {
        if (code == 0 && i > 0 && buf_print(&out, "\n") < 0)
            code = err_nomem(err);
        if (code == 0)
            code = history_put_deployment(r, one, &out, err);
    }
    if (code == 0)
        printf("%.*s", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    json_decref(all);
    return code;
}

static int status(struct remote *r, void *unused, struct err *err)
{
    json_t *all, *latest;
    struct buf out = {0};
    int code = history_deployments(r, &all, err);

    (void)unused;
    if (code < 0)
        return code;
    latest = json_array_get(all, json_array_size(all) - 1);
    if (!latest) {
        code = err_set(err, ERR_NOT_FOUND, "the worker '%s' has no deployments", r->name);
    } else if (r->is_json) {
        code = cli_print_json(json_incref(latest), err);
    } else {
        code = history_put_deployment(r, latest, &out, err);
        if (code == 0)
            printf("%.*s", SPAN_ARG(buf_span(&out)));
    }
    buf_done(&out);
    json_decref(all);
    return code;
}

static int deployments_list(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "deployments list",
        .about = "Show the ten newest deployments of a worker, the oldest of them first.\n",
        .need = REMOTE_WORKER,
        .has_json = true,
    };

    return remote_run(&SPEC, args, NULL, list);
}

static int deployments_status(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "deployments status",
        .about = "Show what answers now.\n",
        .need = REMOTE_WORKER,
        .has_json = true,
    };

    return remote_run(&SPEC, args, NULL, status);
}

int deployments_command(char **args)
{
    static const struct command COMMANDS[] = {
        {"list", "list", "show the newest ones", deployments_list},
        {"status", "status", "show what answers now", deployments_status},
        {"view", NULL, NULL, NULL},
        {0},
    };
    static const struct commands ALL = {"corral deployments",
                                        "Which versions of a worker answered when.", COMMANDS};

    return commands_run(&ALL, args);
}
