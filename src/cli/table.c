/* table.c - clean what is in the cells, measure, draw. */
#include "cli/table.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "text/width.h"

#define GREY  "\x1b[90m"
#define BLUE  "\x1b[34m"
#define RESET "\x1b[39m"

enum { SEEN_MAX = 64 * TABLE_WIDTH_MAX }; /* bytes of a line that are looked at */

struct cell { /* what is drawn of a text: its lines, '\n' between them */
    struct buf text;
    size_t lines, width;
    size_t at; /* of the line that is drawn next */
};

enum table_look table_look(void)
{
    return log_wants_colour(STDOUT_FILENO) ? TABLE_COLOURED : TABLE_PLAIN;
}

int table_init(struct table *t, size_t columns, enum table_look look)
{
    *t = (struct table){.look = look,
                        .columns = columns,
                        .widths = mem_alloc((columns + 1) * sizeof *t->widths),
                        .cells = mem_alloc((columns + 1) * sizeof *t->cells)};
    if (t->widths && t->cells)
        return 0;
    table_done(t);
    return ERR_NOMEM;
}

void table_done(struct table *t)
{
    for (size_t i = 0; t->cells && i < t->columns; i++)
        buf_done(&t->cells[i].text);
    mem_free(t->cells);
    mem_free(t->widths);
    *t = (struct table){0};
}

/* ---- cells ---- */

/* Would it move the cursor, or turn the direction of the text around it? */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

/* U+2400 and those behind it are the pictures of control characters. */
static int put_picture(uint32_t c, struct buf *out)
{
    if (c < 0x20)
        return buf_print(out, "\xE2\x90%c", (int)(0x80 + c));
    return c == 0x7F ? buf_append(out, "\xE2\x90\xA1", 3) : buf_append(out, "\xEF\xBF\xBD", 3);
}

static int put_clean(struct span line, struct buf *out)
{
    int r = 0;
    size_t len;

    for (size_t at = 0; at < line.len && r == 0; at += len) {
        struct span rest = {line.data + at, line.len - at};
        uint32_t c = width_next(rest, &len);
        r = is_control(c) || c == 0xFFFD ? put_picture(c, out) : buf_append(out, rest.data, len);
    }
    return r;
}

static struct span behind(const struct cell *cell, size_t start)
{
    return (struct span){buf_data(&cell->text) + start, buf_len(&cell->text) - start};
}

static int put_line(struct cell *cell, struct span line)
{
    size_t start = buf_len(&cell->text), width;
    int r;

    if (line.len > SEEN_MAX)
        line.len = SEEN_MAX;
    r = put_clean(line, &cell->text);
    if (r == 0 && width_cut(behind(cell, start), TABLE_WIDTH_MAX) < behind(cell, start).len) {
        cell->text.tail =
            cell->text.head + start + width_cut(behind(cell, start), TABLE_WIDTH_MAX - 1);
        r = buf_append(&cell->text, "…", strlen("…"));
    }
    width = width_of(behind(cell, start));
    if (width > cell->width)
        cell->width = width;
    cell->lines++;
    return r;
}

int table_set(struct table *t, size_t column, struct span text)
{
    struct cell *cell = &t->cells[column];
    int r = 0;

    buf_eat(&cell->text, buf_len(&cell->text));
    cell->lines = cell->width = cell->at = 0;
    while (r == 0) {
        const char *end = text.len > 0 ? memchr(text.data, '\n', text.len) : NULL;
        size_t n = end ? (size_t)(end - text.data) : text.len;
        bool is_cut = cell->lines == TABLE_LINES_MAX;
        if (cell->lines > 0)
            r = buf_append(&cell->text, "\n", 1);
        if (r == 0)
            r = put_line(cell, is_cut ? SPAN("…") : (struct span){text.data, n});
        if (!end || is_cut)
            break;
        text.data += n + 1;
        text.len -= n + 1;
    }
    return r;
}

void table_measure(struct table *t)
{
    for (size_t i = 0; i < t->columns; i++)
        if (t->cells[i].width > t->widths[i])
            t->widths[i] = t->cells[i].width;
}

/* ---- drawing ---- */

static int repeat(struct buf *out, const char *text, size_t count)
{
    int r = 0;

    while (r == 0 && count-- > 0)
        r = buf_append(out, text, strlen(text));
    return r;
}

static int put_rule(struct table *t, struct buf *out, const char *left, const char *middle,
                    const char *right)
{
    int r = repeat(out, GREY, t->look == TABLE_COLOURED);

    for (size_t i = 0; i < t->columns && r == 0; i++) {
        r = repeat(out, i == 0 ? left : middle, 1);
        if (r == 0)
            r = repeat(out, "─", t->widths[i] + 2);
    }
    if (r < 0)
        return r;
    return buf_print(out, "%s%s\n", right, t->look == TABLE_COLOURED ? RESET : "");
}

static struct span next_line(struct cell *cell)
{
    struct span line = {"", 0};
    const char *end;

    if (cell->at > buf_len(&cell->text))
        return line;
    line = behind(cell, cell->at);
    end = line.len > 0 ? memchr(line.data, '\n', line.len) : NULL;
    if (end)
        line.len = (size_t)(end - line.data);
    cell->at += line.len + 1;
    return line;
}

/* The next line of every cell. */
static int put_lines(struct table *t, struct buf *out, const char *colour)
{
    const char *bar = t->look == TABLE_COLOURED ? GREY "│" RESET : "│";
    bool is_coloured = colour && t->look == TABLE_COLOURED;
    int r = 0;

    for (size_t i = 0; i < t->columns && r == 0; i++) {
        struct span line = next_line(&t->cells[i]);
        r = buf_print(out, "%s%s ", bar, is_coloured ? colour : "");
        if (r == 0)
            r = buf_append(out, line.data, line.len);
        if (r == 0)
            r = repeat(out, " ", t->widths[i] - width_of(line) + 1);
        if (r == 0)
            r = repeat(out, RESET, is_coloured);
    }
    return r < 0 ? r : buf_print(out, "%s\n", bar);
}

static int put_cells(struct table *t, struct buf *out, const char *colour)
{
    size_t lines = 1;
    int r = 0;

    for (size_t i = 0; i < t->columns; i++)
        if (t->cells[i].lines > lines)
            lines = t->cells[i].lines;
    while (lines-- > 0 && r == 0)
        r = put_lines(t, out, colour);
    return r;
}

int table_put_head(struct table *t, struct buf *out)
{
    int r = put_rule(t, out, "┌", "┬", "┐");

    return r < 0 ? r : put_cells(t, out, BLUE);
}

int table_put_row(struct table *t, struct buf *out)
{
    int r = put_rule(t, out, "├", "┼", "┤");

    return r < 0 ? r : put_cells(t, out, NULL);
}

int table_put_end(struct table *t, struct buf *out)
{
    return put_rule(t, out, "└", "┴", "┘");
}

/* ---- all at once ---- */

static int fill(struct table *t, const struct span *row)
{
    int r = 0;

    for (size_t i = 0; i < t->columns && r == 0; i++)
        r = table_set(t, i, row[i]);
    return r;
}

int table_print(struct buf *out, enum table_look look, const struct span *cells, size_t columns,
                size_t rows)
{
    struct table t;
    int r = table_init(&t, columns, look);

    for (size_t i = 0; i < rows && r == 0; i++) {
        r = fill(&t, cells + i * columns);
        table_measure(&t);
    }
    for (size_t i = 0; i < rows && r == 0; i++) {
        r = fill(&t, cells + i * columns);
        if (r == 0)
            r = i == 0 ? table_put_head(&t, out) : table_put_row(&t, out);
    }
    if (r == 0)
        r = table_put_end(&t, out);
    table_done(&t);
    return r;
}

void table_bytes(double bytes, char out[32])
{
    static const char *const UNITS[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;

    while (bytes >= 1000 && unit + 1 < sizeof UNITS / sizeof *UNITS) {
        bytes /= 1000;
        unit++;
    }
    snprintf(out, 32, bytes < 999.5 ? "%.3g %s" : "%.0f %s", bytes, UNITS[unit]);
}
