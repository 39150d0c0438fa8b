/* namespace.h - KV namespaces: what they are called, and where their values are.
 *
 *   DATA/accounts/ID/kv/NSID/     an SQLite database of its own, which only its store opens
 * (service/kv.h)
 *
 * A title is 1 to 512 bytes of UTF-8 without control characters, unique in its account. */
#ifndef CORRAL_CATALOG_NAMESPACE_H
#define CORRAL_CATALOG_NAMESPACE_H

#include <stddef.h>
#include <stdint.h>

#include "catalog/catalog.h"

enum {
    NAMESPACE_TITLE_MAX = 512,
    NAMESPACES_MAX = 1000, /* of an account */
};

struct namespace
{
    char id[ID_SIZE];
    char *title;
    int64_t created_ms;
};
void namespace_done(struct namespace *ns);
struct namespaces {
    struct namespace *items; /* by title */
    size_t count;
};
void namespaces_done(struct namespaces *list);

/* With its folder.  ERR_LIMIT: there is one of that title; ERR_GONE: NAMESPACES_MAX. */
int namespace_create(struct catalog *catalog, const char *account_id, const char *title,
                     struct namespace *ret, struct err *err) MUST_CHECK;
int namespace_find(struct catalog *catalog, const char *account_id, const char *id,
                   struct namespace *ret, struct err *err) MUST_CHECK;
int namespace_list(struct catalog *catalog, const char *account_id, struct namespaces *ret,
                   struct err *err) MUST_CHECK;
int namespace_rename(struct catalog *catalog, const char *account_id, const char *id,
                     const char *title, struct err *err) MUST_CHECK;
/* With all that is in it, also when its store has it open. */
int namespace_delete(struct catalog *catalog, const char *account_id, const char *id,
                     struct err *err) MUST_CHECK;
/* DATA/accounts/ID/kv/NSID, to be freed. */
int namespace_folder(struct catalog *catalog, const char *account_id, const char *id,
                     char **ret_folder, struct err *err) MUST_CHECK;

#endif
