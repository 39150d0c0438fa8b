/* script.h - workers without modules: what they have as globals, and those that import all the same.
 *
 * A service worker that is bundled may import texts, data and WebAssembly, which lie beside it; such a
 * script is linked as modules are.  Inside link/. */
#ifndef CORRAL_LINK_SCRIPT_H
#define CORRAL_LINK_SCRIPT_H

#include "link/bundler.h"

/* What __corral.script is given: of wasm_module, text_blob and data_blob, "NAME":__corral.wasm("m/0"),
 * ...  ERR_INVALID: a binding names no part; ERR_LIMIT; ERR_NOMEM. */
int script_globals(const struct bundling *b, struct buf *out, struct err *err) MUST_CHECK;
/* Does it import something?  What looks so and is none is found out when it is linked. */
bool script_imports(struct span linked);

#endif
