/* link.h - the modules of a JavaScript worker made into one script that an engine without modules runs.
 *
 *     bundle, as it was uploaded  --esbuild, boxed-->  HOME/HASH/
 *
 *   HOME/HASH/worker.js       evaluates to (async function (__corral, require) { "use strict"; ... })
 *   HOME/HASH/worker.js.map   its source map; sources are names in the bundle, those of ours begin with "corral:"
 *   HOME/HASH/m/0 ...         the modules that are no JavaScript, as they came
 *
 * Modules are known by the types that they came with (parts):
 *
 *   application/javascript+module    an ES module; so are text/javascript+module, application/x-javascript ...
 *   application/javascript           CommonJS, as is text/javascript; of the main part of a worker without modules: a script
 *   application/wasm                 import m from "./a.wasm": a WebAssembly.Module
 *   text/plain (any text/)           a string
 *   application/json                 what it says
 *   application/source-map           the map of the module that names it
 *   all others                       an ArrayBuffer
 *
 * A bundle without types has them by the ends of its names.  PARTS is a file with
 * [{"name", "type", "path" (when the file lies elsewhere than its name says)}, ...]: parts.json of
 * catalog/bundles.h; for bundles of projects the file BUNDLE_PARTS inside of the bundle's folder.
 *
 * What the script is given:
 *
 *   __corral.main(namespace)    the exports of the main module
 *   __corral.script(globals)    first of all in a worker without modules: {NAME: value} for its global object
 *   __corral.module(name)       what the realm has: "cloudflare:workers" ...; throws
 *   __corral.modules(table, importers)    {name: () => promise of its namespace} and {key: name}: told first of all when
 *                               code imports modules by names that it computes
 *   __corral.from.KEY(name)     such an import, by the module that KEY stands for
 *   __corral.wasm(path), text(path), data(path), json(path)    paths are those in HASH: "m/0"
 *   __corral.meta               import.meta
 *   require(name)               what nobody could find when it was linked; of a name that `modules` has: an object whose
 *                               prototype has `then`, that of the promise
 *
 * A folder is made beside its place and put there in one step, never changed, and held (flock,
 * shared) from link_make to linked_done: several processes may work on one home.
 *
 * Errors: ERR_INVALID: the modules' fault, in Cloudflare's words, with the place behind it;
 * ERR_SYSTEM: no bundler (with a hint), or it cannot be run; ERR_LIMIT: it took too long or made
 * too much; ERR_CANCELLED; ERR_NOMEM. Synchronous, about 50 ms: for a thread that is not the
 * loop's. */
#ifndef CORRAL_LINK_LINK_H
#define CORRAL_LINK_LINK_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
    LINK_TIMEOUT_MS = 60 * 1000,
    LINK_KEPT_S = 7 * 24 * 3600, /* what nobody has taken for so long is swept */
};
#define LINK_OUTPUT_MAX (256ull << 20)
#define LINK_MEMORY_MAX (4ull << 30)

struct link_limits {       /* 0: those above */
    int64_t timeout_ms;    /* of all that the bundler does */
    uint64_t memory_bytes; /* address space of the bundler; LINK_MEMORY_MAX */
    uint64_t output_bytes; /* of each file that it writes; LINK_OUTPUT_MAX */
};

struct link_ask {
    const char *worker_program; /* of the same build: its box */
    const char *home;           /* where linked folders are kept; made when needed */
    const char *folder;         /* the bundle's files */
    const char *parts;          /* path of the file with their types, or NULL */
    const char *hash;           /* of the bundle: two with the same one are the same */
    const char *main;           /* the name of the main module */
    const char *date, *flags;   /* compatibility; flags with spaces or commas between, or NULL */
    const json_t
        *bindings;    /* of a script: wasm_module, text_blob, data_blob become globals; or NULL */
    unsigned box_uid; /* whose the bundler is; 0: the node's own user's */
    const atomic_bool *is_cancelled; /* NULL: never */
    struct link_limits limits;
    /* The source map has the text of the sources: that of files below the modules', too, which the
     * bundler reads when an upload's own map has none.  For those whose machine it is. */
    bool has_sources;
};

struct linked {   /* zeroes are done, too */
    char *folder; /* absolute: HOME/HASH; owned */
    int fd;       /* of the folder, with the lock; when folder is set */
};

/* *ret_detail: more lines of an error, or NULL; to be freed. */
int link_make(const struct link_ask *ask, struct linked *ret_linked, char **ret_detail,
              struct err *err) MUST_CHECK;
void linked_done(struct linked *linked);
/* Delete what nobody holds and nobody has taken for a long time.  Errors are skipped: the next
 * sweep. */
void link_sweep(const char *home);

/* Does the name of a main module say that it is JavaScript: .js, .mjs, .cjs, or none that says
 * otherwise? */
bool link_is_javascript(const char *main);

/* The bundler: $ESBUILD, else esbuild of $PATH; absolute, to be freed.  ERR_NOT_FOUND, with a hint
 * that says what to install. */
int link_bundler(char **ret_path, struct err *err) MUST_CHECK;

#endif
