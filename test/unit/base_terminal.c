/* base_terminal.c - src/base/terminal.c, and what a helper gets of our descriptors. */
#include "base/terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/helper.h"
#include "test.h"

static int take(void *self, struct span bytes, struct err *err)
{
    char *said = self;

    (void)err;
    strncat(said, bytes.data, bytes.len < 64 ? bytes.len : 64);
    return 0;
}

/* A terminal that is open for both ways, as a shell gives it. */
static int open_terminal(int *ret_ours)
{
    int theirs;

    *ret_ours = posix_openpt(O_RDWR | O_NOCTTY);
    if (*ret_ours < 0 || grantpt(*ret_ours) < 0 || unlockpt(*ret_ours) < 0)
        return -1;
    theirs = open(ptsname(*ret_ours), O_RDWR | O_NOCTTY);
    return theirs;
}

static void a_terminal_is_for_writing_alone(void)
{
    int ours = -1, theirs = open_terminal(&ours), kept = dup(2), words, flags;

    if (theirs < 0)
        return; /* no terminals here */
    CHECK(dup2(theirs, 2) == 2);
    words = terminal_for_words();
    flags = fcntl(words, F_GETFL);
    dup2(kept, 2);
    CHECK(words != 2 && (flags & O_ACCMODE) == O_WRONLY);
    terminal_done(words);
    CHECK(fcntl(words, F_GETFD) < 0);
    close(kept);
    close(theirs);
    close(ours);
}

static void what_is_none_is_handed_on(void)
{
    int kept = dup(2), null = open("/dev/null", O_RDWR), words;

    CHECK(dup2(null, 2) == 2);
    words = terminal_for_words();
    dup2(kept, 2);
    CHECK(words == 2);
    terminal_done(words);
    CHECK(fcntl(2, F_GETFD) >= 0);
    close(kept);
    close(null);
}

static void a_helper_has_three_descriptors(void)
{
    const char *argv[] = {"/bin/sh", "-c",
                          "for n in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/self/fd/$n ] && printf $n; done; :", NULL};
    const char *envp[] = {NULL};
    char said[80] = "";
    const struct helper helper = {.what = "a shell", .argv = argv, .envp = envp, .input = SPAN(""), .timeout_ms = 60000,
                                  .output = take, .self = said};
    int stray = open("/dev/zero", O_RDONLY), other = dup(stray);
    struct err err = {0};

    CHECK(stray >= 0 && other >= 0 && helper_run(&helper, &err) == 0);
    CHECK(strcmp(said, "012") == 0);
    close(stray);
    close(other);
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(a_terminal_is_for_writing_alone),
        T(what_is_none_is_handed_on),
        T(a_helper_has_three_descriptors),
        {0},
    };

    return test_main("base_terminal", TESTS, argc, argv);
}
