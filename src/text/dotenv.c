/* dotenv.c - the grammar of the dotenv package, without its regular expression.
 *
 * A quote closes a value only when nothing but a comment follows on its line;
 * of several such quotes the first one not behind a backslash wins, else the
 * last.  When none does, the value is an unquoted one that begins with a quote.
 *
 * One difference is meant: a newline between name, '=' and value ends the
 * assignment here, while the regular expression runs on into the next line. */
#include "text/dotenv.h"

#include <string.h>

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f'; }
static bool is_end(char c) { return c == '\n' || c == '\r'; }

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '.' || c == '-';
}

static char look(struct span text, size_t at) { return at < text.len ? text.data[at] : '\n'; }

static size_t skip_blanks(struct span text, size_t at)
{
    while (at < text.len && is_blank(text.data[at]))
        at++;
    return at;
}

static size_t line_end(struct span text, size_t at)
{
    while (at < text.len && !is_end(text.data[at]))
        at++;
    return at;
}

/* Only blanks and a comment until the end of the line? */
static bool is_rest_empty(struct span text, size_t at)
{
    at = skip_blanks(text, at);
    return is_end(look(text, at)) || look(text, at) == '#';
}

/* The offset of the quote that closes the one at `from`, or 0. */
static size_t closing_quote(struct span text, size_t from)
{
    size_t last = 0;

    for (size_t at = from + 1; at < text.len; at++) {
        if (text.data[at] != text.data[from])
            continue;
        if (is_rest_empty(text, at + 1))
            last = at;
        if (text.data[at - 1] != '\\' || at - 1 == from)
            return last;
    }
    return last;
}

/* Append a value, with CRLF as LF and, in double quotes, \n and \r understood. */
static int put_value(struct buf *out, struct span value, bool is_escaped)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i], next = i + 1 < value.len ? value.data[i + 1] : '\0';
        int r;
        if (c == '\r')
            c = '\n', i += next == '\n';
        else if (c == '\\' && is_escaped && (next == 'n' || next == 'r'))
            c = next == 'n' ? '\n' : '\r', i++;
        r = buf_append(out, &c, 1);
        if (r < 0)
            return r;
    }
    return 0;
}

static int read_value(struct dotenv *e, size_t at, struct buf *value)
{
    struct span text = e->text, v;
    size_t from = skip_blanks(text, at), end;
    char quote = look(text, from);
    bool is_quote = quote == '"' || quote == '\'' || quote == '`';

    end = is_quote ? closing_quote(text, from) : 0;
    if (end > 0) {
        e->at = line_end(text, end);
        v = (struct span){text.data + from + 1, end - from - 1};
        return put_value(value, v, quote == '"');
    }
    for (end = from; end < text.len && !is_end(text.data[end]) && text.data[end] != '#'; end++)
        ;
    e->at = line_end(text, end);
    while (end > from && is_blank(text.data[end - 1]))
        end--;
    v = (struct span){text.data + from, end - from};
    if (is_quote && v.len >= 2 && v.data[v.len - 1] == quote)
        v = (struct span){v.data + 1, v.len - 2};
    return put_value(value, v, quote == '"');
}

/* The name of an assignment and where its value begins; false when it is none. */
static bool read_name(struct span text, size_t at, struct span *ret_name, size_t *ret_at)
{
    size_t from;

    if (text.len - at > 7 && memcmp(text.data + at, "export", 6) == 0 &&
        is_blank(text.data[at + 6])) {
        from = skip_blanks(text, at + 6);
        if (is_name(look(text, from)))      /* else it is a variable called export */
            at = from;
    }
    for (from = at; at < text.len && is_name(text.data[at]); at++)
        ;
    *ret_name = (struct span){text.data + from, at - from};
    if (at == from)
        return false;
    *ret_at = skip_blanks(text, at);
    if (look(text, *ret_at) == '=') {
        ++*ret_at;
        return true;
    }
    *ret_at = at + 1;
    return look(text, at) == ':' && at + 1 < text.len && is_blank(text.data[at + 1]);
}

int dotenv_next(struct dotenv *e, struct span *ret_name, struct buf *value)
{
    struct span text = e->text;
    size_t at;

    buf_eat(value, buf_len(value));
    if (e->at == 0 && text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        e->at = 3;
    for (;; e->at = line_end(text, e->at)) {
        while (e->at < text.len && (is_blank(text.data[e->at]) || is_end(text.data[e->at])))
            e->at++;
        if (e->at >= text.len)
            return DOTENV_END;
        if (text.data[e->at] != '#')
            break;
    }
    if (e->counted == 0)
        e->line = 1;
    for (; e->counted < e->at; e->counted++)
        e->line += text.data[e->counted] == '\n';
    if (read_name(text, e->at, ret_name, &at)) {
        int r = read_value(e, at, value);
        return r < 0 ? r : DOTENV_PAIR;
    }
    at = line_end(text, e->at);
    *ret_name = (struct span){text.data + e->at, at - e->at};
    e->at = at;
    return DOTENV_SKIPPED;
}
