/* html_rewrite.h - HTML in, HTML out, and stops on the way where somebody wants to change it.
 *
 * html_rewriter_next goes on until there is something to say: an element, text,
 * a comment ... that a selector or the document asked for.  `hits` then names
 * who asked, in the order in which they are to be told; the token may be changed
 * until the next call, which writes it.  So who is told may take any time.
 *
 * `out` is what has been written; the caller eats it.  Marks say where in it the
 * content of a stream of the caller's belongs.
 *
 * An element ends with its end tag or with one around it; what was to happen at
 * the end of several of them happens in the way of lol-html, on which
 * Cloudflare's is built: of insertions those of the outermost stay.
 *
 * Heap: html_rewriter_new, _free.  Pure; fuzzed by test/fuzz/fuzz_html.c.
 * Errors: as html.h. */
#ifndef CORRAL_TEXT_HTML_REWRITE_H
#define CORRAL_TEXT_HTML_REWRITE_H

#include "text/html.h"
#include "text/html_select.h"

enum html_wish {
    HTML_WANTS_ELEMENT = 1,
    HTML_WANTS_TEXT = 2,
    HTML_WANTS_COMMENTS = 4,
    HTML_WANTS_DOCTYPE = 8,
    HTML_WANTS_END = 16
};
enum html_event {
    HTML_ON_MORE,
    HTML_ON_ELEMENT,
    HTML_ON_END_TAG,
    HTML_ON_TEXT,
    HTML_ON_COMMENT,
    HTML_ON_DOCTYPE,
    HTML_ON_END,
    HTML_ON_DONE,
};
enum html_place { HTML_BEFORE, HTML_AFTER, HTML_PREPEND, HTML_APPEND, HTML_REPLACE, HTML_INNER };

struct html_piece;
struct html_pieces {
    struct html_piece *first, *last;
};
struct html_changes {
    struct html_pieces before, after, instead;
    bool is_removed, has_any;
};

/* An attribute of the element at hand: as it was (raw), or name and value of our own. */
struct html_pair {
    struct html_attribute was;
    char *name, *value; /* NULL: as it was */
    size_t name_len, value_len;
};

/* What is to be done at the end of an element. */
struct html_ending {
    struct html_changes changes;
    char *name; /* a new one */
    size_t name_len;
    uint32_t handler; /* the caller's; 0: none */
};

struct html_mark {
    uint64_t at;
    uint32_t stream;
};

struct html_rewriter {
    struct html_selectors selectors;
    struct html html;
    struct html_levels levels;
    struct html_token token;
    size_t memory_max;
    bool is_utf8;
    struct buf wishes; /* a byte for each selector, then `count` of uses in uses */
    uint32_t *uses;    /* open elements that match a selector */
    uint64_t *matched; /* bits: selectors of the token, when has_matched */
    bool has_matched;
    struct buf opens;    /* of open elements with such bits: their depth, then the bits */
    struct buf document; /* a byte of wishes for each handler of the document */
    uint8_t document_wishes;
    uint32_t text_uses, comment_uses;
    uint64_t removed_from; /* depth of the outermost element whose content goes; 0: none */
    uint8_t stage;
    bool is_text_open, has_token, is_last;
    struct span text; /* of a text event */
    struct buf rest;  /* of a character that the input cut */
    struct buf hits;  /* uint32_t: a selector; from selectors.count on: the document's */
    struct html_changes changes;
    struct html_ending *ending; /* of the element at hand */
    bool is_content_removed, is_tag_changed, can_have_content;
    char *name; /* a new one of the tag at hand, or a comment's text */
    size_t name_len;
    struct buf pairs;
    struct buf endings; /* struct html_ending *: of what an end tag closes */
    size_t endings_done;
    size_t run; /* from here to html.from html.in leaves as it came, and is not in `out` yet */
    struct buf out, marks;
    uint64_t out_total; /* bytes ever written */
};

struct html_rewriter *html_rewriter_new(size_t memory_max, bool is_utf8);
void html_rewriter_free(struct html_rewriter *rw);
/* Before the first bytes.  wishes: of enum html_wish. */
int html_rewriter_select(struct html_rewriter *rw, struct span selector, unsigned wishes,
                         struct err *err) MUST_CHECK;
int html_rewriter_document(struct html_rewriter *rw, unsigned wishes) MUST_CHECK;
int html_rewriter_start(struct html_rewriter *rw, uint64_t seed) MUST_CHECK;

int html_rewriter_feed(struct html_rewriter *rw, struct span bytes) MUST_CHECK;
void html_rewriter_end(struct html_rewriter *rw);
/* enum html_event, or an error. */
int html_rewriter_next(struct html_rewriter *rw) MUST_CHECK;

/* Of the token at hand.  stream: 0, or the caller's number for content that is a stream. */
int html_rewriter_insert(struct html_rewriter *rw, enum html_place place, struct span bytes,
                         uint32_t stream) MUST_CHECK;
void html_rewriter_remove(struct html_rewriter *rw, bool keeps_content);
bool html_rewriter_is_removed(const struct html_rewriter *rw);
int html_rewriter_rename(struct html_rewriter *rw, struct span name) MUST_CHECK;
struct span html_rewriter_name(const struct html_rewriter *rw);
/* Call `handler` at its end; false: it has no end tag. */
bool html_rewriter_on_end(struct html_rewriter *rw, uint32_t handler);

size_t html_rewriter_attributes(struct html_rewriter *rw);
void html_rewriter_attribute(struct html_rewriter *rw, size_t i, struct span *ret_name,
                             struct span *ret_value);
/* Its place, or -1; the name in lower case. */
long html_rewriter_find(struct html_rewriter *rw, struct span name);
int html_rewriter_set(struct html_rewriter *rw, struct span name, struct span value) MUST_CHECK;
int html_rewriter_unset(struct html_rewriter *rw, struct span name) MUST_CHECK;

/* The bytes of `out` up to the first mark; *ret_stream: the mark's, when it stands right there. */
struct span html_rewriter_output(struct html_rewriter *rw, uint32_t *ret_stream);
void html_rewriter_eat(struct html_rewriter *rw, size_t n);
/* The content of the mark's stream has been passed on. */
void html_rewriter_eat_mark(struct html_rewriter *rw);

#endif
