/* text_number.c - src/text/number.c: numbers as JavaScript writes them. */
#include "text/number.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static void writes_as_javascript_does(void)
{
    static const struct {
        double number;
        const char *text;
    } CASES[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {100, "100"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e20, "100000000000000000000"},
        {123456789012345680000.0, "123456789012345680000"},
        {1e21, "1e+21"},
        {1.5e300, "1.5e+300"},
        {0.000001, "0.000001"},
        {0.00000123, "0.00000123"},
        {1e-7, "1e-7"},
        {-1.25e-9, "-1.25e-9"},
        {5e-324, "5e-324"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {9007199254740993.0, "9007199254740992"},
        {9223372036854775807.0, "9223372036854776000"},
        {3.141592653589793, "3.141592653589793"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
        {NAN, "NaN"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[NUMBER_MAX];
        size_t n = number_put(CASES[i].number, text);
        if (strcmp(text, CASES[i].text) != 0)
            printf("  %s, not %s\n", text, CASES[i].text);
        CHECK(strcmp(text, CASES[i].text) == 0 && n == strlen(text));
    }
}

static void reads_back_as_the_same(void)
{
    double number = 1.1;

    for (int i = 0; i < 600; i++) {
        char text[NUMBER_MAX];
        (void)number_put(number, text);
        CHECK(strtod(text, NULL) == number);
        number *= i % 2 ? -7.77 : 0.0123;
        if (i == 300)
            number = 1e-5;
    }
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"writes_as_javascript_does", writes_as_javascript_does},
        {"reads_back_as_the_same", reads_back_as_the_same},
        {0},
    };

    return test_main("text_number", TESTS, argc, argv);
}
