/* command.h - commands by a table: find the one that is meant, or say what there is.
 *
 * Thread: the main one. */
#ifndef CORRAL_CLI_COMMAND_H
#define CORRAL_CLI_COMMAND_H

struct command {
    const char *name;        /* "create" */
    const char *usage;       /* "create NAME", as the list shows it */
    const char *help;        /* a line */
    int (*run)(char **args); /* the arguments behind it, to the exit code; NULL: of wrangler, not
                                here yet, and not in the list */
};

struct commands {
    const char *program;         /* what stands before a command: "corral d1" */
    const char *about;           /* what they are for, a line; NULL: nothing to say */
    const struct command *items; /* a NULL name ends them */
};

/* Run what args names: its exit code.  --help, -h or help: the list.  No such command: 2. */
int commands_run(const struct commands *commands, char **args);

#endif
