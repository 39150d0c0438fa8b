/* sign.c - what keys of two halves do: sign and verify, RSA-OAEP, agree on a secret. */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/mem.h"
#include "realm/crypto/crypto.h"
#include "realm/crypto/flat.h"
#include "realm/js/engine.h"

static size_t half_of(EVP_PKEY *key)
{
    return ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
}

/* salt_len: of RSA-PSS, or -1 for PKCS #1 v1.5 and all that is no RSA */
static bool set_padding(EVP_PKEY_CTX *ctx, EVP_PKEY *key, int salt_len, const EVP_MD *hash)
{
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return true;
    if (salt_len < 0)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, hash) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt_len) > 0;
}

/* pkeySign(key, hash or "", saltLength, data) -> Uint8Array, or undefined */
static JSValueRef sign(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_PKEY *key = crypto_pkey(arguments[0]);
    const EVP_MD *hash = crypto_hash(arguments[1]);
    int salt_len = (int)JSValueToNumber(js, arguments[2], NULL);
    struct span data = crypto_bytes(arguments[3]);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey_ctx = NULL;
    size_t len = (size_t)EVP_PKEY_get_size(key);
    unsigned char *out = mem_alloc(len + 1);
    bool ok = ctx && out && EVP_DigestSignInit(ctx, &pkey_ctx, hash, NULL, key) > 0 &&
              set_padding(pkey_ctx, key, salt_len, hash) &&
              EVP_DigestSign(ctx, out, &len, (const unsigned char *)data.data, data.len) > 0;

    (void)function, (void)self, (void)count;
    EVP_MD_CTX_free(ctx);
    if (ok && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        unsigned char *flat = flat_of_der((struct span){(char *)out, len}, half_of(key));
        mem_free(out);
        out = flat;
        len = 2 * half_of(key);
        ok = flat != NULL;
    }
    if (!ok) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, len, ret_thrown);
}

/* pkeyVerify(key, hash or "", saltLength, signature, data) -> boolean */
static JSValueRef verify(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_PKEY *key = crypto_pkey(arguments[0]);
    const EVP_MD *hash = crypto_hash(arguments[1]);
    int salt_len = (int)JSValueToNumber(js, arguments[2], NULL);
    struct span signature = crypto_bytes(arguments[3]), data = crypto_bytes(arguments[4]);
    unsigned char *der = NULL;
    EVP_MD_CTX *ctx = NULL;
    EVP_PKEY_CTX *pkey_ctx = NULL;
    bool ok = false;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        size_t len;
        if (signature.len != 2 * half_of(key))
            return JSValueMakeBoolean(js, false);
        der = flat_to_der(signature, &len);
        signature = (struct span){der ? (char *)der : "", len};
    }
    ctx = EVP_MD_CTX_new();
    ok = ctx && EVP_DigestVerifyInit(ctx, &pkey_ctx, hash, NULL, key) > 0 &&
         set_padding(pkey_ctx, key, salt_len, hash) &&
         EVP_DigestVerify(ctx, (const unsigned char *)signature.data, signature.len,
                          (const unsigned char *)data.data, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    ERR_clear_error();
    return JSValueMakeBoolean(js, ok);
}

/* pkeyCrypt(isEncrypt, key, hash, label, data) -> Uint8Array, or undefined: RSA-OAEP */
static JSValueRef crypt_oaep(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    bool is_encrypt = JSValueToBoolean(js, arguments[0]), ok;
    EVP_PKEY *key = crypto_pkey(arguments[1]);
    const EVP_MD *hash = crypto_hash(arguments[2]);
    struct span label = crypto_bytes(arguments[3]), data = crypto_bytes(arguments[4]);
    const unsigned char *in = (const unsigned char *)data.data;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    size_t len = (size_t)EVP_PKEY_get_size(key);
    unsigned char *out = mem_alloc(len + 1);

    (void)function, (void)self, (void)count;
    ok = ctx && out && (is_encrypt ? EVP_PKEY_encrypt_init(ctx) : EVP_PKEY_decrypt_init(ctx)) > 0 &&
         EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(ctx, hash) > 0 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, hash) > 0;
    if (ok && label.len > 0) {
        void *copy = OPENSSL_memdup(label.data, label.len);
        ok = copy && EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, (int)label.len) > 0;
        if (!ok)
            OPENSSL_free(copy);
    }
    ok = ok && (is_encrypt ? EVP_PKEY_encrypt(ctx, out, &len, in, data.len)
                           : EVP_PKEY_decrypt(ctx, out, &len, in, data.len)) > 0;
    EVP_PKEY_CTX_free(ctx);
    if (!ok) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, len, ret_thrown);
}

/* pkeyAgree(private key, public key) -> Uint8Array, or undefined: ECDH, X25519 */
static JSValueRef agree(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                        const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_PKEY *mine = crypto_pkey(arguments[0]), *theirs = crypto_pkey(arguments[1]);
    EVP_PKEY_CTX *ctx = mine && theirs ? EVP_PKEY_CTX_new(mine, NULL) : NULL;
    unsigned char *out = NULL;
    size_t len = 0;
    bool ok = ctx && EVP_PKEY_derive_init(ctx) > 0 && EVP_PKEY_derive_set_peer(ctx, theirs) > 0 &&
              EVP_PKEY_derive(ctx, NULL, &len) > 0;

    (void)js, (void)function, (void)self, (void)count;
    if (ok) {
        out = mem_alloc(len + 1);
        ok = out && EVP_PKEY_derive(ctx, out, &len) > 0;
    }
    EVP_PKEY_CTX_free(ctx);
    if (!ok) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, len, ret_thrown);
}

void crypto_define_sign(void)
{
    engine_native("pkeySign", sign);
    engine_native("pkeyVerify", verify);
    engine_native("pkeyCrypt", crypt_oaep);
    engine_native("pkeyAgree", agree);
}
