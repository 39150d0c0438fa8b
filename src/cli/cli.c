/* cli.c - find the command, or say what there is. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "text/nearest.h"

struct command {
    const char *name;
    int (*run)(char **args);
    const char *help;
};

static const struct command COMMANDS[] = {
    {"dev", dev_command, "serve a project on this machine and follow its changes"},
    {"d1", d1_command, "make, list and delete databases of this machine"},
};

enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

static int usage(FILE *out)
{
    fprintf(out, "corral: Cloudflare Workers on your own machines, Python first.\n\n"
                 "Usage: corral COMMAND [options]\n\nCommands:\n");
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", COMMANDS[i].name, COMMANDS[i].help);
    fprintf(out, "\n`corral COMMAND --help` tells more.\n");
    return out == stdout ? 0 : 2;
}

int cli_fail(const struct err *err, int code)
{
    fprintf(stderr, "corral: %s\n", err->text);
    if (err->hint[0])
        fprintf(stderr, "  %s\n", err->hint);
    return code;
}

int cli_main(int argc, char **argv)
{
    struct nearest near;
    struct err err = {0};

    if (argc < 2)
        return usage(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0)
        return usage(stdout);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-v") == 0) {
        printf("corral %s\n", CORRAL_VERSION);
        return 0;
    }
    nearest_init(&near, argv[1]);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], COMMANDS[i].name) == 0)
            return COMMANDS[i].run(argv + 2);
        nearest_try(&near, COMMANDS[i].name);
    }
    err_set(&err, ERR_INVALID, "there is no command '%.64s'", argv[1]);
    if (near.best)
        err_hint(&err, "Did you mean `corral %s`?", near.best);
    else
        err_hint(&err, "`corral --help` lists the commands.");
    return cli_fail(&err, 2);
}
