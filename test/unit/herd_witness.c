/* herd_witness.c - src/herd/witness.c: a word that one side writes and the other reads. */
#include "herd/witness.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

static void reads_what_the_other_side_writes(void)
{
    struct witness w = {0};
    struct err err;
    uint32_t *word;
    int fd = -1;

    CHECK(witness_read(&w) == 0);
    CHECK(witness_open(&w, &fd, &err) == 0 && witness_read(&w) == 0);
    word = mmap(NULL, sizeof *word, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(word != MAP_FAILED);
    *word = 41;
    CHECK(witness_read(&w) == 41);
    munmap(word, sizeof *word);
    close(fd);
    CHECK(witness_read(&w) == 41);
    witness_close(&w);
    CHECK(witness_read(&w) == 0);
    witness_close(&w);
}

/* Who could make it smaller would end the node at its next look. */
static void cannot_be_cut(void)
{
    struct witness w = {0};
    struct err err;
    int fd = -1;

    CHECK(witness_open(&w, &fd, &err) == 0);
    CHECK(ftruncate(fd, 0) < 0 && ftruncate(fd, 1 << 20) < 0);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0);
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0);
    CHECK(witness_read(&w) == 0);
    close(fd);
    witness_close(&w);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"reads_what_the_other_side_writes", reads_what_the_other_side_writes},
        {"cannot_be_cut", cannot_be_cut},
        {0},
    };

    return test_main("herd_witness", TESTS, argc, argv);
}
