/* errand.h - one call on a database whose body is at hand: a file, a text, or both.
 *
 * The body is sent as the store takes it; a file is read by a thread of libuv's, as a pipe may let
 * us wait.  The answer goes to `take` piece by piece.  `done` comes once, never before errand_start
 * has returned, and the errand is gone then; errand_cancel makes it not come.
 *
 * Loop thread only. */
#ifndef CORRAL_KEEPER_ERRAND_H
#define CORRAL_KEEPER_ERRAND_H

#include <uv.h>

#include "base/err.h"
#include "base/span.h"
#include "keeper/keeper.h"

struct errand;

enum { ERRAND_HELD = 1 };

struct errand_spec {
    const char *folder; /* of the database */
    const char *method; /* see keeper.h */
    struct pairs arguments;
    int file; /* the body: what is in this file, from where it stands; -1: none.  May be closed
                 once errand_start has returned */
    struct span text; /* and then this, which lives until `done` */
    /* The reply's head; NULL: of no interest.  An error ends the errand. */
    int (*head)(void *self, const struct reply *reply, struct err *err);
    /* Bytes of the answer.  ERRAND_HELD: errand_credit comes when they are on their way.  An error
     * ends the errand. */
    int (*take)(void *self, struct span bytes, struct err *err);
    /* result: 0; what head or take returned; ERR_SYSTEM: the file, or the database cannot be used,
     * and why; ERR_NOMEM. */
    void (*done)(void *self, int result, const struct err *err);
    void *self;
};

/* Errors of keeper_call. */
int errand_start(uv_loop_t *loop, struct keeper *keeper, const struct errand_spec *spec,
                 struct errand **ret_errand, struct err *err) MUST_CHECK;
void errand_credit(struct errand *errand, size_t bytes);
/* Nobody waits any more.  What has begun is undone, unless it is committed already. */
void errand_cancel(struct errand *errand);
/* Does a thread wait for its file, now?  It may do so for ever. */
bool errand_is_reading(const struct errand *errand);

#endif
