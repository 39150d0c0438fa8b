/* locks.h - a lock that a frame holds while it waits in run_sync does not stop the loop.
 *
 * Thread: any. */
#ifndef CORRAL_REALM_PY_LOCKS_H
#define CORRAL_REALM_PY_LOCKS_H

#include "base/err.h"

int locks_open(struct err *err) MUST_CHECK;

#endif
