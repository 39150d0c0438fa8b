/* realm_key.c - src/realm/crypto/key.c: every form both ways, passphrases and their price, numbers without end. */
#include "realm/crypto/key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static const struct key_form IN_THE_OPEN = {KEY_PEM, KEY_PKCS8, NULL, NULL};

static BIO *written(EVP_PKEY *key, bool is_private, const struct key_form *form, struct span *ret)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;

    CHECK((is_private ? key_write_private(key, form, out) : key_write_public(key, form, out)) ==
          KEY_OK);
    len = BIO_get_mem_data(out, &text);
    *ret = (struct span){text, (size_t)len};
    return out;
}

/* Out in this form and in again: the same key. */
static void goes_round(EVP_PKEY *key, bool is_private, const struct key_form *form)
{
    struct span text;
    BIO *out = written(key, is_private, form, &text);
    EVP_PKEY *back = NULL;

    CHECK((is_private ? key_read_private(text, form, &back) : key_read_public(text, form, &back)) ==
          KEY_OK);
    CHECK(back && EVP_PKEY_eq(key, back) == 1);
    EVP_PKEY_free(back);
    BIO_free(out);
    ERR_clear_error();
}

static void every_form_goes_round(void)
{
    static const struct span SECRET = {"secret", 6};
    EVP_PKEY *keys[] = {EVP_RSA_gen(1024), EVP_EC_gen("prime256v1"),
                        EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
                        EVP_PKEY_Q_keygen(NULL, NULL, "X448")};

    for (int i = 0; i < 4; i++) {
        for (int format = KEY_PEM; format <= KEY_DER; format++) {
            enum key_type own = i == 0 ? KEY_PKCS1 : KEY_SEC1;
            struct key_form form = {(enum key_format)format, KEY_PKCS8, NULL, NULL};
            goes_round(keys[i], true, &form);
            form.type = KEY_SPKI;
            goes_round(keys[i], false, &form);
            form = (struct key_form){(enum key_format)format, KEY_PKCS8, &SECRET, "aes-128-cbc"};
            goes_round(keys[i], true, &form);
            form = (struct key_form){(enum key_format)format, own, NULL, NULL};
            if (i < 2)
                goes_round(keys[i], true, &form);
            if (i == 0)
                goes_round(keys[i], false, &form);
        }
        EVP_PKEY_free(keys[i]);
    }
}

static void asks_for_a_passphrase_and_refuses_a_wrong_one(void)
{
    static const struct span SECRET = {"secret", 6}, WRONG = {"wrong", 5};
    struct key_form form = {KEY_PEM, KEY_PKCS8, &SECRET, "aes-256-cbc"};
    EVP_PKEY *key = EVP_EC_gen("prime256v1"), *back = NULL;
    struct span text;
    BIO *out = written(key, true, &form, &text);

    form.passphrase = NULL;
    CHECK(key_read_private(text, &form, &back) == KEY_NEEDS_PASSPHRASE);
    CHECK(key_read_public(text, &form, &back) == KEY_NEEDS_PASSPHRASE);
    form.passphrase = &WRONG;
    CHECK(key_read_private(text, &form, &back) == KEY_REFUSED);
    form.cipher = "no such";
    CHECK(key_write_private(key, &form, out) == KEY_NO_CIPHER);
    CHECK(back == NULL);
    BIO_free(out);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

/* EncryptedPrivateKeyInfo: PBES2, PBKDF2 with 2,147,483,647 rounds, AES-256-CBC. */
static void opens_nothing_that_takes_years(void)
{
    static const char DER[] =
        "\x30\x5e\x30\x47\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d\x30\x3a\x30\x19"
        "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c\x30\x0c\x04\x04salt\x02\x04\x7f\xff\xff\xff"
        "\x30\x1d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a\x04\x10iviviviviviviviv"
        "\x04\x13nothing that is one";
    static const struct span SECRET = {"secret", 6};
    struct key_form form = {KEY_DER, KEY_PKCS8, &SECRET, NULL};
    EVP_PKEY *key = NULL;
    unsigned char encoded[256];
    char pem[512];

    CHECK(key_read_private((struct span){DER, sizeof DER - 1}, &form, &key) == KEY_TOO_MUCH);
    EVP_EncodeBlock(encoded, (const unsigned char *)DER, sizeof DER - 1);
    form.format = KEY_PEM;
    for (int i = 0; i < 2; i++) { /* whatever the block is called */
        const char *name = i ? "ENCRYPTED PRIVATE KEY" : "PRIVATE KEY";
        snprintf(pem, sizeof pem, "-----BEGIN %s-----\n%.64s\n%.64s\n-----END %s-----\n", name,
                 (char *)encoded, (char *)encoded + 64, name);
        CHECK(key_read_private(span_of(pem), &form, &key) == KEY_TOO_MUCH);
    }
    ERR_clear_error();
}

static void bounds_what_numbers_it_takes(void)
{
    static char digits[4096];
    struct span numbers[KEY_RSA_NUMBERS] = {{digits, 4096}, {"\3", 1}};
    EVP_PKEY *key = NULL;

    memset(digits, 0x55, sizeof digits);
    CHECK(key_from_rsa(numbers, &key) == KEY_TOO_MUCH);
    numbers[0].len = 2048;
    CHECK(key_from_rsa(numbers, &key) == KEY_OK);
    EVP_PKEY_free(key);
    numbers[2] = (struct span){digits, 5}; /* d, and none of the others */
    CHECK(key_from_rsa(numbers, &key) == KEY_REFUSED);
    CHECK(key_read_public((struct span){digits, KEY_TEXT_MAX + 1}, &IN_THE_OPEN, &key) ==
          KEY_TOO_MUCH);
    ERR_clear_error();
}

static void a_modulus_beyond_them_is_refused_in_der_too(void)
{
    static unsigned char der[4200] = "\x30\x82\x10\x08\x02\x82\x10\x01\x00";
    struct key_form form = {KEY_DER, KEY_PKCS1, NULL, NULL};
    EVP_PKEY *key = NULL;

    memset(der + 9, 0xff, 4096);
    memcpy(der + 9 + 4096, "\x02\x01\x03", 3);
    CHECK(key_read_public((struct span){(char *)der, 4 + 0x1008}, &form, &key) == KEY_TOO_MUCH);
    ERR_clear_error();
}

static void takes_points_that_are_on_the_curve(void)
{
    EVP_PKEY *key = EVP_EC_gen("prime256v1"), *back = NULL;
    unsigned char point[65], d[32];
    size_t len = 0;
    BIGNUM *number = NULL;
    struct span at = {(char *)point, sizeof point}, secret = {(char *)d, sizeof d};

    CHECK(EVP_PKEY_get_octet_string_param(key, "pub", point, sizeof point, &len) && len == 65);
    CHECK(EVP_PKEY_get_bn_param(key, "priv", &number) && BN_bn2binpad(number, d, 32) == 32);
    CHECK(key_from_curve("prime256v1", at, secret, &back) == KEY_OK);
    CHECK(EVP_PKEY_eq(key, back) == 1);
    EVP_PKEY_free(back);
    back = NULL;
    d[31] ^= 1; /* a scalar of another point */
    CHECK(key_from_curve("prime256v1", at, secret, &back) == KEY_REFUSED);
    point[64] ^= 1;
    CHECK(key_from_curve("prime256v1", at, SPAN(""), &back) == KEY_REFUSED);
    CHECK(key_from_curve("no such", at, SPAN(""), &back) == KEY_REFUSED);
    CHECK(key_from_raw("ED25519", true, secret, &back) == KEY_OK);
    EVP_PKEY_free(back);
    CHECK(key_from_raw("ED448", true, secret, &back) == KEY_REFUSED);
    BN_free(number);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        {"every_form_goes_round", every_form_goes_round},
        {"asks_for_a_passphrase_and_refuses_a_wrong_one",
         asks_for_a_passphrase_and_refuses_a_wrong_one},
        {"opens_nothing_that_takes_years", opens_nothing_that_takes_years},
        {"bounds_what_numbers_it_takes", bounds_what_numbers_it_takes},
        {"a_modulus_beyond_them_is_refused_in_der_too",
         a_modulus_beyond_them_is_refused_in_der_too},
        {"takes_points_that_are_on_the_curve", takes_points_that_are_on_the_curve},
        {NULL, NULL},
    };

    return test_main("realm_key", tests, argc, argv);
}
