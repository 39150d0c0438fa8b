/* witness.c - one page, shared with one instance. */
#include "herd/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

enum { WITNESS_BYTES = 4096 };

static int make(void)
{
    int fd = memfd_create("witness", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

    /* Before Linux 6.3 nobody knows that flag. */
    return fd < 0 && errno == EINVAL ? memfd_create("witness", MFD_CLOEXEC | MFD_ALLOW_SEALING)
                                     : fd;
}

int witness_open(struct witness *witness, int *ret_fd, struct err *err)
{
    int fd = make();
    void *page;

    if (fd < 0)
        return err_errno(err, errno, "make memory to share with an instance");
    if (ftruncate(fd, WITNESS_BYTES) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        err_errno(err, errno, "seal memory to share with an instance");
        close(fd);
        return err->code;
    }
    page = mmap(NULL, WITNESS_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        err_errno(err, errno, "map memory to share with an instance");
        close(fd);
        return err->code;
    }
    witness->word = page;
    *ret_fd = fd;
    return 0;
}

void witness_close(struct witness *witness)
{
    if (witness->word)
        munmap((void *)(uintptr_t)witness->word, WITNESS_BYTES);
    witness->word = NULL;
}

uint32_t witness_read(const struct witness *witness)
{
    return witness->word ? __atomic_load_n(witness->word, __ATOMIC_RELAXED) : 0;
}
