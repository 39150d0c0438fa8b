/* jsonc.h - JSON with comments and trailing commas, made plain JSON in place.
 *
 * Comments and commas before a closing bracket become spaces (newlines stay),
 * so every offset, line and column of the result is one of the original.  A
 * byte order mark becomes spaces too.  A comment that never ends is left as it
 * is, for the parser to complain about.  Pure; fuzzed by fuzz_jsonc.c. */
#ifndef CORRAL_TEXT_JSONC_H
#define CORRAL_TEXT_JSONC_H

#include <stddef.h>

void jsonc_blank(char *text, size_t len);

#endif
