/* cli_table.c - src/cli/table.c: frames fit what terminals show. */
#include "cli/table.h"

#include <string.h>

#include "base/mem.h"
#include "test.h"

static void expect(const struct span *cells, size_t columns, size_t rows, const char *wanted)
{
    struct buf out = {0};
    char *got;

    CHECK(table_print(&out, TABLE_PLAIN, cells, columns, rows) == 0);
    got = buf_detach(&out);
    if (strcmp(got, wanted) != 0) {
        test_failed_checks++;
        printf("  got:\n%s  wanted:\n%s", got, wanted);
    }
    mem_free(got);
    buf_done(&out);
}

static void frames_what_is_wide_or_invisible(void)
{
    const struct span cells[] = {
        SPAN("id"),       SPAN("title"), SPAN("1"),
        SPAN("日本の本"), SPAN("22"),    SPAN("e\xcc\x81t\xc3\xa9"),
        SPAN(""),         SPAN("x😀"),
    };

    expect(cells, 2, 4,
           "┌────┬──────────┐\n"
           "│ id │ title    │\n"
           "├────┼──────────┤\n"
           "│ 1  │ 日本の本 │\n"
           "├────┼──────────┤\n"
           "│ 22 │ e\xcc\x81té      │\n"
           "├────┼──────────┤\n"
           "│    │ x😀      │\n"
           "└────┴──────────┘\n");
}

static void shows_lines_and_hides_controls(void)
{
    const struct span cells[] = {
        SPAN("a"),
        SPAN("b"),
        SPAN("one\ntwo\n"),
        SPAN("\033[2J\0\177\xc2\x9b\xff"),
    };

    expect(cells, 2, 2,
           "┌─────┬──────────┐\n"
           "│ a   │ b        │\n"
           "├─────┼──────────┤\n"
           "│ one │ ␛[2J␀␡�� │\n"
           "│ two │          │\n"
           "│     │          │\n"
           "└─────┴──────────┘\n");
}

static void frames_a_head_alone(void)
{
    expect(&SPAN(""), 1, 1, "┌──┐\n│  │\n└──┘\n");
}

static void says_sizes_as_wrangler_does(void)
{
    static const struct {
        double bytes;
        const char *text;
    } CASES[] = {{0, "0 B"},          {999, "999 B"},       {1000, "1 kB"},  {12288, "12.3 kB"},
                 {999900, "1000 kB"}, {1234567, "1.23 MB"}, {1e10, "10 GB"}, {123456, "123 kB"}};
    char text[32];

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        table_bytes(CASES[i].bytes, text);
        CHECK(strcmp(text, CASES[i].text) == 0);
    }
}

static void copes_without_memory(void)
{
    const struct span cells[] = {SPAN("a"), SPAN("b"), SPAN("日本\n語"), SPAN("2")};
    int r = ERR_NOMEM;

    for (int n = 0; n < 100 && r != 0; n++) {
        struct buf out = {0};
        mem_fail_after(n);
        r = table_print(&out, TABLE_PLAIN, cells, 2, 2);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        buf_done(&out);
    }
    CHECK(r == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"frames_what_is_wide_or_invisible", frames_what_is_wide_or_invisible},
        {"shows_lines_and_hides_controls", shows_lines_and_hides_controls},
        {"frames_a_head_alone", frames_a_head_alone},
        {"says_sizes_as_wrangler_does", says_sizes_as_wrangler_does},
        {"copes_without_memory", copes_without_memory},
        {0},
    };

    return test_main("cli_table", TESTS, argc, argv);
}
