/* reopen.h - have dlopen find a descriptor at a path that is none.
 *
 * Between the two calls, on this thread, the first file that the loader opens
 * at `path` is `fd` (from its beginning).  One thread at a time. */
#ifndef CORRAL_REALM_PY_REOPEN_H
#define CORRAL_REALM_PY_REOPEN_H

#include <stdbool.h>

/* false: this machine cannot; do not call reopen_end.  `path` must live until then. */
bool reopen_begin(const char *path, int fd);
void reopen_end(void);

#endif
