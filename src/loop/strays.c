/* strays.c - walk down from a process, by /proc/PID/task/TID/children. */
#include "loop/strays.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHILDREN_BYTES = 8 * 1024 }; /* of text: more of them are too many anyhow */

struct walk {
    pid_t found[STRAYS_MAX];
    unsigned count; /* STRAYS_MAX + 1: too many */
    bool (*is_known)(const void *self, pid_t pid);
    const void *self;
    pid_t group; /* 0, or: of this process group alone, but not its leader */
};

/* Has it ended, and only waits to be collected? */
static bool is_over(pid_t pid)
{
    char path[40], text[16];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (fd >= 0)
        close(fd);
    return n < 2 || (text[0] == '0' && text[1] == ' ');
}

/* Those that one thread has. */
static void add_children(struct walk *w, int tasks, const char *thread)
{
    char path[300], text[CHILDREN_BYTES + 1], *at = text, *end;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "%.260s/children", thread);
    fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    n = read(fd, text, CHILDREN_BYTES);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (; w->count <= STRAYS_MAX; at = end) {
        pid_t pid = (pid_t)strtol(at, &end, 10);
        if (end == at)
            return;
        if (w->group > 0 && (pid == w->group || getpgid(pid) != w->group))
            continue;
        if (pid <= 0 || w->is_known(w->self, pid) || is_over(pid))
            continue;
        if (w->count < STRAYS_MAX)
            w->found[w->count] = pid;
        w->count++;
    }
}

static void add_below(struct walk *w, pid_t pid)
{
    const struct dirent *entry;
    char path[40];
    DIR *tasks;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    tasks = opendir(path);
    while (tasks && w->count <= STRAYS_MAX && (entry = readdir(tasks)) != NULL)
        if (entry->d_name[0] != '.')
            add_children(w, dirfd(tasks), entry->d_name);
    if (tasks)
        closedir(tasks);
}

/* Above what it has in common with `top`. */
static int64_t weigh(pid_t pid, const struct weight *top)
{
    struct weight w = {0};
    int64_t bytes;

    weight_begin(&w, pid, 0);
    w.base_bytes = top->private_bytes + top->hidden_bytes;
    weight_look(&w, 0, 0, 0);
    bytes = weight_bytes(&w);
    weight_done(&w);
    return bytes;
}

void strays_look(const struct weight *top, pid_t keeper,
                 bool (*is_known)(const void *self, pid_t pid), const void *self,
                 struct strays *ret)
{
    struct walk w = {.is_known = is_known, .self = self};

    *ret = (struct strays){0};
    if (top->pid <= 0)
        return;
    add_below(&w, top->pid);
    if (keeper > 0) {
        w.group = top->pid;
        add_below(&w, keeper);
        w.group = 0;
    }
    for (unsigned i = 0; i < w.count && w.count <= STRAYS_MAX; i++)
        add_below(&w, w.found[i]);
    ret->count = w.count;
    for (unsigned i = 0; i < w.count && i < STRAYS_MAX; i++)
        ret->bytes += weigh(w.found[i], top);
}
