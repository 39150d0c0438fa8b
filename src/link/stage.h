/* stage.h - the folder in which one worker is linked, and goes away with it.
 *
 *     HOME/.stage-RANDOM/in/...     what the bundler reads: modules by their places (modules.h), .ours/
 *                        out/       where it writes, whatever that is: nothing in there is trusted
 *
 * Inside link/.  Errors: ERR_SYSTEM, ERR_NOMEM; ERR_INVALID: two modules want one place. */
#ifndef CORRAL_LINK_STAGE_H
#define CORRAL_LINK_STAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "link/modules.h"

struct stage {
    int home, fd; /* of HOME and of the folder; -1: none */
    char name[64];
    char *path; /* absolute */
};

int stage_open(const char *home, struct stage *ret, struct err *err) MUST_CHECK;
void stage_done(struct stage *stage); /* zeroes with fd -1 are done, too */

/* in/PLACE, with the folders above it. */
int stage_write(struct stage *stage, const char *place, struct span text,
                struct err *err) MUST_CHECK;
/* Likewise, and there may be one already. */
int stage_rewrite(struct stage *stage, const char *place, struct span text,
                  struct err *err) MUST_CHECK;
/* A module by its name, with this text; of names that mean something to the bundler so that they do
 * not. */
int stage_module(struct stage *stage, unsigned up, const char *name, struct span text,
                 struct err *err) MUST_CHECK;

/* All of a regular file below `at`, by no link; ERR_LIMIT when it is longer than max. */
int stage_read(int at, const char *path, size_t max, struct buf *out, struct err *err) MUST_CHECK;
/* A file that is not there yet, with the folders above it: on the disk. */
int stage_put(int at, const char *path, struct span bytes, struct err *err) MUST_CHECK;

#endif
