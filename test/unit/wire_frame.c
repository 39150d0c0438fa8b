/* wire_frame.c - src/wire/frame.c: good frames, cut frames, frames of a liar. */
#include "wire/frame.h"

#include <string.h>

#include "base/mem.h"
#include "test.h"

static void finds_a_frame_and_says_how_long_it_is(void)
{
    struct buf b = {0};
    struct frame f;
    struct err err = {0};
    size_t used = 0;

    CHECK(frame_put(&b, FRAME_BODY, FRAME_END, 7, "abc", 3) == 0);
    CHECK(frame_put(&b, FRAME_PING, 0, 0, NULL, 0) == 0);
    CHECK(frame_parse(buf_data(&b), buf_len(&b), &f, &used, &err) == 1);
    CHECK(f.type == FRAME_BODY && f.flags == FRAME_END && f.stream == 7);
    CHECK(span_is(f.payload, "abc") && used == FRAME_HEADER + 3);
    buf_eat(&b, used);
    CHECK(frame_parse(buf_data(&b), buf_len(&b), &f, &used, &err) == 1);
    CHECK(f.type == FRAME_PING && f.payload.len == 0);
    buf_done(&b);
}

static void waits_for_the_rest_of_a_cut_frame(void)
{
    struct buf b = {0};
    struct frame f;
    struct err err = {0};
    size_t used;

    CHECK(frame_put(&b, FRAME_BODY, 0, 1, "abcdef", 6) == 0);
    for (size_t n = 0; n < buf_len(&b); n++)
        CHECK(frame_parse(buf_data(&b), n, &f, &used, &err) == 0);
    buf_done(&b);
}

static void refuses_what_no_honest_peer_sends(void)
{
    static const struct {
        unsigned char bytes[FRAME_HEADER];
        enum err_code code;
        const char *text;
    } CASES[] = {
        {{0, 0, 0, 0, 0}, ERR_INVALID, "frame of unknown type 0"},
        {{0, 0, 0, 0, 99}, ERR_INVALID, "frame of unknown type 99"},
        {{1, 0, 0, 0, FRAME_PING}, ERR_LIMIT, "PING frame of 1 bytes is over 0"},
        {{1, 0, 1, 0, FRAME_BODY}, ERR_LIMIT, "BODY frame of 65537 bytes is over 65536"},
        {{255, 255, 255, 255, FRAME_LOAD}, ERR_LIMIT, "LOAD frame of 4294967295 bytes is over 2097152"},
        {{0, 0, 0, 0, FRAME_BODY, 8}, ERR_INVALID, "BODY frame with unknown flags 0x08"},
        {{0, 0, 0, 0, FRAME_BODY, 0, 1}, ERR_INVALID, "BODY frame with unknown flags 0x00"},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct err err = {0};
        struct frame f;
        size_t used;
        CHECK(frame_parse((const char *)CASES[i].bytes, FRAME_HEADER, &f, &used, &err) ==
              (int)CASES[i].code);
        CHECK(strcmp(err.text, CASES[i].text) == 0);
    }
}

static void marks_a_frame_as_the_last_word(void)
{
    struct buf b = {0};
    struct frame f;
    struct err err = {0};
    size_t used = 0;

    CHECK(frame_put(&b, FRAME_PING, 0, 0, NULL, 0) == 0);
    buf_eat(&b, 5);
    CHECK(frame_put(&b, FRAME_BODY, FRAME_END, 7, "abc", 3) == 0);
    frame_finish(&b, FRAME_HEADER - 5);
    buf_eat(&b, FRAME_HEADER - 5);
    CHECK(frame_parse(buf_data(&b), buf_len(&b), &f, &used, &err) == 1);
    CHECK(f.flags == (FRAME_END | FRAME_FINISHED) && span_is(f.payload, "abc"));
    buf_done(&b);
}

static void leaves_the_buffer_alone_without_memory(void)
{
    struct buf b = {0};

    mem_fail_after(0);
    CHECK(frame_put(&b, FRAME_BODY, 0, 1, "abc", 3) == ERR_NOMEM);
    mem_fail_after(-1);
    CHECK(buf_len(&b) == 0);
    buf_done(&b);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"finds_a_frame_and_says_how_long_it_is", finds_a_frame_and_says_how_long_it_is},
        {"waits_for_the_rest_of_a_cut_frame", waits_for_the_rest_of_a_cut_frame},
        {"refuses_what_no_honest_peer_sends", refuses_what_no_honest_peer_sends},
        {"marks_a_frame_as_the_last_word", marks_a_frame_as_the_last_word},
        {"leaves_the_buffer_alone_without_memory", leaves_the_buffer_alone_without_memory},
        {0},
    };

    return test_main("wire_frame", TESTS, argc, argv);
}
