/* realm_packages.c - src/realm/py/packages.c: the sub-command `packages`, called in a child of the
 * test: one job as JSON comes in, lines of JSON go out, whatever the job is. */
#include "realm/packages.h"

#include <stdlib.h>
#include <string.h>

#include "realm_answer.h"
#include "test.h"

static int stay_outside(const struct packages_walls *walls, struct err *err)
{
    return (void)walls, (void)err, 0;
}
static int run_packages(void) { return packages_main(stay_outside); }

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
        answer(run_packages, CASES[i][0], got, sizeof got);
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
