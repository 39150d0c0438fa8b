/* box_confine.c - src/box/confine.c: what a small box refuses from the inside, in every grade that this
 * machine has, as root and as nobody; outside of it each of these things is done. */
#include "box/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box/layers.h"
#include "project_tree.h"
#include "test.h"

enum { NOBODY = 65534, NO_BOX = 250 };

static char read_me[PATH_MAX + 16], write_here[PATH_MAX + 16], secret[PATH_MAX + 16];
static pid_t bystander; /* of the same user, outside */

static int result(long r) { return r < 0 ? errno : 0; }
static int opened(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    return fd < 0 ? errno : (close(fd), 0);
}

/* ---- what is tried: 0, or an errno ---- */

static int read_own(void)
{
    char path[PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/file", read_me);
    return opened(path, O_RDONLY);
}
static int read_secret(void) { return opened(secret, O_RDONLY); }
static int read_passwords(void) { return opened("/etc/passwd", O_RDONLY); }
static int read_proc(void) { return opened("/proc/1/status", O_RDONLY); }
static int write_own(void)
{
    char path[PATH_MAX + 32], other[PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/new", write_here);
    snprintf(other, sizeof other, "%s/folder", write_here);
    if (opened(path, O_RDWR | O_CREAT) != 0 || mkdir(other, 0700) < 0)
        return errno;
    snprintf(other, sizeof other, "%s/folder/moved", write_here);
    return result(rename(path, other));
}
static int write_read_only(void)
{
    char path[PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/new", read_me);
    return opened(path, O_RDWR | O_CREAT);
}
static int write_tmp(void)
{
    char path[] = "/tmp/corral-confine-XXXXXX";
    int fd = mkstemp(path);

    return fd < 0 ? errno : (close(fd), unlink(path), 0);
}
static int become_setuid(void)
{
    char path[PATH_MAX + 32];

    snprintf(path, sizeof path, "%s/file", write_here);
    return opened(path, O_RDWR | O_CREAT) ? errno : result(chmod(path, 04755));
}
static int make_socket(void) { return result(socket(AF_INET, SOCK_STREAM, 0)); }
static int make_raw_socket(void) { return result(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)); }
static int make_unix_socket(void) { return result(socket(AF_UNIX, SOCK_STREAM, 0)); }
static int listen_to(void)
{
    struct sockaddr_storage any = {.ss_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return fd < 0 ? errno : result(bind(fd, (struct sockaddr *)&any, 16));
}
static int start_process(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : result(waitpid(pid, NULL, 0));
}
static int run_program(void)
{
    execl("/bin/true", "true", NULL);
    return errno;
}
static int kill_bystander(void) { return result(kill(bystander, 0)); }
static int trace(void) { return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }
static int make_namespace(void) { return result(unshare(CLONE_NEWUTS | CLONE_NEWUSER)); }
static int make_mount(void) { return result(mount("x", "/tmp", "tmpfs", 0, NULL)); }
static int use_keyring(void) { return result(syscall(SYS_keyctl, 0, -3, 0)); }
static int use_bpf(void) { return result(syscall(SYS_bpf, 0, NULL, 0)); }
static int use_ring(void) { return result(syscall(SYS_io_uring_setup, 1, NULL)); }
static int catch_faults(void) { return result(syscall(SYS_userfaultfd, 0)); }
static int watch_performance(void) { return result(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0)); }
static int have_many_files(void)
{
    const struct rlimit many = {4096, 4096};

    return result(setrlimit(RLIMIT_NOFILE, &many));
}

/* ---- inside ---- */

/* The exit code of what is tried in a box, as a user.  255 and up: a signal. */
static int try_inside(unsigned layers, enum box_stage stage, uid_t uid, int (*fn)(void))
{
    const char *reads[] = {"/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", read_me, NULL};
    const char *writes[] = {write_here, NULL};
    const struct box_walls walls = {.stage = stage,
                                    .layers = layers,
                                    .reads = stage == BOX_READER ? NULL : reads,
                                    .writes = stage == BOX_READER ? NULL : writes,
                                    .file_bytes = 1 << 20,
                                    .cpu_seconds = 60};
    struct err err = {0};
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        if (uid != 0 && (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0))
            _exit(NO_BOX);
        prctl(PR_SET_DUMPABLE, 1); /* its /proc/self is its own again */
        if (layers != 0 && box_confine(&walls, &err) < 0) {
            fprintf(stderr, "  %s\n", err.text);
            _exit(NO_BOX);
        }
        _exit(fn());
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void make_places(void)
{
    snprintf(read_me, sizeof read_me, "%s/reads", tree_path);
    snprintf(write_here, sizeof write_here, "%s/writes", tree_path);
    snprintf(secret, sizeof secret, "%s/secret", tree_path);
    tree_put("reads/file", "");
    tree_put("writes/first", "");
    tree_put("secret", "");
    chmod(".", 0755);
    chmod("secret", 0644);
    chmod("writes", 0777);
    chmod("reads", 0777);
}

/* What was written is gone again. */
static void clear_places(void)
{
    unlink("writes/folder/moved");
    rmdir("writes/folder");
    unlink("writes/new");
    unlink("writes/file");
    unlink("reads/new");
}

enum answer { DONE, REFUSED, WHATEVER };

static const struct {
    const char *name;
    int (*fn)(void);
    bool is_safe_outside; /* does it without a box what it says */
    enum answer reader, tool, packager;
    unsigned layers; /* without which nothing but the reader's filter stands before it */
} CASES[] = {
    {"read its own", read_own, true, REFUSED, DONE, DONE, 0},
    {"read a secret", read_secret, true, REFUSED, REFUSED, REFUSED, BOX_BIT(BOX_TREE) | BOX_BIT(BOX_LANDLOCK)},
    {"read a process", read_proc, true, REFUSED, REFUSED, REFUSED, BOX_BIT(BOX_TREE) | BOX_BIT(BOX_LANDLOCK)},
    {"read /etc/passwd", read_passwords, true, REFUSED, WHATEVER, WHATEVER, 0},
    {"write and move its own", write_own, true, REFUSED, DONE, DONE, 0},
    {"write what it may read", write_read_only, true, REFUSED, REFUSED, REFUSED, BOX_BIT(BOX_TREE) | BOX_BIT(BOX_LANDLOCK)},
    {"write /tmp", write_tmp, true, REFUSED, REFUSED, REFUSED, BOX_BIT(BOX_TREE) | BOX_BIT(BOX_LANDLOCK)},
    {"make a file setuid", become_setuid, true, REFUSED, REFUSED, REFUSED, 0},
    {"make a socket", make_socket, true, REFUSED, REFUSED, DONE, 0},
    {"make an icmp socket", make_raw_socket, false, REFUSED, REFUSED, REFUSED, 0},
    {"make a unix socket", make_unix_socket, true, REFUSED, REFUSED, REFUSED, 0},
    {"listen", listen_to, true, REFUSED, REFUSED, REFUSED, 0},
    {"start a process", start_process, true, REFUSED, REFUSED, DONE, 0},
    {"run a program", run_program, true, REFUSED, DONE, DONE, 0},
    {"signal a bystander", kill_bystander, true, REFUSED, REFUSED, REFUSED, 0},
    {"be traced", trace, true, REFUSED, REFUSED, REFUSED, 0},
    {"make namespaces", make_namespace, false, REFUSED, REFUSED, REFUSED, 0},
    {"mount", make_mount, false, REFUSED, REFUSED, REFUSED, 0},
    {"use a keyring", use_keyring, false, REFUSED, REFUSED, REFUSED, 0},
    {"use bpf", use_bpf, false, REFUSED, REFUSED, REFUSED, 0},
    {"use io_uring", use_ring, false, REFUSED, REFUSED, REFUSED, 0},
    {"use userfaultfd", catch_faults, false, REFUSED, REFUSED, REFUSED, 0},
    {"use perf", watch_performance, false, REFUSED, REFUSED, REFUSED, 0},
    {"raise a limit", have_many_files, false, REFUSED, REFUSED, REFUSED, 0},
};
enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

static bool is_as_wanted(int got, enum answer wanted)
{
    return got != NO_BOX && (wanted == WHATEVER || (wanted == DONE) == (got == 0));
}

static void try_all(unsigned layers, enum box_stage stage, uid_t uid)
{
    char names[BOX_LAYERS_TEXT];

    box_layers_put(layers, names);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        enum answer wanted = stage == BOX_READER ? CASES[i].reader
                             : stage == BOX_TOOL ? CASES[i].tool
                                                 : CASES[i].packager;
        int got;
        if (stage != BOX_READER && CASES[i].layers && !(layers & CASES[i].layers))
            continue;
        got = try_inside(layers, stage, uid, CASES[i].fn);
        CHECK(is_as_wanted(got, wanted));
        if (!is_as_wanted(got, wanted))
            printf("  %s as %u in %s, stage %d: %d\n", CASES[i].name, uid, names, stage, got);
        clear_places();
    }
}

static void in_every_grade(uid_t uid)
{
    struct box_tier tier;
    unsigned there = 0;

    /* Of this user: detection does not go by what root can. */
    if (uid == 0 || geteuid() == uid) {
        box_tier_detect(~0u, &tier);
        there = tier.layers;
    } else {
        int ends[2], status;
        pid_t pid;
        CHECK(pipe(ends) == 0);
        pid = fork();
        if (pid == 0) {
            if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
                _exit(1);
            prctl(PR_SET_DUMPABLE, 1);
            box_tier_detect(~0u, &tier);
            _exit(write(ends[1], &tier.layers, sizeof tier.layers) != sizeof tier.layers);
        }
        CHECK(read(ends[0], &there, sizeof there) == sizeof there);
        waitpid(pid, &status, 0);
    }
    bystander = fork();
    if (bystander == 0) {
        if (uid != 0 && (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0))
            _exit(1);
        for (;;)
            pause();
    }
    for (enum box_grade grade = BOX_GRADE_SECCOMP; grade < BOX_GRADES; grade++) {
        unsigned layers = box_grade_layers(grade) & there;
        if (!(there & BOX_BIT(BOX_SECCOMP)) || box_grade_of(layers) != grade)
            continue;
        try_all(layers, BOX_READER, uid);
        try_all(layers, BOX_TOOL, uid);
        try_all(layers, BOX_PACKAGER, uid);
    }
    kill(bystander, SIGKILL);
    waitpid(bystander, NULL, 0);
}

static void does_outside_what_is_refused_inside(void)
{
    bystander = getppid();
    for (size_t i = 0; i < CASE_COUNT; i++)
        if (CASES[i].is_safe_outside) {
            int got = try_inside(0, BOX_TOOL, geteuid(), CASES[i].fn);
            CHECK(got == 0);
            if (got != 0)
                printf("  %s: %d\n", CASES[i].name, got);
            clear_places();
        }
}

static void refuses_as_this_user(void) { in_every_grade(geteuid()); }

static void refuses_as_nobody(void)
{
    if (geteuid() == 0)
        in_every_grade(NOBODY);
}

static int say_seven(void) { return 7; }
static int stop(void)
{
    const struct rlimit none = {0, 0};

    /* The first process of a pid namespace heeds no signal of its own. */
    setrlimit(RLIMIT_CPU, &none);
    for (volatile int n = 0; n >= 0; n = (n + 1) & 0xffff)
        ;
    return 0;
}

static void ends_as_its_child_ends(void)
{
    struct box_tier tier;

    box_tier_detect(~0u, &tier);
    CHECK(try_inside(tier.layers, BOX_PACKAGER, geteuid(), say_seven) == 7);
    CHECK(try_inside(tier.layers, BOX_PACKAGER, geteuid(), stop) == 1000 + SIGKILL);
}

static void refuses_a_path_that_is_not_absolute(void)
{
    const char *reads[] = {"usr", NULL};
    const struct box_walls walls = {.stage = BOX_TOOL, .layers = BOX_BIT(BOX_SECCOMP), .reads = reads};
    struct err err = {0};

    CHECK(box_confine(&walls, &err) == ERR_INVALID);
    CHECK(strstr(err.text, "'usr'"));
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"does_outside_what_is_refused_inside", does_outside_what_is_refused_inside},
        {"refuses_a_path_that_is_not_absolute", refuses_a_path_that_is_not_absolute},
        {"ends_as_its_child_ends", ends_as_its_child_ends},
        {"refuses_as_this_user", refuses_as_this_user},
        {"refuses_as_nobody", refuses_as_nobody},
        {0},
    };
    int code;

    tree_open();
    make_places();
    code = test_main("box_confine", TESTS, argc, argv);
    tree_close();
    return code;
}
