/* late.h - imports of names that the code computes: each becomes a call that knows its module.
 *
 *     import("./" + name)   in lib/a.js     ->   $aa000("./" + name)
 *     typeof require        in ES modules   ->   typeof $aanone
 *
 * The bundler makes one call of all of them, which does not know who imports, and its `require` is
 * there in ES modules, too.  It says where they are, and there the stage's text is changed: words of
 * the same length, so that source maps stay right.  What the words mean it is told by definitions.
 *
 * Inside link/. */
#ifndef CORRAL_LINK_LATE_H
#define CORRAL_LINK_LATE_H

#include "link/bundler.h"
#include "link/said.h"

/* Does code that was linked import by names that it computes? */
bool late_is_import(struct span linked);
/* Does it ask for `require`, or import so? */
bool late_is_any(struct span linked);
/* `words`: what the bundler says when it is asked (SAID_LATE_ARGS).  Arguments for the next run are
 * added to b->aliases, the importers to b->importers. */
int late_rewrite(struct bundling *b, struct span words, struct err *err) MUST_CHECK;
/* The file that tells the realm the importers, and all modules by their names but those of
 * `without`. */
int late_write_table(struct bundling *b, const struct said *without, struct err *err) MUST_CHECK;

#endif
