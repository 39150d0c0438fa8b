/* child.h - start a program with exactly this environment and these descriptors.
 *
 * The child has: 0 = /dev/null, 1 and 2 = our stderr, 3 = the given
 * descriptor, and nothing else (all of ours are close-on-exec).  It leads a
 * session of its own, so that Ctrl-C in our terminal reaches us alone and the
 * end of our children is our decision.
 *
 * Ownership: embedded; child_open, child_close(cb).  `exited` fires once; the
 * child is reaped by then.  Main thread only: PR_SET_PDEATHSIG means the
 * thread that forked. */
#ifndef CORRAL_LOOP_CHILD_H
#define CORRAL_LOOP_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct child {
    uv_process_t process;
    bool is_running;
    void (*exited)(void *self, int64_t status, int signal);
    void (*closed)(void *self);
    void *self;
};

/* arguments and environment end with NULL; fd stays the caller's. */
int child_open(struct child *child, uv_loop_t *loop, const char *program, char *const *arguments,
               char *const *environment, int fd,
               void (*exited)(void *self, int64_t status, int signal), void *self,
               struct err *err) MUST_CHECK;
void child_close(struct child *child, void (*closed)(void *self));
void child_kill(struct child *child);
int child_pid(const struct child *child);

/* NAME=VALUE of our own environment, in room; NULL when it is not set, or too long. */
char *child_inherited(const char *name, char *room, size_t size);

#endif
