/* d1.h - `corral d1 COMMAND`: what its commands share.
 *
 * A command is one file with one function, in the table of d1.c.  It begins
 * with d1_begin, which reads its command line by a struct d1_spec and its
 * project by what all commands understand:
 *
 *     --config FILE, --env NAME, --cwd FOLDER, --persist-to FOLDER, --local, --remote, --json,
 * --help
 *
 * Nothing here needs a node that runs: who opens a database shares it. */
#ifndef CORRAL_CLI_D1_H
#define CORRAL_CLI_D1_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "catalog/database.h"
#include "cli/option.h"
#include "cli/program.h"
#include "project/project.h"

enum { D1_WORDS_MAX = 3 };

struct d1_spec {
    const char *usage;                   /* "create NAME" */
    const char *about;                   /* what it does, a sentence or more, ends with a newline */
    const char *words[D1_WORDS_MAX + 1]; /* what stands behind the command, all needed: "NAME" */
    const struct option *options;        /* its own; a NULL name ends them; NULL: none */
    const char *list;                    /* an own option that takes several values, or NULL */
    /* One of its own options. */
    int (*take)(void *self, const struct option *option, const char *value, struct err *err);
    bool is_local;  /* --remote means nothing here */
    bool has_json;  /* --json */
    bool is_silent; /* no warnings about the configuration: what it lacks is being made */
};

struct d1 {
    const char *words[D1_WORDS_MAX];
    bool is_json;
    bool is_remote; /* of a node that serves, by its control API (d1_remote.h) */
    struct project_options options;
    struct project project;
    char worker_program[PROGRAM_PATH_MAX];
};

/* Read the command line and the project.  D1_GO: d1_end is due later; else the exit code, with
 * everything said and nothing to end. */
enum { D1_GO = -1 };
int d1_begin(const struct d1_spec *spec, char **args, void *self, struct d1 *ret);
void d1_end(struct d1 *d1);

/* A database by what people call it. */
struct d1_target {
    char *name;                                /* of this machine */
    char *folder;                              /* absolute; may not be there yet */
    const struct project_database *configured; /* NULL: the configuration does not name it */
};
/* word: its name, its binding or its id in the configuration, or its name or uuid on this machine.
 * ERR_NOT_FOUND names the nearest. */
int d1_target(const struct d1 *d1, const char *word, struct d1_target *ret,
              struct err *err) MUST_CHECK;
void d1_target_done(struct d1_target *target);
/* The same, which must be there: made, or used once. */
int d1_find(const struct d1 *d1, const char *word, struct database *ret,
            struct err *err) MUST_CHECK;

/* What its store says of a database that is there. */
struct d1_facts {
    int64_t size_bytes;
    int64_t tables; /* but SQLite's own */
};
int d1_ask(const struct database *d, struct d1_facts *ret, struct err *err) MUST_CHECK;

int d1_create(char **args);
int d1_list(char **args);
int d1_info(char **args);
int d1_delete(char **args);
int d1_execute(char **args);
int d1_export(char **args);
int d1_migrations(char **args);

#endif
