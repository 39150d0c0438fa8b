/* live_exposition.c - src/live/exposition.c: the text format of Prometheus. */
#include "live/exposition.h"

#include "base/mem.h"
#include "test.h"

static struct buf out;
static struct exposition e;

static void begin(void)
{
    buf_init(&out);
    exposition_init(&e, &out);
}

static bool wrote(const char *text)
{
    bool is_same = exposition_end(&e) == 0 && span_is(buf_span(&out), text);

    if (!is_same)
        printf("%.*s\n", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    return is_same;
}

static void writes_families(void)
{
    begin();
    exposition_begin(&e, "a_total", "counter", "How many\\\nthere are.");
    exposition_label(&e, "worker", "my \"own\\\"\nname");
    exposition_label(&e, "n", "");
    exposition_value(&e, "", 12);
    exposition_value(&e, "", 0.25);
    exposition_begin(&e, "b", "gauge", "B.");
    exposition_value(&e, "", 9007199254740.0);
    CHECK(wrote("# HELP a_total How many\\\\\\nthere are.\n# TYPE a_total counter\n"
                "a_total{worker=\"my \\\"own\\\\\\\"\\nname\",n=\"\"} 12\na_total 0.25\n"
                "# HELP b B.\n# TYPE b gauge\nb 9007199254740\n"));
}

static void writes_histograms(void)
{
    struct exposition_histogram h = {0};

    histogram_add(&h, -5);
    histogram_add(&h, 1000);      /* a bound belongs to its bucket */
    histogram_add(&h, 1001);
    histogram_add(&h, 700 * 1000);
    histogram_add(&h, 60 * 1000 * 1000);
    begin();
    exposition_begin(&e, "t", "histogram", "T.");
    exposition_label(&e, "w", "x");
    exposition_histogram(&e, &h);
    CHECK(wrote("# HELP t T.\n# TYPE t histogram\n"
                "t_bucket{w=\"x\",le=\"0.001\"} 2\nt_bucket{w=\"x\",le=\"0.0025\"} 3\nt_bucket{w=\"x\",le=\"0.005\"} 3\n"
                "t_bucket{w=\"x\",le=\"0.01\"} 3\nt_bucket{w=\"x\",le=\"0.025\"} 3\nt_bucket{w=\"x\",le=\"0.05\"} 3\n"
                "t_bucket{w=\"x\",le=\"0.1\"} 3\nt_bucket{w=\"x\",le=\"0.25\"} 3\nt_bucket{w=\"x\",le=\"0.5\"} 3\n"
                "t_bucket{w=\"x\",le=\"1\"} 4\nt_bucket{w=\"x\",le=\"5\"} 4\nt_bucket{w=\"x\",le=\"30\"} 4\n"
                "t_bucket{w=\"x\",le=\"+Inf\"} 5\nt_sum{w=\"x\"} 60.702001\nt_count{w=\"x\"} 5\n"));
}

static void says_when_there_is_no_memory(void)
{
    begin();
    mem_fail_after(0);
    exposition_begin(&e, "a", "gauge", "A.");
    exposition_label(&e, "b", "c");
    exposition_value(&e, "", 1);
    mem_fail_after(-1);
    CHECK(exposition_end(&e) == ERR_NOMEM);
    buf_done(&out);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"writes_families", writes_families},
        {"writes_histograms", writes_histograms},
        {"says_when_there_is_no_memory", says_when_there_is_no_memory},
        {0},
    };

    return test_main("live_exposition", TESTS, argc, argv);
}
