/* kin_identity.c - src/kin/identity.c: who lives is not taken for dead. */
#include "kin/identity.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static void ring(int number) { (void)number; }

/* As when many children end at once. */
static void is_not_misled_by_signals(void)
{
    const struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = ring};
    struct err err = {0};
    pid_t pid = fork();
    int bad = 0, fd;

    if (pid == 0) {
        for (;;)
            pause();
    }
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 20000; i++) {
        if (identity_open(pid, getpid(), &fd, &err) < 0)
            bad += strstr(err.text, "has ended") != NULL;
        else
            close(fd);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    CHECK(bad == 0);
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(identity_open(pid, getpid(), &fd, &err) == ERR_GONE);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"is_not_misled_by_signals", is_not_misled_by_signals},
        {0},
    };

    return test_main("kin_identity", TESTS, argc, argv);
}
