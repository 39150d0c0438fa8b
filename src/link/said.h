/* said.h - what esbuild says of errors, read: for people, with the names of modules in place of
 * paths.
 *
 * What it reads is made of strangers' modules.  Pure; fuzzed by test/fuzz/fuzz_link.c. */
#ifndef CORRAL_LINK_SAID_H
#define CORRAL_LINK_SAID_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

enum { SAID_MAX = 64 };

struct said_one {          /* all owned */
    char *text;            /* Could not resolve "./a.js" */
    char *file;            /* its place in the stage: ".corral/index.js"; "" for none */
    char *missing;         /* what could not be resolved: "./a.js"; or NULL */
    char *wanted;          /* the name that its module does not export; or NULL */
    unsigned line, column; /* from 1; bytes from 0 */
    bool is_outside;       /* its file is none of the stage: what it says is nobody's business */
};

struct said {
    struct said_one items[SAID_MAX];
    size_t count;
};

/* `stage`: the folder of all places.  ERR_NOMEM. */
int said_read(struct span output, const char *stage, struct said *ret, struct err *err) MUST_CHECK;
void said_done(struct said *said);

/* Why did it end without an error of its own?  What its modules took too much of, for "linking the
 * modules takes ..."; NULL: that is not known.  `signal`: what it died of, or 0. */
const char *said_too_much(struct span output, int signal);

/* Is the import in line and column of this text one that happens while the code runs: import(...)
 * or require(...)? */
bool said_is_dynamic(struct span text, unsigned line, unsigned column);

/* Where code imports by names that it computes, or asks for `require`: warnings that SAID_LATE_ARGS
 * make it say. */
#define SAID_LATE_ARGS                                                                             \
    "--log-level=warning", "--log-limit=0", "--log-override:unsupported-dynamic-import=warning",   \
        "--log-override:indirect-require=warning"

struct said_late {
    const char *word; /* "import" or "require" */
    char *file;       /* its place in the stage; owned */
    unsigned line, column;
};

/* 1: the next one, and *rest goes on behind it; 0: there is none; ERR_NOMEM. */
int said_next_late(struct span *rest, const char *stage, struct said_late *ret) MUST_CHECK;
/* The offset of `word` in line and column of this text; false: something else is there. */
bool said_find(struct span text, unsigned line, unsigned column, const char *word, size_t *ret);
/* Does `typeof` stand before what is at this offset? */
bool said_is_typeof(struct span text, size_t at);

#endif
