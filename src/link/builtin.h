/* builtin.h - the modules of the platform: node:*, cloudflare:*.
 *
 * Each is a file of sdk/node or sdk/cloudflare, carried in this program and written into a stage:
 * sdk/node/path/posix.js is "node:path/posix".  Inside link/. */
#ifndef CORRAL_LINK_BUILTIN_H
#define CORRAL_LINK_BUILTIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

/* As struct sdk_file of realm/sdk.h: tools/embed writes both. */
struct builtin_file {
    const char *name; /* "node/path/posix.js", "cloudflare/workers.js"; NULL ends the list */
    const char *data;
    size_t len;
};
extern const struct builtin_file builtin_files[];

/* Which names of node's modules a worker may import. */
enum builtin_node {
    BUILTIN_NO_NODE,
    BUILTIN_NODE_ASYNC_HOOKS,
    BUILTIN_NODE_PREFIXED,
    BUILTIN_NODE
};

/* date: "" for none; flags: with spaces or commas between. */
enum builtin_node builtin_node(const char *date, const char *flags);
bool builtin_is_flag(const char *flags, const char *flag);
/* Is process.env full of the worker's variables? */
bool builtin_populates_env(const char *date, const char *flags);

/* The name of the module that a file is: "node:path/posix".  false: it does not fit. */
bool builtin_name(const struct builtin_file *file, char *out, size_t n);
/* May this worker's code import it?  Those of node:internal are for the others. */
bool builtin_is_there(const struct builtin_file *file, enum builtin_node node);
/* Is it known without "node:", too? */
bool builtin_has_bare_name(const struct builtin_file *file);
bool builtin_is_node(const struct builtin_file *file);
/* NULL: there is none. */
const struct builtin_file *builtin_find(const char *name);
/* Is it the name of a module of Node.js, with or without "node:", whether we have it or not? */
bool builtin_is_of_node(const char *spec);

#endif
