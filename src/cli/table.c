/* table.c - see table.h.
 *
 * Columns are as wide as terminals show text: glibc's C.UTF-8 knows which
 * characters take two places and which none. */
#include "cli/table.h"

#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"

struct frame {
    struct buf *out;
    const struct span *cells;
    size_t columns;
    size_t *widths;
    struct span *rest; /* of the cells of the row that is being put */
};

/* One character of text that may be no UTF-8: its code point (U+FFFD), and how many bytes it has.
 */
static uint32_t next_char(struct span text, size_t *ret_len)
{
    const unsigned char *at = (const unsigned char *)text.data;
    size_t n = at[0] < 0xc2 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 1;
    uint32_t c = n == 1 ? at[0] : at[0] & (0x7fu >> n);

    *ret_len = 1;
    if (n > text.len || (n == 1 && at[0] >= 0x80))
        return 0xfffd;
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0xfffd;
        c = c << 6 | (at[i] & 0x3f);
    }
    if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
        (n == 4 && (c < 0x10000 || c > 0x10ffff)))
        return 0xfffd;
    *ret_len = n;
    return c;
}

/* What stands for a character that must not reach a terminal. */
static uint32_t visible(uint32_t c)
{
    if (c < 0x20)
        return 0x2400 + c;
    if (c == 0x7f)
        return 0x2421;
    return c >= 0x80 && c < 0xa0 ? 0xfffd : c;
}

static int put_char(struct buf *out, uint32_t c)
{
    char b[4];

    if (c < 0x80)
        return buf_append(out, &(char){(char)c}, 1);
    if (c < 0x800) {
        b[0] = (char)(0xc0 | c >> 6);
        b[1] = (char)(0x80 | (c & 0x3f));
        return buf_append(out, b, 2);
    }
    if (c < 0x10000) {
        b[0] = (char)(0xe0 | c >> 12);
        b[1] = (char)(0x80 | (c >> 6 & 0x3f));
        b[2] = (char)(0x80 | (c & 0x3f));
        return buf_append(out, b, 3);
    }
    b[0] = (char)(0xf0 | c >> 18);
    b[1] = (char)(0x80 | (c >> 12 & 0x3f));
    b[2] = (char)(0x80 | (c >> 6 & 0x3f));
    b[3] = (char)(0x80 | (c & 0x3f));
    return buf_append(out, b, 4);
}

/* Takes the next line of a cell; false: there is none (any more).  An empty cell has one. */
static bool next_line(struct span *rest, struct span *ret)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;

    if (!rest->data)
        return false;
    *ret = (struct span){rest->data, end ? (size_t)(end - rest->data) : rest->len};
    *rest = end ? (struct span){end + 1, rest->len - ret->len - 1} : (struct span){NULL, 0};
    return true;
}

/* Puts the line when out is there; how wide it is either way.  -1: no memory. */
static long put_line(struct buf *out, struct span line)
{
    size_t len;
    long width = 0;
    uint32_t c;
    int wide;

    for (size_t at = 0; at < line.len; at += len) {
        c = visible(next_char((struct span){line.data + at, line.len - at}, &len));
        wide = wcwidth((wchar_t)c);
        width += wide >= 0 ? wide : 1;
        if (out && put_char(out, c) < 0)
            return -1;
    }
    return width;
}

static void measure(struct frame *f, size_t rows)
{
    struct span rest, line;
    long width;

    for (size_t i = 0; i < rows * f->columns; i++) {
        rest = f->cells[i];
        while (next_line(&rest, &line)) {
            width = put_line(NULL, line);
            if ((size_t)width > f->widths[i % f->columns])
                f->widths[i % f->columns] = (size_t)width;
        }
    }
}

static int put_times(struct buf *out, const char *text, size_t n)
{
    int r = 0;

    while (r == 0 && n-- > 0)
        r = buf_append(out, text, strlen(text));
    return r;
}

static int put_rule(struct frame *f, const char *left, const char *middle, const char *right)
{
    int r = 0;

    for (size_t i = 0; i < f->columns && r == 0; i++) {
        r = put_times(f->out, i == 0 ? left : middle, 1);
        if (r == 0)
            r = put_times(f->out, "─", f->widths[i] + 2);
    }
    return r == 0 ? buf_print(f->out, "%s\n", right) : r;
}

static int put_row(struct frame *f, const struct span *row)
{
    struct span line;
    bool is_more = true;
    long width;

    for (size_t i = 0; i < f->columns; i++)
        f->rest[i] = row[i];
    while (is_more) {
        is_more = false;
        for (size_t i = 0; i < f->columns; i++) {
            if (buf_print(f->out, "│ ") < 0)
                return ERR_NOMEM;
            width = next_line(&f->rest[i], &line) ? put_line(f->out, line) : 0;
            if (width < 0 || put_times(f->out, " ", f->widths[i] - (size_t)width + 1) < 0)
                return ERR_NOMEM;
            is_more = is_more || f->rest[i].data;
        }
        if (buf_print(f->out, "│\n") < 0)
            return ERR_NOMEM;
    }
    return 0;
}

static int put_all(struct frame *f, size_t rows)
{
    int r;

    measure(f, rows);
    r = put_rule(f, "┌", "┬", "┐");
    for (size_t i = 0; i < rows && r == 0; i++) {
        if (i > 0)
            r = put_rule(f, "├", "┼", "┤");
        if (r == 0)
            r = put_row(f, f->cells + i * f->columns);
    }
    return r == 0 ? put_rule(f, "└", "┴", "┘") : r;
}

int table_print(struct buf *out, const struct span *cells, size_t columns, size_t rows)
{
    struct frame f = {out, cells, columns, mem_alloc(columns * sizeof *f.widths + 1),
                      mem_alloc(columns * sizeof *f.rest + 1)};
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = (locale_t)0;
    int r = f.widths && f.rest ? 0 : ERR_NOMEM;

    if (utf8)
        before = uselocale(utf8);
    if (r == 0)
        r = put_all(&f, rows);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    mem_free(f.widths);
    mem_free(f.rest);
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
