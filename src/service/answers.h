/* answers.h - answers of HTTP that are kept in memory until they are stale, or room is needed.
 *
 * Each belongs to an account and is found by a key of its own; the same key of another account is
 * another one.  When all together are more than bytes_max, the account that has most gives up what
 * it has not used for longest: nobody is pushed below an equal share by others.
 *
 * Pure, but for the clock that the caller reads.  Loop thread only. */
#ifndef CORRAL_SERVICE_ANSWERS_H
#define CORRAL_SERVICE_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "loop/ring.h"

enum {
    ANSWERS_KEY = 32,       /* bytes of a hash that nobody finds two keys for */
    ANSWERS_OVERHEAD = 512, /* what one costs beside its bytes */
};

struct share;

struct answer {
    uint32_t status;
    struct buf headers; /* as pairs_add writes them */
    uint32_t header_count;
    struct buf body;
    int64_t since_ms; /* when it was put there */
    int64_t until_ms; /* when it becomes stale */
    /* answers.c's own */
    unsigned refs;
    unsigned char key[ANSWERS_KEY];
    struct answer *next; /* in its bucket */
    struct share *share; /* NULL: it is kept no more */
    struct ring used;    /* the share's, longest unused first */
};

struct answers;

int answers_open(int64_t bytes_max, struct answers **ret_answers, struct err *err) MUST_CHECK;
/* Those that somebody holds stay with him. */
void answers_close(struct answers *answers);

/* A new one, held by the caller; NULL: ERR_NOMEM. */
struct answer *answer_new(void);
struct answer *answer_hold(struct answer *answer);
void answer_drop(struct answer *answer); /* NULL is fine */

/* The key of texts of an account; false: ERR_NOMEM. */
bool answers_key(struct span account, struct span cache, struct span url,
                 unsigned char ret[ANSWERS_KEY]) MUST_CHECK;
/* Keep it, in place of another with this key.  ERR_NOMEM; ERR_LIMIT: it is longer than one may be.
 */
int answers_put(struct answers *answers, struct span account, const unsigned char key[ANSWERS_KEY],
                struct answer *answer, struct err *err) MUST_CHECK;
/* Borrowed, or NULL: none, or a stale one. */
struct answer *answers_find(struct answers *answers, const unsigned char key[ANSWERS_KEY],
                            int64_t now_ms);
/* true: there was one that was not stale. */
bool answers_remove(struct answers *answers, const unsigned char key[ANSWERS_KEY], int64_t now_ms);

int64_t answers_bytes(const struct answers *answers);
/* Bytes that one may have: a quarter of all. */
int64_t answers_one_max(const struct answers *answers);

#endif
