/* What doctor makes of a tier, by the kind of place. */
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "test.h"

static bool has_line(const struct report *report, const char *part)
{
    const json_t *all = json_object_get(json_object_get(report->json, "box"), "raise"), *one;
    size_t i;

    json_array_foreach(all, i, one)
        if (strstr(json_string_value(one), part))
            return true;
    return false;
}

static bool complains(const struct report *report, const char *severity, const char *part)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(report->json, "problems"), i, one)
        if (strcmp(json_string_value(json_object_get(one, "severity")), severity) == 0 &&
            strstr(json_string_value(json_object_get(one, "text")), part))
            return true;
    return false;
}

static struct report look(enum box_grade grade, int abi, enum report_place place)
{
    struct report report;
    struct err err = {0};

    CHECK(report_init(&report, &err) == 0);
    report.tier = (struct box_tier){.layers = box_grade_layers(grade), .landlock_abi = abi};
    report.place = place;
    report_box(&report);
    CHECK(!report.is_short);
    return report;
}

static void says_how_to_raise_it_in_each_place(void)
{
    static const struct {
        enum report_place place;
        const char *line;
    } WANTED[] = {{PLACE_DOCKER, "docker run --security-opt seccomp="},
                  {PLACE_KUBERNETES, "securityContext: seccompProfile:"},
                  {PLACE_SERVICE, "RestrictNamespaces=user mnt"},
                  {PLACE_CHROOT, "chroot"},
                  {PLACE_CONTAINER, "pivot_root"}};

    for (size_t i = 0; i < sizeof WANTED / sizeof *WANTED; i++) {
        struct report r = look(BOX_GRADE_LANDLOCK, 7, WANTED[i].place);
        CHECK(has_line(&r, WANTED[i].line));
        CHECK(!has_line(&r, "CONFIG_SECURITY_LANDLOCK"));
        report_done(&r);
    }
    for (enum report_place p = 0; p < PLACES; p++) {
        struct report r = look(BOX_GRADE_SECCOMP, 0, p);
        const json_t *raise = json_object_get(json_object_get(r.json, "box"), "raise");
        CHECK(json_array_size(raise) >= 2);
        CHECK(has_line(&r, "Landlock") || has_line(&r, "landlock"));
        report_done(&r);
    }
}

static void has_nothing_to_say_of_a_full_box(void)
{
    struct report r = look(BOX_GRADE_FULL, 7, PLACE_MACHINE);
    const json_t *box = json_object_get(r.json, "box");

    CHECK(json_array_size(json_object_get(box, "raise")) == 0);
    CHECK(json_array_size(json_object_get(r.json, "problems")) == 0 && r.problems == 0);
    CHECK(json_is_true(json_object_get(box, "strangers")));
    CHECK(json_array_size(json_object_get(box, "layers")) == BOX_LAYERS);
    report_done(&r);
}

static void a_box_below_the_line_wants_hands(void)
{
    for (enum box_grade grade = 0; grade < BOX_GRADES; grade++) {
        struct report r = look(grade, 7, PLACE_MACHINE);
        CHECK(complains(&r, "problem", "do not trust") == !box_is_for_strangers(box_grade_layers(grade)));
        CHECK((r.problems > 0) == !box_is_for_strangers(box_grade_layers(grade)));
        report_done(&r);
    }
}

static void signals_stay_inside_by_one_of_three_layers(void)
{
    struct report r = look(BOX_GRADE_LANDLOCK, 5, PLACE_MACHINE);

    CHECK(complains(&r, "advice", "signals are not contained"));
    report_done(&r);
    r = look(BOX_GRADE_LANDLOCK, 6, PLACE_MACHINE);
    CHECK(!complains(&r, "advice", "signals"));
    report_done(&r);
    r = look(BOX_GRADE_NAMESPACES, 0, PLACE_MACHINE);
    CHECK(!complains(&r, "advice", "signals"));
    report_done(&r);
}

static void text_that_is_no_utf8_is_text(void)
{
    struct report r;
    struct err err = {0};

    CHECK(report_init(&r, &err) == 0);
    report_complain(&r, REPORT_PROBLEM, "the folder '/tmp/\xff\xfe' is not there", "\xc3");
    CHECK(!r.is_short && complains(&r, "problem", "the folder '/tmp/?"));
    report_done(&r);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"says_how_to_raise_it_in_each_place", says_how_to_raise_it_in_each_place},
        {"has_nothing_to_say_of_a_full_box", has_nothing_to_say_of_a_full_box},
        {"a_box_below_the_line_wants_hands", a_box_below_the_line_wants_hands},
        {"signals_stay_inside_by_one_of_three_layers", signals_stay_inside_by_one_of_three_layers},
        {"text_that_is_no_utf8_is_text", text_that_is_no_utf8_is_text},
        {0},
    };

    unsetenv("CORRAL_TEST_BOX");
    return test_main("cli_report", TESTS, argc, argv);
}
