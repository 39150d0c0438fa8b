/* certificates.c - read certificates and keys, find one by name.
 *
 * Every SSL_CTX has the same settings, since a handshake begins with the first one's and changes
 * over to the one that the client's host name asks for.
 *
 * Who calls it: front.c (front_reload_tls), tls.c. */
#include "front/certificates.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"

struct certificate {
    SSL_CTX *ctx;
    char **names; /* in lower case */
    size_t count;
};

struct certificates {
    unsigned refs;
    size_t count;
    struct certificate items[];
};

static void certificate_done(struct certificate *c)
{
    for (size_t i = 0; i < c->count; i++)
        mem_free(c->names[i]);
    mem_free(c->names);
    SSL_CTX_free(c->ctx);
}

struct certificates *certificates_ref(struct certificates *set)
{
    set->refs++;
    return set;
}

void certificates_unref(struct certificates *set)
{
    if (!set || --set->refs > 0)
        return;
    for (size_t i = 0; i < set->count; i++)
        certificate_done(&set->items[i]);
    mem_free(set);
}

/* ---- names ---- */

static void lower(char *s)
{
    for (; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s | 0x20);
}

static int add_name(struct certificate *c, const char *name, size_t len, struct err *err)
{
    char **names, *copy;

    if (c->count == CERTIFICATE_NAMES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d host names", CERTIFICATE_NAMES_MAX);
    names = mem_resize(c->names, (c->count + 1) * sizeof *names);
    if (!names)
        return err_nomem(err);
    c->names = names;
    copy = mem_copy(name, len);
    if (!copy)
        return err_nomem(err);
    lower(copy);
    c->names[c->count++] = copy;
    return 0;
}

/* The DNS names that the certificate itself is for. */
static int add_own_names(struct certificate *c, struct err *err)
{
    X509 *x509 = SSL_CTX_get0_certificate(c->ctx);
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    int r = 0;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && r == 0; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        const char *text = (const char *)ASN1_STRING_get0_data(name->d.dNSName);
        size_t len = (size_t)ASN1_STRING_length(name->d.dNSName);
        if (!memchr(text, '\0', len))
            r = add_name(c, text, len, err);
    }
    GENERAL_NAMES_free(names);
    return r;
}

static bool is_wildcard_of(const char *name, struct span host)
{
    const char *dot = memchr(host.data, '.', host.len);

    return name[0] == '*' && name[1] == '.' && dot && dot > host.data &&
           span_is_nocase((struct span){dot, host.len - (size_t)(dot - host.data)}, name + 1);
}

SSL_CTX *certificates_find(const struct certificates *set, struct span host)
{
    const struct certificate *wild = NULL;

    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    for (size_t i = 0; i < set->count && host.len > 0; i++) {
        const struct certificate *c = &set->items[i];
        for (size_t j = 0; j < c->count; j++) {
            if (span_is_nocase(host, c->names[j]))
                return c->ctx;
            if (!wild && is_wildcard_of(c->names[j], host))
                wild = c;
        }
    }
    return wild ? wild->ctx : set->items[0].ctx;
}

/* ---- files ---- */

static const char *reason(void)
{
    unsigned long code = ERR_peek_error(); /* the innermost one */
    const char *text = ERR_reason_error_string(code);

    if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
        return "there is no PEM block of that kind in it";
    return text ? text : "it cannot be used";
}

/* A pipe would hold up the loop. */
static int check_file(const char *what, const char *file, struct stat *ret, struct err *err)
{
    FILE *f;

    if (stat(file, ret) < 0)
        return err_errno(err, errno, "read the %s '%s'", what, file);
    if (!S_ISREG(ret->st_mode))
        return err_set(err, ERR_INVALID, "read the %s '%s': it is no regular file", what, file);
    f = fopen(file, "re");
    if (!f)
        return err_errno(err, errno, "read the %s '%s'", what, file);
    fclose(f);
    return 0;
}

static int refuse_password(char *buf, int size, int is_writing, void *self)
{
    bool *was_asked = self;

    (void)buf, (void)size, (void)is_writing;
    *was_asked = true;
    return -1;
}

static int load_key(SSL_CTX *ctx, const struct front_certificate *from, struct err *err)
{
    bool was_asked = false;
    unsigned long code;
    struct stat st;
    int r = check_file("key", from->key_file, &st, err);

    if (r < 0)
        return r;
    if (st.st_mode & S_IRWXO)
        log_warn("the key '%s' may be read by everybody on this machine: chmod o= '%s'",
                 from->key_file, from->key_file);
    SSL_CTX_set_default_passwd_cb(ctx, refuse_password);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, &was_asked);
    r = SSL_CTX_use_PrivateKey_file(ctx, from->key_file, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
    if (r == 1)
        return 0;
    code = ERR_peek_last_error();
    if (was_asked) {
        err_set(err, ERR_INVALID, "the key '%s' has a password", from->key_file);
        return err_hint(err, "openssl pkey -in '%s' writes one without", from->key_file);
    }
    if (ERR_GET_LIB(code) == ERR_LIB_X509)
        return err_set(err, ERR_INVALID, "the key '%s' does not belong to the certificate '%s'",
                       from->key_file, from->cert_file);
    return err_set(err, ERR_INVALID, "read the key '%s': %s", from->key_file, reason());
}

static int load_certificate(SSL_CTX *ctx, const char *file, struct err *err)
{
    struct stat st;
    int r = check_file("certificate", file, &st, err);

    if (r < 0)
        return r;
    if (SSL_CTX_use_certificate_chain_file(ctx, file) != 1)
        return err_set(err, ERR_INVALID, "read the certificate '%s': %s", file, reason());
    if (X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(ctx))) < 0)
        log_warn("the certificate '%s' has expired", file);
    return 0;
}

/* ---- settings ---- */

static int choose_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                           const unsigned char *offered, unsigned offered_len, void *self)
{
    static const unsigned char HTTP11[] = "\x08http/1.1";

    (void)ssl, (void)self;
    /* A client that can speak something else only is told so. */
    if (SSL_select_next_proto((unsigned char **)ret, ret_len, HTTP11, sizeof HTTP11 - 1, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

/* The handshake's tls.c knows the set: its SSL's app data. */
static int choose_certificate(SSL *ssl, int *alert, void *self)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    struct certificates *const *set = SSL_get_app_data(ssl);

    (void)alert, (void)self;
    if (!name)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_SSL_CTX(ssl, certificates_find(*set, span_of(name)));
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *context_new(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (!ctx)
        return NULL;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Tickets carry what a session needs: nothing is kept here. */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    SSL_CTX_set_tlsext_servername_callback(ctx, choose_certificate);
    if (SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"corral", 6) == 1 &&
        SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static int load_one(struct certificate *c, const struct front_certificate *from, struct err *err)
{
    int r;

    ERR_clear_error();
    c->ctx = context_new();
    if (!c->ctx)
        return err_nomem(err);
    r = load_certificate(c->ctx, from->cert_file, err);
    r = r < 0 ? r : load_key(c->ctx, from, err);
    if (r == 0 && !from->hosts)
        r = add_own_names(c, err);
    for (size_t i = 0; r == 0 && from->hosts && from->hosts[i]; i++)
        r = add_name(c, from->hosts[i], strlen(from->hosts[i]), err);
    ERR_clear_error();
    return r;
}

int certificates_load(const struct front_certificate *list, size_t count,
                      struct certificates **ret_set, struct err *err)
{
    struct certificates *set;
    int r = 0;

    if (count == 0)
        return err_set(err, ERR_INVALID, "TLS needs a certificate and its key");
    if (count > CERTIFICATES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d certificates", CERTIFICATES_MAX);
    set = mem_alloc(sizeof *set + count * sizeof *set->items);
    if (!set)
        return err_nomem(err);
    set->refs = 1;
    for (size_t i = 0; i < count && r == 0; i++) {
        set->count++;
        r = load_one(&set->items[i], &list[i], err);
    }
    if (r < 0) {
        certificates_unref(set);
        return r;
    }
    *ret_set = set;
    return 0;
}
