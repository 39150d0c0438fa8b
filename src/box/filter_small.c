/* filter_small.c - the seccomp filters of the programs beside the workers.
 *
 * Invariants
 *  1. A call that is on no list fails with ENOSYS: libraries then do without, and nothing here has
 *     to know the calls of kernels to come.
 *  2. None of them makes namespaces, mounts, keys, rings, BPF programs or device files, traces or
 *     reads other processes, or takes descriptors from others.
 *  3. Signals go to the process itself, unless the caller says that the box keeps them in.
 *  4. No file becomes setuid or setgid: it is the node's user who owns what they write.
 *
 * Called by: filter.c for units, confine.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>

#include "box/rules.h"

/* Memory, time, descriptors that are open, its own signals. */
static const int SELF[] = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(close),
    SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(sched_yield), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(gettid),
    SCMP_SYS(getrandom), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* A whole program with threads, its start by exec included, that reads and writes files. */
static const int PROGRAM[] = {
    SCMP_SYS(execve), SCMP_SYS(msync), SCMP_SYS(membarrier),
    SCMP_SYS(arch_prctl), SCMP_SYS(set_tid_address), SCMP_SYS(getcpu), SCMP_SYS(sysinfo),
    SCMP_SYS(uname), SCMP_SYS(getrlimit), SCMP_SYS(getrusage), SCMP_SYS(times),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler),
    SCMP_SYS(getppid), SCMP_SYS(getpgrp), SCMP_SYS(getpgid), SCMP_SYS(getsid),
    SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
    SCMP_SYS(getresuid), SCMP_SYS(getresgid), SCMP_SYS(getgroups), SCMP_SYS(getpriority),
    SCMP_SYS(rt_sigsuspend), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(rt_sigpending),
    SCMP_SYS(pause), SCMP_SYS(alarm), SCMP_SYS(setitimer), SCMP_SYS(getitimer),
    SCMP_SYS(timer_create), SCMP_SYS(timer_settime), SCMP_SYS(timer_delete),
    SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime),
    SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev),
    SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(chdir), SCMP_SYS(fchdir), SCMP_SYS(umask),
    SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
    SCMP_SYS(syncfs), SCMP_SYS(flock), SCMP_SYS(ftruncate), SCMP_SYS(truncate),
    SCMP_SYS(fallocate), SCMP_SYS(fadvise64), SCMP_SYS(copy_file_range), SCMP_SYS(sendfile),
    SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
    SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(symlink),
    SCMP_SYS(symlinkat), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(utimensat),
    SCMP_SYS(utime), SCMP_SYS(utimes), SCMP_SYS(futimesat), SCMP_SYS(getxattr),
    SCMP_SYS(lgetxattr), SCMP_SYS(fgetxattr), SCMP_SYS(listxattr), SCMP_SYS(llistxattr),
    SCMP_SYS(flistxattr), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(pipe),
    SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
    SCMP_SYS(close_range),
};

/* Processes of its own, connections out. */
static const int PACKAGER[] = {
    SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(connect),
    SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),
    SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
};

/* Of sockets: no filters, no descriptors of the peer, nothing of protocols with a history. */
static const struct {
    uint64_t level, option;
} SET[] = {
    {SOL_SOCKET, SO_KEEPALIVE},   {SOL_SOCKET, SO_SNDBUF},       {SOL_SOCKET, SO_RCVBUF},
    {SOL_SOCKET, SO_REUSEADDR},   {SOL_SOCKET, SO_LINGER},       {SOL_SOCKET, SO_RCVTIMEO},
    {SOL_SOCKET, SO_SNDTIMEO},    {IPPROTO_TCP, TCP_NODELAY},    {IPPROTO_TCP, TCP_KEEPIDLE},
    {IPPROTO_TCP, TCP_KEEPINTVL}, {IPPROTO_TCP, TCP_KEEPCNT},    {IPPROTO_TCP, TCP_USER_TIMEOUT},
    {IPPROTO_IP, IP_RECVERR},     {IPPROTO_IPV6, IPV6_RECVERR}, {IPPROTO_IPV6, IPV6_V6ONLY},
}, GET[] = {
    {SOL_SOCKET, SO_TYPE},       {SOL_SOCKET, SO_ERROR},     {SOL_SOCKET, SO_SNDBUF},
    {SOL_SOCKET, SO_RCVBUF},     {SOL_SOCKET, SO_DOMAIN},    {SOL_SOCKET, SO_PROTOCOL},
    {SOL_SOCKET, SO_ACCEPTCONN}, {SOL_SOCKET, SO_KEEPALIVE}, {IPPROTO_TCP, TCP_NODELAY},
};

static const uint64_t NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                       CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                       CLONE_NEWNET;

/* `call` where argument `arg` has none of these bits. */
static int without(scmp_filter_ctx ctx, int call, unsigned arg, uint64_t bits)
{
    return call < 0 ? 0
                    : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
                                       SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, bits, 0));
}

/* Numbers of clocks above these are made of pids: the clocks of others. */
static int add_clocks(scmp_filter_ctx ctx)
{
    static const int CALLS[] = {SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
                                SCMP_SYS(clock_nanosleep)};
    int r = 0;

    for (size_t i = 0; i < COUNT(CALLS) && r == 0; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALLS[i], 1,
                             SCMP_CMP(0, SCMP_CMP_LE, CLOCK_TAI, 0));
    return r;
}

static int add_own_signals(scmp_filter_ctx ctx)
{
    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_CMP(0, SCMP_CMP_EQ, RULES_OWN_PID, 0));
}

/* Memory that can be run is made by loaders and compilers, not by who reads a text. */
static int add_reader(scmp_filter_ctx ctx)
{
    static const uint64_t FCNTLS[] = {F_GETFD, F_GETFL}, NO_PATH[] = {AT_EMPTY_PATH};
    int r = 0;

    r = r ? r : rules_values(ctx, SCMP_SYS(fcntl), 1, FCNTLS, COUNT(FCNTLS));
    /* how libc asks about a descriptor */
    r = r ? r : rules_values(ctx, SCMP_SYS(newfstatat), 3, NO_PATH, 1);
    r = r ? r : rules_memory(ctx, PROT_EXEC);
    return r ? r : add_own_signals(ctx);
}

/* Files, but none that is setuid or setgid. */
static int add_files(scmp_filter_ctx ctx)
{
    static const uint64_t IOCTLS[] = {FIONBIO,  FIOCLEX, FIONCLEX,
                                      FIONREAD, TCGETS,  TIOCGWINSZ, FICLONE};
    static const uint64_t FCNTLS[] = {F_DUPFD,  F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,
                                      F_GETFL,  F_SETFL,         F_GETLK,     F_SETLK,
                                      F_SETLKW, F_OFD_GETLK,     F_OFD_SETLK, F_OFD_SETLKW};
    static const uint64_t PRCTLS[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_VMA,
                                      PR_SET_NO_NEW_PRIVS};
    const uint64_t ids = S_ISUID | S_ISGID;
    int r = 0;

    r = r ? r : without(ctx, SCMP_SYS(open), 2, ids);
    r = r ? r : without(ctx, SCMP_SYS(openat), 3, ids);
    r = r ? r : without(ctx, SCMP_SYS(creat), 1, ids);
    r = r ? r : without(ctx, SCMP_SYS(chmod), 1, ids);
    r = r ? r : without(ctx, SCMP_SYS(fchmod), 1, ids);
    r = r ? r : without(ctx, SCMP_SYS(fchmodat), 2, ids);
    r = r ? r : rules_values(ctx, SCMP_SYS(ioctl), 1, IOCTLS, COUNT(IOCTLS));
    r = r ? r : rules_values(ctx, SCMP_SYS(fcntl), 1, FCNTLS, COUNT(FCNTLS));
    r = r ? r : rules_values(ctx, SCMP_SYS(prctl), 0, PRCTLS, COUNT(PRCTLS));
    /* its own limits, which it can only lower */
    return r ? r
             : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
                                SCMP_CMP(0, SCMP_CMP_EQ, 0, 0));
}

static int add_threads_only(scmp_filter_ctx ctx)
{
    const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    const uint64_t bits =
        thread | CLONE_VFORK | CLONE_PTRACE | CLONE_UNTRACED | NEW_NAMESPACES;

    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_CMP(0, SCMP_CMP_MASKED_EQ, bits, thread));
}

/* To the Internet and back: TCP, and UDP for names. */
static int add_sockets(scmp_filter_ctx ctx)
{
    static const uint64_t DOMAINS[] = {AF_INET, AF_INET6}, UNIX[] = {AF_UNIX};
    static const struct {
        uint64_t type, protocol;
    } KINDS[] = {{SOCK_STREAM, 0},
                 {SOCK_STREAM, IPPROTO_TCP},
                 {SOCK_DGRAM, 0},
                 {SOCK_DGRAM, IPPROTO_UDP}};
    const uint64_t type = ~(uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK);
    int r = 0;

    for (size_t i = 0; i < COUNT(DOMAINS); i++)
        for (size_t k = 0; k < COUNT(KINDS) && r == 0; k++)
            r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3,
                                 SCMP_CMP(0, SCMP_CMP_EQ, DOMAINS[i], 0),
                                 SCMP_CMP(1, SCMP_CMP_MASKED_EQ, type, KINDS[k].type),
                                 SCMP_CMP(2, SCMP_CMP_EQ, KINDS[k].protocol, 0));
    r = r ? r : rules_values(ctx, SCMP_SYS(socketpair), 0, UNIX, 1);
    for (size_t i = 0; i < COUNT(SET) && r == 0; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
                             SCMP_CMP(1, SCMP_CMP_EQ, SET[i].level, 0),
                             SCMP_CMP(2, SCMP_CMP_EQ, SET[i].option, 0));
    for (size_t i = 0; i < COUNT(GET) && r == 0; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(getsockopt), 2,
                             SCMP_CMP(1, SCMP_CMP_EQ, GET[i].level, 0),
                             SCMP_CMP(2, SCMP_CMP_EQ, GET[i].option, 0));
    return r;
}

static int add_packager(scmp_filter_ctx ctx, enum rules_more more)
{
    static const uint64_t UNIX[] = {AF_UNIX};
    int r = rules_list(ctx, SCMP_ACT_ALLOW, PACKAGER, COUNT(PACKAGER));

    r = r ? r : add_files(ctx);
    r = r ? r : add_sockets(ctx);
    if (r == 0 && more & RULES_LOCAL_SOCKETS)
        r = rules_values(ctx, SCMP_SYS(socket), 0, UNIX, 1);
    r = r ? r
          : without(ctx, SCMP_SYS(clone), 0, CLONE_PTRACE | CLONE_UNTRACED | NEW_NAMESPACES);
    /* what it starts ends with it */
    r = r ? r
          : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2,
                             SCMP_CMP(0, SCMP_CMP_EQ, PR_SET_PDEATHSIG, 0),
                             SCMP_CMP(1, SCMP_CMP_EQ, SIGKILL, 0));
    if (r == 0 && more & RULES_SIGNALS) {
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(kill), 0);
        r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0);
    } else if (r == 0) {
        r = add_own_signals(ctx);
    }
    return r;
}

int rules_small(scmp_filter_ctx ctx, enum box_stage stage, enum rules_more more)
{
    int r = rules_list(ctx, SCMP_ACT_ALLOW, SELF, COUNT(SELF));

    r = r ? r : add_clocks(ctx);
    if (r == 0 && stage == BOX_READER)
        return add_reader(ctx);
    r = r ? r : rules_list(ctx, SCMP_ACT_ALLOW, PROGRAM, COUNT(PROGRAM));
    r = r ? r : rules_memory(ctx, 0);
    r = r ? r : rules_memory_files(ctx);
    if (r == 0 && stage == BOX_PACKAGER)
        return add_packager(ctx, more);
    r = r ? r : add_files(ctx);
    r = r ? r : add_threads_only(ctx);
    return r ? r : add_own_signals(ctx);
}
