/* d1_caller.h - calls of the command line on a database: a loop and a store of its own.
 *
 *     struct d1_caller *caller;
 *     d1_caller_open(&caller, &err)
 *     d1_caller_run(caller, &call, &err)     as often as needed
 *     d1_caller_close(caller)
 *
 * A node that has the same database open goes on with it: SQLite's locks keep
 * the two apart.  SIGINT, SIGTERM and SIGHUP end a call: ERR_CANCELLED, and what
 * it has begun is undone. */
#ifndef CORRAL_CLI_D1_CALLER_H
#define CORRAL_CLI_D1_CALLER_H

#include "base/err.h"
#include "base/span.h"
#include "wire/message.h"

struct d1_caller;

int d1_caller_open(struct d1_caller **ret, struct err *err) MUST_CHECK;
void d1_caller_close(struct d1_caller *caller);

/* The signal that has ended a call, or 0: then the program should end by it, too. */
int d1_caller_interrupted(void);

struct d1_errand {
    const char *folder; /* of the database */
    const char *method; /* see keeper.h */
    struct pairs arguments;
    int file;         /* the call's body: what is in this file, from where it stands; -1: none */
    struct span text; /* and then this */
    /* Its head, with results that are no bytes; NULL: of no interest.  An error ends the call. */
    int (*head)(void *self, const struct reply *reply, struct err *err);
    /* Bytes of the answer.  An error ends the call. */
    int (*take)(void *self, struct span bytes, struct err *err);
    void *self;
};

/* Runs until the answer is there.  What `take` returned; ERR_SYSTEM: the file, or the database
 * cannot be used, and why; ERR_CANCELLED; ERR_NOMEM. */
int d1_caller_run(struct d1_caller *caller, const struct d1_errand *errand, struct err *err) MUST_CHECK;

#endif
