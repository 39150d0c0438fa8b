/* row.h - values of SQL on their way between the programs: calls one way, records the other.
 *
 * A worker's call on a database is the body of an outcall, what comes back is
 * the body of its reply; the node passes both on unread.  Both sides are
 * hostile to each other: whoever reads checks every length.  Little endian.
 *
 *   call    u32 count of statements, then each:
 *           u32 length, SQL (UTF-8); u32 count of parameters; the values
 *   value   u8 tag, then nothing (NULL), i64, f64, or u32 length and the bytes
 *   record  u8 type, u32 length, then so many bytes: see enum row_record
 *
 * Pure; no allocation but in the buffer that is written to.  Fuzzed by
 * test/fuzz/fuzz_row.c.  Errors: writing ERR_NOMEM; reading ERR_INVALID. */
#ifndef CORRAL_ROW_ROW_H
#define CORRAL_ROW_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum {
    ROW_SQL_MAX = 100 * 1000,            /* bytes of one statement, as on Cloudflare */
    ROW_PARAMETERS_MAX = 100,            /* of one statement, as there */
    ROW_COLUMNS_MAX = 100,               /* of a table or result, as there */
    ROW_VALUE_MAX = 2 * 1000 * 1000,     /* bytes of one text, blob or stored row, as there */
    ROW_STATEMENTS_MAX = 10 * 1000,      /* of one call */
    ROW_CALL_MAX = 100 * 1000 * 1000,    /* bytes of one call, as a request there */
    ROW_RECORD_MAX = 16 * 1024 * 1024,   /* bytes of one record, its header too: a row is whole in one */
    ROW_BLOCK = 32 * 1024,               /* bytes of rows that are put into one record, if more follow */
    ROW_RECORD_HEADER = 5,
};

enum row_tag { ROW_NULL = 0, ROW_INT = 1, ROW_REAL = 2, ROW_TEXT = 3, ROW_BLOB = 4 };

struct row_value {
    enum row_tag tag;
    int64_t integer;
    double real;
    struct span bytes; /* TEXT (UTF-8, may hold NUL), BLOB */
};

/* What comes back, in this order, for each statement of the call: COLUMNS, ROWS as often as it
 * takes, DONE; at the end END.  Instead of any of them ERROR, which is the last. */
enum row_record {
    ROW_RECORD_COLUMNS = 1,  /* u32 count, then each: u32 length, name; also when there are none */
    ROW_RECORD_ROWS = 2,     /* u32 count of rows, then their values, columns times rows */
    ROW_RECORD_DONE = 3,     /* struct row_meta */
    ROW_RECORD_END = 4,      /* the bookmark, text; everything is committed */
    ROW_RECORD_ERROR = 5,    /* struct row_error */
    ROW_RECORD_RESTART = 6,  /* forget all records so far: the same comes again from the start */
    ROW_RECORD_PROGRESS = 7, /* u64 statements, u64 line, u64 bytes: how far a script has come */
};

struct row_meta {           /* of one statement */
    double duration_ms;     /* inside of SQLite */
    int64_t changes;        /* rows inserted, updated or deleted, by triggers too */
    int64_t last_row_id;
    int64_t size_after;     /* bytes of the database */
    int64_t rows_read;
    int64_t rows_written;
    uint32_t changed_db;    /* 0 or 1 */
};

struct row_error {
    uint32_t statement;     /* from 0: which of the call or script; ~0u: none in particular */
    uint32_t line;          /* from 1, where it begins in an exec or script; 0: not known */
    struct span text;       /* without D1_ERROR: "no such table: t: SQLITE_ERROR" */
    struct span sql;        /* of an exec or script: the statement, cut to 200 bytes; or "" */
};

/* ---- calls ---- */
int row_put_u32(struct buf *out, uint32_t value) MUST_CHECK;
int row_put_value(struct buf *out, const struct row_value *value) MUST_CHECK;
/* The head of a statement; `count` values follow. */
int row_put_statement(struct buf *out, struct span sql, uint32_t count) MUST_CHECK;

/* Eat from the front of *in; what it gives points into it. */
int row_get_u32(struct span *in, uint32_t *ret) MUST_CHECK;
int row_get_value(struct span *in, struct row_value *ret) MUST_CHECK;
int row_get_bytes(struct span *in, struct span *ret) MUST_CHECK; /* u32 length, bytes */
int row_get_statement(struct span *in, struct span *ret_sql, uint32_t *ret_count) MUST_CHECK;
/* Is all of it, from the count on, what a call should be?  ERR_LIMIT, with the limit's name in
 * err, over ROW_STATEMENTS_MAX; ERR_INVALID.  Parameters over their limit are SQLite's to refuse. */
int row_check_call(struct span call, struct err *err) MUST_CHECK;

/* ---- records ---- */
/* Begin a record, append its bytes, end it. */
int row_begin(struct buf *out, enum row_record type, size_t *ret_mark) MUST_CHECK;
void row_end(struct buf *out, size_t mark);
int row_put_meta(struct buf *out, const struct row_meta *meta) MUST_CHECK;    /* a DONE */
int row_put_error(struct buf *out, const struct row_error *error) MUST_CHECK; /* an ERROR */
int row_put_text(struct buf *out, enum row_record type, struct span text) MUST_CHECK; /* END, RESTART */

/* A whole record at the start of `in`: 1 with its type, bytes, and how much to drop; 0: more is
 * needed; ERR_INVALID: no record. */
int row_next(struct span in, enum row_record *ret_type, struct span *ret_bytes, size_t *ret_used)
    MUST_CHECK;
int row_get_meta(struct span bytes, struct row_meta *ret) MUST_CHECK;
int row_get_error(struct span bytes, struct row_error *ret) MUST_CHECK;

#endif
