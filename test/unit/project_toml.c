/* project_toml.c - src/project/toml.c: whatever the helper does, the answer is
 * values or an error, and no process is left behind. */
#include "project/toml.h"

#include <errno.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "text/value.h"
#include "project_tree.h"
#include "test.h"

/* A helper made of shell: it gets the TOML on its standard input. */
static const char *helper(const char *script)
{
    static char path[PATH_MAX + 32];

    tree_put("helper", script);
    chmod("helper", 0755);
    snprintf(path, sizeof path, "%s/helper", tree_path);
    return path;
}

static int no_child_is_left(void)
{
    return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

struct helper_case {
    const char *script;
    int result;
    const char *text;
};

static void survives_its_helper(void)
{
    static const struct helper_case CASES[] = {
        {"#!/bin/sh\ncat >/dev/null\necho '{\"ok\": {}}'\n", 0, NULL},
        {"#!/bin/sh\necho '{\"ok\": {}}'\n", 0, NULL},          /* reads nothing */
        {"#!/bin/sh\n[ \"$(cat)\" = 'a = 1' ] && [ \"$1\" = toml ] && echo '{\"ok\": {}}'\n", 0,
         NULL},
        {"#!/bin/sh\n[ -z \"$HOME$USER\" ] && echo '{\"ok\": {}}'\n", 0, NULL},
        {"#!/bin/sh\nexit 0\n", ERR_SYSTEM, "the TOML helper gave no answer"},
        {"#!/bin/sh\necho nonsense\n", ERR_SYSTEM, "the TOML helper gave no answer"},
        {"#!/bin/sh\necho '{\"ok\": 1}'\n", ERR_SYSTEM, "the TOML helper gave no answer"},
        {"#!/bin/sh\necho '[]'\n", ERR_SYSTEM, "the TOML helper gave no answer"},
        {"#!/bin/sh\nkill -9 $$\n", ERR_SYSTEM, "the TOML helper died of signal 9"},
        {"#!/bin/sh\nexec cat /dev/zero\n", ERR_LIMIT, "the TOML helper said more than 16 MiB"},
        {"#!/bin/sh\necho '{\"error\": {\"message\": \"m\", \"line\": 2, \"column\": 3}}'\n",
         ERR_INVALID, "this is not TOML: m"},
    };

    static const char TEXT[] = "a = 1\n\n\n\n\n\n\n\n\n\n\n\n\n\n";

    tree_open();
    setenv("HOME", "/root", 1);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct toml_error e = {0};
        struct err err = {0};
        json_t *root = NULL;
        /* Never the same text twice: that would not need a helper. */
        int r = toml_read(helper(CASES[i].script), (struct span){TEXT, sizeof TEXT - 1 - i}, &root,
                          &e, &err);
        CHECK(r == CASES[i].result);
        CHECK(!CASES[i].text || strcmp(err.text, CASES[i].text) == 0);
        if (r != CASES[i].result)
            printf("  %s -> %d %s\n", CASES[i].script, r, err.text);
        CHECK((r == 0) == (root != NULL));
        CHECK(r != ERR_INVALID || (e.line == 2 && e.column == 3));
        CHECK(no_child_is_left());
        json_decref(root);
        toml_error_done(&e);
    }
    tree_close();
}

static void gives_up_on_a_helper_that_hangs(void)
{
    struct toml_error e = {0};
    struct err err = {0};
    json_t *root = NULL;
    int64_t from_ms = clock_now_ms();

    tree_open();
    CHECK(toml_read(helper("#!/bin/sh\nexec sleep 60\n"), SPAN(""), &root, &e, &err) == ERR_LIMIT);
    CHECK(strcmp(err.text, "the TOML helper took longer than 5000 ms") == 0);
    CHECK(clock_now_ms() - from_ms < 20000);
    CHECK(no_child_is_left());
    tree_close();
}

static void says_when_there_is_no_helper(void)
{
    struct toml_error e = {0};
    struct err err = {0};
    json_t *root = NULL;

    CHECK(toml_read(NULL, SPAN(""), &root, &e, &err) == ERR_NOT_FOUND);
    CHECK(toml_read("/nowhere/corral-worker", SPAN(""), &root, &e, &err) == ERR_SYSTEM);
    CHECK(strcmp(err.text, "start the TOML helper, '/nowhere/corral-worker': "
                           "No such file or directory") == 0);
    CHECK(err.hint[0] && no_child_is_left());
}

static void reads_large_texts(void)
{
    struct buf text = {0};
    struct toml_error e = {0};
    struct err err = {0};
    json_t *root = NULL;

    for (int i = 0; i < 20000; i++)
        CHECK(buf_print(&text, "key-%d = \"%060d\"\n", i, i) == 0);
    CHECK(buf_len(&text) > 1 << 20);
    CHECK(toml_read(tree_worker(), buf_span(&text), &root, &e, &err) == 0);
    CHECK(json_object_size(root) == 20000);
    json_decref(root);
    buf_done(&text);
}

static void remembers_the_last_text(void)
{
    struct toml_error e = {0};
    struct err err = {0};
    json_t *first = NULL, *second = NULL;

    CHECK(toml_read(tree_worker(), SPAN("x = 1"), &first, &e, &err) == 0);
    CHECK(toml_read("/nowhere", SPAN("x = 1"), &second, &e, &err) == 0);
    CHECK(first && json_equal(first, second));
    json_decref(second);
    CHECK(toml_read("/nowhere", SPAN("x = 2"), &second, &e, &err) == ERR_SYSTEM);
    json_decref(first);
}

static void is_quick(void)
{
    struct toml_error e = {0};
    struct err err = {0};
    static const char TEXT[] = "name = 1\n\n\n\n\n\n\n\n\n\n\n\n";
    int64_t best_us = INT64_MAX, from_us;

    for (size_t i = 0; i < 10; i++) {
        json_t *root = NULL;
        from_us = clock_now_us();
        CHECK(toml_read(tree_worker(), (struct span){TEXT, 9 + i}, &root, &e, &err) == 0);
        json_decref(root);
        if (clock_now_us() - from_us < best_us)
            best_us = clock_now_us() - from_us;
    }
    CHECK(best_us < 1000 * 1000);
    if (getenv("SHOW_TIMES"))
        printf("  best of 10: %ld us\n", (long)best_us);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"survives_its_helper", survives_its_helper},
        {"gives_up_on_a_helper_that_hangs", gives_up_on_a_helper_that_hangs},
        {"says_when_there_is_no_helper", says_when_there_is_no_helper},
        {"reads_large_texts", reads_large_texts},
        {"remembers_the_last_text", remembers_the_last_text},
        {"is_quick", is_quick},
        {0},
    };

    return test_main("project_toml", TESTS, argc, argv);
}
