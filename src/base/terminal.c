/* terminal.c - see terminal.h. */
#include "base/terminal.h"

#include <fcntl.h>
#include <unistd.h>

int terminal_for_words(void)
{
    int fd = -1;

    if (isatty(STDERR_FILENO)) {
        fd = open("/proc/self/fd/2", O_WRONLY | O_NOCTTY | O_CLOEXEC);
        /* Of another user, or there is no /proc: then silence. */
        if (fd < 0)
            fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    return fd < 0 ? STDERR_FILENO : fd;
}

void terminal_done(int fd)
{
    if (fd != STDERR_FILENO)
        close(fd);
}
