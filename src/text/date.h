/* date.h - a moment as HTTP writes it: "Sun, 06 Nov 1994 08:49:37 GMT".
 *
 * Pure; thread: any. */
#ifndef CORRAL_TEXT_DATE_H
#define CORRAL_TEXT_DATE_H

#include <stdint.h>

enum { DATE_LEN = 29 };     /* bytes, no NUL */

/* Write `seconds` since the Unix epoch, years 0 to 9999. */
void date_put(int64_t seconds, char out[DATE_LEN]);

#endif
