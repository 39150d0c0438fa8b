/* dotenv.h - read the lines of .dev.vars and .env as dotenv does.
 *
 *     NAME=value  # comment        export NAME=value        NAME: value
 *     NAME='as it is'              NAME="with \n and
 *     NAME=`also fine`              further lines"
 *
 * Names are letters, digits, '_', '.', '-'.  An unquoted value ends at '#' or
 * the line's end and is trimmed.  In double quotes \n and \r become newline and
 * return; nothing else is unescaped: \" keeps its backslash, as in dotenv.
 * CRLF counts as LF.  A line that is none of this is skipped.
 *
 *     struct dotenv e = {.text = text};
 *     while ((r = dotenv_next(&e, &name, &value)) > DOTENV_END) ...
 *
 * Pure; fuzzed by test/fuzz/fuzz_dotenv.c. */
#ifndef CORRAL_TEXT_DOTENV_H
#define CORRAL_TEXT_DOTENV_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

struct dotenv {
    struct span text;
    size_t at;
    int line;               /* of what dotenv_next has just returned, from 1 */
    size_t counted;         /* line is right for this offset */
    bool has_loose_quotes;  /* the pair's value begins with a quote that is part of it */
};

enum {
    DOTENV_END = 0,
    DOTENV_PAIR = 1,        /* *ret_name points into the text; value was filled */
    DOTENV_SKIPPED = 2,     /* a line that is no assignment; *ret_name is that line */
};

/* Value of a name, or data == NULL: not set. */
typedef struct span (*dotenv_find_fn)(void *self, struct span name);

/* One of the above, or ERR_NOMEM.  value is emptied first. */
int dotenv_next(struct dotenv *e, struct span *ret_name, struct buf *value) MUST_CHECK;
/* Append a value of .env with $NAME, ${NAME}, ${NAME:-default}, ${NAME-default},
 * ${NAME:+other} and ${NAME+other} expanded and \$ made $.  A name that is not
 * set, or empty, counts as "".  What is put in is not looked at again; defaults
 * are, DOTENV_NEST_MAX deep.  ERR_NOMEM; ERR_LIMIT: longer than DOTENV_VALUE_MAX. */
enum { DOTENV_NEST_MAX = 4, DOTENV_VALUE_MAX = 1 << 20 };
int dotenv_expand(struct span value, dotenv_find_fn find, void *self, struct buf *out) MUST_CHECK;

#endif
