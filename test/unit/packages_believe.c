/* packages_believe.c - src/packages/believe.c: a packager that has been taken over names what it likes. */
#include "packages/believe.h"

#include <string.h>

#include "text/value.h"
#include "project_tree.h"
#include "test.h"

#define HASH "0123456789abcdef0123456789abcdef"

static int believe(const char *key, const char *value, struct err *err)
{
    char home[PATH_MAX + 64], state[PATH_MAX + 64], project[PATH_MAX + 64], path[PATH_MAX + 256];
    json_t *answer;
    int r;

    snprintf(home, sizeof home, "%s/home", tree_path);
    snprintf(state, sizeof state, "%s/state", tree_path);
    snprintf(project, sizeof project, "%s/project", tree_path);
    snprintf(path, sizeof path, "%s%s", value[0] == '/' ? tree_path : "", value);
    answer = json_pack("{s:s, s:[], s:s, s:s, s:[], s:[]}", "hash", HASH, "folders", "set", "",
                       "environment", "", "inputs", "left_out");
    if (json_is_array(json_object_get(answer, key)))
        json_array_append_new(json_object_get(answer, key), json_string(path));
    else
        json_object_set_new(answer, key, json_string(path));
    r = believe_answer(answer, home, state, project, err);
    json_decref(answer);
    return r;
}

static void what_lies_where_it_should_is_believed(void)
{
    static const char *const CASES[][2] = {
        {"folders", "/home/set/fastapi-1"}, {"folders", "/state/" HASH "/packages"},
        {"set", "/home/set"},               {"set", ""},
        {"environment", "/state/" HASH},    {"environment", ""},
        {"inputs", "/project/requirements.txt"}, {"inputs", "/project/not/there.txt"},
        {"left_out", "python_modules/numpy"},
    };
    struct err err = {0};

    tree_put("home/set/fastapi-1/x.py", "");
    tree_put("state/" HASH "/packages/x.py", "");
    tree_put("project/requirements.txt", "");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int r = believe(CASES[i][0], CASES[i][1], &err);
        CHECK(r == 0);
        if (r != 0)
            printf("  %s %s: %s\n", CASES[i][0], CASES[i][1], err.text);
    }
}

static void what_lies_elsewhere_is_not(void)
{
    static const char *const CASES[][2] = {
        {"folders", "/secret"},           {"folders", "/home"},
        {"folders", "/state/../secret"},  {"folders", "/state/" HASH "/.."},
        {"folders", "/homely"},           {"folders", "/state/link"},
        {"folders", "/state/nothing"},    {"folders", "/home/set\n/secret"},
        {"set", "/state/" HASH},          {"environment", "/home/set"},
        {"environment", "/state/link"},   {"environment", "/state/" HASH "/packages"},
        {"inputs", "/secret/key"},        {"inputs", "/project/../secret/key"},
        {"left_out", "entry.py"},         {"left_out", "python_modules/../entry.py"},
        {"left_out", "/secret"},          {"hash", "short"},
        {"hash", HASH "0"},               {"hash", "../../../../../../../../../../../etc"},
    };
    struct err err = {0};

    tree_put("secret/key", "");
    tree_put("homely/x", "");
    CHECK(symlink("../secret", "state/link") == 0);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        CHECK(believe(CASES[i][0], CASES[i][1], &err) == ERR_SYSTEM);
        if (!strstr(err.text, "the packager's answer"))
            printf("  %s %s: %s\n", CASES[i][0], CASES[i][1], err.text);
    }
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"what_lies_where_it_should_is_believed", what_lies_where_it_should_is_believed},
        {"what_lies_elsewhere_is_not", what_lies_elsewhere_is_not},
        {0},
    };

    int code;

    tree_open();
    code = test_main("packages_believe", TESTS, argc, argv);
    tree_close();
    return code;
}
