/* bundler.h - a project in JavaScript made into one module and what it imports, by esbuild.
 *
 *     index.js          an ES module: the project's files and its packages
 *     index.js.map      its source map, with sources as they are called in the project
 *     HASH-NAME.wasm    modules that are no JavaScript, imported by these names
 *     .parts.json       [{"name", "type"}, ...] with the types of an upload, index.js first (BUNDLE_PARTS)
 *
 * It runs as the developer, unboxed, as wrangler's does: packages may be anywhere.  The bundler is $ESBUILD, else that of
 * the project's node_modules, else that of $PATH.  With no_bundle the files are copied as they are.
 *
 * Errors: ERR_INVALID: the project's, d has them; ERR_NOT_FOUND: there is no bundler, with a hint; ERR_LIMIT: it took
 * longer than BUNDLER_TIMEOUT_MS; ERR_CANCELLED; ERR_SYSTEM, ERR_NOMEM.  Synchronous, 20 ms for a small project.
 * Inside project/ only; one thread at a time. */
#ifndef CORRAL_PROJECT_BUNDLER_H
#define CORRAL_PROJECT_BUNDLER_H

#include <jansson.h>

#include "base/buf.h"
#include "project/diagnostic.h"
#include "project/inputs.h"
#include <jansson.h>

#include "base/buf.h"
#include "project/diagnostic.h"
#include "project/inputs.h"
#include "project/project.h"

enum { BUNDLER_TIMEOUT_MS = 2 * 60 * 1000 };

/* What stands in the folder that was filled: all owned. */
struct bundled {
    char *main;             /* "index.js" */
    json_t *parts;          /* [{"name", "type"}, ...] */
    struct inputs files;    /* the parts and .parts.json */
    struct buf inputs;      /* what they were made from, absolute, '\n' behind each */
};

/* Fill the empty folder `to`.  bundled_done also after a failure. */
int bundler_run(const struct project *p, const char *to, const atomic_bool *is_cancelled,
                struct bundled *ret, struct diagnostics *d, struct err *err) MUST_CHECK;
void bundled_done(struct bundled *b);

/* ---- parts.c ---- */

/* The same for a project whose files are not bundled: main and what parts_find finds. */
int parts_copy(const struct project *p, const char *to, struct bundled *b, struct diagnostics *d,
                 struct err *err) MUST_CHECK;
/* The files below base_dir that rules call modules, with their names seen from there: copied to `to`. */
int parts_find(const struct project *p, const char *to, struct bundled *b,
                 struct err *err) MUST_CHECK;
/* One more part. */
int parts_add(struct bundled *b, const char *name, const char *type) MUST_CHECK;
/* Write .parts.json, and list it and the parts with their sizes. */
int parts_settle(const char *to, struct bundled *b, struct err *err) MUST_CHECK;

#endif
