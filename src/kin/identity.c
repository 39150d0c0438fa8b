/* identity.c - pidfd_open, the fourth field of /proc/PID/stat, and a look back.
 *
 * Nobody is ever killed by a number: a pidfd leaves this file only when the
 * parent was the expected one while the process lived.  What remains possible
 * is that a process ends, its number goes to another child of the same parent,
 * and that one is taken for it: same tenant, same box. */
#include "kin/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

static int read_parent(pid_t pid, pid_t *ret, struct err *err)
{
    char path[64], text[512];
    const char *behind;
    int fd, parent;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "open '%s'", path);
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return err_set(err, ERR_GONE, "process %d has ended", (int)pid);
    text[n] = '\0';
    /* The second field is a name that the process chose: count from its last bracket. */
    behind = strrchr(text, ')');
    if (!behind || sscanf(behind, ") %*c %d", &parent) != 1)
        return err_set(err, ERR_SYSTEM, "'%s' does not look as expected", path);
    *ret = parent;
    return 0;
}

static bool has_ended(int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    int n;

    /* Even without a wait a signal ends it: SIGCHLD of others comes often. */
    do
        n = poll(&p, 1, 0);
    while (n < 0 && errno == EINTR);
    return n != 0;
}

int identity_open(pid_t pid, pid_t parent, int *ret_pidfd, struct err *err)
{
    pid_t found = 0;
    int fd, r;

    if (pid <= 0)
        return err_set(err, ERR_INVALID, "a first message without credentials");
    fd = pidfd_open(pid, 0);
    if (fd < 0)
        return errno == ESRCH ? err_set(err, ERR_GONE, "process %d has ended", (int)pid)
                              : err_errno(err, errno, "hold process %d", (int)pid);
    r = read_parent(pid, &found, err);
    if (r == 0 && has_ended(fd))
        r = err_set(err, ERR_GONE, "process %d has ended", (int)pid);
    if (r == 0 && found != parent)
        r = err_set(err, ERR_INVALID, "process %d is a child of %d, not of %d", (int)pid,
                    (int)found, (int)parent);
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret_pidfd = fd;
    return 0;
}
