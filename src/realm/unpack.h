/* unpack.h - undo the Content-Encoding of a body, a piece at a time: gzip and br.
 *
 * The bytes are a stranger's: what they unpack to is bounded by the room that
 * the caller gives in each call.  gzip may consist of several members; bytes
 * behind the last one are ignored.
 *
 * Ownership: unpack_new, unpack_free.  Thread: one owner. */
#ifndef CORRAL_REALM_UNPACK_H
#define CORRAL_REALM_UNPACK_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

struct unpack;

enum coding { CODING_NONE, CODING_GZIP, CODING_BR };

/* What the value of a Content-Encoding header names; CODING_NONE for anything else. */
enum coding coding_of(struct span value);
/* NULL when out of memory. */
struct unpack *unpack_new(enum coding coding);
void unpack_free(struct unpack *u);
enum coding unpack_coding(const struct unpack *u);
/* Has the last byte been unpacked?  Also before the first one: an empty body is well-formed. */
bool unpack_is_whole(const struct unpack *u);
/* Eats of *in what it can; returns the bytes in room, 0: needs more, ERR_INVALID. */
long unpack_step(struct unpack *u, struct span *in, char *room, size_t max);

#endif
