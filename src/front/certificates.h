/* certificates.h - certificates with their keys, and which of them a client's host name gets.
 *
 * A set is read whole or not at all, and never changes: reloading makes another one, and the connections that
 * have begun with the old one keep it alive.
 *
 * Shared: certificates_load gives the first reference.  Loop thread only. */
#ifndef CORRAL_FRONT_CERTIFICATES_H
#define CORRAL_FRONT_CERTIFICATES_H

#include <openssl/ssl.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"
#include "front/front.h"

enum { CERTIFICATES_MAX = 1000, CERTIFICATE_NAMES_MAX = 1000 };

struct certificates;

/* What is odd but no mistake (a key that others may read, a date that has passed) is a warning in the log. */
int certificates_load(const struct front_certificate *list, size_t count,
                      struct certificates **ret_set, struct err *err) MUST_CHECK;
struct certificates *certificates_ref(struct certificates *set);
void certificates_unref(struct certificates *set);

/* Exact names come before wildcards, of which "*.a.example" means one label more; the first certificate
 * is for everything else, and for "".  Borrowed. */
SSL_CTX *certificates_find(const struct certificates *set, struct span host);

#endif
