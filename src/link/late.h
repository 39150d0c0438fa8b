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

/* Names that are put together from "./" or "../" and more: newer bundlers take them for patterns of
 * files, and are not to see them.  Done to the text alone, before it is linked; what turns out to be
 * no code then is put back. */
int late_rewrite_relative(struct bundling *b, const struct module *m, struct buf *text,
                          struct err *err) MUST_CHECK;
/* 1: some of it was no code, all of it is as it was in the stage again. */
int late_check(struct bundling *b, struct span linked, struct err *err) MUST_CHECK;
/* The next `import` of that kind from *at on.  Pure. */
bool late_find_relative(struct span text, size_t *at);

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
