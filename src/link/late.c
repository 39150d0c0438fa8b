/* late.c - see late.h.  Called by: bundler.c. */
#include "link/late.h"

#include <string.h>

#include "base/mem.h"

enum {
    DIGITS = 36,
    PREFIX = 3, /* bytes of a word that tell it from all of the modules' */
    IMPORTERS_MAX = DIGITS * DIGITS * DIGITS,
};

#define IMPORT  "import"
#define REQUIRE "require"
#define NONE    "none" /* behind the prefix: as long as REQUIRE */

static const char DIGIT[] = "0123456789abcdefghijklmnopqrstuvwxyz";

struct rewriting {
    struct bundling *b;
    const struct module *module; /* whose text this is; NULL: none */
    struct buf place, text;
    char prefix[PREFIX + 1];
    char word[sizeof IMPORT]; /* the module's own; "" until it needs one */
    int importers;
    bool is_changed, has_none;
};

/* The bundler's own definition has a space there. */
bool late_is_import(struct span linked)
{
    return memmem(linked.data, linked.len, "__require(", strlen("__require(")) != NULL;
}

bool late_is_any(struct span linked)
{
    return memmem(linked.data, linked.len, "var __require = ", strlen("var __require = ")) != NULL;
}

/* ---- a word that nobody has ---- */

static int digit_of(char c)
{
    const char *at = c ? strchr(DIGIT, c) : NULL;

    return at ? (int)(at - DIGIT) : -1;
}

static void mark(struct span text, bool taken[DIGITS][DIGITS])
{
    const char *at = text.data, *end = at + text.len;

    while (at && (at = memchr(at, '$', (size_t)(end - at)))) {
        at++;
        if (end - at >= 2 && digit_of(at[0]) >= 0 && digit_of(at[1]) >= 0)
            taken[digit_of(at[0])][digit_of(at[1])] = true;
    }
}

/* false: there is none, and all stays as it is. */
static bool find_prefix(struct rewriting *w)
{
    const struct modules *all = w->b->modules;
    bool taken[DIGITS][DIGITS] = {0};

    for (size_t i = 0; i < all->count; i++) {
        struct buf text = {0};
        struct err ignored;
        if (module_is_code(all->items[i].kind) &&
            stage_read(w->b->files, all->items[i].path, LINK_OUTPUT_MAX, &text, &ignored) == 0)
            mark(buf_span(&text), taken);
        buf_done(&text);
    }
    for (int i = 10; i < DIGITS; i++)
        for (int k = 0; k < DIGITS; k++)
            if (!taken[i][k]) {
                memcpy(w->prefix, (char[]){'$', DIGIT[i], DIGIT[k], '\0'}, sizeof w->prefix);
                return true;
            }
    return false;
}

/* ---- one module ---- */

static int flush(struct rewriting *w, struct err *err)
{
    int r = 0;

    if (w->module && w->is_changed)
        r = stage_rewrite(w->b->stage, buf_data(&w->place), buf_span(&w->text), err);
    buf_eat(&w->place, buf_len(&w->place));
    buf_eat(&w->text, buf_len(&w->text));
    w->module = NULL;
    w->is_changed = false;
    w->word[0] = '\0';
    return r;
}

static int take_module(struct rewriting *w, const char *file, struct err *err)
{
    const char *place = strncmp(file, "in/", 3) == 0 ? file + 3 : file;
    struct buf path = {0};
    int r;

    if (buf_len(&w->place) > 0 && strcmp(buf_data(&w->place), place) == 0)
        return 0;
    r = flush(w, err);
    if (r == 0 && (buf_print(&w->place, "%s", place) < 0 || buf_print(&path, "in/%s", place) < 0))
        r = err_nomem(err);
    w->module = modules_find(w->b->modules, module_of_place(place));
    if (r == 0 && w->module)
        r = stage_read(w->b->stage->fd, buf_data(&path), LINK_OUTPUT_MAX, &w->text, err);
    buf_done(&path);
    return r;
}

static int define(struct rewriting *w, const char *rest, const char *value, struct err *err)
{
    struct buf *args = &w->b->aliases;

    if (buf_print(args, "--define:%s%s=%s", w->prefix, rest, value) < 0 ||
        buf_append(args, "", 1) < 0)
        return err_nomem(err);
    return 0;
}

static int name_importer(struct rewriting *w, struct err *err)
{
    const int n = w->importers;
    const char digits[] = {DIGIT[n / DIGITS / DIGITS], DIGIT[n / DIGITS % DIGITS],
                           DIGIT[n % DIGITS], '\0'};
    struct buf value = {0};
    int r = buf_print(&value, "__corral.from.m%d", n);

    r = r < 0 ? r : buf_print(&w->b->importers, "m%d: ", n);
    r = r < 0 ? r : bundling_quote(&w->b->importers, w->module->name);
    r = r < 0 ? r : buf_print(&w->b->importers, ",\n");
    r = r < 0 ? err_nomem(err) : define(w, digits, buf_data(&value), err);
    buf_done(&value);
    if (r < 0)
        return r;
    memcpy(w->word, w->prefix, PREFIX);
    memcpy(w->word + PREFIX, digits, sizeof digits);
    w->importers++;
    return 0;
}

static int change(struct rewriting *w, const struct said_late *one, struct err *err)
{
    char *text = (char *)buf_data(&w->text);
    size_t at;
    int r = 0;

    if (!said_find(buf_span(&w->text), one->line, one->column, one->word, &at))
        return 0;
    if (strcmp(one->word, IMPORT) == 0) {
        if (!w->word[0] && w->importers < IMPORTERS_MAX)
            r = name_importer(w, err);
        if (r < 0 || !w->word[0])
            return r;
        memcpy(text + at, w->word, strlen(IMPORT));
    } else if (w->module->kind == MODULE_ESM && said_is_typeof(buf_span(&w->text), at)) {
        if (!w->has_none)
            r = define(w, NONE, "undefined", err);
        w->has_none = true;
        memcpy(text + at, w->prefix, PREFIX);
        memcpy(text + at + PREFIX, NONE, strlen(NONE));
    } else {
        return 0;
    }
    w->is_changed = true;
    return r;
}

int late_rewrite(struct bundling *b, struct span words, struct err *err)
{
    struct rewriting w = {.b = b};
    struct said_late one;
    int r = find_prefix(&w) ? 1 : 0;

    while (r == 1) {
        r = said_next_late(&words, b->stage->path, &one);
        if (r < 0)
            err_nomem(err);
        if (r != 1)
            break;
        r = take_module(&w, one.file, err);
        if (r == 0 && w.module)
            r = change(&w, &one, err);
        mem_free(one.file);
        r = r < 0 ? r : 1;
    }
    r = r < 0 ? r : flush(&w, err);
    buf_done(&w.place);
    buf_done(&w.text);
    return r;
}

/* ---- what the realm is told ---- */

int late_write_table(struct bundling *b, const struct said *without, struct err *err)
{
    struct buf text = {0};
    int r = buf_print(&text, "__corral.modules({\n");

    for (size_t i = 0; i < b->modules->count && r == 0; i++) {
        const struct module *m = &b->modules->items[i];
        bool is_left_out = m->kind == MODULE_MAP || m->kind == MODULE_PYTHON;
        for (size_t k = 0; k < without->count; k++)
            is_left_out |= strcmp(module_of_place(without->items[k].file), m->name) == 0;
        if (is_left_out)
            continue;
        r = bundling_quote(&text, m->name);
        r = r < 0 ? r : buf_print(&text, ": () => import(");
        r = r < 0 ? r : bundling_import(b, m->name, &text);
        r = r < 0 ? r : buf_print(&text, "),\n");
    }
    r = r < 0 ? r : buf_print(&text, "}, {\n%s});\n", buf_data(&b->importers));
    r = r < 0 ? err_nomem(err) : stage_rewrite(b->stage, BUNDLING_TABLE, buf_span(&text), err);
    buf_done(&text);
    return r;
}
