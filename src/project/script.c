/* script.c - see script.h: a table of keys, and what each means to the bundler.
 *
 * schema.c has complained about wrong types of the keys themselves already: here such a value
 * counts as not given. */
#include "project/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "project/path.h"
#include "project/schema.h"
#include "project/settings.h"

struct walk {
    const struct config *c; /* or NULL */
    const struct project_options *options;
    struct project *p;
    struct diagnostics *d;
};

/* Keys that mean something to JavaScript alone. */
static const char *const KEYS[] = {"alias",
                                   "base_dir",
                                   "define",
                                   "find_additional_modules",
                                   "jsx_factory",
                                   "jsx_fragment",
                                   "keep_names",
                                   "minify",
                                   "no_bundle",
                                   "preserve_file_names",
                                   "rules",
                                   "tsconfig",
                                   "upload_source_maps"};

bool script_is(const char *name)
{
    static const char *const ENDS[] = {".js", ".mjs", ".cjs", ".jsx",
                                       ".ts", ".mts", ".cts", ".tsx"};
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof ENDS / sizeof *ENDS; i++)
        if (strcmp(dot, ENDS[i]) == 0)
            return true;
    return false;
}

/* ---- words ---- */

int words_add(struct project_words *words, const char *fmt, ...)
{
    struct buf text = {0};
    char *word = NULL, *line = NULL, **items;
    va_list args;
    int n;

    va_start(args, fmt);
    n = vasprintf(&line, fmt, args);
    va_end(args);
    if (n >= 0 && buf_append(&text, line, (size_t)n) == 0)
        word = buf_detach(&text);
    if (n >= 0)
        free(line);
    buf_done(&text);
    items = word ? mem_resize(words->items, (words->count + 2) * sizeof *items) : NULL;
    if (!items) {
        mem_free(word);
        return ERR_NOMEM;
    }
    words->items = items;
    items[words->count++] = word;
    items[words->count] = NULL;
    return 0;
}

void words_done(struct project_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        mem_free(words->items[i]);
    mem_free(words->items);
    *words = (struct project_words){0};
}

/* ---- looking ---- */

static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);

    return text && text[0] && strlen(text) == json_string_length(value) ? text : NULL;
}

/* The value of a key, when it has the type that the schema asks for. */
static struct setting pick(const struct walk *w, const char *key)
{
    struct setting s = {0};

    if (w->c)
        s = settings_pick(w->c, w->p->env, key);
    if (s.value && !schema_fits(key, s.value))
        s.value = NULL;
    return s;
}

static bool is_on(const struct walk *w, const char *key, bool otherwise)
{
    struct setting s = pick(w, key);

    return s.value ? json_is_true(s.value) : otherwise;
}

static bool wish(enum project_wish said, bool otherwise)
{
    return said == PROJECT_UNSAID ? otherwise : said == PROJECT_YES;
}

static void complain(const struct walk *w, struct setting *at, const char *key, const char *what,
                     const json_t *value)
{
    if (key)
        at->path[at->depth++] = key;
    diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, at), NULL, "%s, not %s", what,
                    json_is_string(value) ? "an empty one" : schema_word(w->c, value));
    if (key)
        at->depth--;
}

/* ---- rules ---- */

static int read_globs(struct walk *w, struct setting *at, enum module_kind kind, json_t *globs)
{
    struct project_script *out = &w->p->script;
    char end[64];
    json_t *glob;
    size_t i;
    int r = 0;

    json_array_foreach(globs, i, glob)
    {
        const char *text = text_of(glob);
        if (!text) {
            complain(w, at, NULL,
                     "'globs' of a rule must be a list of strings such as [\"**/*.txt\"]", glob);
            continue;
        }
        if (out->bundles && kind != MODULE_ES && kind != MODULE_COMMONJS &&
            !rules_extension(text, end, sizeof end))
            diagnostics_add(
                w->d, SEVERITY_WARNING, settings_place(w->c, at),
                "such as \"**/*.txt\"; imports go by the ends of names",
                "the glob \"%s\" has no effect on imports: it does not end in *.EXTENSION", text);
        if (r == 0)
            r = rules_add(&out->rules, kind, text);
    }
    return r;
}

/* One of `rules`; `at` leads to it. */
static int read_rule(struct walk *w, struct setting *at, json_t *value,
                     bool is_hidden[MODULE_KINDS])
{
    const char *word = text_of(json_object_get(value, "type"));
    json_t *globs = json_object_get(value, "globs");
    enum module_kind kind;
    int r;

    if (!json_is_object(value) || !word || !json_is_array(globs)) {
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, at), NULL,
                        "a rule must have a 'type' and a list 'globs', such as "
                        "{type = \"Text\", globs = [\"**/*.md\"]}");
        return 0;
    }
    if (!rules_kind(word, &kind)) {
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, at),
                        "the types are ESModule, CommonJS, CompiledWasm, Text and Data",
                        "there are no modules of the type \"%s\"", word);
        return 0;
    }
    if (is_hidden[kind]) {
        if (!json_object_get(value, "fallthrough"))
            diagnostics_add(w->d, SEVERITY_WARNING, settings_place(w->c, at),
                            "fallthrough = true in the rule before lets this one count too",
                            "this rule has no effect: one before it has the same type, \"%s\"",
                            word);
        return 0;
    }
    r = read_globs(w, at, kind, globs);
    is_hidden[kind] = !json_is_true(json_object_get(value, "fallthrough"));
    return r;
}

static int read_rules(struct walk *w)
{
    struct setting s = pick(w, "rules");
    bool is_hidden[MODULE_KINDS] = {0};
    char index[24];
    json_t *rule;
    size_t i;
    int r = 0;

    json_array_foreach(s.value, i, rule)
    {
        snprintf(index, sizeof index, "%zu", i);
        s.path[s.depth++] = index;
        if (r == 0)
            r = read_rule(w, &s, rule, is_hidden);
        s.depth--;
    }
    return r == 0 ? rules_add_defaults(&w->p->script.rules, is_hidden) : r;
}

/* ---- alias, define, JSX ---- */

/* "FROM:TO" of the command line. */
static int take_pairs(struct walk *w, const char *option, const char *const *items, size_t count,
                      json_t *into)
{
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++) {
        const char *colon = strchr(items[i], ':');
        char *name;
        if (!colon || colon == items[i]) {
            diagnostics_add(w->d, SEVERITY_ERROR, (struct place){0}, NULL,
                            "--%s takes two words with a colon between, not '%s'", option,
                            items[i]);
            continue;
        }
        name = mem_copy(items[i], (size_t)(colon - items[i]));
        if (!name || json_object_set_new(into, name, json_string(colon + 1)) < 0)
            r = ERR_NOMEM;
        mem_free(name);
    }
    return r;
}

/* A table of texts, and what the command line adds: "--alias:FROM=TO". */
static int read_pairs(struct walk *w, const char *key, const char *const *items, size_t count,
                      json_t *into)
{
    struct setting s = pick(w, key);
    const char *name;
    json_t *value;
    char what[64];
    int r = 0;

    snprintf(what, sizeof what, "'%s' is a table of strings: this one must be a string", key);
    json_object_foreach(s.value, name, value)
    {
        if (!text_of(value))
            complain(w, &s, name, what, value);
        else if (r == 0 && json_object_set(into, name, value) < 0)
            r = ERR_NOMEM;
    }
    if (r == 0)
        r = take_pairs(w, key, items, count, into);
    json_object_foreach(into, name, value) if (r == 0) r =
        words_add(&w->p->script.words, "--%s:%s=%s", key, name, json_string_value(value));
    return r;
}

static bool is_before(const char *date, const char *day)
{
    return date && date[0] && strcmp(date, day) < 0;
}

static int read_define(struct walk *w)
{
    const struct project_bundling *b = &w->options->bundling;
    const char *mode = getenv("NODE_ENV");
    json_t *all = json_object();
    struct buf text = {0};
    int r = all ? 0 : ERR_NOMEM;

    if (!mode || !mode[0] || mode[strcspn(mode, "\"\\\n")])
        mode = w->options->is_development ? "development" : "production";
    if (r == 0)
        r = buf_print(&text, "\"%s\"", mode);
    if (r == 0)
        r = buf_append(&text, "", 1);
    if (r == 0 &&
        json_object_set_new(all, "process.env.NODE_ENV", json_string(buf_data(&text))) < 0)
        r = ERR_NOMEM;
    /* Packages look at it to find out where they are. */
    if (r == 0 && !is_before(w->p->compatibility_date, "2022-03-21") &&
        json_object_set_new(all, "navigator.userAgent", json_string("\"Cloudflare-Workers\"")) < 0)
        r = ERR_NOMEM;
    if (r == 0)
        r = read_pairs(w, "define", b->defines, b->define_count, all);
    buf_done(&text);
    json_decref(all);
    return r;
}

static int read_alias(struct walk *w)
{
    const struct project_bundling *b = &w->options->bundling;
    json_t *all = json_object();
    int r = all ? read_pairs(w, "alias", b->aliases, b->alias_count, all) : ERR_NOMEM;

    json_decref(all);
    return r;
}

static int read_texts(struct walk *w)
{
    const struct project_bundling *b = &w->options->bundling;
    const struct {
        const char *key, *option, *given;
    } TEXTS[] = {{"tsconfig", "tsconfig", b->tsconfig},
                 {"jsx_factory", "jsx-factory", b->jsx_factory},
                 {"jsx_fragment", "jsx-fragment", b->jsx_fragment}};
    int r = 0;

    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS && r == 0; i++) {
        struct setting s = pick(w, TEXTS[i].key);
        const char *text = TEXTS[i].given ? TEXTS[i].given : text_of(s.value);
        char *path = NULL;
        if (text && i == 0)
            path = TEXTS[i].given ? path_normal(text) : path_join(w->p->folder, text);
        if (text && i == 0 && !path)
            return ERR_NOMEM;
        if (text)
            r = words_add(&w->p->script.words, "--%s=%s", TEXTS[i].option, path ? path : text);
        mem_free(path);
    }
    return r;
}

static int read_switches(struct walk *w)
{
    const struct project_bundling *b = &w->options->bundling;
    struct project_script *out = &w->p->script;
    bool minifies = wish(b->minifies, is_on(w, "minify", false));
    int r = 0;

    out->bundles = wish(b->bundles, !is_on(w, "no_bundle", false));
    out->finds_modules = is_on(w, "find_additional_modules", !out->bundles);
    out->keeps_file_names = is_on(w, "preserve_file_names", false);
    out->uploads_maps = wish(b->uploads_maps, is_on(w, "upload_source_maps", true));
    if (minifies && !out->bundles)
        diagnostics_add(w->d, SEVERITY_WARNING, (struct place){0}, NULL,
                        "'minify' has no effect where nothing is bundled");
    if (minifies)
        r = words_add(&out->words, "--minify");
    /* What is not minified has its names but for a few: each function would be named once more when
     * it is made. */
    if (r == 0 && is_on(w, "keep_names", minifies))
        r = words_add(&out->words, "--keep-names");
    return r;
}

static int read_folders(struct walk *w)
{
    struct project_script *out = &w->p->script;
    struct setting s = pick(w, "base_dir");
    const char *text = text_of(s.value), *slash = strrchr(w->p->main, '/');
    char *inside =
        text ? mem_strdup(text) : mem_copy(w->p->main, slash ? (size_t)(slash - w->p->main) : 0);

    if (w->options->bundling.metafile)
        out->metafile = path_normal(w->options->bundling.metafile);
    if (inside && inside[0]) {
        char *joined = path_join(w->p->folder, inside);
        out->base_dir = joined ? path_normal(joined) : NULL;
        mem_free(joined);
    } else if (inside) {
        out->base_dir = mem_strdup(w->p->folder);
    }
    mem_free(inside);
    return out->base_dir && (out->metafile || !w->options->bundling.metafile) ? 0 : ERR_NOMEM;
}

/* The worker is in Python: who asks for something else is told. */
static void refuse(const struct walk *w)
{
    const struct project_bundling *b = &w->options->bundling;
    const struct {
        bool is_said;
        const char *name;
    } SAID[] = {{b->alias_count > 0, "--alias"},
                {b->define_count > 0, "--define"},
                {b->tsconfig != NULL, "--tsconfig"},
                {b->jsx_factory != NULL, "--jsx-factory"},
                {b->jsx_fragment != NULL, "--jsx-fragment"},
                {b->metafile != NULL, "--metafile"},
                {b->minifies == PROJECT_YES, "--minify"},
                {b->uploads_maps == PROJECT_YES, "--upload-source-maps"}};

    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++)
        if (SAID[i].is_said)
            diagnostics_add(w->d, SEVERITY_WARNING, (struct place){0}, NULL,
                            "%s has no effect: it is for JavaScript", SAID[i].name);
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        struct setting s = pick(w, KEYS[i]);
        struct place where = s.value ? config_key_place(w->c, s.path, s.depth) : (struct place){0};
        if (s.value)
            diagnostics_add(
                w->d, SEVERITY_WARNING, (struct place){where.file, where.line, 0, {NULL, 0}}, NULL,
                "'%s%s%s%s' has no effect: it is for JavaScript", s.depth == 3 ? "env." : "",
                s.depth == 3 ? w->p->env : "", s.depth == 3 ? "." : "", KEYS[i]);
    }
}

int script_read(const struct config *c, const struct project_options *options, struct project *p,
                struct diagnostics *d, struct err *err)
{
    struct walk w = {c, options, p, d};
    int r;

    p->script.is_used = p->main && script_is(p->main);
    if (!p->script.is_used) {
        if (p->main)
            refuse(&w);
        return 0;
    }
    r = read_switches(&w);
    r = r < 0 ? r : read_rules(&w);
    r = r < 0 ? r : read_alias(&w);
    r = r < 0 ? r : read_define(&w);
    r = r < 0 ? r : read_texts(&w);
    r = r < 0 ? r : read_folders(&w);
    return r < 0 ? err_nomem(err) : 0;
}

/* ---- [build] ---- */

static int add_watched(struct walk *w, struct setting *at, const json_t *value)
{
    const char *text = text_of(value);
    char *path;
    int r;

    if (!text) {
        complain(w, at, NULL, "'build.watch_dir' must be a folder or a list of them", value);
        return 0;
    }
    path = path_join(w->p->folder, text);
    r = path ? 0 : ERR_NOMEM;
    if (r == 0) {
        char *whole = path_normal(path);
        r = whole ? words_add(&w->p->build.watched, "%s", whole) : ERR_NOMEM;
        mem_free(whole);
    }
    mem_free(path);
    return r;
}

static int read_watched(struct walk *w, struct setting *at, json_t *value)
{
    static const char SOURCES[] = "src";
    json_t *one, *usual = value ? NULL : json_string(SOURCES);
    size_t i;
    int r = 0;

    if (!value)
        value = usual;
    if (!json_is_array(value))
        r = value ? add_watched(w, at, value) : ERR_NOMEM;
    json_array_foreach(value, i, one) if (r == 0) r = add_watched(w, at, one);
    json_decref(usual);
    return r;
}

int script_read_build(const struct config *c, struct project *p, struct diagnostics *d,
                      struct err *err)
{
    struct walk w = {c, NULL, p, d};
    struct setting s = pick(&w, "build");
    json_t *command = json_object_get(s.value, "command"),
           *folder = json_object_get(s.value, "cwd");
    json_t *upload = json_object_get(s.value, "upload");
    int r = 0;

    if (upload)
        diagnostics_add(d, SEVERITY_WARNING, settings_place(c, &s),
                        "name the file with 'main', and kinds of modules with 'rules'",
                        "'build.upload' has no effect any more");
    if (command && !text_of(command)) {
        complain(&w, &s, "command", "'build.command' must be a command line", command);
        return 0;
    }
    if (folder && !text_of(folder)) {
        complain(&w, &s, "cwd", "'build.cwd' must be a folder", folder);
        return 0;
    }
    if (!command)
        return 0;
    p->build.command = mem_strdup(text_of(command));
    p->build.folder = folder ? path_join(p->folder, text_of(folder)) : mem_strdup(p->folder);
    s.path[s.depth++] = "watch_dir";
    if (p->build.command && p->build.folder)
        r = read_watched(&w, &s, json_object_get(s.value, "watch_dir"));
    return r < 0 || !p->build.command || !p->build.folder ? err_nomem(err) : 0;
}

void script_done(struct project *p)
{
    rules_done(&p->script.rules);
    words_done(&p->script.words);
    words_done(&p->build.watched);
    mem_free(p->script.base_dir);
    mem_free(p->script.metafile);
    mem_free(p->script.inputs);
    mem_free(p->build.command);
    mem_free(p->build.folder);
    p->script = (struct project_script){0};
    p->build = (struct project_build){0};
}
