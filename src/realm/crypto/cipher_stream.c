/* cipher_stream.c - ciphers a piece at a time, as node:crypto has them, and scrypt.
 *
 * The state of a cipher is checked in sdk/js/node.js; what the library refuses
 * leaves the handle as it is. */
#include <openssl/err.h>
#include <string.h>

#include "base/mem.h"
#include "realm/crypto/crypto.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"

enum { STEP = 1 << 30, NONCE_MAX = 128, CHACHA_NONCE_MAX = 12 };
enum { UNKNOWN_CIPHER = 1, WRONG_KEY, WRONG_IV };

static JSClassRef cipher_class;

static void finalize_cipher(JSObjectRef cipher)
{
    EVP_CIPHER_CTX_free(JSObjectGetPrivate(cipher));
}

static EVP_CIPHER_CTX *ctx_of(JSValueRef value)
{
    return JSObjectGetPrivate((JSObjectRef)value);
}

static bool is_aead(const EVP_CIPHER *cipher)
{
    return EVP_CIPHER_get_flags(cipher) & EVP_CIPH_FLAG_AEAD_CIPHER;
}

/* Those whose messages may come in pieces and need nothing known before. */
static const EVP_CIPHER *find(JSValueRef value)
{
    char name[32];
    const EVP_CIPHER *cipher = EVP_get_cipherbyname(crypto_name(value, name));

    switch (cipher ? EVP_CIPHER_get_mode(cipher) : -1) {
    case EVP_CIPH_ECB_MODE:
    case EVP_CIPH_CBC_MODE:
    case EVP_CIPH_CFB_MODE:
    case EVP_CIPH_OFB_MODE:
    case EVP_CIPH_CTR_MODE:
    case EVP_CIPH_GCM_MODE:
    case EVP_CIPH_STREAM_CIPHER:
        return EVP_CIPHER_get_key_length(cipher) > 0 ? cipher : NULL;
    default:
        return NULL;
    }
}

static bool fits(const EVP_CIPHER *cipher, struct span iv)
{
    size_t wanted = (size_t)EVP_CIPHER_get_iv_length(cipher);

    if (!is_aead(cipher))
        return iv.len == wanted;
    return iv.len > 0 &&
           iv.len <= (EVP_CIPHER_get_mode(cipher) == EVP_CIPH_GCM_MODE ? (size_t)NONCE_MAX
                                                                       : (size_t)CHACHA_NONCE_MAX);
}

static bool set_up(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, bool is_encrypt, struct span key,
                   struct span iv)
{
    if (EVP_CipherInit_ex(ctx, cipher, NULL, NULL, NULL, is_encrypt) <= 0)
        return false;
    if (is_aead(cipher) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)iv.len, NULL) <= 0)
        return false;
    return EVP_CipherInit_ex(ctx, NULL, NULL, (const unsigned char *)key.data,
                             iv.len ? (const unsigned char *)iv.data : NULL, is_encrypt) > 0;
}

/* cipherNew(name, is_encrypt, key, iv) -> cipher, or a number: which of them is wrong */
static JSValueRef cipher_new(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const EVP_CIPHER *cipher = find(arguments[0]);
    bool is_encrypt = JSValueToBoolean(js, arguments[1]);
    struct span key = crypto_bytes(arguments[2]), iv = crypto_bytes(arguments[3]);
    EVP_CIPHER_CTX *ctx;

    (void)function, (void)self, (void)count;
    if (!cipher)
        return crypto_refused(), engine_number(UNKNOWN_CIPHER);
    if (key.len != (size_t)EVP_CIPHER_get_key_length(cipher))
        return engine_number(WRONG_KEY);
    if (!fits(cipher, iv))
        return engine_number(WRONG_IV);
    ctx = EVP_CIPHER_CTX_new();
    if (!ctx)
        return crypto_nomem(ret_thrown);
    if (!set_up(ctx, cipher, is_encrypt, key, iv)) {
        EVP_CIPHER_CTX_free(ctx);
        return crypto_refused(),
               engine_number(UNKNOWN_CIPHER); /* of a provider that is not there */
    }
    return JSObjectMake(js, cipher_class, ctx);
}

/* cipherUpdate(cipher, bytes, is_aad) -> Uint8Array, empty for data that is only authenticated;
 * undefined: refused */
static JSValueRef cipher_update(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_CIPHER_CTX *ctx = ctx_of(arguments[0]);
    struct span in = crypto_bytes(arguments[1]);
    bool is_aad = JSValueToBoolean(js, arguments[2]);
    bool is_good = !is_aad || is_aead(EVP_CIPHER_CTX_get0_cipher(ctx));
    unsigned char *out = mem_alloc((is_aad ? 0 : in.len) + EVP_MAX_BLOCK_LENGTH);
    size_t len = 0;

    (void)function, (void)self, (void)count;
    if (!out)
        return crypto_nomem(ret_thrown);
    while (in.len > 0 && is_good) {
        int some = in.len < STEP ? (int)in.len : STEP, made = 0;
        is_good = EVP_CipherUpdate(ctx, is_aad ? NULL : out + len, &made,
                                   (const unsigned char *)in.data, some) > 0;
        if (is_good && !is_aad)
            len += (size_t)made;
        in.data += some;
        in.len -= (size_t)some;
    }
    if (!is_good) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, len, ret_thrown);
}

/* cipherFinal(cipher) -> Uint8Array, or what the library says against it, perhaps "" */
static JSValueRef cipher_final(JSContextRef js, JSObjectRef function, JSObjectRef self,
                               size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    unsigned char *out = mem_alloc(EVP_MAX_BLOCK_LENGTH);
    char why[256] = "";
    unsigned long error;
    int made = 0;

    (void)js, (void)function, (void)self, (void)count;
    if (!out)
        return crypto_nomem(ret_thrown);
    ERR_clear_error();
    if (EVP_CipherFinal_ex(ctx_of(arguments[0]), out, &made) > 0)
        return crypto_take(out, (size_t)made, ret_thrown);
    mem_free(out);
    error = ERR_get_error();
    if (error)
        ERR_error_string_n(error, why, sizeof why);
    ERR_clear_error();
    return text_value((struct span){why, strlen(why)});
}

/* cipherTag(cipher, length) -> Uint8Array; undefined: none yet */
static JSValueRef cipher_tag(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    double wanted = engine_number_of(arguments[1]);
    size_t len = wanted >= 1 && wanted <= EVP_MAX_BLOCK_LENGTH ? (size_t)wanted : 0;
    unsigned char *out = mem_alloc(EVP_MAX_BLOCK_LENGTH);

    (void)js, (void)function, (void)self, (void)count;
    if (!out)
        return crypto_nomem(ret_thrown);
    if (len == 0 ||
        EVP_CIPHER_CTX_ctrl(ctx_of(arguments[0]), EVP_CTRL_AEAD_GET_TAG, (int)len, out) <= 0) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, len, ret_thrown);
}

/* cipherSetTag(cipher, bytes) -> whether it was taken */
static JSValueRef cipher_set_tag(JSContextRef js, JSObjectRef function, JSObjectRef self,
                                 size_t count, const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct span tag = crypto_bytes(arguments[1]);
    bool is_good = tag.len > 0 && tag.len <= EVP_MAX_BLOCK_LENGTH &&
                   EVP_CIPHER_CTX_ctrl(ctx_of(arguments[0]), EVP_CTRL_AEAD_SET_TAG, (int)tag.len,
                                       (void *)tag.data) > 0;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    ERR_clear_error();
    return JSValueMakeBoolean(js, is_good);
}

/* cipherPad(cipher, is_padded) */
static JSValueRef cipher_pad(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    (void)function, (void)self, (void)count, (void)ret_thrown;
    EVP_CIPHER_CTX_set_padding(ctx_of(arguments[0]), JSValueToBoolean(js, arguments[1]));
    return engine.undefined;
}

/* cipherInfo(name, which) -> its proper name, or a number: 0 block, 1 iv, 2 key in bytes, 3 mode (EVP_CIPH_...), 4 its
 * number (nid), 5 whether it authenticates, 6 the name; undefined: no such cipher */
static JSValueRef cipher_info(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    const EVP_CIPHER *cipher = find(arguments[0]);
    const char *name;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (!cipher)
        return crypto_refused();
    switch ((int)engine_number_of(arguments[1])) {
    case 0:
        return engine_number(EVP_CIPHER_get_block_size(cipher));
    case 1:
        return engine_number(EVP_CIPHER_get_iv_length(cipher));
    case 2:
        return engine_number(EVP_CIPHER_get_key_length(cipher));
    case 3:
        return engine_number(EVP_CIPHER_get_mode(cipher));
    case 4:
        return engine_number(EVP_CIPHER_get_nid(cipher));
    case 5:
        return engine_number(is_aead(cipher));
    default:
        name = OBJ_nid2sn(EVP_CIPHER_get_nid(cipher));
        return text_value((struct span){name, strlen(name)});
    }
}

/* cryptoScrypt(password, salt, N, r, p, memory, length) -> Uint8Array; undefined: refused (RFC 7914) */
static JSValueRef scrypt(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct span password = crypto_bytes(arguments[0]), salt = crypto_bytes(arguments[1]);
    double numbers[5];
    unsigned char *out;
    size_t len;

    (void)js, (void)function, (void)self, (void)count;
    for (int i = 0; i < 5; i++)
        numbers[i] = engine_number_of(arguments[2 + i]);
    len = (size_t)numbers[4];
    out = mem_alloc(len + 1);
    if (!out)
        return crypto_nomem(ret_thrown);
    if (EVP_PBE_scrypt(password.data, password.len, (const unsigned char *)salt.data, salt.len,
                       (uint64_t)numbers[0], (uint64_t)numbers[1], (uint64_t)numbers[2],
                       (uint64_t)numbers[3], len ? out : NULL, len ? len : 1) <= 0) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, len, ret_thrown);
}

void crypto_define_cipher_stream(void)
{
    cipher_class = engine_class("Cipher", finalize_cipher);
    engine_native("cipherNew", cipher_new);
    engine_native("cipherUpdate", cipher_update);
    engine_native("cipherFinal", cipher_final);
    engine_native("cipherTag", cipher_tag);
    engine_native("cipherSetTag", cipher_set_tag);
    engine_native("cipherPad", cipher_pad);
    engine_native("cipherInfo", cipher_info);
    engine_native("cryptoScrypt", scrypt);
}
