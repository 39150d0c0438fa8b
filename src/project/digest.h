/* digest.h - 128 bits that name some bytes: SipHash-2-4 with a fixed key.
 *
 * Good against accidents, which is all a bundle's name needs; not a seal.
 * Pure. */
#ifndef CORRAL_PROJECT_DIGEST_H
#define CORRAL_PROJECT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct digest {
    uint64_t v[4];
    uint64_t tail;          /* bytes that do not fill a word yet, from the low end */
    uint64_t len;
};

void digest_init(struct digest *d);
void digest_add(struct digest *d, const void *bytes, size_t n);
/* 32 hexadecimal digits and a NUL; d is used up. */
void digest_finish(struct digest *d, char ret_hex[33]);

#endif
