/* html_select.h - CSS selectors over a stream of tags.
 *
 * A set of selectors, and the elements that are open.  Each selector is a chain
 * of compounds ("div.a > p" has two); each open element knows which compounds it
 * matched and which any of its ancestors did, so a start tag is compared with
 * each compound once, however deep it is.
 *
 * No tree is built: an element is open until an end tag of its name, or of one
 * around it, and a void one not at all.
 *
 * Embedded: html_selectors_init and _done, html_levels_init and _done.  Pure;
 * fuzzed by test/fuzz/fuzz_html.c.  Errors: ERR_INVALID with a text from
 * html_selectors_add; ERR_NOMEM. */
#ifndef CORRAL_TEXT_HTML_SELECT_H
#define CORRAL_TEXT_HTML_SELECT_H

#include "text/html.h"

enum { HTML_SELECTOR_DEPTH = 32 }; /* of :not() in :not() */

/* UTF-8 to the document's bytes; appended. */
typedef int (*html_encode_fn)(void *self, struct span utf8, struct buf *out);

struct html_selectors {
    struct buf strings, simples, compounds;
    size_t compound_count; /* of chains: those have a bit */
    size_t words;          /* uint64_t of bits for each open element, twice */
    uint32_t count;        /* selectors */
    bool has_types;        /* :nth-of-type */
    html_encode_fn encode; /* NULL: UTF-8 */
    void *encode_self;
};

void html_selectors_init(struct html_selectors *s);
void html_selectors_done(struct html_selectors *s);
/* Its number is s->count - 1 afterwards.  Several lists may be added, until levels are opened. */
int html_selectors_add(struct html_selectors *s, struct span text, struct err *err) MUST_CHECK;

/* What an open element is to the owner of the levels. */
struct html_level {
    uint64_t key;            /* html_key of its name */
    void *user;              /* the owner's */
    uint32_t name, name_len; /* in levels.names, when it is too long for a key */
    uint32_t children;       /* so far */
    uint32_t types;          /* levels.types has the counts of its children from here */
    uint32_t bucket, before; /* others with such a name: level + 1 */
};

struct html_levels {
    const struct html_selectors *selectors;
    struct buf names, levels, bits, types;
    uint32_t *buckets; /* heads of chains: of types, then of levels */
    uint64_t seed;     /* of hashes: something random */
    uint32_t root_children;
    uint64_t *now; /* bits of the element that was matched last */
};

void html_levels_init(struct html_levels *l, const struct html_selectors *s, uint64_t seed);
void html_levels_done(struct html_levels *l);
size_t html_levels_memory(const struct html_levels *l);
/* A start tag has come: 1 when it matches selectors.  Bit i of ret_matched, which has s->count bits,
 * is set for each selector i that it matches. */
int html_levels_match(struct html_levels *l, const struct html_token *t,
                      uint64_t *ret_matched) MUST_CHECK;
/* It has content: it is the innermost open element from here on. */
int html_levels_push(struct html_levels *l, const struct html_token *t, void *user) MUST_CHECK;
size_t html_levels_depth(const struct html_levels *l);
/* By its place, 0 is the outermost; valid until the next push. */
struct html_level *html_levels_at(const struct html_levels *l, size_t i);
/* How many elements an end tag of this name closes; 0: none is open. */
size_t html_levels_closed_by(const struct html_levels *l, const struct html_token *t);
void html_levels_pop(struct html_levels *l);

/* ---- between html_select.c and html_match.c ---- */

enum html_simple_kind {
    HTML_BY_ANY,
    HTML_BY_NOTHING,
    HTML_BY_TYPE,
    HTML_BY_ID,
    HTML_BY_CLASS,
    HTML_BY_ATTRIBUTE,
    HTML_BY_CHILD,
    HTML_BY_OF_TYPE,
    HTML_BY_NOT,
};

struct html_simple {
    uint8_t kind;
    char op; /* attribute: 0 exists, '=' '~' '|' '^' '$' '*' */
    bool is_nocase, is_nocase_in_html;
    uint32_t text, text_len; /* in strings: a name in lower case, an id, a class */
    uint32_t value, value_len;
    uint64_t key;   /* of a type: html_key */
    int32_t a, b;   /* an+b */
    uint32_t inner; /* :not: its first alternative, a compound + 1 */
    uint32_t next;  /* simple + 1 */
};

struct html_compound {
    uint64_t key;   /* html_key of the only type that it can match; 0: not known */
    uint32_t first; /* simple + 1 */
    uint32_t next;  /* :not: the next alternative, compound + 1 */
    uint32_t bit;
    uint32_t selector; /* of the last of a chain; else UINT32_MAX */
    char combinator;   /* to its left: 0 none, ' ' or '>' */
    bool is_inner;     /* of a :not, no bit */
};

#endif
