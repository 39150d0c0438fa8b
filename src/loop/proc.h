/* proc.h - a process that is not our child, held by a pidfd.
 *
 * A pid may name somebody else a moment later; a pidfd never does.  `ended`
 * fires once, when the process is no more (a zombie counts as ended).
 *
 * Ownership: embedded; proc_open, proc_close(cb).  Loop thread only. */
#ifndef CORRAL_LOOP_PROC_H
#define CORRAL_LOOP_PROC_H

#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "base/err.h"

struct proc {
    uv_poll_t poll;
    int fd;
    pid_t pid;
    void (*ended)(void *self);
    void (*closed)(void *self);
    void *self;
};

/* `pid` is for people; the pidfd says who it is. */
int proc_open(struct proc *proc, uv_loop_t *loop, int take_pidfd, pid_t pid,
              void (*ended)(void *self), void *self, struct err *err) MUST_CHECK;
void proc_close(struct proc *proc, void (*closed)(void *self));
/* Its resident memory, with what it shares; 0 when it cannot be looked at.  Some 2 us. */
int64_t proc_resident_bytes(pid_t pid);
/* Its address space, likewise. */
int64_t proc_address_bytes(pid_t pid);
/* A signal that brings a number, as sigqueue; nothing when it has ended already. */
void proc_signal(struct proc *proc, int signal, int value);
/* SIGKILL; nothing when it has ended already. */
void proc_kill(struct proc *proc);

#endif
