/* seal.c - see seal.h. */
#include "catalog/seal.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

enum { LAYOUT = 1, NONCE = 12, TAG = 16 };

static int broken(struct err *err)
{
    return err_set(err, ERR_SYSTEM, "OpenSSL cannot encrypt with AES-256-GCM");
}

int seal_close(const struct seal_key *key, struct span context, struct span text, struct buf *out,
               struct err *err)
{
    EVP_CIPHER_CTX *ctx = NULL;
    unsigned char *at;
    char *room;
    int n, r = 0;

    if (text.len > INT_MAX / 2 || context.len > INT_MAX / 2)
        return err_set(err, ERR_LIMIT, "it is too long to be sealed");
    if (buf_reserve(out, SEAL_EXTRA_BYTES + text.len, &room) < 0)
        return err_nomem(err);
    at = (unsigned char *)room;
    at[0] = LAYOUT;
    if (getrandom(at + 1, NONCE, 0) != NONCE)
        return err_errno(err, errno, "seal a secret");
    ctx = EVP_CIPHER_CTX_new();
    if (!ctx)
        return err_nomem(err);
    if (EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, at + 1) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &n, at, 1) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)context.data, (int)context.len) !=
            1 ||
        EVP_EncryptUpdate(ctx, at + SEAL_EXTRA_BYTES, &n, (const unsigned char *)text.data,
                          (int)text.len) != 1 ||
        EVP_EncryptFinal_ex(ctx, at + SEAL_EXTRA_BYTES + text.len, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, at + 1 + NONCE) != 1)
        r = broken(err);
    else
        buf_commit(out, SEAL_EXTRA_BYTES + text.len);
    EVP_CIPHER_CTX_free(ctx); /* wipes */
    return r;
}

int seal_open(const struct seal_key *key, struct span context, struct span sealed, char **ret_text,
              size_t *ret_len, struct err *err)
{
    const unsigned char *at = (const unsigned char *)sealed.data;
    EVP_CIPHER_CTX *ctx;
    unsigned char tag[TAG];
    size_t len;
    char *text;
    int n, r = 0;

    if (sealed.len < SEAL_EXTRA_BYTES || sealed.len > INT_MAX / 2 || at[0] != LAYOUT)
        return err_set(err, ERR_INVALID, "it is not sealed as this Corral does");
    len = sealed.len - SEAL_EXTRA_BYTES;
    text = mem_alloc(len + 1);
    if (!text)
        return err_nomem(err);
    ctx = EVP_CIPHER_CTX_new();
    if (!ctx) {
        mem_free(text);
        return err_nomem(err);
    }
    memcpy(tag, at + 1 + NONCE, TAG);
    if (EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, at + 1) != 1)
        r = broken(err);
    else if (EVP_DecryptUpdate(ctx, NULL, &n, at, 1) != 1 ||
             EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)context.data,
                               (int)context.len) != 1 ||
             EVP_DecryptUpdate(ctx, (unsigned char *)text, &n, at + SEAL_EXTRA_BYTES, (int)len) !=
                 1 ||
             EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG, tag) != 1 ||
             EVP_DecryptFinal_ex(ctx, (unsigned char *)text + len, &n) != 1)
        r = err_set(err, ERR_INVALID, "it was sealed with another key, or changed since");
    EVP_CIPHER_CTX_free(ctx);
    if (r < 0) {
        seal_wipe(text, len);
        return r;
    }
    text[len] = '\0';
    *ret_text = text;
    *ret_len = len;
    return 0;
}

void seal_wipe(char *take_text, size_t len)
{
    if (take_text)
        explicit_bzero(take_text, len);
    mem_free(take_text);
}

void seal_key_done(struct seal_key *key)
{
    explicit_bzero(key->bytes, sizeof key->bytes);
}
