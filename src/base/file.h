/* file.h - bytes into a descriptor that blocks: a file, a pipe.
 *
 * Thread: any. */
#ifndef CORRAL_BASE_FILE_H
#define CORRAL_BASE_FILE_H

#include "base/err.h"
#include "base/span.h"

/* All of them, whatever signals come meanwhile.  -1: errno says why, and some may be written. */
int file_write(int fd, struct span bytes) MUST_CHECK;

#endif
