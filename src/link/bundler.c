/* bundler.c - see bundler.h.  Called by: link.c. */
#include "link/bundler.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/helper.h"
#include "base/mem.h"
#include "link/inputs.h"
#include "link/late.h"
#include "link/map.h"
#include "link/said.h"
#include "link/script.h"
#include "link/statics.h"
#include "text/value.h"

enum {
    TRIES = 4,
    OUTPUT_MAX = 256 * 1024, /* of what it says: more is not read */
    ENDS_MAX = 500,          /* different ends of names */
    TELL_MAX = 5,            /* errors that are told */
    NAME_PLAIN = 200,        /* bytes of a name that is a path, too */
};

#define OURS   BUNDLING_OURS
#define ENTRY  OURS "entry.js"
#define SCRIPT OURS "script.js"
/* Ours have an end of their own, which the bundler tries by itself: the alias of "node:path" is
 * taken for what begins "node:path/posix", too, and then leads to the right file. */
#define END ".builtin"
/* process.getBuiltinModule(): the bundles of wrangler ask by it for what they fill up. */
#define BUILTINS    "getBuiltinModule"
#define ASYNC_HOOKS "/in/" OURS "node/async_hooks" END

int bundling_quote(struct buf *out, const char *text)
{
    json_t *value = json_string(text);
    char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    int r = quoted ? buf_append(out, quoted, strlen(quoted)) : ERR_NOMEM;

    mem_free(quoted);
    json_decref(value);
    return r;
}

/* ---- writing the stage ---- */

/* A line of JavaScript for what is none. */
static int shim_of(const struct module *m, struct buf *out, struct err *err)
{
    static const char *const CALLS[] = {[MODULE_WASM] = "wasm",
                                        [MODULE_TEXT] = "text",
                                        [MODULE_JSON] = "json",
                                        [MODULE_DATA] = "data"};

    if (buf_print(out, "export default __corral.%s(\"m/%d\");\n", CALLS[m->kind], m->number) < 0)
        return err_nomem(err);
    return 0;
}

static int write_module(struct bundling *b, const struct module *m, struct err *err)
{
    struct buf text = {0};
    int r = 0;

    if (m->number >= 0)
        r = shim_of(m, &text, err);
    else
        r = stage_read(b->files, m->path, LINK_OUTPUT_MAX, &text, err);
    if (r == 0 && module_is_code(m->kind) &&
        memmem(buf_data(&text), buf_len(&text), BUILTINS, sizeof BUILTINS - 1))
        b->has_builtins = true;
    if (r == 0 && module_is_code(m->kind) &&
        statics_rewrite((char *)buf_data(&text), buf_len(&text)))
        b->has_static_blocks = true;
    if (r == 0 && module_is_code(m->kind))
        map_disarm((char *)buf_data(&text), buf_len(&text), m->name, b->modules);
    /* What says nothing of module and exports is CommonJS all the same. */
    if (r == 0 && m->kind == MODULE_COMMONJS && !b->is_script && buf_print(&text, "\n;module;") < 0)
        r = err_nomem(err);
    if (r == 0 && module_is_code(m->kind) && !b->is_script)
        r = late_rewrite_relative(b, m, &text, err);
    if (r == 0)
        r = stage_module(b->stage, b->modules->up, m->name, buf_span(&text), err);
    buf_done(&text);
    return r;
}

static int add_alias(struct bundling *b, const char *name, const char *place, struct err *err)
{
    if (buf_print(&b->aliases, "--alias:%s=%s/in/%s", name, b->stage->path, place) < 0 ||
        buf_append(&b->aliases, "", 1) < 0)
        return err_nomem(err);
    return 0;
}

static int write_builtin(struct bundling *b, const struct builtin_file *file, struct err *err)
{
    struct buf place = {0}, path = {0};
    char name[128];
    int r;

    if (!builtin_name(file, name, sizeof name) || !builtin_is_there(file, b->node))
        return 0;
    r = buf_print(&place, OURS "%.*s", (int)(strlen(file->name) - strlen(".js")), file->name);
    r = r < 0 ? r : buf_print(&path, "%s" END, buf_data(&place));
    r = r < 0 ? err_nomem(err)
              : stage_write(b->stage, buf_data(&path), (struct span){file->data, file->len}, err);
    if (r == 0)
        r = add_alias(b, name, buf_data(&place), err);
    if (r == 0 && b->node == BUILTIN_NODE && builtin_has_bare_name(file))
        r = add_alias(b, name + strlen("node:"), buf_data(&place), err);
    buf_done(&place);
    buf_done(&path);
    return r;
}

int bundling_import(const struct bundling *b, const char *name, struct buf *out)
{
    struct buf path = {0};
    int r = buf_print(&path, "../");

    r = r < 0 ? r : module_place(b->modules->up, name, &path);
    r = r < 0 ? r : bundling_quote(out, buf_data(&path));
    buf_done(&path);
    return r;
}

static int write_entry(struct bundling *b, bool has_table, struct err *err)
{
    struct buf text = {0};
    const bool has_globals = b->node == BUILTIN_NODE || b->node == BUILTIN_NODE_PREFIXED;
    int r = buf_print(&text, "%s%s%simport %s",
                      has_globals ? "import \"node:internal/globals\";\n" : "",
                      has_globals && b->has_builtins ? "import \"node:internal/builtins\";\n" : "",
                      has_table ? "import \"./table.js\";\n" : "",
                      b->is_importing ? "\"./script.js\";\nimport " : "* as main from ");

    r = r < 0 ? r : bundling_import(b, b->main->name, &text);
    r = r < 0 ? r : buf_print(&text, b->is_importing ? ";\n" : ";\n__corral.main(main);\n");
    r = r < 0 ? err_nomem(err) : stage_rewrite(b->stage, ENTRY, buf_span(&text), err);
    buf_done(&text);
    return r;
}

/* Of a script, the others are written when it turns out that it imports. */
static bool is_due(const struct bundling *b, const struct module *m)
{
    const bool is_of_script = m == b->main || m->kind == MODULE_MAP;

    return b->is_importing ? !is_of_script : !b->is_script || is_of_script;
}

static int write_stage(struct bundling *b, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < b->modules->count && r == 0; i++) {
        const struct module *m = &b->modules->items[i];
        if (m->kind == MODULE_PYTHON)
            r = err_set(err, ERR_INVALID,
                        "\"%.200s\" is a Python module, which a JavaScript worker cannot import: "
                        "name a .py file as the main module, or leave it out",
                        m->name);
        else if (is_due(b, m))
            r = write_module(b, m, err);
    }
    for (const struct builtin_file *f = builtin_files; f->name && !b->is_script && r == 0; f++)
        r = write_builtin(b, f, err);
    if (r == 0 && !b->is_importing)
        r = stage_write(b->stage, OURS "tsconfig.json", SPAN("{}\n"), err);
    return r < 0 || b->is_script ? r : write_entry(b, false, err);
}

/* A script that has turned out to import: a module with globals. */
static int write_importing(struct bundling *b, struct err *err)
{
    struct buf globals = {0}, text = {0};
    int r = script_globals(b, &globals, err);

    b->is_importing = true;
    b->is_script = false;
    if (r == 0 && buf_print(&text, "__corral.script({%.*s});\n", SPAN_ARG(buf_span(&globals))) < 0)
        r = err_nomem(err);
    r = r < 0 ? r : stage_write(b->stage, SCRIPT, buf_span(&text), err);
    r = r < 0 ? r : write_stage(b, err);
    buf_done(&globals);
    buf_done(&text);
    return r;
}

/* ---- its arguments ---- */

struct arguments {
    struct buf texts; /* NUL behind each */
    size_t count;
    int r; /* ERR_NOMEM */
};

static void add(struct arguments *a, const char *fmt, const char *text)
{
    if (a->r == 0)
        a->r = buf_print(&a->texts, fmt, text);
    if (a->r == 0)
        a->r = buf_append(&a->texts, "", 1);
    a->count++;
}

static bool has_text(const struct buf *texts, const char *text)
{
    const char *at = buf_data(texts), *end = at + buf_len(texts);

    for (; at < end; at += strlen(at) + 1)
        if (strcmp(at, text) == 0)
            return true;
    return false;
}

/* What a name ends with, in the bundler's eyes. */
static const char *end_of(const char *name)
{
    const char *slash = strrchr(name, '/'), *dot = strrchr(slash ? slash : name, '.');

    return dot ? dot : "";
}

/* Everything that lies in the stage is JavaScript, whatever it is called. */
static int add_loaders(const struct bundling *b, struct arguments *a, struct err *err)
{
    struct buf done = {0};
    size_t count = 0;
    char option[300];
    int r = 0;

    for (size_t i = 0; i < b->modules->count && r == 0; i++) {
        const struct module *m = &b->modules->items[i];
        const char *end = end_of(m->name);
        if (m->kind == MODULE_MAP)
            continue;
        snprintf(option, sizeof option, "--loader:%s=js", end);
        if (has_text(&done, option))
            continue;
        if (strchr(end, '=') || strlen(end) > 255)
            r = err_set(err, ERR_INVALID, "the name of a module cannot end with '%.200s'", end);
        else if (++count > ENDS_MAX)
            r = err_set(err, ERR_LIMIT, "names of modules end in more than %d ways", ENDS_MAX);
        else if (buf_append(&done, option, strlen(option) + 1) < 0)
            r = err_nomem(err);
        add(a, "%s", option);
    }
    buf_done(&done);
    return r;
}

static int add_ways(const struct bundling *b, struct arguments *a, struct err *err)
{
    struct buf globals = {0};
    int r = 0;

    if (b->is_script) {
        r = script_globals(b, &globals, err);
        add(a, "--banner:js=(async function (__corral, require) { __corral.script({%s});",
            buf_data(&globals));
        buf_done(&globals);
        return r;
    }
    add(a, "%s", "--bundle");
    add(a, "%s", "--format=esm");
    add(a, "%s", "--platform=neutral");
    add(a, "%s", "--main-fields=main");
    add(a, "--metafile=%s/out/meta.json", b->stage->path);
    add(a, "%s", "--resolve-extensions=" END);
    add(a, "%s", "--loader:" END "=js");
    add(a, "%s", "--supported:dynamic-import=false");
    if (b->has_static_blocks)
        add(a, "%s", "--supported:class-static-blocks=false");
    add(a, "%s", "--define:import.meta=__corral.meta");
    add(a, "--define:__corral_populate_env=%s",
        builtin_populates_env(b->ask->date, b->ask->flags) ? "true" : "false");
    add(a, "%s", "--banner:js=(async function (__corral, require) { \"use strict\";");
    for (const char *at = buf_data(&b->aliases), *end = at + buf_len(&b->aliases); at < end;
         at += strlen(at) + 1)
        add(a, "%s", at);
    return 0;
}

/* How much it says. */
static void add_log(const struct bundling *b, struct arguments *a)
{
    static const char *const ASKED[] = {SAID_LATE_ARGS};
    char number[64];

    for (size_t i = 0; b->is_asked && i < sizeof ASKED / sizeof *ASKED; i++)
        add(a, "%s", ASKED[i]);
    if (b->is_asked)
        return;
    snprintf(number, sizeof number, "--log-limit=%d", SAID_MAX);
    add(a, "%s", "--log-level=error");
    add(a, "%s", number);
}

static int add_all(const struct bundling *b, struct arguments *a, struct err *err)
{
    struct buf place = {0};
    char number[64];
    int r = module_place(b->modules->up, b->main->name, &place);

    add(a, "%s", b->ask->worker_program);
    add(a, "%s", "confine");
    add(a, "%s", helper_box());
    snprintf(number, sizeof number, "--uid=%u", b->ask->box_uid);
    if (b->ask->box_uid > 0)
        add(a, "%s", number);
    add(a, "--read=%s/in", b->stage->path);
    add(a, "--write=%s/out", b->stage->path);
    snprintf(number, sizeof number, "--memory=%llu", (unsigned long long)b->limits.memory_bytes);
    add(a, "%s", number);
    snprintf(number, sizeof number, "--file=%llu", (unsigned long long)b->limits.output_bytes);
    add(a, "%s", number);
    add(a, "%s", "--");
    add(a, "%s", b->program);
    if (a->r == 0)
        a->r = buf_print(&a->texts, "%s/in/", b->stage->path);
    add(a, "%s", b->is_script ? buf_data(&place) : ENTRY);
    add(a, "--outfile=%s/out/worker.js", b->stage->path);
    add(a, "--tsconfig=%s/in/" OURS "tsconfig.json", b->stage->path);
    add(a, "%s", "--target=esnext");
    add(a, "%s", "--charset=utf8");
    add(a, "%s", "--sourcemap=external");
    add(a, "--sources-content=%s", b->ask->has_sources ? "true" : "false");
    add(a, "%s", "--legal-comments=none");
    add_log(b, a);
    add(a, "%s", "--color=false");
    add(a, "%s", "--footer:js=})");
    buf_done(&place);
    if (r < 0)
        return err_nomem(err);
    r = add_ways(b, a, err);
    r = r < 0 ? r : add_loaders(b, a, err);
    return r < 0 || a->r == 0 ? r : err_nomem(err);
}

/* ---- one run ---- */

static int take_output(void *self, struct span bytes, struct err *err)
{
    struct buf *said = self;

    if (buf_len(said) + bytes.len > OUTPUT_MAX)
        bytes.len = OUTPUT_MAX - buf_len(said);
    return buf_append(said, bytes.data, bytes.len) < 0 ? err_nomem(err) : 0;
}

/* What the modules made it say of itself, with the machine's paths, is for nobody; what kept it from
 * its work is. */
static bool is_of_modules(const char *words)
{
    static const char *const STARTS[] = {"\xe2", "panic", "fatal", "runtime", "goroutine"};

    for (size_t i = 0; i < sizeof STARTS / sizeof *STARTS; i++)
        if (strncmp(words, STARTS[i], strlen(STARTS[i])) == 0)
            return true;
    return false;
}

static int read_said(const struct bundling *b, struct span output, int exit_status, int signal,
                     struct said *ret, struct err *err)
{
    const char *words = output.len > 0 ? output.data : "", *what = said_too_much(output, signal);
    int r = what ? err_set(err, ERR_LIMIT, "linking the modules takes %s", what)
                 : said_read(output, b->stage->path, ret, err);

    if (r < 0 || ret->count > 0)
        return r;
    if (signal)
        return err_set(err, ERR_SYSTEM, "the bundler died of signal %d", signal);
    if (is_of_modules(words))
        return err_set(err, ERR_SYSTEM, "the bundler ended with %d", exit_status);
    return err_set(err, ERR_SYSTEM, "the bundler ended with %d: %.*s", exit_status,
                   (int)strcspn(words, "\n"), words);
}

/* 1: both files are there; 0: it says what is wrong. */
static int run(struct bundling *b, struct said *ret_said, struct err *err)
{
    struct arguments a = {0};
    struct buf output = {0}, path = {0};
    const char **argv = NULL, *at, *envp[] = {NULL, NULL};
    int exit_status = -1, signal = 0, r = add_all(b, &a, err);
    struct helper helper = {.what = "the bundler",
                            .timeout_ms = b->deadline_ms - clock_now_ms(),
                            .is_cancelled = b->ask->is_cancelled,
                            .output = take_output,
                            .self = &output,
                            .takes_words = true,
                            .ret_exit = &exit_status,
                            .ret_signal = &signal};

    *ret_said = (struct said){0};
    if (r == 0 && buf_print(&path, "NODE_PATH=%s/in/", b->stage->path) < 0)
        r = err_nomem(err);
    if (r == 0 && module_place(b->modules->up, "", &path) < 0)
        r = err_nomem(err);
    if (r == 0 && !(argv = mem_alloc((a.count + 1) * sizeof *argv)))
        r = err_nomem(err);
    at = buf_data(&a.texts);
    for (size_t i = 0; r == 0 && i < a.count; i++, at += strlen(at) + 1)
        argv[i] = at;
    envp[0] = buf_data(&path);
    helper.argv = argv;
    helper.envp = envp;
    if (r == 0)
        r = helper_run(&helper, err);
    if (r == ERR_LIMIT)
        r = err_set(err, ERR_LIMIT, "linking the modules takes longer than %lld ms",
                    (long long)b->limits.timeout_ms);
    if (r == 0)
        r = signal == 0 && exit_status == 0
                ? 1
                : read_said(b, buf_span(&output), exit_status, signal, ret_said, err);
    if (r == 1 && b->is_asked)
        r = late_rewrite(b, buf_span(&output), err) < 0 ? err->code : 1;
    mem_free(argv);
    buf_done(&a.texts);
    buf_done(&output);
    buf_done(&path);
    return r;
}

/* ---- what it says ---- */

static const char *name_of(const struct said_one *one)
{
    const char *place = one->file;

    place += strncmp(place, "in/", 3) == 0 ? 3 : 0;
    return module_of_place(place);
}

static bool is_relative(const char *spec)
{
    return spec[0] == '.' && (spec[1] == '/' || (spec[1] == '.' && spec[2] == '/'));
}

/* What a missing module is called. */
static int missing_name(const struct said_one *one, struct buf *out)
{
    struct err ignored;

    if (is_relative(one->missing) && module_resolve(name_of(one), one->missing, out, &ignored) == 0)
        return 0;
    buf_eat(out, buf_len(out));
    return buf_print(out, "%s", one->missing);
}

static void hint_missing(const struct bundling *b, const char *spec, struct err *err)
{
    if (!builtin_is_of_node(spec))
        (void)err_hint(err, "Upload it with the worker, or bundle it.");
    else if (b->node == BUILTIN_NO_NODE || b->node == BUILTIN_NODE_ASYNC_HOOKS)
        (void)err_hint(err, "Modules of Node.js need the flag \"nodejs_compat\": add it to "
                            "compatibility_flags.");
    else if (b->node == BUILTIN_NODE_PREFIXED && strncmp(spec, "node:", 5) != 0)
        (void)err_hint(
            err, "Write \"node:%.60s\", or set the compatibility date to 2024-09-23 or later.",
            spec);
    else
        (void)err_hint(err, "This node does not have that module of Node.js.");
}

/* The first one into err, the others behind it. */
static int tell(struct bundling *b, const struct said_one *one, bool is_first, struct err *err)
{
    const char *file = name_of(one);
    struct buf line = {0}, name = {0};
    int r;

    if (one->missing) {
        r = missing_name(one, &name);
        r = r < 0 ? r : buf_print(&line, "Uncaught Error: No such module \"%s\".", buf_data(&name));
    } else if (one->is_outside) {
        r = buf_print(&line, "Uncaught Error: No such module \"/%s\".", file);
    } else if (one->wanted) {
        r = buf_print(&line,
                      "Uncaught SyntaxError: The requested module does not provide an export named "
                      "'%s'",
                      one->wanted);
    } else {
        r = map_script(span_of(one->text), b->stage->name, &name, err);
        r = r < 0 ? r
                  : buf_print(&line, "Uncaught SyntaxError: %.*s", (int)buf_len(&name),
                              buf_data(&name));
    }
    if (r == 0 && is_first)
        err_set(err, ERR_INVALID, "%s", buf_data(&line));
    else if (r == 0)
        r = buf_print(&b->detail, "\n%s", buf_data(&line));
    if (r == 0 && is_first && one->missing)
        hint_missing(b, one->missing, err);
    if (r == 0 && one->missing)
        r = buf_print(&b->detail, "%s  imported from \"%s\"", buf_len(&b->detail) ? "\n" : "",
                      file);
    if (r == 0 && one->file[0] && !one->is_outside)
        r = buf_print(&b->detail, "%s    at %s:%u:%u", buf_len(&b->detail) ? "\n" : "", file,
                      one->line, one->column);
    buf_done(&line);
    buf_done(&name);
    return r < 0 ? err_nomem(err) : ERR_INVALID;
}

static int fail(struct bundling *b, const struct said *said, struct err *err)
{
    int r = ERR_INVALID;

    for (size_t i = 0; i < said->count && i < TELL_MAX && r == ERR_INVALID; i++)
        r = tell(b, &said->items[i], i == 0, err);
    return r;
}

/* ---- imports that happen while the code runs ---- */

/* Can it be an alias, and a path below a folder of ours, as it is? */
static bool is_plain(const char *name)
{
    size_t len = strlen(name), part;

    if (len > NAME_PLAIN)
        return false;
    for (const char *at = name; *at; at += part + (at[part] == '/')) {
        part = strcspn(at, "/");
        if (part == 0 || at[0] == '.' || (at[part] && !at[part + 1]))
            return false;
    }
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] <= ' ' || name[i] == '\\' || name[i] == 0x7f)
            return false;
    return true;
}

/* Where a missing name lies.  The bundler takes an alias for what begins with it, too, and
 * whichever it finds first: places are below each other as names are, so that all of them lead to
 * the same file. */
static int place_missing(const struct bundling *b, const char *name, struct buf *out)
{
    static const char OPTION[] = "--alias:";

    for (const char *at = buf_data(&b->aliases), *end = at + buf_len(&b->aliases); at < end;
         at += strlen(at) + 1) {
        const char *own = at + strlen(OPTION), *to = strchr(at, '=');
        size_t len = to ? (size_t)(to - own) : 0;
        if (strncmp(at, OPTION, strlen(OPTION)) != 0 || !to || strncmp(name, own, len) != 0 ||
            name[len] != '/')
            continue;
        return buf_print(out, "%s%s", to + 1 + strlen(b->stage->path) + strlen("/in/"), name + len);
    }
    return buf_print(out, OURS "missing/%s", name);
}

/* A module that throws, where one is missing: Cloudflare's runtime finds that out when it gets
 * there. */
static int write_missing(struct bundling *b, const struct said_one *one, struct err *err)
{
    struct buf text = {0}, name = {0}, message = {0}, place = {0};
    int r = missing_name(one, &name);

    r = r < 0 ? r
              : buf_print(&message, "No such module \"%s\".\n  imported from \"%s\"",
                          buf_data(&name), name_of(one));
    r = r < 0 ? r : buf_print(&text, "throw new Error(");
    r = r < 0 ? r : bundling_quote(&text, buf_data(&message));
    r = r < 0 ? r : buf_print(&text, ");\nexport {};\n");
    if (r == 0 && is_relative(one->missing)) {
        /* The bundler knows no end of a name but those of modules. */
        r = module_place(b->modules->up, buf_data(&name), &place);
        r = r < 0 ? err_nomem(err)
                  : stage_rewrite(b->stage, buf_data(&place), buf_span(&text), err);
        if (r == 0 && !strchr(end_of(buf_data(&name)), '=')) {
            r = buf_print(&b->aliases, "--loader:%s=js", end_of(buf_data(&name)));
            r = r < 0 || buf_append(&b->aliases, "", 1) < 0 ? err_nomem(err) : 0;
        }
    } else if (r == 0 && !is_plain(one->missing)) {
        /* No alias may be called so: `require` says that it is missing. */
        r = buf_print(&b->aliases, "--external:%s", one->missing);
        r = r < 0 || buf_append(&b->aliases, "", 1) < 0 ? err_nomem(err) : 0;
    } else if (r == 0) {
        struct buf path = {0};
        r = place_missing(b, one->missing, &place);
        r = r < 0 ? r : buf_print(&path, "%s" END, buf_data(&place));
        r = r < 0 ? err_nomem(err) : stage_write(b->stage, buf_data(&path), buf_span(&text), err);
        r = r < 0 ? r : add_alias(b, one->missing, buf_data(&place), err);
        buf_done(&path);
    } else {
        r = err_nomem(err);
    }
    buf_done(&text);
    buf_done(&name);
    buf_done(&message);
    buf_done(&place);
    return r;
}

/* Nobody needs a source map that is none: 1, it is out of the way. */
static int drop_maps(struct bundling *b, const struct said *said, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < said->count && r >= 0; i++) {
        const char *file = said->items[i].file;
        const struct module *m = modules_find(b->modules, name_of(&said->items[i]));
        if (!m || m->kind != MODULE_MAP || said->items[i].is_outside)
            continue;
        file += strncmp(file, "in/", 3) == 0 ? 3 : 0;
        r = stage_rewrite(b->stage, file, SPAN("{\"version\":3,\"sources\":[],\"mappings\":\"\"}"),
                          err);
        r = r < 0 ? r : 1;
    }
    return r;
}

/* 1: all that is wrong are imports that happen late. */
static int all_are_late(struct bundling *b, const struct said *said, struct err *err)
{
    int r = 1;

    for (size_t i = 0; i < said->count && r == 1; i++) {
        const struct said_one *one = &said->items[i];
        struct buf text = {0}, path = {0};
        if (!one->missing || one->is_outside || one->missing[0] == '/' || !one->missing[0] ||
            strchr(one->missing, '=')) {
            r = 0;
        } else if (buf_print(&path, "in/%s",
                             strncmp(one->file, "in/", 3) == 0 ? one->file + 3 : one->file) < 0) {
            r = err_nomem(err);
        } else {
            struct err ignored;
            if (stage_read(b->stage->fd, buf_data(&path), LINK_OUTPUT_MAX, &text, &ignored) < 0 ||
                !said_is_dynamic(buf_span(&text), one->line, one->column))
                r = 0;
        }
        buf_done(&text);
        buf_done(&path);
    }
    for (size_t i = 0; i < said->count && r == 1; i++) {
        bool is_again = false;
        for (size_t k = 0; k < i; k++)
            is_again |= strcmp(said->items[k].missing, said->items[i].missing) == 0;
        /* Twice the same, from one folder or two: the second file is a matter of the next round. */
        if (!is_again && write_missing(b, &said->items[i], err) < 0)
            r = err->code;
    }
    return r;
}

static int check_inputs(struct bundling *b, struct err *err)
{
    struct buf text = {0};
    int r = stage_read(b->stage->fd, "out/meta.json", LINK_OUTPUT_MAX, &text, err);

    if (r == 0)
        r = inputs_check(buf_span(&text), b->stage->name, ASYNC_HOOKS, &b->is_followed, &b->detail,
                         err);
    buf_done(&text);
    return r;
}

/* What the table cannot have is left out of it; at worst there is none. */
static int link_with_table(struct bundling *b, struct err *err)
{
    struct said without = {0}, said;
    int r = 0;

    for (int i = 0; i < 2 && r == 0; i++) {
        r = late_write_table(b, &without, err);
        r = r < 0 ? r : write_entry(b, true, err);
        r = r < 0 ? r : run(b, &said, err);
        if (r < 0)
            break;
        said_done(&without);
        without = said;
        for (size_t k = 0; k < without.count; k++) {
            char *place = without.items[k].file;
            if (strncmp(place, "in/", 3) == 0)
                memmove(place, place + 3, strlen(place) - 2);
        }
    }
    said_done(&without);
    return r < 0 ? r : 0;
}

/* Once more, when names are computed or `require` is asked for.  0: nothing of the kind, or done. */
static int link_late(struct bundling *b, struct err *err)
{
    struct buf text = {0};
    struct said said = {0};
    int r = stage_read(b->stage->fd, "out/worker.js", LINK_OUTPUT_MAX, &text, err);
    const bool is_any = r == 0 && late_is_any(buf_span(&text));
    const bool has_names = r == 0 && late_is_import(buf_span(&text));

    buf_done(&text);
    b->is_asked = true;
    r = r == 0 && is_any ? run(b, &said, err) : r;
    b->is_asked = false;
    said_done(&said);
    if (r < 0 || !(is_any || has_names || b->late.importers > 0))
        return r;
    if (has_names || b->late.importers > 0)
        return link_with_table(b, err);
    r = run(b, &said, err);
    said_done(&said);
    return r < 0 ? r : 0;
}

/* 1: it is linked, and is no module. */
static int is_plain_script(struct bundling *b, struct err *err)
{
    struct buf text = {0};
    int r = b->modules->count > 1
                ? stage_read(b->stage->fd, "out/worker.js", LINK_OUTPUT_MAX, &text, err)
                : 0;
    const bool is_plain = r == 0 && !script_imports(buf_span(&text));

    buf_done(&text);
    return r < 0 ? r : is_plain;
}

/* 1: some words were changed that are no code, and it has to be linked again. */
static int check_words(struct bundling *b, struct err *err)
{
    struct buf text = {0};
    int r = b->late.importers > 0
                ? stage_read(b->stage->fd, "out/worker.js", LINK_OUTPUT_MAX, &text, err)
                : 0;

    if (r == 0 && b->late.importers > 0)
        r = late_check(b, buf_span(&text), err);
    buf_done(&text);
    return r;
}

/* Until it is linked, or something is wrong that will not go away.  1: it is. */
static int run_until_linked(struct bundling *b, struct err *err)
{
    struct said said = {0};
    int r = 0, late = 1;

    for (int i = 0; i < TRIES && r == 0 && late == 1; i++) {
        said_done(&said);
        r = run(b, &said, err);
        if (r == 0 && i + 1 < TRIES)
            late = drop_maps(b, &said, err);
        if (r == 0 && late == 0 && !b->is_script && i + 1 < TRIES)
            late = all_are_late(b, &said, err);
        r = late < 0 ? late : r;
    }
    if (r == 0)
        r = fail(b, &said, err);
    said_done(&said);
    return r;
}

int bundling_run(struct bundling *b, struct err *err)
{
    int r = write_stage(b, err);

    r = r < 0 ? r : run_until_linked(b, err);
    if (r == 1 && b->is_script) {
        r = is_plain_script(b, err);
        if (r != 0)
            return r < 0 ? r : 0;
        r = write_importing(b, err);
        r = r < 0 ? r : run_until_linked(b, err);
    }
    r = r == 1 ? check_words(b, err) : r;
    if (r == 1)
        r = run_until_linked(b, err) < 0 ? err->code : 0;
    r = r < 0 ? r : link_late(b, err);
    return r < 0 ? r : check_inputs(b, err);
}
