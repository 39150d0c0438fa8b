/* link_link.c - src/link: modules as they are uploaded become one script, by the real bundler in
 * the real box. */
#include "link/link.h"

#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "link/builtin.h"
#include "link/map.h"
#include "link/modules.h"
#include "link/said.h"
#include "project_tree.h"
#include "test.h"
#include "text/value.h"

static const char *date = "2026-01-01", *flags, *main_name = "index.js", *hash = "a";
static json_t *bindings;
static struct linked linked;
static char *detail;
static atomic_bool is_cancelled;
static struct err err;

/* The bundle: name, type, text, ... */
static void put_bundle(const char *const *all)
{
    json_t *parts = json_array();
    char *text;

    for (; *all; all += 3) {
        struct buf path = {0}, file = {0};
        CHECK(module_path(all[0], &path, &err) == 0);
        CHECK(buf_print(&file, "bundle/%s", buf_data(&path)) == 0);
        tree_put(buf_data(&file), all[2]);
        json_array_append_new(parts, json_pack("{s:s,s:s,s:s}", "name", all[0], "type", all[1],
                                               "path", buf_data(&path)));
        buf_done(&path);
        buf_done(&file);
    }
    text = json_dumps(parts, 0);
    tree_put("parts.json", text);
    mem_free(text);
    json_decref(parts);
}

static int make(void)
{
    char home[PATH_MAX + 16], folder[PATH_MAX + 16], parts[PATH_MAX + 16];
    const struct link_ask ask = {.worker_program = tree_worker(),
                                 .home = home,
                                 .folder = folder,
                                 .parts = parts,
                                 .hash = hash,
                                 .main = main_name,
                                 .date = date,
                                 .flags = flags,
                                 .bindings = bindings,
                                 .has_sources = true,
                                 .is_cancelled = &is_cancelled};

    snprintf(home, sizeof home, "%s/data/linked", tree_path);
    snprintf(folder, sizeof folder, "%s/bundle", tree_path);
    snprintf(parts, sizeof parts, "%s/parts.json", tree_path);
    err = (struct err){0};
    mem_free(detail);
    detail = NULL;
    return link_make(&ask, &linked, &detail, &err);
}

static char *text_of(const char *name)
{
    char path[2 * PATH_MAX], *text = mem_alloc(1 << 20);
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", linked.folder ? linked.folder : "", name);
    f = fopen(path, "r");
    if (f) {
        text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
        fclose(f);
    }
    return text;
}

static bool file_has(const char *name, const char *what)
{
    char *text = text_of(name);
    bool has = strstr(text, what) != NULL;

    if (!has)
        printf("  %s has no %s: %s\n", name, what, text);
    mem_free(text);
    return has;
}

static void begin(const char *const *all)
{
    tree_open();
    value_init();
    put_bundle(all);
}

static void end(void)
{
    linked_done(&linked);
    mem_free(detail);
    detail = NULL;
    tree_close();
}

#define ESM "application/javascript+module"
#define ALL(...)                                                                                   \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static void links_modules_of_all_kinds(void)
{
    begin(ALL("index.js", ESM,
              "import wasm from './a.wasm'; import text from 'dir/b.txt'; import data from './c';\n"
              "import json from './package.json'; import other from '../up/d.odd';\n"
              "import { x } from './dir/e.mjs'; import f from './f.cjs';\n"
              "export default { fetch: () => [wasm, text, data, json, other, x, f, import.meta] }",
              "./a.wasm", "application/wasm", "asm", "dir/b.txt", "text/plain", "hello", "c",
              "application/octet-stream", "12", "package.json", "application/json", "{\"a\": 1",
              "../up/d.odd", "text/html; charset=utf-8", "<p>", "dir/e.mjs", ESM,
              "export const x = 'of e'", "f.cjs", "application/javascript", "exports.y = 3"));
    CHECK(make() == 0);
    CHECK(file_has("worker.js", "(async function (__corral, require) { \"use strict\";"));
    CHECK(file_has("worker.js", "__corral.main("));
    CHECK(file_has("worker.js", "__corral.wasm(\"m/0\")"));
    CHECK(file_has("worker.js", "__corral.text(\"m/1\")"));
    CHECK(file_has("worker.js", "__corral.data(\"m/2\")"));
    CHECK(file_has("worker.js", "__corral.json(\"m/3\")"));
    CHECK(file_has("worker.js", "__corral.text(\"m/4\")"));
    CHECK(file_has("worker.js", "__corral.meta"));
    CHECK(file_has("m/0", "asm") && file_has("m/3", "{\"a\": 1") && file_has("m/4", "<p>"));
    CHECK(file_has("worker.js.map", "\"index.js\"") && file_has("worker.js.map", "\"dir/e.mjs\""));
    CHECK(file_has("worker.js.map", "\"corral:entry.js\""));
    end();
}

static void source_maps_of_uploads_lead_to_their_sources(void)
{
    begin(ALL("index.js", ESM, "export default 1;\n//# sourceMappingURL=index.js.map",
              "index.js.map", "application/source-map",
              "{\"version\":3,\"sources\":[\"../../src/index.ts\"],\"sourcesContent\":[\"let x\"],"
              "\"names\":[],\"mappings\":\"AAAA\"}"));
    CHECK(make() == 0);
    CHECK(file_has("worker.js.map", "\"src/index.ts\"") && file_has("worker.js.map", "let x"));
    end();
}

static void what_is_linked_is_kept_and_held(void)
{
    struct linked first;
    struct stat one, two;
    char home[PATH_MAX + 32];
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    begin(ALL("index.js", ESM, "export default {}"));
    CHECK(make() == 0 && stat(linked.folder, &one) == 0);
    first = linked;
    tree_put("bundle/index.js", "broken(");
    CHECK(make() == 0 && stat(linked.folder, &two) == 0 && one.st_ino == two.st_ino);
    snprintf(home, sizeof home, "%s/data/linked", tree_path);
    futimens(linked.fd, old);
    link_sweep(home);
    CHECK(access(first.folder, F_OK) == 0);
    linked_done(&linked);
    link_sweep(home);
    CHECK(access(first.folder, F_OK) == 0);
    hash = "b";
    CHECK(make() == ERR_INVALID);
    hash = "a";
    tree_put("data/linked/.gone-1/x", "");
    link_sweep(home);
    CHECK(access("data/linked/.gone-1", F_OK) < 0);
    CHECK(make() == 0);
    futimens(linked.fd, old);
    linked_done(&linked);
    futimens(first.fd, old);
    linked_done(&first);
    link_sweep(home);
    CHECK(rmdir(home) == 0); /* nothing is left, no stage either */
    end();
}

struct refused {
    const char *flags, *date, *code, *text, *detail, *hint;
};

static void errors_are_told_with_their_places(void)
{
    static const struct refused TABLE[] = {
        {"", "", "let a;\nconst b = ;", "Uncaught SyntaxError: Unexpected \";\"",
         "    at index.js:2:10", ""},
        {"", "", "let a;\nlet a;export default a",
         "Uncaught SyntaxError: The symbol \"a\" has already been declared", "    at index.js:2:4",
         ""},
        {"", "", "import './x.js'", "Uncaught Error: No such module \"x.js\".",
         "  imported from \"index.js\"\n    at index.js:1:7", "Upload it"},
        {"", "", "import x from 'lodash'", "Uncaught Error: No such module \"lodash\".",
         "  imported from \"index.js\"\n    at index.js:1:14", "Upload it"},
        {"", "", "import 'node:none'", "Uncaught Error: No such module \"node:none\".",
         "  imported from \"index.js\"\n    at index.js:1:7", "nodejs_compat"},
        {"nodejs_compat", "2024-01-01", "import 'fs'", "Uncaught Error: No such module \"fs\".",
         "  imported from \"index.js\"\n    at index.js:1:7", "Write \"node:fs\""},
        {"nodejs_compat", "2025-01-01", "import 'node:none'",
         "Uncaught Error: No such module \"node:none\".",
         "  imported from \"index.js\"\n    at index.js:1:7", "This node does not have"},
        {"", "", "import 'cloudflare:workers/none'",
         "Uncaught Error: No such module \"cloudflare:workers/none\".",
         "  imported from \"index.js\"\n    at index.js:1:7", ""},
        {"", "", "import 'cloudflare:none'", "Uncaught Error: No such module \"cloudflare:none\".",
         "  imported from \"index.js\"\n    at index.js:1:7", ""},
        {"", "", "import '/etc/hostname'", "Uncaught Error: No such module \"/etc/hostname\".",
         "  imported from \"index.js\"", ""},
        {"", "", "import { none } from './dep.js'; export default none",
         "Uncaught SyntaxError: The requested module does not provide an export named 'none'",
         "    at index.js:1:9", ""},
        {"", "", "import { None } from 'cloudflare:workers'; export default None",
         "Uncaught SyntaxError: The requested module does not provide an export named 'None'",
         "    at index.js:1:9", ""},
    };

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        const struct refused *one = &TABLE[i];
        begin(ALL("index.js", ESM, one->code, "dep.js", ESM, "export const a = 1"));
        flags = one->flags;
        date = one->date;
        CHECK(make() == ERR_INVALID);
        if (strcmp(err.text, one->text) != 0 ||
            (one->detail ? !detail || strcmp(detail, one->detail) != 0 : detail != NULL) ||
            !strstr(err.hint, one->hint)) {
            test_failed_checks++;
            printf("  %s: %s\n%s\n%s\n", one->code, err.text, detail ? detail : "-", err.hint);
        }
        end();
    }
    flags = NULL;
    date = "2026-01-01";
}

static void imports_that_happen_late_fail_late(void)
{
    begin(ALL("src/index.js", ESM,
              "export default { fetch: async () => { await import( /* x */ './none.js');\n"
              "await import('nowhere'); await import('node:fs'); } }",
              "src/dep.js", ESM, ""));
    main_name = "src/index.js";
    CHECK(make() == 0);
    CHECK(file_has("worker.js", "No such module \"src/none.js\".\\n  imported from"));
    CHECK(file_has("worker.js", "No such module \"nowhere\"."));
    CHECK(file_has("worker.js", "No such module \"node:fs\"."));
    main_name = "index.js";
    end();
    /* Names below one another, in whichever order the bundler tries them. */
    for (int i = 0; i < 12; i++) {
        begin(ALL("index.js", ESM,
                  "import 'cloudflare:workers'; export default { fetch: async () => {"
                  "await import('nowhere/sub'); await import('nowhere'); await "
                  "import('nowhere/sub/x.js');"
                  "await import('cloudflare:workers/x'); await import('a//b'); } }"));
        CHECK(make() == 0);

        CHECK(file_has("worker.js", "No such module \"nowhere\"."));
        CHECK(file_has("worker.js", "No such module \"nowhere/sub\"."));
        CHECK(file_has("worker.js", "No such module \"nowhere/sub/x.js\"."));
        CHECK(file_has("worker.js", "No such module \"cloudflare:workers/x\"."));
        CHECK(file_has("worker.js", "(\"a//b\")"));
        end();
    }
}

static void computed_names_have_a_table(void)
{
    begin(ALL("index.js", ESM, "export default { fetch: (n) => import('./' + n) }", "a/dep.js", ESM,
              "await 1; export default 'dep'", "broken.js", ESM, "import './none.js'", "t.txt",
              "text/plain", "x"));
    CHECK(make() == 0);
    CHECK(file_has("worker.js", "__corral.modules({"));
    CHECK(file_has("worker.js", "\"a/dep.js\": ()") && file_has("worker.js", "\"t.txt\": ()"));
    CHECK(file_has("worker.js", "m0: \"index.js\""));
    CHECK(file_has("worker.js", "(0, __corral.from.m0)(\"./\" + n)"));
    CHECK(!file_has("worker.js", "__require("));
    end();
    /* What only looks so is none, and stays. */
    begin(ALL("index.js", ESM,
              "export default { fetch: (n) => [/* import('./' + n) */ import( 'x' + n), `import('./' + n)`,\n"
              "import(/**/`./${n}`), x.import('./' + n)] }"));
    CHECK(make() == 0);
    CHECK(file_has("worker.js", "`import('./' + n)`") && !file_has("worker.js", "`$aa000"));
    CHECK(file_has("worker.js", "(0, __corral.from.m0)(\"x\" + n)"));
    end();
    /* Words that the code has are not taken, and lines are counted as the language counts them. */
    begin(ALL("index.js", ESM,
              "const $aa000 = 1, s = '$ab'; /*\r\xe2\x80\xa8*/ export default { fetch: (n) =>\r\n"
              "[$aa000, s, import(n), typeof require] }"));
    CHECK(make() == 0);
    CHECK(file_has("worker.js", "[$aa000, s, (0, __corral.from.m0)(n), \"undefined\"]"));
    end();
}

static void scripts_have_their_blobs_as_globals(void)
{
    begin(ALL("script", "application/javascript",
              "var n = 010; addEventListener('fetch', e => e.respondWith(new Response(T)))", "w",
              "application/wasm", "asm", "t", "application/octet-stream", "text"));
    main_name = "script";
    bindings = json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s,s:s}]", "type", "wasm_module",
                         "name", "W", "part", "w", "type", "text_blob", "name", "T", "part", "t",
                         "type", "plain_text", "name", "P", "text", "x");
    CHECK(make() == 0);
    CHECK(file_has("worker.js", "(async function (__corral, require) { __corral.script({"
                                "\"W\":__corral.wasm(\"m/0\"),\"T\":__corral.text(\"m/1\"),});"));
    json_decref(bindings);
    bindings = json_pack("[{s:s,s:s,s:s}]", "type", "wasm_module", "name", "W", "part", "none");
    linked_done(&linked);
    CHECK(make() == ERR_INVALID && strstr(err.text, "names the part \"none\""));
    json_decref(bindings);
    bindings = NULL;
    main_name = "index.js";
    end();
}

static void scripts_may_import(void)
{
    begin(ALL("script", "application/javascript",
              "import t from './t.txt';\naddEventListener('fetch', e => e.respondWith(new Response(t + B)))",
              "t.txt", "text/plain", "x", "b", "text/plain", "y"));
    main_name = "script";
    bindings = json_pack("[{s:s,s:s,s:s}]", "type", "text_blob", "name", "B", "part", "b");
    CHECK(make() == 0);
    CHECK(file_has("worker.js", "__corral.script({ \"B\": __corral.text(\"m/1\") });"));
    CHECK(file_has("worker.js", "__corral.text(\"m/0\")") && !file_has("worker.js", "__corral.main("));
    end();
    begin(ALL("script", "application/javascript",
              "var n = 010, s = `import x from 'x'`; addEventListener('fetch', () => {})", "b", "text/plain", "y"));
    CHECK(make() == 0);
    CHECK(file_has("worker.js", "var n = 8") && !file_has("worker.js", "use strict"));
    json_decref(bindings);
    bindings = NULL;
    main_name = "index.js";
    end();
}

static void python_beside_javascript_is_refused(void)
{
    begin(ALL("index.js", ESM, "export default {}", "x.py", "text/x-python", "pass"));
    CHECK(make() == ERR_INVALID && strstr(err.text, "\"x.py\" is a Python module"));
    end();
}

static void says_what_to_install(void)
{
    begin(ALL("index.js", ESM, "export default {}"));
    setenv("ESBUILD", "/nowhere/esbuild", 1);
    CHECK(make() == ERR_NOT_FOUND && strstr(err.text, "/nowhere/esbuild"));
    CHECK(strstr(err.hint, "apt install esbuild"));
    unsetenv("ESBUILD");
    CHECK(make() == 0);
    end();
}

static void who_gives_up_gets_nothing(void)
{
    begin(ALL("index.js", ESM, "export default {}"));
    atomic_store(&is_cancelled, true);
    CHECK(make() == ERR_CANCELLED);
    atomic_store(&is_cancelled, false);
    CHECK(make() == 0);
    end();
}

static void node_needs_its_flag(void)
{
    CHECK(builtin_node("2026-01-01", "") == BUILTIN_NO_NODE);
    CHECK(builtin_node("2024-09-22", "nodejs_compat") == BUILTIN_NODE_PREFIXED);
    CHECK(builtin_node("2024-09-23", "x nodejs_compat") == BUILTIN_NODE);
    CHECK(builtin_node("2024-09-23", "nodejs_compat,no_nodejs_compat_v2") == BUILTIN_NODE_PREFIXED);
    CHECK(builtin_node("", "nodejs_compat_v2") == BUILTIN_NODE);
    CHECK(builtin_node("", "nodejs_als") == BUILTIN_NODE_ASYNC_HOOKS);
}

static void names_are_cleaned(void)
{
    static const char *const TABLE[][3] = {{"./a.js", "a.js", "a.js"},
                                           {"a//b/./c", "a/b/c", "a/b/c"},
                                           {"a/../b", "b", "b"},
                                           {"../x", "../x", "__parent__/x"},
                                           {"a/../../../x", "../../x", "__parent__/__parent__/x"},
                                           {"/abs", "abs", "abs"}};

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        struct buf name = {0}, path = {0};
        CHECK(module_name(TABLE[i][0], &name, &err) == 0);
        CHECK(module_path(TABLE[i][0], &path, &err) == 0);
        CHECK(strcmp(buf_data(&name), TABLE[i][1]) == 0);
        CHECK(strcmp(buf_data(&path), TABLE[i][2]) == 0);
        buf_done(&name);
        buf_done(&path);
    }
    for (const char *const *bad =
             (const char *const[]){"", "..", ".", "a/..", "../../../../../../../../../x", NULL};
         *bad; bad++) {
        struct buf name = {0};
        CHECK(module_name(*bad, &name, &err) == ERR_INVALID);
        buf_done(&name);
    }
}

static void memory_that_is_short_is_told(void)
{
    begin(ALL("index.js", ESM, "export default {}", "a.txt", "text/plain", "x"));
    for (long n = 0; n < 400; n += 7) {
        int r;
        mem_fail_after(n);
        r = make();
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM || r == ERR_SYSTEM);
        if (r == 0)
            break;
    }
    CHECK(linked.folder || make() == 0);
    end();
}

static const struct test TESTS[] = {
    {"links_modules_of_all_kinds", links_modules_of_all_kinds},
    {"source_maps_of_uploads_lead_to_their_sources", source_maps_of_uploads_lead_to_their_sources},
    {"what_is_linked_is_kept_and_held", what_is_linked_is_kept_and_held},
    {"errors_are_told_with_their_places", errors_are_told_with_their_places},
    {"imports_that_happen_late_fail_late", imports_that_happen_late_fail_late},
    {"computed_names_have_a_table", computed_names_have_a_table},
    {"scripts_have_their_blobs_as_globals", scripts_have_their_blobs_as_globals},
    {"scripts_may_import", scripts_may_import},
    {"python_beside_javascript_is_refused", python_beside_javascript_is_refused},
    {"says_what_to_install", says_what_to_install},
    {"who_gives_up_gets_nothing", who_gives_up_gets_nothing},
    {"node_needs_its_flag", node_needs_its_flag},
    {"names_are_cleaned", names_are_cleaned},
    {"memory_that_is_short_is_told", memory_that_is_short_is_told},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return test_main("link_link", TESTS, argc, argv);
}
