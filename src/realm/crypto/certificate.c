/* certificate.c - see certificate.h.
 *
 * A list of names is text with commas between: names with commas, quotes and the like in them
 * are written as strings of JSON, as Node.js does it. */
#include "realm/crypto/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

static int no_passphrase(char *to, int size, int is_written, void *data)
{
    (void)to, (void)size, (void)is_written, (void)data;
    return -1;
}

X509 *certificate_read(struct span text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    BIO *in = text.len <= CERTIFICATE_MAX ? BIO_new_mem_buf(text.data, (int)text.len) : NULL;
    X509 *certificate = in ? PEM_read_bio_X509(in, NULL, no_passphrase, NULL) : NULL;

    BIO_free(in);
    if (certificate || text.len > CERTIFICATE_MAX)
        return certificate;
    return d2i_X509(NULL, &at, (long)text.len);
}

static bool is_plain(const unsigned char *text, int len)
{
    for (int i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~' || strchr("\",'\\", text[i]))
            return false;
    return true;
}

static void print_value(const char *kind, const unsigned char *text, int len, BIO *out)
{
    BIO_puts(out, kind);
    if (is_plain(text, len)) {
        BIO_write(out, text, len);
        return;
    }
    BIO_puts(out, "\"");
    for (int i = 0; i < len; i++)
        if (text[i] == '"' || text[i] == '\\')
            BIO_printf(out, "\\%c", text[i]);
        else if (text[i] < ' ' || text[i] > '~' || text[i] == ',' || text[i] == '\'')
            BIO_printf(out, "\\u%04x", text[i]);
        else
            BIO_write(out, text + i, 1);
    BIO_puts(out, "\"");
}

static void print_address(const ASN1_OCTET_STRING *address, BIO *out)
{
    const unsigned char *b = ASN1_STRING_get0_data(address);
    int len = ASN1_STRING_length(address);

    BIO_puts(out, "IP Address:");
    if (len == 4) {
        BIO_printf(out, "%d.%d.%d.%d", b[0], b[1], b[2], b[3]);
    } else if (len == 16) {
        for (int i = 0; i < 16; i += 2)
            BIO_printf(out, "%s%X", i ? ":" : "", b[i] << 8 | b[i + 1]);
    } else {
        BIO_printf(out, "<invalid length=%d>", len);
    }
}

static void print_directory(const X509_NAME *name, BIO *out)
{
    BIO *text = BIO_new(BIO_s_mem());
    unsigned char *bytes = NULL;

    if (text && X509_NAME_print_ex(text, name, 0,
                                   XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB &
                                       ~(unsigned long)ASN1_STRFLGS_ESC_CTRL) >= 0) {
        long len = BIO_get_mem_data(text, &bytes);
        print_value("DirName:", bytes, (int)len, out);
    }
    BIO_free(text);
}

static void print_name(const GENERAL_NAME *name, BIO *out)
{
    char number[128] = "";

    switch (name->type) {
    case GEN_DNS:
    case GEN_EMAIL:
    case GEN_URI:
        print_value(name->type == GEN_DNS     ? "DNS:"
                    : name->type == GEN_EMAIL ? "email:"
                                              : "URI:",
                    ASN1_STRING_get0_data(name->d.ia5), ASN1_STRING_length(name->d.ia5), out);
        break;
    case GEN_IPADD:
        print_address(name->d.iPAddress, out);
        break;
    case GEN_DIRNAME:
        print_directory(name->d.directoryName, out);
        break;
    case GEN_RID:
        OBJ_obj2txt(number, sizeof number, name->d.registeredID, 1);
        BIO_printf(out, "Registered ID:%s", number);
        break;
    default:
        BIO_puts(out, name->type == GEN_OTHERNAME ? "othername:<unsupported>"
                      : name->type == GEN_X400    ? "X400Name:<unsupported>"
                                                  : "EdiPartyName:<unsupported>");
        break;
    }
}

static bool print_names(X509 *certificate, BIO *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        if (i > 0)
            BIO_puts(out, ", ");
        print_name(sk_GENERAL_NAME_value(names, i), out);
    }
    GENERAL_NAMES_free(names);
    return names != NULL;
}

static bool print_access(X509 *certificate, BIO *out)
{
    AUTHORITY_INFO_ACCESS *all = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
    char method[128];

    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(all); i++) {
        const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(all, i);
        OBJ_obj2txt(method, sizeof method, one->method, 0);
        BIO_printf(out, "%s%s - ", i ? "\n" : "", method);
        print_name(one->location, out);
    }
    AUTHORITY_INFO_ACCESS_free(all);
    return all != NULL;
}

static bool print_usage(X509 *certificate, BIO *out)
{
    EXTENDED_KEY_USAGE *usage = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
    char number[128];

    for (int i = 0; i < sk_ASN1_OBJECT_num(usage); i++)
        if (OBJ_obj2txt(number, sizeof number, sk_ASN1_OBJECT_value(usage, i), 1) > 0)
            BIO_printf(out, "%s%s", i ? " " : "", number);
    EXTENDED_KEY_USAGE_free(usage);
    return usage != NULL;
}

static bool print_serial(X509 *certificate, BIO *out)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    bool ok = hex && BIO_puts(out, hex) > 0;

    OPENSSL_free(hex);
    BN_free(number);
    return ok;
}

bool certificate_print(X509 *certificate, enum certificate_part part, BIO *out)
{
    const unsigned long flags = ASN1_STRFLGS_ESC_2253 | ASN1_STRFLGS_ESC_CTRL |
                                ASN1_STRFLGS_UTF8_CONVERT | XN_FLAG_SEP_MULTILINE | XN_FLAG_FN_SN;

    switch (part) {
    case CERTIFICATE_SUBJECT:
        return X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, flags) > 0;
    case CERTIFICATE_ISSUER:
        return X509_NAME_print_ex(out, X509_get_issuer_name(certificate), 0, flags) > 0;
    case CERTIFICATE_FROM:
        return ASN1_TIME_print(out, X509_get0_notBefore(certificate)) > 0;
    case CERTIFICATE_TO:
        return ASN1_TIME_print(out, X509_get0_notAfter(certificate)) > 0;
    case CERTIFICATE_SERIAL:
        return print_serial(certificate, out);
    case CERTIFICATE_NAMES:
        return print_names(certificate, out);
    case CERTIFICATE_ACCESS:
        return print_access(certificate, out);
    case CERTIFICATE_USAGE:
        return print_usage(certificate, out);
    default:
        return false;
    }
}
