/* base_helper.c - src/base/helper.c: what it runs ends with us, and so does what that has started. */
#include "base/helper.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static struct err err;

/* Says the number of a process that it has started, which would live on; then `then` is called. */
static int run(int (*then)(void *self, struct span bytes, struct err *err), void *self)
{
    static const char *const ARGV[] = {"/bin/sh", "-c", "sleep 1000 & echo $!; wait", NULL};
    static const char *const ENVP[] = {NULL};
    const struct helper helper = {.what = "the test",
                                  .argv = ARGV,
                                  .envp = ENVP,
                                  .timeout_ms = 60 * 1000,
                                  .output = then,
                                  .self = self};

    return helper_run(&helper, &err);
}

/* It becomes ours when its parent has ended, which may be ours by then. */
static bool is_killed(pid_t pid)
{
    bool is_it = false;
    pid_t one;
    int status;

    while ((one = waitpid(-1, &status, 0)) > 0)
        is_it |= one == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    return is_it;
}

static int tell(void *self, struct span bytes, struct err *ignored)
{
    const int *out = self;

    (void)ignored;
    if (write(*out, bytes.data, bytes.len) < 0)
        abort();
    raise(SIGTERM);
    return 0;
}

static void ends_with_a_signal_that_ends_us(void)
{
    int ends[2], status = 0;
    char text[32] = "";
    pid_t pid;

    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && pipe(ends) == 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        signal(SIGTERM, SIG_DFL);
        helper_end_with_us();
        (void)!run(tell, &ends[1]);
        _exit(0);
    }
    close(ends[1]);
    CHECK(read(ends[0], text, sizeof text - 1) > 0);
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    CHECK(is_killed((pid_t)atoi(text)));
    close(ends[0]);
}

static int end(void *self, struct span bytes, struct err *ignored)
{
    pid_t *pid = self;

    (void)ignored;
    if (*pid == 0)
        *pid = (pid_t)atoi(bytes.data);
    helper_end_all();
    return 0;
}

static void ends_all_and_starts_none(void)
{
    pid_t pid = 0;

    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    CHECK(run(end, &pid) == ERR_SYSTEM);
    CHECK(is_killed(pid));
    CHECK(run(end, &pid) == ERR_CANCELLED);
}

static const struct test TESTS[] = {
    {"ends_with_a_signal_that_ends_us", ends_with_a_signal_that_ends_us},
    {"ends_all_and_starts_none", ends_all_and_starts_none},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return test_main("base_helper", TESTS, argc, argv);
}
