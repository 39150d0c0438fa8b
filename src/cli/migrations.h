/* migrations.h - a folder of SQL files that are applied in the order of their numbers.
 *
 * "0001_create_books.sql": what stands before the first '_' is the number, as
 * JavaScript's parseInt reads it.  Every file that ends with ".sql" counts.
 *
 * Errors: ERR_NOT_FOUND: the folder; ERR_SYSTEM; ERR_LIMIT: more than MIGRATIONS_MAX; ERR_NOMEM. */
#ifndef CORRAL_CLI_MIGRATIONS_H
#define CORRAL_CLI_MIGRATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

enum { MIGRATIONS_MAX = 100 * 1000 };

struct migration {
    char *name; /* of the file; owned */
    bool is_applied;
    long long number; /* -1: it has none */
};

struct migrations { /* embedded: zeroes, migrations_done */
    struct migration *items;
    size_t count, cap;
};

/* By name, as wrangler lists them. */
int migrations_read(const char *folder, struct migrations *ret, struct err *err) MUST_CHECK;
void migrations_done(struct migrations *m);
/* In the order in which they are applied: by number, those without one last; then by name. */
void migrations_sort(struct migrations *m);
/* Before they are sorted anew: this one is applied.  Then keep those that are not. */
void migrations_mark(struct migrations *m, struct span name);
void migrations_keep_new(struct migrations *m);
/* One more than the highest number. */
long long migrations_next(const struct migrations *m);

/* "0002_add_books.sql" */
int migrations_name(long long number, const char *message, char *ret, size_t size,
                    struct err *err) MUST_CHECK;
/* Write a new file with its first line.  ERR_LIMIT: it is there. */
int migrations_write(const char *folder, const char *name, long long number,
                     struct err *err) MUST_CHECK;

#endif
