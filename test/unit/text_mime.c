/* text_mime.c - src/text/mime.c: cases of the MIME Sniffing and Fetch standards. */
#include "text/mime.h"

#include "base/mem.h"
#include "test.h"

static bool is_text(const struct buf *b, const char *text)
{
    return span_is(buf_span(b), text);
}

static void extracts_as_the_standard_says(void)
{
    static const char *const CASES[][2] = {
        {"", ""},
        {"text/plain", "text/plain"},
        {"  Text/HTML ; Charset=UTF-8 ", "text/html;charset=UTF-8"},
        {"text/html;charset=gbk(", "text/html;charset=\"gbk(\""},
        {"text/html;x=(;charset=gbk", "text/html;x=\"(\";charset=gbk"},
        {"text/html;charset=gbk;charset=windows-1255", "text/html;charset=gbk"},
        {"text/html;charset=();charset=GBK", "text/html;charset=\"()\""},
        {"text/html;charset =gbk", "text/html"},
        {"text/html ;charset=gbk", "text/html;charset=gbk"},
        {"text/html; charset= gbk", "text/html;charset=gbk"},
        {"text/html;charset=", "text/html"},
        {"text/html;charset;charset=gbk", "text/html;charset=gbk"},
        {"text/html;charset=\"gbk\"", "text/html;charset=gbk"},
        {"text/html;charset=\"gbk", "text/html;charset=gbk"},
        {"text/html;charset=gbk\"", "text/html;charset=\"gbk\\\"\""},
        {"text/html;charset=\"\\ g\\b\\k\"", "text/html;charset=\" gbk\""},
        {"text/html;charset=\"\\", "text/html;charset=\"\\\\\""},
        {"text/html;charset=\"gbk\"x", "text/html;charset=gbk"},
        {"text/html;charset=\"\";charset=GBK", "text/html;charset=\"\""},
        {"text/html;;;;charset=gbk", "text/html;charset=gbk"},
        {"multipart/form-data; boundary=\"a, b\"", "multipart/form-data;boundary=\"a, b\""},
        {"text", ""},
        {"text/", ""},
        {"/html", ""},
        {"te xt/html", ""},
        {"text/ht ml", ""},
        {"text/html/x", ""},
        {"text/html, text/plain", "text/plain"},
        {"text/plain;charset=gbk, text/plain", "text/plain;charset=gbk"},
        {"text/plain;charset=gbk, text/html, text/plain", "text/plain"},
        {"text/plain;charset=gbk;x=1, text/plain;x=2", "text/plain;x=2;charset=gbk"},
        {"text/html, cannot-parse", "text/html"},
        {"text/html, */*", "text/html"},
        {"*/*", ""},
        {"text/html,", "text/html"},
        {"text/html;x=\",text/plain\"", "text/html;x=\",text/plain\""},
        {"text/html;x=\"\\\",text/plain", "text/html;x=\"\\\",text/plain\""},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf out = {0};
        CHECK(mime_extract(span_of(CASES[i][0]), &out) == 0);
        CHECK(is_text(&out, CASES[i][1]));
        if (!is_text(&out, CASES[i][1]))
            printf("  <<%s>> -> <<%.*s>>\n", CASES[i][0], SPAN_ARG(buf_span(&out)));
        buf_done(&out);
    }
}

static void finds_parameters(void)
{
    struct span type = SPAN("a/b;x=1;y=\"q\\\"; \\\\\";z=2");
    struct buf out = {0};

    CHECK(span_is(mime_essence(type), "a/b"));
    CHECK(mime_param(type, SPAN("y"), &out) == 1 && is_text(&out, "q\"; \\"));
    buf_eat(&out, buf_len(&out));
    CHECK(mime_param(type, SPAN("Z"), &out) == 1 && is_text(&out, "2"));
    CHECK(mime_param(type, SPAN("w"), &out) == 0);
    CHECK(mime_param(SPAN(""), SPAN("w"), &out) == 0);
    buf_done(&out);
}

static void drops_parameters_beyond_the_limit(void)
{
    struct buf header = {0}, out = {0}, value = {0};

    CHECK(buf_append(&header, "a/b", 3) == 0);
    for (int i = 0; i < 2 * MIME_PARAMS_MAX; i++)
        CHECK(buf_print(&header, ";p%d=%d", i, i) == 0);
    CHECK(mime_extract(buf_span(&header), &out) == 0);
    CHECK(mime_param(buf_span(&out), SPAN("p31"), &value) == 1);
    CHECK(mime_param(buf_span(&out), SPAN("p32"), &value) == 0);
    buf_done(&header);
    buf_done(&out);
    buf_done(&value);
}

static void copes_without_memory(void)
{
    for (long n = 0;; n++) {
        struct buf out = {0};
        int r;
        mem_fail_after(n);
        r = mime_extract(SPAN("a/b;charset=x;y=\"\\\"\", a/b;z=1"), &out);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        CHECK(r != 0 || is_text(&out, "a/b;z=1;charset=x"));
        buf_done(&out);
        if (r == 0)
            return;
    }
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"extracts_as_the_standard_says", extracts_as_the_standard_says},
        {"finds_parameters", finds_parameters},
        {"drops_parameters_beyond_the_limit", drops_parameters_beyond_the_limit},
        {"copes_without_memory", copes_without_memory},
        {0},
    };

    return test_main("text_mime", TESTS, argc, argv);
}
