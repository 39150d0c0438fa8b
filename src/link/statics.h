/* statics.h - static blocks of classes, before an old esbuild sees them.
 *
 * esbuild 0.17 takes the static fields of a class at the top level out of it when the class names
 * itself, and leaves its static blocks inside: they run before the class has the name that they then
 * say.  Newer ones write such a block into every class of their bundles, to keep its name, and
 * wrangler has them do so:
 *
 *     static {                    ->      static
 *       __name(this, "Greeter");  ->        get name(){return"Greeter"}
 *     }                           ->
 *
 * which says the same to whoever asks, in the same lines and columns, and does not name the class.
 * Of other blocks the bundler has to be told that there are none (class-static-blocks): it then
 * takes them out, too, in the right order.
 *
 * Pure.  Fuzzed by test/fuzz/fuzz_link.c.  Inside link/. */
#ifndef CORRAL_LINK_STATICS_H
#define CORRAL_LINK_STATICS_H

#include <stdbool.h>
#include <stddef.h>

/* The text changes in place, its length stays.  Has it other static blocks?  What only looks like
 * one, in a string or a comment, counts, too. */
bool statics_rewrite(char *text, size_t len);

#endif
