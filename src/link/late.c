/* late.c - see late.h.  Called by: bundler.c. */
#include "link/late.h"

#include <string.h>

#include "base/mem.h"

enum {
    DIGITS = LATE_DIGITS,
    PREFIX = LATE_PREFIX,
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
    char word[sizeof IMPORT]; /* the module's own; "" until it needs one */
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
static bool find_prefix(struct bundling *b)
{
    const struct modules *all = b->modules;
    bool taken[DIGITS][DIGITS] = {0};

    if (b->late.prefix[0])
        return true;
    for (size_t i = 0; i < all->count; i++) {
        struct buf text = {0};
        struct err ignored;
        if (module_is_code(all->items[i].kind) &&
            stage_read(b->files, all->items[i].path, LINK_OUTPUT_MAX, &text, &ignored) == 0)
            mark(buf_span(&text), taken);
        buf_done(&text);
    }
    for (int i = 10; i < DIGITS; i++)
        for (int k = 0; k < DIGITS; k++)
            if (!taken[i][k]) {
                memcpy(b->late.prefix, (char[]){'$', DIGIT[i], DIGIT[k], '\0'}, PREFIX + 1);
                return true;
            }
    return false;
}

static void put_word(const struct bundling *b, int n, char out[sizeof IMPORT])
{
    memcpy(out, b->late.prefix, PREFIX);
    out[PREFIX] = DIGIT[n / DIGITS / DIGITS];
    out[PREFIX + 1] = DIGIT[n / DIGITS % DIGITS];
    out[PREFIX + 2] = DIGIT[n % DIGITS];
    out[PREFIX + 3] = '\0';
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

static int define(struct bundling *b, const char *rest, const char *value, struct err *err)
{
    if (buf_print(&b->aliases, "--define:%s%s=%s", b->late.prefix, rest, value) < 0 ||
        buf_append(&b->aliases, "", 1) < 0)
        return err_nomem(err);
    return 0;
}

/* Give the module a word of its own, if it has none; "": there are too many. */
static int name_importer(struct bundling *b, const struct module *m, char ret_word[sizeof IMPORT],
                         struct err *err)
{
    const size_t at = (size_t)(m - b->modules->items);
    const int n = b->late.importers;
    struct buf value = {0};
    int r = 0;

    ret_word[0] = '\0';
    if (!b->late.numbers) {
        b->late.numbers = mem_alloc(b->modules->count * sizeof *b->late.numbers);
        if (!b->late.numbers)
            return err_nomem(err);
    }
    if (b->late.numbers[at] > 0) {
        put_word(b, b->late.numbers[at] - 1, ret_word);
        return 0;
    }
    if (n == IMPORTERS_MAX)
        return 0;
    put_word(b, n, ret_word);
    r = buf_print(&value, "__corral.from.m%d", n);
    r = r < 0 ? r : buf_print(&b->importers, "m%d: ", n);
    r = r < 0 ? r : bundling_quote(&b->importers, m->name);
    r = r < 0 ? r : buf_print(&b->importers, ",\n");
    r = r < 0 ? err_nomem(err) : define(b, ret_word + PREFIX, buf_data(&value), err);
    buf_done(&value);
    b->late.numbers[at] = n + 1;
    b->late.importers++;
    return r;
}

static int change(struct rewriting *w, const struct said_late *one, struct err *err)
{
    char *text = (char *)buf_data(&w->text);
    size_t at;
    int r = 0;

    if (!said_find(buf_span(&w->text), one->line, one->column, one->word, &at))
        return 0;
    if (strcmp(one->word, IMPORT) == 0) {
        if (!w->word[0])
            r = name_importer(w->b, w->module, w->word, err);
        if (r < 0 || !w->word[0])
            return r;
        memcpy(text + at, w->word, strlen(IMPORT));
    } else if (w->module->kind == MODULE_ESM && said_is_typeof(buf_span(&w->text), at)) {
        if (!w->has_none)
            r = define(w->b, NONE, "undefined", err);
        w->has_none = true;
        memcpy(text + at, w->b->late.prefix, PREFIX);
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
    int r = find_prefix(b) ? 1 : 0;

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

/* ---- by the text alone ---- */

static size_t skip_blanks(struct span text, size_t at)
{
    for (;;) {
        while (at < text.len && strchr(" \t\r\n", text.data[at]) && text.data[at])
            at++;
        if (text.len - at < 4 || text.data[at] != '/' || text.data[at + 1] != '*')
            return at;
        for (at += 2; at + 1 < text.len && !(text.data[at] == '*' && text.data[at + 1] == '/');)
            at++;
        at = at + 2 < text.len ? at + 2 : text.len;
    }
}

/* Does a name begin here that is put together from "./" or "../" and more? */
static bool is_put_together(struct span text, size_t at)
{
    const char quote = at < text.len ? text.data[at] : '\0';
    size_t end = at + 1;

    if (!quote || !strchr("'\"`", quote))
        return false;
    end += end < text.len && text.data[end] == '.';
    end += end < text.len && text.data[end] == '.';
    if (end == at + 1 || end >= text.len || text.data[end] != '/')
        return false;
    for (; end < text.len && text.data[end] != quote; end++) {
        if (quote == '`' && text.data[end] == '$' && end + 1 < text.len &&
            text.data[end + 1] == '{')
            return true;
        if (quote != '`' && text.data[end] == '\n')
            return false;
        end += text.data[end] == '\\' && end + 1 < text.len;
    }
    end = skip_blanks(text, end < text.len ? end + 1 : end);
    return end < text.len && text.data[end] == '+';
}

static bool is_of_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("_$.#", c) || (unsigned char)c >= 0x80;
}

bool late_find_relative(struct span text, size_t *at)
{
    static const size_t N = sizeof IMPORT - 1;
    const char *found;

    while (*at < text.len && (found = memmem(text.data + *at, text.len - *at, IMPORT, N)) != NULL) {
        const size_t here = (size_t)(found - text.data), open = skip_blanks(text, here + N);
        *at = here + N;
        if ((here > 0 && is_of_word(text.data[here - 1])) || open >= text.len ||
            text.data[open] != '(' || !is_put_together(text, skip_blanks(text, open + 1)))
            continue;
        *at = here;
        return true;
    }
    return false;
}

int late_rewrite_relative(struct bundling *b, const struct module *m, struct buf *text,
                          struct err *err)
{
    char word[sizeof IMPORT];
    size_t at = 0;
    int r = 0;

    while (r == 0 && late_find_relative(buf_span(text), &at)) {
        r = find_prefix(b) ? name_importer(b, m, word, err) : 0;
        if (r < 0 || !b->late.prefix[0] || !word[0])
            break;
        memcpy((char *)buf_data(text) + at, word, strlen(IMPORT));
    }
    return r;
}

/* The words back to what they were. */
static int restore(struct bundling *b, struct rewriting *w, const struct module *m, struct err *err)
{
    struct buf place = {0};
    char word[sizeof IMPORT], *at;
    int r = module_place(b->modules->up, m->name, &place) < 0 ? err_nomem(err) : 0;

    put_word(b, b->late.numbers[m - b->modules->items] - 1, word);
    r = r < 0 ? r : take_module(w, buf_data(&place), err);
    while (r == 0 && (at = memmem(buf_data(&w->text), buf_len(&w->text), word, strlen(word)))) {
        memcpy(at, IMPORT, strlen(IMPORT));
        w->is_changed = true;
    }
    buf_done(&place);
    return r;
}

int late_check(struct bundling *b, struct span linked, struct err *err)
{
    struct rewriting w = {.b = b};
    char word[sizeof IMPORT];
    bool is_left = false;
    int r = 0;

    for (int i = 0; i < b->late.importers && !is_left; i++) {
        put_word(b, i, word);
        is_left = memmem(linked.data, linked.len, word, strlen(word)) != NULL;
    }
    for (size_t i = 0; i < b->modules->count && is_left && r == 0; i++)
        if (b->late.numbers[i] > 0)
            r = restore(b, &w, &b->modules->items[i], err);
    r = r < 0 ? r : flush(&w, err);
    buf_done(&w.place);
    buf_done(&w.text);
    return r < 0 ? r : is_left;
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
