/* err.h - the one error type of Corral.
 *
 * A function that can fail returns int: 0, or a negative ERR_ code, and takes
 * `struct err *err` last.  On failure err says, for a human, what failed and
 * what to do next; on success it is untouched.  err never allocates, so
 * reporting "out of memory" cannot itself run out of memory.
 *
 * Thread: a struct err belongs to the caller's stack; share it with no one. */
#ifndef CORRAL_BASE_ERR_H
#define CORRAL_BASE_ERR_H

#include <stdbool.h>

enum err_code {
    ERR_OK = 0,
    ERR_NOMEM = -1,     /* allocation failed */
    ERR_INVALID = -2,   /* the caller's input is wrong; text names the field */
    ERR_NOT_FOUND = -3,
    ERR_LIMIT = -4,     /* a quota or deadline was hit; text names it */
    ERR_SYSTEM = -5,    /* the kernel or a library said no */
    ERR_CANCELLED = -6, /* given up on request */
    ERR_GONE = -7,      /* the other side went away */
};

struct err {
    enum err_code code;
    char text[512];     /* one line: "read 'main.py': No such file" */
    char hint[256];     /* what to do next: "run `corral init` first", or "" */
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* Fill err and return code, so that a failing line reads `return err_set(...)`. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set(ERR_SYSTEM) with ": " and strerror(errno_value) behind the text. */
int err_errno(struct err *err, int errno_value, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Set the hint of an error that is already filled; returns err->code. */
int err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "context: " before err's text; returns err->code. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The usual out-of-memory answer; returns ERR_NOMEM. */
int err_nomem(struct err *err);

/* Does it say that a disk is full?  Goes by the text, which is all that comes from another process. */
bool err_is_disk_full(const struct err *err);

#endif
