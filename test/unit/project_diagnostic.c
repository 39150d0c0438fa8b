/* project_diagnostic.c - src/project/diagnostic.c: the caret stands where it should. */
#include "project/diagnostic.h"

#include <string.h>

#include "base/mem.h"
#include "test.h"

static int prints_as(const struct diagnostics *d, const char *wanted)
{
    struct buf out = {0};
    int is_same;

    CHECK(diagnostics_print(d, &out) == 0);
    is_same = span_is(buf_span(&out), wanted);
    if (!is_same)
        printf("  got:    <<%.*s>>\n  wanted: <<%s>>\n", (int)buf_len(&out), buf_data(&out), wanted);
    buf_done(&out);
    return is_same;
}

static void prints_place_line_caret_and_hint(void)
{
    struct diagnostics d = {0};
    struct span text = SPAN("one\n\tzw\xc3\xb6lf = x\n");

    diagnostics_add(&d, SEVERITY_ERROR, place_at("f.toml", text, 13), "first\nsecond", "is %d", 7);
    diagnostics_add(&d, SEVERITY_WARNING, (struct place){"f.toml", 3, 0, {NULL, 0}}, NULL, "hm");
    diagnostics_add(&d, SEVERITY_WARNING, (struct place){"f.toml", 0, 0, {NULL, 0}}, NULL, "hm");
    diagnostics_add(&d, SEVERITY_ERROR, (struct place){0}, NULL, "all");
    CHECK(prints_as(&d, "f.toml:2:9: error: is 7\n"
                        "    \tzw\xc3\xb6lf = x\n"
                        "    \t       ^\n"
                        "  hint: first\n"
                        "        second\n"
                        "f.toml:3: warning: hm\n"
                        "f.toml: warning: hm\n"
                        "error: all\n"));
    CHECK(d.errors == 2 && d.warnings == 2);
    CHECK(diagnostics_first_error(&d) == &d.items[0]);
    diagnostics_done(&d);
}

static void cuts_a_long_line_around_the_caret(void)
{
    struct diagnostics d = {0};
    struct buf out = {0};
    char line[1000];
    const char *caret;

    memset(line, 'a', sizeof line);
    line[700] = 'X';
    diagnostics_add(&d, SEVERITY_ERROR, place_at("f", (struct span){line, sizeof line}, 700), NULL,
                    "x");
    CHECK(diagnostic_print(&d.items[0], &out) == 0 && buf_len(&out) < 400);
    CHECK(buf_append(&out, "", 1) == 0);
    caret = strchr(buf_data(&out), '^');
    CHECK(caret && strchr(buf_data(&out), 'X'));
    if (caret)      /* both in the same column of their lines */
        CHECK(strchr(buf_data(&out), 'X') - (strstr(buf_data(&out), "\n    a") + 1) ==
              caret - (strrchr(buf_data(&out), '\n') + 1));
    buf_done(&out);
    diagnostics_done(&d);
}

static void counts_what_it_does_not_keep(void)
{
    struct diagnostics d = {0};
    struct buf out = {0};

    for (int i = 0; i < DIAGNOSTICS_MAX + 5; i++)
        diagnostics_add(&d, SEVERITY_WARNING, (struct place){0}, NULL, "w");
    CHECK(d.count == DIAGNOSTICS_MAX && d.warnings == DIAGNOSTICS_MAX + 5 && !d.is_short);
    CHECK(diagnostics_print(&d, &out) == 0 && buf_append(&out, "", 1) == 0);
    CHECK(strstr(buf_data(&out), "... and 5 more\n"));
    CHECK(diagnostics_first_error(&d) == NULL);
    buf_done(&out);
    diagnostics_done(&d);
}

static void remembers_that_memory_ran_out(void)
{
    int is_short = 1;

    for (int n = 0; n < 20 && is_short; n++) {
        struct diagnostics d = {0};
        mem_fail_after(n);
        diagnostics_add(&d, SEVERITY_ERROR, (struct place){"f", 1, 1, SPAN("abc")}, "h", "t");
        mem_fail_after(-1);
        CHECK(d.errors == 1 && d.count == (d.is_short ? 0 : 1));
        is_short = d.is_short;
        diagnostics_done(&d);
    }
    CHECK(!is_short);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"prints_place_line_caret_and_hint", prints_place_line_caret_and_hint},
        {"cuts_a_long_line_around_the_caret", cuts_a_long_line_around_the_caret},
        {"counts_what_it_does_not_keep", counts_what_it_does_not_keep},
        {"remembers_that_memory_ran_out", remembers_that_memory_ran_out},
        {0},
    };

    return test_main("project_diagnostic", TESTS, argc, argv);
}
