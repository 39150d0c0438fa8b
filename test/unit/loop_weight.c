/* loop_weight.c - src/loop/weight.c: nothing that a process holds escapes. */
#include "loop/weight.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

enum { MIB = 1 << 20 };

static int64_t now_ms;

/* As a whole look sees it. */
static int64_t weigh(struct weight *w)
{
    now_ms += 1000000;
    weight_look(w, now_ms, now_ms * 1000, 0);
    return weight_bytes(w);
}

static void counts_memfds_once(void)
{
    static const char PIECE[4 * MIB];
    int fd = memfd_create("a", 0), other = dup(fd), empty = memfd_create("b", 0);
    struct weight w = {0};
    int64_t before;

    weight_begin(&w, getpid(), now_ms);
    before = weigh(&w);
    CHECK(fd >= 0 && other >= 0 && empty >= 0 && write(fd, PIECE, sizeof PIECE) == sizeof PIECE);
    CHECK(weigh(&w) - before >= (int)sizeof PIECE && weigh(&w) - before < 6 * MIB);
    close(fd);
    CHECK(weigh(&w) - before >= (int)sizeof PIECE);
    close(other);
    close(empty);
    CHECK(weigh(&w) - before < (int)sizeof PIECE);
    weight_done(&w);
}

static void counts_private_memory_at_once(void)
{
    struct weight w = {0};
    char *room;

    weight_begin(&w, getpid(), now_ms);
    room = mmap(NULL, 32 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    weight_look(&w, w.due_ms, 0, 0);
    CHECK(weight_bytes(&w) < MIB);
    memset(room, 1, 32 * MIB);
    weight_look(&w, w.due_ms, 0, 0);
    CHECK(weight_bytes(&w) >= 31 * MIB && w.peak_bytes >= 31 * MIB);
    munmap(room, 32 * MIB);
    weight_look(&w, w.due_ms, 0, 0);
    CHECK(weight_bytes(&w) < MIB);
    weight_done(&w);
}

/* Its pages stay though nothing shows them: the addresses count. */
static void counts_shared_memory_that_is_mapped_only(void)
{
    struct weight w = {0};
    int fd = memfd_create("a", 0);
    char *anonymous, *file;

    CHECK(ftruncate(fd, 16 * MIB) == 0);
    weight_begin(&w, getpid(), now_ms);
    anonymous = mmap(NULL, 32 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(anonymous, 1, 32 * MIB);
    CHECK(weigh(&w) >= 32 * MIB);
    madvise(anonymous, 32 * MIB, MADV_DONTNEED);
    CHECK(weigh(&w) >= 32 * MIB);
    munmap(anonymous, 32 * MIB);
    CHECK(weigh(&w) < 2 * MIB);
    file = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memset(file, 1, 16 * MIB);
    CHECK(weigh(&w) >= 16 * MIB);
    close(fd);
    madvise(file, 16 * MIB, MADV_DONTNEED);
    CHECK(weigh(&w) >= 16 * MIB);
    munmap(file, 16 * MIB);
    CHECK(weigh(&w) < 2 * MIB);
    weight_done(&w);
}

/* A map too long to be read: what stands at its end could be anything. */
static void counts_what_is_behind_a_long_map(void)
{
    enum { LINES = 34000, NAME = 240 }; /* more than 8 MiB of text */
    static char *pages[LINES];
    char name[NAME + 1], *last;
    struct weight w = {0};
    int64_t before;
    int fd;

    memset(name, 'x', NAME);
    name[NAME] = '\0';
    fd = memfd_create(name, 0);
    CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
    weight_begin(&w, getpid(), now_ms);
    before = weigh(&w);
    /* The first is the highest: the kernel goes down from there. */
    last = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(last, 1, 64 * MIB);
    madvise(last, 64 * MIB, MADV_DONTNEED);
    for (int i = 0; i < LINES; i++) {
        pages[i] = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        CHECK(pages[i] != MAP_FAILED);
    }
    close(fd);
    CHECK(weigh(&w) - before >= 64 * MIB);
    for (int i = 0; i < LINES; i++)
        munmap(pages[i], 4096);
    munmap(last, 64 * MIB);
    weight_done(&w);
}

/* One page read in each 2 MiB costs a page of tables, and none of memory. */
static void counts_page_tables(void)
{
    enum { PLACES = 4096 };
    const size_t far = 2 * MIB;
    struct weight w = {0};
    volatile char *room = mmap(NULL, PLACES * far, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int sum = 0;

    if (room == MAP_FAILED)
        return; /* the address space has a limit */
    CHECK(madvise((void *)room, PLACES * far, MADV_NOHUGEPAGE) == 0);
    weight_begin(&w, getpid(), now_ms);
    for (size_t i = 0; i < PLACES; i++)
        sum += room[i * far];
    CHECK(sum == 0 && weigh(&w) >= PLACES * 4096);
    munmap((void *)room, PLACES * far);
    weight_done(&w);
}

static void counts_what_may_wait_in_sockets(void)
{
    struct weight w = {0};
    int ends[20][2];
    int64_t before;

    weight_begin(&w, getpid(), now_ms);
    before = weigh(&w);
    for (int i = 0; i < 20; i++)
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]) == 0);
    CHECK(weigh(&w) - before >= 32 * 256 * 1024);
    for (int i = 0; i < 20; i++)
        close(ends[i][0]), close(ends[i][1]);
    CHECK(weigh(&w) - before < MIB);
    weight_done(&w);
}

static void looks_more_often_when_little_is_left(void)
{
    struct weight w = {0};

    weight_begin(&w, getpid(), 1000);
    weight_look(&w, 1000, 0, INT64_C(64) << 30);
    CHECK(w.due_ms == 1000 + WEIGHT_LAST_MS);
    weight_look(&w, 2000, 0, 1 * MIB);
    CHECK(w.due_ms == 2000 + WEIGHT_FIRST_MS);
    weight_done(&w);
}

static void a_process_that_is_not_there_holds_nothing(void)
{
    struct weight w = {0};

    weight_begin(&w, 0x7ffffff0, 0);
    weight_look(&w, 1000, 0, 1);
    CHECK(weight_bytes(&w) == 0 && w.due_ms > 1000);
    weight_done(&w);
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(counts_memfds_once),
        T(counts_private_memory_at_once),
        T(counts_shared_memory_that_is_mapped_only),
        T(counts_what_is_behind_a_long_map),
        T(counts_page_tables),
        T(counts_what_may_wait_in_sockets),
        T(looks_more_often_when_little_is_left),
        T(a_process_that_is_not_there_holds_nothing),
        {0},
    };

    return test_main("loop_weight", TESTS, argc, argv);
}
