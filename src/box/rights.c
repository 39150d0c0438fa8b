/* rights.c - user id and capabilities: given up, for good. */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box/inside.h"
#include "box/layers.h"

/* Nothing that is executed or forked can have what is not in the bounding set. */
static int empty_bounding_set(struct err *err)
{
    if (!box_has_capability(CAP_SETPCAP))
        return 0; /* nobody without it can raise anything either, with no_new_privs */
    for (int capability = 0; capability < 64; capability++)
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
            if (errno == EINVAL)
                return 0; /* the kernel knows no further one */
            return err_errno(err, errno, "empty the bounding set of capabilities");
        }
    return 0;
}

static int become(unsigned uid, struct err *err)
{
    if (setgroups(0, NULL) < 0)
        return err_errno(err, errno, "leave the groups of the node");
    if (setresgid(uid, uid, uid) < 0)
        return err_errno(err, errno, "become group %u", uid);
    if (setresuid(uid, uid, uid) < 0)
        return err_errno(err, errno, "become user %u", uid);
    return 0;
}

static int drop_capabilities(struct err *err)
{
    const int bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                     SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {0};
    int r = empty_bounding_set(err);

    if (r < 0)
        return r;
    if (box_has_capability(CAP_SETPCAP) && prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0)
        return err_errno(err, errno, "set securebits");
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &head, data) < 0)
        return err_errno(err, errno, "drop every capability");
    return 0;
}

/* Nobody makes one in a chroot (user_namespaces(7)); behind pivot_root it is none any more. */
static bool can_make_user_namespace(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

unsigned box_layers_unchanged(unsigned layers)
{
    layers &= ~BOX_BIT(BOX_UID);
    if (geteuid() == 0 && !box_has_capability(CAP_SETFCAP))
        layers &= ~BOX_BIT(BOX_USER);
    if (layers & BOX_BIT(BOX_USER) && !(layers & BOX_BIT(BOX_TREE)) && !can_make_user_namespace())
        layers &= ~BOX_BIT(BOX_USER);
    return layers;
}

int box_rights_give_up(unsigned layers, unsigned uid, int proc_fd, struct err *err)
{
    int r = 0;

    if (layers & BOX_BIT(BOX_UID)) {
        r = empty_bounding_set(err);
        r = r < 0 ? r : become(uid, err);
        /* /proc/self/uid_map is root's until then. */
        if (r == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
            r = err_errno(err, errno, "set dumpable");
    }
    if (r == 0 && layers & BOX_BIT(BOX_USER))
        r = box_user_enter(proc_fd, err);
    r = r < 0 ? r : drop_capabilities(err);
    if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        r = err_errno(err, errno, "set no_new_privs");
    return r;
}
