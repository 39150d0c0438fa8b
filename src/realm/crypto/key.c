/* key.c - see key.h.
 *
 * PEM is read by the library's own decoders, as in Node.js, so that the same
 * keys are taken and the same reasons given; before that each of its blocks is
 * looked at for what the passphrase would cost. */
#include "realm/crypto/key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

/* ---- what may be read ---- */

/* Explicit curve parameters are a way to bring one's own curve: named ones only. */
static bool is_named(const EVP_PKEY *key)
{
    char curve[64];
    size_t len;

    return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve,
                                          &len) > 0;
}

static bool has_bounds(const EVP_PKEY *key)
{
    static const char *const numbers[] = {"n",
                                          "e",
                                          "d",
                                          "p",
                                          "q",
                                          "g",
                                          "pub",
                                          "priv",
                                          "rsa-factor1",
                                          "rsa-factor2",
                                          "rsa-factor3",
                                          "rsa-factor4",
                                          "rsa-factor5",
                                          "rsa-exponent1",
                                          "rsa-exponent2",
                                          "rsa-exponent3",
                                          "rsa-exponent4",
                                          "rsa-exponent5",
                                          "rsa-coefficient1",
                                          "rsa-coefficient2",
                                          "rsa-coefficient3",
                                          "rsa-coefficient4"};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        BIGNUM *number = NULL;
        int bits = EVP_PKEY_get_bn_param(key, numbers[i], &number) > 0 ? BN_num_bits(number) : 0;
        BN_clear_free(number);
        if (bits > KEY_BITS_MAX)
            return false;
    }
    return true;
}

enum key_result key_judge(EVP_PKEY *key)
{
    enum key_result result;

    ERR_set_mark();
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
    case EVP_PKEY_DSA:
    case EVP_PKEY_DH:
    case EVP_PKEY_DHX:
        result = has_bounds(key) ? KEY_OK : KEY_TOO_MUCH;
        break;
    case EVP_PKEY_EC:
        result = is_named(key) ? KEY_OK : KEY_REFUSED;
        break;
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448:
    case EVP_PKEY_X25519:
    case EVP_PKEY_X448:
        result = KEY_OK;
        break;
    default:
        result = KEY_REFUSED;
        break;
    }
    ERR_pop_to_mark();
    return result;
}

static enum key_result judged(enum key_result result, EVP_PKEY *take_key, EVP_PKEY **ret_key)
{
    if (result == KEY_OK)
        result = key_judge(take_key);
    if (result == KEY_OK) {
        *ret_key = take_key;
        return KEY_OK;
    }
    if (result == KEY_REFUSED && take_key)
        ERR_raise(ERR_LIB_EVP, EVP_R_UNSUPPORTED_ALGORITHM);
    EVP_PKEY_free(take_key);
    return result;
}

static bool is_at_most(const ASN1_INTEGER *number, uint64_t limit)
{
    uint64_t value;

    return !number || (ASN1_INTEGER_get_uint64(&value, number) > 0 && value <= limit);
}

static bool is_cheap_scrypt(const ASN1_TYPE *how)
{
    SCRYPT_PARAMS *cost = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), how);
    uint64_t n, r, p;
    bool ok = !cost || (ASN1_INTEGER_get_uint64(&n, cost->costParameter) > 0 &&
                        ASN1_INTEGER_get_uint64(&r, cost->blockSize) > 0 &&
                        ASN1_INTEGER_get_uint64(&p, cost->parallelizationParameter) > 0 &&
                        n <= KEY_SCRYPT_MAX && r <= KEY_SCRYPT_MAX && p <= KEY_SCRYPT_MAX &&
                        n * r <= KEY_SCRYPT_MAX && n * r * p <= KEY_SCRYPT_MAX);

    SCRYPT_PARAMS_free(cost);
    return ok;
}

static bool is_cheap_pbes2(const ASN1_TYPE *how)
{
    PBE2PARAM *pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), how);
    bool ok = true;

    if (!pbe)
        return true;
    if (OBJ_obj2nid(pbe->keyfunc->algorithm) == NID_id_pbkdf2) {
        PBKDF2PARAM *kdf =
            ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), pbe->keyfunc->parameter);
        ok = !kdf || is_at_most(kdf->iter, KEY_ITERATIONS_MAX);
        PBKDF2PARAM_free(kdf);
    } else if (OBJ_obj2nid(pbe->keyfunc->algorithm) == NID_id_scrypt) {
        ok = is_cheap_scrypt(pbe->keyfunc->parameter);
    }
    PBE2PARAM_free(pbe);
    return ok;
}

/* What an EncryptedPrivateKeyInfo asks of who opens it; anything else costs nothing. */
static bool is_cheap(const unsigned char *der, long len)
{
    X509_SIG *sealed = d2i_X509_SIG(NULL, &der, len);
    const X509_ALGOR *how = NULL;
    bool ok = true;

    if (!sealed)
        return true;
    X509_SIG_get0(sealed, &how, NULL);
    if (OBJ_obj2nid(how->algorithm) == NID_pbes2) {
        ok = is_cheap_pbes2(how->parameter);
    } else {
        PBEPARAM *pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), how->parameter);
        ok = !pbe || is_at_most(pbe->iter, KEY_ITERATIONS_MAX);
        PBEPARAM_free(pbe);
    }
    X509_SIG_free(sealed);
    return ok;
}

static bool is_cheap_pem(struct span text)
{
    BIO *in = BIO_new_mem_buf(text.data, (int)text.len);
    bool ok = in != NULL, goes_on = ok;

    while (ok && goes_on) {
        char *name = NULL, *header = NULL;
        unsigned char *der = NULL;
        long len = 0;
        goes_on = PEM_read_bio(in, &name, &header, &der, &len) > 0;
        ok = !goes_on || is_cheap(der, len);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    }
    BIO_free(in);
    return ok;
}

/* ---- reading ---- */

struct asking {
    const struct span *passphrase;
    bool was_missing;
};

static int ask(char *to, int size, int is_written, void *data)
{
    struct asking *asking = data;

    (void)is_written;
    if (!asking->passphrase) {
        asking->was_missing = true;
        return -1;
    }
    if (asking->passphrase->len > (size_t)size)
        return -1;
    memcpy(to, asking->passphrase->data, asking->passphrase->len);
    return (int)asking->passphrase->len;
}

static enum key_result outcome(EVP_PKEY *key, const struct asking *asking)
{
    if (key)
        return KEY_OK;
    return asking->was_missing ? KEY_NEEDS_PASSPHRASE : KEY_REFUSED;
}

/* PKCS #8, in the open or behind a passphrase. */
static EVP_PKEY *read_pkcs8(struct span der, struct asking *asking)
{
    const unsigned char *at = (const unsigned char *)der.data;
    X509_SIG *sealed;
    PKCS8_PRIV_KEY_INFO *info = NULL;
    EVP_PKEY *key;

    ERR_set_mark();
    sealed = d2i_X509_SIG(NULL, &at, (long)der.len);
    ERR_pop_to_mark();
    if (sealed) {
        BIO *in = BIO_new_mem_buf(der.data, (int)der.len);
        key = in ? d2i_PKCS8PrivateKey_bio(in, NULL, ask, asking) : NULL;
        BIO_free(in);
    } else {
        at = (const unsigned char *)der.data;
        info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
        key = info ? EVP_PKCS82PKEY(info) : NULL;
    }
    X509_SIG_free(sealed);
    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

enum key_result key_read_private(struct span text, const struct key_form *form, EVP_PKEY **ret_key)
{
    struct asking asking = {form->passphrase, false};
    const unsigned char *at = (const unsigned char *)text.data;
    EVP_PKEY *key = NULL;

    if (text.len > KEY_TEXT_MAX)
        return KEY_TOO_MUCH;
    ERR_set_mark();
    if (form->format == KEY_PEM ? !is_cheap_pem(text) : !is_cheap(at, (long)text.len))
        return KEY_TOO_MUCH;
    ERR_pop_to_mark();
    if (form->format == KEY_PEM) {
        BIO *in = BIO_new_mem_buf(text.data, (int)text.len);
        key = in ? PEM_read_bio_PrivateKey(in, NULL, ask, &asking) : NULL;
        BIO_free(in);
    } else if (form->type == KEY_PKCS1) {
        key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, (long)text.len);
    } else if (form->type == KEY_SEC1) {
        key = d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, (long)text.len);
    } else {
        key = read_pkcs8(text, &asking);
    }
    return judged(outcome(key, &asking), key, ret_key);
}

static EVP_PKEY *of_certificate(const unsigned char **at, long len)
{
    X509 *certificate = d2i_X509(NULL, at, len);
    EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;

    X509_free(certificate);
    return key;
}

static EVP_PKEY *of_public(const unsigned char **at, long len)
{
    return d2i_PUBKEY(NULL, at, len);
}

static EVP_PKEY *of_rsa(const unsigned char **at, long len)
{
    return d2i_PublicKey(EVP_PKEY_RSA, NULL, at, len);
}

/* *ret_has: there is a block of one of the public kinds, whatever is in it. */
static EVP_PKEY *read_public_pem(struct span text, struct asking *asking, bool *ret_has)
{
    static const struct {
        const char *name;
        EVP_PKEY *(*read)(const unsigned char **at, long len);
    } kinds[] = {
        {"PUBLIC KEY", of_public}, {"RSA PUBLIC KEY", of_rsa}, {"CERTIFICATE", of_certificate}};
    EVP_PKEY *key = NULL;

    *ret_has = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !*ret_has; i++) {
        BIO *in = BIO_new_mem_buf(text.data, (int)text.len);
        unsigned char *der = NULL;
        const unsigned char *at;
        long len = 0;
        ERR_set_mark();
        *ret_has = in && PEM_bytes_read_bio(&der, &len, NULL, kinds[i].name, in, ask, asking) > 0;
        ERR_pop_to_mark();
        at = der;
        if (*ret_has)
            key = kinds[i].read(&at, len);
        OPENSSL_free(der);
        BIO_free(in);
    }
    return key;
}

/* PKCS #1 has no mark of its own: a private key begins with its version, a public one with n. */
static bool is_private_pkcs1(struct span der)
{
    const unsigned char *at = (const unsigned char *)der.data, *from;
    long len = 0;
    int tag, class;

    return der.len > 0 && ASN1_get_object(&at, &len, &tag, &class, (long)der.len) == 0x20 &&
           tag == V_ASN1_SEQUENCE && (from = at, true) &&
           ASN1_get_object(&at, &len, &tag, &class, len) == 0 && tag == V_ASN1_INTEGER &&
           len == 1 && at > from && *at <= 1;
}

enum key_result key_read_public(struct span text, const struct key_form *form, EVP_PKEY **ret_key)
{
    struct asking asking = {form->passphrase, false};
    const unsigned char *at = (const unsigned char *)text.data;
    EVP_PKEY *key = NULL;
    bool is_public = true;

    if (text.len > KEY_TEXT_MAX)
        return KEY_TOO_MUCH;
    if (form->format == KEY_PEM)
        key = read_public_pem(text, &asking, &is_public);
    else if (form->type == KEY_SPKI)
        key = of_public(&at, (long)text.len);
    else if (form->type == KEY_PKCS1 && !is_private_pkcs1(text))
        key = of_rsa(&at, (long)text.len);
    else
        is_public = false;
    return is_public ? judged(key ? KEY_OK : KEY_REFUSED, key, ret_key)
                     : key_read_private(text, form, ret_key);
}

/* ---- writing ---- */

static bool write_der(const char *name, const struct key_form *form, const unsigned char *der,
                      int len, BIO *out)
{
    if (len <= 0)
        return false;
    return form->format == KEY_PEM ? PEM_write_bio(out, name, "", der, len) > 0
                                   : BIO_write(out, der, len) == len;
}

enum key_result key_write_public(EVP_PKEY *key, const struct key_form *form, BIO *out)
{
    bool is_pkcs1 = form->type == KEY_PKCS1, ok;
    unsigned char *der = NULL;
    int len;

    if (is_pkcs1 && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return KEY_REFUSED;
    len = is_pkcs1 ? i2d_PublicKey(key, &der) : i2d_PUBKEY(key, &der);
    ok = write_der(is_pkcs1 ? "RSA PUBLIC KEY" : "PUBLIC KEY", form, der, len, out);
    OPENSSL_free(der);
    return ok ? KEY_OK : KEY_REFUSED;
}

enum key_result key_write_private(EVP_PKEY *key, const struct key_form *form, BIO *out)
{
    const EVP_CIPHER *cipher = form->cipher ? EVP_get_cipherbyname(form->cipher) : NULL;
    const char *secret = form->passphrase ? form->passphrase->data : NULL;
    int secret_len = form->passphrase ? (int)form->passphrase->len : 0, len;
    int id = EVP_PKEY_get_base_id(key);
    unsigned char *der = NULL;
    bool ok;

    if (form->cipher && !cipher)
        return KEY_NO_CIPHER;
    if (cipher && (!secret || form->passphrase->len > KEY_TEXT_MAX))
        return KEY_REFUSED;
    if (form->type == KEY_PKCS8) {
        ok = (form->format == KEY_PEM
                  ? PEM_write_bio_PKCS8PrivateKey(out, key, cipher, secret, secret_len, NULL, NULL)
                  : i2d_PKCS8PrivateKey_bio(out, key, cipher, secret, secret_len, NULL, NULL)) > 0;
        return ok ? KEY_OK : KEY_REFUSED;
    }
    if (id != (form->type == KEY_PKCS1 ? EVP_PKEY_RSA : EVP_PKEY_EC))
        return KEY_REFUSED;
    if (cipher) {
        ok = form->format == KEY_PEM &&
             PEM_write_bio_PrivateKey_traditional(out, key, cipher, (const unsigned char *)secret,
                                                  secret_len, NULL, NULL) > 0;
        return ok ? KEY_OK : KEY_REFUSED;
    }
    len = i2d_PrivateKey(key, &der);
    ok = write_der(id == EVP_PKEY_RSA ? "RSA PRIVATE KEY" : "EC PRIVATE KEY", form, der, len, out);
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    return ok ? KEY_OK : KEY_REFUSED;
}

/* ---- numbers ---- */

static enum key_result build(const char *kind, OSSL_PARAM_BLD *parts, bool is_private,
                             EVP_PKEY **ret_key)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
    EVP_PKEY_CTX *ctx = params ? EVP_PKEY_CTX_new_from_name(NULL, kind, NULL) : NULL;
    EVP_PKEY *key = NULL;
    int what = is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    bool ok =
        ctx && EVP_PKEY_fromdata_init(ctx) > 0 && EVP_PKEY_fromdata(ctx, &key, what, params) > 0;

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return judged(ok ? KEY_OK : KEY_REFUSED, key, ret_key);
}

enum key_result key_from_rsa(const struct span numbers[KEY_RSA_NUMBERS], EVP_PKEY **ret_key)
{
    static const char *const names[KEY_RSA_NUMBERS] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
        OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
    BIGNUM *held[KEY_RSA_NUMBERS] = {NULL};
    enum key_result result = parts ? KEY_OK : KEY_REFUSED;
    bool is_private = numbers[2].len > 0;

    for (int i = 0; i < (is_private ? KEY_RSA_NUMBERS : 2) && result == KEY_OK; i++) {
        if (numbers[i].len == 0)
            result = KEY_REFUSED;
        else if (numbers[i].len > KEY_BITS_MAX / 8 + 1)
            result = KEY_TOO_MUCH;
        else {
            held[i] = BN_bin2bn((const unsigned char *)numbers[i].data, (int)numbers[i].len, NULL);
            if (!held[i] || !OSSL_PARAM_BLD_push_BN(parts, names[i], held[i]))
                result = KEY_REFUSED;
        }
    }
    if (result == KEY_OK)
        result = build("RSA", parts, is_private, ret_key);
    OSSL_PARAM_BLD_free(parts);
    for (int i = 0; i < KEY_RSA_NUMBERS; i++)
        BN_clear_free(held[i]);
    return result;
}

/* The halves are of one key, and the point is on the curve. */
static bool is_sound(EVP_PKEY *key, bool is_private)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool ok =
        ctx && EVP_PKEY_public_check(ctx) > 0 && (!is_private || EVP_PKEY_pairwise_check(ctx) > 0);

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

enum key_result key_from_curve(const char *curve, struct span point, struct span d,
                               EVP_PKEY **ret_key)
{
    OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
    BIGNUM *number = NULL;
    EVP_PKEY *key = NULL;
    enum key_result result = KEY_REFUSED;

    if (point.len < KEY_TEXT_MAX && d.len < KEY_TEXT_MAX && parts &&
        OSSL_PARAM_BLD_push_utf8_string(parts, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) &&
        OSSL_PARAM_BLD_push_octet_string(parts, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len))
        result = KEY_OK;
    if (result == KEY_OK && d.len > 0) {
        number = BN_bin2bn((const unsigned char *)d.data, (int)d.len, NULL);
        if (!number || !OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_PRIV_KEY, number))
            result = KEY_REFUSED;
    }
    if (result == KEY_OK)
        result = build("EC", parts, d.len > 0, &key);
    OSSL_PARAM_BLD_free(parts);
    BN_clear_free(number);
    if (result == KEY_OK && !is_sound(key, d.len > 0)) {
        EVP_PKEY_free(key);
        result = KEY_REFUSED;
    }
    if (result == KEY_OK)
        *ret_key = key;
    return result;
}

enum key_result key_from_raw(const char *name, bool is_private, struct span raw, EVP_PKEY **ret_key)
{
    const unsigned char *bytes = (const unsigned char *)raw.data;
    EVP_PKEY *key = is_private ? EVP_PKEY_new_raw_private_key_ex(NULL, name, NULL, bytes, raw.len)
                               : EVP_PKEY_new_raw_public_key_ex(NULL, name, NULL, bytes, raw.len);

    return judged(key ? KEY_OK : KEY_REFUSED, key, ret_key);
}
