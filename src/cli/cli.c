/* cli.c - run a command, and make sure that what it says arrives. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/helper.h"
#include "base/mem.h"
#include "cli/command.h"

static const struct command COMMANDS[] = {
    {"dev", "dev", "serve a project on this machine and follow its changes", dev_command},
    {"serve", "serve", "run a node that workers are deployed to", serve_command},
    {"doctor", "doctor", "see what this machine has for a node, and what is in the way",
     doctor_command},
    {"d1", "d1", "make, fill, change and show databases, here and on a node", d1_command},
    {"kv", "kv", "make, fill, change and show KV namespaces of a node", kv_command},
    {"packages", "packages", "make and show sets of Python packages that workers have built in",
     packages_command},
    {"account", "account", "show and make the accounts of a node", account_command},
    {"backup", "backup TO", "copy a node's data folder while it serves", backup_command},
    {"token", "token", "make, show and revoke tokens for a node's API", token_command},
    {"deploy", "deploy", "send a project to a node, and let it answer there", deploy_command},
    {"versions", "versions", "list, view, upload and deploy versions of a worker", versions_command},
    {"deployments", "deployments", "which versions answered when", deployments_command},
    {"rollback", "rollback", "let an earlier version answer again", rollback_command},
    {"delete", "delete", "take a worker off its node", delete_command},
    {"secret", "secret", "give a worker secrets, and take them away", secret_command},
    {"tail", "tail", "show what a deployed worker does, as it does it", tail_command},
    {"init", "init", "make the files of a new project", init_command},
    {"login", "login", "keep the address of a node and a token for it", login_command},
    {"logout", "logout", "forget them", logout_command},
    {"whoami", "whoami", "show which node and which account commands are for", whoami_command},
    {0},
};

int cli_fail(const struct err *err, int code)
{
    fprintf(stderr, "corral: %s\n", err->text);
    if (err->hint[0])
        fprintf(stderr, "  %s\n", err->hint);
    return code;
}

int cli_print_json(json_t *take_value, struct err *err)
{
    char *text = take_value ? json_dumps(take_value, JSON_INDENT(2)) : NULL;

    json_decref(take_value);
    if (!text)
        return err_nomem(err);
    printf("%s\n", text);
    mem_free(text);
    return 0;
}

/* A descriptor that the caller has closed would become one of ours, and a database would get what
 * is meant for the terminal.  Nothing can be written to this one: it shows. */
static int hold_standard(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    return fd < 0 ? fd : close(fd);
}

/* A command that has succeeded has said so. */
static int check_output(int code)
{
    struct err err = {0};

    if (code != 0 || (fflush(stdout) == 0 && !ferror(stdout)))
        return code;
    err_set(&err, ERR_SYSTEM, "it was done, but what it says could not be written: %s",
            strerror(errno));
    return cli_fail(&err, 1);
}

int cli_main(int argc, char **argv)
{
    static const struct commands ALL = {
        "corral", "Cloudflare Workers on your own machines, Python first.", COMMANDS};

    if (hold_standard() < 0)
        return 1;
    helper_end_with_us();
    if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-v") == 0)) {
        printf("corral %s\n", CORRAL_VERSION);
        return check_output(0);
    }
    return check_output(commands_run(&ALL, argv + (argc > 0)));
}
