/* realm_packages.c - src/realm/py/packages.c: the sub-command `packages`, called in a child of the
 * test: one job as JSON comes in, lines of JSON go out, whatever the job is. */
#include "realm/packages.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* Run packages_main on a job; its output in ret, or "exit N". */
static void answer(const char *job, char *ret, size_t cap)
{
    int in = memfd_create("in", 0), out = memfd_create("out", 0), status = 0;
    ssize_t n;
    pid_t pid;

    if (write(in, job, strlen(job)) < 0)
        return;
    lseek(in, 0, SEEK_SET);
    pid = fork();
    if (pid == 0) {
        dup2(in, 0);
        dup2(out, 1);
        _exit(packages_main());
    }
    waitpid(pid, &status, 0);
    lseek(out, 0, SEEK_SET);
    n = read(out, ret, cap - 1);
    ret[n > 0 ? n : 0] = '\0';
    if (status != 0)
        snprintf(ret, cap, "exit %d", status);
    close(in);
    close(out);
}

static void says_what_is_wrong_with_a_job(void)
{
    static const char *const CASES[][2] = {
        {"", "{\"error\": {\"text\": \"the packager's job is no JSON: "},
        {"{\"job\": ", "{\"error\": {\"text\": \"the packager's job is no JSON: "},
        {"\xff", "{\"error\": {\"text\": \"the packager's job is no JSON: "},
        {"[]", "{\"error\": {\"text\": \"the packager was given no job that it knows\""},
        {"{\"job\": \"report\"}", "{\"error\": {\"text\": \"the packager was given no job "},
        {"{\"job\": [\"sync\"]}", "{\"error\": {\"text\": \"the packager was given no job "},
    };
    char got[16384];

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        answer(CASES[i][0], got, sizeof got);
        CHECK(strncmp(got, CASES[i][1], strlen(CASES[i][1])) == 0);
        CHECK(got[0] && strchr(got, '\n') == got + strlen(got) - 1);
        if (strncmp(got, CASES[i][1], strlen(CASES[i][1])) != 0)
            printf("  <<%s>>\n  -> %s\n", CASES[i][0], got);
    }
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"says_what_is_wrong_with_a_job", says_what_is_wrong_with_a_job},
        {0},
    };

    return test_main("realm_packages", TESTS, argc, argv);
}
