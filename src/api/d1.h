/* d1.h - what the D1 endpoints share.
 *
 * A database is found in the desk's thread, among those of the call's account and no others; its
 * store is asked on the loop. */
#ifndef CORRAL_API_D1_H
#define CORRAL_API_D1_H

#include "api/inside.h"
#include "catalog/database.h"
#include "keeper/errand.h"

enum { /* Cloudflare's codes */
       D1_MALFORMED = 7400,
       D1_NO_DATABASE = 7404,
       D1_TOO_MANY = 7406,
       D1_FAILED = 7500,
       D1_EXISTS = 7502,
};

enum { D1_DATABASES_MAX = 10000 }; /* of an account */

/* In the desk: the one that the parameter `database` names, by uuid or name.  false: it is
 * answered. */
bool d1_look_up(struct api_call *call, struct catalog *catalog, struct database *ret);
/* On the loop: a call on its store; the errand's `done` answers.  false: it is answered. */
bool d1_start(struct api_call *call, const struct errand_spec *spec, struct errand **ret_errand);
/* What a store could not do. */
void d1_fail_call(struct api_call *call, const struct err *err);

/* "2026-11-22T07:08:59.000Z" with microseconds; out[28]. */
void d1_time(const char *created_at, char out[28]);

#endif
