/* fuzz_certificate.c - any bytes as an X.509 certificate: what it says is printed, and a list of names keeps to its own commas. */
#include <openssl/err.h>
#include <stdint.h>
#include <stdlib.h>

#include "realm/crypto/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Outside of quotes there is nothing but what can be seen. */
static void check_names(const char *text, size_t len)
{
    bool is_quoted = false;

    for (size_t i = 0; i < len; i++) {
        if (is_quoted && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            is_quoted = !is_quoted;
        else if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
            abort();
    }
    if (is_quoted)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    X509 *certificate;

    if (len > 16 * 1024)
        return 0;
    certificate = certificate_read((struct span){(const char *)data, len});
    for (int part = CERTIFICATE_SUBJECT; certificate && part <= CERTIFICATE_USAGE; part++) {
        BIO *out = BIO_new(BIO_s_mem());
        char *text = NULL;
        if (certificate_print(certificate, (enum certificate_part)part, out) &&
            (part == CERTIFICATE_NAMES || part == CERTIFICATE_ACCESS)) {
            size_t n = (size_t)BIO_get_mem_data(out, &text);
            check_names(text, n);
        }
        BIO_free(out);
    }
    X509_free(certificate);
    ERR_clear_error();
    return 0;
}
