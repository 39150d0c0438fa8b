/* charset_tables.h - the Encoding standard's indexes for text/charset.h, drawn from ICU.
 *
 * They stay for ever once drawn.  Thread: the realm's. */
#ifndef CORRAL_REALM_WEB_CHARSET_TABLES_H
#define CORRAL_REALM_WEB_CHARSET_TABLES_H

#include <stdbool.h>

#include "text/charset.h"

enum { CHARSET_HALF = 128 }; /* bytes of a one-byte set beyond ASCII */

/* Draw this index if need be; false when out of memory. */
bool charset_tables_has(enum charset_table table);
/* A charset_lookup_fn; self is a table of charset_tables_single, for that kind. */
uint32_t charset_tables_look_up(void *single, enum charset_table table, const unsigned char *bytes);
/* The CHARSET_HALF code points of the one-byte set of this name, 0 where there is none. */
bool charset_tables_single(const char *name, uint16_t *points);

#endif
