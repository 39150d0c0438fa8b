/* text_multipart.c - src/text/multipart.c: what clients send, and what they should not. */
#include "text/multipart.h"

#include "base/mem.h"
#include "test.h"

#define PART(headers, content) "--b\r\n" headers "\r\n\r\n" content "\r\n"
#define NAMED(name) "Content-Disposition: form-data; name=" name
#define END "--b--\r\n"

/* All parts as "name|filename|type|content\n", "-" for what is not there; the code of the last step. */
static int read_all(struct span body, struct buf *out, struct err *err)
{
    struct multipart m;
    struct multipart_part part = {0};
    int r = multipart_init(&m, SPAN("b"), body, err);

    while (r >= 0 && (r = multipart_next(&m, &part, err)) == MULTIPART_PART) {
        struct span file = part.has_filename ? buf_span(&part.filename) : SPAN("-");
        struct span type = part.type.data ? part.type : SPAN("-");
        r = buf_print(out, "%.*s|%.*s|%.*s|%.*s\n", SPAN_ARG(buf_span(&part.name)), SPAN_ARG(file),
                      SPAN_ARG(type), SPAN_ARG(part.content));
        if (r < 0)
            break;
    }
    multipart_part_done(&part);
    return r;
}

static void check(const char *body, const char *wanted)
{
    struct buf out = {0};
    struct err err = {0};
    int r = read_all(span_of(body), &out, &err);

    CHECK(r == 0 && span_is(buf_span(&out), wanted));
    if (r < 0 || !span_is(buf_span(&out), wanted))
        printf("  <<%s>> -> %d %s <<%.*s>>\n", body, r, err.text, SPAN_ARG(buf_span(&out)));
    buf_done(&out);
}

static void reads_fields_and_files(void)
{
    check(PART(NAMED("\"a\""), "1") PART(NAMED("\"b\""), "2") END, "a|-|-|1\nb|-|-|2\n");
    check(PART(NAMED("\"f\"; filename=\"x.txt\"") "\r\nContent-Type: text/plain", "hi\r\n\r\n") END,
          "f|x.txt|text/plain|hi\r\n\r\n\n");
    check(PART(NAMED("\"f\"; filename=\"\"") "\r\nContent-Type: application/octet-stream", "") END,
          "f||application/octet-stream|\n");
    check("--b--\r\n", "");
    check("--b--", "");
    check(PART(NAMED("\"\""), "") END, "|-|-|\n");
}

static void skips_preamble_and_epilogue(void)
{
    check("Hello\r\n--bc\r\n" "\r\n" PART(NAMED("\"a\""), "1") END "--b\r\nBye", "a|-|-|1\n");
    check("x--b\r\n\r\n" PART(NAMED("a"), "1") END, "a|-|-|1\n");
}

static void finds_its_own_boundary_only(void)
{
    check(PART(NAMED("a"), "-b\r\n-b\r\n --b--\r\n--bb\r\n--b-\r\n--b--x") END,
          "a|-|-|-b\r\n-b\r\n --b--\r\n--bb\r\n--b-\r\n--b--x\n");
    check("--b \t\r\n" NAMED("a") "\r\n\r\n1\r\n--b--  \r\n", "a|-|-|1\n");
    check("--b\r\n" NAMED("a") "\r\n\r\n--b--", "a|-|-|\n");
    check("--b\r\n" NAMED("a") "\r\n\r\n\r\n\r\n--b--", "a|-|-|\r\n\n");
}

static void reads_names_of_all_kinds(void)
{
    check(PART(NAMED("\"a%22b%0D%0Ac%0a\""), "") END, "a\"b\r\nc\n|-|-|\n");
    check(PART(NAMED("\"100%25 %2\""), "") END, "100%25 %2|-|-|\n");
    check(PART(NAMED("\"a\\\"b\\\\c\\d\""), "") END, "a\"b\\c\\d|-|-|\n");
    check(PART(NAMED("\"\xc3\xa4\"; filename=\"\xe2\x82\xac;=.txt\""), "") END,
          "\xc3\xa4|\xe2\x82\xac;=.txt|-|\n");
    check(PART("content-disposition:FORM-DATA;NAME=a ; filename=x.y", "1") END, "a|x.y|-|1\n");
    check(PART("Content-Disposition: form-data;\r\n name=\"a\";\r\n\tfilename=\"x\"", "1") END,
          "a|x|-|1\n");
    check(PART(NAMED("a; x=y; filename=plain; filename*=UTF-8''%e2%82%ac%20rates"), "") END,
          "a|\xe2\x82\xac rates|-|\n");
    check(PART(NAMED("a; filename*=iso-8859-1'en'%A3%20rates; filename=plain;"), "") END,
          "a|\xc2\xa3 rates|-|\n");
}

static void refuses(const char *body, const char *says)
{
    struct buf out = {0};
    struct err err = {0};
    int r = read_all(span_of(body), &out, &err);

    CHECK(r == ERR_INVALID && strstr(err.text, says));
    if (r != ERR_INVALID || !strstr(err.text, says))
        printf("  <<%s>> -> %d %s\n", body, r, err.text);
    buf_done(&out);
}

static void says_what_is_wrong(void)
{
    refuses("", "no line with the boundary 'b'");
    refuses("--c\r\n", "no line with the boundary");
    refuses("--b", "no line with the boundary");
    refuses("--b\n" NAMED("a") "\n\n1\n--b--\n", "no line with the boundary");
    refuses("--b\r\n", "part 1: the body ends within its header");
    refuses("--b\r\n" NAMED("a") "\r\n", "part 1: the body ends within its header");
    refuses("--b\r\n" NAMED("a") "\r\n\r\n1", "part 1: the body ends before its closing");
    refuses(PART(NAMED("a"), "1") "--b", "part 1: the body ends before its closing");
    refuses(PART(NAMED("a"), "1") "--b\r", "part 1: the body ends before its closing");
    refuses(PART(NAMED("a"), "1") "--b-", "part 1: the body ends before its closing");
    refuses(PART(NAMED("a"), "1") "--b\r\n" NAMED("b") "\n\n2" END, "part 2: a header line ends");
    refuses(PART("Content-Type: a/b", "1") END, "part 1: it has no Content-Disposition");
    refuses(PART("Content-Disposition: form-data", "1") END, "no name");
    refuses(PART("Content-Disposition: attachment; name=a", "1") END, "not form-data");
    refuses(PART(NAMED("\"a"), "1") END, "not closed");
    refuses(PART(NAMED("\"a\r\n b\""), "1") END, "not closed");
    refuses(PART(NAMED("\"a\"x"), "1") END, "';' is missing");
    refuses(PART(NAMED("a; filename"), "1") END, "not name=value");
    refuses(PART(NAMED("a; name=b"), "1") END, "two names");
    refuses(PART(NAMED("a\r\n") NAMED("b"), "1") END, "second Content-Disposition");
    refuses(PART(NAMED("a; filename*=utf-7''x"), "1") END, "filename*");
    refuses(PART(NAMED("a; filename*=utf-8''%4"), "1") END, "filename*");
    refuses(PART(NAMED("a; filename*=x"), "1") END, "filename*");
    refuses(PART("no colon", "1") END, "part 1: a header line has no ':': 'no colon'");
}

static void keeps_its_limits(void)
{
    struct buf body = {0}, out = {0};
    struct multipart m;
    struct err err = {0};
    char boundary[MULTIPART_BOUNDARY_MAX + 1];

    memset(boundary, 'x', sizeof boundary);
    CHECK(multipart_init(&m, (struct span){boundary, sizeof boundary}, SPAN(""), &err) == ERR_LIMIT);
    CHECK(multipart_init(&m, (struct span){boundary, sizeof boundary - 1}, SPAN(""), &err) == 0);
    CHECK(multipart_init(&m, SPAN(""), SPAN(""), &err) == ERR_INVALID);
    for (int i = 0; i <= MULTIPART_PARTS_MAX; i++)
        CHECK(buf_append(&body, PART(NAMED("a"), ""), sizeof(PART(NAMED("a"), "")) - 1) == 0);
    CHECK(read_all(buf_span(&body), &out, &err) == ERR_LIMIT && strstr(err.text, "10000 parts"));
    buf_eat(&body, buf_len(&body));
    CHECK(buf_print(&body, "--b\r\nX: 1\r\nX: %*s\r\n", MULTIPART_HEADER_MAX, "") == 0);
    CHECK(read_all(buf_span(&body), &out, &err) == ERR_LIMIT && strstr(err.text, "16384 bytes"));
    buf_done(&body);
    buf_done(&out);
}

static void copes_without_memory(void)
{
    static const char body[] = PART(NAMED("\"a\"; filename*=utf-8''x%20y; x=\"z\""), "1") END;

    for (long n = 0;; n++) {
        struct multipart m;
        struct multipart_part part = {0};
        struct err err = {0};
        int r;
        CHECK(multipart_init(&m, SPAN("b"), span_of(body), &err) == 0);
        mem_fail_after(n);
        r = multipart_next(&m, &part, &err);
        mem_fail_after(-1);
        CHECK(r == MULTIPART_PART || r == ERR_NOMEM);
        multipart_part_done(&part);
        if (r == MULTIPART_PART)
            return;
    }
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"reads_fields_and_files", reads_fields_and_files},
        {"skips_preamble_and_epilogue", skips_preamble_and_epilogue},
        {"finds_its_own_boundary_only", finds_its_own_boundary_only},
        {"reads_names_of_all_kinds", reads_names_of_all_kinds},
        {"says_what_is_wrong", says_what_is_wrong},
        {"keeps_its_limits", keeps_its_limits},
        {"copes_without_memory", copes_without_memory},
        {0},
    };

    return test_main("text_multipart", TESTS, argc, argv);
}
