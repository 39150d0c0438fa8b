/* proc.c - a pidfd in the loop, and SIGKILL through it. */
#include "loop/proc.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
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

void proc_signal(struct proc *proc, int signal, int value)
{
    siginfo_t info = {.si_signo = signal, .si_code = SI_QUEUE};

    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = value;
    (void)pidfd_send_signal(proc->fd, signal, &info, 0);
}

/* The first two numbers of statm, in bytes: address space, resident memory. */
static bool read_statm(pid_t pid, int64_t ret[2])
{
    char path[40], text[128];
    long long pages[2];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%lld %lld", &pages[0], &pages[1]) != 2)
        return false;
    for (int i = 0; i < 2; i++)
        ret[i] = pages[i] * sysconf(_SC_PAGESIZE);
    return true;
}

int64_t proc_resident_bytes(pid_t pid)
{
    int64_t bytes[2];

    return read_statm(pid, bytes) ? bytes[1] : 0;
}

int64_t proc_address_bytes(pid_t pid)
{
    int64_t bytes[2];

    return read_statm(pid, bytes) ? bytes[0] : 0;
}
