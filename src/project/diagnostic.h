/* diagnostic.h - what is wrong with a project, for the person who wrote it.
 *
 * A list of errors and warnings, each with file, line, column, the source line
 * and a hint, printed the way compilers do:
 *
 *     wrangler.toml:4:1: warning: 'mian' is not a key of a wrangler configuration
 *         mian = "src/entry.py"
 *         ^
 *       hint: did you mean 'main'?
 *
 * Embedded: diagnostics_init (or zeroes) and diagnostics_done; all text is
 * copied.  Adding cannot fail visibly: when memory runs out, is_short is set
 * and whoever owns the list reports that.  After DIAGNOSTICS_MAX further ones
 * are only counted.  Thread: one owner. */
#ifndef CORRAL_PROJECT_DIAGNOSTIC_H
#define CORRAL_PROJECT_DIAGNOSTIC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum { DIAGNOSTICS_MAX = 100 };

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct diagnostic {
    enum severity severity;
    char *file;         /* as shown to the user; "" when no file is meant */
    int line, column;   /* from 1; 0: not known; a column without a line does not occur */
    char *text;         /* one line */
    char *hint;         /* what to do, one line or more; "" */
    char *source;       /* the line of the file; "" */
};

struct diagnostics {
    struct diagnostic *items;
    size_t count, cap;
    size_t errors, warnings;    /* counts, with those that were not kept */
    bool is_short;              /* memory ran out: something is missing */
};

/* Where: zeroes for "nowhere".  Spans and strings are copied. */
struct place {
    const char *file;
    int line, column;
    struct span source;
};

void diagnostics_init(struct diagnostics *d);
void diagnostics_done(struct diagnostics *d);

/* hint may be NULL. */
void diagnostics_add(struct diagnostics *d, enum severity severity, struct place where,
                     const char *hint, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The place of an offset in a file's text. */
struct place place_at(const char *file, struct span text, size_t at);

/* First error, or NULL.  Valid until the list changes. */
const struct diagnostic *diagnostics_first_error(const struct diagnostics *d);

/* One of them as in the example above, without the severity's colour; for a log
 * line: no newline at the end.  ERR_NOMEM. */
int diagnostic_print(const struct diagnostic *d, struct buf *out) MUST_CHECK;
/* Only `file:line:col: text`. */
int diagnostic_print_short(const struct diagnostic *d, struct buf *out) MUST_CHECK;
/* All, each on lines of its own, and how many more there were. */
int diagnostics_print(const struct diagnostics *d, struct buf *out) MUST_CHECK;

#endif
