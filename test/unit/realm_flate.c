/* realm_flate.c - src/realm/flate.c: all modes both ways, in steps of any size, damage, dictionaries. */
#include "realm/flate.h"

#include <string.h>

#include "base/mem.h"
#include "test.h"

enum { SIZE = 40000, ROOM = 3 * SIZE, FINISH = 4, BROTLI_FINISH = 2 };

static const struct {
    enum flate_mode pack, unpack;
} pairs[] = {
    {FLATE_DEFLATE, FLATE_INFLATE}, {FLATE_GZIP, FLATE_GUNZIP},
    {FLATE_DEFLATE_RAW, FLATE_INFLATE_RAW}, {FLATE_BROTLI, FLATE_UNBROTLI},
    {FLATE_GZIP, FLATE_UNZIP}, {FLATE_DEFLATE, FLATE_UNZIP},
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

static char text[SIZE], packed[ROOM], back[ROOM];

static void make_text(void)
{
    unsigned x = 1;

    for (size_t i = 0; i < sizeof text; i++) {
        x = x * 1664525 + 1013904223;
        text[i] = "a rose is a rose"[(x >> 24) & 15];
    }
}

static struct flate *open_mode(enum flate_mode mode, struct span dictionary)
{
    struct flate_how how = {mode,         FLATE_LEVEL,    FLATE_WINDOW,
                            FLATE_MEMORY, FLATE_STRATEGY, dictionary};
    struct flate *f = flate_new(&how);

    if (f && mode == FLATE_BROTLI)
        CHECK(flate_set(f, 1, 3)); /* the quality */
    return f;
}

/* All of `in`, in pieces of `step`, into rooms of `max`; the status, and how much came. */
static int run(struct flate *f, int finish, struct span in, size_t step, size_t max, char *out,
               size_t room, size_t *ret_len)
{
    int status = FLATE_OK;
    size_t at = 0;

    *ret_len = 0;
    while (status == FLATE_OK) {
        size_t n = in.len - at < step ? in.len - at : step, left;
        size_t most = room - *ret_len < max ? room - *ret_len : max;
        struct span piece = {in.data + at, n};
        status = flate_step(f, at + n == in.len ? finish : 0, &piece, out + *ret_len, most, &left);
        at += n - piece.len;
        *ret_len += most - left;
        if (status == FLATE_STUCK && at < in.len)
            status = FLATE_OK;
        if (status == FLATE_OK && at == in.len && left == most && finish == 0)
            break;
    }
    return status;
}

static size_t pack(enum flate_mode mode, struct span dictionary, size_t step, size_t max)
{
    struct flate *f = open_mode(mode, dictionary);
    size_t len;

    CHECK(f);
    CHECK(run(f, mode == FLATE_BROTLI ? BROTLI_FINISH : FINISH, (struct span){text, SIZE}, step,
              max, packed, ROOM, &len) == FLATE_END);
    flate_free(f);
    return len;
}

static void gives_back_what_was_packed_in_any_pieces(void)
{
    static const size_t STEPS[] = {1, 777, SIZE}, ROOMS[] = {1, 100, ROOM};

    for (int p = 0; p < PAIRS; p++)
        for (int i = 0; i < 3; i++) {
            size_t len = pack(pairs[p].pack, SPAN(""), STEPS[i], ROOMS[2 - i]), got;
            struct flate *f = open_mode(pairs[p].unpack, SPAN(""));
            CHECK(len < SIZE);
            CHECK(run(f, 0, (struct span){packed, len}, STEPS[i], ROOMS[i], back, ROOM, &got) ==
                  FLATE_END);
            CHECK(got == SIZE && memcmp(back, text, SIZE) == 0);
            CHECK(flate_reset(f) == FLATE_OK);
            CHECK(run(f, 0, (struct span){packed, len}, 100, 1000, back, ROOM, &got) == FLATE_END);
            CHECK(got == SIZE);
            flate_free(f);
        }
}

static void what_is_cut_short_does_not_end(void)
{
    for (int p = 0; p < PAIRS; p++) {
        size_t len = pack(pairs[p].pack, SPAN(""), SIZE, ROOM), got;
        for (size_t n = 0; n < len; n += 1 + len / 50) {
            struct flate *f = open_mode(pairs[p].unpack, SPAN(""));
            int status = run(f, 0, (struct span){packed, n}, 100, 1000, back, ROOM, &got);
            CHECK(status == FLATE_OK || status == FLATE_STUCK);
            flate_free(f);
        }
    }
}

static void damage_is_an_error_or_another_text(void)
{
    for (int p = 0; p < PAIRS; p++) {
        size_t len = pack(pairs[p].pack, SPAN(""), SIZE, ROOM), got;
        int broken = 0;
        for (size_t i = 0; i < len; i += 1 + len / 200) {
            struct flate *f = open_mode(pairs[p].unpack, SPAN(""));
            packed[i] ^= (char)(1 << i % 8);
            if (run(f, 0, (struct span){packed, len}, 1000, 4096, back, ROOM, &got) ==
                FLATE_BROKEN) {
                broken++;
                CHECK(*flate_message(f));
            }
            packed[i] ^= (char)(1 << i % 8);
            flate_free(f);
        }
        CHECK(broken > 10);
    }
}

static void dictionaries_are_wanted_and_used(void)
{
    static const enum flate_mode MODES[][2] = {{FLATE_DEFLATE, FLATE_INFLATE},
                                               {FLATE_DEFLATE_RAW, FLATE_INFLATE_RAW}};
    struct span words = SPAN("a rose is a rose is a rose");

    for (int i = 0; i < 2; i++) {
        size_t len = pack(MODES[i][0], words, SIZE, ROOM), got;
        struct flate *f = open_mode(MODES[i][1], words);
        CHECK(run(f, 0, (struct span){packed, len}, 50, 50, back, ROOM, &got) == FLATE_END);
        CHECK(got == SIZE && memcmp(back, text, SIZE) == 0);
        flate_free(f);
        if (i == 0) {
            f = open_mode(MODES[i][1], SPAN(""));
            CHECK(run(f, 0, (struct span){packed, len}, 50, 50, back, ROOM, &got) == 2);
            flate_free(f);
            f = open_mode(MODES[i][1], SPAN("other words"));
            CHECK(run(f, 0, (struct span){packed, len}, 50, 50, back, ROOM, &got) == FLATE_BROKEN);
            CHECK(strcmp(flate_message(f), "Bad dictionary") == 0);
            flate_free(f);
        }
    }
}

static void another_level_from_here_on(void)
{
    struct flate *f = open_mode(FLATE_DEFLATE, SPAN("")), *u = open_mode(FLATE_INFLATE, SPAN(""));
    struct span half = {text, SIZE / 2}, rest = {text + SIZE / 2, SIZE / 2};
    size_t left, len = 0, got;

    CHECK(flate_step(f, 0, &half, packed, ROOM, &left) == FLATE_OK && half.len == 0);
    len = ROOM - left;
    CHECK(flate_tune(f, 0, 0, packed + len, ROOM - len, &left) == FLATE_OK);
    len = ROOM - left;
    CHECK(flate_step(f, FINISH, &rest, packed + len, ROOM - len, &left) == FLATE_END);
    len = ROOM - left;
    CHECK(run(u, 0, (struct span){packed, len}, SIZE, ROOM, back, ROOM, &got) == FLATE_END);
    CHECK(got == SIZE && memcmp(back, text, SIZE) == 0);
    CHECK(flate_tune(u, 1, 0, packed, ROOM, &left) < 0);
    flate_free(f);
    flate_free(u);
}

static void nonsense_is_refused(void)
{
    struct flate_how how = {FLATE_DEFLATE, 99, FLATE_WINDOW, FLATE_MEMORY, 0, SPAN("")};
    struct flate *f;
    struct span in = SPAN("x");
    size_t left;

    CHECK(!flate_new(&how));
    how = (struct flate_how){FLATE_INFLATE, 6, 99, FLATE_MEMORY, 0, SPAN("")};
    CHECK(!flate_new(&how));
    for (int mode = FLATE_DEFLATE; mode <= FLATE_BROTLI; mode++) {
        f = open_mode((enum flate_mode)mode, SPAN(""));
        CHECK(flate_step(f, -1, &in, back, ROOM, &left) < 0 && left == ROOM);
        CHECK(flate_step(f, 77, &in, back, ROOM, &left) < 0);
        CHECK(flate_set(f, 12345, 1) == false);
        flate_free(f);
    }
    flate_free(NULL);
}

static void survives_without_memory(void)
{
    for (int mode = FLATE_DEFLATE; mode <= FLATE_BROTLI; mode++)
        for (int n = 0; n < 24; n++) {
            struct flate *f;
            struct span in = {text, SIZE};
            size_t left;
            mem_fail_after(n);
            f = open_mode((enum flate_mode)mode, SPAN(""));
            if (f)
                (void)flate_step(f, mode == FLATE_BROTLI ? BROTLI_FINISH : 0, &in, back, ROOM, &left);
            mem_fail_after(-1);
            CHECK(n > 0 || !f);
            if (f && mode == FLATE_BROTLI) {
                size_t got;
                CHECK(flate_reset(f) == 0);
                in = (struct span){text, SIZE};
                CHECK(flate_step(f, BROTLI_FINISH, &in, packed, ROOM, &left) == FLATE_END);
                struct flate *u = open_mode(FLATE_UNBROTLI, SPAN(""));
                CHECK(run(u, 0, (struct span){packed, ROOM - left}, SIZE, ROOM, back, ROOM, &got) ==
                      FLATE_END);
                CHECK(got == SIZE && memcmp(back, text, SIZE) == 0);
                flate_free(u);
            }
            flate_free(f);
        }
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(gives_back_what_was_packed_in_any_pieces),
        T(what_is_cut_short_does_not_end),
        T(damage_is_an_error_or_another_text),
        T(dictionaries_are_wanted_and_used),
        T(another_level_from_here_on),
        T(nonsense_is_refused),
        T(survives_without_memory),
        {0},
    };

    make_text();
    return test_main("realm_flate", TESTS, argc, argv);
}
