/* bundler.c - see bundler.h.
 *
 * What packages in CommonJS require at run time and is not bundled (modules of Node.js, texts) they
 * could not get in an ES module: when the bundler's report shows such calls, it runs once more with
 * a banner that imports these modules and has a `require` that gives them out.  The banner of the
 * last time is tried first. */
#include "project/bundler.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/helper.h"
#include "base/mem.h"
#include "project/bundle.h"
#include "project/config.h"
#include "project/messages.h"
#include "project/path.h"
#include "project/script.h"
#include "text/value.h"

enum {
    WORDS_MAX = 4 << 20, /* bytes that the bundler may say */
};
#define REPORT_MAX (64ull << 20)
#define MAIN       "index.js"
#define MAP        "index.js.map"
#define REPORT     ".meta.json"

void bundled_done(struct bundled *b)
{
    mem_free(b->main);
    json_decref(b->parts);
    inputs_done(&b->files);
    buf_done(&b->inputs);
    *b = (struct bundled){0};
}

/* ---- which one ---- */

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* node_modules/.bin/esbuild of the folder, or of one above it. */
static int find_in_project(const char *folder, char **ret)
{
    char *at = mem_strdup(folder), *path, *above;

    while (at) {
        path = path_join(at, "node_modules/.bin/esbuild");
        if (!path)
            break;
        if (is_program(path)) {
            mem_free(at);
            *ret = path;
            return 0;
        }
        mem_free(path);
        if (strcmp(at, "/") == 0) {
            mem_free(at);
            return 0;
        }
        above = path_parent(at);
        mem_free(at);
        at = above;
    }
    mem_free(at);
    return ERR_NOMEM;
}

static int find_in_path(char **ret)
{
    const char *at = getenv("PATH");

    while (at && *at && !*ret) {
        size_t n = strcspn(at, ":");
        char *folder = mem_copy(at, n), *path = folder ? path_join(folder, "esbuild") : NULL;
        mem_free(folder);
        if (!path)
            return ERR_NOMEM;
        if (n > 0 && path[0] == '/' && is_program(path))
            *ret = path;
        else
            mem_free(path);
        at += n + (at[n] == ':');
    }
    return 0;
}

static int find_bundler(const struct project *p, char **ret, struct err *err)
{
    const char *said = getenv("ESBUILD");
    int r = 0;

    if (said && said[0]) {
        *ret = strchr(said, '/') ? path_normal(said) : NULL;
        if (*ret && is_program(*ret))
            return 0;
        mem_free(*ret);
        *ret = NULL;
        err_set(err, ERR_NOT_FOUND, "ESBUILD is '%.200s', which is no program", said);
        return err_hint(err, "it is the absolute path of esbuild; without it, that of the project "
                             "or of PATH is used");
    }
    r = find_in_project(p->folder, ret);
    if (r == 0 && !*ret)
        r = find_in_path(ret);
    if (r < 0)
        return err_nomem(err);
    if (*ret)
        return 0;
    err_set(err, ERR_NOT_FOUND, "JavaScript is bundled by esbuild, which is not installed");
    return err_hint(err,
                    "`npm install --save-dev esbuild` in the project, or `apt install esbuild`");
}

/* ---- the command line ---- */

static bool has_flag(const struct project *p, const char *flag)
{
    size_t n = strlen(flag);

    for (const char *at = p->compatibility_flags; at && (at = strstr(at, flag)); at += n)
        if ((at == p->compatibility_flags || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return true;
    return false;
}

static bool has_node(const struct project *p)
{
    return has_flag(p, "nodejs_compat") || has_flag(p, "nodejs_compat_v2");
}

static int add_loaders(const struct project *p, struct project_words *argv)
{
    const struct rules *rules = &p->script.rules;
    char end[64], other[64];
    int r = 0;

    for (size_t i = 0; i < rules->count && r == 0; i++) {
        bool is_code = rules->items[i].kind == MODULE_ES || rules->items[i].kind == MODULE_COMMONJS;
        bool is_said = false;
        if (!rules_extension(rules->items[i].glob, end, sizeof end))
            continue;
        for (size_t k = 0; k < i && !is_said; k++)
            is_said = rules_extension(rules->items[k].glob, other, sizeof other) &&
                      strcmp(end, other) == 0;
        if (!is_said && !(is_code && script_is(end)))
            r = words_add(argv, "--loader:%s=%s", end, is_code ? "js" : "copy");
    }
    return r;
}

static char *last_banner; /* that the last job settled on, and the next one begins with; or NULL */

/* One job of the bundler, in as many runs as it takes. */
struct job {
    const struct project *p;
    const char *bundler, *to;
    const atomic_bool *is_cancelled;
    struct project_words left; /* modules of Node.js that are not there, and need not be */
    struct buf said;           /* by the last run */
    int status;
    json_t *report; /* of the last run, or NULL */
};

static int add_externals(const struct job *job, struct project_words *argv)
{
    const struct project *p = job->p;
    int r = 0;

    for (size_t i = 0; i < job->left.count && r == 0; i++)
        r = words_add(argv, "--external:%s", job->left.items[i]);
    for (size_t i = 0; has_node(p) && NODE_MODULES[i] && r == 0; i++)
        r = words_add(argv, "--external:%s", NODE_MODULES[i]);
    if (r == 0 && !has_node(p) && has_flag(p, "nodejs_als"))
        r = words_add(argv, "--external:async_hooks");
    return r;
}

static int make_argv(const struct job *job, struct project_words *argv)
{
    const struct project *p = job->p;
    static const char *const WORDS[] = {"--bundle",
                                        "--format=esm",
                                        "--target=es2022",
                                        "--platform=browser",
                                        "--entry-names=index",
                                        "--sourcemap=linked",
                                        "--conditions=workerd,worker,browser",
                                        "--main-fields=browser,module,main",
                                        "--loader:.js=jsx",
                                        "--loader:.mjs=jsx",
                                        "--loader:.cjs=jsx",
                                        "--external:node:*",
                                        "--external:cloudflare:*",
                                        "--external:workerd:*",
                                        "--log-level=warning",
                                        "--color=false",
                                        "--log-limit=50"};
    int r = words_add(argv, "%s", job->bundler);

    if (r == 0)
        r = words_add(argv, "%s/%s", p->folder, p->main);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS && r == 0; i++)
        r = words_add(argv, "%s", WORDS[i]);
    if (r == 0)
        r = words_add(argv, "--outdir=%s", job->to);
    if (r == 0)
        r = words_add(argv, "--metafile=%s/" REPORT, job->to);
    if (r == 0)
        r = words_add(argv, "--asset-names=%s",
                      p->script.keeps_file_names ? "[dir]/[name]" : "[hash]-[name]");
    if (r == 0 && last_banner && last_banner[0])
        r = words_add(argv, "--banner:js=%s", last_banner);
    /* Old ones leave static blocks in classes whose static fields they take out (link/statics.h). */
    if (r == 0 && !strstr(job->bundler, "/node_modules/"))
        r = words_add(argv, "--supported:class-static-blocks=false");
    r = r < 0 ? r : add_externals(job, argv);
    r = r < 0 ? r : add_loaders(p, argv);
    for (size_t i = 0; i < p->script.words.count && r == 0; i++)
        r = words_add(argv, "%s", p->script.words.items[i]);
    return r;
}

/* ---- one run ---- */

static int on_words(void *self, struct span bytes, struct err *err)
{
    struct buf *said = self;

    if (buf_len(said) + bytes.len > WORDS_MAX)
        return 0; /* nobody reads that much */
    return buf_append(said, bytes.data, bytes.len) < 0 ? err_nomem(err) : 0;
}

/* It has failed, and said nothing that is a message. */
static int report_words(const char *bundler, struct span said, int status, struct err *err)
{
    const char *end = said.len ? memchr(said.data, '\n', said.len) : NULL;

    if (end)
        said.len = (size_t)(end - said.data);
    err_set(err, ERR_SYSTEM, "'%.200s' ended with %d: %.*s", bundler, status,
            (int)(said.len < 200 ? said.len : 200), said.data);
    return err_hint(err, "Corral wants esbuild 0.17 or newer");
}

/* 0 or an error; warnings and errors of it are in `said`. */
static int run(struct job *job, struct err *err)
{
    struct project_words argv = {0};
    struct helper helper = {.what = "esbuild",
                            .envp = (const char *const *)environ,
                            .folder = job->p->folder,
                            .takes_words = true,
                            .ret_exit = &job->status,
                            .input = SPAN(""),
                            .timeout_ms = BUNDLER_TIMEOUT_MS,
                            .is_cancelled = job->is_cancelled,
                            .output = on_words,
                            .self = &job->said};
    int r = make_argv(job, &argv);

    buf_eat(&job->said, buf_len(&job->said));
    helper.argv = (const char *const *)argv.items;
    r = r < 0 ? err_nomem(err) : helper_run(&helper, err);
    if (r == ERR_SYSTEM && err->hint[0])
        err_hint(err, "'%.150s' cannot be run on this machine", job->bundler);
    words_done(&argv);
    return r;
}

/* ---- the report ---- */

static int read_report(const char *to, json_t **ret, struct err *err)
{
    char *path = path_join(to, REPORT), *text = NULL;
    json_error_t at;
    size_t len = 0;
    int r;

    if (!path)
        return err_nomem(err);
    value_init();
    r = config_read_file(path, REPORT, REPORT_MAX, &text, &len, err);
    if (r == 0) {
        r = value_parse((struct span){text, len}, ret, &at);
        if (r == ERR_NOMEM)
            err_nomem(err);
        else if (r < 0)
            r = err_set(err, ERR_SYSTEM, "esbuild's report is not JSON");
    }
    mem_free(text);
    mem_free(path);
    return r;
}

static const char *text_at(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* The entry's output of the report. */
static json_t *main_output(json_t *report)
{
    const char *name;
    json_t *value;

    json_object_foreach(
        json_object_get(report, "outputs"), name,
        value) if (json_is_string(json_object_get(value, "entryPoint"))) return value;
    return NULL;
}

/* The path of an output, seen from `to`; NULL: it is elsewhere.  Owned. */
static char *inside_of(const struct project *p, const char *to, const char *output)
{
    char *joined = path_join(p->folder, output), *whole = joined ? path_normal(joined) : NULL;
    const char *inside = whole ? path_below(to, whole) : NULL;
    char *copy = inside && inside[0] ? mem_strdup(inside) : NULL;

    mem_free(whole);
    mem_free(joined);
    return copy;
}

/* Is it of Node.js or of the platform?  Packages that were not found are external, too. */
static bool is_platform(const char *path)
{
    return messages_is_node(span_of(path)) || strncmp(path, "node:", 5) == 0 ||
           strncmp(path, "cloudflare:", 11) == 0 || strncmp(path, "workerd:", 8) == 0;
}

/* Every module that is required at run time: imported as rN, given out by name. */
static int make_banner(const struct project *p, const char *to, json_t *report, struct buf *out)
{
    json_t *seen = json_object(), *one;
    struct buf cases = {0};
    size_t i, count = 0;
    int r = seen ? 0 : ERR_NOMEM;

    json_array_foreach(json_object_get(main_output(report), "imports"), i, one)
    {
        const char *path = text_at(one, "path");
        bool is_external = json_is_true(json_object_get(one, "external"));
        char *inside = is_external ? NULL : inside_of(p, to, path);
        /* Without the flag they are not there, as packages that one may have or not: then who
         * requires one fails, and not the whole worker. */
        bool is_given = inside || (is_external && has_node(p) && is_platform(path));
        if (r == 0 && strcmp(text_at(one, "kind"), "require-call") == 0 && is_given &&
            !strpbrk(path, "\"\\\n") && !json_object_get(seen, path)) {
            const char *is_node = is_external && messages_is_node(span_of(path)) ? "node:" : "";
            r = json_object_set_new(seen, path, json_true()) < 0 ? ERR_NOMEM : 0;
            if (r == 0)
                r = buf_print(out, "import __corral_r%zu from \"%s%s\";", count,
                              inside ? "./" : is_node, inside ? inside : path);
            if (r == 0)
                r = buf_print(&cases, "case \"%s%s\":return __corral_r%zu;", inside ? "./" : "",
                              inside ? inside : path, count);
            count++;
        }
        mem_free(inside);
    }
    if (r == 0 && count > 0)
        r = buf_print(out,
                      "var require=(n)=>{switch(n){%.*s}throw new Error('Dynamic require of "
                      "\"'+n+'\" is not supported')};",
                      SPAN_ARG(buf_span(&cases)));
    if (r == 0)
        r = buf_append(out, "", 1);
    buf_done(&cases);
    json_decref(seen);
    return r;
}

/* What it was made from. */
static int list_inputs(const struct project *p, json_t *report, struct buf *out)
{
    const char *name;
    json_t *value;
    int r = 0;

    json_object_foreach(json_object_get(report, "inputs"), name, value)
    {
        size_t n = strcspn(name, "?");
        char *file, *joined, *path;
        if (r < 0 || name[0] == '(' || name[0] == '<')
            continue;
        file = mem_copy(name, n);
        joined = file ? path_join(p->folder, file) : NULL;
        path = joined ? path_normal(joined) : NULL;
        r = path ? buf_print(out, "%s\n", path) : ERR_NOMEM;
        mem_free(path);
        mem_free(joined);
        mem_free(file);
    }
    return r;
}

/* Modules of Node.js that are there with a flag alone. */
static void warn_of_node(const struct project *p, json_t *report, struct diagnostics *d)
{
    const char *name, *path;
    json_t *value, *one;
    char hint[600];
    size_t i;

    json_object_foreach(json_object_get(report, "inputs"), name, value)
    {
        json_array_foreach(json_object_get(value, "imports"), i, one)
        {
            path = text_at(one, "path");
            if ((strncmp(path, "node:", 5) != 0 && strcmp(path, "cloudflare:node") != 0) ||
                has_node(p) ||
                (strcmp(path, "node:async_hooks") == 0 && has_flag(p, "nodejs_als")))
                continue;
            snprintf(hint, sizeof hint,
                     "add \"nodejs_compat\" to compatibility_flags (imported from %.400s)", name);
            diagnostics_add(d, SEVERITY_WARNING, (struct place){0}, hint,
                            "\"%s\" is a module of Node.js, and the worker does without them",
                            path);
            return;
        }
    }
}

/* ---- the source map ---- */

/* `path`, seen from `folder`: "src/a.ts", "../shared/b.ts". */
static int print_relative(const char *folder, const char *path, struct buf *out)
{
    char *above = mem_strdup(folder), *next;
    const char *inside = NULL;
    int r = above ? 0 : ERR_NOMEM;

    while (r == 0 && !(inside = path_below(above, path))) {
        r = buf_append(out, "../", 3);
        next = path_parent(above);
        mem_free(above);
        above = next;
        if (!above)
            r = ERR_NOMEM;
    }
    if (r == 0)
        r = buf_print(out, "%s", inside);
    mem_free(above);
    return r;
}

static int rename_sources(const struct project *p, const char *to, json_t *sources)
{
    json_t *one;
    size_t i;

    json_array_foreach(sources, i, one)
    {
        struct buf text = {0};
        char *joined = path_join(to, json_string_value(one)),
             *path = joined ? path_normal(joined) : NULL;
        int r = path ? print_relative(p->folder, path, &text) : ERR_NOMEM;
        if (r == 0 &&
            json_array_set_new(sources, i, json_stringn(buf_data(&text), buf_len(&text))) < 0)
            r = ERR_NOMEM;
        buf_done(&text);
        mem_free(path);
        mem_free(joined);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Write the map anew with its sources as the project calls them: they are at its begin. */
static int mend_map(const struct project *p, const char *to, struct err *err)
{
    static const char MARK[] = "\"sources\": ";
    char *path = path_join(to, MAP), *text = NULL, *at, *list = NULL;
    json_t *sources = NULL;
    json_error_t where;
    size_t len = 0;
    int fd = -1, r;

    if (!path)
        return err_nomem(err);
    r = config_read_file(path, MAP, BUNDLE_BYTES_MAX, &text, &len, err);
    at = r == 0 ? memmem(text, len, MARK, sizeof MARK - 1) : NULL;
    if (r < 0 || !at)
        goto done;
    at += sizeof MARK - 1;
    sources = json_loadb(at, (size_t)(text + len - at), JSON_DISABLE_EOF_CHECK, &where);
    if (!json_is_array(sources))
        goto done;
    list = rename_sources(p, to, sources) == 0 ? value_dump(sources, JSON_COMPACT) : NULL;
    if (!list) {
        r = err_nomem(err);
        goto done;
    }
    fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0 || file_write(fd, (struct span){text, (size_t)(at - text)}) < 0 ||
        file_write(fd, span_of(list)) < 0 ||
        file_write(fd, (struct span){at + where.position,
                                     len - (size_t)(at - text) - (size_t)where.position}) < 0)
        r = err_errno(err, errno, "write '%s'", path);
done:
    if (fd >= 0)
        close(fd);
    json_decref(sources);
    mem_free(list);
    mem_free(text);
    mem_free(path);
    return r;
}

/* ---- the parts ---- */

static const char *type_of(const struct project *p, const char *name)
{
    char end[64];

    for (size_t i = 0; i < p->script.rules.count; i++) {
        const struct rule *rule = &p->script.rules.items[i];
        size_t n = rules_extension(rule->glob, end, sizeof end) ? strlen(end) : 0;
        if (n > 0 && strlen(name) > n && strcmp(name + strlen(name) - n, end) == 0)
            return rules_type(rule->kind);
    }
    return "application/octet-stream";
}

/* Nothing but what lies beside it, by static imports. */
static bool imports_files(const struct project *p, const char *to, const json_t *main)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(main, "imports"), i, one)
    {
        char *inside = json_is_true(json_object_get(one, "external"))
                           ? NULL
                           : inside_of(p, to, text_at(one, "path"));
        bool is_file = inside && strcmp(text_at(one, "kind"), "import-statement") == 0;
        mem_free(inside);
        if (!is_file)
            return false;
    }
    return true;
}

/* index.js first; then its map, and what it imports. */
static int list_parts(const struct project *p, const char *to, json_t *report, struct bundled *b)
{
    json_t *main = main_output(report), *value;
    bool is_script = json_array_size(json_object_get(main, "exports")) == 0 && imports_files(p, to, main);
    const char *name;
    int r = parts_add(b, MAIN, is_script ? "application/javascript" : rules_type(MODULE_ES));

    if (r == 0)
        r = parts_add(b, MAP, "application/source-map");
    json_object_foreach(json_object_get(report, "outputs"), name, value)
    {
        char *inside = r == 0 ? inside_of(p, to, name) : NULL;
        size_t n = inside ? strlen(inside) : 0;
        bool is_ours = !inside || strcmp(inside, MAIN) == 0 || strcmp(inside, MAP) == 0;
        /* A style sheet that a component brings is for no worker. */
        if (!is_ours && strcmp(inside, "index.css") != 0 && strcmp(inside, "index.css.map") != 0 &&
            n > 0)
            r = parts_add(b, inside, type_of(p, inside));
        mem_free(inside);
    }
    b->main = mem_strdup(MAIN);
    return r == 0 && b->main ? 0 : ERR_NOMEM;
}

/* ---- all of it ---- */

static int copy_report(const struct project *p, json_t *report, struct err *err)
{
    if (p->script.metafile && json_dump_file(report, p->script.metafile, JSON_INDENT(2)) < 0)
        return err_errno(err, errno, "write '%s'", p->script.metafile);
    return 0;
}

/* Until the banner is the one that the report asks for. */
static int run_until_settled(struct job *job, struct err *err)
{
    struct buf banner = {0};
    int r = 0;

    for (int i = 0; i < 2 && r == 0; i++) {
        bool is_same;
        json_decref(job->report);
        job->report = NULL;
        r = run(job, err);
        if (r < 0 || job->status != 0)
            break;
        r = read_report(job->to, &job->report, err);
        if (r == 0 && make_banner(job->p, job->to, job->report, &banner) < 0)
            r = err_nomem(err);
        is_same = r == 0 && strcmp(last_banner ? last_banner : "", buf_data(&banner)) == 0;
        if (r == 0 && !is_same) {
            mem_free(last_banner);
            last_banner = buf_detach(&banner);
        }
        buf_eat(&banner, buf_len(&banner));
        if (is_same)
            break;
    }
    buf_done(&banner);
    return r;
}

/* ---- modules of Node.js where they are not ---- */

/* Whoever imports one has none; who requires it may never come there, as much of npm's code. */
static bool is_only_required(const struct job *job)
{
    const char *name;
    json_t *value, *one;
    size_t i;

    json_object_foreach(json_object_get(job->report, "inputs"), name, value)
    {
        json_array_foreach(json_object_get(value, "imports"), i, one)
        {
            bool is_import = strcmp(text_at(one, "kind"), "import-statement") == 0;
            for (size_t k = 0; is_import && k < job->left.count; k++)
                if (strcmp(text_at(one, "path"), job->left.items[k]) == 0)
                    return false;
        }
    }
    return true;
}

/* 1: nothing else is missing, and there are new ones; 0: there is more to it. */
static int leave_missing(struct job *job, const struct messages_of *of, struct err *err)
{
    static const char SAYS[] = "Could not resolve \"";
    struct diagnostics d = {0};
    const size_t before = job->left.count;
    bool is_all = messages_read(of, buf_span(&job->said), &d) > 0 && d.errors <= DIAGNOSTICS_MAX;
    int r = 0;

    for (size_t i = 0; i < d.count && is_all && r == 0; i++) {
        const char *text = d.items[i].text;
        struct span name = {text + strlen(SAYS), strlen(text) - strlen(SAYS) - 1};
        bool is_new = true;
        if (d.items[i].severity != SEVERITY_ERROR)
            continue;
        is_all = strncmp(text, SAYS, strlen(SAYS)) == 0 && messages_is_node(name);
        for (size_t k = 0; is_all && k < job->left.count; k++)
            is_new &= !span_is(name, job->left.items[k]);
        if (is_all && is_new)
            r = words_add(&job->left, "%.*s", SPAN_ARG(name));
    }
    if (r < 0 || d.is_short)
        r = err_nomem(err);
    diagnostics_done(&d);
    return r < 0 ? r : is_all && job->left.count > before;
}

static int run_without_node(struct job *job, const struct messages_of *of, struct err *err)
{
    struct buf first = {0};
    const int status = job->status;
    int r = leave_missing(job, of, err);

    if (r == 1 && buf_append(&first, buf_data(&job->said), buf_len(&job->said)) < 0)
        r = err_nomem(err);
    if (r != 1)
        return r;
    while (r == 1) {
        r = run_until_settled(job, err);
        if (r == 0 && job->status != 0)
            r = leave_missing(job, of, err);
    }
    if (r == 0 && (job->status != 0 || !is_only_required(job))) {
        buf_done(&job->said);
        job->said = first;
        job->status = status;
        return 0;
    }
    buf_done(&first);
    return r;
}

static void warn_of_missing(const struct job *job, struct diagnostics *d)
{
    for (size_t i = 0; i < job->left.count; i++)
        diagnostics_add(d, SEVERITY_WARNING, (struct place){0},
                        "add \"nodejs_compat\" to compatibility_flags if the worker needs it",
                        "\"%s\" is a module of Node.js, and the worker does without them: what "
                        "requires it fails when it does",
                        job->left.items[i]);
}

static int finish(const struct project *p, const char *to, json_t *report, struct bundled *b,
                  struct diagnostics *d, struct err *err)
{
    int r = 0;

    warn_of_node(p, report, d);
    if (list_inputs(p, report, &b->inputs) < 0 || list_parts(p, to, report, b) < 0)
        r = err_nomem(err);
    r = r < 0 ? r : mend_map(p, to, err);
    r = r < 0 ? r : copy_report(p, report, err);
    if (r == 0 && p->script.finds_modules)
        r = parts_find(p, to, b, err);
    return r < 0 ? r : parts_settle(to, b, err);
}

int bundler_run(const struct project *p, const char *to, const atomic_bool *is_cancelled,
                struct bundled *ret, struct diagnostics *d, struct err *err)
{
    struct messages_of of = {.folder = p->folder, .has_node = has_node(p)};
    struct job job = {.p = p, .to = to, .is_cancelled = is_cancelled};
    char *bundler = NULL, *report_path = NULL;
    size_t errors = 0;
    int r;

    *ret = (struct bundled){.parts = json_array()};
    if (!ret->parts)
        return err_nomem(err);
    if (!p->script.bundles)
        return parts_copy(p, to, ret, d, err);
    r = find_bundler(p, &bundler, err);
    of.bundler = job.bundler = bundler;
    if (r == 0)
        r = run_until_settled(&job, err);
    if (r == 0 && job.status != 0 && !of.has_node)
        r = run_without_node(&job, &of, err);
    if (r == 0)
        errors = messages_read(&of, buf_span(&job.said), d);
    if (r == 0 && errors > 0)
        r = err_set(err, ERR_INVALID, "the project cannot be bundled");
    else if (r == 0 && job.status != 0)
        r = report_words(bundler, buf_span(&job.said), job.status, err);
    if (r == 0)
        warn_of_missing(&job, d);
    if (r == 0)
        r = finish(p, to, job.report, ret, d, err);
    report_path = path_join(to, REPORT);
    if (report_path)
        unlink(report_path);
    json_decref(job.report);
    words_done(&job.left);
    buf_done(&job.said);
    mem_free(report_path);
    mem_free(bundler);
    return r;
}
