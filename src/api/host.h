/* host.h - which hosts beneath the node's own domain an account may lead to its workers. */
#ifndef CORRAL_API_HOST_H
#define CORRAL_API_HOST_H

#include "api/inside.h"

/* A route's pattern that was parsed, or the name of a custom domain.  Of DOMAIN and what is beneath
 * it an account has SUBDOMAIN.DOMAIN and what is beneath that; of the rest of the world everything
 * that no other account has.  false: the call is answered, with this code. */
bool host_is_free(struct api_call *call, const char *pattern, int code);

#endif
