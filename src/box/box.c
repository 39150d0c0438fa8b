/* box.c - the parts of the box that are one call each. */
#include "box/box.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "box/inside.h"

enum {
    BOX_NOFILE = 256,
    BOX_SIGNALS = 256,          /* that wait to be delivered */
    BOX_FILE_BYTES = 256 << 20, /* of one memfd, the only files that can be written */
};

int box_tie_to_parent(pid_t parent, struct err *err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return err_errno(err, errno, "tie to the parent process");
    /* It may have died between the fork and the call. */
    if (getppid() != parent)
        return err_set(err, ERR_GONE, "the parent process is gone");
    return 0;
}

void box_close_from(int first)
{
    syscall(SYS_close_range, first, ~0U, 0);
}

static rlim_t at_most(uint64_t value, uint64_t most)
{
    return value > 0 && value < most ? value : most;
}

int box_limit(const struct box_limits *limits, struct err *err)
{
    const rlim_t count = at_most(limits->descriptors, BOX_NOFILE);
    const rlim_t bytes = at_most(limits->file_bytes, BOX_FILE_BYTES);
    const struct rlimit core = {0, 0}, files = {count, count}, size = {bytes, bytes};
    const struct rlimit vm = {limits->vm_bytes, limits->vm_bytes};
    const struct rlimit none = {0, 0}, signals = {BOX_SIGNALS, BOX_SIGNALS};

    if (setrlimit(RLIMIT_CORE, &core) < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0 ||
        setrlimit(RLIMIT_MEMLOCK, &none) < 0 || setrlimit(RLIMIT_MSGQUEUE, &none) < 0 ||
        setrlimit(RLIMIT_RTPRIO, &none) < 0 || setrlimit(RLIMIT_NICE, &none) < 0 ||
        setrlimit(RLIMIT_SIGPENDING, &signals) < 0)
        return err_errno(err, errno, "set resource limits");
    /* Beyond it a write fails, and kills nobody. */
    if (setrlimit(RLIMIT_FSIZE, &size) < 0 || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
        return err_errno(err, errno, "limit the size of files");
    if (BOX_CAN_LIMIT_VM && limits->vm_bytes > 0 && setrlimit(RLIMIT_AS, &vm) < 0)
        return err_errno(err, errno, "limit the address space");
    return 0;
}

int box_limit_threads(unsigned max, struct err *err)
{
    const struct rlimit threads = {max, max};

    if (max > 0 && setrlimit(RLIMIT_NPROC, &threads) < 0)
        return err_errno(err, errno, "limit the number of threads");
    return 0;
}

/* ---- threads ---- */

static struct {
    int fd; /* /proc/self/stat of `pid` */
    pid_t pid;
} threads = {.fd = -1};

void box_forget_threads(void)
{
    if (threads.fd >= 0)
        close(threads.fd);
    threads.fd = -1;
    threads.pid = 0;
}

/* The 20th word, by proc(5); the second one is in brackets and may have anything in it. -1:
 * unknown. */
static long count_threads(void)
{
    enum { WORD = 20, NAME = 2 };
    char text[1024], *at;
    ssize_t n;

    if (threads.pid != getpid()) {
        box_forget_threads();
        threads.fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
        threads.pid = getpid();
    }
    n = threads.fd < 0 ? -1 : pread(threads.fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return -1;
    text[n] = '\0';
    at = strrchr(text, ')');
    for (int i = NAME; at && i < WORD; i++)
        at = strchr(at + 1, ' ');
    return at ? strtol(at, NULL, 10) : -1;
}

bool box_is_single_threaded(void)
{
    if (unshare(CLONE_THREAD) == 0)
        return true;
    return errno != EINVAL && count_threads() == 1;
}
