/* html.h - a stream of HTML to tokens whose raw bytes are all kept.
 *
 * The tokenization stage of the HTML standard as far as rewriting wants it:
 * every byte that goes in is in the `raw` of exactly one token, in order.
 * Character references stay as they are.  Of tree construction only that is
 * followed which changes how text is read: elements with raw text, and foreign
 * content.  Where that cannot be known, it is an error (HTML_AMBIGUOUS).
 *
 * html_feed bytes, html_next until it says HTML_MORE; after html_end until
 * HTML_EOF.  Text comes in pieces as it arrives.  Only a token that is not
 * complete is kept: at most memory_max bytes of it, else ERR_LIMIT.  The time
 * is linear in the input, however it was cut.
 *
 * Embedded: html_init and html_done.  Spans of a token are valid until the next
 * call.  Pure; fuzzed by test/fuzz/fuzz_html.c.  Errors: ERR_NOMEM, ERR_LIMIT,
 * ERR_INVALID (ambiguous: `ambiguous` names the tag). */
#ifndef CORRAL_TEXT_HTML_H
#define CORRAL_TEXT_HTML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum html_kind {
    HTML_MORE, /* no token: feed more */
    HTML_TEXT,
    HTML_START,
    HTML_END,
    HTML_COMMENT, /* bogus ones, too */
    HTML_DOCTYPE,
    HTML_RAW, /* bytes that are nothing: borders of CDATA, "</>", a tag that the end cut */
    HTML_EOF,
};

enum html_space { HTML_HTML, HTML_SVG, HTML_MATHML };

/* Offsets into the token's raw bytes; no value: value == value_end. */
struct html_attribute {
    uint32_t name, name_end, value, value_end, end;
};

struct html_token {
    enum html_kind kind;
    struct span raw;
    struct span name;                        /* tags: as written */
    uint64_t key;                            /* html_key of it */
    const struct html_attribute *attributes; /* start tags */
    size_t attribute_count;
    bool is_self_closing;
    bool is_void;           /* a start tag whose element has no content */
    enum html_space space;  /* start tags */
    struct span text;       /* comments */
    struct span doctype[3]; /* name, public and system id; data NULL: none */
};

struct html {
    struct buf in;
    const char *bytes; /* those of `in`, and how many they are */
    size_t size;
    size_t memory_max;
    size_t from;  /* bytes of `in` that were tokens; they leave when more comes */
    size_t eaten; /* bytes behind them that the last token was */
    size_t at;    /* scanned so far */
    uint8_t state, script, dashes;
    bool is_end, is_closing; /* input has ended; the tag is an end tag */
    bool is_self_closing;
    bool wants_comments; /* false: a comment may come in pieces, as HTML_RAW */
    bool skips_text;     /* most text is in no token: `from` goes on past it */
    struct html_attribute attribute;
    struct buf attributes, spaces, opener; /* spaces: see html_tags.c; opener: of the raw text */
    uint32_t name, name_end;
    uint8_t guard; /* where text elements are ambiguous */
    uint32_t templates;
    char ambiguous[32];
};

void html_init(struct html *h, size_t memory_max);
void html_done(struct html *h);
int html_feed(struct html *h, struct span bytes) MUST_CHECK;
void html_end(struct html *h);
int html_next(struct html *h, struct html_token *ret_token) MUST_CHECK;
/* Bytes of memory that are held. */
size_t html_memory(const struct html *h);

/* ---- html_tag.c ---- */

enum { HTML_ENDS_NAME = 1, HTML_ENDS_ATTRIBUTE = 2, HTML_ENDS_VALUE = 4 };
/* How far the characters from `at` on go that do not end this. */
size_t html_run(const char *in, size_t at, size_t len, uint8_t what);
/* A tag whose name h->name begins: to h->attributes, name_end and is_self_closing.  Returns how long
 * it is, 0: its end has not come, ERR_NOMEM or ERR_LIMIT. */
long html_read_tag(struct html *h, const char *in, size_t len) MUST_CHECK;
/* A name in lower case as a number; different for different names of the same length that have at
 * most HTML_KEY_MAX bytes.  Longer ones: 0. */
uint64_t html_key(struct span name);
enum { HTML_KEY_MAX = 8 };
/* Are they the same but for the case of letters?  With their keys. */
bool html_is_name(struct span a, uint64_t a_key, struct span b, uint64_t b_key);

/* What html_tags.c knows of a name. */
enum html_flags {
    HTML_IS_VOID = 1,
    HTML_IS_RCDATA = 2, /* text with character references */
    HTML_IS_RAWTEXT = 4,
    HTML_IS_SCRIPT = 8,
    HTML_IS_PLAINTEXT = 16,
    HTML_IS_TEXTUAL = HTML_IS_RCDATA | HTML_IS_RAWTEXT | HTML_IS_SCRIPT | HTML_IS_PLAINTEXT,
    HTML_IS_BREAKOUT = 32,  /* ends foreign content */
    HTML_IS_SVG_POINT = 64, /* HTML begins again inside */
    HTML_IS_MATH_POINT = 128,
    HTML_IS_SELECT_EXIT = 256,
    HTML_IS_FONT = 512,
    HTML_IS_ANNOTATION = 1024,
    HTML_IS_SVG = 2048,
    HTML_IS_MATH = 4096,
    HTML_IS_SELECT = 8192,
    HTML_IS_TEMPLATE = 16384,
    HTML_IS_FRAMESET = 32768,
    HTML_IS_NOFRAMES = 65536,
    HTML_IS_END_BREAKOUT = 131072,
};
unsigned html_flags(struct span name, uint64_t key);
/* Follow tree construction: which space the tag is in, and *ret_text: those of HTML_IS_TEXTUAL that
 * say how to read on.  ERR_INVALID when it is ambiguous. */
int html_follow(struct html *h, struct html_token *t, unsigned *ret_text) MUST_CHECK;
/* Which one the next tag is in. */
enum html_space html_space(const struct html *h);

/* What stands behind "<!doctype". */
void html_read_doctype(struct html_token *t, struct span inside);

static inline bool html_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}
static inline bool html_is_alpha(char c)
{
    return (unsigned char)((c | 32) - 'a') < 26;
}

#endif
