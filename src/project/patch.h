/* patch.h - put a database into a configuration file and leave the rest as it is, byte for byte.
 *
 *     struct patch patch;
 *     r = patch_make(config, shown, env, worker_program, &database, &patch, &err);
 *     r = patch_write(&patch, &err);
 *     patch_done(&patch);
 *
 * patch_make changes nothing: it makes the new text and reads it again, as
 * whoever uses it will, to see that it says what it said before and the new
 * database.  Errors: ERR_LIMIT: the binding is there already; ERR_INVALID: the
 * text is written in a way that could not be changed, or is wrong; ERR_GONE: it was changed by
 * somebody else meanwhile; ERR_NOT_FOUND, ERR_SYSTEM, ERR_NOMEM. */
#ifndef CORRAL_PROJECT_PATCH_H
#define CORRAL_PROJECT_PATCH_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct patch_database { /* UTF-8 without control characters */
    const char *binding, *name, *id;
};

struct patch {
    char *path;        /* without symbolic links */
    const char *shown; /* borrowed */
    char *before;
    size_t before_len;
    struct buf after;
};

/* env: "" for the top level; it need not be there. */
int patch_make(const char *config, const char *shown, const char *env, const char *worker_program,
               const struct patch_database *database, struct patch *ret,
               struct err *err) MUST_CHECK;
int patch_write(const struct patch *patch, struct err *err) MUST_CHECK;
void patch_done(struct patch *patch);

#endif
