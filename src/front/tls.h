/* tls.h - one connection's TLS, from bytes to bytes.
 *
 * What came from the socket goes in by tls_feed, what is to be sent there comes out of tls_out; between them is
 * the plain text: tls_read, tls_write.  Nothing here knows a socket.
 *
 * Ownership: tls_new / tls_free.  Loop thread only. */
#ifndef CORRAL_FRONT_TLS_H
#define CORRAL_FRONT_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "front/certificates.h"

struct tls;

enum tls_state {
    TLS_SHAKING, /* hands */
    TLS_OPEN,
    TLS_ENDED,   /* the client's close_notify: it sends no more, but may still read */
    TLS_BROKEN,  /* what came is no TLS, or not ours: tls_out has the alert */
    TLS_PLAIN,   /* the first byte is a letter: somebody speaks HTTP here.  Nothing was taken in */
};

/* NULL: no memory. */
struct tls *tls_new(struct certificates *set);
void tls_free(struct tls *tls);

/* Take bytes of the client's, all of them.  ERR_NOMEM. */
int tls_feed(struct tls *tls, struct span bytes) MUST_CHECK;
/* Are there bytes that tls_read has not looked at? */
bool tls_has_input(const struct tls *tls);
/* Go on with the handshake, or with what the client says: bytes of plain text put to `room`; 0: none now, see
 * tls_state. */
size_t tls_read(struct tls *tls, char *room, size_t max);
/* All of it, behind the handshake.  An error: the connection is over. */
int tls_write(struct tls *tls, struct span plain) MUST_CHECK;
/* Say that we send no more; once. */
void tls_end(struct tls *tls);
/* For the socket: the caller eats what it has sent. */
struct buf *tls_out(struct tls *tls);
enum tls_state tls_state(const struct tls *tls);
/* "TLSv1.3"; "" before the handshake's end. */
struct span tls_version(const struct tls *tls);
/* Why it is BROKEN. */
const char *tls_problem(const struct tls *tls);
/* Nothing is going on: give memory back. */
void tls_shrink(struct tls *tls);

#endif
