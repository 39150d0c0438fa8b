/* token.c - the table of byte classes and the few scans that use it. */
#include "http/token.h"

#define N TOKEN_NAME
#define V TOKEN_VALUE
#define T TOKEN_TARGET
#define H TOKEN_HOST
#define D TOKEN_DIGIT
#define X TOKEN_HEX

const uint8_t token_classes[256] = {
    ['\t'] = V,
    [' '] = V,
    ['!'] = N | V | T,
    ['"'] = V | T,
    ['#'] = N | V,
    ['$'... '\''] = N | V | T,
    ['(' ... ')'] = V | T,
    ['*'... '+'] = N | V | T,
    [','] = V | T,
    ['-'... '.'] = N | V | T | H,
    ['/'] = V | T,
    ['0'... '9'] = N | V | T | H | D | X,
    [':' ... '@'] = V | T,
    ['A'... 'F'] = N | V | T | H | X,
    ['G'... 'Z'] = N | V | T | H,
    ['[' ... ']'] = V | T,
    ['^'] = N | V | T,
    ['_'] = N | V | T | H,
    ['`'] = N | V | T,
    ['a'... 'f'] = N | V | T | H | X,
    ['g'... 'z'] = N | V | T | H,
    ['{'] = V | T,
    ['|'] = N | V | T,
    ['}'] = V | T,
    ['~'] = N | V | T,
    [0x80 ... 0xff] = V,
};

bool token_all(struct span s, enum token_class class)
{
    for (size_t i = 0; i < s.len; i++)
        if (!token_is(s.data[i], class))
            return false;
    return true;
}

static bool is_space(char c) { return c == ' ' || c == '\t'; }

struct span token_trim(struct span s)
{
    while (s.len > 0 && is_space(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

bool token_next(struct span *list, struct span *ret_element)
{
    const char *comma;
    size_t n;

    if (!list->data)
        return false;
    comma = list->len > 0 ? memchr(list->data, ',', list->len) : NULL;
    n = comma ? (size_t)(comma - list->data) : list->len;
    *ret_element = token_trim((struct span){list->data, n});
    if (comma)
        *list = (struct span){comma + 1, list->len - n - 1};
    else
        *list = (struct span){NULL, 0};
    return true;
}

bool token_number(struct span s, int64_t *ret)
{
    int64_t v = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!token_is(s.data[i], TOKEN_DIGIT) || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, s.data[i] - '0', &v))
            return false;
    *ret = v;
    return true;
}

bool token_is_hop(struct span name)
{
    switch (name.len) {
    case 2:
        return span_is_nocase(name, "te");
    case 7:
        return span_is_nocase(name, "upgrade") || span_is_nocase(name, "trailer");
    case 10:
        return span_is_nocase(name, "connection") || span_is_nocase(name, "keep-alive");
    case 16:
        return span_is_nocase(name, "proxy-connection");
    case 17:
        return span_is_nocase(name, "transfer-encoding");
    }
    return false;
}
