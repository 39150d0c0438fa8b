/* fuzz_html.c - any bytes as HTML with any text as a selector: nothing is lost on the way, cuts
 * change nothing but where text is divided, and changes of all kinds keep to their memory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/html_rewrite.h"

enum { MEMORY_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

/* Do to the token at hand what the next bits say. */
static void change(struct html_rewriter *rw, int event, unsigned *seed)
{
    struct span name, value;
    unsigned what = *seed = *seed * 1103515245 + 12345;

    what >>= 16;
    if (event == HTML_ON_ELEMENT) {
        size_t n = html_rewriter_attributes(rw);
        for (size_t i = 0; i < n; i++)
            html_rewriter_attribute(rw, i, &name, &value);
        if (what & 1)
            must(html_rewriter_set(rw, SPAN("id"), SPAN("a\"b")) == 0);
        if (what & 2)
            must(html_rewriter_unset(rw, SPAN("class")) == 0);
        if (what & 4)
            must(html_rewriter_rename(rw, SPAN("q")) == 0);
        if (what & 8)
            html_rewriter_on_end(rw, 7);
        if ((what & 0x70) == 0)
            html_rewriter_remove(rw, what & 0x80);
    }
    if (event == HTML_ON_COMMENT && what & 1)
        must(html_rewriter_rename(rw, SPAN("new")) == 0);
    if (what & 0x100)
        must(html_rewriter_insert(rw, (enum html_place)(what >> 9 & 7) % 6, SPAN("<i>"),
                                  what >> 12 & 1) == 0);
}

static void drain(struct html_rewriter *rw, struct buf *out)
{
    uint32_t stream = 1;

    while (stream) {
        struct span bytes = html_rewriter_output(rw, &stream);
        must(buf_append(out, bytes.data, bytes.len) == 0);
        html_rewriter_eat(rw, bytes.len);
        html_rewriter_output(rw, &stream);
        if (stream)
            html_rewriter_eat_mark(rw);
    }
}

/* The output of the whole, by pieces of `step` bytes; seed 0: nothing is changed.  Returns the
 * error. */
static int rewrite(struct span selector, struct span in, size_t step, unsigned seed,
                   struct buf *out)
{
    struct html_rewriter *rw = html_rewriter_new(MEMORY_MAX, true);
    struct err err = {0};
    int r;

    must(rw != NULL);
    r = selector.len == 0
            ? 0 /* for the document alone */
            : html_rewriter_select(
                  rw, selector, HTML_WANTS_ELEMENT | HTML_WANTS_TEXT | HTML_WANTS_COMMENTS, &err);
    if (r < 0) {
        must(err.text[0] != '\0');
        html_rewriter_free(rw);
        return r;
    }
    must(html_rewriter_document(rw, seed % 3 ? HTML_WANTS_TEXT | HTML_WANTS_DOCTYPE | HTML_WANTS_END
                                             : HTML_WANTS_COMMENTS) == 0);
    must(html_rewriter_start(rw, 99) == 0);
    while ((r = html_rewriter_next(rw)) != HTML_ON_DONE && r >= 0) {
        if (r == HTML_ON_MORE) {
            struct span piece = {in.data, in.len < step ? in.len : step};
            if (in.len == 0)
                html_rewriter_end(rw);
            else
                must(html_rewriter_feed(rw, piece) == 0);
            in = (struct span){in.data + piece.len, in.len - piece.len};
        } else {
            must(buf_len(&rw->hits) > 0);
            if (seed)
                change(rw, r, &seed);
        }
        drain(rw, out);
    }
    drain(rw, out);
    if (r == HTML_ON_DONE)
        must(buf_len(&rw->out) == 0 && buf_len(&rw->marks) == 0);
    html_rewriter_free(rw);
    return r;
}

/* Input: where to cut, what to change, the length of a selector, the selector, the document. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf whole = {0}, pieces = {0}, changed = {0};
    struct span selector, in;
    size_t step;
    unsigned seed;
    int r;

    if (len < 3 || len < 3u + data[2])
        return 0;
    step = data[0] % 16 + 1u;
    seed = data[1] | 1u;
    selector = (struct span){(const char *)data + 3, data[2]};
    in = (struct span){(const char *)data + 3 + data[2], len - 3 - data[2]};
    r = rewrite(selector, in, in.len + 1, 0, &whole);
    if (r == HTML_ON_DONE)
        must(buf_len(&whole) == in.len && memcmp(buf_data(&whole), in.data, in.len) == 0);
    r = rewrite(selector, in, step, 0, &pieces);
    if (r == HTML_ON_DONE)
        must(buf_len(&pieces) == in.len && memcmp(buf_data(&pieces), in.data, in.len) == 0);
    rewrite(selector, in, step, seed, &changed);
    buf_done(&whole);
    buf_done(&pieces);
    buf_done(&changed);
    return 0;
}
