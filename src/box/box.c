/* box.c - the parts of the box that are one call each. */
#include "box/box.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    BOX_NOFILE = 256,
    BOX_FILE_BYTES = 256 << 20, /* of one memfd, the only files that can be written */
};

/* AddressSanitizer reserves terabytes of address space and dies of a limit. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BOX_CAN_LIMIT_VM 0
#endif
#endif
#ifndef BOX_CAN_LIMIT_VM
#define BOX_CAN_LIMIT_VM 1
#endif

int box_tie_to_parent(pid_t parent, struct err *err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return err_errno(err, errno, "tie to the parent process");
    /* It may have died between the fork and the call. */
    if (getppid() != parent)
        return err_set(err, ERR_GONE, "the parent process is gone");
    return 0;
}

void box_close_from(int first) { syscall(SYS_close_range, first, ~0U, 0); }

int box_limit(uint64_t vm_bytes, struct err *err)
{
    const struct rlimit core = {0, 0}, files = {BOX_NOFILE, BOX_NOFILE},
                        size = {BOX_FILE_BYTES, BOX_FILE_BYTES};
    const struct rlimit vm = {vm_bytes, vm_bytes};

    if (setrlimit(RLIMIT_CORE, &core) < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0)
        return err_errno(err, errno, "set resource limits");
    /* Beyond it a write fails, and kills nobody. */
    if (setrlimit(RLIMIT_FSIZE, &size) < 0 || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return err_errno(err, errno, "limit the size of files");
    if (BOX_CAN_LIMIT_VM && vm_bytes > 0 && setrlimit(RLIMIT_AS, &vm) < 0)
        return err_errno(err, errno, "limit the address space");
    return 0;
}

bool box_is_single_threaded(void) { return unshare(CLONE_THREAD) == 0; }
