/* text.c - strings across JavaScript's border: UTF-16 and Latin-1 inside, UTF-8 outside.
 *
 * Short ASCII goes through JSStringCreateWithUTF8CString, the only public way
 * to an 8-bit string, though it costs 4 ns a character; everything else through
 * UTF-16 units in a scratch buffer that is given back when it grew large.
 * Loops over blocks of a fixed size are those that compilers vectorize at -O2.
 * Called by web/ and the bridge. */
#include "realm/js/text.h"

#include "base/mem.h"
#include "realm/js/engine.h"

enum {
    BLOCK = 16,                /* characters handled at once */
    SCRATCH_KEEP = 256 * 1024, /* bytes that stay allocated between calls */
};

static struct {
    uint16_t *units;
    size_t cap;
} scratch;

static uint16_t *scratch_take(size_t units)
{
    if (units > scratch.cap) {
        uint16_t *grown = mem_resize(scratch.units, units * sizeof *grown);
        if (!grown)
            return NULL;
        scratch.units = grown;
        scratch.cap = units;
    }
    return scratch.units;
}

static void scratch_give(void)
{
    if (scratch.cap * sizeof *scratch.units <= SCRATCH_KEEP)
        return;
    mem_free(scratch.units);
    scratch.units = NULL;
    scratch.cap = 0;
}

static bool is_plain(const unsigned char *data, size_t len)
{
    unsigned char bits = 0, has_nul = 0;

    for (size_t i = 0; i < len; i++) {
        bits |= data[i];
        has_nul |= data[i] == 0;
    }
    return bits < 0x80 && !has_nul;
}

void text_widen(const unsigned char *restrict in, size_t len, uint16_t *restrict out)
{
    size_t i = 0;

    for (; i + BLOCK <= len; i += BLOCK)
        for (int k = 0; k < BLOCK; k++)
            out[i + (size_t)k] = in[i + (size_t)k];
    for (; i < len; i++)
        out[i] = in[i];
}

void text_narrow(const uint16_t *restrict in, size_t len, unsigned char *restrict out)
{
    size_t i = 0;

    for (; i + BLOCK <= len; i += BLOCK)
        for (int k = 0; k < BLOCK; k++)
            out[i + (size_t)k] = (unsigned char)in[i + (size_t)k];
    for (; i < len; i++)
        out[i] = (unsigned char)in[i];
}

uint16_t text_bits(const uint16_t *in, size_t len)
{
    uint16_t all[BLOCK] = {0}, bits = 0;
    size_t i = 0;

    for (; i + BLOCK <= len; i += BLOCK)
        for (int k = 0; k < BLOCK; k++)
            all[k] |= in[i + (size_t)k];
    for (; i < len; i++)
        bits |= in[i];
    for (int k = 0; k < BLOCK; k++)
        bits |= all[k];
    return bits;
}

JSStringRef text_new(struct span utf8)
{
    const unsigned char *data = (const unsigned char *)utf8.data;
    JSStringRef string;
    uint16_t *units;
    long n;

    if (utf8.len < TEXT_SHORT && is_plain(data, utf8.len)) {
        char copy[TEXT_SHORT];
        memcpy(copy, utf8.len ? utf8.data : "", utf8.len);
        copy[utf8.len] = 0;
        return JSStringCreateWithUTF8CString(copy);
    }
    units = scratch_take(utf8.len);
    if (!units)
        return NULL;
    n = text_decode(data, utf8.len, units, false);
    string = JSStringCreateWithCharacters(units, (size_t)n);
    scratch_give();
    return string;
}

JSStringRef text_new_latin1(const unsigned char *data, size_t len)
{
    JSStringRef string;
    uint16_t *units;

    if (len < TEXT_SHORT && is_plain(data, len)) {
        char copy[TEXT_SHORT];
        memcpy(copy, len ? (const char *)data : "", len);
        copy[len] = 0;
        return JSStringCreateWithUTF8CString(copy);
    }
    units = scratch_take(len);
    if (!units)
        return NULL;
    text_widen(data, len, units);
    string = JSStringCreateWithCharacters(units, len);
    scratch_give();
    return string;
}

JSValueRef text_value(struct span utf8)
{
    JSStringRef string = text_new(utf8);
    JSValueRef value;

    if (!string)
        return engine.undefined;
    value = JSValueMakeString(engine.context, string);
    JSStringRelease(string);
    return value;
}

int text_append(struct buf *out, JSStringRef string)
{
    size_t len = JSStringGetLength(string), n;
    char *room;

    if (buf_reserve(out, len * 3 + 1, &room) < 0)
        return ERR_NOMEM;
    if (len < TEXT_SHORT) {
        /* Spares the library a 16-bit copy of an 8-bit string.  Trusted for
         * ASCII only: it stops at a lone surrogate without saying so. */
        n = JSStringGetUTF8CString(string, room, len * 3 + 1);
        if (n == len + 1 && is_plain((const unsigned char *)room, len)) {
            buf_commit(out, len);
            return 0;
        }
    }
    n = text_encode(JSStringGetCharactersPtr(string), len, room);
    buf_commit(out, n);
    return 0;
}

int text_append_value(struct buf *out, JSValueRef value, JSValueRef *ret_thrown)
{
    JSStringRef string = JSValueToStringCopy(engine.context, value, ret_thrown); /* new */
    int r;

    if (!string)
        return ERR_INVALID;
    r = text_append(out, string);
    JSStringRelease(string);
    return r;
}

/* Length of the well-formed sequence at in[0], or minus the bytes to skip when
 * it is ill-formed (the longest prefix of one, at least 1). */
static int sequence(const unsigned char *in, size_t len, uint32_t *ret_point)
{
    unsigned char lead = in[0], low = 0x80, high = 0xBF;
    int need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    uint32_t point = lead & (0x3F >> need);

    if (lead < 0xC2 || lead > 0xF4)
        return -1;
    if (lead == 0xE0)
        low = 0xA0;
    if (lead == 0xED)
        high = 0x9F;
    if (lead == 0xF0)
        low = 0x90;
    if (lead == 0xF4)
        high = 0x8F;
    for (int i = 1; i <= need; i++) {
        if ((size_t)i >= len || in[i] < low || in[i] > high)
            return -i;
        point = point << 6 | (in[i] & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    *ret_point = point;
    return need + 1;
}

long text_decode(const unsigned char *in, size_t len, uint16_t *out, bool is_fatal)
{
    uint16_t *start = out;

    for (size_t i = 0; i < len;) {
        uint64_t eight;
        uint32_t point = 0xFFFD;
        int n;
        while (i + 8 <= len) {
            memcpy(&eight, in + i, 8);
            if (eight & 0x8080808080808080u)
                break;
            for (int k = 0; k < 8; k++)
                out[k] = in[i + (size_t)k];
            out += 8;
            i += 8;
        }
        if (i >= len)
            break;
        if (in[i] < 0x80) {
            *out++ = in[i++];
            continue;
        }
        n = sequence(in + i, len - i, &point);
        if (n < 0 && is_fatal)
            return -1;
        i += (size_t)(n < 0 ? -n : n);
        if (point >= 0x10000) {
            *out++ = (uint16_t)(0xD7C0 + (point >> 10));
            *out++ = (uint16_t)(0xDC00 + (point & 0x3FF));
        } else {
            *out++ = (uint16_t)point;
        }
    }
    return out - start;
}

size_t text_encode(const uint16_t *in, size_t len, char *out)
{
    char *start = out;

    for (size_t i = 0; i < len;) {
        uint32_t point;
        while (i + 8 <= len) {
            uint16_t bits = 0;
            for (int k = 0; k < 8; k++)
                bits |= in[i + (size_t)k];
            if (bits >= 0x80)
                break;
            for (int k = 0; k < 8; k++)
                out[k] = (char)in[i + (size_t)k];
            out += 8;
            i += 8;
        }
        if (i >= len)
            break;
        point = in[i++];
        if (point < 0x80) {
            *out++ = (char)point;
            continue;
        }
        if (point < 0x800) {
            *out++ = (char)(0xC0 | point >> 6);
            *out++ = (char)(0x80 | (point & 0x3F));
            continue;
        }
        if (point >= 0xD800 && point < 0xE000) {
            if (point < 0xDC00 && i < len && in[i] >= 0xDC00 && in[i] < 0xE000) {
                point = 0x10000 + ((point - 0xD800) << 10) + (in[i++] - 0xDC00u);
                *out++ = (char)(0xF0 | point >> 18);
                *out++ = (char)(0x80 | (point >> 12 & 0x3F));
                *out++ = (char)(0x80 | (point >> 6 & 0x3F));
                *out++ = (char)(0x80 | (point & 0x3F));
                continue;
            }
            point = 0xFFFD;
        }
        *out++ = (char)(0xE0 | point >> 12);
        *out++ = (char)(0x80 | (point >> 6 & 0x3F));
        *out++ = (char)(0x80 | (point & 0x3F));
    }
    return (size_t)(out - start);
}

size_t text_cut(const unsigned char *in, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = in[len - back];
        size_t need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
        uint32_t point;
        if (c < 0x80)
            return 0;
        if (c < 0xC0)
            continue;
        /* A prefix that can still become a character, cut exactly at the end. */
        if (c >= 0xC2 && c <= 0xF4 && need > back &&
            sequence(in + len - back, back, &point) == -(int)back)
            return back;
        return 0;
    }
    return 0;
}

/* ---- bytes that are no UTF-8, in strings ---- */

static bool is_escape(const uint16_t *units, size_t i)
{
    return units[i] >= 0xDC80 && units[i] <= 0xDCFF &&
           !(i > 0 && units[i - 1] >= 0xD800 && units[i - 1] < 0xDC00);
}

JSValueRef text_value_escaped(struct span bytes)
{
    const unsigned char *in = (const unsigned char *)bytes.data;
    size_t start = 0, n = 0;
    JSStringRef string;
    JSValueRef value;
    uint16_t *units;
    uint32_t point;

    if (is_plain(in, bytes.len))
        return text_value(bytes);
    units = scratch_take(bytes.len);
    if (!units)
        return engine.undefined;
    for (size_t i = 0; i < bytes.len;) {
        int len = in[i] < 0x80 ? 1 : sequence(in + i, bytes.len - i, &point);
        if (len > 0) {
            i += (size_t)len;
            continue;
        }
        n += (size_t)text_decode(in + start, i - start, units + n, false);
        units[n++] = (uint16_t)(0xDC00 | in[i++]);
        start = i;
    }
    n += (size_t)text_decode(in + start, bytes.len - start, units + n, false);
    string = JSStringCreateWithCharacters(units, n);
    scratch_give();
    value = JSValueMakeString(engine.context, string);
    JSStringRelease(string);
    return value;
}

int text_append_escaped(struct buf *out, JSValueRef value, JSValueRef *ret_thrown)
{
    JSStringRef string = JSValueToStringCopy(engine.context, value, ret_thrown); /* new */
    const uint16_t *units;
    size_t len, start = 0, n = 0;
    char *room;
    int r;

    if (!string)
        return ERR_INVALID;
    len = JSStringGetLength(string);
    r = buf_reserve(out, len * 3 + 1, &room);
    if (r == 0 && JSStringGetUTF8CString(string, room, len * 3 + 1) == len + 1 &&
        is_plain((const unsigned char *)room, len)) {
        buf_commit(out, len); /* as nearly always */
    } else if (r == 0) {
        units = JSStringGetCharactersPtr(string);
        for (size_t i = 0; i < len; i++) {
            if (!is_escape(units, i))
                continue;
            n += text_encode(units + start, i - start, room + n);
            room[n++] = (char)(units[i] & 0xFF);
            start = i + 1;
        }
        n += text_encode(units + start, len - start, room + n);
        buf_commit(out, n);
    }
    JSStringRelease(string);
    return r < 0 ? ERR_NOMEM : 0;
}
