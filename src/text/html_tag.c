/* html_tag.c - a tag that is there to its end, read in one go; its name as a number.
 *
 * The same grammar as the states of html.c from TAG_NAME to SLASH, which read tags that come in
 * pieces: nearly all do not, and here all stays in registers. */
#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <string.h>

#include "text/html.h"

enum { ROOM = 16 }; /* attributes at a time */

static const uint8_t ends[256] = {
    [' '] = 7,
    ['\n'] = 7,
    ['\t'] = 7,
    ['\r'] = 7,
    ['\f'] = 7,
    ['>'] = 7,
    ['/'] = HTML_ENDS_NAME | HTML_ENDS_ATTRIBUTE,
    ['='] = HTML_ENDS_ATTRIBUTE,
};

#ifdef __SSE2__
/* Which of 16 bytes may be in `ends`: up to '/', and '<' to '?'. */
static inline unsigned may_end(const char *in)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)in);
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8('/')), bytes);
    __m128i high =
        _mm_cmpeq_epi8(_mm_and_si128(bytes, _mm_set1_epi8((char)0xFC)), _mm_set1_epi8('<'));

    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, high));
}

static inline unsigned are(const char *in, char c)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)in);

    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
}
#else
static inline unsigned may_end(const char *in)
{
    (void)in;
    return 0xFFFF;
}

static inline unsigned are(const char *in, char c)
{
    (void)in, (void)c;
    return 0;
}
#endif

static inline size_t run(const char *in, size_t at, size_t len, uint8_t what)
{
    for (; at + 16 <= len; at += 16)
        for (unsigned found = may_end(in + at); found; found &= found - 1) {
            size_t i = at + (unsigned)__builtin_ctz(found);
            if (ends[(unsigned char)in[i]] & what)
                return i;
        }
    while (at < len && !(ends[(unsigned char)in[at]] & what))
        at++;
    return at;
}

/* Where the quote is that ends a value; len: not here. */
static inline size_t find_quote(const char *in, size_t at, size_t len, char quote)
{
    unsigned found = at + 16 <= len ? are(in + at, quote) : 0;
    const char *far;

    if (found)
        return at + (unsigned)__builtin_ctz(found);
    far = memchr(in + at, quote, len - at);
    return far ? (size_t)(far - in) : len;
}

size_t html_run(const char *in, size_t at, size_t len, uint8_t what)
{
    return run(in, at, len, what);
}

static inline size_t skip(const char *in, size_t at, size_t len)
{
    while (at < len && html_is_space(in[at]))
        at++;
    return at;
}

/* The value that begins at `at`, behind "="; where it ends, 0: not here. */
static size_t read_value(struct html_attribute *a, const char *in, size_t at, size_t len)
{
    at = skip(in, at, len);
    if (at == len)
        return 0;
    a->end = (uint32_t)at;
    if (in[at] == '>')
        return at;
    if (in[at] == '"' || in[at] == '\'') {
        a->value = (uint32_t)at + 1;
        at = find_quote(in, at + 1, len, in[at]);
        a->value_end = (uint32_t)at;
        a->end = (uint32_t)at + 1;
        return at < len ? at + 1 : 0;
    }
    a->value = (uint32_t)at;
    at = run(in, at, len, HTML_ENDS_VALUE);
    a->value_end = a->end = (uint32_t)at;
    return at < len ? at : 0;
}

/* The attribute whose name begins at `at`; where it ends, 0: not here. */
static size_t read_attribute(struct html_attribute *a, const char *in, size_t at, size_t len)
{
    *a = (struct html_attribute){.name = (uint32_t)at};
    at = run(in, at + 1, len, HTML_ENDS_ATTRIBUTE); /* its first character may be '=' */
    a->name_end = a->end = (uint32_t)at;
    at = skip(in, at, len);
    if (at == len)
        return 0;
    return in[at] == '=' ? read_value(a, in, at + 1, len) : at;
}

long html_read_tag(struct html *h, const char *in, size_t len)
{
    size_t at = run(in, h->name, len, HTML_ENDS_NAME);
    char *room = NULL;

    h->name_end = (uint32_t)at;
    for (;;) {
        at = skip(in, at, len);
        if (at == len)
            break;
        if (in[at] == '>')
            return (long)at + 1;
        if (in[at] == '/') {
            at++;
            if (at == len)
                break;
            if (in[at] != '>')
                continue;
            h->is_self_closing = true;
            return (long)at + 1;
        }
        if (h->attributes.cap - h->attributes.tail < sizeof h->attribute || !room) {
            if (buf_len(&h->attributes) > h->memory_max)
                return ERR_LIMIT;
            if (buf_reserve(&h->attributes, ROOM * sizeof h->attribute, &room) < 0)
                return ERR_NOMEM;
        }
        room = h->attributes.mem + h->attributes.tail;
        at = read_attribute((struct html_attribute *)(void *)room, in, at, len);
        if (at == 0)
            break;
        buf_commit(&h->attributes, sizeof h->attribute);
    }
    buf_eat(&h->attributes, buf_len(&h->attributes));
    return 0;
}

/* ---- names as numbers ---- */

static uint64_t load(const char *at)
{
    uint32_t four;

    memcpy(&four, at, sizeof four);
    return le32toh(four);
}

/* Letters in lower case, all eight at once. */
static uint64_t lower(uint64_t word)
{
    const uint64_t each = 0x0101010101010101, low = word & each * 0x7F;
    uint64_t from_a = low + each * (0x80 - 'A'), behind_z = low + each * (0x7F - 'Z');

    return word | (((from_a ^ behind_z) & ~word & each * 0x80) >> 2);
}

uint64_t html_key(struct span name)
{
    const unsigned char *p = (const unsigned char *)name.data;
    size_t n = name.len;

    if (n == 0 || n > HTML_KEY_MAX)
        return 0;
    if (n >= 4) /* both halves, which overlap */
        return lower(load(name.data) | load(name.data + n - 4) << (n - 4) * 8);
    return lower(p[0] | (uint64_t)p[n / 2] << n / 2 * 8 | (uint64_t)p[n - 1] << (n - 1) * 8);
}

bool html_is_name(struct span a, uint64_t a_key, struct span b, uint64_t b_key)
{
    if (a.len != b.len || a_key != b_key)
        return false;
    for (size_t i = 0; a.len > HTML_KEY_MAX && i < a.len; i++)
        if (a.data[i] != b.data[i] && (!html_is_alpha(a.data[i]) || (a.data[i] ^ b.data[i]) != 32))
            return false;
    return true;
}
