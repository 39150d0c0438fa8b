/* One thread or more, also where a container refuses to be asked. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box/box.h"
#include "test.h"

static void *wait_for_end(void *fd)
{
    char byte;

    return read(*(int *)fd, &byte, 1) < 0 ? fd : NULL;
}

static bool refuse_unshare(void)
{
    scmp_filter_ctx all = seccomp_init(SCMP_ACT_ALLOW);
    bool is_done = all && seccomp_rule_add(all, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 0) == 0 &&
                   seccomp_load(all) == 0;

    seccomp_release(all);
    return is_done && unshare(CLONE_THREAD) < 0 && errno == EPERM;
}

/* A bit for each thing that is not so. */
static int look(void)
{
    pthread_t other;
    int fds[2], wrong = 0, status = 0;
    pid_t child;

    wrong |= !box_is_single_threaded() ? 1 : 0;
    if (pipe(fds) < 0 || pthread_create(&other, NULL, wait_for_end, &fds[0]) != 0)
        return 2;
    wrong |= box_is_single_threaded() ? 4 : 0;
    close(fds[1]);
    pthread_join(other, NULL);
    /* The kernel says that it has ended a moment before it is gone. */
    for (int i = 0; i < 5000 && !box_is_single_threaded(); i++)
        usleep(1000);
    wrong |= !box_is_single_threaded() ? 8 : 0;
    child = fork();
    if (child == 0) {
        wrong = !box_is_single_threaded() || getpid() == getppid();
        box_forget_threads();
        _exit(wrong);
    }
    wrong |= waitpid(child, &status, 0) < 0 || status != 0 ? 16 : 0;
    return wrong;
}

static int in_a_child(bool is_refused)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(is_refused && !refuse_unshare() ? 64 : look());
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void knows_whether_it_has_one_thread(void) { CHECK(in_a_child(false) == 0); }

static void knows_it_where_unshare_is_refused(void) { CHECK(in_a_child(true) == 0); }

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"knows_whether_it_has_one_thread", knows_whether_it_has_one_thread},
        {"knows_it_where_unshare_is_refused", knows_it_where_unshare_is_refused},
        {0},
    };

    return test_main("box_box", TESTS, argc, argv);
}
