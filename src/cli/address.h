/* address.h - where to listen, as people write it: "[http://|https://|redirect://]HOST:PORT".
 *
 * HOST is an IPv4 address, an IPv6 address in brackets, "localhost" (both of its addresses) or "*" (every
 * address of the machine).  PORT 0 takes any.  redirect: plain HTTP, whose every answer leads to
 * https on port 443. */
#ifndef CORRAL_CLI_ADDRESS_H
#define CORRAL_CLI_ADDRESS_H

#include <stdbool.h>

#include "base/err.h"

enum address_scheme { ADDRESS_ANY, ADDRESS_HTTP, ADDRESS_HTTPS, ADDRESS_REDIRECT };

struct address {
    enum address_scheme scheme; /* ANY: none was written */
    char host[64];              /* "127.0.0.1", "::1", "localhost", "*" */
    int port;
};

/* ERR_INVALID. */
int address_parse(const char *text, struct address *ret, struct err *err) MUST_CHECK;
/* Can only this machine reach it? */
bool address_is_loopback(const struct address *address);

#endif
