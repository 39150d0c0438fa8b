/* leftover.c - see leftover.h.  Called by: herd/herd.c, cli/node.c. */
#include "loop/leftover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUNDS = 100,           /* what was forked while the list was read is in the next one, ... */
    QUIET = 8,              /* ... or in one of the next: so many without anybody are the end */
    PAUSE_NS = 1000 * 1000, /* between two */
    HEIGHT = 64,            /* processes above one that are looked at */
};

struct found {
    char state;
    int parent, group, session;
};

/* By /proc/PID/stat; the name in it, which is anybody's choice, ends with the last parenthesis. */
static bool look(int proc, const char *pid, struct found *ret)
{
    char path[300], text[512];
    const char *end;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "%.20s/stat", pid);
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    end = strrchr(text, ')');
    return end && sscanf(end + 1, " %c %d %d %d", &ret->state, &ret->parent, &ret->group,
                         &ret->session) == 4;
}

static bool is_over(const struct found *found)
{
    return found->state == 'Z' || found->state == 'X';
}

/* A program that was replaced since is called "... (deleted)". */
static bool runs(int proc, const char *pid, const char *program)
{
    char path[300], end[PATH_MAX];
    size_t n = strlen(program);
    ssize_t got;

    snprintf(path, sizeof path, "%.20s/exe", pid);
    got = readlinkat(proc, path, end, sizeof end - 1);
    if (got < 0)
        return false;
    end[got] = '\0';
    return strncmp(end, program, n) == 0 && (!end[n] || strcmp(end + n, " (deleted)") == 0);
}

/* It lives, and is another program: what is on its way out has none any more. */
static bool runs_another(int proc, const char *pid, const char *program)
{
    char path[300], end[1];

    snprintf(path, sizeof path, "%.20s/exe", pid);
    return !runs(proc, pid, program) &&
           (readlinkat(proc, path, end, sizeof end) >= 0 || errno != ENOENT);
}

/* Or only waits for somebody to collect it. */
static bool is_gone(int proc, pid_t leader)
{
    struct found found;
    char name[16];

    if (kill(leader, 0) < 0 && errno == ESRCH)
        return true;
    snprintf(name, sizeof name, "%d", (int)leader);
    return look(proc, name, &found) && is_over(&found);
}

/* What stands above it in its session: a helper of a node that lives has that node there, whose own
 * terminal may be gone. */
static bool is_alone(int proc, const struct found *found, const char *program)
{
    struct found above = *found;
    char name[16];

    for (int i = 0; i < HEIGHT; i++) {
        snprintf(name, sizeof name, "%d", above.parent);
        if (above.parent <= 1 || !look(proc, name, &above) || above.session != found->session)
            return true;
        if (runs_another(proc, name, program))
            return false;
    }
    return false;
}

/* The cheap questions first: one that forks on and on lives for as long as a fork takes. */
static bool is_left(int proc, const char *name, const char *program, pid_t *ret_group)
{
    pid_t pid = (pid_t)strtol(name, NULL, 10), session = pid > 1 ? getsid(pid) : 0;
    struct found found;

    if (session <= 1 || session == pid || !runs(proc, name, program))
        return false;
    *ret_group = getpgid(pid);
    return look(proc, name, &found) && !is_over(&found) && found.session == session &&
           is_gone(proc, session) && is_alone(proc, &found, program);
}

static unsigned end_some(const char *program)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    unsigned count = 0;
    pid_t group;

    while (proc && (entry = readdir(proc)) != NULL) {
        if (!is_left(dirfd(proc), entry->d_name, program, &group))
            continue;
        if (group > 1 && group != getpgrp())
            kill(-group, SIGKILL);
        kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
        count++;
    }
    if (proc)
        closedir(proc);
    return count;
}

unsigned leftover_end(const char *program)
{
    char *path = realpath(program, NULL); /* the kernel's words for it */
    struct timespec pause = {.tv_nsec = PAUSE_NS};
    unsigned count = 0, some, quiet = 0;

    for (int i = 0; i < ROUNDS && quiet < QUIET && path; i++) {
        some = end_some(path);
        count += some;
        quiet = some > 0 ? 0 : quiet + 1;
        nanosleep(&pause, NULL);
    }
    free(path);
    return count;
}
