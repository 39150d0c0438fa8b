/* text_nearest.c - src/text/nearest.c: slips of the finger are seen through. */
#include "text/nearest.h"

#include <string.h>

#include "test.h"

static void counts_slips(void)
{
    static const struct {
        const char *a, *b;
        size_t distance;
    } CASES[] = {
        {"", "", 0},          {"a", "", 1},          {"main", "main", 0},
        {"mian", "main", 1},  {"man", "main", 1},    {"maiin", "main", 1},
        {"Main", "main", 0},  {"vars", "var", 1},    {"kitten", "sitting", 3},
        {"ca", "abc", 3},     {"route", "routes", 1}, {"compat_date", "compatibility_date", 7},
    };
    char longer[NEAREST_LEN_MAX + 2];

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        CHECK(nearest_distance(CASES[i].a, CASES[i].b) == CASES[i].distance);
        CHECK(nearest_distance(CASES[i].b, CASES[i].a) == CASES[i].distance);
    }
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    CHECK(nearest_distance(longer, longer) == NEAREST_LEN_MAX + 1);
}

static const char *nearest_of(const char *word)
{
    static const char *const WORDS[] = {"main", "name", "vars", "route", "routes",
                                        "compatibility_date"};
    struct nearest n;

    nearest_init(&n, word);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        nearest_try(&n, WORDS[i]);
    return n.best ? n.best : "none";
}

static void names_only_what_is_near(void)
{
    CHECK(strcmp(nearest_of("mian"), "main") == 0);
    CHECK(strcmp(nearest_of("var"), "vars") == 0);
    CHECK(strcmp(nearest_of("routs"), "route") == 0);
    CHECK(strcmp(nearest_of("compat_date"), "none") == 0);
    CHECK(strcmp(nearest_of("compatability_date"), "compatibility_date") == 0);
    CHECK(strcmp(nearest_of("xyzzy"), "none") == 0);
    CHECK(strcmp(nearest_of("x"), "none") == 0);
    CHECK(strcmp(nearest_of(""), "none") == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"counts_slips", counts_slips},
        {"names_only_what_is_near", names_only_what_is_near},
        {0},
    };

    return test_main("text_nearest", TESTS, argc, argv);
}
