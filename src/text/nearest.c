/* nearest.c - the distance between two short words, in three rows of memory. */
#include "text/nearest.h"

#include <ctype.h>
#include <string.h>

static size_t least(size_t a, size_t b, size_t c)
{
    a = a < b ? a : b;
    return a < c ? a : c;
}

static int fold(char c) { return tolower((unsigned char)c); }

size_t nearest_distance(const char *a, const char *b)
{
    size_t rows[3][NEAREST_LEN_MAX + 1] = {{0}};
    size_t *before = rows[0], *above = rows[1], *row = rows[2], *spare;
    size_t n = strlen(a), m = strlen(b);

    if (n > NEAREST_LEN_MAX || m > NEAREST_LEN_MAX)
        return NEAREST_LEN_MAX + 1;
    for (size_t j = 0; j <= m; j++)
        above[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t other = fold(a[i - 1]) != fold(b[j - 1]);
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + other);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]) && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
        spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[m];
}

void nearest_init(struct nearest *n, const char *word)
{
    *n = (struct nearest){word, NULL, strlen(word) / 3 + 1};
    if (strlen(word) < 3)
        n->distance = 1;
    n->distance++;          /* candidates must be below */
}

void nearest_try(struct nearest *n, const char *candidate)
{
    size_t distance = nearest_distance(n->word, candidate);

    if (distance >= n->distance)
        return;
    n->best = candidate;
    n->distance = distance;
}
