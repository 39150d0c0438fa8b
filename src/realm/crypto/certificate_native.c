/* certificate_native.c - certificate.h for sdk/js/node_keys.js, and the points of elliptic curves. */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"
#include "realm/crypto/certificate.h"
#include "realm/crypto/crypto.h"
#include "realm/crypto/key.h"
#include "realm/js/engine.h"
#include "realm/js/text.h"

static JSClassRef certificate_class;

static void finalize(JSObjectRef certificate)
{
    X509_free(JSObjectGetPrivate(certificate));
}

/* Borrowed; NULL: it is none. */
static X509 *certificate_of(JSValueRef value)
{
    if (!JSValueIsObjectOfClass(engine.context, value, certificate_class))
        return NULL;
    return JSObjectGetPrivate((JSObjectRef)value);
}

/* certificateRead(bytes) -> certificate, or a string: what the library said */
static JSValueRef read_one(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    X509 *certificate;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    ERR_clear_error();
    certificate = certificate_read(crypto_bytes(arguments[0]));
    if (!certificate)
        return crypto_reason();
    ERR_clear_error();
    return JSObjectMake(js, certificate_class, certificate);
}

/* certificateText(certificate, part) -> string; undefined: it says nothing of that */
static JSValueRef text_of(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                          const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    X509 *certificate = certificate_of(arguments[0]);
    enum certificate_part part = (enum certificate_part)engine_number_of(arguments[1]);
    BIO *out = BIO_new(BIO_s_mem());
    JSValueRef value = engine.undefined;
    char *text = NULL;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (out && certificate && certificate_print(certificate, part, out)) {
        size_t len = (size_t)BIO_get_mem_data(out, &text);
        value = text_value((struct span){text ? text : "", len});
    }
    BIO_free(out);
    ERR_clear_error();
    return value;
}

/* certificateDer(certificate) -> Uint8Array */
static JSValueRef der_of(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    X509 *certificate = certificate_of(arguments[0]);
    unsigned char *der = NULL;
    int len = certificate ? i2d_X509(certificate, &der) : -1;
    char *copy;

    (void)js, (void)function, (void)self, (void)count;
    if (len <= 0)
        return crypto_refused();
    copy = mem_copy((const char *)der, (size_t)len);
    OPENSSL_free(der);
    return copy ? crypto_take((unsigned char *)copy, (size_t)len, ret_thrown)
                : crypto_nomem(ret_thrown);
}

/* certificateKey(certificate) -> key; undefined: of no kind that is known here */
static JSValueRef key_of(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                         const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    X509 *certificate = certificate_of(arguments[0]);
    EVP_PKEY *key = certificate ? X509_get_pubkey(certificate) : NULL;

    (void)js, (void)function, (void)self, (void)count, (void)ret_thrown;
    if (key && key_judge(key) != KEY_OK) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return crypto_wrap(key);
}

/* certificateNames(certificate, kind, name as bytes, flags) -> the name that fits (kind 0: a host), true (1: an address of
 * mail, 2: an IP address, as text), undefined: it is not for that, or
 * false: that is no name */
static JSValueRef names(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                        const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    X509 *certificate = certificate_of(arguments[0]);
    int kind = (int)engine_number_of(arguments[1]), result = 0;
    struct span name = crypto_bytes(arguments[2]);
    unsigned flags = (unsigned)engine_number_of(arguments[3]);
    char address[64], *peer = NULL;
    JSValueRef value = engine.undefined;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (certificate && kind == 0)
        result = X509_check_host(certificate, name.data, name.len, flags, &peer);
    else if (certificate && kind == 1)
        result = X509_check_email(certificate, name.data, name.len, flags);
    else if (certificate && name.len < sizeof address) {
        memcpy(address, name.data, name.len);
        address[name.len] = 0;
        result = X509_check_ip_asc(certificate, address, flags);
    } else {
        result = -2;
    }
    if (result == -2)
        value = JSValueMakeBoolean(js, false);
    else if (result == 1)
        value = peer ? text_value(span_of(peer)) : JSValueMakeBoolean(js, true);
    OPENSSL_free(peer);
    ERR_clear_error();
    return value;
}

/* certificateFits(certificate, what, other) -> boolean: 0 this key has signed it, 1 this is its private key, 2 that
 * certificate's owner has issued it, 3 it is one of an authority */
static JSValueRef fits(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                       const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    X509 *certificate = certificate_of(arguments[0]), *other = certificate_of(arguments[2]);
    int what = (int)engine_number_of(arguments[1]);
    EVP_PKEY *key = crypto_pkey(arguments[2]);
    bool ok = false;

    (void)function, (void)self, (void)count, (void)ret_thrown;
    if (certificate && key && what == 0)
        ok = X509_verify(certificate, key) == 1;
    else if (certificate && key && what == 1)
        ok = X509_check_private_key(certificate, key) == 1;
    else if (certificate && other && what == 2)
        ok = X509_check_issued(other, certificate) == X509_V_OK;
    else if (certificate && what == 3)
        ok = X509_check_ca(certificate) == 1;
    ERR_clear_error();
    return JSValueMakeBoolean(js, ok);
}

/* ---- points ---- */

static JSValueRef point_value(const EC_GROUP *group, const EC_POINT *point, int form,
                              JSValueRef *ret_thrown)
{
    enum { POINT_MAX = 2 * 96 + 1 };
    unsigned char *out = mem_alloc(POINT_MAX);
    size_t len;

    if (!out)
        return crypto_nomem(ret_thrown);
    len = EC_POINT_point2oct(group, point, (point_conversion_form_t)form, out, POINT_MAX, NULL);
    if (len == 0) {
        mem_free(out);
        return crypto_refused();
    }
    return crypto_take(out, len, ret_thrown);
}

/* pointOf(curve, form 2 short, 4 long or 6 both, d or empty, point if d is empty) -> Uint8Array: d times the
 * generator, or the point itself; undefined: it is none, or d is no number for this curve */
static JSValueRef point_of(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                           const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    char curve[32];
    int form = (int)engine_number_of(arguments[1]);
    struct span d = crypto_bytes(arguments[2]), given = crypto_bytes(arguments[3]);
    int nid = OBJ_sn2nid(crypto_name(arguments[0], curve));
    EC_GROUP *group = nid == NID_undef ? NULL : EC_GROUP_new_by_curve_name(nid);
    EC_POINT *point = group ? EC_POINT_new(group) : NULL;
    BIGNUM *number = NULL;
    JSValueRef value = engine.undefined;
    bool ok = false;

    (void)js, (void)function, (void)self, (void)count;
    if (point && d.len > 0 && d.len <= 128) {
        number = BN_bin2bn((const unsigned char *)d.data, (int)d.len, NULL);
        ok = number && !BN_is_zero(number) && BN_cmp(number, EC_GROUP_get0_order(group)) < 0 &&
             EC_POINT_mul(group, point, number, NULL, NULL, NULL) > 0;
    } else if (point && d.len == 0) {
        ok = EC_POINT_oct2point(group, point, (const unsigned char *)given.data, given.len, NULL) >
                 0 &&
             !EC_POINT_is_at_infinity(group, point);
    }
    if (ok && (form == 2 || form == 4 || form == 6))
        value = point_value(group, point, form, ret_thrown);
    BN_clear_free(number);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    ERR_clear_error();
    return value;
}

/* curveNames() -> the library's names, with a space between */
static JSValueRef curve_names(JSContextRef js, JSObjectRef function, JSObjectRef self, size_t count,
                              const JSValueRef *arguments, JSValueRef *ret_thrown)
{
    EC_builtin_curve all[160];
    size_t n = EC_get_builtin_curves(all, sizeof all / sizeof *all), len = 0;
    char text[4096] = "";

    (void)js, (void)function, (void)self, (void)count, (void)arguments, (void)ret_thrown;
    for (size_t i = 0; i < n && i < sizeof all / sizeof *all; i++) {
        const char *name = OBJ_nid2sn(all[i].nid);
        if (name && len + strlen(name) + 2 < sizeof text)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", len ? " " : "", name);
    }
    return text_value((struct span){text, len});
}

void crypto_define_certificate(void)
{
    certificate_class = engine_class("Certificate", finalize);
    engine_native("certificateRead", read_one);
    engine_native("certificateText", text_of);
    engine_native("certificateDer", der_of);
    engine_native("certificateKey", key_of);
    engine_native("certificateNames", names);
    engine_native("certificateFits", fits);
    engine_native("pointOf", point_of);
    engine_native("curveNames", curve_names);
}
