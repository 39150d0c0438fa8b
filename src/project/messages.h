/* messages.h - what the bundler says on its standard error, as diagnostics of the project.
 *
 *     ✘ [ERROR] Could not resolve "hono"
 *
 *         src/index.ts:1:21:
 *           1 │ import { Hono } from "hono";
 *             ╵                      ~~~~~~
 *
 *       You can mark the path "hono" as external ...
 *
 * Files are seen from the project's folder.  Inside project/ only. */
#ifndef CORRAL_PROJECT_MESSAGES_H
#define CORRAL_PROJECT_MESSAGES_H

#include "base/span.h"
#include "project/diagnostic.h"

struct messages_of {
    const char *folder;         /* of the project, absolute */
    const char *bundler;        /* its path, for hints */
    bool has_node;              /* nodejs_compat is on */
};

/* Adds them to d; how many errors there were.  Words that are no message are left out. */
size_t messages_read(const struct messages_of *of, struct span text, struct diagnostics *d);

/* Is it a module of Node.js, without "node:" before it: "buffer", "fs/promises"? */
bool messages_is_node(struct span name);
/* All of them, NULL behind the last. */
extern const char *const NODE_MODULES[];

#endif
