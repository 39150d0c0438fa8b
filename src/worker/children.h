/* children.h - fork, wait, bury: what zygote and template share.
 *
 * children_init blocks SIGCHLD; children_wait lets it in only while it waits,
 * so that no death is missed and no call is interrupted.  A child gets the
 * normal signal mask back.
 *
 * Thread: the only one. */
#ifndef CORRAL_WORKER_CHILDREN_H
#define CORRAL_WORKER_CHILDREN_H

#include <sys/types.h>

#include "worker/link.h"
#include "worker/worker.h"

enum children_groups {
    CHILDREN_PLAIN,     /* children are of this process's own group */
    CHILDREN_GROUPS,    /* each has one of its own: with it ends whatever else is in that */
};

void children_init(enum children_groups groups);

/* Wait until the node sends something (then it has been read), a child dies
 * (then an EXITED frame is queued) or timeout_ms pass (-1: never).
 * 0 or an error of link_read. */
int children_wait(struct link *link, int timeout_ms, struct err *err) MUST_CHECK;

/* Fork (by `make`, which is as fork()) if this process is single-threaded, and queue the answer for the node:
 * SPAWNED, or SPAWN_FAILED (then *ret_pid is -1).  Returns in both processes;
 * in the child *ret_pid is 0, nothing is queued, and the realm is awake.
 * The caller's realm must be between realm_fork_before and realm_fork_parent.
 * ERR_NOMEM when the answer cannot be queued. */
int children_fork(struct heritage *heritage, struct link *link, uint32_t id,
                  pid_t (*make)(struct heritage *heritage), pid_t *ret_pid,
                  struct err *err) MUST_CHECK;
/* fork() itself. */
pid_t children_plain(struct heritage *heritage);

#endif
