/* position.c - count lines and characters. */
#include "text/position.h"

static bool is_inner_byte(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* The end of the line that starts at `from`, without LF or CRLF. */
static size_t line_end(struct span text, size_t from)
{
    const char *lf = from < text.len ? memchr(text.data + from, '\n', text.len - from) : NULL;
    size_t end = lf ? (size_t)(lf - text.data) : text.len;

    return end > from && text.data[end - 1] == '\r' ? end - 1 : end;
}

struct position position_of(struct span text, size_t at)
{
    struct position p = {1, 1, {text.data, 0}};
    size_t from = 0;

    if (at > text.len)
        at = text.len;
    for (size_t i = 0; i < at; i++)
        if (text.data[i] == '\n') {
            p.line++;
            from = i + 1;
        }
    for (size_t i = from; i < at; i++)
        p.column += !is_inner_byte(text.data[i]);
    if (text.len > 0)
        p.source = (struct span){text.data + from, line_end(text, from) - from};
    return p;
}

size_t position_offset(struct span text, int line, int column)
{
    size_t at = 0, end;

    for (; line > 1 && at < text.len; at++)
        line -= text.data[at] == '\n';
    end = line_end(text, at);
    while (at < end && (column > 1 || is_inner_byte(text.data[at])))
        column -= !is_inner_byte(text.data[at++]);
    return at;
}
