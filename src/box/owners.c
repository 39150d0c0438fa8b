/* owners.c - folders of the node's user, seen by somebody else as his own.
 *
 * A program with a user id of its own has to read what the node's user keeps to
 * himself, and to write what is his afterwards.  A mount of its own can say that
 * one's files are the other's (Linux 5.12, by file system): nothing is changed on
 * the disk, and what is made there belongs to whom the folder belongs.
 *
 * What a mount is told is a user namespace, in which nobody is: a child makes
 * it, its parent says who is who in it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box/layers.h"

static int put_map(pid_t child, const char *name, unsigned owner, unsigned id)
{
    char path[64], line[64];
    int fd, n;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)child, name);
    n = snprintf(line, sizeof line, "%u %u 1\n", owner, id);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (write(fd, line, (size_t)n) != n)
        n = -1;
    close(fd);
    return n < 0 ? -1 : 0;
}

/* `child` is in it.  -1: errno. */
static int take_namespace(pid_t child, const struct stat *st, unsigned uid)
{
    char path[64];

    if (put_map(child, "uid_map", st->st_uid, uid) < 0 ||
        put_map(child, "gid_map", st->st_gid, uid) < 0)
        return -1;
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)child);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* In a child; it ends when we are done with it. */
static _Noreturn void be_in_it(int say, int hear)
{
    char none;
    int why = unshare(CLONE_NEWUSER) < 0 ? errno : 0;

    if (write(say, &why, sizeof why) != sizeof why)
        _exit(1);
    while (read(hear, &none, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

static int make_namespace(const struct stat *st, unsigned uid, struct err *err)
{
    int up[2], down[2], fd = -1, why = 0;
    pid_t child;

    if (pipe2(up, O_CLOEXEC) < 0)
        return err_errno(err, errno, "make a pipe");
    if (pipe2(down, O_CLOEXEC) < 0 || (child = fork()) < 0) {
        close(up[0]);
        close(up[1]);
        return err_errno(err, errno, "fork");
    }
    if (child == 0) {
        close(down[1]);
        be_in_it(up[1], down[0]);
    }
    close(up[1]);
    close(down[0]);
    if (read(up[0], &why, sizeof why) != sizeof why)
        why = EIO;
    if (why == 0 && (fd = take_namespace(child, st, uid)) < 0)
        why = errno;
    close(up[0]);
    close(down[1]);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return fd < 0 ? err_errno(err, why, "make a user namespace for a mount") : fd;
}

int box_owners_of(const struct box_owners *owners, const struct stat *st)
{
    for (size_t i = 0; owners && i < owners->count; i++)
        if (owners->of[i].uid == st->st_uid && owners->of[i].gid == st->st_gid)
            return owners->of[i].fd;
    return -1;
}

static int need(struct box_owners *owners, const struct stat *st, unsigned uid, struct err *err)
{
    int fd = box_owners_of(owners, st);

    if (fd >= 0)
        return fd;
    if (owners->count == BOX_OWNERS_MAX)
        return err_set(err, ERR_LIMIT, "folders of more than %d users", BOX_OWNERS_MAX);
    fd = make_namespace(st, uid, err);
    if (fd >= 0) {
        owners->of[owners->count].uid = st->st_uid;
        owners->of[owners->count].gid = st->st_gid;
        owners->of[owners->count++].fd = fd;
    }
    return fd;
}

/* A mount that nobody sees, to find out whether its file system can do it. */
static int try_one(struct box_owners *owners, const char *path, unsigned uid, struct err *err)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};
    int mount = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), fd, r = 0;
    struct stat st;

    if (mount < 0)
        return errno == ENOENT ? 0 : err_errno(err, errno, "take '%s'", path);
    if (fstat(mount, &st) < 0)
        r = err_errno(err, errno, "look at '%s'", path);
    fd = r < 0 ? -1 : need(owners, &st, uid, err);
    if (fd < 0) {
        close(mount);
        return err->code;
    }
    attr.userns_fd = (uint64_t)fd;
    if (mount_setattr(mount, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
        r = err_errno(err, errno, "the file system of '%s' does not show files as another user's",
                      path);
    close(mount);
    return r;
}

int box_owners_take(struct box_owners *ret, const struct box_paths *paths, unsigned uid,
                    struct err *err)
{
    struct box_owners owners = {0};
    int r = 0;

    for (size_t i = 0; i < paths->own_count && r == 0; i++)
        r = try_one(&owners, paths->owns[i], uid, err);
    for (size_t i = 0; i < paths->write_count && r == 0; i++)
        r = try_one(&owners, paths->writes[i], uid, err);
    if (r < 0)
        box_owners_done(&owners);
    *ret = owners;
    return r;
}

void box_owners_done(struct box_owners *owners)
{
    for (size_t i = 0; i < owners->count; i++)
        close(owners->of[i].fd);
    *owners = (struct box_owners){0};
}
