/* front_page.c - src/front/page.c, waits.c: who gets which page, and that no
 * text can leave its place on it. */
#include "base/mem.h"
#include "front/inside.h"
#include "test.h"

static void gives_what_is_asked_for(void)
{
    static const struct {
        const char *accept;
        enum page_kind kind;
    } CASES[] = {
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", PAGE_HTML},
        {"text/html", PAGE_HTML},
        {"TEXT/HTML;q=0.1", PAGE_HTML},
        {"text/html;level=1;q=0.5, text/plain;q=0.4", PAGE_HTML},
        {"application/json, text/html ; q=1.0", PAGE_HTML},
        {"*/*", PAGE_PLAIN},
        {"", PAGE_PLAIN},
        {"text/*", PAGE_PLAIN},
        {"text/plain", PAGE_PLAIN},
        {"text/plain, text/html", PAGE_PLAIN},
        {"text/html;q=0", PAGE_PLAIN},
        {"text/html;q=0.000", PAGE_PLAIN},
        {"text/html;q=0.3, text/plain;q=0.7", PAGE_PLAIN},
        {"text/htmlx", PAGE_PLAIN},
        {",,;q=;", PAGE_PLAIN},
        {"text/html;q", PAGE_HTML},
        {"application/json", PAGE_JSON},
        {"application/problem+json, text/plain;q=0.9", PAGE_JSON},
        {"application/json;q=0.5, text/html", PAGE_HTML},
        {"application/json;q=0.5, text/plain", PAGE_PLAIN},
        {"application/json, */*", PAGE_JSON},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        CHECK(page_kind_of(span_of(CASES[i].accept)) == CASES[i].kind);
}

static void escapes_text_on_a_page(void)
{
    struct answer a = {.status = 500, .minor = 1, .date = SPAN("now")};
    struct page_spec spec = {.status = 500, .title = SPAN("<T>"), .kind = PAGE_HTML,
                             .text = SPAN("</pre><script>alert(\"x\")&")};
    struct buf out = {0};

    CHECK(page_put(&out, &a, &spec) == 0);
    CHECK(buf_append(&out, "", 1) == 0);
    CHECK(strstr(buf_data(&out), "&lt;/pre&gt;&lt;script&gt;alert(&quot;x&quot;)&amp;"));
    CHECK(strstr(buf_data(&out), "<h1>&lt;T&gt;</h1>") && !strstr(buf_data(&out), "<script"));
    CHECK(strstr(buf_data(&out), "Content-Security-Policy: default-src 'none'"));
    buf_done(&out);
}

static void shows_the_source_lines_escaped(void)
{
    struct excerpt excerpt = {.file = SPAN("src/<a>.py"), .line = 9, .first = 8};
    struct page_spec spec = {.status = 500, .text = SPAN("t"), .excerpt = &excerpt};
    struct buf out = {0};

    CHECK(buf_append(&excerpt.lines, "x = '</pre>'\r\n  <b>\n\nend", 24) == 0);
    CHECK(page_html(&out, &spec) == 0 && buf_append(&out, "", 1) == 0);
    CHECK(strstr(buf_data(&out), "<h2>src/&lt;a&gt;.py:9</h2>\n"
                                 "<pre><i>    8  </i>x = '&lt;/pre&gt;'\n"
                                 "<mark><i>    9  </i>  &lt;b&gt;</mark>\n"
                                 "<i>   10  </i>\n<i>   11  </i>end\n</pre>\n<pre>t</pre>"));
    buf_done(&out);
    excerpt_done(&excerpt);
}

static void says_no_body_to_head(void)
{
    struct answer a = {.status = 503, .minor = 1, .is_head = true, .date = SPAN("now")};
    struct page_spec spec = {.status = 503, .text = SPAN("later"), .retry_after_s = 1};
    struct buf out = {0};

    CHECK(page_put(&out, &a, &spec) == 0);
    CHECK(span_is(buf_span(&out), "HTTP/1.1 503 Service Unavailable\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n"
                                  "Date: now\r\nContent-Length: 6\r\n\r\n"));
    buf_done(&out);
}

static void leaves_the_buffer_as_it_was_without_memory(void)
{
    int failures = 0, r = ERR_NOMEM;

    for (long n = 0; n < 100 && r < 0; n++) {
        struct answer a = {.status = 500, .minor = 1, .date = SPAN("now")};
        struct page_spec spec = {.status = 500, .text = SPAN("text"), .kind = (enum page_kind)(n % 3)};
        struct buf out = {0};
        CHECK(buf_append(&out, "before", 6) == 0);
        mem_fail_after(n / 2);
        r = page_put(&out, &a, &spec);
        mem_fail_after(-1);
        if (r < 0)
            CHECK(r == ERR_NOMEM && span_is(buf_span(&out), "before"));
        failures += r < 0;
        buf_done(&out);
    }
    CHECK(r == 0 && failures > 2);
}

static void finds_the_deadline_that_has_passed(void)
{
    struct waits w = {0};

    CHECK(waits_due(&w, INT64_MAX) == -1);
    waits_set(&w, WAIT_WRITE, 20);
    waits_set(&w, WAIT_BODY, 30);
    CHECK(waits_due(&w, 19) == -1 && waits_due(&w, 20) == WAIT_WRITE);
    CHECK(waits_due(&w, 30) == WAIT_BODY && waits_has(&w, WAIT_BODY));
    waits_clear(&w, WAIT_BODY);
    CHECK(!waits_has(&w, WAIT_BODY) && waits_due(&w, 30) == WAIT_WRITE);
    waits_set(&w, WAIT_WRITE, 40);
    CHECK(waits_due(&w, 39) == -1);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"gives_what_is_asked_for", gives_what_is_asked_for},
        {"escapes_text_on_a_page", escapes_text_on_a_page},
        {"shows_the_source_lines_escaped", shows_the_source_lines_escaped},
        {"says_no_body_to_head", says_no_body_to_head},
        {"leaves_the_buffer_as_it_was_without_memory", leaves_the_buffer_as_it_was_without_memory},
        {"finds_the_deadline_that_has_passed", finds_the_deadline_that_has_passed},
        {0},
    };

    return test_main("front_page", TESTS, argc, argv);
}
