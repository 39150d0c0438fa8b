/* bundler.h - esbuild, boxed, over a stage that holds one worker's modules.
 *
 *     stage written -> esbuild -> unresolved imports that happen late get modules that throw -> again
 *                              -> imports of computed names: asked for where they are (late.h)  -> again
 *                                 and all modules get a table                                   -> again
 *
 * Inside link/. */
#ifndef CORRAL_LINK_BUNDLER_H
#define CORRAL_LINK_BUNDLER_H

#include "link/builtin.h"
#include "link/link.h"
#include "link/modules.h"
#include "link/stage.h"

enum {
    LATE_DIGITS = 36,
    LATE_PREFIX = 3, /* bytes of a word that tell it from all of the modules' */
};

struct late_words {               /* late.h */
    char prefix[LATE_PREFIX + 1]; /* "": none is chosen yet */
    int importers;
    int *numbers; /* of each module: 1 + that of its word; NULL: none has one */
};

struct bundling {
    const struct link_ask *ask;
    const struct modules *modules;
    const struct module *main;
    struct stage *stage;
    int files;           /* of the bundle's folder */
    const char *program; /* esbuild */
    struct buf detail;   /* more lines of an error */
    enum builtin_node node;
    struct buf aliases;   /* "--alias:NAME=PATH" and other arguments, NUL behind each */
    struct buf importers; /* "m0: "lib/a.js",\n": who imports by names that it computes */
    struct late_words late;
    struct link_limits limits; /* none is 0 */
    int64_t deadline_ms;       /* of all runs together */
    bool is_script;
    bool is_importing; /* a script that imports: no longer is_script */
    bool is_asked;     /* to say where names are computed */
    bool has_static_blocks; /* of classes, which may not run before the class has its name */
    bool has_builtins; /* process.getBuiltinModule() is asked for: all modules of Node.js */
    bool is_followed;  /* node:async_hooks wants to know where code waits (awaits.h) */
};

/* Writes out/worker.js and out/worker.js.map.  Errors: those of link_make. */
int bundling_run(struct bundling *b, struct err *err) MUST_CHECK;
/* Text that is a string of JavaScript: quoted.  ERR_NOMEM. */
int bundling_quote(struct buf *out, const char *text) MUST_CHECK;

/* What an import of the module says in one of ours: quoted. */
int bundling_import(const struct bundling *b, const char *name, struct buf *out) MUST_CHECK;

#define BUNDLING_OURS  ".ours/" /* in the stage */
#define BUNDLING_TABLE BUNDLING_OURS "table.js"

#endif
