/* project_patch.c - src/project/patch.c: a configuration with one database more, and nothing else
 * of it changed. */
#include "project/patch.h"

#include "base/mem.h"
#include "project/skeleton.h"
#include "project_tree.h"
#include "test.h"

struct patch_case {
    const char *file, *env, *before;
    int result;
    const char *after; /* of an error: what it says */
};

#define KEYS  "binding = \"B\"\ndatabase_name = \"n\"\ndatabase_id = \"i\"\n"
#define PAIRS "\"binding\": \"B\", \"database_name\": \"n\", \"database_id\": \"i\""

static const struct patch_case CASES[] = {
    /* TOML: at the end, with an empty line before it */
    {"wrangler.toml", "", "", 0, "[[d1_databases]]\n" KEYS},
    {"wrangler.toml", "", "name = 'w'", 0, "name = 'w'\n\n[[d1_databases]]\n" KEYS},
    {"wrangler.toml", "", "name = 'w' # mine\n\n[vars]\nA = 1\n\n", 0,
     "name = 'w' # mine\n\n[vars]\nA = 1\n\n[[d1_databases]]\n" KEYS},
    {"wrangler.toml", "", "# only\r\nname = 'w'\r\n", 0,
     "# only\r\nname = 'w'\r\n\r\n[[d1_databases]]\r\nbinding = \"B\"\r\ndatabase_name = \"n\"\r\n"
     "database_id = \"i\"\r\n"},
    /* behind the last one */
    {"wrangler.toml", "", "[[d1_databases]]\nbinding = 'A' # first\n# of B?\n[vars]\nX = 1\n", 0,
     "[[d1_databases]]\nbinding = 'A' # first\n\n[[d1_databases]]\n" KEYS
     "\n# of B?\n[vars]\nX = 1\n"},
    {"wrangler.toml", "",
     "[[d1_databases]]\nbinding = 'A'\ndatabase_name = \"\"\"\nlong\"\"\"\n\n[vars]\nX = 1\n", 0,
     "[[d1_databases]]\nbinding = 'A'\ndatabase_name = "
     "\"\"\"\nlong\"\"\"\n\n[[d1_databases]]\n" KEYS "\n[vars]\nX = 1\n"},
    /* in brackets */
    {"wrangler.toml", "", "d1_databases = []\nname = 'w'\n", 0,
     "d1_databases = [{ binding = \"B\", database_name = \"n\", database_id = \"i\" }]\nname = "
     "'w'\n"},
    {"wrangler.toml", "", "d1_databases = [{binding = 'A]'}] # one\nname = 'w'\n", 0,
     "d1_databases = [{binding = 'A]'}, { binding = \"B\", database_name = \"n\", database_id = "
     "\"i\" }] # one\nname = 'w'\n"},
    {"wrangler.toml", "", "d1_databases = [\n  {binding = 'A'} # ]\n]\nname = 'w'\n", 0,
     "d1_databases = [\n  {binding = 'A'}, # ]\n  { binding = \"B\", database_name = \"n\", "
     "database_id = \"i\" },\n]\nname = 'w'\n"},
    /* environments */
    {"wrangler.toml", "x", "name = 'w'\n[env.x]\nmain = 'a'\n[env.y]\n", 0,
     "name = 'w'\n[env.x]\nmain = 'a'\n[env.y]\n\n[[env.x.d1_databases]]\n" KEYS},
    {"wrangler.toml", "a.b", "name = 'w'\n", 0,
     "name = 'w'\n\n[[env.\"a.b\".d1_databases]]\n" KEYS},
    {"wrangler.toml", "x",
     "[[d1_databases]]\nbinding = 'B'\n[[env.x.d1_databases]]\nbinding = 'A'\n[env.y]\n", 0,
     "[[d1_databases]]\nbinding = 'B'\n[[env.x.d1_databases]]\nbinding = 'A'\n\n"
     "[[env.x.d1_databases]]\n" KEYS "\n[env.y]\n"},
    {"wrangler.toml", "x", "env = {x = {main = 'a'}}\n", ERR_INVALID,
     "wrangler.toml is written in a way that Corral cannot add to"},
    /* taken */
    {"wrangler.toml", "", "[[d1_databases]]\nbinding = 'B'\n", ERR_LIMIT,
     "wrangler.toml has a binding or variable 'B' already"},
    {"wrangler.toml", "", "[vars]\nB = 1\n", ERR_LIMIT,
     "wrangler.toml has a binding or variable 'B' already"},
    {"wrangler.json", "", "{\"durable_objects\": {\"bindings\": [{\"name\": \"B\"}]}}", ERR_LIMIT,
     "wrangler.json has a binding or variable 'B' already"},
    {"wrangler.json", "", "{\"queues\": {\"producers\": [{\"binding\": \"B\"}]}}", ERR_LIMIT,
     "wrangler.json has a binding or variable 'B' already"},
    {"wrangler.json", "", "{\"env\": {\"x\": {\"ai\": {\"binding\": \"B\"}}}}", 0,
     "{\"env\": {\"x\": {\"ai\": {\"binding\": \"B\"}}}, \"d1_databases\": [{" PAIRS "}]}"},
    {"wrangler.json", "x", "{\"env\": {\"x\": {\"ai\": {\"binding\": \"B\"}}}}", ERR_LIMIT,
     "wrangler.json has a binding or variable 'B' already"},
    /* JSON: on one line, or spread */
    {"wrangler.json", "", "{}", 0, "{\"d1_databases\": [{" PAIRS "}]}"},
    {"wrangler.json", "", "{\"name\": \"w\"}\n", 0,
     "{\"name\": \"w\", \"d1_databases\": [{" PAIRS "}]}\n"},
    {"wrangler.json", "", "{\n}\n", 0,
     "{\n  \"d1_databases\": [\n    {\n      \"binding\": \"B\",\n      \"database_name\": \"n\",\n"
     "      \"database_id\": \"i\"\n    }\n  ]\n}\n"},
    {"wrangler.jsonc", "",
     "// head\n{\n\t\"name\": \"w\", // {\n\t\"main\": \"a\" /* } */ // last\n\n}\n", 0,
     "// head\n{\n\t\"name\": \"w\", // {\n\t\"main\": \"a\", /* } */ // last\n\t\"d1_databases\": "
     "[\n\t\t{\n\t\t\t\"binding\": \"B\",\n\t\t\t\"database_name\": \"n\",\n\t\t\t\"database_id\": "
     "\"i\"\n\t\t}\n\t]\n\n}\n"},
    {"wrangler.jsonc", "", "{\r\n    \"name\": \"w\",\r\n}", 0,
     "{\r\n    \"name\": \"w\",\r\n    \"d1_databases\": [\r\n        {\r\n            "
     "\"binding\": \"B\",\r\n            \"database_name\": \"n\",\r\n            "
     "\"database_id\": \"i\"\r\n        }\r\n    ],\r\n}"},
    {"wrangler.json", "",
     "\xef\xbb\xbf{\n  \"d1_databases\": [\n    { \"binding\": \"A\" }\n  ],\n  \"name\": "
     "\"w\"\n}\n",
     0,
     "\xef\xbb\xbf{\n  \"d1_databases\": [\n    { \"binding\": \"A\" },\n    {" PAIRS
     "}\n  ],\n  \"name\": \"w\"\n}\n"},
    {"wrangler.json", "",
     "{\n  \"d1_databases\": [\n    {\n      \"binding\": \"A\"\n    }, // first\n  ]\n}\n", 0,
     "{\n  \"d1_databases\": [\n    {\n      \"binding\": \"A\"\n    }, // first\n    {\n      "
     "\"binding\": \"B\",\n      \"database_name\": \"n\",\n      \"database_id\": \"i\"\n    },\n"
     "  ]\n}\n"},
    {"wrangler.json", "", "{\n  \"d1_databases\": [{\n    \"binding\": \"A\"\n  }]\n}\n", 0,
     "{\n  \"d1_databases\": [{\n    \"binding\": \"A\"\n  }, {" PAIRS "}]\n}\n"},
    {"wrangler.json", "", "{\n  \"d1_databases\": [],\n  \"name\": \"w\"\n}\n", 0,
     "{\n  \"d1_databases\": [\n    {\n      \"binding\": \"B\",\n      \"database_name\": \"n\",\n"
     "      \"database_id\": \"i\"\n    }\n  ],\n  \"name\": \"w\"\n}\n"},
    {"wrangler.json", "x", "{\n  \"name\": \"w\"\n}\n", 0,
     "{\n  \"name\": \"w\",\n  \"env\": {\n    \"x\": {\n      \"d1_databases\": [\n        {\n"
     "          \"binding\": \"B\",\n          \"database_name\": \"n\",\n          "
     "\"database_id\": \"i\"\n        }\n      ]\n    }\n  }\n}\n"},
    {"wrangler.json", "x",
     "{\n  \"env\": {\n    \"x\": {\n      \"main\": \"a\"\n    }\n  },\n  \"d1_databases\": "
     "[{\"binding\": \"B\"}]\n}\n",
     0,
     "{\n  \"env\": {\n    \"x\": {\n      \"main\": \"a\",\n      \"d1_databases\": [\n        "
     "{\n          \"binding\": \"B\",\n          \"database_name\": \"n\",\n          "
     "\"database_id\": \"i\"\n        }\n      ]\n    }\n  },\n  \"d1_databases\": [{\"binding\": "
     "\"B\"}]\n}\n"},
    {"wrangler.json", "", "{\"d1_\\u0064atabases\": [{\"binding\": \"A\"}]}", ERR_INVALID,
     "wrangler.json is written in a way that Corral cannot add to"},
};

static void adds_a_database_and_changes_nothing_else(void)
{
    static const struct patch_database DB = {"B", "n", "i"};

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct patch_case *at = &CASES[i];
        char after[4096] = "";
        struct patch patch;
        struct err err = {0};
        struct stat st;
        FILE *f;
        int r;
        tree_open();
        tree_put(at->file, at->before);
        chmod(at->file, 0640);
        r = patch_make(at->file, at->file, at->env, tree_worker(), &DB, &patch, &err);
        CHECK(r == at->result);
        if (r == 0) {
            CHECK(patch_write(&patch, &err) == 0);
            CHECK(stat(at->file, &st) == 0 && (st.st_mode & 07777) == 0640);
            patch_done(&patch);
        }
        f = fopen(at->file, "r");
        CHECK(f && fread(after, 1, sizeof after - 1, f) > 0);
        fclose(f);
        if (strcmp(r == 0 ? after : err.text, at->after) != 0) {
            test_failed_checks++;
            printf("  case %zu:\n<<%s>>\n  wanted:\n<<%s>>\n", i, r == 0 ? after : err.text,
                   at->after);
        }
        tree_close();
    }
}

static void writes_odd_names_so_that_they_are_read(void)
{
    static const struct patch_database DB = {"$é", "quo\"te\\本\x7e", "i"};
    static const char *const FILES[][2] = {{"wrangler.json", "{}"}, {"wrangler.toml", ""}};

    for (int i = 0; i < 2; i++) {
        struct patch patch;
        struct err err;
        tree_open();
        tree_put(FILES[i][0], FILES[i][1]);
        CHECK(patch_make(FILES[i][0], FILES[i][0], "", tree_worker(), &DB, &patch, &err) == 0);
        patch_done(&patch);
        tree_close();
    }
}

static void writes_through_links_and_sees_other_writers(void)
{
    static const struct patch_database DB = {"B", "n", "i"};
    struct patch patch;
    struct stat st;
    struct err err;

    tree_open();
    tree_put("real/config.txt", "{}");
    CHECK(symlink("real/config.txt", "wrangler.json") == 0);
    CHECK(patch_make("wrangler.json", "wrangler.json", "", tree_worker(), &DB, &patch, &err) == 0);
    CHECK(patch_write(&patch, &err) == 0);
    CHECK(lstat("wrangler.json", &st) == 0 && S_ISLNK(st.st_mode));
    CHECK(stat("real/config.txt", &st) == 0 && st.st_size > 50);
    CHECK(patch_write(&patch, &err) == ERR_GONE);
    CHECK(strcmp(err.text, "'wrangler.json' was changed by somebody else just now") == 0);
    patch_done(&patch);
    tree_close();
}

static void copes_without_memory(void)
{
    static const struct patch_database DB = {"B", "n", "i"};
    int r = ERR_NOMEM;

    tree_open();
    tree_put("wrangler.json", "{\n  \"name\": \"w\", // x\n  \"env\": {\"x\": {}}\n}\n");
    for (int n = 0; n < 2000 && r != 0; n++) {
        struct patch patch;
        struct err err;
        mem_fail_after(n);
        r = patch_make("wrangler.json", "wrangler.json", "x", NULL, &DB, &patch, &err);
        if (r == 0) {
            r = patch_write(&patch, &err);
            patch_done(&patch);
        }
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        if (r != 0 && r != ERR_NOMEM)
            printf("  %d: %s\n", n, err.text);
    }
    CHECK(r == 0);
    tree_close();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"adds_a_database_and_changes_nothing_else", adds_a_database_and_changes_nothing_else},
        {"writes_odd_names_so_that_they_are_read", writes_odd_names_so_that_they_are_read},
        {"writes_through_links_and_sees_other_writers",
         writes_through_links_and_sees_other_writers},
        {"copes_without_memory", copes_without_memory},
        {0},
    };

    return test_main("project_patch", TESTS, argc, argv);
}
