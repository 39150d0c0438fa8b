/* text_dotenv.c - src/text/dotenv.c: what the dotenv package makes of a file. */
#include "text/dotenv.h"

#include "base/mem.h"
#include "test.h"

/* Everything in a text as "NAME=<value>\n", skipped lines as "?line\n". */
static int read_all(struct span text, struct buf *out)
{
    struct dotenv e = {.text = text};
    struct buf value = {0};
    struct span name;
    int r;

    while ((r = dotenv_next(&e, &name, &value)) > DOTENV_END) {
        if (r == DOTENV_SKIPPED)
            r = buf_print(out, "?%.*s\n", SPAN_ARG(name));
        else
            r = buf_print(out, "%.*s=<%.*s>\n", SPAN_ARG(name), (int)buf_len(&value),
                          buf_len(&value) ? buf_data(&value) : "");
        if (r < 0)
            break;
    }
    buf_done(&value);
    return r;
}

static void reads_what_dotenv_reads(void)
{
    static const char *const CASES[][2] = {
        {"", ""},
        {"\n\n  # only a comment\n", ""},
        {"A=1", "A=<1>\n"},
        {"A=1\nB=2\n", "A=<1>\nB=<2>\n"},
        {"A=1\r\nB=2\r\n", "A=<1>\nB=<2>\n"},
        {"\xef\xbb\xbf" "A=1", "A=<1>\n"},
        {"  A = 1  ", "A=<1>\n"},
        {"export A=1", "A=<1>\n"},
        {"export\tA=1", "A=<1>\n"},
        {"exporter=1", "exporter=<1>\n"},
        {"export=1", "export=<1>\n"},
        {"export =1", "export=<1>\n"},
        {"A: 1", "A=<1>\n"},
        {"A:1", "?A:1\n"},
        {"A=", "A=<>\n"},
        {"A=\nB=2", "A=<>\nB=<2>\n"},
        {"A=#c", "A=<>\n"},
        {"A=a b # c", "A=<a b>\n"},
        {"A=a#b", "A=<a>\n"},
        {"A='a#b'", "A=<a#b>\n"},
        {"A=\"a#b\" # c", "A=<a#b>\n"},
        {"A=`a\"'b`", "A=<a\"'b>\n"},
        {"A=\"a\\nb\\rc\\td\"", "A=<a\nb\rc\\td>\n"},
        {"A='a\\nb'", "A=<a\\nb>\n"},
        {"A=a\\nb", "A=<a\\nb>\n"},
        {"A=\"one\ntwo\r\nthree\"\nB=1", "A=<one\ntwo\nthree>\nB=<1>\n"},
        {"A='-----BEGIN\nabc\n-----END'", "A=<-----BEGIN\nabc\n-----END>\n"},
        {"A=\"a\\\"b\"", "A=<a\\\"b>\n"},
        {"A=\"C:\\dir\\\"", "A=<C:\\dir\\>\n"},
        {"A=\"open\nB=1", "A=<\"open>\nB=<1>\n"},
        {"A='it's'", "A=<it's>\n"},
        {"A=\"a\" b", "A=<\"a\" b>\n"},
        {"A=\"\"", "A=<>\n"},
        {"A={\"json\": [1, 2]}", "A=<{\"json\": [1, 2]}>\n"},
        {"A=a=b==", "A=<a=b==>\n"},
        {"a.b-c_1=x", "a.b-c_1=<x>\n"},
        {"no assignment\nA=1", "?no assignment\nA=<1>\n"},
        {"=1\nA=1", "?=1\nA=<1>\n"},
        {"A=1\nA=2", "A=<1>\nA=<2>\n"},
        {"A=\xc3\xa4", "A=<\xc3\xa4>\n"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf out = {0};
        char *got;
        CHECK(read_all(span_of(CASES[i][0]), &out) == 0);
        got = buf_detach(&out);
        CHECK(got && strcmp(got, CASES[i][1]) == 0);
        if (got && strcmp(got, CASES[i][1]) != 0)
            printf("  <<%s>> -> <<%s>>\n", CASES[i][0], got);
        mem_free(got);
    }
}

static void knows_quotes_that_enclose_nothing(void)
{
    struct dotenv e = {.text = SPAN("A=\"1\nB='2'\nC='3' x\nD=`it`s`\nE=4\nF='5\n")};
    static const bool IS_LOOSE[] = {true, false, true, false, false, true};
    struct buf value = {0};
    struct span name;

    for (size_t i = 0; i < sizeof IS_LOOSE / sizeof *IS_LOOSE; i++)
        CHECK(dotenv_next(&e, &name, &value) == DOTENV_PAIR && e.has_loose_quotes == IS_LOOSE[i]);
    CHECK(dotenv_next(&e, &name, &value) == DOTENV_END);
    buf_done(&value);
}

static void knows_the_line(void)
{
    struct dotenv e = {.text = SPAN("\n# c\nA=\"1\n2\n3\"\n\nB=1\nbad\n")};
    struct buf value = {0};
    struct span name;

    CHECK(dotenv_next(&e, &name, &value) == DOTENV_PAIR && e.line == 3);
    CHECK(dotenv_next(&e, &name, &value) == DOTENV_PAIR && e.line == 7);
    CHECK(dotenv_next(&e, &name, &value) == DOTENV_SKIPPED && e.line == 8);
    CHECK(dotenv_next(&e, &name, &value) == DOTENV_END);
    CHECK(dotenv_next(&e, &name, &value) == DOTENV_END);
    buf_done(&value);
}

static struct span find(void *self, struct span name)
{
    (void)self;
    if (span_is(name, "A"))
        return SPAN("$B");
    return span_is(name, "B") ? SPAN("two") : (struct span){NULL, 0};
}

static void expands_names(void)
{
    static const char *const CASES[][2] = {
        {"plain", "plain"},         {"$A", "$B"},              {"${B}", "two"},
        {"<$B>", "<two>"},          {"$Bx ${B}x", " twox"},    {"$X", ""},
        {"${X:-d}", "d"},           {"${X-d}", "d"},           {"${B:-d}", "two"},
        {"${X:-$B}", "two"},        {"${B:+y}", "y"},          {"${X:+y}", ""},
        {"${B+y}", "y"},            {"\\$B", "$B"},            {"a\\b", "a\\b"},
        {"$", "$"},                 {"$$", "$$"},              {"${", "${"},
        {"${}", "${}"},             {"$1", "$1"},              {"${X:-a:-b}", "a:-b"},
        {"${X:-https://h:1/}", "https://h:1/"},                {"100%", "100%"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf out = {0};
        char *got;
        CHECK(dotenv_expand(span_of(CASES[i][0]), find, NULL, &out) == 0);
        got = buf_detach(&out);
        CHECK(got && strcmp(got, CASES[i][1]) == 0);
        if (got && strcmp(got, CASES[i][1]) != 0)
            printf("  <<%s>> -> <<%s>>\n", CASES[i][0], got);
        mem_free(got);
    }
}

static struct span find_long(void *self, struct span name)
{
    static char text[DOTENV_VALUE_MAX / 2 + 1];

    (void)self, (void)name;
    memset(text, 'x', sizeof text);
    return (struct span){text, sizeof text};
}

static void refuses_to_grow_without_end(void)
{
    struct buf out = {0};

    CHECK(dotenv_expand(SPAN("$A$A$A"), find_long, NULL, &out) == ERR_LIMIT);
    CHECK(buf_len(&out) <= DOTENV_VALUE_MAX);
    buf_done(&out);
}

static void copes_without_memory(void)
{
    struct dotenv e = {.text = SPAN("A=1")};
    struct buf value = {0};
    struct span name;

    mem_fail_after(0);
    CHECK(dotenv_next(&e, &name, &value) == ERR_NOMEM);
    mem_fail_after(-1);
    buf_done(&value);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"reads_what_dotenv_reads", reads_what_dotenv_reads},
        {"knows_quotes_that_enclose_nothing", knows_quotes_that_enclose_nothing},
        {"knows_the_line", knows_the_line},
        {"expands_names", expands_names},
        {"refuses_to_grow_without_end", refuses_to_grow_without_end},
        {"copes_without_memory", copes_without_memory},
        {0},
    };

    return test_main("text_dotenv", TESTS, argc, argv);
}
