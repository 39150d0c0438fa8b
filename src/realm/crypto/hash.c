/* hash.c - random bytes, digests, HMAC, PBKDF2, HKDF, and comparing without haste. */
#include "realm/crypto/crypto.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/web/web.h"

struct span crypto_bytes(JSValueRef value)
{
    struct span bytes = {"", 0};

    web_bytes(value, &bytes);
    return bytes;
}

const char *crypto_name(JSValueRef value, char name[32])
{
    JSStringRef text = JSValueToStringCopy(engine.context, value, NULL);

    name[0] = 0;
    if (text) {
        JSStringGetUTF8CString(text, name, 32);
        JSStringRelease(text);
    }
    return name;
}

const EVP_MD *crypto_hash(JSValueRef value)
{
    static const struct {
        const char *name;
        const EVP_MD *(*get)(void);
    } hashes[] = {{"SHA-1", EVP_sha1},
                  {"SHA-256", EVP_sha256},
                  {"SHA-384", EVP_sha384},
                  {"SHA-512", EVP_sha512},
                  {"MD5", EVP_md5}};
    char name[32];

    crypto_name(value, name);
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
        if (strcmp(hashes[i].name, name) == 0)
            return hashes[i].get();
    return NULL;
}

JSValueRef crypto_nomem(JSValueRef *ret_thrown)
{
    ERR_clear_error();
    return engine_throw(ret_thrown, "RangeError", "out of memory");
}

JSValueRef crypto_refused(void)
{
    ERR_clear_error();
    return engine.undefined;
}

JSValueRef crypto_reason(void)
{
    unsigned long error = ERR_get_error();
    char why[256] = "";

    if (error)
        ERR_error_string_n(error, why, sizeof why);
    ERR_clear_error();
    return text_value(span_of(why));
}

JSValueRef crypto_take(unsigned char *take_bytes, size_t len, JSValueRef *ret_thrown)
{
    JSValueRef array = web_take_bytes((char *)take_bytes, len);

    ERR_clear_error();
    return JSValueIsUndefined(engine.context, array) ? crypto_nomem(ret_thrown) : array;
}

/* cryptoRandom(view): fill it */
static JSValueRef random_bytes(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct span room = crypto_bytes(arguments[0]);
    char *to = (char *)room.data; /* the array's own memory */

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    for (size_t done = 0; done < room.len;) {
        size_t some = room.len - done < 256 ? room.len - done : 256;
        /* At most 256 bytes come whole, once the kernel's pool is ready. */
        ssize_t got = getrandom(to + done, some, 0);
        if (got > 0)
            done += (size_t)got;
        else if (errno != EINTR)
            abort();
    }
    return engine.undefined;
}

/* cryptoDigest(hash, bytes) -> Uint8Array */
static JSValueRef digest(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const EVP_MD *hash = crypto_hash(arguments[0]);
    struct span data = crypto_bytes(arguments[1]);
    unsigned char *out = mem_alloc(EVP_MAX_MD_SIZE);
    unsigned len = 0;

    (void)js, (void)function, (void)self, (void)count;
    if (!out)
        return crypto_nomem(ret_thrown);
    if (!hash || !EVP_Digest(data.data, data.len, out, &len, hash, NULL)) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, len, ret_thrown);
}

/* ---- a digest of what comes in pieces ---- */

static JSClassRef digest_class;

static void finalize_digest(JSObjectRef digest)
{
    EVP_MD_CTX_free(JSObjectGetPrivate(digest));
}

/* digestOpen(hash) -> digest */
static JSValueRef digest_open(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const EVP_MD *hash = crypto_hash(arguments[0]);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    (void)function, (void)self, (void)count;
    if (!ctx || !hash || !EVP_DigestInit_ex(ctx, hash, NULL)) {
        EVP_MD_CTX_free(ctx);
        return crypto_nomem(ret_thrown);
    }
    return JSObjectMake(js, digest_class, ctx);
}

/* digestCopy(digest) -> digest: goes on from there by itself. */
static JSValueRef digest_copy(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    (void)function, (void)self, (void)count;
    if (!ctx || !EVP_MD_CTX_copy_ex(ctx, JSObjectGetPrivate((JSObjectRef)arguments[0]))) {
        EVP_MD_CTX_free(ctx);
        return crypto_nomem(ret_thrown);
    }
    return JSObjectMake(js, digest_class, ctx);
}

/* digestUpdate(digest, bytes) */
static JSValueRef digest_update(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct span data = crypto_bytes(arguments[1]);

    (void)js, (void)function, (void)self, (void)count;
    if (!EVP_DigestUpdate(JSObjectGetPrivate((JSObjectRef)arguments[0]), data.data, data.len))
        return crypto_nomem(ret_thrown);
    return engine.undefined;
}

/* digestFinal(digest) -> Uint8Array; once */
static JSValueRef digest_final(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    unsigned char *out = mem_alloc(EVP_MAX_MD_SIZE);
    unsigned len = 0;

    (void)js, (void)function, (void)self, (void)count;
    if (!out || !EVP_DigestFinal_ex(JSObjectGetPrivate((JSObjectRef)arguments[0]), out, &len)) {
        mem_free(out);
        return crypto_nomem(ret_thrown);
    }
    return crypto_take(out, len, ret_thrown);
}

/* cryptoHmac(hash, key, bytes) -> Uint8Array */
static JSValueRef hmac(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const EVP_MD *hash = crypto_hash(arguments[0]);
    struct span key = crypto_bytes(arguments[1]), data = crypto_bytes(arguments[2]);
    unsigned char *out = mem_alloc(EVP_MAX_MD_SIZE);
    unsigned len = 0;

    (void)js, (void)function, (void)self, (void)count;
    if (!out)
        return crypto_nomem(ret_thrown);
    if (!hash || !HMAC(hash, key.data, (int)key.len, (const unsigned char *)data.data, data.len,
                       out, &len)) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, len, ret_thrown);
}

/* cryptoPbkdf2(hash, password, salt, iterations, length) -> Uint8Array */
static JSValueRef pbkdf2(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const EVP_MD *hash = crypto_hash(arguments[0]);
    struct span password = crypto_bytes(arguments[1]), salt = crypto_bytes(arguments[2]);
    int iterations = (int)JSValueToNumber(js, arguments[3], NULL);
    int len = (int)JSValueToNumber(js, arguments[4], NULL);
    unsigned char *out = mem_alloc((size_t)len + 1);

    (void)function, (void)self, (void)count;
    if (!out)
        return crypto_nomem(ret_thrown);
    if (!hash ||
        !PKCS5_PBKDF2_HMAC(password.data, (int)password.len, (const unsigned char *)salt.data,
                           (int)salt.len, iterations, hash, len, out)) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, (size_t)len, ret_thrown);
}

/* cryptoHkdf(hash, key, salt, info, length) -> Uint8Array */
static JSValueRef hkdf(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const EVP_MD *hash = crypto_hash(arguments[0]);
    struct span key = crypto_bytes(arguments[1]), salt = crypto_bytes(arguments[2]);
    struct span info = crypto_bytes(arguments[3]);
    size_t len = (size_t)JSValueToNumber(js, arguments[4], NULL);
    unsigned char *out = mem_alloc(len + 1);
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM params[5];
    bool ok = false;

    (void)function, (void)self, (void)count;
    if (out && ctx && hash) {
        params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                                     (char *)EVP_MD_get0_name(hash), 0);
        params[1] =
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key.data, key.len);
        params[2] =
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt.data, salt.len);
        params[3] =
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info.data, info.len);
        params[4] = OSSL_PARAM_construct_end();
        ok = EVP_KDF_derive(ctx, out, len, params) > 0;
    }
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    if (!ok) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, len, ret_thrown);
}

/* cryptoIsEqual(a, b), of one length: takes as long whatever is in them */
static JSValueRef is_equal(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct span a = crypto_bytes(arguments[0]), b = crypto_bytes(arguments[1]);

    (void)function, (void)self, (void)count, (void)ret_thrown;
    return JSValueMakeBoolean(js, a.len == b.len && CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

void crypto_define_hash(void)
{
    digest_class = engine_class("Digest", finalize_digest);
    engine_native("digestOpen", digest_open);
    engine_native("digestCopy", digest_copy);
    engine_native("digestUpdate", digest_update);
    engine_native("digestFinal", digest_final);
    engine_native("cryptoRandom", random_bytes);
    engine_native("cryptoDigest", digest);
    engine_native("cryptoHmac", hmac);
    engine_native("cryptoPbkdf2", pbkdf2);
    engine_native("cryptoHkdf", hkdf);
    engine_native("cryptoIsEqual", is_equal);
}

void crypto_define(void)
{
    /* No configuration file: what the platform offers does not depend on the machine. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
    crypto_define_hash();
    crypto_define_cipher();
    crypto_define_cipher_stream();
    crypto_define_pkey();
    crypto_define_sign();
    crypto_define_key();
    crypto_define_key_use();
    crypto_define_certificate();
}
