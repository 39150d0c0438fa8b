/* boxed.c - see boxed.h.
 *
 * The zygote waits for its template on a socket pair, `tie`, since the kernel's
 * tie between them (PDEATHSIG) can only be made by a process that is its child
 * already and will not change its credentials any more:
 *
 *     A or B -> zygote   the pid of the template, 0: it is me
 *     zygote -> template 'p': you are my child
 *     template -> zygote 't': I am tied
 *     zygote -> template 'g': I was alive then
 *
 * Until 'g' no tenant's byte is near, so all of them can be believed.
 *
 * What a template reads of the system is found by looking at this process:
 * the folders of its shared libraries, Python's own, and a list of data. */
#include "worker/boxed.h"

#include <errno.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "box/layers.h"

enum {
    BOXED_WAIT_S = 10,   /* for a template that does nothing but system calls */
    BOXED_THREADS = 512, /* and processes, of all instances of a worker, and for each core: an */
    BOXED_THREADS_CORE = 256, /* instance with all of its threads, and one that drains */
    BOXED_WORKERS = 16,       /* of an account, all of which do that at a time */
};

/* Data that libraries look for by name.  No keys: /etc/ssl/private is left out. */
static const char *const DATA[] = {
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/os-release",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
    "/usr/lib/locale",
    "/usr/lib/python3/dist-packages/packaging", /* with which micropip reads versions */

    "/usr/lib/ssl",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
};
/* The tree has these of its own. */
static const char *const DEVICES[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                      "/dev/urandom"};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- what may be read ---- */

static bool is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static int add_path(struct worker_box *box, const char *path, size_t len)
{
    char *copy;

    if (box->path_count == BOX_PATHS_MAX)
        return ERR_LIMIT;
    copy = mem_copy(path, len);
    if (!copy)
        return ERR_NOMEM;
    for (size_t i = 0; i < box->path_count; i++)
        if (is_below(copy, box->paths[i])) {
            mem_free(copy);
            return 0;
        }
    box->paths[box->path_count++] = copy;
    return 0;
}

static int add_library(struct dl_phdr_info *info, size_t size, void *self)
{
    const char *slash = strrchr(info->dlpi_name, '/');

    (void)size;
    return info->dlpi_name[0] == '/' && slash > info->dlpi_name
               ? add_path(self, info->dlpi_name, (size_t)(slash - info->dlpi_name))
               : 0;
}

int boxed_prepare(struct worker_box *box, struct err *err)
{
    char library[PATH_MAX];
    int r = realm_python_library(library, sizeof library, err);

    if (r < 0)
        return r;
    box->paths = mem_alloc(BOX_PATHS_MAX * sizeof *box->paths);
    r = box->paths ? add_path(box, library, strlen(library)) : ERR_NOMEM;
    r = r < 0 ? r : dl_iterate_phdr(add_library, box);
    for (size_t i = 0; i < COUNT(DATA) && r == 0; i++)
        r = add_path(box, DATA[i], strlen(DATA[i]));
    for (size_t i = 0; i < COUNT(DEVICES) && !(box->layers & BOX_BIT(BOX_TREE)) && r == 0; i++)
        r = add_path(box, DEVICES[i], strlen(DEVICES[i]));
    return r < 0 ? err_set(err, r, "list what workers may read: no room") : 0;
}

static int let_in(const char *path, size_t len, struct err *err)
{
    char *copy = mem_copy(path, len);
    int r = copy ? box_make_readable(copy, err) : err_nomem(err);

    mem_free(copy);
    return r;
}

static int add_lines(struct worker_box *box, struct span lines, struct err *err)
{
    int r = 0;

    while (lines.len > 0 && r == 0) {
        const char *end = memchr(lines.data, '\n', lines.len);
        size_t n = end ? (size_t)(end - lines.data) : lines.len;
        if (n > 0)
            r = add_path(box, lines.data, n);
        if (r < 0)
            return err_set(err, r, "list what this worker may read: no room");
        if (n > 0 && box->layers & BOX_BIT(BOX_UID))
            r = let_in(lines.data, n, err);
        lines.data += end ? n + 1 : n;
        lines.len -= end ? n + 1 : n;
    }
    return r;
}

/* ---- the tie ---- */

/* false: the other side is gone, or says something else. */
static bool hear(int fd, char word)
{
    char got = 0;
    ssize_t n;

    do
        n = read(fd, &got, 1);
    while (n < 0 && errno == EINTR);
    return n == 1 && got == word;
}

static bool say(int fd, char word)
{
    return send(fd, &word, 1, MSG_NOSIGNAL) == 1;
}

static void introduce(int fd, pid_t pid)
{
    if (send(fd, &pid, sizeof pid, MSG_NOSIGNAL) != (ssize_t)sizeof pid)
        _exit(1); /* the zygote is gone */
}

/* In A: make the namespaces; returns in the template. */
static void enter_namespaces(struct heritage *h)
{
    pid_t pid;
    int r;

    h->proc_fd = box_proc_open();
    r = box_namespaces_enter(h->box.layers, h->proc_fd, &h->is_user_made, &h->box_err);
    pid = r < 0 || !(h->box.layers & BOX_BIT(BOX_PIDS)) ? 0 : fork();
    if (pid < 0)
        (void)err_errno(&h->box_err, errno, "fork into a pid namespace");
    if (pid > 0) {
        introduce(h->tie_fd, pid);
        _exit(0);
    }
    if (r < 0 || pid < 0 || !(h->box.layers & BOX_BIT(BOX_PIDS)))
        introduce(h->tie_fd, 0);
}

/* In the zygote: the pid of the template, tied; -1. */
static pid_t await(int fd, pid_t a)
{
    pid_t pid = -1;
    ssize_t n;

    do
        n = recv(fd, &pid, sizeof pid, MSG_WAITALL);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof pid || pid < 0) {
        kill(a, SIGKILL);
        return -1;
    }
    if (pid > 0) {
        while (waitpid(a, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    a = pid > 0 ? pid : a;
    if (say(fd, 'p') && hear(fd, 't') && say(fd, 'g'))
        return a;
    kill(a, SIGKILL);
    return -1;
}

pid_t boxed_fork(struct heritage *h)
{
    const struct timeval patience = {.tv_sec = BOXED_WAIT_S};
    int tie[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tie) < 0)
        return -1;
    pid = fork();
    if (pid != 0)
        close(tie[1]);
    if (pid < 0) {
        close(tie[0]);
        return -1;
    }
    if (pid == 0) {
        close(tie[0]);
        h->tie_fd = tie[1];
        enter_namespaces(h);
        return 0;
    }
    setsockopt(tie[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    pid = await(tie[0], pid);
    close(tie[0]);
    if (pid < 0)
        errno = ETIMEDOUT;
    return pid;
}

/* The last change of credentials has been: a later one would undo it. */
static int tie(struct heritage *h, struct err *err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return err_errno(err, errno, "tie to the parent process");
    if (!say(h->tie_fd, 't') || !hear(h->tie_fd, 'g'))
        return err_set(err, ERR_GONE, "the parent process is gone");
    return 0;
}

/* ---- the layers ---- */

/* Only where the kernel counts this worker's, or this account's, apart from everybody else's. */
static unsigned threads_max(unsigned layers)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const unsigned one = BOXED_THREADS + BOXED_THREADS_CORE * (unsigned)(cores > 0 ? cores : 1);

    if (layers & BOX_BIT(BOX_USER))
        return one;
    return layers & BOX_BIT(BOX_UID) ? one * BOXED_WORKERS : 0;
}

static int enter_layers(struct heritage *h, struct err *err)
{
    const struct box_paths paths = {.list = (const char *const *)h->box.paths,
                                    .count = h->box.path_count};
    unsigned layers = h->is_user_made ? h->box.layers & ~BOX_BIT(BOX_USER) : h->box.layers;
    int r = 0;

    if (h->box_err.code < 0) {
        *err = h->box_err;
        return err->code;
    }
    if (layers & BOX_BIT(BOX_TREE))
        r = box_tree_enter(&paths, err);
    if (r == 0 && layers != 0)
        r = box_rights_give_up(layers, h->box.uid, h->proc_fd, err);
    if (r == 0)
        r = box_limit_threads(threads_max(h->box.layers), err);
    if (r == 0 && h->box.is_watched && prctl(PR_SET_DUMPABLE, 0) < 0)
        r = err_errno(err, errno, "set dumpable");
    return r;
}

int boxed_enter(struct heritage *h, struct span paths, struct err *err)
{
    static const char *const ROOT[] = {"/"};
    struct box_paths all;
    struct err gone = {0};
    int r;

    if (!hear(h->tie_fd, 'p'))
        return err_set(err, ERR_GONE, "the parent process is gone");
    /* All that its code forks is of this group, since the filter lets nobody leave: one signal ends it. */
    if (setpgid(0, 0) < 0)
        return err_errno(err, errno, "make a process group");
    r = add_lines(&h->box, paths, err);
    r = r < 0 ? r : enter_layers(h, err);
    if (tie(h, &gone) < 0) {
        *err = gone;
        return err->code;
    }
    close(h->tie_fd);
    close(h->proc_fd);
    all = (struct box_paths){.list = (const char *const *)h->box.paths, .count = h->box.path_count};
    if (h->box.layers & BOX_BIT(BOX_TREE))
        all = (struct box_paths){.list = ROOT, .count = 1};
    if (r == 0 && h->box.layers & BOX_BIT(BOX_LANDLOCK))
        r = box_landlock_enter(&all, err);
    return r;
}
