/* herd_lines.c - src/herd/lines.c and kin/limits.h: lines however they are cut, brakes. */
#include "herd/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kin/limits.h"
#include "test.h"

static char got[64 * 1024];
static int count;

static void take(void *self, struct span line)
{
    size_t n = strlen(got);

    (void)self;
    CHECK(line.len <= LINES_MAX);
    snprintf(got + n, sizeof got - n, "[%.*s]", SPAN_ARG(line));
    count++;
}

static void start(void)
{
    got[0] = '\0';
    count = 0;
}

static void splits_at_newlines_wherever_the_bytes_are_cut(void)
{
    static const char TEXT[] = "one\n\ntwo words\nlast";

    for (size_t cut = 0; cut <= sizeof TEXT - 1; cut++) {
        struct lines lines = {0};
        start();
        lines_add(&lines, (struct span){TEXT, cut}, take, NULL);
        lines_add(&lines, (struct span){TEXT + cut, sizeof TEXT - 1 - cut}, take, NULL);
        CHECK(strcmp(got, "[one][][two words]") == 0);
        lines_flush(&lines, take, NULL);
        CHECK(strcmp(got, "[one][][two words][last]") == 0);
        lines_done(&lines);
    }
}

static void cuts_a_line_without_end(void)
{
    struct lines lines = {0};
    char chunk[1000];

    start();
    memset(chunk, 'x', sizeof chunk);
    for (int i = 0; i < 20; i++)
        lines_add(&lines, (struct span){chunk, sizeof chunk}, take, NULL);
    CHECK(count == 2 && buf_len(&lines.rest) == 20000 - 2 * LINES_MAX);
    lines_add(&lines, SPAN("\n"), take, NULL);
    CHECK(count == 3 && buf_len(&lines.rest) == 0);
    lines_done(&lines);
}

static void takes_a_full_line_and_its_newline_together(void)
{
    struct lines lines = {0};
    char full[LINES_MAX + 1];

    start();
    memset(full, 'x', sizeof full);
    full[LINES_MAX] = '\n';
    lines_add(&lines, (struct span){full, sizeof full}, take, NULL);
    CHECK(count == 1);
    lines_done(&lines);
}

static void loses_nothing_without_memory(void)
{
    struct lines lines = {0};

    start();
    mem_fail_after(0);
    lines_add(&lines, SPAN("half"), take, NULL);
    mem_fail_after(-1);
    lines_add(&lines, SPAN(" line\n"), take, NULL);
    CHECK(strcmp(got, "[half][ line]") == 0);
    lines_done(&lines);
}

static void backs_off_up_to_five_seconds(void)
{
    struct backoff b = {0};

    CHECK(backoff_fail(&b) == 50 && backoff_fail(&b) == 100 && backoff_fail(&b) == 200);
    for (int i = 0; i < 100; i++)
        CHECK(backoff_fail(&b) <= BACKOFF_MAX_MS);
    CHECK(backoff_fail(&b) == BACKOFF_MAX_MS);
    backoff_reset(&b);
    CHECK(backoff_fail(&b) == 50);
}

static void rations_by_the_second_and_says_so_once(void)
{
    struct ration r = {0};

    CHECK(ration_take(&r, 5000, RATION_BYTES, RATION_BYTES) == RATION_PASS);
    CHECK(ration_take(&r, 5500, 1, RATION_BYTES) == RATION_DROP_AND_SAY);
    CHECK(ration_take(&r, 5999, 1, RATION_BYTES) == RATION_DROP);
    CHECK(ration_take(&r, 6000, 1, RATION_BYTES) == RATION_PASS);
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(splits_at_newlines_wherever_the_bytes_are_cut),
        T(cuts_a_line_without_end),
        T(takes_a_full_line_and_its_newline_together),
        T(loses_nothing_without_memory),
        T(backs_off_up_to_five_seconds),
        T(rations_by_the_second_and_says_so_once),
        {0},
    };

    return test_main("herd_lines", TESTS, argc, argv);
}
