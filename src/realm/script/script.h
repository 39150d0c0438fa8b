/* script.h - a worker in JavaScript: its linked form evaluated once, its handlers called for every
 * request.
 *
 * The folder of the bundle is what link/link.h makes:
 *
 *   worker.js         a classic script: (async function (__corral, require) { "use strict"; ... })
 *   worker.js.map     its source map, read when the first stack is shown; sources that begin with
 *                     "corral:" are not the worker's
 *   m/0, m/1 ...      modules that are no JavaScript
 *
 * realm_load takes every bundle whose main does not end in ".py" for one; main is only a name for
 * people then.  The function is called once, in the template, with __corral:
 *
 *   main(namespace)   the exports of the main module: default is an object of handlers or a class
 *                     that extends WorkerEntrypoint; others are named entrypoints
 *   script(globals)   a worker without modules: its handlers are listeners of the global object,
 *                     the bindings and `globals` are properties of it
 *   module(name)      "cloudflare:workers", "corral:..." (internals.onModule); throws
 *   modules(table)    {name: () => promise of its namespace}, for require(name)
 *   wasm, text, data, json (path)    the module in that file of the folder: "m/0"
 *   meta              import.meta
 *
 * and require(name): an object whose prototype has `then`, or throws "No such module".  The promise
 * that the function gives has to settle without any I/O.
 *
 * What runs because of the host (a request, its body, a reply, a timer, a message) belongs to the
 * request that it was caused by, and so do the microtasks behind it: script_load tells that to
 * exchange_set_current.
 *
 * Thread: the realm's, under engine_lock. */
#ifndef CORRAL_REALM_SCRIPT_SCRIPT_H
#define CORRAL_REALM_SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "realm/exchange.h"
#include "realm/realm.h"

void script_define(void); /* its natives, before engine_boot */
/* Is this bundle one of JavaScript? */
bool script_is_wanted(const struct realm_bundle *bundle);
/* As realm_load. */
int script_load(const struct realm_bundle *bundle, uint32_t *ret_handlers,
                struct realm_failure *ret_failure) MUST_CHECK;
/* Behind script_load: no code is made of text any more. */
void script_settle(void);
/* Has script_load been called? */
bool script_is_on(void);
/* Call the fetch handler; x's first hold ends when it has answered. */
void script_fetch(struct exchange *x);
/* Behind all microtasks of a turn: those who have answered in it are through. */
bool script_has_ended(void);
void script_end_handlers(void);
/* Behind a turn after which nothing is due, with no timer set: when nothing is under way for any
 * request (no outcall, no more of its body, no answer, nobody who wants to know that its client has
 * gone), those without an answer can never have one, and fail. */
void script_end_hung(void);
/* For realm_settle: calls one of ours in the place of the worker's. */
void script_warm(struct exchange *x);
/* Call the handler of an event, likewise. */
void script_event(struct exchange *x, const struct realm_event *event);

#endif
