/* kv.h - what the KV endpoints share. */
#ifndef CORRAL_API_KV_H
#define CORRAL_API_KV_H

#include "api/inside.h"
#include "catalog/namespace.h"
#include "service/kv.h"

enum { /* Cloudflare's codes */
       KV_NO_KEY = 10009,
       KV_NO_NAMESPACE = 10013,
       KV_EXISTS = 10014,
       KV_MALFORMED = 10012,
       KV_TOO_MUCH = 10026,
       KV_FAILED = 10001,
};

#define KV_NAMESPACE "/accounts/:account/storage/kv/namespaces/:namespace"

/* In the desk: the folder of the parameter `namespace`, to be freed.  false: it is answered. */
bool kv_look_up(struct api_call *call, struct catalog *catalog, char **ret_folder);
/* What kv.h's functions say. */
void kv_refuse(struct api_call *call, const struct err *err);
/* When a pair expires that asks for these (-1: not said), in seconds since the epoch; 0: never. */
int kv_expiry(int64_t expiration, int64_t ttl, int64_t *ret, struct err *err) MUST_CHECK;

#endif
