/* rules.c - see rules.h. */
#include "project/rules.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    const char *word, *type;
} KINDS[MODULE_KINDS] = {
    [MODULE_ES] = {"ESModule", "application/javascript+module"},
    [MODULE_COMMONJS] = {"CommonJS", "application/javascript"},
    [MODULE_TEXT] = {"Text", "text/plain"},
    [MODULE_DATA] = {"Data", "application/octet-stream"},
    [MODULE_WASM] = {"CompiledWasm", "application/wasm"},
};

static const struct {
    enum module_kind kind;
    const char *glob;
} DEFAULTS[] = {
    {MODULE_ES, "**/*.js"},    {MODULE_ES, "**/*.mjs"},    {MODULE_COMMONJS, "**/*.cjs"},
    {MODULE_TEXT, "**/*.txt"}, {MODULE_TEXT, "**/*.html"}, {MODULE_TEXT, "**/*.sql"},
    {MODULE_DATA, "**/*.bin"}, {MODULE_WASM, "**/*.wasm"}, {MODULE_WASM, "**/*.wasm?module"},
};

bool rules_kind(const char *word, enum module_kind *ret_kind)
{
    for (int i = 0; i < MODULE_KINDS; i++)
        if (strcmp(KINDS[i].word, word) == 0) {
            *ret_kind = (enum module_kind)i;
            return true;
        }
    return false;
}

const char *rules_word(enum module_kind kind)
{
    return KINDS[kind].word;
}

const char *rules_type(enum module_kind kind)
{
    return KINDS[kind].type;
}

int rules_add(struct rules *rules, enum module_kind kind, const char *glob)
{
    size_t cap = rules->cap ? rules->cap * 2 : 16;
    struct rule *items;
    char *copy;

    if (rules->count == rules->cap) {
        items = mem_resize(rules->items, cap * sizeof *items);
        if (!items)
            return ERR_NOMEM;
        rules->items = items;
        rules->cap = cap;
    }
    copy = mem_strdup(glob);
    if (!copy)
        return ERR_NOMEM;
    rules->items[rules->count++] = (struct rule){kind, copy};
    return 0;
}

int rules_add_defaults(struct rules *rules, const bool is_hidden[MODULE_KINDS])
{
    int r = 0;

    for (size_t i = 0; i < sizeof DEFAULTS / sizeof *DEFAULTS && r == 0; i++)
        if (!is_hidden[DEFAULTS[i].kind])
            r = rules_add(rules, DEFAULTS[i].kind, DEFAULTS[i].glob);
    return r;
}

bool rules_fits(const char *glob, const char *path)
{
    /* Where the last star of each sort can begin again: those within a name, and those of folders.
     */
    const char *star = NULL, *star_path = NULL, *folders = NULL, *folders_path = NULL;

    if (strncmp(glob, "./", 2) == 0)
        glob += 2;
    while (*path || *glob) {
        if (strncmp(glob, "**/", 3) == 0) {
            folders = glob += 3;
            folders_path = path;
            star = NULL;
        } else if (strcmp(glob, "**") == 0) {
            return true;
        } else if (*glob == '*') {
            star = ++glob;
            star_path = path;
        } else if (*path && *glob == *path) {
            glob++;
            path++;
        } else if (star && *star_path && *star_path != '/') {
            path = ++star_path;
            glob = star;
        } else if (folders && strchr(folders_path, '/')) {
            path = folders_path = strchr(folders_path, '/') + 1;
            glob = folders;
            star = NULL;
        } else {
            return false;
        }
    }
    return true;
}

bool rules_find(const struct rules *rules, const char *path, enum module_kind *ret_kind)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules_fits(rules->items[i].glob, path)) {
            *ret_kind = rules->items[i].kind;
            return true;
        }
    return false;
}

bool rules_extension(const char *glob, char *ret, size_t size)
{
    const char *slash = strrchr(glob, '/'), *name = slash ? slash + 1 : glob;
    size_t n = name[0] ? strcspn(name + 1, "?") : 0;

    if (name[0] != '*' || name[1] != '.' || n < 2 || n >= size || strchr(name + 1, '*'))
        return false;
    snprintf(ret, size, "%.*s", (int)n, name + 1);
    return true;
}

void rules_done(struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        mem_free(rules->items[i].glob);
    mem_free(rules->items);
    *rules = (struct rules){0};
}
