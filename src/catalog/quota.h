/* quota.h - how much accounts and workers may use, and what they have used. */
#ifndef CORRAL_CATALOG_QUOTA_H
#define CORRAL_CATALOG_QUOTA_H

#include <stddef.h>
#include <stdint.h>

#include "catalog/catalog.h"

struct quota { /* -1: not said here (the account's, or corral.toml's, counts); 0: no limit */
    int64_t requests_per_day;
    int64_t cpu_ms; /* per request */
};
/* worker_id "": the account's own. */
int quota_get(struct catalog *catalog, const char *account_id, const char *worker_id,
              struct quota *ret, struct err *err) MUST_CHECK;
int quota_set(struct catalog *catalog, const char *account_id, const char *worker_id,
              const struct quota *quota, struct err *err) MUST_CHECK;

enum { USAGE_DAYS_KEPT = 60 };

struct usage {                                    /* of one worker on one day */
    char account_id[ID_SIZE], worker_id[ID_SIZE]; /* worker_id "": of workers that were deleted */
    int64_t day;                                  /* days since 1970-01-01, UTC */
    int64_t requests, errors, cpu_us;
};
/* Add to what is there; `items` of any number of workers, in one transaction. */
int usage_add(struct catalog *catalog, const struct usage *items, size_t count,
              struct err *err) MUST_CHECK;
/* All of one day; to be freed with mem_free. */
int usage_of_day(struct catalog *catalog, int64_t day, struct usage **ret_items, size_t *ret_count,
                 struct err *err) MUST_CHECK;

#endif
