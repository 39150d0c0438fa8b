/* base_buf.c - src/base/buf.c: bytes come out as they went in, whatever moved. */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "test.h"

static void keeps_order_while_it_is_eaten(void)
{
    struct buf b = {0};
    int put = 0, eaten = 0;

    for (int round = 0; round < 500; round++) {
        for (int i = 0; i < round % 7; i++, put++)
            CHECK(buf_append(&b, &put, sizeof put) == 0);
        for (int i = 0; i < round % 5 && eaten < put; i++, eaten++) {
            int got;
            memcpy(&got, buf_data(&b), sizeof got);
            CHECK(got == eaten);
            buf_eat(&b, sizeof got);
        }
    }
    CHECK(buf_len(&b) == (size_t)(put - eaten) * sizeof put);
    buf_done(&b);
}

static void gives_a_large_empty_block_back(void)
{
    struct buf b = {0};
    char *room;

    CHECK(buf_reserve(&b, 1 << 20, &room) == 0);
    buf_commit(&b, 1 << 20);
    buf_eat(&b, 1 << 20);
    CHECK(b.cap == 0 && b.mem == NULL);
}

static void detaches_a_string(void)
{
    struct buf b = {0};
    char *s;

    CHECK(buf_print(&b, "%s %d", "hello", 7) == 0);
    buf_eat(&b, 1);
    s = buf_detach(&b);
    CHECK(s && strcmp(s, "ello 7") == 0 && buf_len(&b) == 0);
    mem_free(s);
}

static void refuses_without_memory_and_stays_whole(void)
{
    struct buf b = {0};
    char big[4096] = {0};

    CHECK(buf_append(&b, "abc", 3) == 0);
    mem_fail_after(0);
    CHECK(buf_append(&b, big, sizeof big) == ERR_NOMEM);
    mem_fail_after(-1);
    CHECK(span_is(buf_span(&b), "abc"));
    buf_done(&b);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"keeps_order_while_it_is_eaten", keeps_order_while_it_is_eaten},
        {"gives_a_large_empty_block_back", gives_a_large_empty_block_back},
        {"detaches_a_string", detaches_a_string},
        {"refuses_without_memory_and_stays_whole", refuses_without_memory_and_stays_whole},
        {0},
    };

    return test_main("base_buf", TESTS, argc, argv);
}
