/* diagnostic.c - keep and print messages about a project. */
#include "project/diagnostic.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "text/position.h"

enum {
    TEXT_MAX = 2048,     /* bytes of one message */
    SOURCE_SHOWN = 160,  /* bytes of a source line that are shown */
    SOURCE_BEFORE = 100, /* of them before the column, when the line is longer */
};

void diagnostics_init(struct diagnostics *d)
{
    *d = (struct diagnostics){0};
}

static void diagnostic_done(struct diagnostic *d)
{
    mem_free(d->file);
    mem_free(d->text);
    mem_free(d->hint);
    mem_free(d->source);
}

void diagnostics_done(struct diagnostics *d)
{
    for (size_t i = 0; i < d->count; i++)
        diagnostic_done(&d->items[i]);
    mem_free(d->items);
    *d = (struct diagnostics){0};
}

static bool has_room(struct diagnostics *d)
{
    size_t cap = d->cap ? d->cap * 2 : 8;
    struct diagnostic *items;

    if (d->count < d->cap)
        return true;
    items = mem_resize(d->items, cap * sizeof *items);
    if (!items)
        return false;
    d->items = items;
    d->cap = cap;
    return true;
}

void diagnostics_add(struct diagnostics *d, enum severity severity, struct place where,
                     const char *hint, const char *fmt, ...)
{
    char text[TEXT_MAX];
    struct diagnostic one = {.severity = severity, .line = where.line, .column = where.column};
    va_list ap;

    *(severity == SEVERITY_ERROR ? &d->errors : &d->warnings) += 1;
    if (d->count == DIAGNOSTICS_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    one.file = mem_strdup(where.file ? where.file : "");
    one.text = mem_strdup(text);
    one.hint = mem_strdup(hint ? hint : "");
    one.source = mem_copy(where.source.data, where.source.len);
    if (!one.file || !one.text || !one.hint || !one.source || !has_room(d)) {
        diagnostic_done(&one);
        d->is_short = true;
        return;
    }
    d->items[d->count++] = one;
}

struct place place_at(const char *file, struct span text, size_t at)
{
    struct position p = position_of(text, at);

    return (struct place){file, p.line, p.column, p.source};
}

const struct diagnostic *diagnostics_first_error(const struct diagnostics *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].severity == SEVERITY_ERROR)
            return &d->items[i];
    return NULL;
}

static int print_place(const struct diagnostic *d, struct buf *out)
{
    int r = 0;

    if (!d->file[0])
        return 0;
    r = buf_print(out, "%s:", d->file);
    if (r == 0 && d->line > 0)
        r = buf_print(out, "%d:", d->line);
    if (r == 0 && d->line > 0 && d->column > 0)
        r = buf_print(out, "%d:", d->column);
    return r < 0 ? r : buf_append(out, " ", 1);
}

static bool is_inner_byte(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The source line and a caret below the column; of a long line the part around it. */
static int print_source(const struct diagnostic *d, struct buf *out)
{
    size_t len = strlen(d->source), from = 0, to;
    size_t at = position_offset((struct span){d->source, len}, 1, d->column);
    char c;
    int r;

    if (len > SOURCE_SHOWN && at > SOURCE_BEFORE)
        from = at - SOURCE_BEFORE;
    while (from < len && is_inner_byte(d->source[from]))
        from++;
    to = len - from > SOURCE_SHOWN ? from + SOURCE_SHOWN : len;
    while (to < len && is_inner_byte(d->source[to]))
        to++;
    r = buf_print(out, "\n    %.*s", (int)(to - from), d->source + from);
    if (r < 0 || d->column <= 0)
        return r;
    r = buf_append(out, "\n    ", 5);
    for (size_t i = from; r == 0 && i < at; i++) {
        c = d->source[i] == '\t' ? '\t' : ' ';
        if (!is_inner_byte(d->source[i]))
            r = buf_append(out, &c, 1);
    }
    return r < 0 ? r : buf_append(out, "^", 1);
}

/* "  hint: first line", further lines below it. */
static int print_hint(const char *hint, struct buf *out)
{
    int r = buf_append(out, "\n  hint: ", 9);

    for (const char *line = hint; r == 0 && line;) {
        const char *end = strchr(line, '\n');
        size_t n = end ? (size_t)(end - line) : strlen(line);
        if (line != hint)
            r = buf_append(out, "\n        ", 9);
        if (r == 0)
            r = buf_append(out, line, n);
        line = end ? end + 1 : NULL;
    }
    return r;
}

int diagnostic_print(const struct diagnostic *d, struct buf *out)
{
    int r = print_place(d, out);

    if (r == 0)
        r = buf_print(out, "%s: %s", d->severity == SEVERITY_ERROR ? "error" : "warning", d->text);
    if (r == 0 && d->source[0])
        r = print_source(d, out);
    if (r == 0 && d->hint[0])
        r = print_hint(d->hint, out);
    return r;
}

int diagnostic_print_short(const struct diagnostic *d, struct buf *out)
{
    int r = print_place(d, out);

    return r < 0 ? r : buf_print(out, "%s", d->text);
}

int diagnostics_print(const struct diagnostics *d, struct buf *out)
{
    size_t hidden = d->errors + d->warnings - d->count;
    int r = 0;

    for (size_t i = 0; r == 0 && i < d->count; i++) {
        r = diagnostic_print(&d->items[i], out);
        if (r == 0)
            r = buf_append(out, "\n", 1);
    }
    if (r == 0 && hidden > 0 && !d->is_short)
        r = buf_print(out, "... and %zu more\n", hidden);
    return r;
}
