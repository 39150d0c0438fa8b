/* proc.c - a pidfd in the loop, and SIGKILL through it. */
#include "loop/proc.h"

#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct proc *proc = handle->data;

    (void)status;
    (void)events;
    uv_poll_stop(handle);
    proc->ended(proc->self);
}

int proc_open(struct proc *proc, uv_loop_t *loop, int take_pidfd, pid_t pid,
              void (*ended)(void *self), void *self, struct err *err)
{
    int r;

    *proc = (struct proc){.pid = pid, .ended = ended, .self = self, .fd = take_pidfd};
    r = uv_poll_init(loop, &proc->poll, proc->fd);
    if (r < 0) {
        close(proc->fd);
        return err_set(err, ERR_SYSTEM, "watch process %d: %s", (int)pid, uv_strerror(r));
    }
    proc->poll.data = proc;
    uv_poll_start(&proc->poll, UV_READABLE, on_poll);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct proc *proc = handle->data;

    proc->closed(proc->self);
}

void proc_close(struct proc *proc, void (*closed)(void *self))
{
    proc->closed = closed;
    uv_close((uv_handle_t *)&proc->poll, on_closed);
    close(proc->fd);
    proc->fd = -1;
}

void proc_kill(struct proc *proc)
{
    /* The only failure there can be is that it has ended. */
    (void)pidfd_send_signal(proc->fd, SIGKILL, NULL, 0);
}
