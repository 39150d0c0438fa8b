/* html_rewrite.c - HTML in, HTML out, and stops on the way where somebody wants to change it.
 *
 *   READ --token that somebody wants--> one of the others --next()--> READ ... OVER
 *
 * Each stage but READ means: the caller has been told, and what it did is to be written now. */
#include "text/html_rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/html_change.h"

enum stage { READ, AT_ELEMENT, AT_TEXT, AT_COMMENT, AT_DOCTYPE, AT_ENDINGS, AT_END, OVER };
enum { AGAIN = -1000 };

static const char *wishes_of(const struct html_rewriter *rw)
{
    return buf_data(&rw->wishes);
}

static size_t matched_words(const struct html_rewriter *rw)
{
    return ((size_t)rw->selectors.count + 63) / 64;
}

static size_t endings_count(const struct html_rewriter *rw)
{
    return buf_len(&rw->endings) / sizeof(struct html_ending *);
}

static struct html_ending *ending_at(const struct html_rewriter *rw, size_t i)
{
    return ((struct html_ending *const *)(const void *)buf_data(&rw->endings))[i];
}

/* ---- life ---- */

struct html_rewriter *html_rewriter_new(size_t memory_max, bool is_utf8)
{
    struct html_rewriter *rw = mem_alloc(sizeof *rw);

    if (!rw)
        return NULL;
    html_selectors_init(&rw->selectors);
    html_init(&rw->html, memory_max);
    html_levels_init(&rw->levels, &rw->selectors, 0);
    rw->memory_max = memory_max;
    rw->is_utf8 = is_utf8;
    return rw;
}

void html_rewriter_free(struct html_rewriter *rw)
{
    if (!rw)
        return;
    html_change_clear(rw);
    for (size_t i = rw->endings_done; i < endings_count(rw); i++)
        html_ending_free(ending_at(rw, i));
    for (size_t i = html_levels_depth(&rw->levels); i > 0; i--)
        html_ending_free(html_levels_at(&rw->levels, i - 1)->user);
    html_levels_done(&rw->levels);
    html_done(&rw->html);
    html_selectors_done(&rw->selectors);
    buf_done(&rw->wishes);
    mem_free(rw->uses);
    mem_free(rw->matched);
    buf_done(&rw->opens);
    buf_done(&rw->document);
    buf_done(&rw->rest);
    buf_done(&rw->hits);
    buf_done(&rw->pairs);
    buf_done(&rw->endings);
    buf_done(&rw->out);
    buf_done(&rw->marks);
    mem_free(rw);
}

int html_rewriter_select(struct html_rewriter *rw, struct span selector, unsigned wishes,
                         struct err *err)
{
    char byte = (char)wishes;
    int r = html_selectors_add(&rw->selectors, selector, err);

    if (r == 0 && buf_append(&rw->wishes, &byte, 1) < 0)
        r = err_nomem(err);
    return r;
}

int html_rewriter_document(struct html_rewriter *rw, unsigned wishes)
{
    char byte = (char)wishes;

    rw->document_wishes |= (uint8_t)wishes;
    return buf_append(&rw->document, &byte, 1);
}

int html_rewriter_start(struct html_rewriter *rw, uint64_t seed)
{
    rw->levels.seed = seed;
    rw->uses = mem_alloc((rw->selectors.count + 1) * sizeof *rw->uses);
    rw->matched = mem_alloc((matched_words(rw) + 1) * sizeof *rw->matched);
    return rw->uses && rw->matched ? 0 : ERR_NOMEM;
}

int html_rewriter_feed(struct html_rewriter *rw, struct span bytes)
{
    rw->run = 0; /* all is written that was there */
    return html_feed(&rw->html, bytes);
}

void html_rewriter_end(struct html_rewriter *rw)
{
    html_end(&rw->html);
}

/* ---- who is told ---- */

static int add_hit(struct html_rewriter *rw, uint32_t hit)
{
    return buf_append(&rw->hits, &hit, sizeof hit);
}

static void clear_hits(struct html_rewriter *rw)
{
    if (buf_len(&rw->hits) > 0)
        buf_eat(&rw->hits, buf_len(&rw->hits));
}

/* In their order; at the end of the document in the opposite one. */
static int add_document_hits(struct html_rewriter *rw, enum html_wish wish)
{
    uint32_t count = (uint32_t)buf_len(&rw->document);
    int r = 0;

    if (!(rw->document_wishes & wish))
        return 0;
    for (uint32_t n = 0; n < count && r == 0; n++) {
        uint32_t i = wish == HTML_WANTS_END ? count - 1 - n : n;
        if (buf_data(&rw->document)[i] & wish)
            r = add_hit(rw, rw->selectors.count + i);
    }
    return r;
}

/* Handlers of open elements, then of the document. */
static int find_hits(struct html_rewriter *rw, enum html_wish wish, uint32_t uses)
{
    int r = 0;

    clear_hits(rw);
    for (uint32_t i = 0; uses > 0 && i < rw->selectors.count && r == 0; i++)
        if (rw->uses[i] > 0 && wishes_of(rw)[i] & wish)
            r = add_hit(rw, i);
    return r < 0 ? r : add_document_hits(rw, wish);
}

static bool matches(const struct html_rewriter *rw, uint32_t i)
{
    return rw->matched[i / 64] >> (i % 64) & 1;
}

/* The selectors whose bits these are begin (1) or end (-1) to hold. */
static void count_uses(struct html_rewriter *rw, const uint64_t *bits, int more)
{
    for (size_t word = 0; word < matched_words(rw); word++)
        for (uint64_t left = bits[word]; left; left &= left - 1) {
            uint32_t i = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);
            rw->uses[i] += (uint32_t)more;
            if (wishes_of(rw)[i] & HTML_WANTS_TEXT)
                rw->text_uses += (uint32_t)more;
            if (wishes_of(rw)[i] & HTML_WANTS_COMMENTS)
                rw->comment_uses += (uint32_t)more;
        }
}

/* What the token at hand comes to is written, or not to be. */
static void step_over(struct html_rewriter *rw)
{
    rw->run = rw->html.from + rw->token.raw.len;
}

/* Nobody wants the token: it leaves as it came, with those around it. */
static int pass(struct html_rewriter *rw)
{
    rw->has_token = false;
    if (rw->removed_from > 0)
        step_over(rw);
    return AGAIN;
}

/* ---- text ---- */

/* How many bytes at the end begin a character of UTF-8 that is not complete. */
static size_t cut_of(struct span text)
{
    for (size_t n = 1; n <= 3 && n <= text.len; n++) {
        unsigned char c = (unsigned char)text.data[text.len - n];
        if (c >= 0xC2 && c < 0xF5)
            return n < (c >= 0xF0 ? 4u : c >= 0xE0 ? 3u : 2u) ? n : 0;
        if ((c & 0xC0) != 0x80)
            return 0;
    }
    return 0;
}

static int tell_text(struct html_rewriter *rw)
{
    int r = find_hits(rw, HTML_WANTS_TEXT, rw->text_uses);

    rw->stage = AT_TEXT;
    return r < 0 ? r : HTML_ON_TEXT;
}

static int on_text(struct html_rewriter *rw)
{
    struct span text = rw->token.raw;
    size_t cut;

    if (rw->text_uses == 0 && !(rw->document_wishes & HTML_WANTS_TEXT))
        return pass(rw);
    if (html_change_flush_run(rw) < 0)
        return ERR_NOMEM;
    step_over(rw);
    rw->has_token = false;
    rw->is_text_open = true;
    rw->is_last = false;
    cut = rw->is_utf8 ? cut_of(text) : 0;
    if (cut > 0 || buf_len(&rw->rest) > 0) {
        if (buf_append(&rw->rest, text.data, text.len) < 0)
            return ERR_NOMEM;
        text = buf_span(&rw->rest);
        cut = cut_of(text);
    }
    text.len -= cut;
    if (text.len == 0)
        return AGAIN;
    rw->text = text;
    return tell_text(rw);
}

/* What is no text ends the text before it: its last piece is empty. */
static int on_text_end(struct html_rewriter *rw)
{
    rw->is_text_open = false;
    rw->is_last = true;
    rw->text = buf_span(&rw->rest);
    return tell_text(rw);
}

static int after_text(struct html_rewriter *rw)
{
    size_t len = rw->text.len;
    int r = html_change_flush(rw);

    if (buf_len(&rw->rest) > 0)
        buf_eat(&rw->rest, len < buf_len(&rw->rest) ? len : buf_len(&rw->rest));
    rw->text = (struct span){0};
    return r;
}

/* ---- elements ---- */

/* The element at hand matches selectors: note which, until it ends. */
static int keep_matched(struct html_rewriter *rw)
{
    uint64_t depth = html_levels_depth(&rw->levels) + 1;

    if (buf_append(&rw->opens, rw->matched, matched_words(rw) * sizeof *rw->matched) < 0)
        return ERR_NOMEM;
    if (buf_append(&rw->opens, &depth, sizeof depth) < 0)
        return ERR_NOMEM;
    count_uses(rw, rw->matched, 1);
    return 0;
}

static int push(struct html_rewriter *rw)
{
    struct html_ending *ending = rw->ending;

    if (rw->has_matched && keep_matched(rw) < 0)
        return ERR_NOMEM;
    if (html_levels_push(&rw->levels, &rw->token, ending) < 0)
        return ERR_NOMEM;
    rw->ending = NULL;
    if (rw->is_content_removed && rw->removed_from == 0)
        rw->removed_from = html_levels_depth(&rw->levels);
    if (html_levels_memory(&rw->levels) + buf_len(&rw->opens) + html_memory(&rw->html) >
        rw->memory_max)
        return ERR_LIMIT;
    return 0;
}

static int on_start(struct html_rewriter *rw)
{
    int r;

    clear_hits(rw);
    r = html_levels_match(&rw->levels, &rw->token, rw->matched);
    rw->has_matched = r > 0;
    for (uint32_t i = 0; r > 0 && i < rw->selectors.count; i++)
        if (matches(rw, i) && wishes_of(rw)[i] & HTML_WANTS_ELEMENT && add_hit(rw, i) < 0)
            r = ERR_NOMEM;
    if (r < 0)
        return r;
    if (buf_len(&rw->hits) == 0) {
        r = rw->token.is_void ? 0 : push(rw);
        return r < 0 ? r : pass(rw);
    }
    rw->stage = AT_ELEMENT;
    rw->can_have_content = !rw->token.is_void;
    rw->changes.is_removed = rw->removed_from > 0;
    return HTML_ON_ELEMENT;
}

static int after_element(struct html_rewriter *rw)
{
    int r = html_change_flush(rw);

    if (r == 0 && !rw->token.is_void)
        r = push(rw);
    return r;
}

/* ---- ends of elements ---- */

/* The selectors that the element at this depth has matched. */
static void forget_matched(struct html_rewriter *rw, uint64_t depth)
{
    size_t size = matched_words(rw) * sizeof *rw->matched;
    const char *end = buf_data(&rw->opens) + buf_len(&rw->opens);
    uint64_t last;

    if (buf_len(&rw->opens) == 0)
        return;
    memcpy(&last, end - sizeof last, sizeof last);
    if (last != depth)
        return;
    count_uses(rw, (const uint64_t *)(const void *)(end - sizeof last - size), -1);
    rw->opens.tail -= size + sizeof last;
}

static int pop(struct html_rewriter *rw)
{
    size_t depth = html_levels_depth(&rw->levels);
    struct html_ending *ending = html_levels_at(&rw->levels, depth - 1)->user;

    if (ending && buf_append(&rw->endings, &ending, sizeof ending) < 0)
        return ERR_NOMEM;
    forget_matched(rw, depth);
    html_levels_pop(&rw->levels);
    if (rw->removed_from == depth)
        rw->removed_from = 0;
    return 0;
}

static int on_end(struct html_rewriter *rw)
{
    size_t n = html_levels_closed_by(&rw->levels, &rw->token);
    int r = 0;

    while (r == 0 && n-- > 0)
        r = pop(rw);
    if (r < 0)
        return r;
    if (buf_len(&rw->endings) == 0)
        return pass(rw);
    rw->stage = AT_ENDINGS;
    return AGAIN;
}

/* The ending's own changes take the place of those before it; then its handler is asked. */
static int next_ending(struct html_rewriter *rw)
{
    struct html_ending *e = ending_at(rw, rw->endings_done++);
    uint32_t handler = e->handler;
    int r = 0;

    if (e->changes.has_any) {
        html_changes_done(&rw->changes);
        rw->changes = e->changes;
        e->changes = (struct html_changes){0};
    }
    if (e->name)
        r = html_rewriter_rename(rw, (struct span){e->name, e->name_len});
    html_ending_free(e);
    if (r < 0 || handler == 0)
        return r < 0 ? r : AGAIN;
    clear_hits(rw);
    r = add_hit(rw, handler);
    return r < 0 ? r : HTML_ON_END_TAG;
}

static int at_endings(struct html_rewriter *rw)
{
    int r;

    if (rw->endings_done < endings_count(rw))
        return next_ending(rw);
    buf_eat(&rw->endings, buf_len(&rw->endings));
    rw->endings_done = 0;
    r = html_change_flush(rw);
    html_change_clear(rw);
    step_over(rw);
    rw->stage = READ;
    rw->has_token = false;
    return r < 0 ? r : AGAIN;
}

/* ---- the rest ---- */

static int on_other(struct html_rewriter *rw)
{
    bool is_comment = rw->token.kind == HTML_COMMENT;
    int r;

    clear_hits(rw);
    if (is_comment)
        r = find_hits(rw, HTML_WANTS_COMMENTS, rw->comment_uses);
    else if (rw->token.kind == HTML_DOCTYPE)
        r = add_document_hits(rw, HTML_WANTS_DOCTYPE);
    else
        r = rw->token.kind == HTML_EOF ? add_document_hits(rw, HTML_WANTS_END) : 0;
    if (r < 0)
        return r;
    if (rw->token.kind == HTML_EOF) {
        rw->stage = AT_END;
        rw->removed_from = 0;
        return buf_len(&rw->hits) > 0 ? HTML_ON_END : AGAIN;
    }
    if (buf_len(&rw->hits) == 0)
        return pass(rw);
    rw->stage = is_comment ? AT_COMMENT : AT_DOCTYPE;
    return is_comment ? HTML_ON_COMMENT : HTML_ON_DOCTYPE;
}

static int read(struct html_rewriter *rw)
{
    if (!rw->has_token) {
        int r;
        rw->html.wants_comments = rw->comment_uses > 0 || rw->document_wishes & HTML_WANTS_COMMENTS;
        rw->html.skips_text = rw->text_uses == 0 && !(rw->document_wishes & HTML_WANTS_TEXT) &&
                              !rw->is_text_open && rw->removed_from == 0;
        r = html_next(&rw->html, &rw->token);
        if (r < 0 || r == HTML_MORE)
            return r < 0 ? r : HTML_ON_MORE;
        rw->has_token = true;
    }
    if (rw->token.kind == HTML_TEXT)
        return on_text(rw);
    if (rw->is_text_open)
        return on_text_end(rw);
    if (rw->token.kind == HTML_START)
        return on_start(rw);
    return rw->token.kind == HTML_END ? on_end(rw) : on_other(rw);
}

static int finish(struct html_rewriter *rw)
{
    int r;

    if (rw->stage == AT_TEXT) {
        r = after_text(rw);
    } else {
        rw->has_token = false;
        r = rw->stage == AT_ELEMENT ? after_element(rw) : html_change_flush(rw);
        step_over(rw);
    }
    html_change_clear(rw);
    rw->stage = rw->stage == AT_END ? OVER : READ;
    return r < 0 ? r : AGAIN;
}

int html_rewriter_next(struct html_rewriter *rw)
{
    int r, written;

    do
        r = rw->stage == READ         ? read(rw)
            : rw->stage == AT_ENDINGS ? at_endings(rw)
            : rw->stage == OVER       ? HTML_ON_DONE
                                      : finish(rw);
    while (r == AGAIN);
    written = html_change_flush_run(rw);
    return r >= 0 && written < 0 ? written : r;
}
