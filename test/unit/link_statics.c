/* link_statics.c - src/link/statics.c: names of classes stay in their lines, other blocks are seen. */
#include "link/statics.h"

#include <string.h>

#include "base/mem.h"
#include "test.h"

static void check(const char *from, const char *to, bool has_others)
{
    char *text = mem_strdup(from);

    CHECK(statics_rewrite(text, strlen(text)) == has_others);
    CHECK(strcmp(text, to) == 0);
    CHECK(strlen(text) == strlen(from));
    mem_free(text);
}

static void keeps_names_in_their_lines(void)
{
    check("var A = class {\n  static {\n    __name(this, \"A\");\n  }\n  static y = 1;\n};",
          "var A = class {\n  static  \nget name(){return\"A\"} \n   \n  static y = 1;\n};", false);
    check("{\n      static {\n        __name2(this, \"a\\\"\\\\b\");\n      }\n}",
          "{\n      static  \nget name(){return\"a\\\"\\\\b\"}      \n       \n}", false);
    check("static {\r\n    __name(this, \"\");\r\n  }",
          "static  \r\nget name(){return\"\"} \r\n   ", false);
}

static void leaves_other_blocks_and_says_so(void)
{
    static const char *const OTHERS[] = {
        "static{a(this,\"A\")}",
        "static {\n    register(this, \"A\");\n  }",
        "static {\n    __name(this, \"A\");\n    more();\n  }",
        "static {\n    __name(that, \"A\");\n  }",
        "static {\n    __name(this, 'A');\n  }",
        "static { __name(this, \"A\"); }",
        "static\n{",
        "static {\n    __name(this, \"A",
        "static {\n    __name(this, \"A\\",
        "static {\n    __name(this, \"A\");",
        "static {\n    __name(this, \"A\n\");\n  }",
        "static {\n__name(this, \"A\");\n}",
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        check(OTHERS[i], OTHERS[i], true);
}

static void leaves_what_is_no_block(void)
{
    static const char *const NONE[] = {"static x = {}",
                                       "ecstatic {\n    __name(this, \"A\");\n  }",
                                       "$static {",
                                       "a.static {",
                                       "static async {}",
                                       "static",
                                       "",
                                       "staticstatic"};

    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        check(NONE[i], NONE[i], false);
}

static const struct test TESTS[] = {
    {"keeps_names_in_their_lines", keeps_names_in_their_lines},
    {"leaves_other_blocks_and_says_so", leaves_other_blocks_and_says_so},
    {"leaves_what_is_no_block", leaves_what_is_no_block},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return test_main("link_statics", TESTS, argc, argv);
}
