/* tree.c - a root of our own: what may be read, at the places where it always was.
 *
 * The new root is a small tmpfs that nobody can find until it is whole.  Each
 * path is walked here, with the symbolic links on its way made again in the
 * new root, and its end is taken out of the file tree as a mount of its own:
 * read-only, nosuid, nodev.  Then the root is put somewhere, the ends are put
 * into it, it becomes "/", and all else is let go.
 *
 * In a chroot there is more above our root than we see: pivot_root refuses, and
 * mounts there may be shared with the host.  Root can climb out of a chroot,
 * so it does: our namespace's copy of the host is made private and let go as
 * a whole.
 *
 * Called by: worker/boxed.c, detect.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "box/layers.h"

enum {
    TREE_LINKS_MAX = 16, /* symbolic links on the way to one path */
    TREE_CLIMB = 256,    /* folders that a chroot may be below the real root */
};

struct leaf {
    int fd;     /* a mount that is nowhere yet */
    char *path; /* where it goes, without the first slash; no links in it */
};

struct tree {
    int root; /* the new root */
    int real; /* "/" outside of the chroot that we are in; -1: we are in none */
    struct leaf *leaves;
    size_t count;
    uint64_t attributes;             /* of those that are taken now */
    const struct box_owners *owners; /* likewise; NULL: they stay whose they are */
    bool is_plain;                   /* no link may be on the way of the one that is taken now */
};

static int sys_error(struct err *err, const char *what, const char *path)
{
    return err_errno(err, errno, "tree: %s%s%s%s", what, path ? " '" : "", path ? path : "",
                     path ? "'" : "");
}

/* ---- the way out of a chroot ---- */

static int climb(struct tree *t, struct err *err)
{
    int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), r = 0;

    if (old < 0)
        return sys_error(err, "open", "/");
    /* Whose folder is above his root is not held by it. */
    if (chdir("/") < 0 || chroot("usr") < 0)
        r = sys_error(err, "leave the chroot", NULL);
    for (int i = 0; r == 0 && i < TREE_CLIMB; i++)
        if (chdir("..") < 0)
            r = sys_error(err, "leave the chroot", NULL);
    if (r == 0 && chroot(".") < 0)
        r = sys_error(err, "leave the chroot", NULL);
    if (r == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        r = sys_error(err, "make the mounts private", NULL);
    if (r == 0) {
        t->real = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (t->real < 0 || fchdir(old) < 0 || chroot(".") < 0)
            r = sys_error(err, "come back to the chroot", NULL);
    }
    close(old);
    return r;
}

/* Nothing that is mounted here is seen outside. */
static int make_private(struct tree *t, struct err *err)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        return 0;
    return errno == EINVAL ? climb(t, err) : sys_error(err, "make the mounts private", NULL);
}

/* ---- the new root ---- */

static int make_root(struct tree *t, struct err *err)
{
    int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), r = 0;

    if (fs < 0)
        return sys_error(err, "make a tmpfs", NULL);
    if (fsconfig(fs, FSCONFIG_SET_STRING, "size", "1m", 0) < 0 ||
        fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "8192", 0) < 0 ||
        fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) < 0 ||
        fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        r = sys_error(err, "make a tmpfs", NULL);
    if (r == 0) {
        t->root = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        if (t->root < 0)
            r = sys_error(err, "mount a tmpfs", NULL);
    }
    close(fs);
    return r;
}

/* A path that was asked for may be there already; root without CAP_DAC_OVERRIDE could not open it
 * again. */
static int make_file(struct tree *t, const char *path, const char *text, struct err *err)
{
    int fd = openat(t->root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444), r = 0;

    if (fd < 0)
        return errno == EEXIST ? 0 : sys_error(err, "make", path);
    if (write(fd, text, strlen(text)) < 0)
        r = sys_error(err, "write", path);
    close(fd);
    return r;
}

static int make_folder(struct tree *t, const char *path, struct err *err)
{
    if (mkdirat(t->root, path, 0755) < 0 && errno != EEXIST)
        return sys_error(err, "make", path);
    return 0;
}

/* ---- one path ---- */

/* The files of this mount are seen as those of whom it is for.  Not what is mounted in it. */
static int give_away(const struct tree *t, int mount, const char *path, const struct stat *st,
                     struct err *err)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};
    int fd = box_owners_of(t->owners, st);

    if (fd < 0)
        return 0;
    attr.userns_fd = (uint64_t)fd;
    return mount_setattr(mount, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0
               ? sys_error(err, "show as another user's", path)
               : 0;
}

/* Its end, as a mount that is nowhere yet. */
static int take_leaf(struct tree *t, const char *path, const struct stat *st, struct err *err)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | t->attributes,
                              .propagation = MS_PRIVATE};
    struct leaf leaf = {.fd = -1};
    int end, r;

    if (t->count == BOX_PATHS_MAX)
        return err_set(err, ERR_LIMIT, "tree: more than %d paths", BOX_PATHS_MAX);
    r = S_ISDIR(st->st_mode) ? make_folder(t, path + 1, err) : make_file(t, path + 1, "", err);
    if (r < 0)
        return r;
    /* What was walked had no link in it; has it still none? */
    end = box_plain_open(path, err);
    if (end < 0)
        return err_wrap(err, "tree");
    leaf.fd =
        open_tree(end, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
    close(end);
    if (leaf.fd < 0)
        return sys_error(err, "take", path);
    if (!S_ISCHR(st->st_mode))
        attr.attr_set |= MOUNT_ATTR_NODEV;
    leaf.path = mem_strdup(path + 1);
    if (!leaf.path)
        r = err_nomem(err);
    else if (mount_setattr(leaf.fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0)
        r = sys_error(err, "make read-only", path);
    if (r == 0)
        r = give_away(t, leaf.fd, path, st, err);
    if (r < 0) {
        close(leaf.fd);
        mem_free(leaf.path);
        return r;
    }
    t->leaves[t->count++] = leaf;
    return 0;
}

/* Where a link leads: its target, and the rest of the path behind it. */
static int follow(struct tree *t, const char *link, const char *rest, char ret[static PATH_MAX],
                  struct err *err)
{
    char target[PATH_MAX];
    ssize_t n = readlink(link, target, sizeof target - 1);
    const char *name = strrchr(link, '/');
    int len;

    if (n < 0)
        return sys_error(err, "read the link", link);
    target[n] = '\0';
    if (symlinkat(target, t->root, link + 1) < 0 && errno != EEXIST)
        return sys_error(err, "make the link", link);
    if (target[0] == '/')
        len = snprintf(ret, PATH_MAX, "%s%s", target, rest);
    else
        len = snprintf(ret, PATH_MAX, "%.*s/%s%s", (int)(name - link), link, target, rest);
    return len < PATH_MAX ? 0 : err_set(err, ERR_LIMIT, "tree: '%s' leads too far", link);
}

/* Walk one path; 1: *next is where a link leads, 0: done.  Nothing on its way is a link but the
 * last part of what was walked. */
static int walk(struct tree *t, const char *path, char next[static PATH_MAX], struct err *err)
{
    char done[PATH_MAX] = "";
    size_t len = 0;
    struct stat st;
    int r;

    while (*path) {
        size_t n = strcspn(path, "/");
        const char *part = path;
        path += n + (path[n] == '/');
        if (n == 0 || (n == 1 && part[0] == '.'))
            continue;
        if (n == 2 && memcmp(part, "..", 2) == 0) {
            while (len > 0 && done[--len] != '/')
                ;
            done[len] = '\0';
            continue;
        }
        if (len + n + 2 > sizeof done)
            return err_set(err, ERR_LIMIT, "tree: '%s' is too long", part);
        done[len++] = '/';
        memcpy(done + len, part, n);
        done[len += n] = '\0';
        if (lstat(done, &st) < 0)
            return errno == ENOENT ? 0 : sys_error(err, "look at", done);
        if (S_ISLNK(st.st_mode) && t->is_plain)
            return err_set(err, ERR_SYSTEM,
                           "tree: a symbolic link '%s' is where a folder of the node's should be",
                           done);
        if (S_ISLNK(st.st_mode)) {
            char rest[PATH_MAX];
            snprintf(rest, sizeof rest, "%s%s", *path ? "/" : "", path);
            r = follow(t, done, rest, next, err);
            return r < 0 ? r : 1;
        }
        if (*path && (r = make_folder(t, done + 1, err)) < 0)
            return r;
    }
    return len == 0 ? err_set(err, ERR_INVALID, "tree: '/' cannot be a part of it")
                    : take_leaf(t, done, &st, err);
}

static int add_path(struct tree *t, const char *path, struct err *err)
{
    char at[PATH_MAX], next[PATH_MAX];
    int r;

    path = box_path_of(path, &t->is_plain);
    if (path[0] != '/' || strlen(path) >= sizeof at)
        return err_set(err, ERR_INVALID, "tree: '%.200s' is no absolute path", path);
    strcpy(at, path);
    for (int links = 0; links < TREE_LINKS_MAX; links++) {
        r = walk(t, at, next, err);
        if (r <= 0)
            return r;
        strcpy(at, next);
    }
    return err_set(err, ERR_SYSTEM, "tree: too many links on the way to '%s'", path);
}

static int fill(struct tree *t, const struct box_paths *paths, struct err *err)
{
    static const char *const DEVICES[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                          "/dev/urandom"};
    int r = 0;

    for (size_t i = 0; i < sizeof DEVICES / sizeof *DEVICES && r == 0; i++)
        r = add_path(t, DEVICES[i], err);
    for (size_t i = 0; i < paths->count && r == 0; i++)
        r = add_path(t, paths->list[i], err);
    t->owners = paths->owners;
    for (size_t i = 0; i < paths->own_count && r == 0; i++)
        r = add_path(t, paths->owns[i], err);
    t->attributes = MOUNT_ATTR_NOEXEC;
    for (size_t i = 0; i < paths->write_count && r == 0; i++)
        r = add_path(t, paths->writes[i], err);
    r = r < 0 ? r : make_folder(t, "tmp", err);
    r = r < 0 ? r : make_folder(t, "etc", err);
    r = r < 0
            ? r
            : make_file(t, "etc/passwd", "worker:x:1000:1000:worker:/tmp:/usr/sbin/nologin\n", err);
    r = r < 0 ? r : make_file(t, "etc/group", "worker:x:1000:\n", err);
    r = r < 0 ? r : make_file(t, "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n", err);
    return r < 0 ? r
                 : make_file(t, "etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n",
                             err);
}

/* ---- all of it ---- */

static int enter(struct tree *t, struct err *err)
{
    const struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC};
    int r = 0, place = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (place < 0)
        return sys_error(err, "open", "/usr");
    if (t->real >= 0 && (fchdir(t->real) < 0 || chroot(".") < 0))
        r = sys_error(err, "leave the chroot", NULL);
    if (r == 0 &&
        move_mount(t->root, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        r = sys_error(err, "mount the new root", NULL);
    close(place);
    for (size_t i = 0; i < t->count && r == 0; i++)
        if (move_mount(t->leaves[i].fd, "", t->root, t->leaves[i].path, MOVE_MOUNT_F_EMPTY_PATH) <
            0)
            r = sys_error(err, "mount", t->leaves[i].path);
    if (r < 0)
        return r;
    if (fchdir(t->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
        return sys_error(err, "pivot_root", NULL);
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
        return sys_error(err, "let go of the old root", NULL);
    if (mount_setattr(AT_FDCWD, "/", 0, (struct mount_attr *)&read_only, sizeof read_only) < 0)
        return sys_error(err, "make the root read-only", NULL);
    return 0;
}

int box_tree_enter(const struct box_paths *paths, struct err *err)
{
    struct tree t = {.root = -1, .real = -1, .attributes = MOUNT_ATTR_RDONLY};
    mode_t mask = umask(022);
    int r;

    t.leaves = mem_alloc(BOX_PATHS_MAX * sizeof *t.leaves);
    r = t.leaves ? make_private(&t, err) : err_nomem(err);
    r = r < 0 ? r : make_root(&t, err);
    r = r < 0 ? r : fill(&t, paths, err);
    r = r < 0 ? r : enter(&t, err);
    for (size_t i = 0; i < t.count; i++) {
        close(t.leaves[i].fd);
        mem_free(t.leaves[i].path);
    }
    mem_free(t.leaves);
    if (t.root >= 0)
        close(t.root);
    if (t.real >= 0)
        close(t.real);
    umask(mask);
    return r;
}
