/* crypto.h - the C functions behind crypto.js and subtle*.js, over OpenSSL's libcrypto.
 *
 * As in web.h they trust sdk/js for the number and kind of their arguments:
 * names of algorithms come from its tables, bytes are Uint8Arrays.  What the
 * library refuses (a wrong key, a forged tag) is answered with undefined, or
 * false, and sdk/js says it in words.  All work is done at once on the realm's
 * thread; sdk/js bounds what a tenant may ask for.
 *
 * Randomness for values comes from getrandom; for keys from the library's
 * generator, which notices a fork by itself. */
#ifndef CORRAL_REALM_CRYPTO_CRYPTO_H
#define CORRAL_REALM_CRYPTO_CRYPTO_H

#include <JavaScriptCore/JavaScript.h>
#include <openssl/evp.h>

#include "base/span.h"

void crypto_define(void); /* all of the below, before engine_boot */
void crypto_define_hash(void);
void crypto_define_cipher(void);
void crypto_define_cipher_stream(void);
void crypto_define_pkey(void);
void crypto_define_sign(void);
void crypto_define_key(void);
void crypto_define_key_use(void);
void crypto_define_certificate(void);

/* ---- what these files share ---- */
struct span crypto_bytes(JSValueRef value); /* empty for anything else */
/* A name of sdk/js ("SHA-256") as OpenSSL calls it; `name` holds it. */
const char *crypto_name(JSValueRef value, char name[32]);
const EVP_MD *crypto_hash(JSValueRef value); /* NULL: no such hash */
EVP_PKEY *crypto_pkey(JSValueRef value);     /* borrowed; NULL: no key */
/* An object that holds this key; undefined for NULL. */
JSValueRef crypto_wrap(EVP_PKEY *take_key);
/* What the library said first, as "error:0480006C:PEM routines::no start line", perhaps "". */
JSValueRef crypto_reason(void);
/* A Uint8Array over memory that was mem_alloc-ed; takes it. */
JSValueRef crypto_take(unsigned char *take_bytes, size_t len, JSValueRef *ret_thrown);
JSValueRef crypto_nomem(JSValueRef *ret_thrown);
/* The library's queue of errors is of no use to anybody here. */
JSValueRef crypto_refused(void);

#endif
