/* test.h - the whole test framework: CHECK, a table, a tally. */
#ifndef CORRAL_TEST_H
#define CORRAL_TEST_H

#include <stdio.h>

struct test {
    const char *name;       /* a sentence: refuses_a_cut_frame */
    void (*run)(void);
};

extern int test_failed_checks;

#define CHECK(cond)                                                                                \
    ((cond) ? (void)0                                                                              \
            : (void)(test_failed_checks++, printf("  %s:%d: %s\n", __FILE__, __LINE__, #cond)))

/* Run every test whose name holds argv[1] (all without it); returns main's exit code. */
int test_main(const char *suite, const struct test *tests, int argc, char **argv);

#endif
