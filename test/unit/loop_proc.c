/* loop_proc.c - src/loop/proc.c: what a process holds in files without a name. */
#include "loop/proc.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

static void counts_memfds_once(void)
{
    static const char PIECE[64 * 1024];
    int fd = memfd_create("a", 0), other = dup(fd), empty = memfd_create("b", 0);
    int64_t before = proc_held_bytes(getpid());

    CHECK(fd >= 0 && other >= 0 && empty >= 0 && write(fd, PIECE, sizeof PIECE) == sizeof PIECE);
    CHECK(proc_held_bytes(getpid()) - before == sizeof PIECE);
    close(fd);
    CHECK(proc_held_bytes(getpid()) - before == sizeof PIECE);
    close(other);
    close(empty);
    CHECK(proc_held_bytes(getpid()) == before);
}

static void a_process_that_is_not_there_holds_nothing(void)
{
    CHECK(proc_held_bytes(0x7ffffff0) == 0);
}

int main(int argc, char **argv)
{
#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
    static const struct test TESTS[] = {
        T(counts_memfds_once),
        T(a_process_that_is_not_there_holds_nothing),
        {0},
    };

    return test_main("loop_proc", TESTS, argc, argv);
}
