/* packages.h - the sub-command `corral-worker packages`: a job on stdin, lines of JSON on stdout.
 *
 * What they say: src/packages/packages.h.  The work is Python's, sdk/python/packager/: here it gets
 * a CPython of its own, isolated from the environment's PYTHON* and without JavaScript, that
 * imports the SDK's modules out of this program.  The process does nothing else, ends with
 * packages_main, and dies with the thread that started it. */
#ifndef CORRAL_REALM_PACKAGES_H
#define CORRAL_REALM_PACKAGES_H

#include <stdbool.h>

#include "base/err.h"

/* What a job needs of the machine.  Absolute paths, NULL behind the last. */
struct packages_walls {
    const char *const *reads; /* "/": everything */
    const char *const *owns; /* read, too: what the node's user may keep to himself */
    const char *const *writes;
    bool has_local_sockets; /* to the services of the user's session */
};

/* `enter` is called by a job once it knows its walls, before a byte of a project is read: the way
 * into a box.  When it fails, so does the job.  It may return in a child of the caller. The exit
 * code: 0 when the last line was written, be it an error. */
int packages_main(int (*enter)(const struct packages_walls *walls, struct err *err));

#endif
