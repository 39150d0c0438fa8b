/* cli_secrets_file.c - src/cli/secrets_file.c and labels.c: several secrets at once; lines of labels. */
#include "cli/secrets_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/labels.h"
#include "test.h"

static void check_parse(const char *text, int wanted, const char *json)
{
    struct err err = {0};
    json_t *got;
    int r = secrets_parse(span_of(text), "FILE", &got, &err);
    char *dumped = got ? json_dumps(got, JSON_COMPACT) : NULL;

    CHECK(r == wanted);
    if (r == 0)
        CHECK(strcmp(dumped, json) == 0);
    else
        CHECK(strstr(err.text, json) != NULL && !got);
    if (r < 0 && !strstr(err.text, json))
        printf("  %s\n", err.text);
    CHECK(!strstr(err.text, "hunter2") && !strstr(err.hint, "hunter2"));
    if (dumped)
        mem_free(dumped);
    secrets_wipe(got);
}

static void reads_json_and_lines(void)
{
    check_parse("{\"A\": \"1\", \"B\": null}", 0, "{\"A\":\"1\",\"B\":null}");
    check_parse("\n  {\"A\": \"\"}\n", 0, "{\"A\":\"\"}");
    check_parse("A=1\n# a comment\nexport B='two words'\n", 0, "{\"A\":\"1\",\"B\":\"two words\"}");
    check_parse("A=\"x\\ny\"\n", 0, "{\"A\":\"x\\ny\"}");
    check_parse("", ERR_INVALID, "nothing in FILE");
    check_parse("  \n", ERR_INVALID, "nothing in FILE");
    check_parse("{}", ERR_INVALID, "no secret in FILE");
    check_parse("# nothing\n", ERR_INVALID, "no secret in FILE");
}

static void says_what_is_wrong_and_no_value(void)
{
    check_parse("{\"A\": \"hunter2\",}", ERR_INVALID, "FILE:1:");
    check_parse("{\"A\": 5, \"B\": \"hunter2\"}", ERR_INVALID,
                "the value of 'A' is neither a string nor null");
    check_parse("{\"\": \"hunter2\"}", ERR_INVALID, "has no name");
    check_parse("A=1\nhunter2 alone\n", ERR_INVALID, "FILE:2: this line is not NAME=value");
    check_parse("[\"hunter2\"]", ERR_INVALID, "FILE:1: this line is not");
    check_parse("A=\xff\xfe\n", ERR_INVALID, "FILE:1: the value of 'A' is not UTF-8");
}

static void survives_without_memory(void)
{
    static const char *const TEXTS[] = {"{\"A\": \"1\", \"B\": null}", "A=1\nB=2\n"};

    for (size_t i = 0; i < 2; i++) {
        struct err err = {0};
        int r = ERR_NOMEM;
        for (long n = 0; r != 0 && n < 100; n++) {
            json_t *got;
            mem_fail_after(n);
            r = secrets_parse(span_of(TEXTS[i]), "FILE", &got, &err);
            mem_fail_after(-1);
            CHECK(r == 0 || r == ERR_NOMEM);
            secrets_wipe(got);
        }
        CHECK(r == 0);
    }
}

static void puts_values_into_one_column(void)
{
    const struct label LABELS[] = {{"Version ID", "1"}, {"Tag", ""}, {"Notes", "a\nb"}};
    struct buf out = {0};

    CHECK(labels_put(&out, LABELS, 3, LABELS_LEFT, 0) == 0);
    CHECK(span_is(buf_span(&out), "Version ID:  1\nTag:         -\nNotes:       a\n             b\n"));
    buf_eat(&out, buf_len(&out));
    CHECK(labels_put(&out, LABELS, 2, LABELS_RIGHT, 2) == 0);
    CHECK(span_is(buf_span(&out), "  Version ID:  1\n         Tag:  -\n"));
    buf_done(&out);
}

static void leaves_out_what_speaks_to_a_terminal(void)
{
    const struct label LABELS[] = {{"Tag", "a\x1b[2Jb\x7f\xc2\x9b" "2Jc\r\n\td\xc3\xa9\xc2"}};
    struct buf out = {0};

    CHECK(labels_put(&out, LABELS, 1, LABELS_LEFT, 0) == 0);
    CHECK(span_is(buf_span(&out), "Tag:  a[2Jb2Jc\n      \td\xc3\xa9\xc2\n"));
    buf_done(&out);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"reads_json_and_lines", reads_json_and_lines},
        {"says_what_is_wrong_and_no_value", says_what_is_wrong_and_no_value},
        {"survives_without_memory", survives_without_memory},
        {"puts_values_into_one_column", puts_values_into_one_column},
        {"leaves_out_what_speaks_to_a_terminal", leaves_out_what_speaks_to_a_terminal},
        {0},
    };
    return test_main("cli_secrets_file", TESTS, argc, argv);
}
