/* charset.c - the decoders of the Encoding standard for what is not UTF-8.
 *
 * Each decoder takes one byte and says what it makes of it: nothing yet, one
 * or two characters, or an error.  With an error it may give bytes back: the
 * last ones it was given, to be read again as the start of something else.
 * So an ASCII byte behind a broken lead is never swallowed. */
#include "text/charset.h"

#include <assert.h>
#include <string.h>

enum {
    END = -1, /* in the place of a byte: the input ends */
    REPLACEMENT = 0xFFFD,
    BACK_MAX = 3,
};

enum { JIS_ASCII, JIS_ROMAN, JIS_KATAKANA, JIS_LEAD, JIS_TRAIL, JIS_ESCAPE_START, JIS_ESCAPE };

struct step {
    uint32_t points[2];
    unsigned count;
    bool is_error;
    unsigned char back[BACK_MAX]; /* to be read again, first one first */
    unsigned back_count;
};

void charset_init(struct charset_decoder *d, enum charset charset, charset_lookup_fn lookup,
                  void *self)
{
    *d = (struct charset_decoder){.charset = charset, .lookup = lookup, .self = self};
}

/* ---- what a step can be ---- */

static void give(struct step *s, uint32_t point)
{
    s->points[s->count++] = point;
}

static void give_back(struct step *s, int byte)
{
    if (byte != END)
        s->back[s->back_count++] = (unsigned char)byte;
}

static void fail(struct step *s)
{
    s->is_error = true;
}

static void hold(struct charset_decoder *d, int byte)
{
    d->held[d->held_count++] = (unsigned char)byte;
}

static bool is_within(int byte, int low, int high)
{
    return byte >= low && byte <= high;
}

/* ---- UTF-16 ---- */

static void step_utf16(struct charset_decoder *d, int byte, struct step *s)
{
    uint32_t unit;

    if (byte == END) {
        if (d->held_count > 0 || d->lead)
            fail(s);
        return;
    }
    hold(d, byte);
    if (d->held_count < 2)
        return;
    d->held_count = 0;
    unit = d->charset == CHARSET_UTF16LE ? (uint32_t)(d->held[1] << 8 | d->held[0])
                                         : (uint32_t)(d->held[0] << 8 | d->held[1]);
    if (d->lead) {
        uint32_t lead = d->lead;
        d->lead = 0;
        if (unit >= 0xDC00 && unit <= 0xDFFF) {
            give(s, 0x10000 + ((lead - 0xD800) << 10) + (unit - 0xDC00));
            return;
        }
        fail(s);
        give_back(s, d->held[0]);
        give_back(s, d->held[1]);
        return;
    }
    if (unit >= 0xD800 && unit <= 0xDBFF)
        d->lead = (uint16_t)unit;
    else if (unit >= 0xDC00 && unit <= 0xDFFF)
        fail(s);
    else
        give(s, unit);
}

/* ---- two bytes ---- */

/* The rule of all two-byte sets: no such character is an error, and ASCII is read again. */
static void finish_pair(struct charset_decoder *d, int trail, bool is_trail,
                        enum charset_table table, struct step *s)
{
    unsigned char pair[2] = {d->held[0], (unsigned char)trail};
    uint32_t point = 0;

    d->held_count = 0;
    if (trail != END && is_trail)
        point = d->lookup(d->self, table, pair);
    if (point) {
        give(s, point);
        return;
    }
    fail(s);
    if (trail != END && trail < 0x80)
        give_back(s, trail);
}

static void step_euc_kr(struct charset_decoder *d, int byte, struct step *s)
{
    if (d->held_count > 0)
        finish_pair(d, byte, is_within(byte, 0x41, 0xFE), TABLE_EUC_KR, s);
    else if (is_within(byte, 0x81, 0xFE))
        hold(d, byte);
    else if (byte >= 0x80)
        fail(s);
    else if (byte != END)
        give(s, (uint32_t)byte);
}

static void step_big5(struct charset_decoder *d, int byte, struct step *s)
{
    static const struct {
        unsigned char lead, trail;
        uint16_t base, mark;
    } composed[] = {
        {0x88, 0x62, 0xCA, 0x304},
        {0x88, 0x64, 0xCA, 0x30C},
        {0x88, 0xA3, 0xEA, 0x304},
        {0x88, 0xA5, 0xEA, 0x30C},
    };

    if (d->held_count > 0) {
        for (size_t i = 0; i < sizeof composed / sizeof *composed; i++)
            if (d->held[0] == composed[i].lead && byte == composed[i].trail) {
                d->held_count = 0;
                give(s, composed[i].base);
                give(s, composed[i].mark);
                return;
            }
        finish_pair(d, byte, is_within(byte, 0x40, 0x7E) || is_within(byte, 0xA1, 0xFE), TABLE_BIG5,
                    s);
    } else if (is_within(byte, 0x81, 0xFE)) {
        hold(d, byte);
    } else if (byte >= 0x80) {
        fail(s);
    } else if (byte != END) {
        give(s, (uint32_t)byte);
    }
}

static void step_shift_jis(struct charset_decoder *d, int byte, struct step *s)
{
    if (d->held_count > 0) {
        int lead = d->held[0];
        bool is_trail = is_within(byte, 0x40, 0x7E) || is_within(byte, 0x80, 0xFC);
        if (is_trail && is_within(lead, 0xF0, 0xF9)) { /* for one's own use */
            d->held_count = 0;
            give(s, (uint32_t)(0xE000 + (lead - 0xF0) * 188 + byte - (byte < 0x7F ? 0x40 : 0x41)));
            return;
        }
        finish_pair(d, byte, is_trail, TABLE_SHIFT_JIS, s);
    } else if (byte == END) {
        return;
    } else if (byte <= 0x80) {
        give(s, (uint32_t)byte);
    } else if (is_within(byte, 0xA1, 0xDF)) {
        give(s, (uint32_t)(0xFF61 - 0xA1 + byte));
    } else if (is_within(byte, 0x81, 0x9F) || is_within(byte, 0xE0, 0xFC)) {
        hold(d, byte);
    } else {
        fail(s);
    }
}

static void step_euc_jp(struct charset_decoder *d, int byte, struct step *s)
{
    if (d->held_count == 0) {
        if (byte == 0x8E || byte == 0x8F || is_within(byte, 0xA1, 0xFE))
            hold(d, byte);
        else if (byte >= 0x80)
            fail(s);
        else if (byte != END)
            give(s, (uint32_t)byte);
        return;
    }
    if (d->held[0] == 0x8E && is_within(byte, 0xA1, 0xDF)) {
        d->held_count = 0;
        give(s, (uint32_t)(0xFF61 - 0xA1 + byte));
        return;
    }
    if (d->held[0] == 0x8F && d->held_count == 1 && is_within(byte, 0xA1, 0xFE)) {
        hold(d, byte);
        return;
    }
    if (d->held_count == 2) {
        d->held[0] = d->held[1];
        finish_pair(d, byte, is_within(byte, 0xA1, 0xFE), TABLE_JIS0212, s);
        return;
    }
    finish_pair(d, byte, d->held[0] >= 0xA1 && is_within(byte, 0xA1, 0xFE), TABLE_JIS0208, s);
}

/* ---- GB 18030 ---- */

static void step_gb18030(struct charset_decoder *d, int byte, struct step *s)
{
    unsigned char four[4] = {d->held[0], d->held[1], d->held[2], (unsigned char)byte};
    unsigned count = d->held_count;
    uint32_t point;

    if (byte == END) {
        if (count > 0)
            fail(s);
        d->held_count = 0;
    } else if (count == 0) {
        if (byte == 0x80)
            give(s, 0x20AC);
        else if (byte == 0xFF)
            fail(s);
        else if (byte > 0x80)
            hold(d, byte);
        else
            give(s, (uint32_t)byte);
    } else if (count == 1) {
        if (is_within(byte, 0x30, 0x39))
            hold(d, byte);
        else
            finish_pair(d, byte, is_within(byte, 0x40, 0x7E) || is_within(byte, 0x80, 0xFE),
                        TABLE_GB18030, s);
    } else if (count == 2 && is_within(byte, 0x81, 0xFE)) {
        hold(d, byte);
    } else {
        d->held_count = 0;
        point = count == 3 && is_within(byte, 0x30, 0x39)
                    ? d->lookup(d->self, TABLE_GB18030_RANGES, four)
                    : 0;
        if (point) {
            give(s, point);
            return;
        }
        fail(s);
        if (count == 3 && is_within(byte, 0x30, 0x39))
            return; /* well-formed, but no character */
        for (unsigned i = 1; i < count; i++)
            give_back(s, four[i]);
        give_back(s, byte);
    }
}

/* ---- ISO-2022-JP ---- */

static void step_jis_escape(struct charset_decoder *d, int byte, struct step *s)
{
    int lead = d->held_count > 0 ? d->held[0] : 0, mode = -1;
    bool had_output;

    if (d->mode == JIS_ESCAPE_START) {
        if (byte == '$' || byte == '(') {
            hold(d, byte);
            d->mode = JIS_ESCAPE;
            return;
        }
    } else if (lead == '(') {
        mode = byte == 'B' ? JIS_ASCII : byte == 'J' ? JIS_ROMAN : byte == 'I' ? JIS_KATAKANA : -1;
    } else if (byte == '@' || byte == 'B') {
        mode = JIS_LEAD;
    }
    d->held_count = 0;
    had_output = d->has_output;
    d->has_output = false;
    if (mode >= 0) {
        d->mode = d->out_mode = (uint8_t)mode;
        if (had_output) /* two escapes in a row */
            fail(s);
        d->has_output = true;
        return;
    }
    if (lead)
        give_back(s, lead);
    give_back(s, byte);
    d->mode = d->out_mode;
    fail(s);
}

static void step_jis_trail(struct charset_decoder *d, int byte, struct step *s)
{
    unsigned char pair[2] = {d->held[0] | 0x80, (unsigned char)(byte | 0x80)};
    uint32_t point;

    d->held_count = 0;
    d->mode = JIS_LEAD;
    if (byte == 0x1B) {
        d->mode = JIS_ESCAPE_START;
        fail(s);
        return;
    }
    point = is_within(byte, 0x21, 0x7E) ? d->lookup(d->self, TABLE_JIS0208, pair) : 0;
    if (point)
        give(s, point);
    else
        fail(s);
}

static void step_iso_2022_jp(struct charset_decoder *d, int byte, struct step *s)
{
    if (d->mode == JIS_ESCAPE_START || d->mode == JIS_ESCAPE) {
        step_jis_escape(d, byte, s);
        return;
    }
    if (d->mode == JIS_TRAIL) {
        step_jis_trail(d, byte, s);
        return;
    }
    if (byte == 0x1B) {
        d->mode = JIS_ESCAPE_START;
        return;
    }
    if (byte == END)
        return;
    d->has_output = false;
    if (d->mode == JIS_LEAD && is_within(byte, 0x21, 0x7E)) {
        hold(d, byte);
        d->mode = JIS_TRAIL;
    } else if (d->mode == JIS_KATAKANA && is_within(byte, 0x21, 0x5F)) {
        give(s, (uint32_t)(0xFF61 - 0x21 + byte));
    } else if (d->mode == JIS_ROMAN && (byte == 0x5C || byte == 0x7E)) {
        give(s, byte == 0x5C ? 0xA5 : 0x203E);
    } else if ((d->mode == JIS_ASCII || d->mode == JIS_ROMAN) && byte < 0x80 && byte != 0x0E &&
               byte != 0x0F) {
        give(s, (uint32_t)byte);
    } else {
        fail(s);
    }
}

/* ---- all ---- */

static void step_single(struct charset_decoder *d, int byte, struct step *s)
{
    unsigned char one = (unsigned char)byte;
    uint32_t point;

    if (byte == END)
        return;
    point = byte < 0x80 ? one : d->lookup(d->self, TABLE_SINGLE, &one);
    if (point || byte == 0)
        give(s, point);
    else
        fail(s);
}

static void step(struct charset_decoder *d, int byte, struct step *s)
{
    static void (*const steps[])(struct charset_decoder *, int, struct step *) = {
        [CHARSET_SINGLE] = step_single,
        [CHARSET_UTF16LE] = step_utf16,
        [CHARSET_UTF16BE] = step_utf16,
        [CHARSET_GB18030] = step_gb18030,
        [CHARSET_BIG5] = step_big5,
        [CHARSET_EUC_JP] = step_euc_jp,
        [CHARSET_ISO_2022_JP] = step_iso_2022_jp,
        [CHARSET_SHIFT_JIS] = step_shift_jis,
        [CHARSET_EUC_KR] = step_euc_kr,
    };

    *s = (struct step){.count = 0};
    steps[d->charset](d, byte, s);
}

static uint16_t *put(uint16_t *out, uint32_t point)
{
    if (point >= 0x10000) {
        *out++ = (uint16_t)(0xD7C0 + (point >> 10));
        point = 0xDC00 + (point & 0x3FF);
    }
    *out++ = (uint16_t)point;
    return out;
}

/* Is a byte of ASCII itself, here and now? */
static bool has_plain_ascii(const struct charset_decoder *d)
{
    return d->held_count == 0 && d->charset != CHARSET_UTF16LE && d->charset != CHARSET_UTF16BE &&
           d->charset != CHARSET_ISO_2022_JP;
}

/* One byte, and those that it makes be read again. */
static bool feed(struct charset_decoder *d, int byte, bool is_fatal, uint16_t **out)
{
    unsigned char again[BACK_MAX * 2];
    size_t count = 0;
    struct step s;

    step(d, byte, &s);
    for (;;) {
        if (s.is_error) {
            if (is_fatal)
                return false;
            *out = put(*out, REPLACEMENT);
        }
        for (unsigned i = 0; i < s.count; i++)
            *out = put(*out, s.points[i]);
        assert(count + s.back_count <= sizeof again);
        memmove(again + s.back_count, again, count);
        memcpy(again, s.back, s.back_count);
        count += s.back_count;
        if (count == 0)
            return true;
        byte = again[0];
        memmove(again, again + 1, --count);
        step(d, byte, &s);
    }
}

long charset_decode(struct charset_decoder *d, const unsigned char *in, size_t len, bool is_last,
                    bool is_fatal, uint16_t *out)
{
    uint16_t *start = out;
    bool is_good = true;

    for (size_t i = 0; i < len && is_good; i++) {
        if (has_plain_ascii(d))
            for (; i < len && in[i] < 0x80; i++)
                *out++ = in[i];
        if (i < len)
            is_good = feed(d, in[i], is_fatal, &out);
    }
    /* Bytes given back at the end are read before the end itself is. */
    if (is_good && is_last)
        is_good = feed(d, END, is_fatal, &out);
    if (is_good && is_last && d->charset == CHARSET_ISO_2022_JP &&
        (d->mode == JIS_ESCAPE_START || d->mode == JIS_ESCAPE || d->mode == JIS_TRAIL))
        is_good = feed(d, END, is_fatal, &out);
    if (is_last || !is_good)
        charset_init(d, d->charset, d->lookup, d->self);
    return is_good ? out - start : -1;
}
