/* confine.c - enter a smaller box, layer by layer.
 *
 *     namespaces -> (fork: a packager with BOX_PIDS) -> tree -> rights -> Landlock -> limits ->
 * filter
 *
 * The order is that of layers.h; limits come last but one, as a limit of processes or memory would
 * hold up what builds the box. */
#include "box/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box/inside.h"
#include "box/layers.h"
#include "box/rules.h"

enum {
    ABI_MOVES = 2,   /* of Landlock: files may be moved from folder to folder, as installers do */
    ABI_SIGNALS = 6, /* of Landlock: none leaves it */
    FILES_MAX = 1024,
    PROCESSES_MAX = 512, /* and threads */
};

static size_t count_of(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

static bool sees_everything(const struct box_walls *w)
{
    for (size_t i = 0; w->reads && w->reads[i]; i++)
        if (strcmp(w->reads[i], "/") == 0)
            return true;
    return false;
}

/* Of the layers that are asked for those that such a process can have. */
static unsigned layers_of(const struct box_walls *w)
{
    unsigned layers = w->layers;

    if (w->stage != BOX_PACKAGER)
        layers &= ~BOX_BIT(BOX_PIDS); /* no processes, and no number of one in any call */
    else
        layers &= ~BOX_BIT(BOX_NET);
    if (sees_everything(w))
        layers &= ~BOX_BIT(BOX_TREE);
    if (w->stage != BOX_READER && box_landlock_abi() < ABI_MOVES)
        layers &= ~BOX_BIT(BOX_LANDLOCK);
    return layers;
}

static struct box_paths paths_of(const struct box_walls *w)
{
    return (struct box_paths){.list = w->reads,
                              .count = count_of(w->reads),
                              .writes = w->writes,
                              .write_count = count_of(w->writes),
                              .owns = w->owns,
                              .own_count = count_of(w->owns),
                              .can_run = w->stage != BOX_READER,
                              .can_connect = w->stage == BOX_PACKAGER};
}

/* Who it becomes; 0: nobody else. */
static unsigned uid_of(const struct box_walls *w, unsigned layers, const struct box_paths *paths,
                       struct box_owners *ret_owners)
{
    const unsigned need = BOX_BIT(BOX_UID) | BOX_BIT(BOX_TREE);
    struct err ignored;

    if (w->uid == 0 || (layers & need) != need ||
        box_owners_take(ret_owners, paths, w->uid, &ignored) < 0)
        return 0;
    return w->uid;
}

/* ---- the process that waits ---- */

static _Noreturn void end_as(int status)
{
    const struct rlimit no_core = {0, 0};

    if (WIFSIGNALED(status)) {
        setrlimit(RLIMIT_CORE, &no_core);
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Who waits needs no rights for that.  If he cannot lose them he ends, and his child with him. */
static _Noreturn void wait_and_end(pid_t child, unsigned layers, unsigned uid, pid_t parent)
{
    struct err err = {0};
    int status = 0;

    if (box_rights_give_up(layers & BOX_BIT(BOX_UID), uid, -1, &err) < 0 ||
        box_tie_to_parent(parent, &err) < 0) {
        fprintf(stderr, "the box: %s\n", err.text);
        kill(child, SIGKILL);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    end_as(status);
}

/* Go on in a child, the first of its pid namespace.  *ret_parent: what hangs up when we, who wait
 * for it, are gone. */
static int go_on_in_a_child(unsigned layers, unsigned uid, int *ret_parent, struct err *err)
{
    const pid_t parent = getppid();
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(err, errno, "go on in a pid namespace");
    child = fork();
    if (child < 0) {
        close(ends[0]);
        close(ends[1]);
        return err_errno(err, errno, "go on in a pid namespace");
    }
    if (child > 0) {
        close(ends[0]);
        wait_and_end(child, layers, uid, parent);
    }
    close(ends[1]);
    *ret_parent = ends[0];
    return 0;
}

/* Not before the rights are given up: a change of them undoes it. */
static int tie_to_parent(int parent, struct err *err)
{
    struct pollfd p = {.fd = parent};
    int r = 0;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        r = err_errno(err, errno, "tie to the parent process");
    /* Its pid is none in here: by the pipe it is known to be there still. */
    if (r == 0 && parent >= 0 && poll(&p, 1, 0) != 0)
        r = err_set(err, ERR_GONE, "the parent process is gone");
    if (parent >= 0)
        close(parent);
    return r;
}

/* ---- limits ---- */

static int limit(int which, uint64_t value, struct err *err)
{
    struct rlimit now, l = {value, value};

    if (getrlimit((__rlimit_resource_t)which, &now) == 0 && now.rlim_max < value)
        l.rlim_cur = l.rlim_max = now.rlim_max;
    return setrlimit((__rlimit_resource_t)which, &l) < 0
               ? err_errno(err, errno, "set resource limits")
               : 0;
}

static int set_limits(const struct box_walls *w, unsigned layers, struct err *err)
{
    int r = limit(RLIMIT_CORE, 0, err);

    r = r < 0 ? r : limit(RLIMIT_NOFILE, FILES_MAX, err);
    if (r == 0 && BOX_CAN_LIMIT_VM && w->memory_bytes > 0)
        r = limit(RLIMIT_AS, w->memory_bytes, err);
    if (r == 0 && w->file_bytes > 0)
        r = limit(RLIMIT_FSIZE, w->file_bytes, err);
    if (r == 0 && w->cpu_seconds > 0)
        r = limit(RLIMIT_CPU, w->cpu_seconds, err);
    /* Elsewhere the kernel counts all that the user runs. */
    if (r == 0 && (w->stage == BOX_READER || layers & BOX_BIT(BOX_USER)))
        r = limit(RLIMIT_NPROC, w->stage == BOX_READER ? 0 : PROCESSES_MAX, err);
    /* Beyond it a write fails, and kills nobody. */
    if (r == 0 && signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        r = err_errno(err, errno, "limit the size of files");
    return r;
}

/* ---- all of it ---- */

static int enter_filter(const struct box_walls *w, unsigned layers, struct err *err)
{
    const bool stay_in = layers & BOX_BIT(BOX_PIDS) ||
                         (layers & BOX_BIT(BOX_LANDLOCK) && box_landlock_abi() >= ABI_SIGNALS);
    const enum rules_more more =
        (stay_in ? RULES_SIGNALS : 0) | (w->has_local_sockets ? RULES_LOCAL_SOCKETS : 0);
    struct box_filter filter = {0};
    int r = rules_filter(&filter, w->stage, more, err);

    r = r < 0 ? r : box_filter_enter(&filter, err);
    box_filter_done(&filter);
    return r;
}

static int enter(const struct box_walls *w, unsigned layers, const struct box_paths *paths,
                 unsigned uid, int proc, struct err *err)
{
    const bool is_root = geteuid() == 0;
    bool is_user = false;
    int parent = -1, r = box_namespaces_enter(layers, proc, &is_user, err);

    if (r == 0 && layers & BOX_BIT(BOX_PIDS))
        r = go_on_in_a_child(layers, uid, &parent, err);
    if (r == 0 && layers & BOX_BIT(BOX_TREE))
        r = box_tree_enter(paths, err);
    if (r == 0)
        r = box_rights_give_up(is_user ? layers & ~BOX_BIT(BOX_USER) : layers, uid, proc, err);
    r = r < 0 ? r : tie_to_parent(parent, err);
    if (r == 0 && layers & BOX_BIT(BOX_LANDLOCK))
        r = box_landlock_enter(paths, err);
    if (r == 0 && is_root && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        r = err_errno(err, errno, "set dumpable");
    return r < 0 ? r : set_limits(w, layers, err);
}

static int check_paths(const char *const *list, struct err *err)
{
    for (; list && *list; list++)
        if (**list != '/')
            return err_set(err, ERR_INVALID, "the box: '%.200s' is no absolute path", *list);
    return 0;
}

int box_confine(const struct box_walls *walls, struct err *err)
{
    unsigned layers = layers_of(walls), uid;
    struct box_paths paths = paths_of(walls);
    struct box_owners owners = {0};
    int proc = -1, r = check_paths(walls->reads, err);

    r = r < 0 ? r : check_paths(walls->owns, err);
    r = r < 0 ? r : check_paths(walls->writes, err);
    if (r < 0)
        return r;
    uid = uid_of(walls, layers, &paths, &owners);
    if (uid > 0)
        paths.owners = &owners;
    else
        layers = box_layers_unchanged(layers);
    if (layers & BOX_BIT(BOX_USER))
        proc = box_proc_open();
    r = enter(walls, layers, &paths, uid, proc, err);
    box_owners_done(&owners);
    if (proc >= 0)
        close(proc);
    if (r == 0 && layers & BOX_BIT(BOX_SECCOMP))
        r = enter_filter(walls, layers, err);
    return r < 0 ? err_wrap(err, "the box") : 0;
}
