/* charset_tables.c - the Encoding standard's indexes, drawn from ICU's converters.
 *
 * ICU's tables agree with the standard's for all but the characters listed
 * here (each pair of bytes was compared), so an index is filled when it is
 * first needed, and set right, rather than carried along: 24,000 conversions,
 * about a millisecond.  What a set keeps for one's own use is no character,
 * except in GB 18030. */
#include "realm/web/charset_tables.h"

#include <string.h>
#include <unicode/ucnv.h>

#include "base/mem.h"

enum {
    LEADS = 0xFF - 0x81,
    TRAILS = 0xFF - 0x40, /* of an index of two bytes */
    REPLACEMENT = 0xFFFD,
    SUBSTITUTE = 0x1A,
};

struct run { /* count characters from `first` on, at neighbouring bytes */
    uint16_t bytes, first, count;
};

static const struct run gb18030_runs[] = {
    {0xA3A0, 0x3000, 1}, {0xA6D9, 0xFE10, 1}, {0xA6DA, 0xFE12, 1},
    {0xA6DB, 0xFE11, 1}, {0xA6DC, 0xFE13, 4}, {0xA6EC, 0xFE17, 2},
    {0xA6F3, 0xFE19, 1}, {0xFE59, 0x9FB4, 1}, {0xFE61, 0x9FB5, 1},
    {0xFE66, 0x9FB6, 2}, {0xFE6D, 0x9FB8, 1}, {0xFE7E, 0x9FB9, 1},
    {0xFE90, 0x9FBA, 1}, {0xFEA0, 0x9FBB, 1}, {0},
};
static const struct run big5_runs[] = {
    {0x87A4, 0x9F97, 1},
    {0x87AC, 0x9F96, 1},
    {0x8840, 0x31C0, 5},
    {0x8846, 0x31C5, 1},
    {0x8849, 0x31C6, 2},
    {0x884D, 0x31C8, 1},
    {0x884F, 0x31C9, 4},
    {0x8854, 0x31CD, 2},
    {0x88A9, 0x23DA, 2},
    {0x8C43, 0x9FA6, 1},
    {0x8C6D, 0x9FA7, 1},
    {0x8C74, 0x9FA8, 1},
    {0x8CB7, 0x9FA9, 1},
    {0x8CB9, 0x9FAA, 1},
    {0x8CBB, 0x9FAB, 1},
    {0x8CC0, 0x9FAC, 1},
    {0x8CD7, 0x9FAD, 2},
    {0x8CDA, 0x9FAF, 1},
    {0x8CED, 0x9FB2, 1},
    {0x8D48, 0x9FB3, 1},
    {0x8E69, 0x7BB8, 1},
    {0x8E6F, 0x7C06, 1},
    {0x8E7E, 0x7CCE, 1},
    {0x8EAB, 0x7DD2, 1},
    {0x8EB4, 0x7E1D, 1},
    {0x8ECD, 0x8005, 1},
    {0x8ED0, 0x8028, 1},
    {0x8F57, 0x83C1, 1},
    {0x8F69, 0x84A8, 1},
    {0x8F6E, 0x840F, 1},
    {0x8FCB, 0x89A6, 1},
    {0x8FCC, 0x89A9, 1},
    {0x8FFE, 0x8D77, 1},
    {0x906D, 0x90FD, 1},
    {0x907A, 0x92B9, 1},
    {0x90DC, 0x975C, 1},
    {0x90F1, 0x97FF, 1},
    {0x91BF, 0x9F16, 1},
    {0x9244, 0x8503, 1},
    {0x92AF, 0x5159, 1},
    {0x92B0, 0x515B, 1},
    {0x92B1, 0x515D, 2},
    {0x92C8, 0x936E, 1},
    {0x92D1, 0x7479, 1},
    {0x9447, 0x6D67, 1},
    {0x94CA, 0x799B, 1},
    {0x95D9, 0x9097, 1},
    {0x9644, 0x975D, 1},
    {0x96ED, 0x701E, 1},
    {0x96FC, 0x5B28, 1},
    {0x9B76, 0x7201, 1},
    {0x9B78, 0x77D7, 1},
    {0x9B7B, 0x7E87, 1},
    {0x9BC6, 0x99D6, 1},
    {0x9BDE, 0x91D4, 1},
    {0x9BEC, 0x60DE, 1},
    {0x9BF6, 0x6FB6, 1},
    {0x9C42, 0x8F36, 1},
    {0x9C53, 0x4FBB, 1},
    {0x9C62, 0x71DF, 1},
    {0x9C68, 0x9104, 1},
    {0x9C6B, 0x9DF0, 1},
    {0x9C77, 0x83CF, 1},
    {0x9CBC, 0x5C10, 1},
    {0x9CBD, 0x79E3, 1},
    {0x9CD0, 0x5A67, 1},
    {0x9D57, 0x8F0B, 1},
    {0x9D5A, 0x7B51, 1},
    {0x9DC4, 0x62D0, 1},
    {0x9EA9, 0x6062, 1},
    {0x9EEF, 0x75F9, 1},
    {0x9EFD, 0x6C4A, 1},
    {0x9F60, 0x9B2E, 1},
    {0x9F66, 0x9F17, 1},
    {0x9FCB, 0x50ED, 1},
    {0x9FD8, 0x5F0C, 1},
    {0xA063, 0x880F, 1},
    {0xA077, 0x62CE, 1},
    {0xA0D5, 0x7468, 1},
    {0xA0DF, 0x7162, 1},
    {0xA0E4, 0x7250, 1},
    {0xA3C0, 0x2400, 32},
    {0xA3E0, 0x2421, 1},
    {0xC6CF, 0x5EF4, 1},
    {0xC6D3, 0x65E0, 1},
    {0xC6D5, 0x7676, 1},
    {0xC6D7, 0x96B6, 1},
    {0xC6DE, 0x3003, 1},
    {0xC6DF, 0x4EDD, 1},
    {0xC879, 0x31CF, 1},
    {0xC8A1, 0x9FB0, 1},
    {0xC8A3, 0x9FB1, 1},
    {0xFA5F, 0x5029, 1},
    {0xFA66, 0x507D, 1},
    {0xFABD, 0x5305, 1},
    {0xFAC5, 0x5344, 1},
    {0xFAD5, 0x537F, 1},
    {0xFB48, 0x5605, 1},
    {0xFBB8, 0x5A77, 1},
    {0xFBF3, 0x5E75, 1},
    {0xFBF9, 0x5ED0, 1},
    {0xFC4F, 0x5F58, 1},
    {0xFC6C, 0x60A4, 1},
    {0xFCB9, 0x6490, 1},
    {0xFCE2, 0x6674, 1},
    {0xFCF1, 0x675E, 1},
    {0xFDB7, 0x6C9C, 1},
    {0xFDB8, 0x6E1D, 1},
    {0xFDBB, 0x6E2F, 1},
    {0xFDF1, 0x716E, 1},
    {0xFE52, 0x732A, 1},
    {0xFE6F, 0x745C, 1},
    {0xFEAA, 0x74E9, 1},
    {0xFEDD, 0x7809, 1},
    {0},
};

/* How an index is drawn. */
static const struct {
    const char *converter;
    const struct run *runs;
    bool has_private;     /* characters for one's own use count */
    unsigned char before; /* a byte in front of the two, or 0 */
    unsigned char leads_end;
} sources[] = {
    [TABLE_GB18030] = {"gb18030", gb18030_runs, true, 0, 0xFF},
    [TABLE_GB18030_RANGES] = {"gb18030", NULL, true, 0, 0xFF},
    [TABLE_BIG5] = {"Big5-HKSCS", big5_runs, false, 0, 0xFF},
    [TABLE_JIS0208] = {"EUC-JP", NULL, false, 0, 0xFF},
    [TABLE_JIS0212] = {"EUC-JP", NULL, false, 0x8F, 0xF3}, /* not IBM's rows */
    [TABLE_SHIFT_JIS] = {"windows-31j", NULL, false, 0, 0xFF},
    [TABLE_EUC_KR] = {"windows-949-2000", NULL, false, 0, 0xFF},
};

static uint32_t *indexes[sizeof sources / sizeof *sources];

/* The one character that these bytes are, or 0. */
static uint32_t convert(UConverter *converter, const char *bytes, int32_t len)
{
    UErrorCode error = U_ZERO_ERROR;
    UChar units[8];
    int32_t n = ucnv_toUChars(converter, units, 8, bytes, len, &error);

    if (U_FAILURE(error) || n < 1)
        return 0;
    if (n == 2 && U16_IS_LEAD(units[0]) && U16_IS_TRAIL(units[1]))
        return (uint32_t)U16_GET_SUPPLEMENTARY(units[0], units[1]);
    return n == 1 && units[0] != REPLACEMENT && units[0] != SUBSTITUTE ? units[0] : 0;
}

static uint32_t *slot(uint32_t *index, unsigned lead, unsigned trail)
{
    return &index[(lead - 0x81) * TRAILS + (trail - 0x40)];
}

static uint32_t *draw_index(enum charset_table table)
{
    UErrorCode error = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(sources[table].converter, &error);
    uint32_t *index = mem_alloc(LEADS * TRAILS * sizeof *index);
    int at = sources[table].before != 0;

    if (U_FAILURE(error) || !index) {
        mem_free(index);
        ucnv_close(converter);
        return NULL;
    }
    for (unsigned lead = 0x81; lead < sources[table].leads_end; lead++)
        for (unsigned trail = 0x40; trail < 0xFF; trail++) {
            char bytes[3] = {(char)sources[table].before};
            uint32_t point;
            bytes[at] = (char)lead;
            bytes[at + 1] = (char)trail;
            point = convert(converter, bytes, at + 2);
            if (point < 0xE000 || point > 0xF8FF || sources[table].has_private)
                *slot(index, lead, trail) = point;
        }
    ucnv_close(converter);
    for (const struct run *r = sources[table].runs; r && r->count > 0; r++)
        for (unsigned i = 0; i < r->count; i++)
            *slot(index, r->bytes >> 8, (r->bytes & 0xFF) + i) = r->first + i;
    return index;
}

static uint32_t look_up_range(const unsigned char *bytes)
{
    static UConverter *converter;
    UErrorCode error = U_ZERO_ERROR;

    if (!converter)
        converter = ucnv_open(sources[TABLE_GB18030_RANGES].converter, &error);
    return U_FAILURE(error) ? 0 : convert(converter, (const char *)bytes, 4);
}

bool charset_tables_has(enum charset_table table)
{
    if (table == TABLE_SINGLE || table == TABLE_GB18030_RANGES || indexes[table])
        return true;
    indexes[table] = draw_index(table);
    return indexes[table] != NULL;
}

uint32_t charset_tables_look_up(void *single, enum charset_table table, const unsigned char *bytes)
{
    if (table == TABLE_SINGLE)
        return ((const uint16_t *)single)[bytes[0] - 0x80];
    if (table == TABLE_GB18030_RANGES)
        return look_up_range(bytes);
    if (bytes[0] < 0x81 || bytes[0] > 0xFE || bytes[1] < 0x40 || bytes[1] > 0xFE)
        return 0;
    return *slot(indexes[table], bytes[0], bytes[1]);
}

/* ---- one byte ---- */

/* Where ICU's table of a set differs from the standard's; 0: no character. */
static const struct {
    const char *name;
    unsigned char byte;
    uint16_t point;
} singles[] = {
    {"koi8-u", 0xAE, 0x45E},  {"koi8-u", 0xBE, 0x40E},   {"windows-874", 0xDB, 0},
    {"windows-874", 0xDC, 0}, {"windows-874", 0xDD, 0},  {"windows-874", 0xDE, 0},
    {"windows-874", 0xFC, 0}, {"windows-874", 0xFD, 0},  {"windows-874", 0xFE, 0},
    {"windows-874", 0xFF, 0}, {"windows-1253", 0xAA, 0}, {"windows-1255", 0xCA, 0x5BA},
};

/* ISO 8859-16, which ICU has not: the upper half from 0xA0 on. */
static const uint16_t latin10[0x60] = {
    0xA0,  0x104, 0x105, 0x141, 0x20AC, 0x201E, 0x160, 0xA7,  0x161, 0xA9,   0x218, 0xAB,
    0x179, 0xAD,  0x17A, 0x17B, 0xB0,   0xB1,   0x10C, 0x142, 0x17D, 0x201D, 0xB6,  0xB7,
    0x17E, 0x10D, 0x219, 0xBB,  0x152,  0x153,  0x178, 0x17C, 0xC0,  0xC1,   0xC2,  0x102,
    0xC4,  0x106, 0xC6,  0xC7,  0xC8,   0xC9,   0xCA,  0xCB,  0xCC,  0xCD,   0xCE,  0xCF,
    0x110, 0x143, 0xD2,  0xD3,  0xD4,   0x150,  0xD6,  0x15A, 0x170, 0xD9,   0xDA,  0xDB,
    0xDC,  0x118, 0x21A, 0xDF,  0xE0,   0xE1,   0xE2,  0x103, 0xE4,  0x107,  0xE6,  0xE7,
    0xE8,  0xE9,  0xEA,  0xEB,  0xEC,   0xED,   0xEE,  0xEF,  0x111, 0x144,  0xF2,  0xF3,
    0xF4,  0x151, 0xF6,  0x15B, 0x171,  0xF9,   0xFA,  0xFB,  0xFC,  0x119,  0x21B, 0xFF,
};

bool charset_tables_single(const char *name, uint16_t *points)
{
    UErrorCode error = U_ZERO_ERROR;
    UConverter *converter;

    if (strcmp(name, "x-user-defined") == 0 || strcmp(name, "iso-8859-16") == 0) {
        for (unsigned i = 0; i < CHARSET_HALF; i++)
            points[i] = (uint16_t)(name[0] == 'x' ? 0xF780 + i
                                   : i < 0x20     ? 0x80 + i
                                                  : latin10[i - 0x20]);
        return true;
    }
    converter = ucnv_open(strcmp(name, "ibm866") == 0 ? "ibm-866_P100-1995" : name, &error);
    if (U_FAILURE(error))
        return false;
    for (unsigned i = 0; i < CHARSET_HALF; i++) {
        char byte = (char)(0x80 + i);
        points[i] = (uint16_t)convert(converter, &byte, 1);
    }
    ucnv_close(converter);
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        if (strcmp(singles[i].name, name) == 0)
            points[singles[i].byte - 0x80] = singles[i].point;
    return true;
}
