/* base_file.c - src/base/file.c: all bytes arrive, or -1 says that they do not. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { MANY = 1024 * 1024 }; /* more than a pipe holds */

static char bytes[MANY];

static int count_bytes(int fd)
{
    static char piece[4096];
    int sum = 0;
    ssize_t n;

    while ((n = read(fd, piece, sizeof piece)) > 0)
        sum += (int)n;
    return sum;
}

static void goes_on_where_a_pipe_was_full(void)
{
    int ends[2], status = 0;
    pid_t reader;

    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    reader = fork();
    CHECK(reader >= 0);
    if (reader == 0) {
        close(ends[1]);
        _exit(count_bytes(ends[0]) == MANY ? 0 : 1);
    }
    close(ends[0]);
    CHECK(file_write(ends[1], (struct span){bytes, MANY}) == 0);
    close(ends[1]);
    CHECK(waitpid(reader, &status, 0) == reader && status == 0);
}

static void says_why_not(void)
{
    int ends[2];

    CHECK(file_write(-1, SPAN("")) == 0);
    CHECK(file_write(-1, SPAN("x")) == -1 && errno == EBADF);
    signal(SIGPIPE, SIG_IGN);
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    close(ends[0]);
    CHECK(file_write(ends[1], SPAN("x")) == -1 && errno == EPIPE);
    close(ends[1]);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"goes_on_where_a_pipe_was_full", goes_on_where_a_pipe_was_full},
        {"says_why_not", says_why_not},
        {0},
    };

    return test_main("base_file", TESTS, argc, argv);
}
