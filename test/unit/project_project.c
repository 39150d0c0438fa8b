/* project_project.c - src/project/project.c: what a project says about itself,
 * and what people read when it is wrong, word by word. */
#include "project/project.h"

#include "base/clock.h"
#include "project/schema.h"
#include "project_load.h"

/* ---- tables: a configuration and what is said about it ---- */

static const struct config_case CASES[] = {
    {"wrangler.json", HEAD "}", 0, ""},
    {"wrangler.jsonc", "// mine\n" HEAD ", /* so */ \"vars\": {\"A\": [1, 2,],},\n}", 0, ""},
    {"wrangler.json", "\xef\xbb\xbf" HEAD ",}", 0, ""},
    {"wrangler.json", HEAD ", \"$schema\": \"node_modules/wrangler/config-schema.json\"}", 0, ""},
    {"wrangler.json", "{\n  \"name\": \"w\"\n  \"main\": \"src/entry.py\"\n}", ERR_INVALID,
     "wrangler.json:3:3: error: this is not JSON: '}' expected near '\"main\"'\n"
     "      \"main\": \"src/entry.py\"\n"
     "      ^\n"
     "  hint: is a comma missing before this?\n"},
    {"wrangler.json", "{\n\t\"name\": 'w'\n}", ERR_INVALID,
     "wrangler.json:2:10: error: this is not JSON: invalid token near '''\n"
     "    \t\"name\": 'w'\n"
     "    \t        ^\n"
     "  hint: strings need double quotes\n"},
    {"wrangler.json", "{\n  name: \"w\"\n}", ERR_INVALID,
     "wrangler.json:2:3: error: this is not JSON: string or '}' expected near 'name'\n"
     "      name: \"w\"\n"
     "      ^\n"
     "  hint: names need double quotes: \"name\": ...\n"},
    {"wrangler.json", "", ERR_INVALID,
     "wrangler.json:1:1: error: this is not JSON: '[' or '{' expected near end of file\n"},
    {"wrangler.json", "[1]", ERR_INVALID,
     "wrangler.json: error: the configuration must be an object: { ... }\n"},
    {"wrangler.json", HEAD ", \"vars\": {\"X\": 1e999}}", ERR_INVALID,
     "wrangler.json:1:89: error: this is not JSON: real number overflow near '1e999'\n"
     "    {\"name\": \"w\", \"main\": \"src/entry.py\", \"compatibility_date\": \"2026-03-01\", "
     "\"vars\": {\"X\": 1e999}}\n"
     "                                                                                        "
     "    ^\n"},
    {"wrangler.json", "{\"name\": \"w\"}", ERR_INVALID,
     "wrangler.json: warning: 'compatibility_date' is missing: the newest behaviour is used\n"
     "  hint: add \"compatibility_date\": \"2026-03-01\"\n"
     "wrangler.json: error: 'main' is missing: it names the file with the handlers\n"
     "  hint: add \"main\": \"src/entry.py\"\n"},
    {"wrangler.json",
     "{\"name\": 7,\n\"main\": [\"src/entry.py\"],\n\"compatibility_date\": 20260301,\n"
     "\"compatibility_flags\": \"python_workers\",\n\"vars\": \"A=1\", \"env\": true,\n"
     "\"triggers\": null, \"routes\": 5, \"route\": false}",
     ERR_INVALID,
     "wrangler.json:1:10: error: 'name' must be a string such as \"hello\", not a number\n"
     "    {\"name\": 7,\n"
     "             ^\n"
     "wrangler.json:2:9: error: 'main' must be a string such as \"src/entry.py\", not a list\n"
     "    \"main\": [\"src/entry.py\"],\n"
     "            ^\n"
     "wrangler.json:3:23: error: 'compatibility_date' must be a string such as \"2026-03-01\", "
     "not a number\n"
     "    \"compatibility_date\": 20260301,\n"
     "                          ^\n"
     "wrangler.json:4:24: error: 'compatibility_flags' must be a list of strings such as "
     "[\"python_workers\"], not a string\n"
     "    \"compatibility_flags\": \"python_workers\",\n"
     "                           ^\n"
     "wrangler.json:5:9: error: 'vars' must be an object, not a string\n"
     "    \"vars\": \"A=1\", \"env\": true,\n"
     "            ^\n"
     "wrangler.json:5:23: error: 'env' must be an object, not true\n"
     "    \"vars\": \"A=1\", \"env\": true,\n"
     "                          ^\n"
     "wrangler.json:6:13: error: 'triggers' must be an object, not null\n"
     "    \"triggers\": null, \"routes\": 5, \"route\": false}\n"
     "                ^\n"
     "wrangler.json:6:29: error: 'routes' must be a list, not a number\n"
     "    \"triggers\": null, \"routes\": 5, \"route\": false}\n"
     "                                ^\n"
     "wrangler.json:6:41: error: 'route' must be a string or an object, not false\n"
     "    \"triggers\": null, \"routes\": 5, \"route\": false}\n"
     "                                            ^\n"},
    {"wrangler.json",
     HEAD ",\n\"assets\": {\"crons\": []},\n\"kv_namespaces\": [],\n\"mian\": 1,\n"
          "\"zzzzzzzz\": 1, \"usage_model\": \"bundled\"}",
     0,
     "wrangler.json:2: warning: 'assets' is not supported yet\n"
     "wrangler.json:3: warning: 'kv_namespaces' is not supported yet\n"
     "wrangler.json:4:1: warning: 'mian' is not a key of a wrangler configuration\n"
     "    \"mian\": 1,\n"
     "    ^\n"
     "  hint: did you mean 'main'?\n"
     "wrangler.json:5:1: warning: 'zzzzzzzz' is not a key of a wrangler configuration\n"
     "    \"zzzzzzzz\": 1, \"usage_model\": \"bundled\"}\n"
     "    ^\n"
     "wrangler.json:5: warning: 'usage_model' has no effect any more\n"},
    {"wrangler.json",
     "{\"name\": \"My Worker\", \"main\": \"src/entry.py\",\n\"compatibility_date\": "
     "\"2026-02-30\",\n"
     "\"compatibility_flags\": [\"python_workers\", 5, \"a b\"]}",
     ERR_INVALID,
     "wrangler.json:1:10: error: 'name' may hold lower-case letters, digits, '-' and '_' only, "
     "at most 255 of them, and not begin with '-'\n"
     "    {\"name\": \"My Worker\", \"main\": \"src/entry.py\",\n"
     "             ^\n"
     "wrangler.json:2:23: error: 'compatibility_date' must be a date such as \"2026-03-01\", "
     "not \"2026-02-30\"\n"
     "    \"compatibility_date\": \"2026-02-30\",\n"
     "                          ^\n"
     "wrangler.json:3:43: error: 'compatibility_flags' must be a list of strings such as "
     "[\"python_workers\"]: this one is a number\n"
     "    \"compatibility_flags\": [\"python_workers\", 5, \"a b\"]}\n"
     "                                              ^\n"
     "wrangler.json:3:46: error: \"a b\" is not a compatibility flag such as \"python_workers\"\n"
     "    \"compatibility_flags\": [\"python_workers\", 5, \"a b\"]}\n"
     "                                                 ^\n"},
    {"wrangler.json", "{\"main\": \"src/entri.py\",\n\"compatibility_date\": \"2026-03-01\"}",
     ERR_INVALID,
     "wrangler.json:1:10: error: there is no file 'src/entri.py' in the project\n"
     "    {\"main\": \"src/entri.py\",\n"
     "             ^\n"
     "  hint: did you mean \"src/entry.py\"?\n"},
    {"wrangler.json", "{\"main\": \"../entry.py\",\n\"compatibility_date\": \"2026-03-01\"}",
     ERR_INVALID,
     "wrangler.json:1:10: error: '../entry.py' is outside the project (@)\n"
     "    {\"main\": \"../entry.py\",\n"
     "             ^\n"
     "  hint: main is a path inside the project's folder\n"},
    {"wrangler.json", "{\"main\": \"src/index.ts\",\n\"compatibility_date\": \"2026-03-01\"}",
     ERR_INVALID,
     "wrangler.json:1:10: error: there is no file 'src/index.ts' in the project\n"
     "    {\"main\": \"src/index.ts\",\n"
     "             ^\n"
     "  hint: did you mean \"src/entry.py\"?\n"},
    {"wrangler.json", "{\"main\": \"src/folder.py\",\n\"compatibility_date\": \"2026-03-01\"}",
     ERR_INVALID,
     "wrangler.json:1:10: error: 'src/folder.py' is a folder, not a file\n"
     "    {\"main\": \"src/folder.py\",\n"
     "             ^\n"},
    {"wrangler.json", "{\"main\": \"\",\n\"compatibility_date\": \"2026-03-01\"}", ERR_INVALID,
     "wrangler.json:1:10: error: 'main' must be a string such as \"src/entry.py\", "
     "not an empty one\n"
     "    {\"main\": \"\",\n"
     "             ^\n"},
    {"wrangler.toml", "name = \"w\"\nmain = \"src/entry.py\"\n" DATE "[vars]\nA = 1\n", 0, ""},
    {"wrangler.toml", "name = \"w\"\nmain = \"src/entry.py\"\n" DATE "[assets]\ndirectory = 'x'\n", 0,
     "wrangler.toml:4: warning: 'assets' is not supported yet\n"},
    {"wrangler.toml", "name = \"w\"\nmain = \"src/entry.py\"\ncompatibility_date = 20260301\n",
     ERR_INVALID,
     "wrangler.toml:3:22: error: 'compatibility_date' must be a string such as \"2026-03-01\", "
     "not a number\n"
     "    compatibility_date = 20260301\n"
     "                         ^\n"},
    {"wrangler.toml", "name = \"w\"\nmain = src/entry.py\n", ERR_INVALID,
     "wrangler.toml:2:8: error: this is not TOML: Invalid value\n"
     "    main = src/entry.py\n"
     "           ^\n"},
    {"wrangler.toml", "name = \"w\"\n[vars", ERR_INVALID,
     "wrangler.toml:2:6: error: this is not TOML: Expected ']' at the end of a table declaration "
     "at the end of the file\n"
     "    [vars\n"
     "         ^\n"},
    {"wrangler.toml", "main = \"src/entry.py\"\n" DATE "[vars]\nX = inf\n", ERR_INVALID,
     "wrangler.toml:4:5: error: 'vars.X' is inf, which is no finite number\n"
     "    X = inf\n"
     "        ^\n"
     "  hint: JSON has no such number\n"},
    {"wrangler.toml", "name = \"w\"\n", ERR_INVALID,
     "wrangler.toml: warning: 'compatibility_date' is missing: the newest behaviour is used\n"
     "  hint: add compatibility_date = \"2026-03-01\"\n"
     "wrangler.toml: error: 'main' is missing: it names the file with the handlers\n"
     "  hint: add main = \"src/entry.py\" at the top\n"},
    {"wrangler.toml", "main = \"src/entry.py\"\n" DATE "[[kv_namespace]]\nbinding = \"A\"\n", 0,
     "wrangler.toml:3:3: warning: 'kv_namespace' is not a key of a wrangler configuration\n"
     "    [[kv_namespace]]\n"
     "      ^\n"
     "  hint: did you mean 'kv_namespaces'?\n"},
};

/* "@" stands for the folder of the test. */
static void put_folder(const char *text, char *out, size_t cap)
{
    const char *at = strchr(text, '@');
    int n = at ? snprintf(out, cap, "%.*s%s%s", (int)(at - text), text, tree_path, at + 1)
               : snprintf(out, cap, "%s", text);

    CHECK(n >= 0 && (size_t)n < cap);
}

static void says_what_is_wrong_with_a_configuration(void)
{
    char wanted[4096];

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct config_case *c = &CASES[i];
        struct outcome o;

        tree_open();
        tree_put("src/entry.py", "");
        mkdir("src/folder.py", 0755);
        tree_put(c->file, c->text);
        load(&(struct project_options){0}, &o);
        CHECK(o.result == c->result);
        put_folder(c->said, wanted, sizeof wanted);
        expect(c->text, o.said, wanted);
        outcome_done(&o);
        tree_close();
    }
}

/* ---- what is read ---- */

static void reads_the_same_from_json_and_toml(void)
{
    static const char *const FILES[][2] = {
        {"wrangler.json",
         HEAD ", \"compatibility_flags\": [\"python_workers\", \"x\"], \"vars\": "
              "{\"S\": \"\\u00e4\\\"\", \"N\": 3, \"F\": 0.5, \"B\": true, \"J\": {\"a\": [1, "
              "null]}}}"},
        {"wrangler.toml",
         "name = 'w'\nmain = \"./src/../src/entry.py\"\n" DATE
         "compatibility_flags = [\"python_workers\",\n \"x\"]\n[vars]\nS = \"\\u00e4\\\"\"\n"
         "N = 3\nF = 0.5\nB = true\nJ = {a = [1, 2026-03-01]}\n"},
    };

    for (int i = 0; i < 2; i++) {
        struct outcome o;
        tree_open();
        tree_put("src/entry.py", "");
        tree_put(FILES[i][0], FILES[i][1]);
        load(&(struct project_options){.folder = "."}, &o);
        CHECK(o.result == 0);
        expect("said", o.said, "");
        expect("folder", o.p.folder, tree_path);
        expect("shown", o.p.shown, FILES[i][0]);
        expect("name", o.p.name, "w");
        expect("main", o.p.main, "src/entry.py");
        expect("date", o.p.compatibility_date, "2026-03-01");
        expect("flags", o.p.compatibility_flags, "python_workers x");
        expect("env", o.p.env_json,
               i == 0 ? "{\"S\":\"ä\\\"\",\"N\":3,\"F\":0.5,\"B\":true,\"J\":{\"a\":[1,null]}}"
                      : "{\"S\":\"ä\\\"\",\"N\":3,\"F\":0.5,\"B\":true,\"J\":{\"a\":[1,\"2026-"
                        "03-01\"]}}");
        expect("secrets", o.p.secrets_file, "");
        outcome_done(&o);
        tree_close();
    }
}

#define ENVS                                                                                       \
    HEAD ",\n\"vars\": {\"A\": \"top\", \"B\": \"top\"},\n\"assets\": {},\n\"env\": {\n"         \
         "\"staging\": {\"vars\": {\"A\": \"staging\"}, \"assets\": {}, \"minify\": true,\n"       \
         "\"keep_vars\": true, \"mian\": 1},\n"                                                    \
         "\"live\": {\"name\": \"live\", \"main\": \"other.py\", \"vars\": {\"A\": 1, \"B\": 2},"  \
         " \"compatibility_date\": \"2026-04-01\"}}}"

struct env_case {
    const char *env;
    int result;
    const char *name, *main, *date, *env_json, *said;
};

static void picks_an_environment(void)
{
    static const struct env_case ENV_CASES[] = {
        {NULL, 0, "w", "src/entry.py", "2026-03-01", "{\"A\":\"top\",\"B\":\"top\"}",
         "wrangler.json:3: warning: 'assets' is not supported yet\n"},
        {"staging", 0, "w-staging", "src/entry.py", "2026-03-01", "{\"A\":\"staging\"}",
         "wrangler.json:3: warning: 'assets' is not supported yet\n"
         "wrangler.json:6:1: warning: 'env.staging.keep_vars' has no effect inside an environment\n"
         "    \"keep_vars\": true, \"mian\": 1},\n"
         "    ^\n"
         "  hint: move it to the top of the file\n"
         "wrangler.json:6:20: warning: 'env.staging.mian' is not a key of a wrangler "
         "configuration\n"
         "    \"keep_vars\": true, \"mian\": 1},\n"
         "                       ^\n"
         "  hint: did you mean 'main'?\n"
         "wrangler.json:5: warning: the environment 'staging' does not inherit 'vars': it has no "
         "B\n"
         "  hint: set them for the environment too (env.staging.vars)\n"
         "wrangler.json:5: warning: 'env.staging.minify' has no effect: it is for JavaScript\n"},
        {"live", 0, "live", "other.py", "2026-04-01", "{\"A\":1,\"B\":2}",
         "wrangler.json:3: warning: 'assets' is not supported yet\n"},
        {"prod", ERR_INVALID, "w-prod", "src/entry.py", "2026-03-01",
         "{\"A\":\"top\",\"B\":\"top\"}",
         "wrangler.json:3: warning: 'assets' is not supported yet\n"
         "wrangler.json:4:1: error: there is no environment 'prod'\n"
         "    \"env\": {\n"
         "    ^\n"
         "  hint: the environments are: staging, live\n"},
        {"../x", ERR_INVALID, NULL, NULL, NULL, NULL,
         "error: --env '../x' is not the name of an environment\n"},
    };

    for (size_t i = 0; i < sizeof ENV_CASES / sizeof *ENV_CASES; i++) {
        const struct env_case *c = &ENV_CASES[i];
        struct outcome o;
        tree_open();
        tree_put("src/entry.py", "");
        tree_put("other.py", "");
        tree_put("wrangler.json", ENVS);
        load(&(struct project_options){.env = c->env}, &o);
        CHECK(o.result == c->result);
        expect("said", o.said, c->said);
        if (c->name) {
            expect("name", o.p.name, c->name);
            expect("main", o.p.main, c->main);
            expect("date", o.p.compatibility_date, c->date);
            expect("env", o.p.env_json, c->env_json);
        }
        outcome_done(&o);
        tree_close();
    }
}

static void warns_when_there_are_no_environments(void)
{
    struct outcome o;

    tree_open();
    tree_put("src/entry.py", "");
    tree_put("wrangler.json", HEAD ", \"vars\": {\"A\": 1}}");
    load(&(struct project_options){.env = "live"}, &o);
    CHECK(o.result == 0);
    expect("said", o.said,
           "wrangler.json: warning: there is no environment 'live': the top level is used\n"
           "  hint: add \"env\": {\"NAME\": { ... }}\n");
    expect("name", o.p.name, "w-live");
    expect("env", o.p.env_json, "{\"A\":1}");
    outcome_done(&o);
    tree_close();
}

static void lets_secrets_and_flags_win(void)
{
    static const char *const VARS[] = {"B:flag:b", "E:"};
    static const char *const BAD[] = {"novalue", ":x"};
    struct project_options options = {.vars = VARS, .var_count = 2};
    struct outcome o;

    tree_open();
    tree_put("src/entry.py", "");
    tree_put("wrangler.json",
             HEAD ", \"vars\": {\"A\": 1, \"B\": 2, \"C\": 3},"
                  " \"env\": {\"x\": {\"vars\": {\"A\": 9, \"B\": 9, \"C\": 9}}}}");
    tree_put(".env", "C=env\nD=env\nF=${C}-$A");
    tree_put(".env.local", "D=local\n");
    tree_put(".env.x", "D=x\n");
    tree_put(".env.x.local", "C=xlocal\n");
    load(&options, &o);
    expect("env", o.p.env_json,
           "{\"A\":1,\"B\":\"flag:b\",\"C\":\"env\",\"D\":\"local\",\"F\":\"env-\","
           "\"E\":\"\"}");
    expect("file", o.p.secrets_file, ".env");
    outcome_done(&o);

    options.env = "x";
    load(&options, &o);
    expect("env", o.p.env_json,
           "{\"A\":9,\"B\":\"flag:b\",\"C\":\"xlocal\",\"D\":\"x\","
           "\"F\":\"xlocal-\",\"E\":\"\"}");
    outcome_done(&o);

    tree_put(".dev.vars", "A=\"se\\ncret\"\nB=dev\nnot an assignment: hunter2\n");
    load(&options, &o);
    CHECK(o.result == 0);
    expect("env", o.p.env_json, "{\"A\":\"se\\ncret\",\"B\":\"flag:b\",\"C\":9,\"E\":\"\"}");
    expect("file", o.p.secrets_file, ".dev.vars");
    expect("said", o.said, ".dev.vars:3: warning: this line is ignored: it is not NAME=value\n");
    outcome_done(&o);

    tree_put(".dev.vars.x", "C=only\n");
    load(&options, &o);
    expect("env", o.p.env_json, "{\"A\":9,\"B\":\"flag:b\",\"C\":\"only\",\"E\":\"\"}");
    expect("file", o.p.secrets_file, ".dev.vars.x");
    outcome_done(&o);

    options.vars = BAD;
    tree_put(".dev.vars.x", "C=a\xff\n");
    load(&options, &o);
    CHECK(o.result == ERR_INVALID);
    expect("said", o.said,
           ".dev.vars.x:1: error: the value of 'C' is not UTF-8\n"
           "error: --var 'novalue' must be NAME:VALUE\n"
           "  hint: for example --var GREETING:hello\n"
           "error: --var ':x' must be NAME:VALUE\n"
           "  hint: for example --var GREETING:hello\n");
    expect("err", o.err.text, ".dev.vars.x:1: the value of 'C' is not UTF-8");
    outcome_done(&o);
    tree_close();
}

/* ---- where it is looked for ---- */

static void prefers_json_and_looks_above(void)
{
    struct outcome o;

    tree_open();
    tree_put("p/src/entry.py", "");
    tree_put("p/wrangler.toml", "this is not even TOML");
    tree_put("p/wrangler.jsonc", "{\"name\": \"c\", \"main\": \"src/entry.py\", "
                                 "\"compatibility_date\": \"2026-03-01\"}");
    load(&(struct project_options){.folder = "p"}, &o);
    CHECK(o.result == 0);
    expect("name", o.p.name, "c");
    expect("shown", o.p.shown, "p/wrangler.jsonc");
    outcome_done(&o);

    tree_put("p/wrangler.json", "{\"main\": \"src/entry.py\", "
                                "\"compatibility_date\": \"2026-03-01\"}");
    CHECK(chdir("p/src") == 0);
    load(&(struct project_options){0}, &o);
    CHECK(o.result == 0);
    expect("name", o.p.name, "p"); /* of the folder */
    expect("main", o.p.main, "src/entry.py");
    outcome_done(&o);
    CHECK(chdir(tree_path) == 0);

    load(&(struct project_options){.config = "p/wrangler.jsonc"}, &o);
    CHECK(o.result == 0);
    expect("name", o.p.name, "c");
    outcome_done(&o);
    tree_close();
}

static void says_how_to_begin(void)
{
    struct outcome o;

    tree_open();
    tree_put("app/main.py", "");
    clock_fake(1772323200000); /* 2026-03-01 */
    load(&(struct project_options){.folder = "."}, &o);
    clock_fake(-1);
    CHECK(o.result == ERR_NOT_FOUND);
    expect("said", o.said,
           "error: no wrangler.json, wrangler.jsonc or wrangler.toml in '.'\n"
           "  hint: a wrangler.toml can be as short as this:\n"
           "          name = \"hello\"\n"
           "          main = \"app/main.py\"\n"
           "          compatibility_date = \"2026-03-01\"\n"
           "          compatibility_flags = [\"python_workers\"]\n");
    expect("err", o.err.text, "no wrangler.json, wrangler.jsonc or wrangler.toml in '.'");
    outcome_done(&o);

    load(&(struct project_options){.folder = "nowhere"}, &o);
    CHECK(o.result == ERR_NOT_FOUND);
    expect("said", o.said, "error: there is no folder 'nowhere'\n");
    outcome_done(&o);

    load(&(struct project_options){.folder = "app/main.py"}, &o);
    CHECK(o.result == ERR_NOT_FOUND);
    expect("said", o.said,
           "error: 'app/main.py' is a file, not a project folder\n"
           "  hint: name the folder that it is in\n");
    outcome_done(&o);

    load(&(struct project_options){.config = "my.json"}, &o);
    CHECK(o.result == ERR_NOT_FOUND);
    expect("said", o.said, "error: there is no configuration file 'my.json' (--config)\n");
    outcome_done(&o);
    tree_close();
}

static void says_that_a_folder_is_locked(void)
{
    static const uid_t NOBODY = 65534;
    struct project_options options = {.folder = "locked"};
    bool is_root = geteuid() == 0;
    struct outcome o;

    tree_open();
    tree_put("locked/wrangler.json", "{}");
    CHECK(chmod("locked", 0600) == 0 && chmod(".", 0755) == 0);
    if (is_root)
        CHECK(seteuid(NOBODY) == 0);
    load(&options, &o);
    if (is_root)
        CHECK(seteuid(0) == 0);
    CHECK(o.result == ERR_SYSTEM && strstr(o.err.text, "locked': Permission denied"));
    CHECK(chmod("locked", 0700) == 0);
    outcome_done(&o);
    tree_close();
}

static void runs_a_file_without_a_configuration(void)
{
    struct outcome o;

    tree_open();
    tree_put("My App/src/entry.py", "");
    CHECK(chdir("My App") == 0);
    load(&(struct project_options){.entry = "src/entry.py"}, &o);
    CHECK(o.result == 0);
    expect("said", o.said, "");
    expect("name", o.p.name, "my-app");
    expect("main", o.p.main, "src/entry.py");
    expect("config", o.p.config, "");
    expect("env", o.p.env_json, "{}");
    outcome_done(&o);

    CHECK(chdir("/") == 0);
    tree_put("/tmp/corral-test-entry.py", "");
    load(&(struct project_options){.entry = "/tmp/corral-test-entry.py", .folder = tree_path}, &o);
    CHECK(o.result == ERR_INVALID);
    outcome_done(&o);
    unlink("/tmp/corral-test-entry.py");
    CHECK(chdir(tree_path) == 0);

    tree_put("wrangler.json", HEAD "}");
    load(&(struct project_options){.entry = "My App/src/entry.py"}, &o);
    CHECK(o.result == 0);
    expect("main", o.p.main, "My App/src/entry.py");
    expect("name", o.p.name, "w");
    outcome_done(&o);
    tree_close();
}

static void refuses_a_main_that_links_away(void)
{
    struct outcome o;

    tree_open();
    tree_put("wrangler.json", HEAD "}");
    mkdir("src", 0755);
    CHECK(symlink("/etc/hostname", "src/entry.py") == 0);
    load(&(struct project_options){0}, &o);
    CHECK(o.result == ERR_INVALID);
    CHECK(strstr(o.said, "'src/entry.py' is a link that leaves the project"));
    outcome_done(&o);
    tree_close();
}

static void refuses_what_is_too_deep_or_too_large(void)
{
    static char text[(1 << 20) + 2];
    struct outcome o;

    tree_open();
    memset(text, '[', 100);
    tree_put("wrangler.json", text);
    load(&(struct project_options){0}, &o);
    CHECK(o.result == ERR_INVALID && strstr(o.said, "nested deeper than 64 levels"));
    outcome_done(&o);
    memset(text, ' ', (1 << 20) + 1);
    tree_put("wrangler.json", text);
    load(&(struct project_options){0}, &o);
    CHECK(o.result == ERR_LIMIT);
    expect("err", o.err.text, "'wrangler.json' is larger than 1024 KiB");
    outcome_done(&o);
    tree_close();
}

static void documents_every_key(void)
{
    static char page[64 * 1024];
    char path[PATH_MAX + 64], wanted[64];
    size_t n = 0;
    FILE *f;

    snprintf(path, sizeof path, "%.*s/../../docs/configuration.md",
             (int)(strrchr(tree_worker(), '/') - tree_worker()), tree_worker());
    f = fopen(path, "r");
    CHECK(f != NULL);
    if (!f)
        return;
    n = fread(page, 1, sizeof page - 1, f);
    fclose(f);
    CHECK(n > 1000);
    for (size_t i = 0; schema_key(i); i++) {
        snprintf(wanted, sizeof wanted, "`%s`", schema_key(i));
        CHECK(strstr(page, wanted));
        if (!strstr(page, wanted))
            printf("  %s\n", wanted);
    }
}

static void copes_without_memory(void)
{
    static const char *const VARS[] = {"V:1"};
    struct project_options options = {.env = "staging", .vars = VARS, .var_count = 1};
    int r = ERR_NOMEM, n;

    tree_open();
    tree_put("src/entry.py", "");
    tree_put("wrangler.json",
             HEAD ", \"vars\": {\"A\": 1, \"B\": 1}, \"env\": {\"staging\": {\"vars\": "
                  "{\"A\": 1}, \"mian\": 1, \"d1_databases\": [{\"binding\": "
                  "\"DB\", \"remote\": true}, {\"binding\": \"E\"}]}}}");
    tree_put(".dev.vars", "A=1\nwrong\n");
    for (n = 0; n < 5000 && r != 0; n++) {
        struct project p;
        struct diagnostics d = {0};
        struct err err;
        mem_fail_after(n);
        r = project_load(&options, &p, &d, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        if ((r != 0 && r != ERR_NOMEM))
            printf("  %d: %d %s\n", n, r, err.text);
        project_done(&p);
        diagnostics_done(&d);
    }
    CHECK(r == 0 && n > 50);
    tree_close();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"says_what_is_wrong_with_a_configuration", says_what_is_wrong_with_a_configuration},
        {"reads_the_same_from_json_and_toml", reads_the_same_from_json_and_toml},
        {"picks_an_environment", picks_an_environment},
        {"warns_when_there_are_no_environments", warns_when_there_are_no_environments},
        {"lets_secrets_and_flags_win", lets_secrets_and_flags_win},
        {"prefers_json_and_looks_above", prefers_json_and_looks_above},
        {"says_how_to_begin", says_how_to_begin},
        {"says_that_a_folder_is_locked", says_that_a_folder_is_locked},
        {"runs_a_file_without_a_configuration", runs_a_file_without_a_configuration},
        {"refuses_a_main_that_links_away", refuses_a_main_that_links_away},
        {"refuses_what_is_too_deep_or_too_large", refuses_what_is_too_deep_or_too_large},
        {"documents_every_key", documents_every_key},
        {"copes_without_memory", copes_without_memory},
        {0},
    };

    return test_main("project_project", TESTS, argc, argv);
}
