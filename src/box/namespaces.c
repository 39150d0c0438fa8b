/* namespaces.c - which namespaces, and who one is in them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box/inside.h"
#include "box/layers.h"

int box_proc_open(void)
{
    return open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool box_has_capability(int capability)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {0};

    if (syscall(SYS_capget, &head, data) < 0)
        return false;
    return data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

bool box_may_look(void)
{
    return box_has_capability(CAP_SYS_PTRACE);
}

bool box_is_admin(void)
{
    return box_has_capability(CAP_SYS_ADMIN);
}

static int put(int proc_fd, const char *name, const char *text, struct err *err)
{
    char path[64];
    int fd, r = 0;

    snprintf(path, sizeof path, "self/%s", name);
    fd = openat(proc_fd, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "user namespace: open /proc/self/%s", name);
    if (write(fd, text, strlen(text)) < 0)
        r = err_errno(err, errno, "user namespace: write /proc/self/%s", name);
    close(fd);
    return r;
}

int box_user_enter(int proc_fd, struct err *err)
{
    char uids[64], gids[64];
    int r;

    snprintf(uids, sizeof uids, "%d %u 1", BOX_INSIDE_UID, (unsigned)geteuid());
    snprintf(gids, sizeof gids, "%d %u 1", BOX_INSIDE_UID, (unsigned)getegid());
    if (unshare(CLONE_NEWUSER) < 0)
        return err_errno(err, errno, "make a user namespace");
    r = put(proc_fd, "setgroups", "deny", err);
    r = r < 0 ? r : put(proc_fd, "uid_map", uids, err);
    return r < 0 ? r : put(proc_fd, "gid_map", gids, err);
}

static int make(int flag, const char *name, struct err *err)
{
    return unshare(flag) < 0 ? err_errno(err, errno, "make %s namespace", name) : 0;
}

int box_namespaces_enter(unsigned layers, int proc_fd, bool *ret_is_user, struct err *err)
{
    int r = 0;

    *ret_is_user = layers & BOX_BIT(BOX_USER) && !box_is_admin();
    if (*ret_is_user)
        r = box_user_enter(proc_fd, err);
    if (r == 0 && layers & BOX_BIT(BOX_TREE))
        r = make(CLONE_NEWNS, "a mount", err);
    if (r == 0 && layers & BOX_BIT(BOX_NET))
        r = make(CLONE_NEWNET, "a network", err);
    if (r == 0 && layers & BOX_BIT(BOX_IPC))
        r = make(CLONE_NEWIPC, "an ipc", err);
    if (r == 0 && layers & BOX_BIT(BOX_IPC))
        r = make(CLONE_NEWUTS, "a uts", err);
    if (r == 0 && layers & BOX_BIT(BOX_IPC) && sethostname("worker", 6) < 0)
        r = err_errno(err, errno, "uts namespace: set the host's name");
    if (r == 0 && layers & BOX_BIT(BOX_IPC))
        r = make(CLONE_NEWCGROUP, "a cgroup", err);
    if (r == 0 && layers & BOX_BIT(BOX_PIDS))
        r = make(CLONE_NEWPID, "a pid", err);
    return r;
}
