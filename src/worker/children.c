/* children.c - forks and deaths, told to the node in frames. */
#include "worker/children.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static sigset_t normal_mask;
static enum children_groups groups;

static void on_child(int signal_number)
{
    (void)signal_number;
}

void children_init(enum children_groups all)
{
    const struct sigaction action = {.sa_handler = on_child};
    sigset_t block;

    groups = all;
    sigaction(SIGCHLD, &action, NULL);
    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    sigprocmask(SIG_BLOCK, &block, &normal_mask);
    sigdelset(&normal_mask, SIGCHLD);
}

/* One that has ended; 0: none.  What it has left in its group ends with it: its number, and so the
 * group's, is nobody else's before it is collected.  To fork on and on is no way out of a signal to
 * a group. */
static pid_t collect(int *ret_status)
{
    siginfo_t info = {0};

    if (groups == CHILDREN_PLAIN)
        return waitpid(-1, ret_status, WNOHANG);
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
        return 0;
    kill(-info.si_pid, SIGKILL);
    return waitpid(info.si_pid, ret_status, 0);
}

static int bury(struct link *link, struct err *err)
{
    int status, r = 0;
    pid_t pid;

    while (r == 0 && (pid = collect(&status)) > 0) {
        const struct exited m = {.pid = (uint32_t)pid, .status = (uint32_t)status};
        r = exited_put(&link->out, 0, 0, &m, err);
    }
    return r;
}

int children_wait(struct link *link, int timeout_ms, struct err *err)
{
    const struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    struct pollfd p = {.fd = link->fd, .events = POLLIN};
    int r = ppoll(&p, 1, timeout_ms < 0 ? NULL : &timeout, &normal_mask);

    if (r < 0 && errno != EINTR)
        return err_errno(err, errno, "wait for orders");
    if (bury(link, err) < 0)
        return err->code;
    if (r <= 0)
        return 0;
    r = link_read(link, err);
    return r < 0 ? r : 0;
}

static int refuse(struct link *link, uint32_t id, uint32_t is_retry, const char *why,
                  struct err *err)
{
    const struct spawn_failed m = {.id = id, .is_retry = is_retry, .text = span_of(why)};

    return spawn_failed_put(&link->out, 0, 0, &m, err);
}

pid_t children_plain(struct heritage *heritage)
{
    (void)heritage;
    return fork();
}

int children_fork(struct heritage *heritage, struct link *link, uint32_t id,
                  pid_t (*make)(struct heritage *heritage), pid_t *ret_pid, struct err *err)
{
    struct spawned m = {.id = id};
    pid_t pid, self = getpid();

    *ret_pid = -1;
    if (!box_is_single_threaded())
        return refuse(link, id, 1, "helper threads are still running", err);
    pid = make(heritage);
    if (pid < 0)
        return refuse(link, id, 0, strerror(errno), err);
    *ret_pid = pid;
    if (pid == 0) {
        signal(SIGCHLD, SIG_DFL);
        sigprocmask(SIG_SETMASK, &normal_mask, NULL);
        heritage->parent = self;
        realm_fork_child(heritage->realm);
        return 0;
    }
    m.pid = (uint32_t)pid;
    return spawned_put(&link->out, 0, 0, &m, err);
}
