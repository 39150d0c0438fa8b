/* project_flags.c - src/project/flags.c: flags of Python workers, and slips. */
#include "project/flags.h"

#include <string.h>

#include "test.h"

static void knows_the_flags_of_python_workers(void)
{
    static const char *const KNOWN[] = {
        "python_workers",      "python_workers_20250116",           "no_python_workers_20250116",
        "python_workflows",    "disable_python_no_global_handlers", "python_external_packages",
        "no_python_workflows", "enable_python_external_sdk",        "python_external_sdk"};
    const char *near;

    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        CHECK(!flags_are_odd(KNOWN[i], &near));
}

static void takes_other_flags_as_they_are(void)
{
    static const char *const OTHER[] = {"nodejs_compat", "rtti_api", "x", "global_navigator", "experimental",
                                        "no_nodejs_compat_v2", "streams_enable_constructors"};
    const char *near;

    for (size_t i = 0; i < sizeof OTHER / sizeof *OTHER; i++)
        CHECK(!flags_are_odd(OTHER[i], &near));
}

static void names_the_one_that_was_meant(void)
{
    static const char *const SLIPS[][2] = {{"pyhton_workers", "python_workers"},
                                           {"python-workers", "python_workers"},
                                           {"python_worker", "python_workers"},
                                           {"disable_python_no_global_handler", "disable_python_no_global_handlers"},
                                           {"python_workers_20250115", "python_workers_20250116"}};
    const char *near;

    for (size_t i = 0; i < sizeof SLIPS / sizeof *SLIPS; i++)
        CHECK(flags_are_odd(SLIPS[i][0], &near) && near && strcmp(near, SLIPS[i][1]) == 0);
    CHECK(flags_are_odd("some_other_python_flag_of_the_future", &near) && !near);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"knows_the_flags_of_python_workers", knows_the_flags_of_python_workers},
        {"takes_other_flags_as_they_are", takes_other_flags_as_they_are},
        {"names_the_one_that_was_meant", names_the_one_that_was_meant},
        {0},
    };

    return test_main("project_flags", TESTS, argc, argv);
}
