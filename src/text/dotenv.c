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

    e->has_loose_quotes = false;
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
    else
        e->has_loose_quotes = is_quote;
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

/* ---- .env only ---- */

struct expansion {
    dotenv_find_fn find;
    void *self;
    struct buf *out;
    int depth;
};

static int expand(struct expansion *x, struct span value);

static int put(struct expansion *x, struct span text)
{
    if (buf_len(x->out) + text.len > DOTENV_VALUE_MAX)
        return ERR_LIMIT;
    return buf_append(x->out, text.data, text.len);
}

static size_t name_length(struct span text)
{
    size_t n = 0;

    while (n < text.len && is_name(text.data[n]) && text.data[n] != '.' && text.data[n] != '-' &&
           (n > 0 || text.data[n] < '0' || text.data[n] > '9'))
        n++;
    return n;
}

/* What stands between the braces: NAME, or NAME with an operator and a word. */
static int put_braced(struct expansion *x, struct span text)
{
    size_t n = 0, skip;
    struct span word, value;
    bool is_other;
    int r;

    while (n < text.len && text.data[n] != '-' && text.data[n] != '+' &&
           !(text.data[n] == ':' && n + 1 < text.len &&
             (text.data[n + 1] == '-' || text.data[n + 1] == '+')))
        n++;
    value = x->find(x->self, (struct span){text.data, n});
    skip = n < text.len && text.data[n] == ':' ? 2 : 1;
    is_other = n < text.len && text.data[n + skip - 1] == '+';
    if (n == text.len || (value.len > 0 && !is_other))
        return put(x, value);
    if (is_other && value.len == 0)
        return 0;
    word = (struct span){text.data + n + skip, text.len - n - skip};
    if (x->depth == DOTENV_NEST_MAX)
        return put(x, word);
    x->depth++;
    r = expand(x, word);
    x->depth--;
    return r;
}

/* A '$' stands at the start of text: put what it means, return how much was used. */
static int put_dollar(struct expansion *x, struct span text, size_t *ret_used)
{
    const char *end = text.len > 2 && text.data[1] == '{'
                          ? memchr(text.data + 2, '}', text.len - 2)
                          : NULL;
    struct span rest = {text.data + 1, text.len - 1};
    size_t n;

    if (end && end > text.data + 2) {
        *ret_used = (size_t)(end - text.data) + 1;
        return put_braced(x, (struct span){text.data + 2, *ret_used - 3});
    }
    n = name_length(rest);
    *ret_used = n + 1;
    if (n == 0)
        return put(x, (struct span){text.data, 1});
    return put(x, x->find(x->self, (struct span){rest.data, n}));
}

static int expand(struct expansion *x, struct span value)
{
    for (size_t at = 0, used = 0; at < value.len; at += used) {
        struct span rest = {value.data + at, value.len - at};
        int r;
        if (rest.data[0] == '\\' && rest.len > 1 && rest.data[1] == '$') {
            used = 2;
            r = put(x, SPAN("$"));
        } else if (rest.data[0] == '$') {
            r = put_dollar(x, rest, &used);
        } else {
            for (used = 1; used < rest.len && !strchr("$\\", rest.data[used]);)
                used++;
            r = put(x, (struct span){rest.data, used});
        }
        if (r < 0)
            return r;
    }
    return 0;
}

int dotenv_expand(struct span value, dotenv_find_fn find, void *self, struct buf *out)
{
    struct expansion x = {find, self, out, 0};

    return expand(&x, value);
}
