/* project_messages.c - src/project/messages.c: what esbuild says becomes diagnostics. */
#include "project/messages.h"

#include <string.h>

#include "base/mem.h"
#include "test.h"

static const struct messages_of OF = {.folder = "/nowhere/project", .bundler = "/usr/bin/esbuild"};

static const char SAID[] =
    "▲ [WARNING] Duplicate key \"a\" in object literal [duplicate-object-key]\n"
    "\n"
    "    src/index.ts:3:14:\n"
    "      3 │ const o = {a: 1, a: 2};\n"
    "        ╵                  ^\n"
    "\n"
    "  The original key \"a\" is here:\n"
    "\n"
    "    src/index.ts:3:11:\n"
    "      3 │ other line\n"
    "\n"
    "✘ [ERROR] Could not resolve \"@scope/name/deep\"\n"
    "\n"
    "    src/a:b.ts:1:21:\n"
    "      1 │ import { Hono } from \"@scope/name/deep\";\n"
    "        ╵                      ~~~~~~\n"
    "\n"
    "  You can mark the path as external.\n"
    "\n"
    "✘ [ERROR] Could not resolve \"fs/promises\"\n"
    "\n"
    "    src/index.ts:7:0:\n"
    "      7 │ x\n"
    "\n"
    "✘ [ERROR] Invalid alias name: \"./x\"\n"
    "\n"
    "3 errors\n";

static void messages_become_diagnostics(void)
{
    struct diagnostics d = {0};

    CHECK(messages_read(&OF, span_of(SAID), &d) == 3);
    CHECK(d.count == 4 && d.errors == 3 && d.warnings == 1 && !d.is_short);
    CHECK(d.items[0].line == 3 && d.items[0].column == 15);
    CHECK(strcmp(d.items[0].source, "const o = {a: 1, a: 2};") == 0);
    CHECK(strcmp(d.items[0].hint, "The original key \"a\" is here:") == 0);
    CHECK(strcmp(d.items[1].file, "/nowhere/project/src/a:b.ts") == 0 && d.items[1].line == 1);
    CHECK(strstr(d.items[1].hint, "`npm install @scope/name`"));
    CHECK(strcmp(d.items[2].text, "Could not resolve \"fs/promises\"") == 0);
    CHECK(strstr(d.items[2].hint, "nodejs_compat") && d.items[2].column == 1);
    CHECK(d.items[3].line == 0 && strcmp(d.items[3].text, "Invalid alias name: \"./x\"") == 0);
    diagnostics_done(&d);
}

static void words_that_are_no_messages_are_left_out(void)
{
    static const char *const OTHERS[] = {
        "",
        "\n\n",
        "env: node: No such file or directory\n",
        "    a:1:2:\n",
        "✘ [ERROR]",
        "✘ [ERROR] x\n    :1:2:\n    a:b:c:\n    a::2:\n     a:1:2:\n    a:123456789:1:\n",
        "✘ [ERROR] Could not resolve \"",
        "✘ [ERROR] Could not resolve \"\"\n  \n   \n",
    };

    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        struct diagnostics d = {0};
        size_t errors = messages_read(&OF, span_of(OTHERS[i]), &d);
        CHECK(errors == (i >= 5));
        CHECK(errors == 0 || d.items[0].line == 0);
        diagnostics_done(&d);
    }
}

static void survives_lack_of_memory(void)
{
    for (long n = 0; n < 400; n++) {
        struct diagnostics d = {0};
        mem_fail_after(n);
        (void)messages_read(&OF, span_of(SAID), &d);
        mem_fail_after(-1);
        diagnostics_done(&d);
    }
}

static void knows_the_modules_of_node(void)
{
    CHECK(messages_is_node(SPAN("buffer")) && messages_is_node(SPAN("fs/promises")));
    CHECK(!messages_is_node(SPAN("node:buffer")) && !messages_is_node(SPAN("hono")));
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"messages_become_diagnostics", messages_become_diagnostics},
        {"words_that_are_no_messages_are_left_out", words_that_are_no_messages_are_left_out},
        {"survives_lack_of_memory", survives_lack_of_memory},
        {"knows_the_modules_of_node", knows_the_modules_of_node},
        {0},
    };

    return test_main("project_messages", TESTS, argc, argv);
}
