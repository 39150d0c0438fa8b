/* fuzz_charset.c - any bytes in any charset: decoding keeps to its room, gives the
 * same in pieces as in one, no half of a surrogate, and errs when it is fatal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

static uint32_t look_up(void *self, enum charset_table table, const unsigned char *bytes)
{
    (void)self;
    if (table == TABLE_SINGLE)
        return bytes[0] % 3 ? 0x400u + bytes[0] : 0;
    if (table == TABLE_GB18030_RANGES)
        return bytes[0] % 2 ? 0x10000u + bytes[1] : 0;
    must(bytes[0] >= 0x81 && bytes[1] >= 0x40);
    return bytes[1] % 3 ? 0x4E00u + bytes[1] : bytes[1] % 2 ? 0x20000u + bytes[1] : 0;
}

/* Input: the charset, where to cut, the bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct charset_decoder d;
    uint16_t *whole, *pieces;
    bool has_error = false;
    size_t cut;
    long n, m;

    if (len < 2)
        return 0;
    charset_init(&d, (enum charset)(data[0] % (CHARSET_EUC_KR + 1)), look_up, NULL);
    cut = data[1];
    data += 2;
    len -= 2;
    if (cut > len)
        cut = len;
    whole = malloc(charset_room(len) * sizeof *whole);
    pieces = malloc((charset_room(cut) + charset_room(len - cut)) * sizeof *pieces);
    must(whole && pieces);
    n = charset_decode(&d, data, len, true, false, whole);
    must(n >= 0 && (size_t)n <= charset_room(len));
    for (long i = 0; i < n; i++) {
        has_error |= whole[i] == 0xFFFD;
        if ((whole[i] & 0xFC00) == 0xD800)
            must(i + 1 < n && (whole[++i] & 0xFC00) == 0xDC00);
        else
            must((whole[i] & 0xFC00) != 0xDC00);
    }
    m = charset_decode(&d, data, cut, false, false, pieces);
    must(m >= 0 && (size_t)m <= charset_room(cut));
    m += charset_decode(&d, data + cut, len - cut, true, false, pieces + m);
    must(m == n && memcmp(whole, pieces, (size_t)n * sizeof *whole) == 0);
    m = charset_decode(&d, data, len, true, true, pieces);
    if (d.charset != CHARSET_UTF16LE && d.charset != CHARSET_UTF16BE)
        must(m == (has_error ? -1 : n)); /* UTF-16 may hold U+FFFD itself */
    free(whole);
    free(pieces);
    return 0;
}
