/* cli_excerpt.c - src/cli/excerpt.c: the right lines, and never a file from elsewhere. */
#include "cli/excerpt.h"

#include "base/mem.h"
#include "project_tree.h"
#include "test.h"

/* "first:lines" or the error's name. */
static bool gives(const char *file, int line, const char *wanted)
{
    struct buf out = {0}, all = {0};
    int first = 0, r = excerpt_read(tree_path, span_of(file), line, &out, &first);
    bool is_so;

    if (r < 0)
        CHECK(buf_print(&all, "%d", r) == 0);
    else
        CHECK(buf_print(&all, "%d:%.*s", first, SPAN_ARG(buf_span(&out))) == 0);
    is_so = span_is(buf_span(&all), wanted);
    if (!is_so)
        printf("  %s:%d: %.*s\n", file, line, SPAN_ARG(buf_span(&all)));
    buf_done(&out);
    buf_done(&all);
    return is_so;
}

static char none[16];

static void gives_the_lines_around(void)
{
    tree_open();
    tree_put("src/a.py", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12");
    CHECK(gives("src/a.py", 1, "1:1\n2\n3\n4\n"));
    CHECK(gives("src/a.py", 7, "2:2\n3\n4\n5\n6\n7\n8\n9\n10\n"));
    CHECK(gives("src/a.py", 12, "7:7\n8\n9\n10\n11\n12"));
    CHECK(gives("src/a.py", 13, none));
    CHECK(gives("src/a.py", 1000000, none));
    tree_put("empty.py", "");
    CHECK(gives("empty.py", 1, none));
    tree_close();
}

static void stays_inside_the_folder(void)
{
    tree_open();
    tree_put("secret", "SECRET=1\n");
    tree_put("src/.dev.vars", "SECRET=1\n");
    tree_put("src/.hidden/a.py", "SECRET=1\n");
    CHECK(symlink("../secret", "src/link.py") == 0 && symlink("/", "src/root") == 0);
    CHECK(mkfifo("src/pipe.py", 0600) == 0);
    strcat(tree_path, "/src");
    CHECK(gives("../secret", 1, none) && gives("x/../../secret", 1, none));
    CHECK(gives("/etc/passwd", 1, none) && gives("root/etc/passwd", 1, none));
    CHECK(gives("link.py", 1, none) && gives("pipe.py", 1, none) && gives("root", 1, none));
    CHECK(gives(".dev.vars", 1, none) && gives(".hidden/a.py", 1, none) && gives("./a", 1, none));
    CHECK(gives("", 1, none) && gives("a//b", 1, none) && gives("a/", 1, none) && gives("b.py", 1, none));
    CHECK(excerpt_read(tree_path, (struct span){"a\0b", 3}, 1, &(struct buf){0}, &(int){0}) ==
          ERR_NOT_FOUND);
    *strrchr(tree_path, '/') = '\0';
    tree_close();
}

static void shows_nothing_of_what_is_too_large(void)
{
    static char large[EXCERPT_FILE_MAX + 2];

    tree_open();
    memset(large, 'x', sizeof large - 1);
    tree_put("large.py", large);
    CHECK(gives("large.py", 1, none));
    large[EXCERPT_MAX + 10] = '\0';
    tree_put("wide.py", large);
    CHECK(gives("wide.py", 1, none));
    memcpy(large, "1\n2\n", 4);
    tree_put("wide.py", large);
    CHECK(gives("wide.py", 2, "1:1\n2\n") && gives("wide.py", 3, none));
    tree_close();
}

static void copes_without_memory(void)
{
    struct buf out = {0};
    int first, r = 0;

    tree_open();
    tree_put("a.py", "1\n2\n");
    for (long n = 0; n < 10; n++) {
        mem_fail_after(n);
        r = excerpt_read(tree_path, SPAN("a.py"), 1, &out, &first);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM || r == ERR_NOT_FOUND);
    }
    CHECK(r == 0);
    buf_done(&out);
    tree_close();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"gives_the_lines_around", gives_the_lines_around},
        {"stays_inside_the_folder", stays_inside_the_folder},
        {"shows_nothing_of_what_is_too_large", shows_nothing_of_what_is_too_large},
        {"copes_without_memory", copes_without_memory},
        {0},
    };

    snprintf(none, sizeof none, "%d", ERR_NOT_FOUND);
    return test_main("cli_excerpt", TESTS, argc, argv);
}
