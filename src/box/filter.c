/* filter.c - the seccomp filters as lists of names.
 *
 * Invariants
 *  1. A call that is on no list fails with ENOSYS, as on an old kernel, so
 *     that libraries fall back; a call on ABUSE fails with EPERM, so that a
 *     person sees a refusal.
 *  2. Whatever an instance may do, a template may do too: filters stack, and
 *     the kernel takes the stricter answer.
 *  3. Foreign call tables (i386 through int 0x80, x32) kill the process.
 *  4. tgkill reaches only this process once the instance stage is in force, or the store's.
 *
 * Called by: worker/zygote.c makes its two, template.c and instance.c enter; store/start.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "box/box.h"
#include "box/rules.h"

/* Harmless with any arguments: own memory, own descriptors, time, own signals,
 * reading the file system.  JavaScriptCore dies without rt_sigsuspend. */
static const int ALLOW[] = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
    SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(close), SCMP_SYS(lseek),
    SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(chdir),
    SCMP_SYS(fchdir), SCMP_SYS(umask),
    SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(pipe), SCMP_SYS(pipe2),
    SCMP_SYS(eventfd2), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(membarrier),
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
    SCMP_SYS(sched_yield), SCMP_SYS(getcpu), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(setitimer), SCMP_SYS(getitimer), SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigsuspend),
    SCMP_SYS(rt_sigtimedwait), SCMP_SYS(rt_sigpending), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(pause), SCMP_SYS(alarm), SCMP_SYS(getpid),
    SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(getgroups), SCMP_SYS(getresuid), SCMP_SYS(getresgid),
    SCMP_SYS(getpgrp), SCMP_SYS(getrusage), SCMP_SYS(times), SCMP_SYS(sysinfo), SCMP_SYS(uname),
    SCMP_SYS(getrandom), SCMP_SYS(getrlimit), SCMP_SYS(exit), SCMP_SYS(exit_group),
    SCMP_SYS(shutdown), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    /* Nothing that a worker can open is a file it could write: what is cut is a memfd. */
    SCMP_SYS(ftruncate),
};

/* Done without the kernel.  All that a worker can write is memory, so there is nothing to flush, and
 * nobody to lock it against; with a file of the tree one would hold up the disk of all others, or the node. */
static const int DONE[] = {
    SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(msync), SCMP_SYS(flock),
};

/* A person should read "not permitted": these reach other processes, the
 * network, or parts of the kernel with a history. */
static const int ABUSE[] = {
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise), SCMP_SYS(process_mrelease), SCMP_SYS(kcmp), SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal), SCMP_SYS(setns), SCMP_SYS(mount),
    SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(open_tree),
    SCMP_SYS(move_mount), SCMP_SYS(fsopen), SCMP_SYS(fsconfig), SCMP_SYS(fsmount),
    SCMP_SYS(fspick), SCMP_SYS(mount_setattr), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
    SCMP_SYS(personality), SCMP_SYS(modify_ldt), SCMP_SYS(init_module), SCMP_SYS(finit_module),
    SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot),
    SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(syslog), SCMP_SYS(iopl),
    SCMP_SYS(ioperm), SCMP_SYS(quotactl), SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at), SCMP_SYS(fanotify_init), SCMP_SYS(lookup_dcookie),
    SCMP_SYS(vhangup), SCMP_SYS(clock_settime), SCMP_SYS(settimeofday), SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime), SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(setuid),
    SCMP_SYS(setgid), SCMP_SYS(setresuid), SCMP_SYS(setresgid), SCMP_SYS(setreuid),
    SCMP_SYS(setregid), SCMP_SYS(setgroups), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
    SCMP_SYS(capset), SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(socket), SCMP_SYS(connect),
    SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(shmget), SCMP_SYS(shmat), SCMP_SYS(shmctl),
    SCMP_SYS(msgget), SCMP_SYS(semget), SCMP_SYS(mq_open), SCMP_SYS(vmsplice), SCMP_SYS(splice),
    SCMP_SYS(tee), SCMP_SYS(mincore), SCMP_SYS(move_pages), SCMP_SYS(migrate_pages),
    SCMP_SYS(remap_file_pages), SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(setsid), SCMP_SYS(setpgid), SCMP_SYS(ioprio_set),
    SCMP_SYS(pkey_alloc), SCMP_SYS(pkey_mprotect), SCMP_SYS(memfd_secret),
    SCMP_SYS(landlock_create_ruleset),
};

/* What a template needs beyond, and an instance loses. */
static const int TEMPLATE_ONLY[] = {
    SCMP_SYS(fork),   SCMP_SYS(vfork),       SCMP_SYS(recvmsg),   SCMP_SYS(wait4),
    SCMP_SYS(waitid), SCMP_SYS(close_range), SCMP_SYS(setrlimit),
};

/* Everything that would change the file system, whatever the arguments. */
static const int WRITES[] = {
    SCMP_SYS(creat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(unlink),
    SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
    SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(link), SCMP_SYS(linkat),
    SCMP_SYS(truncate), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchown), SCMP_SYS(lchown),
    SCMP_SYS(fchownat), SCMP_SYS(utimensat), SCMP_SYS(mknod), SCMP_SYS(mknodat),
};

/* All that a store needs: memory, time, its threads, its files and its socket, which are open. */
static const int STORE_ALLOW[] = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
    SCMP_SYS(pwrite64), SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(dup), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
    SCMP_SYS(msync), SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(sched_yield), SCMP_SYS(getcpu), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(gettid),
    SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getrandom),
    SCMP_SYS(sysinfo), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* What a store must not do, and the engines' processes may, more or less. */
static const int STORE_ABUSE[] = {
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(clone), SCMP_SYS(fork),
    SCMP_SYS(vfork), SCMP_SYS(recvmsg), SCMP_SYS(unshare), SCMP_SYS(seccomp),
    SCMP_SYS(socketpair), SCMP_SYS(sendto), SCMP_SYS(setrlimit), SCMP_SYS(prctl),
    SCMP_SYS(memfd_create), SCMP_SYS(chdir), SCMP_SYS(fchdir),
};

static const uint64_t NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                       CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

/* Files may be opened for reading; anything else says "read-only file system". */
static int add_open(scmp_filter_ctx ctx, int call, unsigned arg)
{
    static const uint64_t CHANGES[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC};
    uint64_t all = 0;
    int r = 0;

    for (size_t i = 0; i < COUNT(CHANGES) && r == 0; i++) {
        all |= CHANGES[i];
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EROFS), call, 1,
                             SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, CHANGES[i], CHANGES[i]));
    }
    return r < 0 ? r
                 : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
                                    SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, all, 0));
}

static int add_clone(scmp_filter_ctx ctx, enum box_stage stage)
{
    const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    /* CLONE_PARENT would be a child of the zygote. */
    uint64_t bits = CLONE_PTRACE | CLONE_UNTRACED | CLONE_PARENT | NEW_NAMESPACES, value = 0;
    int r = 0;

    if (stage == BOX_INSTANCE) {
        bits |= thread | CLONE_VFORK;
        value = thread;
    }
    r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                         SCMP_CMP(0, SCMP_CMP_MASKED_EQ, bits, value));
    /* A new process, or a new namespace: refused in words. */
    if (r == 0 && stage == BOX_INSTANCE)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    return r;
}

/* The clocks that all processes have.  Numbers below zero are made of pids: the clocks of others. */
static int add_clocks(scmp_filter_ctx ctx)
{
    static const int CALLS[] = {SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
                                SCMP_SYS(clock_nanosleep)};
    int r = 0;

    for (size_t i = 0; i < COUNT(CALLS) && r == 0; i++) {
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALLS[i], 1,
                             SCMP_CMP(0, SCMP_CMP_LE, CLOCK_TAI, 0));
        r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), CALLS[i], 1,
                                     SCMP_CMP(0, SCMP_CMP_GT, CLOCK_TAI, 0));
    }
    return r;
}

/* Calls that are harmless with some arguments only. */
static int add_by_argument(scmp_filter_ctx ctx)
{
    static const uint64_t OPTIONS[] = {SO_TYPE,       SO_ERROR,    SO_SNDBUF, SO_RCVBUF,
                                       SO_ACCEPTCONN, SO_PROTOCOL, SO_DOMAIN};
    static const uint64_t IOCTLS[] = {FIONBIO, FIOCLEX, FIONCLEX, FIONREAD, TCGETS, TIOCGWINSZ};
    static const uint64_t FCNTLS[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD,
                                      F_GETFL, F_SETFL,         F_GETLK, F_OFD_GETLK};
    /* Done without the kernel, as flock is: each locked byte is memory of the kernel's, which no limit
     * counts, and a lock on a file of the tree holds up others. */
    static const uint64_t LOCKS[] = {F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW};
    static const uint64_t SELF[] = {0};
    static const uint64_t UNIX[] = {AF_UNIX};
    int r = 0;

    for (size_t i = 0; i < COUNT(LOCKS) && r == 0; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(0), SCMP_SYS(fcntl), 1,
                             SCMP_CMP(1, SCMP_CMP_EQ, LOCKS[i], 0));
    /* asyncio's self-pipe */
    r = r ? r : rules_values(ctx, SCMP_SYS(socketpair), 0, UNIX, 1);
    /* On the connected socket only, so without an address; and never out of band: nobody uses that, and
     * unix sockets' code for it has had holes that led out of browsers' boxes (CVE-2025-38236). */
    r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 2,
                                 SCMP_CMP(3, SCMP_CMP_MASKED_EQ, MSG_OOB, 0),
                                 SCMP_CMP(4, SCMP_CMP_EQ, 0, 0));
    r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(recvfrom), 1,
                                 SCMP_CMP(3, SCMP_CMP_MASKED_EQ, MSG_OOB, 0));
    r = r ? r : rules_values(ctx, SCMP_SYS(ioctl), 1, IOCTLS, COUNT(IOCTLS));
    r = r ? r : rules_values(ctx, SCMP_SYS(fcntl), 1, FCNTLS, COUNT(FCNTLS));
    r = r ? r : rules_values(ctx, SCMP_SYS(sched_getaffinity), 0, SELF, 1);
    r = r ? r : rules_values(ctx, SCMP_SYS(sched_getparam), 0, SELF, 1);
    r = r ? r : rules_values(ctx, SCMP_SYS(sched_getscheduler), 0, SELF, 1);
    r = r ? r : rules_values(ctx, SCMP_SYS(getpgid), 0, SELF, 1);
    for (size_t i = 0; i < COUNT(OPTIONS) && r == 0; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(getsockopt), 2,
                             SCMP_CMP(1, SCMP_CMP_EQ, SOL_SOCKET, 0),
                             SCMP_CMP(2, SCMP_CMP_EQ, OPTIONS[i], 0));
    r = r ? r : rules_memory(ctx, 0);
    r = r ? r : rules_memory_files(ctx);
    r = r ? r : add_open(ctx, SCMP_SYS(open), 1);
    r = r ? r : add_open(ctx, SCMP_SYS(openat), 2);
    return r;
}

/* Instances stack their own rule on this one; JavaScriptCore in them stops its threads with SIGUSR1,
 * which every process of ours expects. */
static int add_tgkill_alone(scmp_filter_ctx ctx)
{
    int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                             SCMP_CMP(0, SCMP_CMP_EQ, RULES_OWN_PID, 0));

    return r ? r
             : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                SCMP_CMP(2, SCMP_CMP_EQ, SIGUSR1, 0));
}

static int add_stage(scmp_filter_ctx ctx, enum box_stage stage)
{
    /* Its own calls, to itself: how native modules are loaded from memory, realm/py/reopen.c. */
    enum { USER_DISPATCH = 59 };    /* PR_SET_SYSCALL_USER_DISPATCH, Linux 5.11 */
    static const uint64_t PRCTLS[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_VMA,
                                      USER_DISPATCH};
    static const uint64_t TEMPLATE_PRCTLS[] = {PR_SET_NO_NEW_PRIVS};
    static const uint64_t THREADED[] = {CLONE_THREAD}, SELF[] = {0};
    int r = add_clone(ctx, stage);

    r = r ? r : rules_values(ctx, SCMP_SYS(prctl), 0, PRCTLS, COUNT(PRCTLS));
    if (stage == BOX_TEMPLATE || stage == BOX_TEMPLATE_ALONE) {
        /* limits of its own, not of a process that happens to have this user id */
        r = r ? r : rules_values(ctx, SCMP_SYS(prlimit64), 0, SELF, 1);
        if (stage == BOX_TEMPLATE)
            r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0);
        else
            r = r ? r : add_tgkill_alone(ctx);
        r = r ? r : rules_values(ctx, SCMP_SYS(prctl), 0, TEMPLATE_PRCTLS, 1);
        /* the tie to the parent can be made, not undone */
        r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2,
                                     SCMP_CMP(0, SCMP_CMP_EQ, PR_SET_PDEATHSIG, 0),
                                     SCMP_CMP(1, SCMP_CMP_EQ, SIGKILL, 0));
        r = r ? r : rules_list(ctx, SCMP_ACT_ALLOW, TEMPLATE_ONLY, COUNT(TEMPLATE_ONLY));
        r = r ? r : rules_values(ctx, SCMP_SYS(unshare), 0, THREADED, 1);
        /* The second stage, and only so: for all threads, which so have the same filters.  The kernel
         * keeps up to 256 KiB of them, for each process then and not for each thread; and none has a
         * listener. */
        r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(seccomp), 2,
                                     SCMP_CMP(0, SCMP_CMP_EQ, SECCOMP_SET_MODE_FILTER, 0),
                                     SCMP_CMP(1, SCMP_CMP_EQ, SECCOMP_FILTER_FLAG_TSYNC, 0));
        return r;
    }
    /* limits may be read, of this process only */
    r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
                                 SCMP_CMP(0, SCMP_CMP_EQ, 0, 0), SCMP_CMP(2, SCMP_CMP_EQ, 0, 0));
    r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                 SCMP_CMP(0, SCMP_CMP_EQ, RULES_OWN_PID, 0));
    r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(recvmsg), 0);
    r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 0);
    r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fork), 0);
    r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(vfork), 0);
    r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0);
    return r;
}

/* Memory that can be run is never made: nothing in a store makes code. */
static int add_memory(scmp_filter_ctx ctx)
{
    static const int CALLS[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    int r = rules_memory(ctx, PROT_EXEC);

    for (size_t i = 0; i < COUNT(CALLS) && r == 0; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), CALLS[i], 1,
                             SCMP_CMP(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
    return r;
}

static int add_store(scmp_filter_ctx ctx)
{
    static const uint64_t FCNTLS[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,  F_SETFD,     F_GETFL,
                                      F_SETFL, F_GETLK,         F_SETLK,  F_OFD_GETLK, F_OFD_SETLK};
    static const uint64_t NO_PATH[] = {AT_EMPTY_PATH};  /* how libc asks about a descriptor */
    int r = 0;

    r = r ? r : rules_list(ctx, SCMP_ACT_ALLOW, STORE_ALLOW, COUNT(STORE_ALLOW));
    r = r ? r : rules_list(ctx, SCMP_ACT_ERRNO(EPERM), ABUSE, COUNT(ABUSE));
    r = r ? r : rules_list(ctx, SCMP_ACT_ERRNO(EPERM), STORE_ABUSE, COUNT(STORE_ABUSE));
    r = r ? r : rules_list(ctx, SCMP_ACT_ERRNO(EROFS), WRITES, COUNT(WRITES));
    r = r ? r : rules_values(ctx, SCMP_SYS(fcntl), 1, FCNTLS, COUNT(FCNTLS));
    r = r ? r : rules_values(ctx, SCMP_SYS(newfstatat), 3, NO_PATH, 1);
    r = r ? r : add_memory(ctx);
    return r ? r
             : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                SCMP_CMP(0, SCMP_CMP_EQ, RULES_OWN_PID, 0));
}

/* The stages of a worker's processes. */
static int add_worker(scmp_filter_ctx ctx, enum box_stage stage)
{
    int r = 0;

    r = r ? r : rules_list(ctx, SCMP_ACT_ALLOW, ALLOW, COUNT(ALLOW));
    r = r ? r : rules_list(ctx, SCMP_ACT_ERRNO(0), DONE, COUNT(DONE));
    r = r ? r : rules_list(ctx, SCMP_ACT_ERRNO(EPERM), ABUSE, COUNT(ABUSE));
    r = r ? r : rules_list(ctx, SCMP_ACT_ERRNO(EROFS), WRITES, COUNT(WRITES));
    r = r ? r : add_clocks(ctx);
    r = r ? r : add_by_argument(ctx);
    return r ? r : add_stage(ctx, stage);
}

int rules_filter(struct box_filter *f, enum box_stage stage, enum rules_more more,
                 struct err *err)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int r;

    *f = (struct box_filter){0};
    if (!ctx)
        return err_nomem(err);
    r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    r = r ? r : seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (r == 0)
        r = stage >= BOX_READER  ? rules_small(ctx, stage, more)
            : stage == BOX_STORE ? add_store(ctx)
                                 : add_worker(ctx, stage);
    r = r < 0 ? err_errno(err, -r, "seccomp filter") : rules_compile(ctx, f, err);
    seccomp_release(ctx);
    return r;
}

int box_filter_init(struct box_filter *f, enum box_stage stage, struct err *err)
{
    return rules_filter(f, stage, 0, err);
}

void box_filter_done(struct box_filter *f)
{
    mem_free(f->code);
    *f = (struct box_filter){0};
}

int box_filter_enter(const struct box_filter *f, struct err *err)
{
    struct sock_fprog program = {.len = f->len, .filter = f->code};
    long r;

    for (unsigned short i = 0; i < f->len; i++)
        if (f->code[i].k == RULES_OWN_PID)
            f->code[i].k = (uint32_t)getpid();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_errno(err, errno, "set no_new_privs");
    /* An engine may have started a thread already: it gets the filter too. */
    r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (r < 0)
        return err_errno(err, errno, "install the seccomp filter");
    if (r > 0)
        return err_set(err, ERR_SYSTEM, "install the seccomp filter: thread %ld refuses", r);
    return 0;
}
