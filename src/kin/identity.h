/* identity.h - who is really at the other end of a socket.
 *
 * The kernel attaches the writer's pid to the first bytes (peer.h); a pid may
 * be somebody else's by the time it is read.  So: hold it by a pidfd, read its
 * parent in /proc, and see by the pidfd that it still lived behind the read. */
#ifndef CORRAL_KIN_IDENTITY_H
#define CORRAL_KIN_IDENTITY_H

#include <sys/types.h>

#include "base/err.h"

/* A pidfd of `pid`, if its parent is `parent`.  The caller owns it.
 * ERR_GONE when it has ended, ERR_INVALID when it is somebody else's child. */
int identity_open(pid_t pid, pid_t parent, int *ret_pidfd, struct err *err) MUST_CHECK;

#endif
