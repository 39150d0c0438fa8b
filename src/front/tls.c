/* tls.c - an SSL between two buffers.
 *
 * OpenSSL reads and writes through a BIO of ours, whose sides are struct bufs: no byte is copied
 * once more than needed, and what is written is bounded by who calls tls_write.
 *
 * 1. tls_feed only stores; the work is done by tls_read, as far as its caller has room for plain
 * text.  That is the back-pressure: who stops reading stops feeding.
 * 2. Once BROKEN or ENDED nothing more is read.
 *
 * Who calls it: socket.c. */
#include "front/tls.h"

#include <openssl/err.h>

#include "base/mem.h"

struct tls {
    struct certificates *set; /* first: the SSL's app data points to it */
    SSL *ssl;
    struct buf in, out;
    enum tls_state state;
    bool has_begun; /* a byte has come */
    bool has_ended; /* close_notify is out */
    const char *problem;
};

/* ---- the BIO ---- */

static int bio_read(BIO *bio, char *room, int max)
{
    struct tls *tls = BIO_get_data(bio);
    size_t n = buf_len(&tls->in);

    BIO_clear_retry_flags(bio);
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (max <= 0)
        return 0;
    if (n > (size_t)max)
        n = (size_t)max;
    memcpy(room, buf_data(&tls->in), n);
    buf_eat(&tls->in, n);
    return (int)n;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    struct tls *tls = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    return len >= 0 && buf_append(&tls->out, bytes, (size_t)len) == 0 ? len : -1;
}

static long bio_ctrl(BIO *bio, int what, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return what == BIO_CTRL_FLUSH;
}

static const BIO_METHOD *bio_method(void)
{
    static BIO_METHOD *method;

    if (method)
        return method;
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "corral");
    if (method &&
        (BIO_meth_set_read(method, bio_read) != 1 || BIO_meth_set_write(method, bio_write) != 1 ||
         BIO_meth_set_ctrl(method, bio_ctrl) != 1)) {
        BIO_meth_free(method);
        method = NULL;
    }
    return method;
}

/* ---- birth and end ---- */

struct tls *tls_new(struct certificates *set)
{
    const BIO_METHOD *method = bio_method();
    struct tls *tls = mem_alloc(sizeof *tls);
    BIO *bio = NULL;

    if (!tls)
        return NULL;
    tls->set = certificates_ref(set);
    tls->ssl = SSL_new(certificates_find(set, SPAN("")));
    if (tls->ssl && method)
        bio = BIO_new(method);
    if (!bio) {
        tls_free(tls);
        return NULL;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio); /* both sides, one reference: the SSL's */
    SSL_set_app_data(tls->ssl, &tls->set);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    certificates_unref(tls->set);
    buf_done(&tls->in);
    buf_done(&tls->out);
    mem_free(tls);
}

/* ---- bytes ---- */

static bool is_over(const struct tls *tls)
{
    return tls->state != TLS_SHAKING && tls->state != TLS_OPEN;
}

int tls_feed(struct tls *tls, struct span bytes)
{
    char first = bytes.len > 0 ? bytes.data[0] : 0;

    if (is_over(tls) || bytes.len == 0)
        return 0;
    /* A handshake begins with the byte 22. */
    if (!tls->has_begun && first >= 'A' && first <= 'Z') {
        tls->state = TLS_PLAIN;
        return 0;
    }
    tls->has_begun = true;
    return buf_append(&tls->in, bytes.data, bytes.len);
}

bool tls_has_input(const struct tls *tls)
{
    return !is_over(tls) && (buf_len(&tls->in) > 0 || SSL_has_pending(tls->ssl));
}

static void note_problem(struct tls *tls)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());

    tls->state = TLS_BROKEN;
    tls->problem = text ? text : "the connection broke";
    ERR_clear_error();
}

size_t tls_read(struct tls *tls, char *room, size_t max)
{
    size_t n = 0;
    int r;

    if (is_over(tls))
        return 0;
    ERR_clear_error();
    r = SSL_read_ex(tls->ssl, room, max, &n);
    if (tls->state == TLS_SHAKING && SSL_is_init_finished(tls->ssl))
        tls->state = TLS_OPEN;
    if (r == 1)
        return n;
    switch (SSL_get_error(tls->ssl, r)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        break;
    case SSL_ERROR_ZERO_RETURN:
        tls->state = TLS_ENDED;
        break;
    default:
        note_problem(tls);
    }
    return 0;
}

int tls_write(struct tls *tls, struct span plain)
{
    size_t n;

    if (tls->state == TLS_SHAKING || tls->state == TLS_BROKEN || tls->has_ended)
        return ERR_GONE;
    ERR_clear_error();
    if (plain.len == 0 || SSL_write_ex(tls->ssl, plain.data, plain.len, &n) == 1)
        return 0;
    note_problem(tls);
    return ERR_GONE;
}

void tls_end(struct tls *tls)
{
    if (tls->has_ended || (tls->state != TLS_OPEN && tls->state != TLS_ENDED))
        return;
    tls->has_ended = true;
    ERR_clear_error();
    SSL_shutdown(tls->ssl); /* the alert, or no memory for it: then the close has to do */
    ERR_clear_error();
}

struct buf *tls_out(struct tls *tls)
{
    return &tls->out;
}

enum tls_state tls_state(const struct tls *tls)
{
    return tls->state;
}

struct span tls_version(const struct tls *tls)
{
    return tls->state == TLS_SHAKING || tls->state == TLS_PLAIN
               ? SPAN("")
               : span_of(SSL_get_version(tls->ssl));
}

const char *tls_problem(const struct tls *tls)
{
    return tls->problem ? tls->problem : "";
}

void tls_shrink(struct tls *tls)
{
    if (buf_len(&tls->in) == 0)
        buf_done(&tls->in);
    if (buf_len(&tls->out) == 0)
        buf_done(&tls->out);
}
