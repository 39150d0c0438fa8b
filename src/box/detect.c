/* detect.c - try each layer for real, in a child that ends afterwards.
 *
 * The probes run the very code that processes of the box run.  A layer that
 * stands on another one is tried on top of it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box/inside.h"
#include "box/layers.h"

struct probe {
    unsigned layers; /* to enter, all of them */
    int (*then)(struct err *err);
};

static int enter_seccomp(struct err *err)
{
    struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {.len = 1, .filter = all};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) < 0)
        return err_errno(err, errno, "install a filter");
    return 0;
}

static int enter_landlock(struct err *err)
{
    static const char *const ROOT[] = {"/"};

    return box_landlock_enter(&(struct box_paths){.list = ROOT, .count = 1}, err);
}

/* Only children are in the new namespace: so have one. */
static int have_child(struct err *err)
{
    int status;
    pid_t pid = fork();

    if (pid < 0)
        return err_errno(err, errno, "start a process in a pid namespace");
    if (pid == 0)
        _exit(getpid() == 1 ? 0 : 1);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0 ? 0 : err_set(err, ERR_SYSTEM, "a pid namespace is none");
}

static int run(const struct probe *probe, struct err *err)
{
    static const char *const PATHS[] = {"/usr/share"};
    int proc_fd = box_proc_open(), r;
    bool is_user;

    r = box_namespaces_enter(probe->layers, proc_fd, &is_user, err);
    if (r == 0 && probe->layers & BOX_BIT(BOX_PIDS))
        r = have_child(err);
    if (r == 0 && probe->layers & BOX_BIT(BOX_TREE))
        r = box_tree_enter(&(struct box_paths){.list = PATHS, .count = 1}, err);
    if (r == 0)
        r = box_rights_give_up(is_user ? probe->layers & ~BOX_BIT(BOX_USER) : probe->layers,
                               BOX_UID_LAST, proc_fd, err);
    return r == 0 && probe->then ? probe->then(err) : r;
}

static void say_end(int status, struct err *err)
{
    if (WIFSIGNALED(status))
        err_set(err, ERR_SYSTEM, "who tries is ended by SIG%s",
                sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
    else
        err_set(err, ERR_SYSTEM, "who tries ends with status %d", WEXITSTATUS(status));
}

/* In a child.  Its words come by a pipe. */
static int try(const struct probe *probe, struct err *err)
{
    int fds[2], status = 0;
    ssize_t n;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_errno(err, errno, "make a pipe");
    pid = fork();
    if (pid < 0) {
        close(fds[0]);
        close(fds[1]);
        return err_errno(err, errno, "fork");
    }
    if (pid == 0) {
        struct err said = {0};
        (void)run(probe, &said);
        _exit(write(fds[1], &said, sizeof said) == sizeof said ? 0 : 1);
    }
    close(fds[1]);
    n = read(fds[0], err, sizeof *err);
    close(fds[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (n != (ssize_t)sizeof *err)
        say_end(status, err);
    return err->code;
}

/* ---- what to do about it ---- */

static long number_in(const char *path)
{
    char text[32];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -1;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return -1;
    text[n] = '\0';
    return strtol(text, NULL, 10);
}

static bool is_container(void)
{
    return access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0 ||
           getenv("KUBERNETES_SERVICE_HOST") != NULL;
}

static const char *how_namespaces(bool is_admin)
{
    if (is_admin)
        return "";
    if (number_in("/proc/sys/user/max_user_namespaces") == 0)
        return "sysctl user.max_user_namespaces=10000, or run the node as root";
    if (number_in("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        return "sysctl kernel.unprivileged_userns_clone=1, or run the node as root";
    if (number_in("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
        return "an AppArmor profile with `userns,` for corral and corral-worker, or run the node "
               "as root";
    if (is_container())
        return "give the container CAP_SYS_ADMIN, or a seccomp profile that allows user namespaces";
    return "run the node as root, on a kernel with namespaces";
}

static const char *how(enum box_layer layer, const struct box_tier *tier)
{
    switch (layer) {
    case BOX_SECCOMP:
        return "a kernel with CONFIG_SECCOMP_FILTER";
    case BOX_LANDLOCK:
        return is_container() ? "Linux 5.13 or later with Landlock, and a container that allows it"
                              : "Linux 5.13 or later, with landlock in the boot parameter lsm=";
    case BOX_UID:
        return tier->is_root ? "the layer tree, and CAP_SYS_PTRACE for the node"
                             : "run the node as root: its workers give every right up";
    default:
        return how_namespaces(box_is_admin());
    }
}

/* ---- all of them ---- */

static void miss(struct box_tier *t, enum box_layer layer, const char *why, const char *do_what)
{
    snprintf(t->why[layer], sizeof t->why[layer], "%.*s", (int)sizeof t->why[layer] - 1, why);
    snprintf(t->how[layer], sizeof t->how[layer], "%.*s", (int)sizeof t->how[layer] - 1, do_what);
}

/* `beneath`: what it stands on, if that is there. */
static void look(struct box_tier *t, unsigned most, enum box_layer layer, unsigned beneath,
                 int (*then)(struct err *err))
{
    const bool is_call = layer == BOX_SECCOMP || layer == BOX_LANDLOCK;
    struct probe probe = {(t->layers & beneath) | (is_call ? 0 : BOX_BIT(layer)), then};
    struct err err = {0};

    if (!(most & BOX_BIT(layer)))
        miss(t, layer, "left out by CORRAL_TEST_BOX", "");
    else if (try(&probe, &err) < 0)
        miss(t, layer, err.text, how(layer, t));
    else
        t->layers |= BOX_BIT(layer);
}

static void look_at_uid(struct box_tier *t, unsigned most)
{
    if (!(most & BOX_BIT(BOX_UID)))
        miss(t, BOX_UID, "left out by CORRAL_TEST_BOX", "");
    else if (!t->is_root)
        miss(t, BOX_UID, "the node does not run as root", how(BOX_UID, t));
    else if (!(t->layers & BOX_BIT(BOX_TREE)))
        miss(t, BOX_UID, "without a tree another user could not read what a worker is made of",
             how(BOX_UID, t));
    else if (!box_has_capability(CAP_SYS_PTRACE) || !box_has_capability(CAP_KILL))
        miss(t, BOX_UID, "the node could not measure or end processes of another user",
             "give the node CAP_SYS_PTRACE and CAP_KILL");
    else
        look(t, most, BOX_UID, BOX_BIT(BOX_TREE), NULL);
}

void box_tier_detect(unsigned most, struct box_tier *ret)
{
    struct box_tier t = {0};
    const bool is_admin = box_is_admin();

    t.is_root = geteuid() == 0 && box_has_capability(CAP_SETUID) && box_has_capability(CAP_SETGID);
    t.landlock_abi = box_landlock_abi();
    look(&t, most, BOX_SECCOMP, 0, enter_seccomp);
    look(&t, most, BOX_LANDLOCK, 0, enter_landlock);
    /* Who is no admin can make the others only in a user namespace. */
    if (!is_admin)
        look(&t, most, BOX_USER, 0, NULL);
    look(&t, most, BOX_TREE, BOX_BIT(BOX_USER), NULL);
    look(&t, most, BOX_PIDS, BOX_BIT(BOX_USER), NULL);
    look(&t, most, BOX_NET, BOX_BIT(BOX_USER), NULL);
    look(&t, most, BOX_IPC, BOX_BIT(BOX_USER), NULL);
    look_at_uid(&t, most);
    if (is_admin)
        look(&t, most, BOX_USER, BOX_BIT(BOX_TREE) | BOX_BIT(BOX_UID), NULL);
    if (!(t.layers & BOX_BIT(BOX_LANDLOCK)))
        t.landlock_abi = 0;
    *ret = t;
}
