/* facts.h - what a store says of its database: the answer to "info", for an errand's callbacks.
 *
 * Embedded: zeroes and facts_done. */
#ifndef CORRAL_KEEPER_FACTS_H
#define CORRAL_KEEPER_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire/message.h"

enum { FACTS_BOOKMARK = 128 };

struct facts {
    int64_t size_bytes;
    int64_t tables; /* but SQLite's own */
    char bookmark[FACTS_BOOKMARK];
    bool is_told;
    struct buf body; /* an error's record */
};

void facts_done(struct facts *facts);
int facts_take_head(struct facts *facts, const struct reply *reply, struct err *err) MUST_CHECK;
int facts_take_body(struct facts *facts, struct span bytes, struct err *err) MUST_CHECK;
/* At the end: ERR_SYSTEM: it could not say, and why. */
int facts_check(const struct facts *facts, struct err *err) MUST_CHECK;

#endif
