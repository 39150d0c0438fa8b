/* modules.h - the modules of an upload: their names, kinds and places.
 *
 * A name is a path as import says it; "./a.js" is "a.js".  Bundlers also name modules
 * "../lib/b.wasm": above the folder of the main module, at most MODULE_UP_MAX folders.
 *
 * Inside link/, and module_name for api/, which writes names down.  Pure but for modules_read. */
#ifndef CORRAL_LINK_MODULES_H
#define CORRAL_LINK_MODULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum { MODULE_UP_MAX = 8 };

enum module_kind {
    MODULE_ESM,
    MODULE_COMMONJS, /* or a script, when it is the main module */
    MODULE_WASM,
    MODULE_TEXT,
    MODULE_JSON,
    MODULE_DATA,
    MODULE_MAP,
    MODULE_PYTHON,
};

struct module {
    char *name; /* clean: "src/a.js", "../b.wasm" */
    char *path; /* of its file, in the bundle's folder */
    enum module_kind kind;
    int number; /* of its file m/0, m/1 ...; -1: it is JavaScript, a map, or Python */
};

struct modules {
    struct module *items;
    size_t count;
    unsigned up; /* how far above the main folder the highest one lies */
};

/* By the Content-Type; of "" by the end of the name. */
enum module_kind module_kind(const char *type, const char *name);
bool module_is_code(enum module_kind kind);
/* The clean name, appended with its NUL not counted: "." and empty parts go, "a/.." too.
 * ERR_INVALID: nothing is left, or it leads too far up. */
int module_name(const char *name, struct buf *out, struct err *err) MUST_CHECK;
/* A name as a path that leads nowhere else, for the bundle: "../a" is "__parent__/a". */
int module_path(const char *name, struct buf *out, struct err *err) MUST_CHECK;
/* What `spec` means in the module `importer`, clean: "./b.js" in "src/a.js" is "src/b.js". */
int module_resolve(const char *importer, const char *spec, struct buf *out,
                   struct err *err) MUST_CHECK;

/* Where a clean name lies in the stage: "u/.corral/src/a.js", `up` as of struct modules. */
int module_place(unsigned up, const char *name, struct buf *out) MUST_CHECK;
/* And back: the name of what lies at this place; places beside those as they are. */
const char *module_of_place(const char *place);

/* PARTS: see link.h.  ERR_INVALID: two of one name; ERR_SYSTEM: it was changed. */
int modules_read(const char *parts, struct modules *ret, struct err *err) MUST_CHECK;
void modules_done(struct modules *modules);
const struct module *modules_find(const struct modules *modules, const char *name);

#endif
