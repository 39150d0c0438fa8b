/* guard.h - whom a transfer connects to: asked on the very address that was resolved, as the socket
 * to it is made.
 *
 * So neither a name that means something else at the second look, nor a redirect, nor any spelling
 * of an address passes it.  With a proxy it is the proxy's address that counts.  A connection that
 * is used again was asked about when it was made, by the same rules: they stay as long as the node
 * runs.
 *
 * Inside of transfer.c. */
#ifndef CORRAL_SERVICE_GUARD_H
#define CORRAL_SERVICE_GUARD_H

#include "service/transfer.h"

enum {
    GUARD_LOG_MS = 10 * 1000, /* between two lines about one account */
};

/* url: where it connects to, the proxy's if there is one.  ERR_INVALID: libcurl does not read it.
 */
int guard_set(struct transfer *t, const char *url, struct err *err) MUST_CHECK;
/* Was it kept from connecting?  Then the words for it, as transfer.c's describe(). */
bool guard_has_barred(const struct transfer *t);
int guard_describe(const struct transfer *t, char *text, size_t max);

#endif
