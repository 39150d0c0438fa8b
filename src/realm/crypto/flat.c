/* flat.c - see flat.h. */
#include "realm/crypto/flat.h"

#include <openssl/ecdsa.h>

#include "base/mem.h"

unsigned char *flat_of_der(struct span der, size_t half)
{
    const unsigned char *at = (const unsigned char *)der.data;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &at, (long)der.len); /* DSA's has the same form */
    unsigned char *flat = mem_alloc(2 * half + 1);

    if (!flat || !signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature), flat, (int)half) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature), flat + half, (int)half) < 0) {
        mem_free(flat);
        flat = NULL;
    }
    ECDSA_SIG_free(signature);
    return flat;
}

unsigned char *flat_to_der(struct span flat, size_t *ret_len)
{
    const unsigned char *at = (const unsigned char *)flat.data;
    size_t half = flat.len / 2;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(at, (int)half, NULL), *s = BN_bin2bn(at + half, (int)half, NULL);
    unsigned char *der = NULL;
    int len = -1;

    if (signature && r && s && ECDSA_SIG_set0(signature, r, s)) {
        r = s = NULL; /* the signature's now */
        len = i2d_ECDSA_SIG(signature, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(signature);
    *ret_len = len > 0 ? (size_t)len : 0;
    return len > 0 ? der : NULL;
}
