/* nearest.h - which of some words was probably meant.
 *
 * Damerau-Levenshtein distance (optimal string alignment): a letter more, less,
 * other, or two swapped count one each; letters that differ in case only are
 * equal.  Pure. */
#ifndef CORRAL_TEXT_NEAREST_H
#define CORRAL_TEXT_NEAREST_H

#include <stddef.h>

enum { NEAREST_LEN_MAX = 64 };      /* longer words match nothing */

/* Steps from a to b; NEAREST_LEN_MAX + 1 when one of them is too long. */
size_t nearest_distance(const char *a, const char *b);

/* Feed candidates one by one; best is the nearest that is near enough to be
 * worth naming (a third of the word's length), or NULL. */
struct nearest {
    const char *word;
    const char *best;       /* borrowed from nearest_try */
    size_t distance;        /* of best */
};

void nearest_init(struct nearest *n, const char *word);
void nearest_try(struct nearest *n, const char *candidate);

#endif
