/* reopen.c - let the loader of the C library open a descriptor where there is no /proc.
 *
 * A library that is a file in memory is a memfd, and the loader wants a path.
 * With /proc there is one; in a box without it a system call of the loader's is
 * answered here instead: for the time of one dlopen, the kernel hands the
 * calling thread's system calls to us (prctl PR_SET_SYSCALL_USER_DISPATCH, Linux
 * 5.11), save those that come from the C library itself.  The loader, which is a
 * library apart, opens the path that was agreed upon: it gets a duplicate of the
 * descriptor, and from then on all goes its usual way.
 *
 * x86 alone has this; elsewhere (and on older kernels) reopen_begin says no, and
 * the path below /proc has to do. */
#include "realm/py/reopen.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__)

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
enum { DISPATCH_OFF = 0, DISPATCH_ON = 1 };
enum { SELECT_ALLOW = 0, SELECT_BLOCK = 1 };

struct range {
    uintptr_t from, len;
};

/* One at a time: the caller holds the GIL and memory's lock. */
static struct range libc; /* the C library's code */
static struct sigaction before;
static const char *expected; /* NULL: nothing is */
static int handed;
static volatile char selector;

static int find_libc(struct dl_phdr_info *info, size_t size, void *self)
{
    const char *name = strrchr(info->dlpi_name, '/');

    (void)size, (void)self;
    if (!name || strcmp(name, "/libc.so.6") != 0)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && p->p_flags & PF_X) {
            libc = (struct range){info->dlpi_addr + p->p_vaddr, p->p_memsz};
            return 1;
        }
    }
    return 0;
}

static long answer(const greg_t *r)
{
    long result;

    if (r[REG_RAX] == SYS_openat && expected && strcmp((const char *)r[REG_RSI], expected) == 0) {
        result = fcntl(handed, F_DUPFD_CLOEXEC, 3);
        if (result >= 0)
            (void)lseek((int)result, 0, SEEK_SET);
        expected = NULL;
    } else {
        result = syscall(r[REG_RAX], r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8],
                         r[REG_R9]);
    }
    return result < 0 ? -errno : result;
}

static void on_call(int number, siginfo_t *info, void *context)
{
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    const int kept = errno;

    (void)number, (void)info;
    selector = SELECT_ALLOW;
    r[REG_RAX] = answer(r);
    errno = kept;
    if (expected)
        selector = SELECT_BLOCK;
}

bool reopen_begin(const char *path, int fd)
{
    struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO | SA_NODEFER};

    if (libc.len == 0 && dl_iterate_phdr(find_libc, NULL) == 0)
        return false;
    if (sigaction(SIGSYS, &action, &before) < 0)
        return false;
    selector = SELECT_ALLOW;
    if (prctl(PR_SET_SYSCALL_USER_DISPATCH, DISPATCH_ON, libc.from, libc.len, &selector) < 0) {
        (void)sigaction(SIGSYS, &before, NULL);
        return false;
    }
    handed = fd;
    expected = path;
    selector = SELECT_BLOCK;
    return true;
}

void reopen_end(void)
{
    selector = SELECT_ALLOW;
    expected = NULL;
    (void)prctl(PR_SET_SYSCALL_USER_DISPATCH, DISPATCH_OFF, 0, 0, 0);
    (void)sigaction(SIGSYS, &before, NULL);
}

#else

bool reopen_begin(const char *path, int fd)
{
    (void)path, (void)fd;
    return false;
}

void reopen_end(void) {}

#endif
