/* loop_strays.c - src/loop/strays.c: what is forked is found, and weighed. */
#include "loop/strays.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { MIB = 1 << 20, ROOM = 16 * MIB };

static pid_t known;

static bool is_known(const void *self, pid_t pid)
{
    (void)self;
    return pid == known;
}

static struct strays look(void)
{
    struct weight top = {0};
    struct strays found;

    weight_begin(&top, getpid(), 0);
    top.base_bytes = 0;
    weight_look(&top, 0, 0, 0);
    strays_look(&top, 0, is_known, NULL, &found);
    weight_done(&top);
    return found;
}

/* A child that waits to be ended, with ROOM bytes of its own and `below` children; it says when that is so. */
static pid_t start(bool has_room, unsigned below)
{
    int ends[2];
    pid_t pid;
    char c = 0;

    CHECK(pipe(ends) == 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (has_room)
            memset(mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, ROOM);
        for (unsigned i = 0; i < below; i++)
            start(false, 0);
        (void)!write(ends[1], "x", 1);
        for (;;)
            pause();
    }
    close(ends[1]);
    CHECK(pid > 0 && read(ends[0], &c, 1) == 1);
    close(ends[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

static void counts_what_nobody_knows(void)
{
    pid_t a = start(true, 0), b = start(false, 0);
    struct strays both = look(), one;

    CHECK(both.count == 2 && both.bytes >= ROOM && both.bytes < 2 * ROOM);
    known = a;
    one = look();
    CHECK(one.count == 1 && one.bytes < MIB);
    known = 0;
    end(a);
    end(b);
    CHECK(look().count == 0 && look().bytes == 0);
}

static void sees_children_of_children(void)
{
    pid_t a = start(false, 3);

    CHECK(look().count == 4);
    end(a);
}

static void who_has_ended_is_none(void)
{
    pid_t a = start(false, 0);
    siginfo_t info;

    kill(a, SIGKILL);
    CHECK(waitid(P_PID, (id_t)a, &info, WEXITED | WNOWAIT) == 0);
    CHECK(look().count == 0);
    end(a);
}

static void does_not_look_at_more_than_are_too_many(void)
{
    pid_t all[STRAYS_MAX + 4];

    for (int i = 0; i < STRAYS_MAX + 4; i++)
        all[i] = start(false, 0);
    CHECK(look().count == STRAYS_MAX + 1);
    for (int i = 0; i < STRAYS_MAX + 4; i++)
        end(all[i]);
}

static void who_is_not_there_has_none(void)
{
    struct weight nobody = {0};
    struct strays found = {.count = 1};

    strays_look(&nobody, 0, is_known, NULL, &found);
    CHECK(found.count == 0 && found.bytes == 0);
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(counts_what_nobody_knows),
        T(sees_children_of_children),
        T(who_has_ended_is_none),
        T(does_not_look_at_more_than_are_too_many),
        T(who_is_not_there_has_none),
        {0},
    };

    return test_main("loop_strays", TESTS, argc, argv);
}
