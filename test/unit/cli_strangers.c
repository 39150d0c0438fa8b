/* Who may share a node, by what its box is; what a node found, written and read again. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog_open.h"
#include "cli/strangers.h"

static struct box_tier tier_of(enum box_grade grade)
{
    return (struct box_tier){.layers = box_grade_layers(grade)};
}

static void the_line_is_where_the_box_says(void)
{
    enum box_grade line;
    struct err err = {0};

    CHECK(strangers_accept(NULL, &line, &err) == 0);
    for (unsigned layers = 0; layers < BOX_BIT(BOX_LAYERS); layers++)
        CHECK(strangers_may_share(layers, line) == box_is_for_strangers(layers));
}

static void what_is_accepted_is_a_grade(void)
{
    enum box_grade line;
    struct err err = {0};

    CHECK(strangers_accept("seccomp", &line, &err) == 0 && line == BOX_GRADE_SECCOMP);
    CHECK(strangers_accept("full", &line, &err) == 0 && line == BOX_GRADE_FULL);
    CHECK(strangers_accept("none", &line, &err) == ERR_INVALID && strstr(err.text, "'none'"));
    CHECK(strangers_accept("weak", &line, &err) == ERR_INVALID && strstr(err.hint, "landlock"));
    CHECK(strangers_accept("", &line, &err) == ERR_INVALID);
    CHECK(strangers_refuse(BOX_GRADE_SECCOMP, BOX_GRADE_LANDLOCK, &err) == ERR_INVALID);
    CHECK(strstr(err.text, "'landlock'") && strstr(err.text, "'seccomp'"));
    CHECK(strstr(err.hint, "--accept-box seccomp") && strstr(err.hint, "corral doctor"));
    CHECK(strstr(err.hint, "corral.toml."));
    CHECK(strangers_refuse(BOX_GRADE_UNPRIVILEGED, BOX_GRADE_FULL, &err) == ERR_INVALID);
    CHECK(strstr(err.hint, "corral.toml."));
}

static void write_record(const char *text)
{
    int fd = open("data/box.json", O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void a_record_is_read_as_it_was_written(void)
{
    static const char *const BAD[] = {"", "{", "[]", "{\"layers\":\"seccomp\"}", "{\"layers\":\"x\",\"accept\":\"full\"}",
                                      "{\"layers\":\"seccomp\",\"accept\":\"x\"}", "{\"layers\":7,\"accept\":\"full\"}"};
    struct catalog *c = catalog_of_test();
    struct box_tier tier = tier_of(BOX_GRADE_UNPRIVILEGED);
    struct strangers_record back;
    struct err err = {0};
    struct stat st;

    CHECK(strangers_read("data", &back, &err) == ERR_NOT_FOUND);
    CHECK(strangers_write("data", &tier, BOX_GRADE_SECCOMP, &err) == 0);
    CHECK(stat("data/box.json", &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(access("data/box.json.new", F_OK) < 0);
    CHECK(strangers_read("data", &back, &err) == 0);
    CHECK(back.grade == BOX_GRADE_UNPRIVILEGED && back.accept == BOX_GRADE_SECCOMP);
    CHECK(back.layers == tier.layers && back.started_ms > 0);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        write_record(BAD[i]);
        CHECK(strangers_read("data", &back, &err) == ERR_NOT_FOUND);
    }
    CHECK(strangers_write("data/none", &tier, BOX_GRADE_SECCOMP, &err) == ERR_SYSTEM);
    catalog_close_test(c);
}

static void the_second_account_goes_by_what_the_node_found(void)
{
    struct catalog *c = catalog_of_test();
    struct box_tier weak = tier_of(BOX_GRADE_SECCOMP), strong = tier_of(BOX_GRADE_LANDLOCK);
    struct err err = {0};

    CHECK(strangers_write("data", &weak, BOX_GRADE_LANDLOCK, &err) == 0);
    CHECK(strangers_check_new(c, "one", NULL, &err) == 0);
    const char *id = catalog_account(c, "one");
    CHECK(strangers_check_new(c, "one", NULL, &err) == 0);
    CHECK(strangers_check_new(c, id, NULL, &err) == 0);
    CHECK(strangers_check_new(c, "two", NULL, &err) == ERR_INVALID);
    CHECK(strstr(err.text, "'two'") && strstr(err.text, "'seccomp'") && err.hint[0]);
    CHECK(strangers_check_new(c, "two", "landlock", &err) == ERR_INVALID);
    CHECK(strangers_check_new(c, "two", "seccomp", &err) == 0);
    /* The node was told. */
    CHECK(strangers_write("data", &weak, BOX_GRADE_SECCOMP, &err) == 0);
    CHECK(strangers_check_new(c, "two", NULL, &err) == 0);
    CHECK(strangers_write("data", &strong, BOX_GRADE_LANDLOCK, &err) == 0);
    CHECK(strangers_check_new(c, "two", NULL, &err) == 0);
    /* A node that is stricter. */
    CHECK(strangers_write("data", &strong, BOX_GRADE_FULL, &err) == 0);
    CHECK(strangers_check_new(c, "two", NULL, &err) == ERR_INVALID);
    catalog_close_test(c);
}

static void without_a_node_it_goes_by_this_machine(void)
{
    struct catalog *c = catalog_of_test();
    struct err err = {0};

    (void)catalog_account(c, "one");
    setenv("CORRAL_TEST_BOX", "seccomp", 1);
    CHECK(strangers_check_new(c, "two", NULL, &err) == ERR_INVALID);
    CHECK(strstr(err.text, "would be the second one here"));
    unsetenv("CORRAL_TEST_BOX");
    catalog_close_test(c);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"the_line_is_where_the_box_says", the_line_is_where_the_box_says},
        {"what_is_accepted_is_a_grade", what_is_accepted_is_a_grade},
        {"a_record_is_read_as_it_was_written", a_record_is_read_as_it_was_written},
        {"the_second_account_goes_by_what_the_node_found", the_second_account_goes_by_what_the_node_found},
        {"without_a_node_it_goes_by_this_machine", without_a_node_it_goes_by_this_machine},
        {0},
    };

    return test_main("cli_strangers", TESTS, argc, argv);
}
