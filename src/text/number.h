/* number.h - a number as JavaScript writes it.
 *
 * The fewest digits that give the same number again: 0.1, 1e+21, 1e-7, 100.
 * Pure; thread: any. */
#ifndef CORRAL_TEXT_NUMBER_H
#define CORRAL_TEXT_NUMBER_H

#include <stddef.h>

enum { NUMBER_MAX = 32 }; /* bytes, with the NUL */

/* Returns the length.  "NaN", "Infinity", "-Infinity"; minus zero is "0". */
size_t number_put(double number, char out[NUMBER_MAX]);

#endif
