/* d1_words.h - records of a database's answer (row.h) become words that sdk/js/d1_rows.js builds
 * rows of.
 *
 * A call of the engine for each value would cost more than the value.  So what
 * a frame brings crosses in blocks: words of [tag, argument], as in
 * realm/bridge/pack.h, one text that all short texts are cut from, the bytes
 * of all blobs.  A block holds whole rows and at most some ten thousand values,
 * so nothing of an answer is here twice but the record that is not whole yet.
 *
 * The bytes are another process's: every length is checked.
 * Errors: ERR_INVALID: no answer to this call; ERR_NOMEM.  Thread: the realm's. */
#ifndef CORRAL_REALM_WEB_D1_WORDS_H
#define CORRAL_REALM_WEB_D1_WORDS_H

#include <JavaScriptCore/JavaScript.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum d1_rows { D1_ROWS_ALL, D1_ROWS_FIRST, D1_ROWS_NONE };

/* Where an answer stands; all zeroes but `wants` at first. */
struct d1_answer {
    enum d1_rows wants;
    struct buf part;   /* a record that is not whole */
    unsigned columns;  /* of the statement that is open */
    bool is_open;      /* it had its COLUMNS, and not its DONE */
    bool has_row;      /* FIRST: no other is wanted */
    bool is_over;      /* END or ERROR was */
    uint64_t unprobed; /* bytes of rows since the last look whether there is memory left */
};
void d1_answer_done(struct d1_answer *a);

/* What one block is: arguments for JavaScript.  Valid during the call. */
struct d1_block {
    size_t count;     /* of words */
    JSValueRef text;  /* string */
    JSValueRef longs; /* array of the strings that are none of it, or undefined */
    JSValueRef bytes; /* ArrayBuffer, or undefined */
};
/* < 0: stop, d1_answer_eat returns it. */
typedef int (*d1_block_fn)(void *self, const struct d1_block *block);

/* More of the answer; all bytes are consumed.  ERR_LIMIT: there is no memory for more rows.  Not
 * called from inside of `take`. */
int d1_answer_eat(struct d1_answer *a, struct span bytes, d1_block_fn take, void *self) MUST_CHECK;

#endif
