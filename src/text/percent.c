/* percent.c - percent-encoding by the URL standard's sets, and its way back. */
#include "text/percent.h"

#define C0(c)       ((c) < 0x20 || (c) > 0x7E)
#define FRAGMENT(c) (C0(c) || (c) == ' ' || (c) == '"' || (c) == '<' || (c) == '>' || (c) == '`')
#define QUERY(c)    (C0(c) || (c) == ' ' || (c) == '"' || (c) == '#' || (c) == '<' || (c) == '>')
#define SPECIAL(c)  (QUERY(c) || (c) == '\'')
#define PATH(c)     (QUERY(c) || (c) == '?' || (c) == '^' || (c) == '`' || (c) == '{' || (c) == '}')
#define USERINFO(c)                                                                                \
    (PATH(c) || (c) == '/' || (c) == ':' || (c) == ';' || (c) == '=' || (c) == '@' ||              \
     ((c) >= '[' && (c) <= ']') || (c) == '|')
#define COMPONENT(c) (USERINFO(c) || ((c) >= '$' && (c) <= '&') || (c) == '+' || (c) == ',')
#define FORM(c)      (COMPONENT(c) || (c) == '!' || ((c) >= '\'' && (c) <= ')') || (c) == '~')

#define SETS(c)                                                                                    \
    ((C0(c) ? PERCENT_C0 : 0) | (FRAGMENT(c) ? PERCENT_FRAGMENT : 0) |                             \
     (QUERY(c) ? PERCENT_QUERY : 0) | (SPECIAL(c) ? PERCENT_SPECIAL_QUERY : 0) |                   \
     (PATH(c) ? PERCENT_PATH : 0) | (USERINFO(c) ? PERCENT_USERINFO : 0) |                         \
     (COMPONENT(c) ? PERCENT_COMPONENT : 0) | (FORM(c) ? PERCENT_FORM : 0))
#define FOUR(c)    SETS(c), SETS((c) + 1), SETS((c) + 2), SETS((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
#define LINE(c)    SIXTEEN(c), SIXTEEN((c) + 16), SIXTEEN((c) + 32), SIXTEEN((c) + 48)

const uint8_t percent_sets[256] = {LINE(0), LINE(64), LINE(128), LINE(192)};

int percent_encode(struct buf *out, struct span in, enum percent_set set)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < in.len;) {
        size_t from = i, bad;
        char *room;
        while (i < in.len && !percent_must((unsigned char)in.data[i], set))
            i++;
        if (i > from && buf_append(out, in.data + from, i - from) < 0)
            return ERR_NOMEM;
        for (from = i; i < in.len && percent_must((unsigned char)in.data[i], set); i++)
            ;
        bad = i - from;
        if (bad == 0)
            break;
        if (buf_reserve(out, bad * 3, &room) < 0)
            return ERR_NOMEM;
        for (; from < i; from++) {
            unsigned char c = (unsigned char)in.data[from];
            if (c == ' ' && set == PERCENT_FORM) {
                *room++ = '+';
                buf_commit(out, 1);
                continue;
            }
            *room++ = '%';
            *room++ = digits[c >> 4];
            *room++ = digits[c & 15];
            buf_commit(out, 3);
        }
    }
    return 0;
}

int percent_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

static int decode(struct buf *out, struct span in, char space)
{
    char *room;
    size_t n = 0;

    if (buf_reserve(out, in.len + 1, &room) < 0)
        return ERR_NOMEM;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.data[i];
        if (c == '%' && i + 2 < in.len && percent_digit(in.data[i + 1]) >= 0 &&
            percent_digit(in.data[i + 2]) >= 0) {
            c = (char)(percent_digit(in.data[i + 1]) << 4 | percent_digit(in.data[i + 2]));
            i += 2;
        } else if (c == space) {
            c = ' ';
        }
        room[n++] = c;
    }
    buf_commit(out, n);
    return 0;
}

int percent_decode(struct buf *out, struct span in)
{
    return decode(out, in, ' ');
}

int percent_decode_form(struct buf *out, struct span in)
{
    return decode(out, in, '+');
}
