/* fuzz_key.c - any bytes as a key: what is taken can be written in every form, and comes back the same. */
#include <openssl/err.h>
#include <stdint.h>
#include <stdlib.h>

#include "realm/crypto/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int cond)
{
    if (!cond)
        abort();
}

static void write_all(EVP_PKEY *key, bool is_private)
{
    for (int format = KEY_PEM; format <= KEY_DER; format++)
        for (int type = KEY_PKCS1; type <= KEY_SEC1; type++) {
            struct key_form form = {(enum key_format)format, (enum key_type)type, NULL, NULL};
            BIO *out = BIO_new(BIO_s_mem());
            EVP_PKEY *back = NULL;
            char *text = NULL;
            bool is_of_private = is_private && type != KEY_SPKI;
            if ((is_of_private ? key_write_private(key, &form, out)
                               : key_write_public(key, &form, out)) == KEY_OK &&
                (is_of_private || type == KEY_SPKI)) {
                struct span again = {NULL, (size_t)BIO_get_mem_data(out, &text)};
                again.data = text;
                if ((is_of_private ? key_read_private(again, &form, &back)
                                   : key_read_public(again, &form, &back)) == KEY_OK)
                    must(EVP_PKEY_eq(key, back) != 0);
            }
            EVP_PKEY_free(back);
            BIO_free(out);
        }
}

/* The rest as numbers of two bytes of length each. */
static void from_numbers(struct span rest)
{
    struct span numbers[KEY_RSA_NUMBERS] = {{"", 0}};
    EVP_PKEY *key = NULL;

    for (int i = 0; i < KEY_RSA_NUMBERS && rest.len > 2; i++) {
        size_t n = ((size_t)(uint8_t)rest.data[0] << 8 | (uint8_t)rest.data[1]) & 0xfff;
        n = n < rest.len - 2 ? n : rest.len - 2;
        numbers[i] = (struct span){rest.data + 2, n};
        rest.data += 2 + n;
        rest.len -= 2 + n;
    }
    if (key_from_rsa(numbers, &key) == KEY_OK)
        EVP_PKEY_free(key);
    if (key_from_curve("prime256v1", numbers[0], numbers[1], &key) == KEY_OK)
        EVP_PKEY_free(key);
    if (key_from_raw("ED25519", numbers[2].len & 1, numbers[0], &key) == KEY_OK)
        EVP_PKEY_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct span SECRET = {"secret", 6};
    struct key_form form = {KEY_PEM, KEY_ANY, NULL, NULL};
    struct span text;
    EVP_PKEY *key = NULL;

    if (len < 1 || len > 16 * 1024)
        return 0;
    form.format = data[0] & 1 ? KEY_DER : KEY_PEM;
    form.type = (enum key_type)((data[0] >> 1) % 5);
    if (data[0] & 64)
        form.passphrase = &SECRET;
    text = (struct span){(const char *)data + 1, len - 1};
    if ((data[0] & 0x30) == 0x30) {
        from_numbers(text);
    } else if (data[0] & 0x80) {
        if (key_read_private(text, &form, &key) == KEY_OK)
            write_all(key, true);
    } else if (key_read_public(text, &form, &key) == KEY_OK) {
        write_all(key, false);
    }
    EVP_PKEY_free(key);
    ERR_clear_error();
    return 0;
}
