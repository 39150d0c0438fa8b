/* flags.h - the compatibility flags that mean something to Python workers.
 *
 * Those of JavaScript's runtime are many, and more come every month: they are
 * taken as they are.  Pure. */
#ifndef CORRAL_PROJECT_FLAGS_H
#define CORRAL_PROJECT_FLAGS_H

#include <stdbool.h>

/* Is this a flag of Python workers that nobody knows, probably a slip?  *ret_near is the one that
 * was meant, or NULL. */
bool flags_are_odd(const char *flag, const char **ret_near);

#endif
