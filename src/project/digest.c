/* digest.c - SipHash-2-4, 128-bit output, over a stream. */
#include "project/digest.h"

#include <stdio.h>
#include <string.h>

/* The key of the reference's test vectors: 00 01 02 ... 0f. */
#define K0 0x0706050403020100u
#define K1 0x0f0e0d0c0b0a0908u

static uint64_t rotate(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static void rounds(uint64_t v[4], int n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

static void word(struct digest *d, uint64_t m)
{
    d->v[3] ^= m;
    rounds(d->v, 2);
    d->v[0] ^= m;
}

void digest_init(struct digest *d)
{
    *d = (struct digest){{K0 ^ 0x736f6d6570736575u, K1 ^ 0x646f72616e646f6du ^ 0xee,
                          K0 ^ 0x6c7967656e657261u, K1 ^ 0x7465646279746573u},
                         0,
                         0};
}

void digest_add(struct digest *d, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t m;

    for (; n > 0 && d->len % 8 != 0; n--) {
        d->tail |= (uint64_t)*p++ << (8 * (d->len % 8));
        if (++d->len % 8 == 0) {
            word(d, d->tail);
            d->tail = 0;
        }
    }
    for (; n >= 8; n -= 8, p += 8, d->len += 8) {
        memcpy(&m, p, 8); /* little endian machines only, as the wire */
        word(d, m);
    }
    for (; n > 0; n--, d->len++)
        d->tail |= (uint64_t)*p++ << (8 * (d->len % 8));
}

void digest_finish(struct digest *d, char ret_hex[33])
{
    uint64_t out[2];
    unsigned char bytes[16];

    word(d, d->tail | d->len << 56);
    d->v[2] ^= 0xee;
    rounds(d->v, 4);
    out[0] = d->v[0] ^ d->v[1] ^ d->v[2] ^ d->v[3];
    d->v[1] ^= 0xdd;
    rounds(d->v, 4);
    out[1] = d->v[0] ^ d->v[1] ^ d->v[2] ^ d->v[3];
    memcpy(bytes, out, sizeof bytes);
    for (int i = 0; i < 16; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", bytes[i]);
}
