/* quote.c - plain runs at once, the rest character by character. */
#include "text/quote.h"

#include "text/width.h"

static int quote_character(struct span text, size_t *at, struct buf *out)
{
    static const char PLAIN[] = "btnvfr";
    unsigned char c = (unsigned char)text.data[*at];
    size_t len;

    if (c >= 0x80) {
        struct span rest = {text.data + *at, text.len - *at};
        bool is_bad = width_next(rest, &len) == 0xFFFD && len == 1;
        *at += len;
        return is_bad ? buf_append(out, "\xEF\xBF\xBD", 3) : buf_append(out, rest.data, len);
    }
    ++*at;
    if (c == '"' || c == '\\')
        return buf_print(out, "\\%c", c);
    if (c >= '\b' && c <= '\r' && c != '\v')
        return buf_print(out, "\\%c", PLAIN[c - '\b']);
    return c < 0x20 ? buf_print(out, "\\u%04x", c) : buf_append(out, &c, 1);
}

int quote_json(struct buf *out, struct span text)
{
    int r = buf_append(out, "\"", 1);
    size_t at = 0;

    while (r == 0 && at < text.len) {
        size_t from = at;
        while (at < text.len && text.data[at] >= 0x20 && text.data[at] < 0x7F &&
               text.data[at] != '"' && text.data[at] != '\\')
            at++;
        r = buf_append(out, text.data + from, at - from);
        if (r == 0 && at < text.len)
            r = quote_character(text, &at, out);
    }
    return r < 0 ? r : buf_append(out, "\"", 1);
}
