/* proc.c - a pidfd in the loop, and SIGKILL through it. */
#include "loop/proc.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 1024 };

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

/* A duplicate is the same file. */
static bool is_new(ino_t *seen, size_t *count, ino_t number)
{
    for (size_t i = 0; i < *count; i++)
        if (seen[i] == number)
            return false;
    if (*count < FILES_MAX)
        seen[(*count)++] = number;
    return true;
}

int64_t proc_held_bytes(pid_t pid)
{
    ino_t seen[FILES_MAX];
    const struct dirent *entry;
    int64_t bytes = 0;
    size_t count = 0;
    struct stat st;
    char path[40];
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    while (dir && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
            S_ISREG(st.st_mode) && st.st_nlink == 0 && is_new(seen, &count, st.st_ino))
            bytes += (int64_t)st.st_blocks * 512;
    if (dir)
        closedir(dir);
    return bytes;
}
