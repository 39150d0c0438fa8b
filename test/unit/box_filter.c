/* box_filter.c - src/box: each forbidden call succeeds outside where that is
 * harmless and is refused inside; what the engines need goes on working. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "box/box.h"
#include "test.h"

enum inside { IN_NEITHER, IN_TEMPLATE, IN_INSTANCE, IN_ALONE, IN_ALONE_INSTANCE, IN_STORE };

static int kept_file;   /* open before the box is entered */

/* Run fn in a child inside the given stages; its result is the exit code. */
static int run_inside(enum inside where, int (*fn)(void))
{
    struct box_filter template = {0}, instance = {0}, store = {0};
    struct err err = {0};
    int status = 0;
    pid_t pid;

    CHECK(box_filter_init(&template, where == IN_ALONE || where == IN_ALONE_INSTANCE ? BOX_TEMPLATE_ALONE : BOX_TEMPLATE, &err) == 0);
    CHECK(box_filter_init(&instance, BOX_INSTANCE, &err) == 0);
    CHECK(box_filter_init(&store, BOX_STORE, &err) == 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        if (where == IN_STORE && box_filter_enter(&store, &err) < 0)
            _exit(202);
        if (where >= IN_TEMPLATE && where <= IN_ALONE_INSTANCE && box_filter_enter(&template, &err) < 0)
            _exit(200);
        if ((where == IN_INSTANCE || where == IN_ALONE_INSTANCE) && box_filter_enter(&instance, &err) < 0)
            _exit(201);
        _exit(fn());
    }
    waitpid(pid, &status, 0);
    box_filter_done(&template);
    box_filter_done(&instance);
    box_filter_done(&store);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int refused(long result) { return result < 0 ? errno : 0; }

static int open_socket(void) { return refused(socket(AF_INET, SOCK_STREAM, 0)); }
static int open_unix_socket(void) { return refused(socket(AF_UNIX, SOCK_STREAM, 0)); }
static int connect_out(void) { return refused(connect(-1, NULL, 0)); }
static int send_descriptors(void) { return refused(sendmsg(-1, NULL, 0)); }
static int take_descriptors(void) { return refused(recvmsg(-1, NULL, 0)); }
static int run_program(void) { return refused(syscall(SYS_execve, "/nowhere", NULL, NULL)); }
static int fork_process(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return refused(pid);
}
static int vfork_process(void) { return refused(syscall(SYS_vfork) == 0 ? (_exit(0), 0) : -1); }
static int new_namespace(void) { return refused(unshare(CLONE_NEWUSER)); }
static int new_namespace_by_clone(void)
{
    long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid == 0)
        _exit(0);
    return refused(pid);
}
static int clone3_call(void) { return refused(syscall(SYS_clone3, NULL, 0)); }
/* Over a pair of its own: with these flags there and back. */
static int pass_a_byte(int flags)
{
    int pair[2], r;
    char c = 'x';

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return 300;
    r = refused(send(pair[0], &c, 1, flags));
    return r ? r : refused(recv(pair[1], &c, 1, flags));
}
static int pass_in_band(void) { return pass_a_byte(0); }
static int pass_out_of_band(void) { return pass_a_byte(MSG_OOB); }
static int take_out_of_band(void)
{
    int pair[2];
    char c;

    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ? 300 : refused(recv(pair[0], &c, 1, MSG_OOB));
}
static int trace_me(void) { return refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }
static int kill_parent_softly(void) { return refused(kill(getppid(), 0)); }
static int signal_parent(void) { return refused(syscall(SYS_tgkill, getppid(), getppid(), 0)); }
static int signal_self(void) { return refused(syscall(SYS_tgkill, getpid(), gettid(), 0)); }
static int signal_own_group(void) { return refused(syscall(SYS_tkill, gettid(), 0)); }
/* These are answered without the kernel, which would say EBADF. */
static int flush_nothing(void) { return refused(fsync(999)); }
static int lock_nothing(void) { return refused(flock(999, LOCK_EX | LOCK_NB)); }
static int lock_bytes(int how)
{
    struct flock bytes = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};

    return refused(fcntl(999, how, &bytes));
}
static int lock_bytes_of_nothing(void) { return lock_bytes(F_SETLK); }
static int wait_for_bytes_of_nothing(void) { return lock_bytes(F_SETLKW); }
static int lock_bytes_of_a_description(void) { return lock_bytes(37 /* F_OFD_SETLK */); }
static int own_clock(void)
{
    struct timespec now;

    return refused(syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &now));
}
/* Clocks of others are numbers made of their pids. */
static int clock_of_parent(void)
{
    struct timespec now;

    return refused(syscall(SYS_clock_gettime, (int)(~(unsigned)getppid() << 3 | 2), &now));
}
static int limits_of_parent(void)
{
    struct rlimit old;

    return refused(syscall(SYS_prlimit64, getppid(), RLIMIT_NOFILE, NULL, &old));
}
static int fork_for_parent(void)
{
    long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);

    if (pid == 0)
        _exit(0);
    return refused(pid < 0 ? -1 : 0);
}
static int write_file(void) { return refused(open("/dev/null", O_WRONLY)); }
static int create_file(void) { return refused(open("/dev/null", O_RDONLY | O_CREAT, 0600)); }
static int read_file(void) { return refused(open("/dev/null", O_RDONLY)); }
static int make_folder(void) { return refused(mkdir("/dev/null/x", 0700)); }
static int load_bpf(void) { return refused(syscall(SYS_bpf, 0, NULL, 0)); }
static int make_ring(void) { return refused(syscall(SYS_io_uring_setup, 1, NULL)); }
static int catch_faults(void) { return refused(syscall(SYS_userfaultfd, 0)); }
static int open_pidfd(void) { return refused(syscall(SYS_pidfd_open, getpid(), 0)); }
static int raise_limit(void)
{
    struct rlimit l = {100, 100};

    return refused(setrlimit(RLIMIT_NOFILE, &l));
}
static int ask_single_threaded(void) { return refused(unshare(CLONE_THREAD)); }
static int tie_again(void) { return refused(syscall(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, SIGKILL)); }
static int untie(void) { return refused(syscall(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, 0)); }
static int become_dumpable(void) { return refused(syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1)); }

/* Mapped and not touched: so it succeeds where no huge page is set aside. */
static int map_huge(void)
{
    return refused((long)mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0) == -1 ? -1 : 0);
}
static int make_huge_file(void) { return refused(memfd_create("huge", MFD_HUGETLB)); }
static int make_memory_file(void) { return refused(memfd_create("small", MFD_CLOEXEC)); }
static int take_huge_segment(void) { return refused(shmget(IPC_PRIVATE, 2 << 20, IPC_CREAT | SHM_HUGETLB | SHM_NORESERVE | 0600) < 0 ? -1 : 0); }
static int map_memory(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? errno : refused(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

/* A filter that allows all. */
static int filter_more(unsigned long operation, unsigned long flags)
{
    struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {.len = 1, .filter = all};

    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return refused(syscall(SYS_seccomp, operation, flags, &program));
}
static int filter_all_threads(void) { return filter_more(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC); }
static int filter_one_thread(void) { return filter_more(SECCOMP_SET_MODE_FILTER, 0); }
static int filter_and_listen(void) { return filter_more(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER); }
static int enter_strict_mode(void) { return refused(syscall(SYS_seccomp, 77, 0, NULL)); }

/* prlimit64, raw: 0 is oneself, any number somebody whom the kernel lets us. */
static int limit_of(pid_t pid, const struct rlimit *to)
{
    struct rlimit old;

    return refused(syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, to, &old));
}
static int read_own_limit(void) { return limit_of(0, NULL); }
static int set_own_limit(void) { return limit_of(0, &(struct rlimit){100, 100}); }
static int read_limit_by_pid(void) { return limit_of(getpid(), NULL); }
static int set_limit_of_a_child(void)
{
    pid_t pid = fork();
    int r;

    if (pid < 0)
        return errno;
    if (pid == 0) {
        pause();
        _exit(0);
    }
    r = limit_of(pid, &(struct rlimit){100, 100});
    /* It may not be ours to kill. */
    if (kill(pid, SIGKILL) < 0)
        syscall(SYS_tgkill, pid, pid, SIGUSR1);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return r;
}

static void refuses_what_reaches_out(void)
{
    static const struct {
        const char *name;
        int (*fn)(void);
        int outside;        /* errno without the box; -1: not worth trying there */
        int template;
        int instance;
    } CASES[] = {
        {"socket", open_socket, 0, EPERM, EPERM},
        {"unix socket", open_unix_socket, 0, EPERM, EPERM},
        {"connect", connect_out, EBADF, EPERM, EPERM},
        {"sendmsg", send_descriptors, EBADF, EPERM, EPERM},
        {"recvmsg", take_descriptors, EBADF, EBADF, EPERM},
        {"send and recv", pass_in_band, 0, 0, 0},
        {"send out of band", pass_out_of_band, 0, ENOSYS, ENOSYS},
        {"recv out of band", take_out_of_band, EINVAL, ENOSYS, ENOSYS},
        {"execve", run_program, ENOENT, EPERM, EPERM},
        {"fork", fork_process, 0, 0, EPERM},
        {"vfork", vfork_process, -1, -1, EPERM},
        {"unshare", new_namespace, -1, ENOSYS, EPERM},
        {"clone namespaces", new_namespace_by_clone, -1, ENOSYS, EPERM},
        {"clone3", clone3_call, EINVAL, ENOSYS, ENOSYS},
        {"ptrace", trace_me, 0, EPERM, EPERM},
        {"kill", kill_parent_softly, 0, EPERM, EPERM},
        {"tgkill parent", signal_parent, 0, 0, ENOSYS},
        {"tgkill self", signal_self, 0, 0, 0},
        {"clone for the parent", fork_for_parent, 0, ENOSYS, EPERM},
        {"limits of the parent", limits_of_parent, 0, ENOSYS, ENOSYS},
        {"fsync", flush_nothing, EBADF, 0, 0},
        {"flock", lock_nothing, EBADF, 0, 0},
        {"F_SETLK", lock_bytes_of_nothing, EBADF, 0, 0},
        {"F_SETLKW", wait_for_bytes_of_nothing, EBADF, 0, 0},
        {"F_OFD_SETLK", lock_bytes_of_a_description, EBADF, 0, 0},
        {"huge pages", map_huge, 0, ENOMEM, ENOMEM},
        {"a file of huge pages", make_huge_file, 0, ENOSYS, ENOSYS},
        {"a segment of huge pages", take_huge_segment, -1, EPERM, EPERM},
        {"memory, then code", map_memory, 0, 0, 0},
        {"a file in memory", make_memory_file, 0, 0, 0},
        {"a filter for all threads", filter_all_threads, 0, 0, EPERM},
        {"a filter for one thread", filter_one_thread, 0, ENOSYS, EPERM},
        {"a filter with a listener", filter_and_listen, 0, ENOSYS, EPERM},
        {"seccomp, unknown", enter_strict_mode, EINVAL, ENOSYS, EPERM},
        {"own limit", read_own_limit, 0, 0, 0},
        {"set own limit", set_own_limit, 0, 0, ENOSYS},
        {"own limit by pid", read_limit_by_pid, 0, ENOSYS, ENOSYS},
        {"limit of a child", set_limit_of_a_child, 0, ENOSYS, EPERM},
        {"own clock", own_clock, 0, 0, 0},
        {"clock of the parent", clock_of_parent, 0, EINVAL, EINVAL},
        {"open for writing", write_file, 0, EROFS, EROFS},
        {"open with O_CREAT", create_file, 0, EROFS, EROFS},
        {"open for reading", read_file, 0, 0, 0},
        {"mkdir", make_folder, ENOTDIR, EROFS, EROFS},
        {"bpf", load_bpf, -1, EPERM, EPERM},
        {"io_uring", make_ring, -1, EPERM, EPERM},
        {"userfaultfd", catch_faults, -1, EPERM, EPERM},
        {"pidfd_open", open_pidfd, 0, EPERM, EPERM},
        {"setrlimit", raise_limit, 0, 0, ENOSYS},
        {"unshare(CLONE_THREAD)", ask_single_threaded, 0, 0, EPERM},
        {"prctl(PR_SET_DUMPABLE)", become_dumpable, 0, ENOSYS, ENOSYS},
        {"tie to the parent", tie_again, 0, 0, ENOSYS},
        {"untie from the parent", untie, 0, ENOSYS, ENOSYS},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int out = CASES[i].outside < 0 ? -1 : run_inside(IN_NEITHER, CASES[i].fn);
        int template = CASES[i].template < 0 ? -1 : run_inside(IN_TEMPLATE, CASES[i].fn);
        int instance = run_inside(IN_INSTANCE, CASES[i].fn);
        if (out != CASES[i].outside || template != CASES[i].template ||
            instance != CASES[i].instance)
            printf("  %s: outside %d, template %d, instance %d\n", CASES[i].name, out, template,
                   instance);
        CHECK(out == CASES[i].outside && template == CASES[i].template);
        CHECK(instance == CASES[i].instance);
    }
}

/* ---- a template that nothing else keeps signals in ---- */

static int usr1_to_parent(void) { return refused(syscall(SYS_tgkill, getppid(), getppid(), SIGUSR1)); }
static int term_to_self(void)
{
    signal(SIGTERM, SIG_IGN);
    return refused(syscall(SYS_tgkill, getpid(), gettid(), SIGTERM));
}
static int term_to_parent(void) { return refused(syscall(SYS_tgkill, getppid(), getppid(), SIGTERM)); }
static int kill_parent(void) { return refused(syscall(SYS_tgkill, getppid(), getppid(), SIGKILL)); }
/* What top-level code leaves behind is of another pid: nobody's but by SIGUSR1. */
static int signal_from_a_child(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(refused(syscall(SYS_tgkill, getpid(), gettid(), 0)) * 4 + refused(syscall(SYS_tgkill, getppid(), getppid(), 0)) / ENOSYS);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid < 0 || !WIFEXITED(status) ? 300 : WEXITSTATUS(status);
}

static void a_template_alone_reaches_others_with_one_signal(void)
{
    static const struct {
        const char *name;
        int (*fn)(void);
        int template, instance; /* and with the instance's filter on top */
    } CASES[] = {
        {"SIGUSR1 to the parent", usr1_to_parent, 0, ENOSYS},
        {"a look at the parent", signal_parent, ENOSYS, ENOSYS},
        {"SIGTERM to the parent", term_to_parent, ENOSYS, ENOSYS},
        {"SIGKILL to the parent", kill_parent, ENOSYS, ENOSYS},
        {"SIGTERM to itself", term_to_self, 0, 0},
        {"kill", kill_parent_softly, EPERM, EPERM},
        {"tkill", signal_own_group, EPERM, EPERM},
        {"limits of the parent", limits_of_parent, ENOSYS, ENOSYS},
        {"fork", fork_process, 0, EPERM},
        {"socket", open_socket, EPERM, EPERM},
    };
    void (*before)(int) = signal(SIGUSR1, SIG_IGN); /* as the node and every process of ours */

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int template = run_inside(IN_ALONE, CASES[i].fn), instance = run_inside(IN_ALONE_INSTANCE, CASES[i].fn);
        if (template != CASES[i].template || instance != CASES[i].instance)
            printf("  %s: alone %d, instance %d\n", CASES[i].name, template, instance);
        CHECK(template == CASES[i].template && instance == CASES[i].instance);
    }
    /* Its own number is not the template's any more, and the template's is not let through but by the filter that it had. */
    CHECK(run_inside(IN_ALONE, signal_from_a_child) == (ENOSYS * 4 + 0) % 256);
    /* Where something else keeps them in, the filter lets all through. */
    CHECK(run_inside(IN_TEMPLATE, signal_from_a_child) == 0);
    signal(SIGUSR1, before);
}

/* ---- the store's stage ---- */

static int run_code(void)
{
    return refused((long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                              0) == -1
                       ? -1
                       : 0);
}
static int make_runnable(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return refused(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}
static int open_at(void) { return refused(openat(AT_FDCWD, "/", O_RDONLY)); }
static int open_again(void) { return refused(syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0)); }
static int rename_file(void) { return refused(rename("/dev/null/a", "/dev/null/b")); }
static int remove_file(void) { return refused(unlink("/dev/null/a")); }
static int look_around(void) { return refused(access("/", R_OK)); }
static int see_file(void)
{
    struct stat st;

    return refused(syscall(SYS_newfstatat, AT_FDCWD, "/", &st, 0));
}
static int make_socketpair(void)
{
    int fds[2];

    return refused(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
}
static int make_thread(void)
{
    pthread_t t;

    return pthread_create(&t, NULL, (void *(*)(void *))(void *)pthread_self, NULL);
}
static int take_a_lease(void) { return refused(fcntl(0, F_SETOWN, getppid())); }

static void lets_a_store_reach_nothing(void)
{
    static const struct {
        const char *name;
        int (*fn)(void);
        int store;
    } CASES[] = {
        {"socket", open_socket, EPERM},
        {"unix socket", open_unix_socket, EPERM},
        {"socketpair", make_socketpair, EPERM},
        {"connect", connect_out, EPERM},
        {"sendmsg", send_descriptors, EPERM},
        {"recvmsg", take_descriptors, EPERM},
        {"execve", run_program, EPERM},
        {"fork", fork_process, EPERM},
        {"vfork", vfork_process, EPERM},
        {"thread", make_thread, EPERM},
        {"unshare", new_namespace, EPERM},
        {"clone namespaces", new_namespace_by_clone, EPERM},
        {"clone3", clone3_call, ENOSYS},
        {"ptrace", trace_me, EPERM},
        {"kill", kill_parent_softly, EPERM},
        {"tkill", signal_own_group, EPERM},
        {"tgkill parent", signal_parent, ENOSYS},
        {"tgkill self", signal_self, 0},
        {"open for writing", write_file, EPERM},
        {"open with O_CREAT", create_file, EPERM},
        {"open for reading", read_file, EPERM},
        {"openat", open_at, EPERM},
        {"openat2", open_again, EPERM},
        {"access", look_around, ENOSYS},
        {"stat by path", see_file, ENOSYS},
        {"mkdir", make_folder, EROFS},
        {"rename", rename_file, EROFS},
        {"unlink", remove_file, EROFS},
        {"fcntl(F_SETOWN)", take_a_lease, ENOSYS},
        {"mmap of code", run_code, EPERM},
        {"mprotect to code", make_runnable, EPERM},
        {"huge pages", map_huge, ENOMEM},
        {"a file of huge pages", make_huge_file, EPERM},
        {"a filter", filter_all_threads, EPERM},
        {"bpf", load_bpf, EPERM},
        {"io_uring", make_ring, EPERM},
        {"userfaultfd", catch_faults, EPERM},
        {"pidfd_open", open_pidfd, EPERM},
        {"setrlimit", raise_limit, ENOSYS},
        {"prctl(PR_SET_DUMPABLE)", become_dumpable, EPERM},
        {"untie from the parent", untie, EPERM},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int store = run_inside(IN_STORE, CASES[i].fn);
        if (store != CASES[i].store)
            printf("  %s: %d\n", CASES[i].name, store);
        CHECK(store == CASES[i].store);
    }
}

/* What a database asks of the descriptors that are open already. */
static int use_a_file(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
    char c = 'x';
    struct stat st;
    void *map;
    int copy = fcntl(kept_file, F_DUPFD_CLOEXEC, 0);

    if (copy < 0 || pwrite(copy, &c, 1, 4095) != 1 || pread(copy, &c, 1, 4095) != 1 || c != 'x')
        return 1;
    if (fstat(copy, &st) < 0 || st.st_size != 4096 || ftruncate(copy, 8192) < 0)
        return 2;
    if (fsync(copy) < 0 || fdatasync(copy) < 0 || fcntl(copy, F_SETLK, &lock) < 0)
        return 3;
    map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0);
    if (map == MAP_FAILED || munmap(map, 8192) < 0 || close(copy) < 0)
        return 4;
    return 0;
}

static void lets_a_store_use_its_files(void)
{
    FILE *file = tmpfile();

    CHECK(file);
    kept_file = fileno(file);
    CHECK(run_inside(IN_STORE, use_a_file) == 0);
    fclose(file);
}

static void *add_one(void *n)
{
    ++*(int *)n;
    return NULL;
}

static int start_a_thread(void)
{
    pthread_t t;
    int n = 0, r = pthread_create(&t, NULL, add_one, &n);

    if (r)
        return r;
    pthread_join(t, NULL);
    return n == 1 ? 0 : 99;
}

static int use_a_socketpair(void)
{
    char c = 0;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
        return errno;
    if (write(fds[0], "x", 1) != 1 || read(fds[1], &c, 1) != 1)
        return errno;
    return c == 'x' ? 0 : 99;
}

static void lets_threads_and_pipes_work(void)
{
    CHECK(run_inside(IN_INSTANCE, start_a_thread) == 0);
    CHECK(run_inside(IN_INSTANCE, use_a_socketpair) == 0);
}

static int child_says_single(void) { return box_is_single_threaded() ? 0 : 1; }

static void *ask_from_thread(void *ret)
{
    *(int *)ret = box_is_single_threaded() ? 0 : 1;
    return NULL;
}

static int thread_says_single(void)
{
    pthread_t t;
    int answer = 99;

    if (pthread_create(&t, NULL, ask_from_thread, &answer))
        return 98;
    pthread_join(t, NULL);
    return answer;
}

static void knows_whether_it_has_threads(void)
{
    CHECK(run_inside(IN_TEMPLATE, child_says_single) == 0);
    CHECK(run_inside(IN_TEMPLATE, thread_says_single) == 1);
}

static int dies_with_the_parent(void)
{
    int fds[2], hold[2];
    char c;
    pid_t middle;

    /* this process -> middle -> leaf; the leaf holds the pipe open while it lives */
    if (pipe(fds) < 0 || pipe(hold) < 0)
        return 1;
    middle = fork();
    if (middle == 0) {
        pid_t self = getpid();
        if (fork() == 0) {
            struct err err = {0};
            close(fds[0]);
            if (box_tie_to_parent(self, &err) < 0)
                _exit(1);
            if (write(fds[1], "r", 1) != 1)
                _exit(1);
            for (;;)
                pause();
        }
        close(fds[1]);
        if (read(fds[0], &c, 1) != 1)
            _exit(1);
        _exit(0);
    }
    close(fds[1]);
    waitpid(middle, NULL, 0);
    /* end of file: the leaf is gone as well */
    return read(fds[0], &c, 1) == 0 ? 0 : 2;
}

static void ties_a_child_to_its_parent(void)
{
    CHECK(run_inside(IN_NEITHER, dies_with_the_parent) == 0);
}

static int tie_to_somebody_else(void)
{
    struct err err = {0};

    return box_tie_to_parent(1234567, &err) == ERR_GONE ? 0 : 1;
}

static void notices_a_parent_that_died_first(void)
{
    CHECK(run_inside(IN_NEITHER, tie_to_somebody_else) == 0);
}

static int run_out_of_space(void)
{
    struct err err = {0};
    const struct box_limits limits = {.vm_bytes = 1ULL << 30, .file_bytes = 1 << 20, .descriptors = 64};
    int fd;

    if (box_limit(&limits, &err) < 0)
        return 1;
    fd = memfd_create("x", 0);
    if (fd < 0 || ftruncate(fd, 1 << 20) < 0 || ftruncate(fd, (1 << 20) + 1) == 0 || errno != EFBIG)
        return 3;
    if (fcntl(fd, F_DUPFD, 63) != 63 || fcntl(fd, F_DUPFD, 64) >= 0)
        return 4;
#if !defined(__has_feature)
    return mmap(NULL, 2ULL << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? 0
                                                                                                : 2;
#else
    return 0;   /* sanitizers: box_limit leaves the address space alone */
#endif
}

static void bounds_the_address_space(void) { CHECK(run_inside(IN_NEITHER, run_out_of_space) == 0); }

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"refuses_what_reaches_out", refuses_what_reaches_out},
        {"a_template_alone_reaches_others_with_one_signal", a_template_alone_reaches_others_with_one_signal},
        {"lets_a_store_reach_nothing", lets_a_store_reach_nothing},
        {"lets_a_store_use_its_files", lets_a_store_use_its_files},
        {"lets_threads_and_pipes_work", lets_threads_and_pipes_work},
        {"knows_whether_it_has_threads", knows_whether_it_has_threads},
        {"ties_a_child_to_its_parent", ties_a_child_to_its_parent},
        {"notices_a_parent_that_died_first", notices_a_parent_that_died_first},
        {"bounds_the_address_space", bounds_the_address_space},
        {0},
    };

    return test_main("box_filter", TESTS, argc, argv);
}
