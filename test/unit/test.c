/* test.c - run each test, print those that fail, close with the tally. */
#include "test.h"

#include <string.h>

int test_failed_checks;

int test_main(const char *suite, const struct test *tests, int argc, char **argv)
{
    int passed = 0, failed = 0;

    for (const struct test *t = tests; t->name; t++) {
        int before = test_failed_checks;
        if (argc > 1 && !strstr(t->name, argv[1]))
            continue;
        t->run();
        if (test_failed_checks == before) {
            passed++;
        } else {
            failed++;
            printf("FAIL %s/%s\n", suite, t->name);
        }
    }
    printf("%s: %d passed, %d failed\n", suite, passed, failed);
    return failed != 0;
}
