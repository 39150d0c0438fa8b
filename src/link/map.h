/* map.h - the bundler's source map, with the names of modules in place of paths.  Inside link/. */
#ifndef CORRAL_LINK_MAP_H
#define CORRAL_LINK_MAP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "link/awaits.h"
#include "link/modules.h"

/* What a path of "sources" is called: "../in/.corral/a.js" is "a.js", "../in/.ours/x.js" is
 * "corral:x.js". */
int map_source(const char *source, struct buf *out, struct err *err) MUST_CHECK;
/* A script that the bundler made, without the way to the stage of this name where it tells it. */
int map_script(struct span script, const char *stage, struct buf *out, struct err *err) MUST_CHECK;
/* Comments of a module that name a source map elsewhere than in the upload name none any more: the
 * bundler would read it.  Nothing changes its place. */
void map_disarm(char *text, size_t len, const char *name, const struct modules *modules);
/* `inserted`: into its script, since the bundler made it.  ERR_INVALID: it is no map; ERR_LIMIT: it has too many names. */
int map_rewrite(struct span map, const struct awaits *inserted, struct buf *out,
                struct err *err) MUST_CHECK;

#endif
