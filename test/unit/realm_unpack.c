/* realm_unpack.c - src/realm/unpack.c: gzip and br, cut anywhere, cut short, with something behind.
 */
#include "realm/unpack.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "test.h"

enum { TIMES = 20, WORDS = 27 };
static const char ROSE[] = "a rose is a rose is a rose ";
/* ROSE 20 times, by brotli. */
static const unsigned char BR[] = {0x1b, 0x1b, 0x02, 0x00, 0xa4, 0x41, 0xc2, 0xd2,
                                   0xe6, 0xa6, 0x24, 0xe2, 0x10, 0x96, 0x4a, 0xb5,
                                   0xc9, 0x4c, 0xdb, 0x79, 0x37, 0x03};

static char text[TIMES * WORDS];
static char gz[1024];
static size_t gz_len;

static void make_gzip(void)
{
    z_stream z = {0};

    for (int i = 0; i < TIMES; i++)
        memcpy(text + i * WORDS, ROSE, WORDS);
    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)text;
    z.avail_in = sizeof text;
    z.next_out = (Bytef *)gz;
    z.avail_out = sizeof gz;
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    gz_len = sizeof gz - z.avail_out;
    deflateEnd(&z);
}

/* Unpack `in`, given in pieces of `step`, into rooms of `max`: bytes, or the error. */
static long unpack_all(enum coding coding, const char *in, size_t len, size_t step, size_t max,
                       char *out, bool *ret_whole)
{
    struct unpack *u = unpack_new(coding);
    struct span held = {in, 0};
    size_t total = 0;
    long n = 0;

    if (!u)
        return ERR_NOMEM;
    while (n >= 0) {
        size_t before = held.len, end = (size_t)(held.data - in) + held.len;
        n = unpack_step(u, &held, out + total, max);
        total += n > 0 ? (size_t)n : 0;
        if (n == 0 && held.len == before) {
            end = (size_t)(held.data - in) + held.len;
            if (end == len)
                break;
            held.len += len - end < step ? len - end : step;
        }
    }
    *ret_whole = unpack_is_whole(u);
    unpack_free(u);
    return n < 0 ? n : (long)total;
}

static void gives_back_what_was_packed_in_any_pieces(void)
{
    static char out[64 * 1024];
    static const size_t STEPS[] = {1, 3, 1000}, ROOMS[] = {1, 7, 4096};
    bool is_whole;

    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            CHECK(unpack_all(CODING_GZIP, gz, gz_len, STEPS[i], ROOMS[k], out, &is_whole) ==
                  (long)sizeof text);
            CHECK(is_whole && memcmp(out, text, sizeof text) == 0);
            memset(out, 0, sizeof text);
            CHECK(unpack_all(CODING_BR, (const char *)BR, sizeof BR, STEPS[i], ROOMS[k], out,
                             &is_whole) == (long)sizeof text);
            CHECK(is_whole && memcmp(out, text, sizeof text) == 0);
        }
}

static void what_is_cut_short_is_not_whole(void)
{
    static char out[64 * 1024];
    bool is_whole;

    for (size_t n = 0; n < gz_len; n++) {
        CHECK(unpack_all(CODING_GZIP, gz, n, 5, 100, out, &is_whole) >= 0);
        CHECK(is_whole == (n == 0));
    }
    for (size_t n = 0; n < sizeof BR; n++) {
        CHECK(unpack_all(CODING_BR, (const char *)BR, n, 5, 100, out, &is_whole) >= 0);
        CHECK(is_whole == (n == 0));
    }
}

static void members_follow_each_other_and_garbage_is_ignored(void)
{
    static char out[64 * 1024], more[2048];
    bool is_whole;

    memcpy(more, gz, gz_len);
    memcpy(more + gz_len, gz, gz_len);
    CHECK(unpack_all(CODING_GZIP, more, 2 * gz_len, 1000, 4096, out, &is_whole) ==
          2 * (long)sizeof text);
    CHECK(is_whole);
    memcpy(more + gz_len, "garbage", 7);
    CHECK(unpack_all(CODING_GZIP, more, gz_len + 7, 1000, 4096, out, &is_whole) ==
          (long)sizeof text);
    CHECK(is_whole);
    memcpy(more, BR, sizeof BR);
    memcpy(more + sizeof BR, "garbage", 7);
    CHECK(unpack_all(CODING_BR, more, sizeof BR + 7, 3, 4096, out, &is_whole) == (long)sizeof text);
}

static void nonsense_is_refused(void)
{
    static char out[64 * 1024], bad[1024];
    bool is_whole;

    CHECK(unpack_all(CODING_GZIP, "no gzip", 7, 7, 100, out, &is_whole) == ERR_INVALID);
    CHECK(unpack_all(CODING_BR, "\xff\xff\xff\xff", 4, 4, 100, out, &is_whole) == ERR_INVALID);
    /* One bit anywhere: an error or another text, never a crash. */
    for (size_t i = 0; i < gz_len * 8; i++) {
        memcpy(bad, gz, gz_len);
        bad[i / 8] ^= (char)(1 << i % 8);
        (void)unpack_all(CODING_GZIP, bad, gz_len, 1000, 4096, out, &is_whole);
    }
    for (size_t i = 0; i < sizeof BR * 8; i++) {
        memcpy(bad, BR, sizeof BR);
        bad[i / 8] ^= (char)(1 << i % 8);
        (void)unpack_all(CODING_BR, bad, sizeof BR, 1000, 128, out, &is_whole);
    }
}

static void survives_without_memory(void)
{
    static char out[64 * 1024];

    for (int i = 0; i < 2; i++)
        for (int n = 0;; n++) {
            bool is_whole;
            long r;
            mem_fail_after(n);
            r = i ? unpack_all(CODING_GZIP, gz, gz_len, 1000, 4096, out, &is_whole)
                  : unpack_all(CODING_BR, (const char *)BR, sizeof BR, 1000, 4096, out, &is_whole);
            mem_fail_after(-1);
            CHECK(r == (long)sizeof text || r == ERR_NOMEM || r == ERR_INVALID);
            if (r > 0)
                break;
        }
}

static void knows_the_names(void)
{
    CHECK(coding_of(SPAN("gzip")) == CODING_GZIP && coding_of(SPAN("X-GZip")) == CODING_GZIP);
    CHECK(coding_of(SPAN("BR")) == CODING_BR && coding_of(SPAN("deflate")) == CODING_NONE);
    CHECK(coding_of(SPAN("gzip, br")) == CODING_NONE && coding_of(SPAN("")) == CODING_NONE);
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(gives_back_what_was_packed_in_any_pieces),
        T(what_is_cut_short_is_not_whole),
        T(members_follow_each_other_and_garbage_is_ignored),
        T(nonsense_is_refused),
        T(survives_without_memory),
        T(knows_the_names),
        {0},
    };

    make_gzip();
    return test_main("realm_unpack", TESTS, argc, argv);
}
