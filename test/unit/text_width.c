/* text_width.c - src/text/width.c: columns as terminals count them. */
#include "text/width.h"

#include "test.h"

static void counts_columns(void)
{
    static const struct {
        const char *text;
        size_t width;
    } CASES[] = {
        {"", 0},
        {"abc", 3},
        {"吾輩は猫である", 14},
        {"ﾊﾝｶｸ", 4},
        {"Ｚ", 2},
        {"한글", 4},
        {"é", 1},
        {"e\xCC\x81", 1},     /* a combining accent */
        {"a\xE2\x80\x8B", 1}, /* a space without width */
        {"✅", 2},
        {"🌀", 2},
        {"❤", 1},
        {"❤\xEF\xB8\x8F", 2},               /* as an emoji */
        {"👩\xE2\x80\x8D👩\xE2\x80\x8D👧", 2}, /* a family */
        {"👍🏽", 2},                    /* a skin colour */
        {"🇯🇵", 2},                          /* a flag */
        {"…①", 2},                          /* ambiguous: one each */
        {"\xFF\xE3\x81", 3},                /* no UTF-8 */
        {"a\xED\xA0\x80", 4},               /* half a surrogate pair */
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        size_t width = width_of(span_of(CASES[i].text));
        if (width != CASES[i].width)
            printf("  %s: %zu\n", CASES[i].text, width);
        CHECK(width == CASES[i].width);
    }
}

static void cuts_between_characters(void)
{
    CHECK(width_cut(SPAN("abc"), 2) == 2);
    CHECK(width_cut(SPAN("abc"), 5) == 3);
    CHECK(width_cut(SPAN("猫猫"), 3) == 3);
    CHECK(width_cut(SPAN("猫"), 1) == 0);
    CHECK(width_cut(SPAN("e\xCC\x81x"), 1) == 3);
    CHECK(width_cut(SPAN("👩\xE2\x80\x8D👧x"), 2) == 11);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"counts_columns", counts_columns},
        {"cuts_between_characters", cuts_between_characters},
        {0},
    };

    return test_main("text_width", TESTS, argc, argv);
}
