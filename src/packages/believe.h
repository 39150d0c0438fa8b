/* believe.h - inside packages: may the node act on what a packager says that has read a stranger's
 * project?
 *
 * It is a process in a box, and may have been taken over: what it names is opened by the node and
 * put into a worker's file tree. */
#ifndef CORRAL_PACKAGES_BELIEVE_H
#define CORRAL_PACKAGES_BELIEVE_H

#include <jansson.h>

#include "base/err.h"

/* The answer of a job "environment": every path lies where such paths lie, also when links are
 * followed.  ERR_SYSTEM: one does not, or it is no such answer. */
int believe_answer(json_t *answer, const char *home, const char *state, const char *project,
                   struct err *err) MUST_CHECK;

#endif
