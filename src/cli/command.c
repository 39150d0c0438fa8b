/* command.c - one walk over the table for each question. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "text/nearest.h"

static int usage(const struct commands *c, FILE *out)
{
    int width = 0;

    for (const struct command *at = c->items; at->name; at++)
        if (at->run && (int)strlen(at->usage) > width)
            width = (int)strlen(at->usage);
    fprintf(out, "Usage: %s COMMAND [options]\n\n", c->program);
    if (c->about)
        fprintf(out, "%s\n\n", c->about);
    fprintf(out, "Commands:\n");
    for (const struct command *at = c->items; at->name; at++)
        if (at->run)
            fprintf(out, "  %-*s  %s\n", width, at->usage, at->help);
    fprintf(out, "\n`%s COMMAND --help` tells more.\n", c->program);
    return out == stdout ? 0 : 2;
}

static int refuse(const struct commands *c, const char *word, const struct nearest *near)
{
    const char *inside = strchr(c->program, ' ');
    struct err err = {0};

    err_set(&err, ERR_INVALID, "there is no command '%s%s%.64s'", inside ? inside + 1 : "",
            inside ? " " : "", word);
    if (near->best)
        err_hint(&err, "Did you mean `%s %s`?", c->program, near->best);
    else
        err_hint(&err, "`%s --help` lists the commands.", c->program);
    return cli_fail(&err, 2);
}

int commands_run(const struct commands *c, char **args)
{
    struct nearest near;
    struct err err = {0};

    if (!args[0])
        return usage(c, stderr);
    if (strcmp(args[0], "--help") == 0 || strcmp(args[0], "-h") == 0 ||
        strcmp(args[0], "help") == 0)
        return usage(c, stdout);
    nearest_init(&near, args[0]);
    for (const struct command *at = c->items; at->name; at++) {
        if (strcmp(args[0], at->name) == 0 && at->run)
            return at->run(args + 1);
        if (strcmp(args[0], at->name) == 0) {
            err_set(&err, ERR_INVALID, "'%s %s' is not supported yet", c->program, args[0]);
            return cli_fail(&err, 1);
        }
        if (at->run)
            nearest_try(&near, at->name);
    }
    return refuse(c, args[0], &near);
}
