/* number.c - printf finds the digits, JavaScript's rules place the point. */
#include "text/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGITS_SURE = 15, /* every decimal of so many digits survives being a double */
    DIGITS_MAX = 17,
    PLAIN_MAX = 21, /* from 1e21 on with an exponent */
    PLAIN_MIN = -6, /* below 0.000001 too */
};

/* "d.ddde+XX" with the fewest digits that read back as `number`. */
static void find_digits(double number, char text[NUMBER_MAX])
{
    for (int digits = number < DBL_MIN ? 1 : DIGITS_SURE; digits <= DIGITS_MAX; digits++) {
        snprintf(text, NUMBER_MAX, "%.*e", digits - 1, number);
        if (strtod(text, NULL) == number)
            return;
    }
}

size_t number_put(double number, char out[NUMBER_MAX])
{
    char text[NUMBER_MAX], digits[NUMBER_MAX];
    int count = 0, exponent, n;
    const char *sign = number < 0 ? "-" : "";

    if (isnan(number) || isinf(number) || number == 0)
        return (size_t)snprintf(out, NUMBER_MAX, "%s",
                                number == 0     ? "0"
                                : isnan(number) ? "NaN"
                                : number < 0    ? "-Infinity"
                                                : "Infinity");
    find_digits(fabs(number), text);
    for (const char *p = text; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            digits[count++] = *p;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    exponent = atoi(strchr(text, 'e') + 1);
    n = exponent + 1; /* the point stands behind so many digits */
    if (n > PLAIN_MAX || n < PLAIN_MIN + 1)
        return (size_t)snprintf(out, NUMBER_MAX, "%s%c%s%.*se%+d", sign, digits[0],
                                count > 1 ? "." : "", count - 1, digits + 1, exponent);
    if (n <= 0)
        return (size_t)snprintf(out, NUMBER_MAX, "%s0.%.*s%.*s", sign, -n, "00000", count, digits);
    if (n >= count)
        return (size_t)snprintf(out, NUMBER_MAX, "%s%.*s%.*s", sign, count, digits, n - count,
                                "00000000000000000000");
    return (size_t)snprintf(out, NUMBER_MAX, "%s%.*s.%.*s", sign, n, digits, count - n, digits + n);
}
