/* account.h - who deploys here: accounts.
 *
 * A name is 1 to 64 bytes of UTF-8 without control characters, unique, and not 32 hexadecimal
 * digits.  A subdomain is a DNS label
 * (a-z, 0-9, '-', 1 to 63), unique; at first it is made from the name. */
#ifndef CORRAL_CATALOG_ACCOUNT_H
#define CORRAL_CATALOG_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include "catalog/catalog.h"

struct account {
    char id[ID_SIZE];
    char *name, *subdomain;
    int64_t created_ms;
};
void account_done(struct account *account);

struct accounts {
    struct account *items; /* by name */
    size_t count;
};
void accounts_done(struct accounts *accounts);

/* The one of this name, made if there is none. */
int account_need(struct catalog *catalog, const char *name, struct account *ret,
                 struct err *err) MUST_CHECK;
/* By id, or by name. */
int account_find(struct catalog *catalog, const char *id_or_name, struct account *ret,
                 struct err *err) MUST_CHECK;
int account_list(struct catalog *catalog, struct accounts *ret, struct err *err) MUST_CHECK;
/* ERR_LIMIT: it is another account's; ERR_INVALID: no DNS label. */
int account_set_subdomain(struct catalog *catalog, const char *id, const char *subdomain,
                          struct err *err) MUST_CHECK;

#endif
