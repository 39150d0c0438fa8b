/* value.h - jansson on our heap.
 *
 * jansson calls a failed allocation a syntax error as often as not; here it is
 * ERR_NOMEM.  Call value_init before any other use of jansson in a function
 * that may be the first.  One thread; in the node only. */
#ifndef CORRAL_TEXT_VALUE_H
#define CORRAL_TEXT_VALUE_H

#include <jansson.h>

#include "base/err.h"
#include "base/span.h"

void value_init(void);
/* 0, ERR_INVALID with *ret_error, ERR_NOMEM.  Any value, strings may hold NUL. */
int value_parse(struct span text, json_t **ret_value, json_error_t *ret_error) MUST_CHECK;
/* As json_dumps, which does not notice when the name of a key could not be written: NULL for that, too. */
char *value_dump(const json_t *value, size_t flags);
/* object[name] = text; ERR_INVALID: name or text is not UTF-8, ERR_NOMEM. */
int value_set_string(json_t *object, struct span name, struct span text) MUST_CHECK;

#endif
