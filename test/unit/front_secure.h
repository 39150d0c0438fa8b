/* front_secure.h - certificates made on the spot, and a client that speaks TLS to a front. */
#ifndef CORRAL_TEST_FRONT_SECURE_H
#define CORRAL_TEST_FRONT_SECURE_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "front_client.h"

static char secure_folder[] = "/tmp/front_tls.XXXXXX";

static inline const char *secure_path(const char *name, const char *ending)
{
    static char paths[64][96];
    static int at;
    char *path = paths[at++ % 64];

    snprintf(path, sizeof paths[0], "%s/%s.%s", secure_folder, name, ending);
    return path;
}

static inline EVP_PKEY *secure_key(const char *name, const char *password)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    const char *path = secure_path(name, "key");
    FILE *f = fopen(path, "w");

    CHECK(f && key);
    CHECK(PEM_write_PrivateKey(f, key, password ? EVP_aes_128_cbc() : NULL,
                               (const unsigned char *)password, password ? (int)strlen(password) : 0,
                               NULL, NULL) == 1);
    fclose(f);
    chmod(path, 0600);
    return key;
}

/* NAME.crt and NAME.key, for "DNS:a.example,DNS:*.b.example"; names NULL: none. */
static inline void secure_make(const char *name, const char *names, const char *password)
{
    EVP_PKEY *key = secure_key(name, password);
    X509 *x = X509_new();
    X509_EXTENSION *extension;
    FILE *f = fopen(secure_path(name, "crt"), "w");

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, key);
    if (names) {
        extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
        CHECK(extension && X509_add_ext(x, extension, -1) == 1);
        X509_EXTENSION_free(extension);
    }
    CHECK(X509_sign(x, key, EVP_sha256()) > 0);
    CHECK(f && PEM_write_X509(f, x) == 1);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}

static inline struct front_certificate secure_files(const char *name)
{
    return (struct front_certificate){.cert_file = secure_path(name, "crt"),
                                      .key_file = secure_path(name, "key")};
}

/* ---- a client ---- */

struct secure {
    struct client c;
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;
    struct buf got;
    bool is_shaken, is_ended, is_broken;
};

struct secure_wish {
    const char *host, *alpn; /* alpn: with its length in front */
    int version;             /* the highest; 0: any */
    SSL_SESSION *session;
};

static inline struct secure secure_begin(struct secure_wish wish)
{
    struct secure s = {.c = {.fd = -1}, .ctx = SSL_CTX_new(TLS_client_method())};

    SSL_CTX_set_security_level(s.ctx, 0);
    SSL_CTX_set_min_proto_version(s.ctx, TLS1_VERSION);
    if (wish.version)
        SSL_CTX_set_max_proto_version(s.ctx, wish.version);
    s.ssl = SSL_new(s.ctx);
    s.in = BIO_new(BIO_s_mem());
    s.out = BIO_new(BIO_s_mem());
    SSL_set_bio(s.ssl, s.in, s.out);
    SSL_set_connect_state(s.ssl);
    if (wish.host)
        SSL_set_tlsext_host_name(s.ssl, wish.host);
    if (wish.alpn)
        SSL_set_alpn_protos(s.ssl, (const unsigned char *)wish.alpn, (unsigned)strlen(wish.alpn));
    if (wish.session)
        SSL_set_session(s.ssl, wish.session);
    return s;
}

static inline void secure_done(struct secure *s)
{
    if (s->c.fd >= 0)
        client_done(&s->c);
    SSL_free(s->ssl);
    SSL_CTX_free(s->ctx);
    buf_done(&s->got);
}

static inline bool secure_has(struct secure *s, const char *text)
{
    return buf_len(&s->got) > 0 &&
           memmem(buf_data(&s->got), buf_len(&s->got), text, strlen(text)) != NULL;
}

/* Go on with what has come. */
static inline void secure_step(struct secure *s)
{
    char room[16 * 1024];
    int n;

    do {
        ERR_clear_error();
        n = SSL_read(s->ssl, room, sizeof room);
        if (n > 0)
            CHECK(buf_append(&s->got, room, (size_t)n) == 0);
    } while (n > 0);
    s->is_shaken = SSL_is_init_finished(s->ssl);
    if (SSL_get_error(s->ssl, n) == SSL_ERROR_ZERO_RETURN)
        s->is_ended = true;
    else if (SSL_get_error(s->ssl, n) != SSL_ERROR_WANT_READ)
        s->is_broken = true;
    ERR_clear_error();
}

/* To and from the socket; most: bytes that are read at once, 0: none. */
static inline void secure_pump(struct secure *s, size_t most)
{
    static char room[64 * 1024];
    char *bytes;
    long n = BIO_get_mem_data(s->out, &bytes);
    ssize_t done = n > 0 ? send(s->c.fd, bytes, (size_t)n, MSG_NOSIGNAL) : 0;

    if (done > 0)
        CHECK(BIO_read(s->out, room, (int)(done > (ssize_t)sizeof room ? (ssize_t)sizeof room : done)) > 0);
    if (done > (ssize_t)sizeof room)
        for (ssize_t left = done - (ssize_t)sizeof room; left > 0;)
            left -= BIO_read(s->out, room, (int)(left > (ssize_t)sizeof room ? (ssize_t)sizeof room : left));
    if (most > 0 && !s->c.is_closed) {
        done = recv(s->c.fd, room, most < sizeof room ? most : sizeof room, 0);
        if (done > 0)
            BIO_write(s->in, room, (int)done);
        s->c.is_closed = done == 0 || (done < 0 && errno != EAGAIN);
        s->c.is_reset = done < 0 && errno != EAGAIN;
    }
    secure_step(s);
}

#define SECURE_UNTIL(s, cond) UNTIL((secure_pump((s), 64 * 1024), cond))

static inline struct secure secure_connect(struct secure_wish wish)
{
    struct secure s = secure_begin(wish);

    s.c = client_connect();
    SECURE_UNTIL(&s, s.is_shaken || s.is_broken || s.c.is_closed);
    return s;
}

static inline void secure_send(struct secure *s, const char *text)
{
    CHECK(SSL_write(s->ssl, text, (int)strlen(text)) == (int)strlen(text));
    secure_pump(s, 0);
}

/* The name that the server's certificate is made out to. */
static inline const char *secure_peer(struct secure *s)
{
    static char name[64];
    X509 *x = SSL_get1_peer_certificate(s->ssl);

    name[0] = '\0';
    if (x)
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof name);
    X509_free(x);
    return name;
}

#endif
