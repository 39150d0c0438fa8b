/* realm_toml.c - src/realm/py/toml.c: the sub-command `toml`, called in a child
 * of the test: what goes in as TOML comes out as JSON. */
#include "realm/toml.h"

#include <stdlib.h>
#include <string.h>

#include "realm_answer.h"
#include "test.h"

static int stay_outside(struct err *err) { return (void)err, 0; }
static int run_toml(void) { return toml_main(stay_outside); }
static void turns_toml_into_json(void)
{
    static const char *const CASES[][2] = {
        {"", "{\"ok\": {}}"},
        {"a = 1\n[b.c]\nd = [true, 'x', 1.5]\n",
         "{\"ok\": {\"a\": 1, \"b\": {\"c\": {\"d\": [true, \"x\", 1.5]}}}}"},
        {"\xef\xbb\xbf"
         "a = '\xc3\xa4'\r\n",
         "{\"ok\": {\"a\": \"\\u00e4\"}}"},
        {"d = 2026-03-01\nt = 10:00:00\ndt = 2026-03-01T10:00:00Z",
         "{\"ok\": {\"d\": \"2026-03-01\", \"t\": \"10:00:00\", "
         "\"dt\": \"2026-03-01T10:00:00+00:00\"}}"},
        {"a = 9223372036854775807\nb = 9223372036854775808",
         "{\"ok\": {\"a\": 9223372036854775807, \"b\": 9.223372036854776e+18}}"},
        {"[[a]]\nb = inf", "{\"error\": {\"message\": \"'a.0.b' is inf, which is no finite "
                           "number\", \"path\": [\"a\", \"0\", \"b\"]}}"},
        {"a = nan", "{\"error\": {\"message\": \"'a' is nan, which is no finite number\", "
                    "\"path\": [\"a\"]}}"},
        {"a = 1\nb = \n", "{\"error\": {\"message\": \"Invalid value\", \"line\": 2, \"column\": "
                          "5}}"},
        {"a = 1\na = 2", "{\"error\": {\"message\": \"Cannot overwrite a value at the end of the "
                         "file\", \"line\": 2, \"column\": 6}}"},
        {"a = 1\nb = '\xff'", "{\"error\": {\"message\": \"a byte that is not UTF-8\", \"line\": "
                              "2, \"column\": 6}}"},
    };
    char got[4096];

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        answer(run_toml, CASES[i][0], got, sizeof got);
        CHECK(strcmp(got, CASES[i][1]) == 0);
        if (strcmp(got, CASES[i][1]) != 0)
            printf("  <<%s>>\n  -> %s\n", CASES[i][0], got);
    }
}

static void refuses_what_is_nested_too_deep(void)
{
    static char text[200000] = "a = ";
    char got[4096];

    memset(text + 4, '[', sizeof text - 5);
    answer(run_toml, text, got, sizeof got);
    CHECK(strncmp(got, "{\"error\": {\"message\": \"", 23) == 0);
}

static void needs_no_environment(void)
{
    char got[256];

    setenv("PYTHONHOME", "/nowhere", 1);
    setenv("PYTHONPATH", "/nowhere", 1);
    answer(run_toml, "a = 1", got, sizeof got);
    CHECK(strcmp(got, "{\"ok\": {\"a\": 1}}") == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"turns_toml_into_json", turns_toml_into_json},
        {"refuses_what_is_nested_too_deep", refuses_what_is_nested_too_deep},
        {"needs_no_environment", needs_no_environment},
        {0},
    };

    return test_main("realm_toml", TESTS, argc, argv);
}
