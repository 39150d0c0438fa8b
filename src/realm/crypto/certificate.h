/* certificate.h - what X.509 certificates say, as the text that Node.js makes of it.
 *
 * Certificates may be hostile: a name in one is never mistaken for two.
 *
 * Everything is appended to a BIO of the caller's.  Thread: any; no engine is needed. */
#ifndef CORRAL_REALM_CRYPTO_CERTIFICATE_H
#define CORRAL_REALM_CRYPTO_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

enum { CERTIFICATE_MAX = 1 << 18 }; /* bytes of one, in PEM or DER */

enum certificate_part {
    CERTIFICATE_SUBJECT,
    CERTIFICATE_ISSUER,
    CERTIFICATE_FROM,
    CERTIFICATE_TO,
    CERTIFICATE_SERIAL,
    CERTIFICATE_NAMES,  /* subjectAltName */
    CERTIFICATE_ACCESS, /* authorityInfoAccess */
    CERTIFICATE_USAGE,  /* extKeyUsage: numbers with a space between */
};

/* NULL: it is none, and the library's queue of errors says why. */
X509 *certificate_read(struct span text);
/* false: it says nothing of that. */
bool certificate_print(X509 *certificate, enum certificate_part part, BIO *out) MUST_CHECK;

#endif
