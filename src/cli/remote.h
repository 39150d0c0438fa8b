/* remote.h - what commands on a node share: a command line, a project, the worker's name, a client.
 *
 *     int code = remote_begin(&SPEC, args, &own, &r);
 *     if (code != REMOTE_GO)
 *         return code;
 *     result = ...(&r, &err);
 *     return remote_end(&r, result, &err);
 *
 * All take --config FILE, --env NAME, --cwd FOLDER, --help; those with a worker --name NAME too.
 * A command that sends a project does the steps one by one: it has options for the project. */
#ifndef CORRAL_CLI_REMOTE_H
#define CORRAL_CLI_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/client.h"
#include "cli/option.h"
#include "cli/program.h"
#include "project/project.h"

enum { REMOTE_WORDS_MAX = 16 };

enum remote_need {
    REMOTE_NODE,   /* no project, no worker */
    REMOTE_WORKER, /* the name of one: --name, or the configuration's */
    REMOTE_UPLOAD, /* a project to send */
};

struct remote;

struct remote_spec {
    const char *usage; /* "secret put NAME" */
    const char *about; /* what it does, a sentence or more, ends with a newline */
    const char *words; /* what stands behind the command: "NAME", "[VERSION]" may be missing,
                          "[VERSION...]" any number; NULL: nothing */
    const struct option *options; /* its own; a NULL name ends them; NULL: none */
    const char *const *lists;     /* own options whose values may go on behind them; NULL ends */
    /* One of its own options, or one more value of a list. */
    int (*take)(void *self, const struct option *option, const char *value, struct err *err);
    /* Are the words good?  NULL: any are. */
    int (*check)(const struct remote *r, struct err *err);
    enum remote_need need;
    bool has_json; /* --json */
};

struct remote {
    const struct remote_spec *spec;
    const char *words[REMOTE_WORDS_MAX + 1];
    size_t word_count;
    bool is_json;
    struct project_options options;
    struct project project;
    const char *name; /* of the worker; NULL with REMOTE_NODE */
    struct client *client;
    char worker_program[PROGRAM_PATH_MAX];
};

/* All three steps.  REMOTE_GO: remote_end is due later; else the exit code, everything said. */
enum { REMOTE_GO = -1 };
int remote_begin(const struct remote_spec *spec, char **args, void *self, struct remote *ret);
/* All of a command: begin, run, end; its exit code. */
int remote_run(const struct remote_spec *spec, char **args, void *self,
               int (*run)(struct remote *r, void *self, struct err *err));
/* The command line: REMOTE_GO, or the exit code with nothing to end. */
int remote_parse(const struct remote_spec *spec, char **args, void *self, struct remote *ret);
/* The project and the worker's name; says warnings and mistakes on stderr.  When err->text is empty
 * all is said.  Likewise remote_end is due after a failure of this and of remote_connect. */
int remote_load(struct remote *r, struct err *err) MUST_CHECK;
int remote_connect(struct remote *r, struct err *err) MUST_CHECK;
/* Say the error that `result` stands for, if it is one: the exit code. */
int remote_end(struct remote *r, int result, const struct err *err);

/* A request below /accounts/ID/workers, whose path has `fmt` for its rest. */
int remote_ask(struct remote *r, const struct client_request *request, struct client_answer *ret,
               struct err *err, const char *fmt, ...) MUST_CHECK
    __attribute__((format(printf, 5, 6)));

/* Does this worker not exist?  After a refusal. */
bool remote_is_unknown(const struct client_answer *answer);
/* 10007 in the user's words, when the answer says so; else err as it is.  Returns its code. */
int remote_explain(const struct remote *r, const struct client_answer *answer, struct err *err);

#endif
