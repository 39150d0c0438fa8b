/* cipher.c - AES in the modes of the Web Cryptography API: GCM, CBC, CTR, and key wrap. */
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "realm/crypto/crypto.h"
#include "realm/js/engine.h"

enum { BLOCK = 16, STEP = 1 << 30 };

struct work {
    EVP_CIPHER_CTX *ctx;
    const EVP_CIPHER *cipher;
    bool is_encrypt;
    struct span key, iv, data, aad;
    size_t tag_len;
    int counter_bits; /* of CTR's block: how many count */
    unsigned char *out;
    size_t len;
};

/* In steps, as the library counts with int. */
static bool update(struct work *w, unsigned char *out, size_t *ret_len, struct span in)
{
    while (in.len > 0) {
        int some = in.len < STEP ? (int)in.len : STEP, made = 0;
        if (!EVP_CipherUpdate(w->ctx, out ? out + *ret_len : NULL, &made,
                              (const unsigned char *)in.data, some))
            return false;
        if (out)
            *ret_len += (size_t)made;
        in.data += some;
        in.len -= (size_t)some;
    }
    return true;
}

static bool set_up(struct work *w, const unsigned char *iv)
{
    return EVP_CipherInit_ex(w->ctx, NULL, NULL, (const unsigned char *)w->key.data, iv,
                             w->is_encrypt) > 0;
}

static bool run_gcm(struct work *w)
{
    struct span data = w->data;
    size_t ignored = 0;
    int made = 0;

    if (!w->is_encrypt) {
        if (data.len < w->tag_len)
            return false;
        data.len -= w->tag_len;
    }
    if (EVP_CIPHER_CTX_ctrl(w->ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)w->iv.len, NULL) <= 0 ||
        !set_up(w, (const unsigned char *)w->iv.data))
        return false;
    if (!w->is_encrypt && EVP_CIPHER_CTX_ctrl(w->ctx, EVP_CTRL_AEAD_SET_TAG, (int)w->tag_len,
                                              (void *)(data.data + data.len)) <= 0)
        return false;
    if (!update(w, NULL, &ignored, w->aad) || !update(w, w->out, &w->len, data) ||
        EVP_CipherFinal_ex(w->ctx, w->out + w->len, &made) <= 0)
        return false;
    w->len += (size_t)made;
    if (!w->is_encrypt)
        return true;
    if (EVP_CIPHER_CTX_ctrl(w->ctx, EVP_CTRL_AEAD_GET_TAG, (int)w->tag_len, w->out + w->len) <= 0)
        return false;
    w->len += w->tag_len;
    return true;
}

static bool run_plain(struct work *w)
{
    int made = 0;

    if (!set_up(w, w->iv.len ? (const unsigned char *)w->iv.data : NULL) ||
        !update(w, w->out, &w->len, w->data) ||
        EVP_CipherFinal_ex(w->ctx, w->out + w->len, &made) <= 0)
        return false;
    w->len += (size_t)made;
    return true;
}

/* How many blocks until the low bits of the counter start anew; SIZE_MAX: more than there are. */
static size_t blocks_left(const unsigned char *counter, int bits)
{
    uint64_t low = 0;

    if (bits > 48) {
        /* All ones but for the last 48 bits?  Else 2^48 blocks are far away. */
        for (int bit = 48; bit < bits; bit++)
            if (!(counter[BLOCK - 1 - bit / 8] >> (bit % 8) & 1))
                return SIZE_MAX;
        bits = 48;
    }
    for (int i = 6; i > 0; i--)
        low = low << 8 | counter[BLOCK - i];
    low &= ((uint64_t)1 << bits) - 1;
    return (size_t)(((uint64_t)1 << bits) - low);
}

/* The low counter_bits count and start anew by themselves; the library counts with all 128. */
static bool run_ctr(struct work *w)
{
    unsigned char counter[BLOCK];
    size_t blocks = w->data.len / BLOCK + (w->data.len % BLOCK != 0), left;
    struct span first = w->data, second = {"", 0};

    memcpy(counter, w->iv.data, BLOCK);
    if (w->counter_bits < 48 && blocks > (size_t)1 << w->counter_bits)
        return false;
    left = blocks_left(counter, w->counter_bits);
    if (blocks > left) {
        first.len = left * BLOCK;
        second = (struct span){w->data.data + first.len, w->data.len - first.len};
    }
    if (!set_up(w, counter) || !update(w, w->out, &w->len, first))
        return false;
    if (second.len == 0)
        return true;
    for (int bit = 0; bit < w->counter_bits; bit++)
        counter[BLOCK - 1 - bit / 8] &= (unsigned char)~(1U << (bit % 8));
    return set_up(w, counter) && update(w, w->out, &w->len, second);
}

/* cryptoCipher(isEncrypt, mode, key, iv, data, aad, tagLength, counterBits) -> Uint8Array, or
 * undefined when the data was not made with this key */
static JSValueRef run_cipher(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct work w = {.is_encrypt = JSValueToBoolean(js, arguments[0]),
                     .key = crypto_bytes(arguments[2]),
                     .iv = crypto_bytes(arguments[3]),
                     .data = crypto_bytes(arguments[4]),
                     .aad = crypto_bytes(arguments[5])};
    char mode[32], name[64];
    EVP_CIPHER *cipher;
    bool ok = false;

    (void)function, (void)self, (void)count;
    w.tag_len = (size_t)JSValueToNumber(js, arguments[6], NULL);
    w.counter_bits = (int)JSValueToNumber(js, arguments[7], NULL);
    crypto_name(arguments[1], mode);
    snprintf(name, sizeof name, "AES-%zu-%s", w.key.len * 8, mode);
    cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    w.ctx = EVP_CIPHER_CTX_new();
    w.out = mem_alloc(w.data.len + 2 * BLOCK);
    if (!w.out || !w.ctx) {
        EVP_CIPHER_CTX_free(w.ctx);
        EVP_CIPHER_free(cipher);
        mem_free(w.out);
        return crypto_nomem(ret_thrown);
    }
    if (strcmp(mode, "WRAP") == 0)
        EVP_CIPHER_CTX_set_flags(w.ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (cipher && EVP_CipherInit_ex(w.ctx, cipher, NULL, NULL, NULL, w.is_encrypt) > 0)
        ok = strcmp(mode, "GCM") == 0   ? run_gcm(&w)
             : strcmp(mode, "CTR") == 0 ? run_ctr(&w)
                                        : run_plain(&w);
    EVP_CIPHER_CTX_free(w.ctx);
    EVP_CIPHER_free(cipher);
    if (!ok) {
        mem_free(w.out);
        return crypto_refused();
    }
    return crypto_take(w.out, w.len, ret_thrown);
}

void crypto_define_cipher(void)
{
    engine_native("cryptoCipher", run_cipher);
}
