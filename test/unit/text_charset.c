/* text_charset.c - src/text/charset.c: the state machines, with made-up tables. */
#include "text/charset.h"

#include <string.h>

#include "base/span.h"
#include "test.h"

enum { UNITS = 256, BAD = 0xFFFD };

/* Every pair with an even trail is a character: U+4E00 plus the table, the lead, and the trail. */
static uint32_t look_up(void *self, enum charset_table table, const unsigned char *bytes)
{
    (void)self;
    if (table == TABLE_SINGLE)
        return bytes[0] == 0xFF ? 0 : 0x400u + bytes[0];
    if (table == TABLE_GB18030_RANGES)
        return bytes[0] == 0x90 ? 0x10000u + bytes[3] : 0;
    return bytes[1] % 2 ? 0 : 0x4E00u + (unsigned)table * 0x100 + bytes[1];
}

static bool is_text(const uint16_t *units, long n, const uint32_t *points, size_t count)
{
    long at = 0;

    for (size_t i = 0; i < count && at < n; i++) {
        if (points[i] >= 0x10000 && units[at++] != 0xD7C0 + (points[i] >> 10))
            return false;
        if (at >= n ||
            units[at++] != (points[i] >= 0x10000 ? 0xDC00 + (points[i] & 0x3FF) : points[i]))
            return false;
        if (i + 1 == count)
            return at == n;
    }
    return count == 0 && n == 0;
}

static void decodes_as_the_standard_says(void)
{
    static const struct {
        enum charset charset;
        struct span in;
        uint32_t points[8]; /* up to a 0 */
    } CASES[] = {
        {CHARSET_SINGLE, SPAN("a\x80\xff~"), {'a', 0x480, BAD, '~'}},
        {CHARSET_UTF16LE, SPAN("a\0b\0"), {'a', 'b'}},
        {CHARSET_UTF16BE, SPAN("\0a\x30\x42"), {'a', 0x3042}},
        {CHARSET_UTF16LE, SPAN("\xff\xfe"), {0xFEFF}},
        {CHARSET_UTF16LE, SPAN("\x3d\xd8\x00\xde"), {0x1F600}},
        {CHARSET_UTF16BE, SPAN("\xd8\x3d\xde\x00"), {0x1F600}},
        {CHARSET_UTF16BE, SPAN("\xd8\x3d\0a"), {BAD, 'a'}},
        {CHARSET_UTF16BE, SPAN("\xd8\x3d\xd8\x3d\xde\x00"), {BAD, 0x1F600}},
        {CHARSET_UTF16BE, SPAN("\xde\x00\0a"), {BAD, 'a'}},
        {CHARSET_UTF16BE, SPAN("\0a\0"), {'a', BAD}},
        {CHARSET_UTF16BE, SPAN("\xd8\x3d"), {BAD}},
        {CHARSET_UTF16BE, SPAN("\xd8\x3d\xde"), {BAD}},
        {CHARSET_GB18030, SPAN("a\x80\xff"), {'a', 0x20AC, BAD}},
        {CHARSET_GB18030, SPAN("\x81\x40\x81\x41z"), {0x4F40, BAD, 'A', 'z'}},
        {CHARSET_GB18030, SPAN("\x81\xa1z"), {BAD, 'z'}},
        {CHARSET_GB18030, SPAN("\x81"), {BAD}},
        {CHARSET_GB18030, SPAN("\x90\x30\x81\x31"), {0x10031}},
        {CHARSET_GB18030, SPAN("\x91\x30\x81\x31z"), {BAD, 'z'}},
        {CHARSET_GB18030, SPAN("\x90\x30\x81z"), {BAD, '0', 0x4F7A}},
        {CHARSET_GB18030, SPAN("\x90\x30z"), {BAD, '0', 'z'}},
        {CHARSET_GB18030, SPAN("\x90\x30\x81"), {BAD}},
        {CHARSET_GB18030, SPAN("\x90\x30\x81\xff"), {BAD, '0', BAD}},
        {CHARSET_BIG5, SPAN("\xa4\x40\x88\x62\x88\xa5"), {0x5140, 0xCA, 0x304, 0xEA, 0x30C}},
        {CHARSET_BIG5, SPAN("\xa4\x80\xa4\x41\x80\xff"), {BAD, BAD, 'A', BAD, BAD}},
        {CHARSET_BIG5, SPAN("\xa4"), {BAD}},
        {CHARSET_EUC_JP, SPAN("a\xa4\xa2\x8e\xb1\x8f\xb0\xa2"), {'a', 0x52A2, 0xFF71, 0x53A2}},
        {CHARSET_EUC_JP, SPAN("\xa4z\x8ez\x8f\xb0z"), {BAD, 'z', BAD, 'z', BAD, 'z'}},
        {CHARSET_EUC_JP, SPAN("\x8f\xb0\xa1\xa0\x8f"), {BAD, BAD, BAD}},
        {CHARSET_SHIFT_JIS,
         SPAN("a\x80\xb1\x82\xa0\xf0\x40\xf9\xfc"),
         {'a', 0x80, 0xFF71, 0x54A0, 0xE000, 0xE757}},
        {CHARSET_SHIFT_JIS,
         SPAN("\x82\x41\xa0\x82\x7f\xfd\x82"),
         {BAD, 'A', BAD, BAD, 0x7F, BAD, BAD}},
        {CHARSET_EUC_KR, SPAN("\x81\x42\x81\x41\x81\xff"), {0x5542, BAD, 'A', BAD}},
        {CHARSET_EUC_KR, SPAN("\x80\xff\x81"), {BAD, BAD, BAD}},
        {CHARSET_ISO_2022_JP, SPAN("a\x1b$B0\"\x1b(Bb"), {'a', 0x52A2, 'b'}},
        {CHARSET_ISO_2022_JP, SPAN("\x1b(J\\~a\x1b(I1"), {0xA5, 0x203E, 'a', 0xFF71}},
        {CHARSET_ISO_2022_JP, SPAN("\x1b$@0\x1b(Ba"), {BAD, 'a'}},
        {CHARSET_ISO_2022_JP, SPAN("\x1b(B\x1b(Ba"), {BAD, 'a'}},
        {CHARSET_ISO_2022_JP, SPAN("\x1b*a"), {BAD, '*', 'a'}},
        {CHARSET_ISO_2022_JP, SPAN("\x1b$*a"), {BAD, '$', '*', 'a'}},
        {CHARSET_ISO_2022_JP, SPAN("\x0e\x0f\x80"), {BAD, BAD, BAD}},
        {CHARSET_ISO_2022_JP, SPAN("\x1b"), {BAD}},
        {CHARSET_ISO_2022_JP, SPAN("\x1b$"), {BAD, '$'}},
        {CHARSET_ISO_2022_JP, SPAN("\x1b$B0"), {BAD}},
        {CHARSET_ISO_2022_JP, SPAN("\x1b$B\x1b$"), {BAD, BAD}},
        {CHARSET_ISO_2022_JP, SPAN("\x1b$B\x20\x7f"), {BAD, BAD}},
    };
    struct charset_decoder d;
    uint16_t units[UNITS];

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const unsigned char *in = (const unsigned char *)CASES[i].in.data;
        size_t count = 0, len = CASES[i].in.len;
        bool is_bad = false;
        long n, whole;
        while (count < 8 && CASES[i].points[count])
            is_bad |= CASES[i].points[count++] == BAD;
        charset_init(&d, CASES[i].charset, look_up, NULL);
        whole = charset_decode(&d, in, len, true, false, units);
        if (!is_text(units, whole, CASES[i].points, count)) {
            printf("  case %zu: %ld units:", i, whole);
            for (long k = 0; k < whole; k++)
                printf(" %x", units[k]);
            printf("\n");
            CHECK(!"as expected");
        }
        n = 0;
        for (size_t k = 0; k < len; k++)
            n += charset_decode(&d, in + k, 1, false, false, units + n);
        n += charset_decode(&d, in, 0, true, false, units + n);
        CHECK(is_text(units, n, CASES[i].points, count));
        CHECK(charset_decode(&d, in, len, true, true, units) == (is_bad ? -1 : whole));
    }
}

static void is_as_new_after_the_end_and_an_error(void)
{
    struct charset_decoder d;
    uint16_t units[UNITS];

    charset_init(&d, CHARSET_ISO_2022_JP, look_up, NULL);
    CHECK(charset_decode(&d, (const unsigned char *)"\x1b$B", 3, true, false, units) == 0);
    CHECK(charset_decode(&d, (const unsigned char *)"ab", 2, false, false, units) == 2 &&
          units[1] == 'b');
    CHECK(charset_decode(&d, (const unsigned char *)"\x1b$B\x80", 4, false, true, units) == -1);
    CHECK(charset_decode(&d, (const unsigned char *)"a", 1, false, true, units) == 1);
    charset_init(&d, CHARSET_EUC_KR, look_up, NULL);
    CHECK(charset_decode(&d, (const unsigned char *)"\x81", 1, false, true, units) == 0);
    CHECK(charset_decode(&d, (const unsigned char *)"", 0, true, true, units) == -1);
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        {"decodes_as_the_standard_says", decodes_as_the_standard_says},
        {"is_as_new_after_the_end_and_an_error", is_as_new_after_the_end_and_an_error},
        {0},
    };

    return test_main("text_charset", tests, argc, argv);
}
