/* pkey.c - keys of two halves: import and export as DER, generate.
 *
 * A key is an object of a class of our own that holds an EVP_PKEY; only sdk/js
 * ever sees it, inside a CryptoKey.  Everything goes in and out as SPKI or
 * PKCS #8: subtle_der.js makes those of JWK and raw keys, and takes them apart. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/mem.h"
#include "realm/crypto/crypto.h"
#include "realm/crypto/key.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"

enum { WEIGHT = 4096 }; /* bytes of one, about: more than the collector sees */

/* Exported by the library, in no public header. */
extern void JSReportExtraMemoryCost(JSContextRef context, size_t bytes);

static JSClassRef key_class;

static void finalize(JSObjectRef key)
{
    EVP_PKEY_free(JSObjectGetPrivate(key));
}

EVP_PKEY *crypto_pkey(JSValueRef value)
{
    if (!JSValueIsObjectOfClass(engine.context, value, key_class))
        return NULL;
    return JSObjectGetPrivate((JSObjectRef)value);
}

JSValueRef crypto_wrap(EVP_PKEY *take_key)
{
    ERR_clear_error();
    if (!take_key)
        return engine.undefined;
    JSReportExtraMemoryCost(engine.context, WEIGHT);
    return JSObjectMake(engine.context, key_class, take_key);
}

/* The public half is one that belongs to the private one. */
static bool is_whole(EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool ok = ctx && EVP_PKEY_pairwise_check(ctx) > 0;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* pkeyImport(isPrivate, DER) -> key, or undefined */
static JSValueRef import_key(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    bool is_private = JSValueToBoolean(js, arguments[0]);
    struct span der = crypto_bytes(arguments[1]);
    const unsigned char *at = (const unsigned char *)der.data;
    EVP_PKEY *key = NULL;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (der.len > INT32_MAX)
        return engine.undefined;
    if (is_private) {
        PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
        key = info ? EVP_PKCS82PKEY(info) : NULL;
        PKCS8_PRIV_KEY_INFO_free(info);
    } else {
        key = d2i_PUBKEY(NULL, &at, (long)der.len);
    }
    if (key && (at != (const unsigned char *)der.data + der.len || key_judge(key) != KEY_OK ||
                (is_private && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && !is_whole(key)))) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    /* A point that came compressed leaves as every other: sdk/js takes the two numbers out. */
    if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
        EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                       "uncompressed");
    return crypto_wrap(key);
}

/* pkeyExport(isPrivate, key) -> DER, or undefined */
static JSValueRef export_key(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_PKEY *key = crypto_pkey(arguments[1]);
    unsigned char *der = NULL;
    char *copy;
    int len;

    (void)function, (void)self, (void)count;
    if (JSValueToBoolean(js, arguments[0])) {
        PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
        len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
        PKCS8_PRIV_KEY_INFO_free(info);
    } else {
        len = i2d_PUBKEY(key, &der);
    }
    if (len <= 0)
        return crypto_refused();
    copy = mem_copy((const char *)der, (size_t)len);
    OPENSSL_clear_free(der, (size_t)len);
    return copy ? crypto_take((unsigned char *)copy, (size_t)len, ret_thrown)
                : crypto_nomem(ret_thrown);
}

/* pkeyKind(key) -> "RSA", "EC P-256", "ED25519" ...; "" for others */
static JSValueRef kind_of(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    static const char *const curves[][2] = {
        {"prime256v1", "EC P-256"}, {"secp384r1", "EC P-384"}, {"secp521r1", "EC P-521"}};
    EVP_PKEY *key = crypto_pkey(arguments[0]);
    char curve[64] = "";
    size_t len = 0;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        return text_value(SPAN("RSA"));
    case EVP_PKEY_ED25519:
        return text_value(SPAN("ED25519"));
    case EVP_PKEY_X25519:
        return text_value(SPAN("X25519"));
    case EVP_PKEY_EC:
        EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve, &len);
        for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
            if (strcmp(curves[i][0], curve) == 0)
                return text_value(span_of(curves[i][1]));
        break;
    default:
        break;
    }
    ERR_clear_error();
    return text_value(SPAN(""));
}

/* pkeyGenerate("RSA", bits, exponent) or (the library's name of a curve) -> key with both halves */
static JSValueRef generate(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    char name[32];
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx;

    (void)function, (void)self, (void)ret_thrown;
    crypto_name(arguments[0], name);
    if (strcmp(name, "RSA") == 0 && count > 2) {
        size_t bits = (size_t)JSValueToNumber(js, arguments[1], NULL);
        unsigned exponent = (unsigned)JSValueToNumber(js, arguments[2], NULL);
        OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                               OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
                               OSSL_PARAM_construct_end()};
        ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
        if (ctx && EVP_PKEY_keygen_init(ctx) > 0 && EVP_PKEY_CTX_set_params(ctx, params) > 0)
            EVP_PKEY_generate(ctx, &key);
        EVP_PKEY_CTX_free(ctx);
    } else if (strcmp(name, "ED25519") == 0 || strcmp(name, "X25519") == 0) {
        key = EVP_PKEY_Q_keygen(NULL, NULL, name);
    } else {
        key = EVP_EC_gen(name);
    }
    return crypto_wrap(key);
}

void crypto_define_pkey(void)
{
    key_class = engine_class("Key", finalize);
    engine_native("pkeyImport", import_key);
    engine_native("pkeyExport", export_key);
    engine_native("pkeyKind", kind_of);
    engine_native("pkeyGenerate", generate);
}
