/* file.c - write() until nothing is left. */
#include "base/file.h"

#include <errno.h>
#include <unistd.h>

int file_write(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes.data += n;
        bytes.len -= (size_t)n;
    }
    return 0;
}
