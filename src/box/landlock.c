/* landlock.c - the same promise as the tree's, kept by another part of the kernel.
 *
 * All rights over files that this kernel's Landlock knows are taken, and reading
 * is given back for the paths; running programs is not.  From ABI 4 on no TCP
 * port can be bound or connected to, from ABI 6 on no abstract socket and no
 * process outside can be reached.  What a later ABI adds is not relied upon. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box/layers.h"

/* By number: Debian 12's headers know those of ABI 2. */
enum {
    FS_ABI_1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,     /* ABI 2 */
    FS_TRUNCATE = 1 << 14,  /* ABI 3 */
    FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
    NET_BIND_CONNECT = 3,   /* ABI 4 */
    NET_BIND = 1,
    SCOPE_SOCKETS_SIGNALS = 3, /* ABI 6 */
};

struct ruleset {
    uint64_t fs, net, scoped;
};

int box_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return abi > 0 ? (int)abi : 0;
}

/* Everything that an ABI knows, and how many bytes of the struct it does. */
static size_t all_of(int abi, struct ruleset *ret)
{
    *ret = (struct ruleset){.fs = FS_ABI_1};
    if (abi >= 2)
        ret->fs |= FS_REFER;
    if (abi >= 3)
        ret->fs |= FS_TRUNCATE;
    if (abi >= 4)
        ret->net = NET_BIND_CONNECT;
    if (abi >= 5)
        ret->fs |= FS_IOCTL_DEV;
    if (abi >= 6)
        ret->scoped = SCOPE_SOCKETS_SIGNALS;
    return abi >= 6 ? sizeof *ret : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

/* Everything in a folder but to run it, and to make devices, pipes and sockets. */
static const uint64_t CHANGES = LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                                LANDLOCK_ACCESS_FS_MAKE_SYM | FS_REFER | FS_TRUNCATE;
/* Those of a file that is no folder. */
static const uint64_t OF_FILES = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                 LANDLOCK_ACCESS_FS_EXECUTE | FS_TRUNCATE;

/* `more`: than to read it. */
static int allow(int ruleset, const struct ruleset *all, const char *path, uint64_t more,
                 struct err *err)
{
    struct landlock_path_beneath_attr rule = {0};
    struct stat st;
    bool is_plain;
    int r = 0;

    path = box_path_of(path, &is_plain);
    rule.parent_fd = is_plain ? box_plain_open(path, err) : open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0 && is_plain)
        return err_wrap(err, "landlock");
    if (rule.parent_fd < 0)
        return errno == ENOENT ? 0 : err_errno(err, errno, "landlock: open '%s'", path);
    more |= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    if (fstat(rule.parent_fd, &st) < 0 || !S_ISDIR(st.st_mode))
        more &= OF_FILES;
    rule.allowed_access = more & all->fs;
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
        r = err_errno(err, errno, "landlock: allow '%s'", path);
    close(rule.parent_fd);
    return r;
}

static int allow_all(int ruleset, const struct ruleset *all, const struct box_paths *paths,
                     struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < paths->count && r == 0; i++)
        r = allow(ruleset, all, paths->list[i], paths->can_run ? LANDLOCK_ACCESS_FS_EXECUTE : 0,
                  err);
    for (size_t i = 0; i < paths->own_count && r == 0; i++)
        r = allow(ruleset, all, paths->owns[i], paths->can_run ? LANDLOCK_ACCESS_FS_EXECUTE : 0,
                  err);
    for (size_t i = 0; i < paths->write_count && r == 0; i++)
        r = allow(ruleset, all, paths->writes[i], CHANGES, err);
    if (paths->can_run && r == 0)
        r = allow(ruleset, all, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE, err);
    return r;
}

int box_landlock_enter(const struct box_paths *paths, struct err *err)
{
    struct ruleset all;
    size_t size = all_of(box_landlock_abi(), &all);
    int ruleset, r;

    if (paths->can_connect)
        all.net &= NET_BIND;
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
    if (ruleset < 0)
        return err_errno(err, errno, "landlock: make a ruleset");
    r = allow_all(ruleset, &all, paths, err);
    if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        r = err_errno(err, errno, "set no_new_privs");
    if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        r = err_errno(err, errno, "landlock: enter it");
    close(ruleset);
    return r;
}
