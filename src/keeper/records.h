/* records.h - what a database answered, kept until it is committed, read as often as needed.
 *
 * The bytes of a reply go in as they come; whole records of the statements
 * stay, in memory while they are few and in a file without a name from
 * RECORDS_MEMORY on, so that an answer of any size is shown in flat memory.
 * Nothing is believed: an answer that is no row of records is ERR_INVALID.
 *
 *     struct records records = {0};
 *     ... records_take(&records, bytes, &err) ... until records.state says so
 *     struct records_walk walk = {.records = &records};
 *     while ((r = records_next(&walk, &type, &bytes, &err)) > 0) ...
 *     records_walk_done(&walk);
 *     records_done(&records);
 *
 * Errors: ERR_INVALID, ERR_NOMEM, ERR_SYSTEM (the file). */
#ifndef CORRAL_KEEPER_RECORDS_H
#define CORRAL_KEEPER_RECORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "row/row.h"

enum { RECORDS_MEMORY = 1024 * 1024, RECORDS_BOOKMARK = 128 };

enum records_state {
    RECORDS_OPEN,   /* more is to come */
    RECORDS_WHOLE,  /* everything is committed */
    RECORDS_FAILED, /* nothing is: `error` says why */
};

struct records {
    enum records_state state;
    uint64_t len; /* bytes of what is kept */
    struct buf memory;
    FILE *file;                               /* instead of memory, from RECORDS_MEMORY on */
    struct buf partial;                       /* the record that is not whole yet */
    bool is_light;                            /* keep none of them: what they came to is enough */
    uint64_t statements;                      /* that are done */
    struct row_meta total;                    /* of all of them; last_row_id and size of the last */
    char bookmark[RECORDS_BOOKMARK];          /* once they are whole; "" */
    uint64_t script_statements, script_bytes; /* of the last PROGRESS */
    struct row_error error;                   /* its texts point into error_bytes */
    struct buf error_bytes;
};

void records_done(struct records *r);
/* Some more bytes of the reply. */
int records_take(struct records *r, struct span bytes, struct err *err) MUST_CHECK;

struct records_walk { /* zeroes, and whose */
    struct records *records;
    uint64_t at; /* of the record that records_next gave last */
    struct buf window;
    size_t used; /* its bytes at the window's start */
};

/* The next COLUMNS, ROWS or DONE: 1; 0 at the end.  *ret_bytes is valid until the next call. */
int records_next(struct records_walk *walk, enum row_record *ret_type, struct span *ret_bytes,
                 struct err *err) MUST_CHECK;
/* Let records_next give the record at `at` next, where walk->at was once. */
void records_seek(struct records_walk *walk, uint64_t at);
void records_walk_done(struct records_walk *walk);

#endif
