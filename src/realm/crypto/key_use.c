/* key_use.c - what keys of node:crypto do: sign and verify, encrypt and decrypt with RSA.
 *
 * As in key_native.c, a string says what the library has against it. */
#include <openssl/dsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/mem.h"
#include "realm/crypto/crypto.h"
#include "realm/crypto/flat.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"

enum { NO_SALT = -100 }; /* no length given; the negative ones above are the library's own */

/* How something is signed: arguments (hash or "", padding or 0, salt). */
static bool set_up(EVP_PKEY_CTX *ctx, EVP_PKEY *key, const JSValueRef how[3])
{
    const EVP_MD *hash = crypto_hash(how[0]);
    int padding = (int)engine_number_of(how[1]), salt_len = (int)engine_number_of(how[2]);
    int id = EVP_PKEY_get_base_id(key);

    if (hash && EVP_PKEY_CTX_set_signature_md(ctx, hash) <= 0)
        return false;
    if (id != EVP_PKEY_RSA && id != EVP_PKEY_RSA_PSS)
        return true;
    if (padding == 0)
        padding = id == EVP_PKEY_RSA ? RSA_PKCS1_PADDING : RSA_PKCS1_PSS_PADDING;
    if (EVP_PKEY_CTX_set_rsa_padding(ctx, padding) <= 0)
        return false;
    return padding != RSA_PKCS1_PSS_PADDING || salt_len == NO_SALT ||
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt_len) > 0;
}

static bool is_edwards(const EVP_PKEY *key)
{
    int id = EVP_PKEY_get_base_id(key);

    return id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448;
}

/* Bytes of each of the two numbers of a signature; 0: it is no such kind of key. */
static size_t half_of(EVP_PKEY *key)
{
    BIGNUM *q = NULL;
    int bits = 0;

    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
        bits = EVP_PKEY_get_bits(key);
    else if (EVP_PKEY_get_base_id(key) == EVP_PKEY_DSA && EVP_PKEY_get_bn_param(key, "q", &q) > 0)
        bits = BN_num_bits(q);
    BN_free(q);
    return ((size_t)bits + 7) / 8;
}

static bool make(EVP_PKEY *key, const JSValueRef how[3], struct span data, unsigned char *out,
                 size_t *len)
{
    const unsigned char *in = (const unsigned char *)data.data;
    EVP_PKEY_CTX *ctx = NULL;
    EVP_MD_CTX *whole = NULL;
    bool ok;

    if (is_edwards(key)) {
        whole = EVP_MD_CTX_new();
        ok = whole && EVP_DigestSignInit(whole, NULL, NULL, NULL, key) > 0 &&
             EVP_DigestSign(whole, out, len, in, data.len) > 0;
    } else {
        ctx = EVP_PKEY_CTX_new(key, NULL);
        ok = ctx && EVP_PKEY_sign_init(ctx) > 0 && set_up(ctx, key, how) &&
             EVP_PKEY_sign(ctx, out, len, in, data.len) > 0;
    }
    EVP_MD_CTX_free(whole);
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* keySign(key, hash, padding, salt, is_flat, digest, or all of the data for Ed25519 and Ed448) -> Uint8Array, or what is wrong */
static JSValueRef sign(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_PKEY *key = crypto_pkey(arguments[0]);
    struct span data = crypto_bytes(arguments[5]);
    size_t len = key ? (size_t)EVP_PKEY_get_size(key) : 0, half;
    unsigned char *out = mem_alloc(len + 1);

    (void)function, (void)self, (void)count;
    ERR_clear_error();
    if (!out)
        return crypto_nomem(ret_thrown);
    if (!key || !make(key, arguments + 1, data, out, &len)) {
        mem_free(out);
        return crypto_reason();
    }
    half = JSValueToBoolean(js, arguments[4]) ? half_of(key) : 0;
    if (half > 0) {
        unsigned char *flat = flat_of_der((struct span){(char *)out, len}, half);
        mem_free(out);
        if (!flat)
            return crypto_nomem(ret_thrown);
        out = flat;
        len = 2 * half;
    }
    return crypto_take(out, len, ret_thrown);
}

/* keyVerify(key, hash, padding, salt, is_flat, digest or data, signature) -> boolean, or what is wrong */
static JSValueRef verify(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_PKEY *key = crypto_pkey(arguments[0]);
    struct span data = crypto_bytes(arguments[5]), given = crypto_bytes(arguments[6]);
    const unsigned char *in = (const unsigned char *)data.data;
    size_t half = key && JSValueToBoolean(js, arguments[4]) ? half_of(key) : 0;
    unsigned char *der = NULL;
    EVP_PKEY_CTX *ctx = NULL;
    EVP_MD_CTX *whole = NULL;
    bool is_ready, is_good = false;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    ERR_clear_error();
    if (half > 0) {
        size_t len = 0;
        der = given.len == 2 * half ? flat_to_der(given, &len) : NULL;
        given = (struct span){der ? (char *)der : "", len};
    }
    if (key && is_edwards(key)) {
        whole = EVP_MD_CTX_new();
        is_ready = whole && EVP_DigestVerifyInit(whole, NULL, NULL, NULL, key) > 0;
        is_good = is_ready && EVP_DigestVerify(whole, (const unsigned char *)given.data, given.len,
                                               in, data.len) == 1;
    } else {
        ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
        is_ready = ctx && EVP_PKEY_verify_init(ctx) > 0 && set_up(ctx, key, arguments + 1);
        is_good = is_ready && EVP_PKEY_verify(ctx, (const unsigned char *)given.data, given.len, in,
                                              data.len) == 1;
    }
    EVP_MD_CTX_free(whole);
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_free(der);
    if (!is_ready)
        return crypto_reason();
    ERR_clear_error();
    return JSValueMakeBoolean(js, is_good);
}

enum operation { ENCRYPT, DECRYPT, SIGN, RECOVER };

static bool open_operation(EVP_PKEY_CTX *ctx, enum operation operation)
{
    switch (operation) {
    case ENCRYPT:
        return EVP_PKEY_encrypt_init(ctx) > 0;
    case DECRYPT:
        return EVP_PKEY_decrypt_init(ctx) > 0;
    case SIGN:
        return EVP_PKEY_sign_init(ctx) > 0;
    default:
        return EVP_PKEY_verify_recover_init(ctx) > 0;
    }
}

static bool operate(EVP_PKEY_CTX *ctx, enum operation operation, struct span data,
                    unsigned char *out, size_t *len)
{
    const unsigned char *in = (const unsigned char *)data.data;

    switch (operation) {
    case ENCRYPT:
        return EVP_PKEY_encrypt(ctx, out, len, in, data.len) > 0;
    case DECRYPT:
        return EVP_PKEY_decrypt(ctx, out, len, in, data.len) > 0;
    case SIGN:
        return EVP_PKEY_sign(ctx, out, len, in, data.len) > 0;
    default:
        return EVP_PKEY_verify_recover(ctx, out, len, in, data.len) > 0;
    }
}

static bool set_oaep(EVP_PKEY_CTX *ctx, const EVP_MD *hash, struct span label)
{
    void *copy;

    if (hash && EVP_PKEY_CTX_set_rsa_oaep_md(ctx, hash) <= 0)
        return false;
    if (label.len == 0)
        return true;
    copy = OPENSSL_memdup(label.data, label.len);
    if (copy && EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, (int)label.len) > 0)
        return true;
    OPENSSL_free(copy);
    return false;
}

/* keyCrypt(operation, key, padding, hash of OAEP, label, data) -> Uint8Array; true: this library would tell
 * whether the padding was right, so it does not do it; or what is wrong */
static JSValueRef crypt_rsa(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    enum operation operation = (enum operation)engine_number_of(arguments[0]);
    EVP_PKEY *key = crypto_pkey(arguments[1]);
    int padding = (int)engine_number_of(arguments[2]);
    struct span label = crypto_bytes(arguments[4]), data = crypto_bytes(arguments[5]);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    size_t len = key ? (size_t)EVP_PKEY_get_size(key) : 0;
    unsigned char *out = mem_alloc(len + 1);
    bool ok, is_telling = false;

    (void)function, (void)self, (void)count;
    ERR_clear_error();
    ok = ctx && out && label.len <= INT32_MAX && open_operation(ctx, operation) &&
         EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0;
    if (ok && operation == DECRYPT && padding == RSA_PKCS1_PADDING)
        is_telling = EVP_PKEY_CTX_ctrl_str(ctx, "rsa_pkcs1_implicit_rejection", "1") <= 0;
    ok = ok && !is_telling &&
         (padding != RSA_PKCS1_OAEP_PADDING || set_oaep(ctx, crypto_hash(arguments[3]), label)) &&
         operate(ctx, operation, data, out, &len);
    EVP_PKEY_CTX_free(ctx);
    if (!ok) {
        mem_free(out);
        if (!is_telling)
            return crypto_reason();
        ERR_clear_error();
        return JSValueMakeBoolean(js, true);
    }
    return crypto_take(out, len, ret_thrown);
}

void crypto_define_key_use(void)
{
    engine_native("keySign", sign);
    engine_native("keyVerify", verify);
    engine_native("keyCrypt", crypt_rsa);
}
