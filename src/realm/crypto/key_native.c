/* key_native.c - key.h for sdk/js/node.js: keys of node:crypto in and out, what they are, new ones.
 *
 * A key here is the object of pkey.c, which is checked wherever one comes in.
 * What is refused is answered with a number of enum key_result, or with a
 * string: what the library said. */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/mem.h"
#include "realm/crypto/crypto.h"
#include "realm/crypto/key.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"
#include "realm/web/web.h"

static JSValueRef refusal(enum key_result result)
{
    if (result == KEY_REFUSED)
        return crypto_reason();
    ERR_clear_error();
    return engine_number(result);
}

static struct key_form form_of(const JSValueRef format_and_type[2], JSValueRef passphrase,
                               struct span *room)
{
    struct key_form form = {engine_number_of(format_and_type[0]) == 0 ? KEY_PEM : KEY_DER,
                            (enum key_type)engine_number_of(format_and_type[1]), NULL, NULL};

    if (web_bytes(passphrase, room))
        form.passphrase = room;
    return form;
}

/* keyRead(is_private, format, type, bytes, passphrase or undefined) -> key, or what is wrong */
static JSValueRef read_key(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct span text = crypto_bytes(arguments[3]), room;
    struct key_form form = form_of(arguments + 1, arguments[4], &room);
    EVP_PKEY *key = NULL;
    enum key_result result;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    ERR_clear_error();
    result = JSValueToBoolean(js, arguments[0]) ? key_read_private(text, &form, &key)
                                                : key_read_public(text, &form, &key);
    return result == KEY_OK ? crypto_wrap(key) : refusal(result);
}

/* keyWrite(is_private, format, type, key, passphrase or undefined, cipher or "") -> Uint8Array, or what is wrong */
static JSValueRef write_key(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                            const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_PKEY *key = crypto_pkey(arguments[3]);
    struct span room;
    struct key_form form = form_of(arguments + 1, arguments[4], &room);
    BIO *out = BIO_new(BIO_s_secmem());
    enum key_result result = KEY_REFUSED;
    char cipher[32], *text = NULL, *copy;
    JSValueRef answer;
    long len;

    (void)function, (void)self, (void)count;
    ERR_clear_error();
    crypto_name(arguments[5], cipher);
    form.cipher = cipher[0] ? cipher : NULL;
    if (out && key)
        result = JSValueToBoolean(js, arguments[0]) ? key_write_private(key, &form, out)
                                                    : key_write_public(key, &form, out);
    if (result != KEY_OK) {
        BIO_free(out);
        return refusal(result);
    }
    len = BIO_get_mem_data(out, &text);
    copy = mem_copy(text, (size_t)len);
    answer = copy ? crypto_take((unsigned char *)copy, (size_t)len, ret_thrown)
                  : crypto_nomem(ret_thrown);
    BIO_free(out);
    return answer;
}

static JSValueRef made(enum key_result result, EVP_PKEY *take_key)
{
    return result == KEY_OK ? crypto_wrap(take_key) : refusal(result);
}

/* keyFromRsa(n, e, d, p, q, dp, dq, qi): all but two empty in a public one -> key, or what is wrong */
static JSValueRef from_rsa(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    struct span numbers[KEY_RSA_NUMBERS];
    EVP_PKEY *key = NULL;
    enum key_result result;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    ERR_clear_error();
    for (int i = 0; i < KEY_RSA_NUMBERS; i++)
        numbers[i] = crypto_bytes(arguments[i]);
    result = key_from_rsa(numbers, &key);
    return made(result, key);
}

/* keyFromCurve(curve, point, d or empty) -> key, or what is wrong */
static JSValueRef from_curve(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    char curve[32];
    EVP_PKEY *key = NULL;
    enum key_result result;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    ERR_clear_error();
    result = key_from_curve(crypto_name(arguments[0], curve), crypto_bytes(arguments[1]),
                            crypto_bytes(arguments[2]), &key);
    return made(result, key);
}

/* keyFromRaw(name, is_private, bytes) -> key, or what is wrong */
static JSValueRef from_raw(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    char name[32];
    EVP_PKEY *key = NULL;
    enum key_result result;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    ERR_clear_error();
    result = key_from_raw(crypto_name(arguments[0], name), JSValueToBoolean(js, arguments[1]),
                          crypto_bytes(arguments[2]), &key);
    return made(result, key);
}

/* keyPart(key, name, least length) -> Uint8Array, big end first; undefined: it has no such part */
static JSValueRef part(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_PKEY *key = crypto_pkey(arguments[0]);
    char name[32];
    int least = (int)engine_number_of(arguments[2]), len;
    BIGNUM *number = NULL;
    unsigned char *out;

    (void)js, (void)function, (void)self, (void)count;
    crypto_name(arguments[1], name);
    if (!key || EVP_PKEY_get_bn_param(key, name, &number) <= 0)
        return crypto_refused();
    len = BN_num_bytes(number) > least ? BN_num_bytes(number) : least;
    out = mem_alloc((size_t)len + 1);
    if (!out || BN_bn2binpad(number, out, len) < 0) {
        mem_free(out);
        BN_clear_free(number);
        return crypto_nomem(ret_thrown);
    }
    BN_clear_free(number);
    return crypto_take(out, (size_t)len, ret_thrown);
}

/* keyRaw(key, is_private) -> Uint8Array; undefined: it has no such form */
static JSValueRef raw(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                      const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_PKEY *key = crypto_pkey(arguments[0]);
    unsigned char *out = mem_alloc(64);
    size_t len = 64;

    (void)function, (void)self, (void)count;
    if (!out)
        return crypto_nomem(ret_thrown);
    if (!key ||
        (JSValueToBoolean(js, arguments[1]) ? EVP_PKEY_get_raw_private_key(key, out, &len)
                                            : EVP_PKEY_get_raw_public_key(key, out, &len)) <= 0) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, len, ret_thrown);
}

/* What RSA-PSS keys are bound to: " sha256 sha256 32", or "". */
static void append_pss(EVP_PKEY *key, char *out, size_t room)
{
    char hash[32] = "", mgf[32] = "";
    int salt = -1, has;

    /* What is as usual (RFC 8017) is not said. */
    has = EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_RSA_DIGEST, hash, sizeof hash, NULL);
    has += EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, mgf, sizeof mgf,
                                          NULL);
    has += EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, &salt);
    if (has > 0)
        snprintf(out, room, " %s %s %d", hash[0] ? hash : "SHA1", mgf[0] ? mgf : "SHA1",
                 salt < 0 ? 20 : salt);
}

/* keyKind(key) -> "rsa 2048", "rsa-pss 2048 SHA256 SHA256 32", "dsa 2048 256", "ec prime256v1", "ed25519" ... */
static JSValueRef kind(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_PKEY *key = crypto_pkey(arguments[0]);
    char text[160] = "", more[96] = "", curve[64] = "";
    int id = key ? EVP_PKEY_get_base_id(key) : 0, bits = key ? EVP_PKEY_get_bits(key) : 0;
    BIGNUM *q = NULL;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    switch (id) {
    case EVP_PKEY_RSA:
        snprintf(text, sizeof text, "rsa %d", bits);
        break;
    case EVP_PKEY_RSA_PSS:
        append_pss(key, more, sizeof more);
        snprintf(text, sizeof text, "rsa-pss %d%s", bits, more);
        break;
    case EVP_PKEY_DSA:
        if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_FFC_Q, &q) > 0)
            snprintf(text, sizeof text, "dsa %d %d", bits, BN_num_bits(q));
        BN_free(q);
        break;
    case EVP_PKEY_EC:
        EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve, NULL);
        snprintf(text, sizeof text, "ec %s", curve);
        break;
    case EVP_PKEY_DH:
    case EVP_PKEY_DHX:
        snprintf(text, sizeof text, "dh %d", bits);
        break;
    default:
        snprintf(text, sizeof text, "%s",
                 id == EVP_PKEY_ED25519  ? "ed25519"
                 : id == EVP_PKEY_ED448  ? "ed448"
                 : id == EVP_PKEY_X25519 ? "x25519"
                 : id == EVP_PKEY_X448   ? "x448"
                                         : "");
        break;
    }
    ERR_clear_error();
    return text_value(span_of(text));
}

/* keyIsEqual(a, b): their public halves */
static JSValueRef is_equal(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EVP_PKEY *a = crypto_pkey(arguments[0]), *b = crypto_pkey(arguments[1]);
    bool same = a && b && EVP_PKEY_eq(a, b) == 1;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    ERR_clear_error();
    return JSValueMakeBoolean(js, same);
}

static bool set_pss(EVP_PKEY_CTX *ctx, const EVP_MD *hash, const EVP_MD *mgf, int salt_len)
{
    return (!hash || EVP_PKEY_CTX_set_rsa_pss_keygen_md(ctx, hash) > 0) &&
           (!mgf || EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(ctx, mgf) > 0) &&
           (salt_len < 0 || EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(ctx, salt_len) > 0);
}

/* keyMakeRsa(is_pss, bits, exponent, hash, mask's hash, salt or -1) -> key, or what is wrong */
static JSValueRef make_rsa(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    bool is_pss = JSValueToBoolean(js, arguments[0]);
    size_t bits = (size_t)engine_number_of(arguments[1]);
    unsigned exponent = (unsigned)engine_number_of(arguments[2]);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
                           OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
                           OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, is_pss ? "RSA-PSS" : "RSA", NULL);
    EVP_PKEY *key = NULL;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    ERR_clear_error();
    if (ctx && EVP_PKEY_keygen_init(ctx) > 0 && EVP_PKEY_CTX_set_params(ctx, params) > 0 &&
        (!is_pss || set_pss(ctx, crypto_hash(arguments[3]), crypto_hash(arguments[4]),
                            (int)engine_number_of(arguments[5]))))
        EVP_PKEY_generate(ctx, &key);
    EVP_PKEY_CTX_free(ctx);
    return made(key ? KEY_OK : KEY_REFUSED, key);
}

/* keyMake("ED25519" ...) or (the library's name of a curve) -> key, or what is wrong */
static JSValueRef make(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    char name[32];
    EVP_PKEY *key;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    ERR_clear_error();
    crypto_name(arguments[0], name);
    if (strcmp(name, "ED25519") == 0 || strcmp(name, "ED448") == 0 || strcmp(name, "X25519") == 0 ||
        strcmp(name, "X448") == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, name);
    else
        key = EVP_EC_gen(name);
    return made(key ? KEY_OK : KEY_REFUSED, key);
}

/* curveName(name) -> the library's name of it; undefined: there is none */
static JSValueRef curve_name(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                             const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    char name[32];
    int nid = EC_curve_nist2nid(crypto_name(arguments[0], name));
    EC_GROUP *group;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (nid == NID_undef)
        nid = OBJ_sn2nid(name);
    group = nid == NID_undef ? NULL : EC_GROUP_new_by_curve_name(nid);
    if (!group)
        return crypto_refused();
    EC_GROUP_free(group);
    return text_value(span_of(OBJ_nid2sn(nid)));
}

void crypto_define_key(void)
{
    engine_native("keyRead", read_key);
    engine_native("keyWrite", write_key);
    engine_native("keyFromRsa", from_rsa);
    engine_native("keyFromCurve", from_curve);
    engine_native("keyFromRaw", from_raw);
    engine_native("keyPart", part);
    engine_native("keyRaw", raw);
    engine_native("keyKind", kind);
    engine_native("keyIsEqual", is_equal);
    engine_native("keyMakeRsa", make_rsa);
    engine_native("keyMake", make);
    engine_native("curveName", curve_name);
}
