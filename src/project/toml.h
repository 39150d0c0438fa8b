/* toml.h - TOML to JSON by CPython's tomllib, in a process that lives for one text.
 *
 * Runs `WORKER_PROGRAM toml` (src/realm/toml.h says what it does) with an empty
 * environment, the text as its standard input, TOML_TIMEOUT_MS to answer and
 * at most TOML_OUTPUT_MAX bytes to say.  The node itself links no engine and
 * there is no C library to be had; a wrong TOML parser of our own would be worse
 * than a process.  One thread only.  Inside project/ only. */
#ifndef CORRAL_PROJECT_TOML_H
#define CORRAL_PROJECT_TOML_H

#include <jansson.h>

#include "base/err.h"
#include "base/span.h"

enum { TOML_TIMEOUT_MS = 5000, TOML_OUTPUT_MAX = 16 << 20 };

struct toml_error {
    json_t *answer;         /* owns the rest */
    const char *message;    /* "Expected '=' after a key in a key/value pair" */
    int line, column;       /* from 1; 0: not known */
    json_t *path;           /* list of strings: the key whose value is meant; or NULL */
};

/* 0 with *ret_root (yours, an object); ERR_INVALID with *ret_error filled: the
 * text is no TOML; ERR_NOT_FOUND, ERR_SYSTEM, ERR_LIMIT: the helper failed;
 * ERR_NOMEM.  Blocks until the answer is there: about 25 ms, nothing when the
 * text is the one read last.  *ret_root is shared: do not change it. */
int toml_read(const char *worker_program, struct span text, json_t **ret_root,
              struct toml_error *ret_error, struct err *err) MUST_CHECK;
void toml_error_done(struct toml_error *e);

#endif
