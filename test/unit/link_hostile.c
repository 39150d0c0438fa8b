/* link_hostile.c - src/link: uploads that want the machine's files, its memory or its time. */
#include "link/link.h"

#include <sys/wait.h>

#include "base/buf.h"
#include "base/helper.h"
#include "base/mem.h"
#include "link/modules.h"
#include "project_tree.h"
#include "test.h"
#include "text/value.h"

#define ESM   "application/javascript+module"
#define MAP   "application/source-map"
#define HELLO "export default {}"

static struct link_limits limits;
static const char *flags;
static struct linked linked;
static char *detail;
static struct err err;

static void put(json_t *parts, const char *name, const char *type, const char *text)
{
    struct buf path = {0}, file = {0};

    CHECK(module_path(name, &path, &err) == 0);
    CHECK(buf_print(&file, "bundle/%s", buf_data(&path)) == 0);
    tree_put(buf_data(&file), text);
    json_array_append_new(
        parts, json_pack("{s:s,s:s,s:s}", "name", name, "type", type, "path", buf_data(&path)));
    buf_done(&path);
    buf_done(&file);
}

/* name, type, text, ... */
static void begin(const char *const *all)
{
    json_t *parts;
    char *text;

    tree_open();
    value_init();
    parts = json_array();
    for (; *all; all += 3)
        put(parts, all[0], all[1], all[2]);
    text = json_dumps(parts, 0);
    tree_put("parts.json", text);
    mem_free(text);
    json_decref(parts);
}

#define ALL(...)                                                                                   \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static int make(void)
{
    char home[PATH_MAX + 16], folder[PATH_MAX + 16], parts[PATH_MAX + 16];
    const struct link_ask ask = {.worker_program = tree_worker(),
                                 .home = home,
                                 .folder = folder,
                                 .parts = parts,
                                 .hash = "a",
                                 .main = "index.js",
                                 .date = "2026-01-01",
                                 .flags = flags,
                                 .limits = limits};

    snprintf(home, sizeof home, "%s/data/linked", tree_path);
    snprintf(folder, sizeof folder, "%s/bundle", tree_path);
    snprintf(parts, sizeof parts, "%s/parts.json", tree_path);
    err = (struct err){0};
    mem_free(detail);
    detail = NULL;
    return link_make(&ask, &linked, &detail, &err);
}

static void end(void)
{
    linked_done(&linked);
    mem_free(detail);
    detail = NULL;
    limits = (struct link_limits){0};
    tree_close();
}

static bool file_has(const char *name, const char *what)
{
    char path[2 * PATH_MAX], *text = mem_alloc(1 << 20);
    FILE *f;
    bool has;

    snprintf(path, sizeof path, "%s/%s", linked.folder ? linked.folder : "", name);
    f = fopen(path, "r");
    text[f ? fread(text, 1, (1 << 20) - 1, f) : 0] = '\0';
    if (f)
        fclose(f);
    has = strstr(text, what) != NULL;
    mem_free(text);
    return has;
}

/* What is told, and what the linked worker is, hold no path of this machine. */
static void tells_nothing_of_the_machine(const char *name)
{
    const char *folder = strrchr(tree_path, '/') + 1;
    bool tells = strstr(err.text, folder) || strstr(err.text, ".stage-") ||
                 (detail && (strstr(detail, folder) || strstr(detail, ".stage-"))) ||
                 strstr(err.text, "goroutine") || file_has("worker.js", folder) ||
                 file_has("worker.js.map", folder) || file_has("worker.js", "/.stage-") ||
                 file_has("worker.js.map", "/.stage-");

    if (tells)
        printf("  %s: %s\n%s\n", name, err.text, detail ? detail : "");
    CHECK(!tells);
}

/* The whole box, and the least of it: what a node has where it can have no more. */
static const char *const BOXES[] = {"seccomp,landlock", "seccomp"};

struct wanted {
    const char *code;
    int result;
    const char *text; /* of the error */
};

static void files_of_the_machine_come_into_no_worker(void)
{
    static const struct wanted TABLE[] = {
        {"import x from '/SECRET.js'; export default x", ERR_INVALID, "No such module \"/"},
        {"import x from '/SECRET'; export default x", ERR_INVALID, "No such module \"/"},
        {"import x from '../../../../../../../../../../SECRET.js'; export default x", ERR_INVALID,
         "No such module \""},
        {"export default () => import('/SECRET.js')", ERR_INVALID, "No such module \"/"},
        {"import x from 'file:///SECRET.js'; export default x", ERR_INVALID,
         "No such module \"file:///"},
        {"import x from 'http://127.0.0.1:1/x.js'; export default x", ERR_INVALID,
         "No such module \"http://127.0.0.1:1/x.js\""},
        {"export { x } from 'https://127.0.0.1:1/x.js'", ERR_INVALID,
         "No such module \"https://127.0.0.1:1/x.js\""},
        {"import x from '//127.0.0.1:1/x.js'; export default x", ERR_INVALID, "No such module \""},
        {"import x from 'data:text/javascript,export default 1'; export default x", ERR_INVALID,
         "No such module \"data:text/javascript,export default 1\""},
        {"export default () => import('https://127.0.0.1:1/x.js')", 0, ""},
        {"import x from 'mine'; export default x", ERR_INVALID, "No such module \"mine\""},
        {"import x from './a\\0b.js'; export default x", ERR_INVALID, "No such module \"a"},
        {"import x from '\\ud800'; export default x", ERR_INVALID, "No such module \""},
        {"import x from './\\n.js'; export default x", ERR_INVALID, "No such module \""},
        {"import x from './'; export default x", ERR_INVALID, "No such module \""},
        {"import x from '.'; export default x", ERR_INVALID, "No such module \""},
        {"import x from ''; export default x", ERR_INVALID, "No such module \""},
        {"export default 1\n//# sourceMappingURL=../../../../../../../../../../SECRET.map", 0, ""},
        {"export default 1\n//# sourceMappingURL=/SECRET.map", 0, ""},
        {"export default 1\n//# sourceMappingURL=file:///SECRET.map", 0, ""},
        {"export default 1\n/*@ sourceMappingURL=%2e./%2e./../../../../../../../../SECRET.map */",
         0, ""},
    };
    char path[PATH_MAX];

    for (size_t b = 0; b < sizeof BOXES / sizeof *BOXES; b++) {
        helper_use_box(BOXES[b]);
        for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
            const char *secret = strstr(TABLE[i].code, "/SECRET");
            struct buf code = {0};
            int r;
            begin(ALL("b.js", ESM, HELLO));
            CHECK(buf_print(&code, "%.*s%s%s", (int)(secret ? secret - TABLE[i].code : 9999),
                            TABLE[i].code, secret ? tree_path : "", secret ? secret : "") == 0);
            tree_put("SECRET", "export default 'the secret'");
            tree_put("SECRET.js", "export default 'the secret'");
            tree_put("node_modules/mine/index.js", "export default 'the secret'");
            tree_put("node_modules/mine/package.json", "{\"main\": \"index.js\"}");
            tree_put(
                "SECRET.map",
                "{\"version\":3,\"sources\":[\"the secret\"],\"sourcesContent\":[\"the secret\"],"
                "\"names\":[],\"mappings\":\"AAAA\"}");
            tree_put("bundle/index.js", buf_data(&code));
            snprintf(path, sizeof path,
                     "[{\"name\":\"index.js\",\"type\":\"" ESM "\",\"path\":\"index.js\"}]");
            tree_put("parts.json", path);
            r = make();
            if (r != TABLE[i].result || !strstr(err.text, TABLE[i].text) ||
                file_has("worker.js", "the secret") || file_has("worker.js.map", "the secret")) {
                printf("  %s, %s: %d %s\n", BOXES[b], TABLE[i].code, r, err.text);
                test_failed_checks++;
            }
            if (!secret)
                tells_nothing_of_the_machine(TABLE[i].code);
            buf_done(&code);
            end();
        }
    }
    helper_use_box("seccomp");
}

static void uploads_change_nothing_of_the_bundler(void)
{
    begin(ALL(
        "index.js", ESM,
        "import a from './lib/x.js'; import b from './sub/y.js'; import json from "
        "'./package.json';\n"
        "export default [a, b, json, <T>1]",
        "package.json", "application/json",
        "{\"browser\":{\"./lib/x.js\":\"/etc/hostname\"},\"imports\":{\"#a\":\"/etc/hostname\"},"
        "\"sideEffects\":false,\"type\":\"commonjs\"}",
        "lib/x.js", ESM, "export default 'the right one'", "sub/y.js", ESM, "export default 2",
        "sub/package.json", "application/json", "{\"main\":\"/etc/hostname\"}"));
    CHECK(make() == ERR_INVALID && strstr(err.text, "SyntaxError")); /* JSX is none of JavaScript */
    end();
    begin(ALL("index.js", ESM,
              "import a from './lib/x.js'; import b from './sub/y.js'; import json from "
              "'./package.json';\n"
              "export default [a, b, json]; export class C { field = 1 }",
              "package.json", "application/json",
              "{\"browser\":{\"./lib/x.js\":\"/etc/"
              "hostname\"},\"sideEffects\":false,\"type\":\"commonjs\"}",
              "tsconfig.json", "application/json",
              "{\"extends\":\"/etc/"
              "passwd\",\"compilerOptions\":{\"target\":\"es5\",\"paths\":{\"*\":[\"/etc/"
              "hostname\"]},\"jsx\":\"preserve\",\"useDefineForClassFields\":false}}",
              "jsconfig.json", "application/json", "{\"extends\":\"/dev/zero\"}", ".pnp.cjs", ESM,
              "broken(", ".pnp.data.json", "application/json", "[[[", ".browserslistrc",
              "text/plain", "ie 6", "lib/x.js", ESM,
              "globalThis.effect = 1; export default 'the right one'", "sub/y.js", ESM,
              "export default 2", "sub/package.json", "application/json",
              "{\"main\":\"/etc/hostname\"}", "node_modules/z/package.json", "application/json",
              "{\"main\":\"../../../../../../../../etc/hostname\"}"));
    CHECK(make() == 0);
    if (err.text[0])
        printf("  %s\n%s\n", err.text, detail ? detail : "");
    CHECK(file_has("worker.js", "the right one") && file_has("worker.js", "effect = 1"));
    CHECK(file_has("worker.js", "field = 1") && file_has("worker.js", "__corral.json("));
    end();
}

static void names_lead_nowhere_else(void)
{
    static const struct {
        const char *name;
        int result;
    } TABLE[] = {{"a b.js", 0},
                 {"\xc3\xbc\xe2\x82\xac.js", 0},
                 {"x\ny.js", 0},
                 {"x\\y.js", 0},
                 {"-.js", 0},
                 {"--bundle", 0},
                 {"/etc/x.js", 0},
                 {"../.ours/entry.js", 0},
                 {"../u/.ours/entry.js", 0},
                 {".ours/entry.js", 0},
                 {"x/../../y.js", 0},
                 {"a.b=c", ERR_INVALID},
                 {"*.js", 0},
                 {"?x.js", 0},
                 {"#x.js", 0},
                 {"../../u/x.js", 0}};

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        int r;
        begin(ALL("index.js", ESM, HELLO, TABLE[i].name, ESM, "export default 'of it'"));
        r = make();
        if (r != TABLE[i].result)
            printf("  %s: %d %s\n%s\n", TABLE[i].name, r, err.text, detail ? detail : "");
        CHECK(r == TABLE[i].result);
        tells_nothing_of_the_machine(TABLE[i].name);
        end();
    }
}

/* A name that no file can have. */
static void names_that_are_too_long_are_refused(void)
{
    char name[400];

    memset(name, 'n', sizeof name);
    memcpy(name + sizeof name - 4, ".js", 4);
    begin(ALL("index.js", ESM, HELLO));
    tree_put("bundle/long", HELLO);
    {
        char parts[800];
        snprintf(parts, sizeof parts,
                 "[{\"name\":\"index.js\",\"type\":\"" ESM "\"},{\"name\":\"%s\",\"type\":\"" ESM
                 "\",\"path\":\"long\"}]",
                 name);
        tree_put("parts.json", parts);
    }
    CHECK(make() == ERR_INVALID);
    CHECK(strstr(err.text, "is too long"));
    tells_nothing_of_the_machine("long");
    end();
}

static char *many(const char *start, const char *piece, size_t count, const char *ending)
{
    const size_t n = strlen(piece), before = strlen(start), after = strlen(ending);
    char *text = mem_alloc(before + n * count + after + 1), *at = text + before;

    memcpy(text, start, before);
    for (size_t i = 0; i < count; i++, at += n)
        memcpy(at, piece, n);
    memcpy(at, ending, after + 1);
    return text;
}

struct costly {
    const char *name, *start, *piece;
    size_t count;
    const char *end;
    struct link_limits limits;
    const char *text;
};

/* With lowered limits, so that it is cheap. */
static void what_costs_too_much_is_told_in_words(void)
{
    static const struct link_limits SMALL = {.timeout_ms = 20000, .memory_bytes = 900u << 20},
                                    SHORT = {.timeout_ms = 300}, FEW = {.output_bytes = 300000};
    const struct costly TABLE[] = {
        {"parentheses", "x = ", "(", 1000000, "", SMALL, "more memory than it may"},
        {"arrays", "x = ", "[", 3000000, "", SMALL, "more memory than it may"},
        {"arrows", "x = ", "()=>", 1000000, "1", SMALL, "more memory than it may"},
        {"sums", "x = ", "1+", 3000000, "1", SMALL, "more memory than it may"},
        {"duplicates", "", "let a;\n", 300000, "", SHORT, "takes longer than 300 ms"},
        {"output", HELLO "; x = \"", "abcdefghij", 60000, "\"", FEW, "the result is too large"},
        {"blocks", HELLO ";", "{", 3000, "x()", {0}, "Unexpected end of file"},
    };

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        const struct costly *one = &TABLE[i];
        char *text = many(one->start, one->piece, one->count, one->end);
        begin(ALL("index.js", ESM, text));
        limits = one->limits;
        int r = make();
        if (r != (i == 6 ? ERR_INVALID : ERR_LIMIT) || !strstr(err.text, one->text))
            printf("  %s: %d %s\n", one->name, r, err.text);
        CHECK(r == (i == 6 ? ERR_INVALID : ERR_LIMIT) && strstr(err.text, one->text));
        tells_nothing_of_the_machine(one->name);
        mem_free(text);
        end();
    }
}

static void hostile_source_maps_cost_only_themselves(void)
{
    static const struct link_limits SMALL = {.timeout_ms = 20000, .memory_bytes = 900u << 20};
    static const char *const TABLE[] = {
        "",
        "[",
        "{}",
        "null",
        "{\"version\":3}",
        "{\"version\":3,\"sources\":5,\"mappings\":7}",
        "{\"version\":3,\"sources\":[\"a\"],\"names\":[],\"mappings\":\"AAAA,"
        "gggggggggggggggggggggE,!\"}",
        "{\"version\":3,\"sources\":[null,1,{}],\"names\":[],\"mappings\":\"AAAA,DDDD,AZZZ\"}",
        "{\"version\":3,\"sections\":[{\"offset\":{\"line\":0,\"column\":0},\"url\":\"/etc/"
        "passwd\"}],\"mappings\":\"\"}",
        "{\"version\":3,\"sourceRoot\":\"/etc\",\"sources\":[\"../../../../../../../../../etc/"
        "passwd\"],\"names\":[],\"mappings\":\"AAAA\"}"};
    char *text;

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        begin(ALL("index.js", ESM, HELLO "\n//# sourceMappingURL=index.js.map", "index.js.map", MAP,
                  TABLE[i]));
        CHECK(make() == 0);
        CHECK(!file_has("worker.js.map", "root:"));
        tells_nothing_of_the_machine(TABLE[i]);
        end();
    }
    /* More names of sources than a map may have: it is left out. */
    text = many("{\"version\":3,\"names\":[],\"mappings\":\"AAAA\",\"sources\":[\"a\"", ",\"b\"",
                300000, "]}");
    begin(ALL("index.js", ESM, HELLO "\n//# sourceMappingURL=index.js.map", "index.js.map", MAP,
              text));
    CHECK(make() == 0);
    CHECK(file_has("worker.js", "__corral.main("));
    mem_free(text);
    end();
    text = many("", "[", 3000000, "");
    begin(ALL("index.js", ESM, HELLO "\n//# sourceMappingURL=index.js.map", "index.js.map", MAP,
              text));
    limits = SMALL;
    CHECK(make() == ERR_LIMIT);
    tells_nothing_of_the_machine("nested map");
    mem_free(text);
    end();
}

static void circles_are_linked(void)
{
    begin(ALL("index.js", ESM,
              "import './a.js'; import * as self from './index.js'; export default self", "a.js",
              ESM, "export * from './b.js'; import './index.js'; export const a = 1", "b.js", ESM,
              "export * from './a.js'; export * from './b.js'; await import('./index.js')"));
    CHECK(make() == 0);
    if (err.text[0])
        printf("  %s\n", err.text);
    end();
}

static void node_is_there_in_an_upload(void)
{
    begin(ALL("index.js", ESM,
              "import { Buffer } from 'node:buffer'; import path from 'path'; import crypto from "
              "'crypto';\n"
              "export default [Buffer, path, crypto]"));
    flags = "nodejs_compat";
    CHECK(make() == 0);
    CHECK(!file_has("worker.js", "the secret") && file_has("worker.js.map", "corral:node/buffer"));
    tells_nothing_of_the_machine("node");
    flags = NULL;
    end();
}

/* Both have it whole, and nothing is left of the slower one. */
static void two_processes_link_one_hash(void)
{
    pid_t children[3];
    int status;

    begin(ALL("index.js", ESM, HELLO));
    for (size_t i = 0; i < sizeof children / sizeof *children; i++) {
        fflush(stdout);
        children[i] = fork();
        if (children[i] == 0)
            _exit(make() == 0 && file_has("worker.js", "__corral.main(") ? 0 : 1);
    }
    for (size_t i = 0; i < sizeof children / sizeof *children; i++)
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
    CHECK(make() == 0);
    CHECK(system("test $(ls -A data/linked | wc -l) = 1") == 0);
    end();
}

/* What is named by its hash is whole, whenever who makes it is killed. */
static void who_is_killed_leaves_nothing_by_its_name(void)
{
    char *wide = many("", "data", 500000, "");

    begin(ALL("index.js", ESM, "import t from './t.txt'; export default t", "t.txt", "text/plain",
              wide));
    for (unsigned ms = 1; ms < 120; ms += 9) {
        int status;
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            (void)!make();
            _exit(0);
        }
        usleep(ms * 1000);
        kill(child, SIGKILL);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(system("for d in data/linked/[0-9a-f]*; do test ! -e $d || { test -s $d/worker.js && "
                     "test $(wc -c < $d/m/0) = 2000000 && rm -r $d; }; done") == 0);
    }
    CHECK(make() == 0 && file_has("worker.js", "__corral.text("));
    mem_free(wide);
    end();
}

static const struct test TESTS[] = {
    {"files_of_the_machine_come_into_no_worker", files_of_the_machine_come_into_no_worker},
    {"uploads_change_nothing_of_the_bundler", uploads_change_nothing_of_the_bundler},
    {"names_lead_nowhere_else", names_lead_nowhere_else},
    {"names_that_are_too_long_are_refused", names_that_are_too_long_are_refused},
    {"what_costs_too_much_is_told_in_words", what_costs_too_much_is_told_in_words},
    {"hostile_source_maps_cost_only_themselves", hostile_source_maps_cost_only_themselves},
    {"circles_are_linked", circles_are_linked},
    {"node_is_there_in_an_upload", node_is_there_in_an_upload},
    {"two_processes_link_one_hash", two_processes_link_one_hash},
    {"who_is_killed_leaves_nothing_by_its_name", who_is_killed_leaves_nothing_by_its_name},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return test_main("link_hostile", TESTS, argc, argv);
}
