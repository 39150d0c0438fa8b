/* awaits.h - where the code of a linked script waits, it says so to the realm:
 *
 *     await f(x)                      ->   await __corral.async.wait(f(x))
 *     for await (const x of y)        ->   for await (const x of __corral.async.each(y))
 *     yield x, return x, yield* y     ->   likewise, in async generators
 *     return x, (a) => x              ->   __corral.async.give(x), in async functions
 *
 * The engine tells nobody when they go on, and node:async_hooks has to know.  It reads what the
 * bundler printed (spaces and semicolons are where it always puts them), not any JavaScript; what it
 * does not understand stays as it is, all of it.
 *
 * Pure; fuzzed by test/fuzz/fuzz_link.c.  Inside link/. */
#ifndef CORRAL_LINK_AWAITS_H
#define CORRAL_LINK_AWAITS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

struct awaits_one {
    size_t at;             /* byte of the script as it was */
    unsigned line, column; /* the same place, from 0, as source maps count */
    unsigned len;          /* what was inserted there */
    const char *text;
};

struct awaits { /* in the order of the text */
    struct awaits_one *items;
    size_t count, room;
};

/* 1: `out` is the script with what was inserted; 0: it cannot be read, `out` has nothing.
 * ERR_NOMEM. */
int awaits_rewrite(struct span script, struct buf *out, struct awaits *ret,
                   struct err *err) MUST_CHECK;
void awaits_done(struct awaits *awaits);

/* "mappings" of a source map, for the script with what was inserted.  ERR_NOMEM; ERR_INVALID: they
 * are none. */
int awaits_shift(const struct awaits *awaits, struct span mappings, struct buf *out,
                 struct err *err) MUST_CHECK;

#endif
