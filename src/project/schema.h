/* schema.h - every key that a wrangler configuration may have, by name and type.
 *
 * schema_check looks at one level of tables: the top one, or one environment.
 * A key that Corral reads must have the right type (an error otherwise); one it
 * does not read yet gives one warning however often it stands in the file; one
 * that no wrangler knows gives a warning with the nearest known name.
 *
 * Inside project/ only. */
#ifndef CORRAL_PROJECT_SCHEMA_H
#define CORRAL_PROJECT_SCHEMA_H

#include <stdbool.h>

#include "project/config.h"

enum { SCHEMA_KEYS_MAX = 128 };

/* What was said already, so that [env.X] does not repeat it. */
struct schema_said {
    bool keys[SCHEMA_KEYS_MAX];
};

/* env: NULL for the top level, else the name of the environment to check. */
void schema_check(const struct config *c, const char *env, struct schema_said *said,
                  struct diagnostics *d);

/* Is the value's type one that the table allows for the key?  Reports nothing. */
bool schema_fits(const char *key, const json_t *value);
/* The name of the i-th known key; NULL behind the last. */
const char *schema_key(size_t i);
/* "a number", "a table" ...: what a message calls the value. */
const char *schema_word(const struct config *c, const json_t *value);

#endif
