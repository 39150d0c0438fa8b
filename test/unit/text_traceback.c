/* text_traceback.c - src/text/traceback.c: which frame is the one to show. */
#include "text/traceback.h"

#include "test.h"

static void finds_the_place(void)
{
    static const struct {
        const char *text, *file;
        int line;
    } CASES[] = {
        {"Traceback (most recent call last):\n  File \"src/entry.py\", line 7, in on_fetch\n    x()\n", "src/entry.py", 7},
        {"  File \"src/a.py\", line 1, in f\n  File \"src/b.py\", line 2, in g\nKeyError: 'x'", "src/b.py", 2},
        {"  File \"src/a.py\", line 1, in f\n  File \"/usr/lib/python3.11/json/x.py\", line 2, in g\n", "src/a.py", 1},
        {"  File \"<string>\", line 3\n  File \"src/a.py\", line 1\n", "src/a.py", 1},
        {"  | Traceback\n  |   File \"src/a.py\", line 9, in f\n  +---- 2 ----\n", "src/a.py", 9},
        {"  File \"a \\\" b.py\", line 12", "a \\\" b.py", 12},
        {"TypeError: x\n    at f (src/a.js:3:9)\n    at g (src/b.js:4:1)", "src/a.js", 3},
        {"TypeError: x\n    at src/a.js:3:9", "src/a.js", 3},
        {"TypeError: x\n    at f (y) (src/a.js:3:9)\n", "src/a.js", 3},
        {"TypeError: x\n    at f (/lib/a.js:3:9)\n    at g (b.js:4:1)", "b.js", 4},
        {"JsException: x\n    at f (a.js:3:9)\n  File \"src/a.py\", line 1\n", "src/a.py", 1},
        {"", NULL, 0},
        {"\n\n", NULL, 0},
        {"Traceback (most recent call last):\nValueError", NULL, 0},
        {"  File \"\", line 3", NULL, 0},
        {"  File \"a.py\", line ", NULL, 0},
        {"  File \"a.py\", line 0", NULL, 0},
        {"  File \"a.py\", line 99999999999999999999", NULL, 0},
        {"  File \"a.py", NULL, 0},
        {"  File \"", NULL, 0},
        {"    at ", NULL, 0},
        {"    at )", NULL, 0},
        {"    at ()", NULL, 0},
        {"    at x:1", NULL, 0},
        {"    at :1:1", NULL, 0},
        {"    at x:1:", NULL, 0},
        {"at x:1:1", NULL, 0},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct traceback_place place;
        bool is_there = traceback_place(span_of(CASES[i].text), &place);
        CHECK(is_there == (CASES[i].file != NULL));
        if (is_there)
            CHECK(span_is(place.file, CASES[i].file) && place.line == CASES[i].line);
        if (is_there != (CASES[i].file != NULL) || (is_there && place.line != CASES[i].line))
            printf("  case %zu\n", i);
    }
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {{"finds_the_place", finds_the_place}, {0}};

    return test_main("text_traceback", TESTS, argc, argv);
}
