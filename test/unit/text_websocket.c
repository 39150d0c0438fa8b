/* text_websocket.c - src/text/websocket.c: what the other side sends, and what it should not. */
#include "text/websocket.h"

#include <stdlib.h>

#include "base/mem.h"
#include "test.h"

enum { MAX = 300 };


/* What a reader makes of the bytes, `step` at a time: "text:hi pong:x close:1000/bye", then the code
 * of an error. */
static void read_all(struct span in, size_t step, bool is_server, struct buf *out)
{
    static const char *const NAMES[] = {[1] = "text", [2] = "binary", [8] = "close", [9] = "ping",
                                        [10] = "pong"};
    struct websocket_reader r;
    struct websocket_item item;
    struct err err = {0};
    int e = 0;

    websocket_init(&r, is_server, MAX);
    while (e == 0 && in.len > 0) {
        struct span piece = {in.data, in.len < step ? in.len : step};
        in = (struct span){in.data + piece.len, in.len - piece.len};
        while ((e = websocket_read(&r, &piece, &item, &err)) == 1) {
            if (item.kind == WEBSOCKET_CLOSE)
                e = buf_print(out, "close:%u/%.*s ", item.code, SPAN_ARG(item.bytes));
            else if (item.bytes.len > 100)
                e = buf_print(out, "%s:%zu ", NAMES[item.kind], item.bytes.len);
            else
                e = buf_print(out, "%s:%.*s ", NAMES[item.kind], SPAN_ARG(item.bytes));
        }
    }
    if (e < 0)
        CHECK(buf_print(out, "%u", r.status) == 0);
    websocket_done(&r);
}

static void check_bytes(struct span in, bool is_server, const char *wanted)
{
    for (size_t step = 1; step <= in.len + 1; step++) {
        struct buf out = {0};
        read_all(in, step, is_server, &out);
        CHECK(span_is(buf_span(&out), wanted));
        if (!span_is(buf_span(&out), wanted))
            printf("  <<%s>> -> <<%.*s>> by %zu\n", wanted, SPAN_ARG(buf_span(&out)), step);
        buf_done(&out);
    }
}

#define IS(bytes, wanted) check_bytes((struct span){bytes, sizeof(bytes) - 1}, false, wanted)
#define OF_CLIENT(bytes, wanted) check_bytes((struct span){bytes, sizeof(bytes) - 1}, true, wanted)

static void reads_messages(void)
{
    IS("", "");
    IS("\x81\x02hi", "text:hi ");
    IS("\x82\x02hi\x81\x00", "binary:hi text: ");
    IS("\x81\x04\xc3\xa4\xc3\xb6", "text:\xc3\xa4\xc3\xb6 ");
    IS("\x81\x04\xf0\x9f\x98\x80", "text:\xf0\x9f\x98\x80 ");
    /* RFC 6455, section 5.7. */
    OF_CLIENT("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "text:Hello ");
    OF_CLIENT("\x82\x80\x01\x02\x03\x04\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "binary: text:Hello ");
}

static void puts_fragments_together(void)
{
    IS("\x01\x03Hel\x80\x02lo", "text:Hello ");
    IS("\x02\x01h\x00\x00\x00\x01i\x80\x00\x81\x01x", "binary:hi text:x ");
    /* A character that is cut, and control frames between. */
    IS("\x01\x01\xc3\x89\x01p\x80\x01\xa4", "ping:p text:\xc3\xa4 ");
    IS("\x01\x01" "a\x8a\x00\x88\x02\x03\xe8", "pong: close:1000/ ");
}

static void reads_long_messages(void)
{
    static const struct {
        size_t len;
        const char *head, *wanted;
        size_t head_len;
    } CASES[] = {
        {126, "\x82\x7e\x00\x7e", "binary:126 ", 4},
        {300, "\x82\x7e\x01\x2c", "binary:300 ", 4},
        {301, "\x82\x7e\x01\x2d", "1009", 4},
        {0, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", "1009", 10},
        {0, "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", "1009", 10},
        {0, "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", "1002", 10},
        {0, "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", "1002", 10},
        {0, "\x82\x7e\x00\x7d", "1002", 4},
    };

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char bytes[400] = {0};
        memcpy(bytes, CASES[i].head, CASES[i].head_len);
        check_bytes((struct span){bytes, CASES[i].head_len + CASES[i].len}, false, CASES[i].wanted);
    }
}

/* What a frame announces takes no memory, and its parts count together. */
static void counts_what_is_gathered(void)
{
    struct websocket_reader r;
    struct websocket_item item;
    struct span in = SPAN("\x01\x7f\x00\x00\x00\x00\x7f\xff\xff\xff" "abc");
    char part[104] = "\x02\x64";
    struct err err;

    websocket_init(&r, false, SIZE_MAX / 2);
    CHECK(websocket_read(&r, &in, &item, &err) == 0 && in.len == 0);
    CHECK(buf_len(&r.message) == 3 && r.message.cap < 1024 * 1024);
    websocket_done(&r);
    websocket_init(&r, false, 250);
    for (int i = 0; i < 3; i++) {
        in = (struct span){part, 102};
        CHECK(websocket_read(&r, &in, &item, &err) == (i < 2 ? 0 : ERR_LIMIT));
        part[0] = 0;
    }
    CHECK(r.status == WEBSOCKET_TOO_BIG && strstr(err.text, "250"));
    websocket_done(&r);
}

static void reads_closes(void)
{
    IS("\x88\x00", "close:1005/ ");
    IS("\x88\x02\x03\xe8", "close:1000/ ");
    IS("\x88\x05\x0f\xa0" "bye", "close:4000/bye ");
    IS("\x88\x01\x03", "1002");
    IS("\x88\x02\x03\xed", "1002");     /* 1005 */
    IS("\x88\x02\x03\xee", "1002");
    IS("\x88\x02\x03\xf7", "1002");     /* 1015 */
    IS("\x88\x02\x03\xe7", "1002");     /* 999 */
    IS("\x88\x02\x0b\xb7", "1002");     /* 2999 */
    IS("\x88\x02\x13\x88", "1002");     /* 5000 */
    IS("\x88\x03\x03\xe8\xff", "1007");
}

static void refuses_what_breaks_the_protocol(void)
{
    OF_CLIENT("\x81\x02hi", "1002");
    IS("\x81\x80\x01\x02\x03\x04", "1002");
    IS("\xc1\x00", "1002");
    IS("\xa1\x00", "1002");
    IS("\x91\x00", "1002");
    IS("\x83\x00", "1002");
    IS("\x8b\x00", "1002");
    IS("\x09\x00", "1002");             /* a ping in fragments */
    IS("\x89\x7e\x00\x7e", "1002");     /* one that is too long */
    IS("\x80\x00", "1002");             /* a continuation of nothing */
    IS("\x01\x01" "a\x81\x01" "b", "1002");     /* a message inside another one */
}

static void refuses_text_that_is_not_utf8(void)
{
    IS("\x81\x01\xff", "1007");
    IS("\x81\x01\xc3", "1007");
    IS("\x81\x02\xc0\x80", "1007");
    IS("\x81\x03\xed\xa0\x80", "1007");
    IS("\x81\x04\xf4\x90\x80\x80", "1007");
    IS("\x01\x01\xc3\x80\x01x", "1007");
    /* As soon as it is seen: the rest of the frame never comes. */
    IS("\x81\x7d" "ab\xff", "1007");
    IS("\x82\x01\xff", "binary:\xff ");
}

static void writes_what_it_reads(void)
{
    static const uint8_t MASK[4] = {1, 200, 3, 44};
    static const size_t LENS[] = {0, 1, 7, 8, 9, 125, 126, 127, 300};

    for (size_t i = 0; i < sizeof LENS / sizeof *LENS; i++)
        for (int is_masked = 0; is_masked < 2; is_masked++) {
            struct buf out = {0};
            char bytes[300], wanted[400];
            memset(bytes, 'x', sizeof bytes);
            CHECK(websocket_put(&out, WEBSOCKET_TEXT, is_masked ? MASK : NULL,
                                (struct span){bytes, LENS[i]}) == 0);
            CHECK(websocket_put_close(&out, 1001, is_masked ? MASK : NULL, SPAN("b")) == 0);
            if (LENS[i] > 100)
                snprintf(wanted, sizeof wanted, "text:%zu close:1001/b ", LENS[i]);
            else
                snprintf(wanted, sizeof wanted, "text:%.*s close:1001/b ", (int)LENS[i], bytes);
            check_bytes(buf_span(&out), is_masked, wanted);
            buf_done(&out);
        }
}

static void writes_large_heads_and_short_reasons(void)
{
    struct buf out = {0};
    char reason[130];

    CHECK(websocket_put_head(&out, WEBSOCKET_BINARY, 70000) == 0);
    CHECK(buf_len(&out) == 10 && memcmp(buf_data(&out), "\x82\x7f\0\0\0\0\0\1\x11\x70", 10) == 0);
    buf_eat(&out, 10);
    memset(reason, 'r', sizeof reason);
    memcpy(reason + 122, "\xc3\xa4", 2);
    CHECK(websocket_put_close(&out, 1000, NULL, (struct span){reason, sizeof reason}) == 0);
    CHECK(buf_len(&out) == 2 + 2 + 122);
    buf_eat(&out, buf_len(&out));
    CHECK(websocket_put_close(&out, WEBSOCKET_NO_CODE, NULL, SPAN("")) == 0);
    CHECK(buf_len(&out) == 2 && memcmp(buf_data(&out), "\x88\x00", 2) == 0);
    buf_done(&out);
}

static void copes_without_memory(void)
{
    struct span in = SPAN("\x81\x02hi");
    struct websocket_reader r;
    struct websocket_item item;
    struct buf out = {0};
    struct err err;

    websocket_init(&r, false, MAX);
    mem_fail_after(0);
    CHECK(websocket_read(&r, &in, &item, &err) == ERR_NOMEM);
    mem_fail_after(0);
    CHECK(websocket_put(&out, WEBSOCKET_TEXT, NULL, SPAN("x")) == ERR_NOMEM);
    mem_fail_after(-1);
    websocket_done(&r);
    buf_done(&out);
}

/* wrangler's first frame is not masked; all behind it are. */
static void is_lenient_once(void)
{
    const struct {
        const char *bytes;
        size_t len;
        int items;
        bool fails;
    } CASES[] = {{"\x81\x01x\x81\x81\0\0\0\0y", 3 + 7, 2, false},
                 {"\x81\x81\0\0\0\0y\x81\x01x", 7 + 3, 1, true},
                 {"\x81\x01x\x81\x01x", 6, 1, true},
                 {"\x01\x01x\x80\x01x", 6, 0, true}};

    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct span in = {CASES[i].bytes, CASES[i].len};
        struct websocket_reader r;
        struct websocket_item item;
        struct err err;
        int items = 0, e;
        websocket_init(&r, true, MAX);
        r.is_lenient = true;
        while ((e = websocket_read(&r, &in, &item, &err)) > 0)
            items++;
        CHECK(items == CASES[i].items && (e < 0) == CASES[i].fails);
        CHECK(e == 0 || r.status == WEBSOCKET_PROTOCOL);
        websocket_done(&r);
    }
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"reads_messages", reads_messages},
        {"puts_fragments_together", puts_fragments_together},
        {"reads_long_messages", reads_long_messages},
        {"counts_what_is_gathered", counts_what_is_gathered},
        {"reads_closes", reads_closes},
        {"refuses_what_breaks_the_protocol", refuses_what_breaks_the_protocol},
        {"refuses_text_that_is_not_utf8", refuses_text_that_is_not_utf8},
        {"writes_what_it_reads", writes_what_it_reads},
        {"writes_large_heads_and_short_reasons", writes_large_heads_and_short_reasons},
        {"is_lenient_once", is_lenient_once},
        {"copes_without_memory", copes_without_memory},
        {0},
    };

    return test_main("text_websocket", TESTS, argc, argv);
}
