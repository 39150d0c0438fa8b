/* link_late.c - src/link/late.c: which imports have names that are put together, by the text alone. */
#include "link/late.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

/* In memory of its own size, so that whoever reads past its end is seen. */
static size_t count(const char *text)
{
    const size_t len = strlen(text);
    char *copy = malloc(len + !len);
    size_t n = 0;

    memcpy(copy, text, len);
    for (size_t at = 0; late_find_relative((struct span){copy, len}, &at); at++) {
        CHECK(at + 6 <= len && memcmp(copy + at, "import", 6) == 0);
        n++;
    }
    free(copy);
    return n;
}

static void finds_names_that_are_put_together(void)
{
    CHECK(count("import(\"./\" + name)") == 1);
    CHECK(count("import('../lib/' + name); import (`./${name}.js`)") == 2);
    CHECK(count("import /* why */ ( /* how */ \"./a\\\"b/\" /* + */ + name)") == 1);
}

static void leaves_other_imports(void)
{
    CHECK(count("import(\"./a.js\")") == 0);
    CHECK(count("import(`./a.js`)") == 0);
    CHECK(count("import(\"hono\" + name)") == 0);
    CHECK(count("import(\".\" + name)") == 0);
    CHECK(count("reimport(\"./\" + name)") == 0);
    CHECK(count("import a from \"./\"") == 0);
    CHECK(count("import(\"./\n\" + name)") == 0);
}

/* Every beginning of a text, and ends that promise more. */
static void stops_at_the_end(void)
{
    static const char *const WHOLE = "import /* a */ ( /* b */ \"./a\\\\b\" /* c */ + name)";
    static const char *const ENDS[] = {"import(\"./\\",   "import(\"./a\\", "import(`./$",
                                       "import(\"./\"/*", "import(/*/",     "import(\".."};
    char text[64];

    for (size_t len = 0; len <= strlen(WHOLE); len++) {
        memcpy(text, WHOLE, len);
        text[len] = '\0';
        CHECK(count(text) <= 1);
    }
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++)
        CHECK(count(ENDS[i]) == 0);
}

static const struct test TESTS[] = {
    {"finds_names_that_are_put_together", finds_names_that_are_put_together},
    {"leaves_other_imports", leaves_other_imports},
    {"stops_at_the_end", stops_at_the_end},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return test_main("link_late", TESTS, argc, argv);
}
