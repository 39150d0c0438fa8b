/* witness.h - a word of memory in which an instance says whose code it runs.
 *
 * The instance writes the number of a request's stream whenever code of another
 * one begins, which costs it a store; the node reads it when it looks at the
 * clock of the process (meter.h), and what was used since the last look is that
 * request's.  It is the instance's word, so it decides between the requests of
 * one instance alone.
 *
 * The memory cannot shrink under the node, which maps it without the right to
 * write.  Embedded; zeroes are a closed one. */
#ifndef CORRAL_HERD_WITNESS_H
#define CORRAL_HERD_WITNESS_H

#include <stdint.h>

#include "base/err.h"

struct witness {
    const volatile uint32_t *word;      /* NULL: there is none */
};

/* *ret_fd: for the instance; the caller closes it.  ERR_SYSTEM. */
int witness_open(struct witness *witness, int *ret_fd, struct err *err) MUST_CHECK;
void witness_close(struct witness *witness);
/* A stream's number, or anything; 0: it does not say. */
uint32_t witness_read(const struct witness *witness);

#endif
