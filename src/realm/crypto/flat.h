/* flat.h - both forms of a signature of two numbers, ECDSA's or DSA's.
 *
 * The library's is DER (RFC 3279, section 2.2.3); the Web's, and Node.js's "ieee-p1363", has the
 * two numbers side by side, big-endian, each as long as the order of the key.
 *
 * Hostile bytes are refused.  Thread: any; no engine is needed. */
#ifndef CORRAL_REALM_CRYPTO_FLAT_H
#define CORRAL_REALM_CRYPTO_FLAT_H

#include <stddef.h>

#include "base/span.h"

/* half: bytes of each number, of the caller's key.  NULL: that is no signature with such numbers, or no memory. */
unsigned char *flat_of_der(struct span der, size_t half);      /* 2 * half bytes; mem_free */
/* flat has 2 * half bytes.  NULL: no memory; the bytes are the library's, OPENSSL_free. */
unsigned char *flat_to_der(struct span flat, size_t *ret_len);

#endif
