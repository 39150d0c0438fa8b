/* box_layers.c - src/box: each layer, entered in a child: what is seen from inside, and what is not. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box/box.h"
#include "box/layers.h"
#include "test.h"

static struct box_tier tier;
static char home[64];           /* ours: home/a/file, home/b/file, home/link -> a, home/usr/ */

static const char *in(const char *path)
{
    static char room[4][128];
    static int n;

    n = (n + 1) % 4;
    snprintf(room[n], sizeof room[n], "%s/%s", home, path);
    return room[n];
}

static bool has(enum box_layer layer) { return tier.layers & BOX_BIT(layer); }

/* The exit code of a child that runs fn; 99: killed. */
static int run(int (*fn)(void))
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        _exit(fn());
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static bool can_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char byte;
    bool is_read = fd >= 0 && read(fd, &byte, 1) == 1;

    close(fd);
    return is_read;
}

static int enter(unsigned layers, const struct box_paths *paths, unsigned uid)
{
    struct err err = {0};
    int proc_fd = box_proc_open(), r;
    bool is_user;

    layers &= tier.layers;
    r = box_namespaces_enter(layers, proc_fd, &is_user, &err);
    for (size_t i = 0; r == 0 && layers & BOX_BIT(BOX_UID) && i < paths->count; i++)
        r = box_make_readable(paths->list[i], &err);
    if (r == 0 && layers & BOX_BIT(BOX_TREE))
        r = box_tree_enter(paths, &err);
    if (r == 0)
        r = box_rights_give_up(is_user ? layers & ~BOX_BIT(BOX_USER) : layers, uid, proc_fd, &err);
    close(proc_fd);
    if (r < 0)
        printf("  %s\n", err.text);
    return r;
}

static int see_the_tree(void)
{
    const char *list[] = {in("link/file"), "/usr/share/zoneinfo", "/nowhere/at/all"};
    struct stat st;

    if (enter(BOX_BIT(BOX_TREE) | BOX_BIT(BOX_USER) | BOX_BIT(BOX_UID), &(struct box_paths){.list = list, .count = 3}, BOX_UID_LAST) < 0)
        return 1;
    if (!can_read(in("link/file")) || !can_read(in("a/file")))
        return 2;               /* at both of its names */
    if (can_read(in("b/file")) || access("/usr/bin", F_OK) == 0 || access("/proc", F_OK) == 0 || access("/sys", F_OK) == 0)
        return 3;
    if (!can_read("/dev/zero") || !can_read("/etc/passwd") || access("/dev/tty", F_OK) == 0)
        return 4;
    if (open("/tmp/x", O_WRONLY | O_CREAT, 0600) >= 0 || mkdir("/x", 0700) == 0 || open(in("a/file"), O_WRONLY) >= 0)
        return 5;
    if (stat("/tmp", &st) < 0 || chdir("/..") < 0 || access("usr/bin", F_OK) == 0)
        return 6;
    return mount("none", "/tmp", "tmpfs", 0, NULL) == 0 || umount2("/dev/zero", MNT_DETACH) == 0 || chroot("/usr") == 0 ? 7 : 0;
}

static void a_tree_has_what_is_listed_and_no_more(void)
{
    if (has(BOX_TREE))
        CHECK(run(see_the_tree) == 0);
}

static int see_a_tree_in_a_chroot(void)
{
    static const char *const LIST[] = {"/a"};
    struct box_paths paths = {.list = LIST, .count = 1};

    if (chroot(home) < 0 || chdir("/") < 0)
        return 1;
    /* There the user namespace may be missing. */
    tier.layers &= ~BOX_BIT(BOX_USER);
    if (enter(BOX_BIT(BOX_TREE), &paths, 0) < 0)
        return 2;
    if (!can_read("/a/file") || access("/b", F_OK) == 0)
        return 3;
    for (int i = 0; i < 64; i++)
        if (chdir("..") < 0)
            return 4;
    return access("a/file", F_OK) < 0 || access("etc/shadow", F_OK) == 0 || access("home", F_OK) == 0 ? 5 : 0;
}

static void a_tree_is_made_in_a_chroot_too(void)
{
    if (has(BOX_TREE) && tier.is_root)
        CHECK(run(see_a_tree_in_a_chroot) == 0);
}

static int find_no_rights(void)
{
    static const char *const LIST[] = {"/usr/share/zoneinfo"};
    unsigned layers = BOX_BIT(BOX_TREE) | BOX_BIT(BOX_USER) | BOX_BIT(BOX_UID);

    if (enter(layers, &(struct box_paths){.list = LIST, .count = 1}, BOX_UID_LAST) < 0)
        return 1;
    for (int capability = 0; capability < 40; capability++)
        if (prctl(PR_CAPBSET_READ, capability) == 1 && tier.is_root)
            return 2;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || setuid(0) == 0 || setgid(0) == 0)
        return 3;
    if (has(BOX_USER) && getuid() != BOX_INSIDE_UID)
        return 4;
    return unshare(CLONE_NEWNS) == 0 || sethostname("x", 1) == 0 ? 5 : 0;
}

static void no_right_is_left_or_can_be_had(void) { CHECK(run(find_no_rights) == 0); }

static int lack_the_rights(void)
{
    struct err err = {0};
    bool is_user;

    if (geteuid() == 0 && setuid(65534) < 0)
        return 1;
    if (box_namespaces_enter(BOX_BIT(BOX_TREE), -1, &is_user, &err) == 0)
        return 2;
    return strstr(err.text, "make a mount namespace") ? 0 : 3;
}

static void what_cannot_be_entered_says_which_layer(void) { CHECK(run(lack_the_rights) == 0); }

static int be_kept_by_landlock(void)
{
    const char *list[] = {in("a"), "/nowhere"};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct err err = {0};

    if (box_landlock_enter(&(struct box_paths){.list = list, .count = 2}, &err) < 0)
        return 1;
    if (!can_read(in("a/file")) || can_read(in("b/file")) || can_read("/etc/passwd"))
        return 2;
    if (open(in("a/new"), O_WRONLY | O_CREAT, 0600) >= 0 || unlink(in("a/file")) == 0 || mkdir(in("a/x"), 0700) == 0)
        return 3;
    execl("/bin/true", "true", NULL);
    if (errno != EACCES)
        return 4;
    if (tier.landlock_abi >= 4 && (connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&to, sizeof to) == 0 || errno != EACCES))
        return 5;
    return tier.landlock_abi >= 6 && (kill(getppid(), 0) == 0 || errno != EPERM) ? 6 : 0;
}

static void landlock_leaves_the_paths_alone(void)
{
    if (has(BOX_LANDLOCK))
        CHECK(run(be_kept_by_landlock) == 0);
}

static int run_out_of_threads(void)
{
    static const char *const LIST[] = {"/usr/share/zoneinfo"};
    struct err err = {0};
    int n = 0, why, r;
    pid_t pid, all[100];

    if (enter(BOX_BIT(BOX_USER) | BOX_BIT(BOX_UID) | BOX_BIT(BOX_TREE), &(struct box_paths){.list = LIST, .count = 1}, BOX_UID_LAST) < 0 ||
        box_limit_threads(20, &err) < 0)
        return 1;
    while (n < 100 && (pid = fork()) >= 0) {
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL); /* should its parent not come to reap it */
            for (;;)
                pause();
        }
        all[n++] = pid;
    }
    why = errno;
    r = n > 10 && n < 20 && why == EAGAIN ? 0 : 2;
    while (n > 0) {
        pid = all[--n];
        if (kill(pid, SIGKILL) < 0 || waitpid(pid, NULL, 0) != pid)
            r = 3;
    }
    return r;
}

static void threads_have_an_end(void)
{
    if (has(BOX_USER))
        CHECK(run(run_out_of_threads) == 0);
}

static void write_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0400);

    CHECK(fd >= 0 && write(fd, "x", 1) == 1);
    close(fd);
}

/* A path that is the node's by its letters, and leads elsewhere. */
static char marked[160];

static const char *plain(const char *path)
{
    snprintf(marked, sizeof marked, "%c%s", BOX_PLAIN, in(path));
    return marked;
}

static int see_plain(const char *path, unsigned layers)
{
    const char *list[] = {plain(path)};
    struct box_paths paths = {.list = list, .count = 1};
    struct err err = {0};

    if (layers && enter(layers, &paths, BOX_UID_LAST) < 0)
        return 1;
    if (!layers && box_landlock_enter(&paths, &err) < 0)
        return 1;
    return can_read(in("a/file")) && !can_read(in("b/file")) ? 0 : 2;
}

enum { TREE = BOX_BIT(BOX_TREE) | BOX_BIT(BOX_USER) };
static int see_plain_tree(void) { return see_plain("a", TREE); }
static int see_linked_tree(void) { return see_plain("link", TREE); }
static int see_tree_behind_a_link(void) { return see_plain("link/file", TREE); }
static int see_plain_landlock(void) { return see_plain("a", 0); }
static int see_linked_landlock(void) { return see_plain("link", 0); }
static int see_landlock_behind_a_link(void) { return see_plain("link/file", 0); }

static void no_link_leads_out_of_a_plain_path(void)
{
    struct err err = {0};

    if (has(BOX_TREE)) {
        CHECK(run(see_plain_tree) == 0);
        CHECK(run(see_linked_tree) == 1 && run(see_tree_behind_a_link) == 1);
    }
    if (has(BOX_LANDLOCK)) {
        CHECK(run(see_plain_landlock) == 0);
        CHECK(run(see_linked_landlock) == 1 && run(see_landlock_behind_a_link) == 1);
    }
    CHECK(box_make_readable(plain("a"), &err) == 0);
    CHECK(box_make_readable(plain("link"), &err) < 0 && strstr(err.text, "symbolic link 'link'"));
    CHECK(box_make_readable(plain("link/file"), &err) < 0);
    CHECK(box_make_readable(plain("gone"), &err) < 0);
}

static void make_readable_stops_at_the_folder_that_is(void)
{
    struct err err = {0};
    struct stat st;

    mkdir(in("r"), 0700);
    mkdir(in("r/deep"), 0700);
    write_file(in("r/deep/file"));
    CHECK(symlink("/etc/shadow", in("r/link")) == 0);
    CHECK(box_make_readable(in("r"), &err) == 0);
    CHECK(stat(in("r/deep/file"), &st) == 0 && (st.st_mode & 0777) == 0444);
    CHECK(stat(in("r"), &st) == 0 && (st.st_mode & 0777) == 0755);
    CHECK(chmod(in("r/deep"), 0700) == 0 && box_make_readable(in("r"), &err) == 0);
    CHECK(stat(in("r/deep"), &st) == 0 && (st.st_mode & 0777) == 0700);
    CHECK(box_make_readable(in("gone"), &err) == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"a_tree_has_what_is_listed_and_no_more", a_tree_has_what_is_listed_and_no_more},
        {"a_tree_is_made_in_a_chroot_too", a_tree_is_made_in_a_chroot_too},
        {"no_right_is_left_or_can_be_had", no_right_is_left_or_can_be_had},
        {"what_cannot_be_entered_says_which_layer", what_cannot_be_entered_says_which_layer},
        {"landlock_leaves_the_paths_alone", landlock_leaves_the_paths_alone},
        {"threads_have_an_end", threads_have_an_end},
        {"no_link_leads_out_of_a_plain_path", no_link_leads_out_of_a_plain_path},
        {"make_readable_stops_at_the_folder_that_is", make_readable_stops_at_the_folder_that_is},
        {0},
    };
    char command[128];
    int r;

    box_tier_detect(~0u, &tier);
    strcpy(home, "/tmp/box-layers-XXXXXX");
    CHECK(mkdtemp(home) != NULL && mkdir(in("a"), 0755) == 0 && mkdir(in("b"), 0755) == 0 && mkdir(in("usr"), 0755) == 0);
    write_file(in("a/file"));
    write_file(in("b/file"));
    CHECK(symlink("a", in("link")) == 0);
    r = test_main("box_layers", TESTS, argc, argv);
    snprintf(command, sizeof command, "rm -rf %s", home);
    return system(command) == 0 ? r : 1;
}
