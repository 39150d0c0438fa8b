/* text_html.c - src/text/html*.c: tokens, selectors, changes; test/integration/rewriter_cases has
 * what they come to. */
#include "text/html_rewrite.h"

#include <stdlib.h>

#include "base/mem.h"
#include "test.h"

enum { MEMORY = 1 << 20 };

/* "start:p text:x end:p ..." of the bytes, `step` at a time. */
static void tokens_of(struct span in, size_t step, struct buf *out)
{
    static const char *const NAMES[] = {"", "text", "start", "end", "comment", "doctype", "raw"};
    struct html h;
    struct html_token t;
    int kind;

    html_init(&h, MEMORY);
    while ((kind = html_next(&h, &t)) != HTML_EOF && kind >= 0) {
        struct span piece = {in.data, in.len < step ? in.len : step};
        if (kind == HTML_MORE) {
            if (piece.len == 0)
                html_end(&h);
            else
                CHECK(html_feed(&h, piece) == 0);
            in = (struct span){in.data + piece.len, in.len - piece.len};
            continue;
        }
        struct span what = kind == HTML_COMMENT   ? t.text
                           : kind == HTML_DOCTYPE ? t.doctype[0]
                           : t.name.data          ? t.name
                                                  : t.raw;
        if (kind != HTML_TEXT)
            CHECK(buf_print(out, "%s:%.*s ", NAMES[kind], SPAN_ARG(what)) == 0);
    }
    if (kind < 0)
        CHECK(buf_print(out, "error %d", kind) == 0);
    html_done(&h);
}

static void check_tokens(const char *in, const char *wanted)
{
    for (size_t step = 1; step <= strlen(in) + 1; step++) {
        struct buf out = {0};
        tokens_of(span_of(in), step, &out);
        CHECK(span_is(buf_span(&out), wanted));
        if (!span_is(buf_span(&out), wanted))
            printf("  <<%s>> -> <<%.*s>> by %zu\n", in, SPAN_ARG(buf_span(&out)), step);
        buf_done(&out);
    }
}

static void says_the_same_however_it_is_cut(void)
{
    check_tokens("<p a=1 b='2>' / c>x</p\n>", "start:p end:p ");
    check_tokens("<!--a--><!-->b<!--c--!>d<?e><!f></ g><!--h",
                 "comment:a comment: comment:c comment:?e comment:f comment: g comment:h ");
    check_tokens("<!DocType html public 'a' \"b\">", "doctype:html ");
    check_tokens("<script><!--<script></script>--></script><i>",
                 "start:script end:script start:i ");
    check_tokens("<script><!--</script><i>", "start:script end:script start:i ");
    check_tokens("<title><b></titl></title/>", "start:title end:title ");
    check_tokens("<plaintext><b></plaintext>", "start:plaintext ");
    check_tokens("<svg><![CDATA[<b>]]]></svg><![CDATA[x]]>",
                 "start:svg raw:<![CDATA[ raw:]]> end:svg comment:[CDATA[x]] ");
    check_tokens("<svg><title><b></b></title><style><i></svg>",
                 "start:svg start:title start:b end:b end:title start:style start:i end:svg ");
    check_tokens("a</>b<c d=\"", "raw:</> raw:<c d=\" ");
    check_tokens("<select><title>", "start:select error -2");
}

/* The document with "[n]" before each element that the n-th selector matches. */
static int mark(const char *const *selectors, struct span in, size_t step, struct buf *out)
{
    struct html_rewriter *rw = html_rewriter_new(MEMORY, true);
    struct err err = {0};
    uint32_t stream, hit;
    int r = rw ? 0 : ERR_NOMEM;

    for (; r == 0 && *selectors; selectors++)
        r = html_rewriter_select(rw, span_of(*selectors), HTML_WANTS_ELEMENT | HTML_WANTS_TEXT,
                                 &err);
    if (r == 0)
        r = html_rewriter_start(rw, 1);
    while (r >= 0 && (r = html_rewriter_next(rw)) >= 0 && r != HTML_ON_DONE) {
        struct span piece = {in.data, in.len < step ? in.len : step};
        char text[32];
        if (r == HTML_ON_MORE && piece.len == 0) {
            html_rewriter_end(rw);
        } else if (r == HTML_ON_MORE) {
            r = html_rewriter_feed(rw, piece);
            in = (struct span){in.data + piece.len, in.len - piece.len};
        }
        for (size_t i = 0; r == HTML_ON_ELEMENT && i < buf_len(&rw->hits) / sizeof hit; i++) {
            memcpy(&hit, buf_data(&rw->hits) + i * sizeof hit, sizeof hit);
            snprintf(text, sizeof text, "[%u]", hit);
            r = html_rewriter_insert(rw, HTML_BEFORE, span_of(text), 0);
            if (r == 0)
                r = html_rewriter_insert(rw, HTML_APPEND, SPAN("."), 0);
            if (r == 0)
                r = html_rewriter_set(rw, SPAN("k"), SPAN("v"));
            if (r == 0)
                r = HTML_ON_ELEMENT;
        }
    }
    if (r == HTML_ON_DONE) {
        struct span all = html_rewriter_output(rw, &stream);
        r = buf_append(out, all.data, all.len);
    }
    html_rewriter_free(rw);
    return r;
}

static const char *const SELECTORS[] = {
    "p", "div > p", "div p:nth-of-type(2)", ":not(p):first-child", "[a~=x]", NULL};
#define PAGE "<div><p>1</p><b a='y x'></b><p>2</div>"
#define MARKED                                                                                     \
    "[3]<div k=\"v\">[0][1]<p k=\"v\">1..</p>[4]<b a='y x' k=\"v\">.</b>[0][1][2]<p "              \
    "k=\"v\">2.</div>"

static void marks_what_matches(void)
{
    for (size_t step = 1; step < 40; step++) {
        struct buf out = {0};
        CHECK(mark(SELECTORS, SPAN(PAGE), step, &out) == 0);
        CHECK(span_is(buf_span(&out), MARKED));
        buf_done(&out);
    }
}

static void survives_every_failing_allocation(void)
{
    int r = ERR_NOMEM;

    for (long n = 0; r < 0 && n < 10000; n++) {
        struct buf out = {0};
        mem_fail_after(n);
        r = mark(SELECTORS, SPAN(PAGE), 7, &out);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        buf_done(&out);
    }
    CHECK(r == 0);
}

static void refuses_what_would_be_kept_for_ever(void)
{
    static const char *const all[] = {"*", NULL};
    static const struct {
        const char *first, *more;
    } endless[] = {{"<a b=\"", "x"}, {"<a ", "b "},       {"", "<b>"},
                   {"<", "x"},       {"<!doctype ", "x"}, {"<svg>", "<desc><svg>"}};

    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        struct buf in = {0}, out = {0};
        CHECK(buf_print(&in, "%s", endless[i].first) == 0);
        while (buf_len(&in) < 3 * MEMORY)
            CHECK(buf_print(&in, "%s", endless[i].more) == 0);
        CHECK(mark(all, buf_span(&in), 4096, &out) == ERR_LIMIT);
        buf_done(&in);
        buf_done(&out);
    }
}

static void reads_a_tag_at_once_as_in_pieces(void)
{
    static const char *const all[] = {"[x], [y=''], [z=\"1\"], longer-than-eight", NULL};
    static const char *const pages[][2] = {
        {"<a =x>", "<a =x>"},
        {"<a x=>", "[0]<a x= k=\"v\">"},
        {"<a/x/ =y>", "[0]<a x =y k=\"v\">"},
        {"<LONGER-than-EIGHT /y='>'z=1/>", "[0]<LONGER-than-EIGHT y='>' z=1/ k=\"v\">"},
        {"<longer-than-eighty><p\f\tx\n=\r\"\"x>",
         "<longer-than-eighty>[0]<p x\n=\r\"\" x k=\"v\">"},
    };

    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        for (size_t step = 1; step < 40; step++) {
            struct buf out = {0};
            CHECK(mark(all, span_of(pages[i][0]), step, &out) == 0);
            CHECK(span_is(buf_span(&out), pages[i][1]));
            if (!span_is(buf_span(&out), pages[i][1]))
                printf("  %s -> %.*s by %zu\n", pages[i][0], SPAN_ARG(buf_span(&out)), step);
            buf_done(&out);
        }
}

/* A name with a NUL is not the shorter one, whose number it has. */
static void tells_names_with_nuls_apart(void)
{
    static const char *const all[] = {"p", NULL};
    struct buf out = {0};

    CHECK(mark(all, SPAN("<p\0><script\0><p></script>"), 99, &out) == 0);
    CHECK(span_is(buf_span(&out), "<p") == false);
    CHECK(memmem(buf_data(&out), buf_len(&out), "[0]<p k=\"v\">", 12));
    CHECK(!memmem(buf_data(&out), buf_len(&out), "[0]<p\0", 6));
    buf_done(&out);
}

static void refuses_attributes_without_end(void)
{
    static const char *const all[] = {"*", NULL};
    struct buf in = {0}, out = {0};

    CHECK(buf_print(&in, "<a") == 0);
    while (buf_len(&in) < MEMORY / 4)
        CHECK(buf_print(&in, " b") == 0);
    CHECK(buf_print(&in, ">") == 0);
    CHECK(mark(all, buf_span(&in), buf_len(&in), &out) == ERR_LIMIT);
    CHECK(mark(all, buf_span(&in), buf_len(&in) - 1, &out) == ERR_LIMIT);
    buf_done(&in);
    buf_done(&out);
}

static void complains_of_bad_selectors(void)
{
    static const char *const bad[][2] = {
        {"", "The selector is empty."},
        {"p >", "Dangling combinator in selector."},
        {"p + b", "Unsupported combinator `+` in selector."},
        {"p:hover", "Unsupported pseudo-class or pseudo-element in selector."},
        {"[", "Unexpected end of selector."},
        {"a|b", "Selectors with explicit namespaces are not supported."},
        {"p$", "Unexpected token in selector."},
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct html_selectors set;
        struct err err = {0};
        html_selectors_init(&set);
        CHECK(html_selectors_add(&set, span_of(bad[i][0]), &err) == ERR_INVALID);
        CHECK(strcmp(err.text, bad[i][1]) == 0);
        html_selectors_done(&set);
    }
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"says_the_same_however_it_is_cut", says_the_same_however_it_is_cut},
        {"marks_what_matches", marks_what_matches},
        {"survives_every_failing_allocation", survives_every_failing_allocation},
        {"refuses_what_would_be_kept_for_ever", refuses_what_would_be_kept_for_ever},
        {"reads_a_tag_at_once_as_in_pieces", reads_a_tag_at_once_as_in_pieces},
        {"tells_names_with_nuls_apart", tells_names_with_nuls_apart},
        {"refuses_attributes_without_end", refuses_attributes_without_end},
        {"complains_of_bad_selectors", complains_of_bad_selectors},
        {0},
    };

    return test_main("text_html", TESTS, argc, argv);
}
