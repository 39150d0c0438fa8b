/* realm_text.c - src/realm/js/text.c: UTF-8 and UTF-16, well-formed or not. */
#include "realm/js/text.h"

#include <string.h>

#include "test.h"

static void check_decode(const char *in, const uint16_t *out, long n, bool is_well_formed)
{
    uint16_t units[64];
    const unsigned char *bytes = (const unsigned char *)in;

    CHECK(text_decode(bytes, strlen(in), units, false) == n);
    CHECK(memcmp(units, out, (size_t)n * 2) == 0);
    CHECK((text_decode(bytes, strlen(in), units, true) >= 0) == is_well_formed);
}

static void decodes_what_is_well_formed(void)
{
    check_decode("plain ascii, longer than eight",
                 (const uint16_t *)u"plain ascii, longer than eight", 30, true);
    check_decode("\xc3\xa9\xe2\x82\xac", (const uint16_t *)u"\u00e9\u20ac", 2, true);
    check_decode("\xf0\x9f\x98\x80!", (const uint16_t *)u"\xd83d\xde00!", 3, true);
}

static void replaces_what_is_not(void)
{
    check_decode("a\x80z", (const uint16_t *)u"a\xfffdz", 3, false);
    check_decode("\xc0\xaf", (const uint16_t *)u"\xfffd\xfffd", 2, false);
    check_decode("\xe2\x82z", (const uint16_t *)u"\xfffdz", 2, false);
    check_decode("\xed\xa0\x80", (const uint16_t *)u"\xfffd\xfffd\xfffd", 3, false);
    check_decode("\xf0\x9f\x98", (const uint16_t *)u"\xfffd", 1, false);
    check_decode("\xf5\x80", (const uint16_t *)u"\xfffd\xfffd", 2, false);
}

static void encodes_pairs_and_replaces_lone_surrogates(void)
{
    char out[64];
    size_t n = text_encode((const uint16_t *)u"ab\u00e9\u20ac\xd83d\xde00", 6, out);

    CHECK(n == 11 && memcmp(out, "ab\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 11) == 0);
    n = text_encode((const uint16_t *)u"\xd83dx\xde00", 3, out);
    CHECK(n == 7 && memcmp(out, "\xef\xbf\xbdx\xef\xbf\xbd", 7) == 0);
    n = text_encode((const uint16_t *)u"sixteen letters!", 16, out);
    CHECK(n == 16 && memcmp(out, "sixteen letters!", 16) == 0);
}

static size_t cut(const char *in)
{
    return text_cut((const unsigned char *)in, strlen(in));
}

static void finds_a_character_cut_in_two(void)
{
    CHECK(cut("abc") == 0 && cut("") == 0 && cut("\xc3\xa9") == 0);
    CHECK(cut("a\xc3") == 1 && cut("a\xe2\x82") == 2 && cut("a\xf0\x9f\x98") == 3);
    CHECK(cut("a\x82") == 0 && cut("a\xed\xa0") == 0);
}

static const struct test tests[] = {
    {"decodes_what_is_well_formed", decodes_what_is_well_formed},
    {"replaces_what_is_not", replaces_what_is_not},
    {"encodes_pairs_and_replaces_lone_surrogates", encodes_pairs_and_replaces_lone_surrogates},
    {"finds_a_character_cut_in_two", finds_a_character_cut_in_two},
    {0},
};

int main(int argc, char **argv)
{
    return test_main("realm_text", tests, argc, argv);
}
