/* skeleton.c - see skeleton.h. */
#include "project/skeleton.h"

#include <string.h>

#include "base/mem.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool starts(struct span text, size_t at, const char *with)
{
    size_t n = strlen(with);

    return text.len - at >= n && memcmp(text.data + at, with, n) == 0;
}

/* Behind the string that begins at `at`. */
static size_t skip_string(struct span text, size_t at, enum config_format format)
{
    char quote = text.data[at], three[4] = {quote, quote, quote, '\0'};
    bool is_long = format == CONFIG_TOML && starts(text, at, three);

    at += is_long ? 3 : 1;
    while (at < text.len) {
        if (text.data[at] == '\\' && quote == '"') {
            at += 2;
            continue;
        }
        if (is_long ? starts(text, at, three) : text.data[at] == quote) {
            at += is_long ? 3 : 1;
            while (is_long && at < text.len && text.data[at] == quote) /* """"x"""" */
                at++;
            return at;
        }
        at++;
    }
    return text.len;
}

/* Behind the comment that begins at `at`, or `at`. */
static size_t skip_comment(struct span text, size_t at, enum config_format format)
{
    bool is_block = format == CONFIG_JSON && starts(text, at, "/*");

    if (is_block) {
        for (at += 2; at < text.len && !starts(text, at, "*/"); at++)
            ;
        return at + 2 < text.len ? at + 2 : text.len;
    }
    if (!starts(text, at, format == CONFIG_JSON ? "//" : "#"))
        return at;
    while (at < text.len && text.data[at] != '\n')
        at++;
    return at;
}

char *skeleton_of(struct span text, enum config_format format)
{
    char *out = mem_copy(text.data, text.len), c;
    size_t at = 0, end;

    if (!out)
        return NULL;
    if (starts(text, 0, "\xef\xbb\xbf"))
        memset(out, ' ', at = 3);
    while (at < text.len) {
        c = text.data[at];
        if (c == '"' || (c == '\'' && format == CONFIG_TOML)) {
            end = skip_string(text, at, format);
            memset(out + at + 1, 'x', end > at + 2 ? end - at - 2 : 0);
            at = end;
            continue;
        }
        end = skip_comment(text, at, format);
        memset(out + at, ' ', end - at);
        at = end > at ? end : at + 1;
    }
    return out;
}

int slot_find(struct span text, const char *skeleton, size_t open, struct slot *ret)
{
    size_t depth = 0, at = open;

    if (open >= text.len || (skeleton[open] != '{' && skeleton[open] != '['))
        return ERR_INVALID;
    for (; at < text.len; at++) {
        depth += skeleton[at] == '{' || skeleton[at] == '[';
        if ((skeleton[at] == '}' || skeleton[at] == ']') && --depth == 0)
            break;
    }
    if (at == text.len)
        return ERR_INVALID;
    *ret = (struct slot){.open = open, .close = at, .first = open + 1, .last_end = at, .tail = at};
    while (ret->first < at && is_space(skeleton[ret->first]))
        ret->first++;
    while (is_space(skeleton[ret->last_end - 1]))
        ret->last_end--;
    while (ret->tail > ret->last_end && is_space(text.data[ret->tail - 1]))
        ret->tail--;
    ret->is_empty = ret->last_end == open + 1;
    ret->has_comma = skeleton[ret->last_end - 1] == ',';
    ret->is_wide = is_first_in_line(text, at);
    return 0;
}

static size_t line_start(struct span text, size_t at)
{
    while (at > 0 && text.data[at - 1] != '\n')
        at--;
    return at;
}

struct span line_indent(struct span text, size_t at)
{
    size_t start = line_start(text, at), end = start;

    while (end < text.len && (text.data[end] == ' ' || text.data[end] == '\t'))
        end++;
    return (struct span){text.data + start, end - start};
}

bool is_first_in_line(struct span text, size_t at)
{
    size_t start = line_start(text, at);

    return start > 0 && start + line_indent(text, at).len >= at;
}

const char *line_end(struct span text)
{
    const char *end = text.len ? memchr(text.data, '\n', text.len) : NULL;

    return end && end > text.data && end[-1] == '\r' ? "\r\n" : "\n";
}
