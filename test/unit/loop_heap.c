/* loop_heap.c - src/loop/heap.c: what nobody uses is the machine's again. */
#include "loop/heap.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

/* A sanitizer has a heap of its own. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_GLIBC_HEAP 0
#endif
#endif
#ifndef HAS_GLIBC_HEAP
#define HAS_GLIBC_HEAP 1
#endif

enum { BLOCKS = 1024, BLOCK = 64 * 1024 };

static uv_loop_t loop;
static struct heap heap;

static void begin(void)
{
    uv_loop_init(&loop);
    heap_open(&heap, &loop);
}

static void finish(void)
{
    heap_close(&heap);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
}

/* As after many transfers at once: free blocks, and small ones between them that are still used. */
static void what_lies_below_small_blocks_is_given_back(void)
{
    static char *blocks[BLOCKS], *small[BLOCKS];
    int64_t before, between;

    begin();
    before = heap_spare();
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK);
        small[i] = malloc(100);
        memset(blocks[i], 1, BLOCK);
    }
    CHECK(!HAS_GLIBC_HEAP || heap_spare() < before + HEAP_SPARE);
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    between = heap_spare();
    CHECK(!HAS_GLIBC_HEAP || between > BLOCKS / 2 * BLOCK);
    heap_look(&heap);
    CHECK(heap.given == 0); /* it may be needed again at once */
    heap_look(&heap);
    CHECK(!HAS_GLIBC_HEAP || (heap.given == 1 && heap_spare() < before + HEAP_SPARE));
    heap_look(&heap);
    heap_look(&heap);
    CHECK(!HAS_GLIBC_HEAP || heap.given == 1);
    for (int i = 0; i < BLOCKS; i++)
        free(small[i]);
    finish();
}

/* A block of 16 MiB that was freed would let glibc keep 32 from then on. */
static void large_blocks_go_at_once_and_teach_nothing(void)
{
    int64_t before;

    begin();
    before = heap_spare();
    for (size_t size = 1 << 20; size <= 32 << 20; size *= 2) {
        char *block = malloc(size);
        memset(block, 1, size);
        free(block);
        CHECK(!HAS_GLIBC_HEAP || heap_spare() <= before + HEAP_TOP);
    }
    finish();
}

static void a_timer_does_not_keep_the_loop(void)
{
    begin();
    CHECK(uv_run(&loop, UV_RUN_DEFAULT) == 0);
    finish();
}

int main(int argc, char **argv)
{
#define T(name) {#name, name}
    static const struct test TESTS[] = {
        T(what_lies_below_small_blocks_is_given_back),
        T(large_blocks_go_at_once_and_teach_nothing),
        T(a_timer_does_not_keep_the_loop),
        {0},
    };

    return test_main("loop_heap", TESTS, argc, argv);
}
