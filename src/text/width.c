/* width.c - ask the C library character by character, and see what belongs together. */
#include "text/width.h"

#include <locale.h>
#include <pthread.h>
#include <stdbool.h>
#include <wchar.h>

enum {
    JOINER = 0x200D,
    AS_EMOJI = 0xFE0F, /* what stands before it is drawn in colours, two columns wide */
    SKIN_FIRST = 0x1F3FB,
    SKIN_LAST = 0x1F3FF,
    EMOJI_FIRST = 0x203C, /* no sign before it takes two columns as an emoji */
};

uint32_t width_next(struct span text, size_t *ret_len)
{
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)text.data;
    size_t len = p[0] < 0x80   ? 1
                 : p[0] < 0xC2 ? 0
                 : p[0] < 0xE0 ? 2
                 : p[0] < 0xF0 ? 3
                 : p[0] < 0xF5 ? 4
                               : 0;
    uint32_t c = len == 1 ? p[0] : p[0] & (0x7Fu >> len);

    *ret_len = 1;
    if (len == 0 || len > text.len)
        return 0xFFFD;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0xFFFD;
        c = c << 6 | (p[i] & 0x3Fu);
    }
    if (c < LEAST[len] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return 0xFFFD;
    *ret_len = len;
    return c;
}

static locale_t unicode;

static void find_unicode(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* Columns of the characters that are drawn as one, from the start of `text`; *ret_len: their bytes.
 */
static int next_drawn(struct span text, size_t *ret_len)
{
    uint32_t c = width_next(text, ret_len);
    int width = wcwidth((wchar_t)c);
    bool is_joined = false;

    if (width < 0)
        width = c < 0x20 || (c >= 0x7F && c < 0xA0) ? 0 : 1;
    while (*ret_len < text.len) {
        size_t len;
        uint32_t next = width_next((struct span){text.data + *ret_len, text.len - *ret_len}, &len);
        if (next == AS_EMOJI && width == 1 && c >= EMOJI_FIRST)
            width = 2;
        else if (next != AS_EMOJI && !(width == 2 && (next == JOINER || is_joined)) &&
                 !(width == 2 && next >= SKIN_FIRST && next <= SKIN_LAST))
            break;
        is_joined = next == JOINER;
        *ret_len += len;
    }
    return width;
}

static size_t walk(struct span text, size_t columns, size_t *ret_width)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    locale_t before = (locale_t)0;
    size_t at = 0, width = 0, len;

    pthread_once(&once, find_unicode);
    if (unicode)
        before = uselocale(unicode);
    for (; at < text.len; at += len) {
        size_t more = 1;
        unsigned char c = (unsigned char)text.data[at];
        if (c >= 0x20 && c < 0x7F && (at + 1 == text.len || !(text.data[at + 1] & 0x80)))
            len = 1;
        else
            more = (size_t)next_drawn((struct span){text.data + at, text.len - at}, &len);
        if (width + more > columns)
            break;
        width += more;
    }
    if (before)
        uselocale(before);
    *ret_width = width;
    return at;
}

size_t width_of(struct span text)
{
    size_t width;

    (void)walk(text, (size_t)-1, &width);
    return width;
}

size_t width_cut(struct span text, size_t columns)
{
    size_t width;

    return walk(text, columns, &width);
}
