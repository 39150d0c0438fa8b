/* map.c - see map.h. */
#include "link/map.h"

#include <string.h>

#include "base/mem.h"
#include "link/modules.h"
#include "text/value.h"

enum {
    STRINGS_MAX = 200 * 1000,
    WITH_TEXT_MAX = 8 << 20, /* bytes of a map that is kept with the text of its sources */
};

#define OURS ".ours/"

int map_source(const char *source, struct buf *out, struct err *err)
{
    struct buf path = {0}, plain = {0};
    const char *at;
    int r;

    if (strstr(source, "://"))
        return buf_print(out, "%s", source) < 0 ? err_nomem(err) : 0;
    r = buf_print(&path, "out/%s", source) < 0 ? err_nomem(err) : 0;
    if (r == 0)
        r = module_name(buf_data(&path), &plain, err);
    if (r == ERR_INVALID) { /* it leads too far up, or nowhere */
        buf_eat(&plain, buf_len(&plain));
        r = buf_print(&plain, "%s", source) < 0 ? err_nomem(err) : 0;
    }
    at = buf_data(&plain);
    while (strncmp(at, "../", 3) == 0)
        at += 3;
    if (strncmp(at, "in/", 3) == 0)
        at = module_of_place(at + 3);
    if (r == 0 && strncmp(at, OURS, sizeof OURS - 1) == 0)
        r = buf_print(out, "corral:%s", at + sizeof OURS - 1) < 0 ? err_nomem(err) : 0;
    else if (r == 0)
        r = buf_print(out, "%s", at) < 0 ? err_nomem(err) : 0;
    buf_done(&path);
    buf_done(&plain);
    return r;
}

/* ---- comments that name a map ---- */

static size_t url_length(const char *url, const char *end)
{
    size_t n = 0;

    while (url + n < end && !strchr(" \t\r\n", url[n]))
        n++;
    return n;
}

/* Names without a way lie beside the module, where nothing but the upload is. */
static bool leads_elsewhere(const char *url, size_t len, const char *name,
                            const struct modules *modules)
{
    char *copy;
    struct buf clean = {0};
    struct err ignored;
    const struct module *m = NULL;
    bool is_plain = memchr(url, '%', len) == NULL && memchr(url, ':', len) == NULL &&
                    memmem(url, len, "..", 2) == NULL && url[0] != '/';

    if (is_plain || (len >= 5 && memcmp(url, "data:", 5) == 0))
        return false;
    copy = mem_copy(url, len);
    if (copy && !strchr(copy, ':') && !strchr(copy, '%') && url[0] != '/' &&
        module_resolve(name, copy, &clean, &ignored) == 0)
        m = modules_find(modules, buf_data(&clean));
    buf_done(&clean);
    mem_free(copy);
    return !m || m->kind != MODULE_MAP;
}

void map_disarm(char *text, size_t len, const char *name, const struct modules *modules)
{
    static const char PRAGMA[] = " sourceMappingURL=";
    char *at = text, *end = text + len;

    while ((at = memmem(at, (size_t)(end - at), PRAGMA, sizeof PRAGMA - 1))) {
        const bool is_comment = at > text && (at[-1] == '#' || at[-1] == '@');
        char *url = at + sizeof PRAGMA - 1;
        const size_t n = url_length(url, end);
        if (is_comment && n > 0 && leads_elsewhere(url, n, name, modules))
            at[1] = 'S'; /* which is nobody's word */
        at = url;
    }
}

/* Each is a small piece of memory for who reads it. */
static bool has_many_strings(struct span map)
{
    size_t quotes = 0;

    for (size_t i = 0; i < map.len; i++) {
        quotes += map.data[i] == '"';
        i += map.data[i] == '\\';
    }
    return quotes / 2 > STRINGS_MAX;
}

static int shift(json_t *map, const struct awaits *inserted, struct err *err)
{
    const char *mappings = json_string_value(json_object_get(map, "mappings"));
    struct buf out = {0};
    int r = mappings ? awaits_shift(inserted, span_of(mappings), &out, err) : 0;

    if (r == 0 && mappings &&
        json_object_set_new(map, "mappings", json_stringn(buf_data(&out), buf_len(&out))) < 0)
        r = err_nomem(err);
    buf_done(&out);
    return r;
}

int map_rewrite(struct span map, const struct awaits *inserted, struct buf *out, struct err *err)
{
    json_t *all = NULL, *sources, *one;
    json_error_t where;
    char *text = NULL;
    size_t i;
    int r = has_many_strings(map) ? ERR_LIMIT : value_parse(map, &all, &where);

    if (r == ERR_LIMIT)
        return err_set(err, ERR_LIMIT, "the source map has more than %d strings", STRINGS_MAX);
    if (r < 0)
        return r == ERR_NOMEM ? err_nomem(err)
                              : err_set(err, ERR_INVALID, "the source map: %s", where.text);
    sources = json_object_get(all, "sources");
    json_array_foreach(sources, i, one)
    {
        struct buf name = {0};
        if (r == 0 && json_is_string(one))
            r = map_source(json_string_value(one), &name, err);
        if (r == 0 && json_is_string(one) &&
            json_array_set_new(sources, i, json_stringn(buf_data(&name), buf_len(&name))) < 0)
            r = err_nomem(err);
        buf_done(&name);
    }
    if (r == 0 && inserted->count > 0)
        r = shift(all, inserted, err);
    if (map.len > WITH_TEXT_MAX)
        json_object_del(all, "sourcesContent");
    if (r == 0)
        text = value_dump(all, JSON_COMPACT);
    if (r == 0)
        r = text && buf_append(out, text, strlen(text)) == 0 ? 0 : err_nomem(err);
    mem_free(text);
    json_decref(all);
    return r;
}

/* Where the way to the stage begins that ends at `at`: behind a quote, or behind the start of a
 * comment. */
static const char *start_of(const char *from, const char *at)
{
    const char *stage = at;

    while (at > from && at[-1] != '"' && at[-1] != '\n')
        at--;
    return stage - at > 3 && memcmp(at, "// ", 3) == 0 ? at + 3 : at;
}

static const char *skip(const char *at, const char *end, const char *text)
{
    size_t n = strlen(text);

    return (size_t)(end - at) >= n && memcmp(at, text, n) == 0 ? at + n : at;
}

int map_script(struct span script, const char *stage, struct buf *out, struct err *err)
{
    const char *at = script.data, *end = at + script.len, *hit, *start, *next;
    const size_t n = strlen(stage);
    int r = 0;

    while (r == 0 && at < end && (hit = memmem(at, (size_t)(end - at), stage, n))) {
        start = start_of(at, hit);
        r = buf_append(out, at, (size_t)(start - at));
        at = skip(hit + n, end, "/in/");
        while ((next = skip(at, end, "u/")) != at)
            at = next;
        at = skip(at, end, ".corral/");
    }
    if (r == 0 && at < end)
        r = buf_append(out, at, (size_t)(end - at));
    return r < 0 ? err_nomem(err) : 0;
}
