/* Names, grades, and what this machine gives. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box/layers.h"
#include "test.h"

static void layers_go_into_text_and_back(void)
{
    char text[BOX_LAYERS_TEXT];
    struct err err = {0};

    for (unsigned layers = 0; layers < BOX_BIT(BOX_LAYERS); layers++) {
        unsigned back = ~0u;
        box_layers_put(layers, text);
        CHECK(strlen(text) < BOX_LAYERS_TEXT - 1);
        CHECK(box_layers_get(span_of(text), &back, &err) == 0);
        CHECK((unsigned)(back) == (unsigned)(layers));
    }
}

static void refuses_a_layer_that_is_none(void)
{
    unsigned layers = 7;
    struct err err = {0};

    CHECK(box_layers_get(SPAN("seccomp,lock"), &layers, &err) == ERR_INVALID);
    CHECK(strstr(err.text, "'lock'"));
    CHECK((unsigned)(layers) == (unsigned)(7));
}

static void a_grade_has_the_layers_that_make_it(void)
{
    enum box_grade grade;
    struct err err = {0};

    for (enum box_grade g = 0; g < BOX_GRADES; g++) {
        CHECK(box_grade_of(box_grade_layers(g)) == g);
        CHECK(box_grade_from(span_of(box_grade_name(g)), &grade, &err) == 0);
        CHECK((unsigned)(grade) == (unsigned)(g));
    }
    CHECK(box_grade_from(SPAN("ful"), &grade, &err) == ERR_INVALID);
    CHECK(strstr(err.hint, "unprivileged"));
    /* Root in a container without CAP_SYS_ADMIN; root whose kernel has no user namespaces. */
    CHECK((unsigned)(box_grade_of(BOX_BIT(BOX_SECCOMP) | BOX_BIT(BOX_LANDLOCK))) == (unsigned)(BOX_GRADE_LANDLOCK));
    CHECK((unsigned)(box_grade_of(box_grade_layers(BOX_GRADE_FULL) & ~BOX_BIT(BOX_USER))) == (unsigned)(BOX_GRADE_FULL));
    CHECK((unsigned)(box_grade_of(box_grade_layers(BOX_GRADE_FULL) & ~BOX_BIT(BOX_LANDLOCK))) == (unsigned)(BOX_GRADE_NAMESPACES));
    CHECK(box_grade_of(box_grade_layers(BOX_GRADE_FULL) & ~BOX_BIT(BOX_SECCOMP)) == BOX_GRADE_NONE);
}

static void strangers_need_files_kept_from_each_other(void)
{
    CHECK(!box_is_for_strangers(box_grade_layers(BOX_GRADE_NONE)));
    CHECK(!box_is_for_strangers(box_grade_layers(BOX_GRADE_SECCOMP)));
    CHECK(box_is_for_strangers(box_grade_layers(BOX_GRADE_LANDLOCK)));
    CHECK(box_is_for_strangers(box_grade_layers(BOX_GRADE_NAMESPACES)));
    CHECK(!box_is_for_strangers(BOX_BIT(BOX_LANDLOCK) | BOX_BIT(BOX_TREE)));
}

static void what_is_missing_is_explained(void)
{
    struct box_tier tier;

    box_tier_detect(~0u, &tier);
    for (enum box_layer layer = 0; layer < BOX_LAYERS; layer++)
        CHECK(!(tier.layers & BOX_BIT(layer)) == (tier.why[layer][0] != '\0'));
    CHECK((tier.landlock_abi > 0) == !!(tier.layers & BOX_BIT(BOX_LANDLOCK)));
    CHECK(waitpid(-1, NULL, WNOHANG) < 0);   /* nobody is left behind */
}

static void no_more_than_is_allowed(void)
{
    struct box_tier tier;

    for (enum box_grade g = 0; g < BOX_GRADES; g++) {
        box_tier_detect(box_grade_layers(g), &tier);
        CHECK(!(tier.layers & ~box_grade_layers(g)));
        CHECK(box_grade_of(tier.layers) <= g);
    }
}

static void a_range_of_user_ids_is_two_numbers(void)
{
    static const char *const BAD[] = {"", "-", "5", "2000-", "2000-1999", "0-5000", "999-5000", "2000-9999999999",
                                      "2000-3000x", " 2000-3000", "2000--3000", "x-y", "-2000-3000"};
    struct box_uids uids = {0};
    struct err err = {0};

    CHECK(box_uids_get(NULL, &uids, &err) == 0 && uids.first == BOX_UID_FIRST && uids.last == BOX_UID_LAST);
    CHECK(box_uids_get("2000-2000", &uids, &err) == 0 && uids.first == 2000 && uids.last == 2000);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        CHECK(box_uids_get(BAD[i], &uids, &err) == ERR_INVALID);
        CHECK(strstr(err.hint, "FIRST-LAST"));
    }
    CHECK(uids.first == 2000);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"layers_go_into_text_and_back", layers_go_into_text_and_back},
        {"refuses_a_layer_that_is_none", refuses_a_layer_that_is_none},
        {"a_grade_has_the_layers_that_make_it", a_grade_has_the_layers_that_make_it},
        {"strangers_need_files_kept_from_each_other", strangers_need_files_kept_from_each_other},
        {"what_is_missing_is_explained", what_is_missing_is_explained},
        {"no_more_than_is_allowed", no_more_than_is_allowed},
        {"a_range_of_user_ids_is_two_numbers", a_range_of_user_ids_is_two_numbers},
        {0},
    };

    return test_main("box_tier", TESTS, argc, argv);
}
