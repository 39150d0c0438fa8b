/* key.h - keys of two halves as people keep them: PEM, DER and numbers, read and written.
 *
 * Everything that is read here may be hostile.  What comes out is of a kind and
 * of sizes that the library is quick enough with (key_judge), and what is behind
 * a passphrase is opened only when that is no work without end.  The reasons of
 * what is refused stay in the library's queue of errors: the caller empties it.
 *
 * Ownership: a ret_key is the caller's.  Thread: any; no engine is needed. */
#ifndef CORRAL_REALM_CRYPTO_KEY_H
#define CORRAL_REALM_CRYPTO_KEY_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

enum {
    KEY_TEXT_MAX = 1 << 18,        /* bytes of a key in any form */
    KEY_BITS_MAX = 16384,          /* of each of its numbers */
    KEY_ITERATIONS_MAX = 10000000, /* of PBKDF2 behind a passphrase */
    KEY_SCRYPT_MAX = 1 << 24,      /* N * r * p of scrypt there */
};

enum key_format { KEY_PEM, KEY_DER };
enum key_type { KEY_ANY, KEY_PKCS1, KEY_PKCS8, KEY_SPKI, KEY_SEC1 };
enum key_result { KEY_OK, KEY_REFUSED, KEY_NEEDS_PASSPHRASE, KEY_TOO_MUCH, KEY_NO_CIPHER };

struct key_form {
    enum key_format format;
    enum key_type type;
    const struct span *passphrase; /* NULL: none */
    const char *cipher;            /* to write: a name of the library's, NULL: in the open */
};

enum key_result key_read_private(struct span text, const struct key_form *form,
                                 EVP_PKEY **ret_key) MUST_CHECK;
/* A public key, a certificate's, or a private key, which holds a public one. */
enum key_result key_read_public(struct span text, const struct key_form *form,
                                EVP_PKEY **ret_key) MUST_CHECK;
/* Whether the library is quick enough with it: also for keys that were read elsewhere. */
enum key_result key_judge(EVP_PKEY *key) MUST_CHECK;

/* Append to `out`. */
enum key_result key_write_public(EVP_PKEY *key, const struct key_form *form, BIO *out) MUST_CHECK;
enum key_result key_write_private(EVP_PKEY *key, const struct key_form *form, BIO *out) MUST_CHECK;

/* n, e, and with a private one d, p, q, dp, dq, qi; empty: not there. */
enum { KEY_RSA_NUMBERS = 8 };
enum key_result key_from_rsa(const struct span numbers[KEY_RSA_NUMBERS],
                             EVP_PKEY **ret_key) MUST_CHECK;
/* curve: the library's name; point: as SEC 1 writes it; d: empty for a public key. */
enum key_result key_from_curve(const char *curve, struct span point, struct span d,
                               EVP_PKEY **ret_key) MUST_CHECK;
/* name: ED25519 and the like. */
enum key_result key_from_raw(const char *name, bool is_private, struct span raw,
                             EVP_PKEY **ret_key) MUST_CHECK;

#endif
