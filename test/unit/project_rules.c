/* project_rules.c - src/project/rules.c: which files are modules, and of which kind. */
#include "project/rules.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "test.h"

static void globs_fit_paths(void)
{
    static const struct {
        const char *glob, *path;
        bool fits;
    } CASES[] = {
        {"**/*.txt", "a.txt", true},
        {"**/*.txt", "a/b/c.txt", true},
        {"**/*.txt", "a/b/c.txt2", false},
        {"**/*.txt", ".txt", true},
        {"*.txt", "a/b.txt", false},
        {"*.txt", "b.txt", true},
        {"./src/*.md", "src/x.md", true},
        {"src/*.md", "src/a/x.md", false},
        {"src/**/*.md", "src/x.md", true},
        {"src/**/*.md", "src/a/b/x.md", true},
        {"src/**", "src/a/b", true},
        {"src/**", "lib/a", false},
        {"**/a*b*c.js", "x/aXbYc.js", true},
        {"**/a*b*c.js", "x/aXbYd.js", false},
        {"**/lang/*.js", "a/lang/b/lang/en.js", true},
        {"**/*.wasm?module", "a.wasm?module", true},
        {"**/*.wasm?module", "a.wasmXmodule", false},
        {"a", "a", true},
        {"a", "b", false},
        {"**", "", true},
        {"*", "", true},
        {"", "a", false},
        {"**/*a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false},
        {"**/*/*/x", "a/b/c/d/e/f/x", true},
        {"**/**/x", "a/x", true},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (rules_fits(CASES[i].glob, CASES[i].path) != CASES[i].fits) {
            printf("  %s %s\n", CASES[i].glob, CASES[i].path);
            CHECK(false);
        }
}

static void ends_of_names_are_found_in_globs(void)
{
    char end[16];

    CHECK(rules_extension("**/*.txt", end, sizeof end) && strcmp(end, ".txt") == 0);
    CHECK(rules_extension("src/*.d.ts", end, sizeof end) && strcmp(end, ".d.ts") == 0);
    CHECK(rules_extension("**/*.wasm?module", end, sizeof end) && strcmp(end, ".wasm") == 0);
    CHECK(!rules_extension("**/*", end, sizeof end));
    CHECK(!rules_extension("**/*.", end, sizeof end));
    CHECK(!rules_extension("**/a*.txt", end, sizeof end));
    CHECK(!rules_extension("**/*.a*", end, sizeof end));
    CHECK(!rules_extension("LICENSE", end, sizeof end));
    CHECK(!rules_extension("", end, sizeof end));
    CHECK(!rules_extension("**/*.123456789012345", end, sizeof end));
}

static void the_first_rule_counts_and_defaults_come_last(void)
{
    const bool HIDDEN[MODULE_KINDS] = {[MODULE_TEXT] = true};
    struct rules rules = {0};
    enum module_kind kind;

    CHECK(rules_kind("Data", &kind) && kind == MODULE_DATA && !rules_kind("data", &kind));
    CHECK(rules_add(&rules, MODULE_DATA, "**/*.x") == 0);
    CHECK(rules_add(&rules, MODULE_TEXT, "**/*.x") == 0);
    CHECK(rules_add_defaults(&rules, HIDDEN) == 0);
    CHECK(rules_find(&rules, "a/b.x", &kind) && kind == MODULE_DATA);
    CHECK(rules_find(&rules, "b.wasm", &kind) && kind == MODULE_WASM);
    CHECK(rules_find(&rules, "lib/b.cjs", &kind) && kind == MODULE_COMMONJS);
    CHECK(!rules_find(&rules, "b.txt", &kind));
    rules_done(&rules);
}

static void survives_lack_of_memory(void)
{
    const bool NONE[MODULE_KINDS] = {0};
    int r = ERR_NOMEM;

    for (long n = 0; r != 0; n++) {
        struct rules rules = {0};
        mem_fail_after(n);
        r = rules_add_defaults(&rules, NONE);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        rules_done(&rules);
    }
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"globs_fit_paths", globs_fit_paths},
        {"ends_of_names_are_found_in_globs", ends_of_names_are_found_in_globs},
        {"the_first_rule_counts_and_defaults_come_last", the_first_rule_counts_and_defaults_come_last},
        {"survives_lack_of_memory", survives_lack_of_memory},
        {0},
    };

    return test_main("project_rules", TESTS, argc, argv);
}
