/* trigger.h - what leads to a worker: routes, custom domains, schedules. */
#ifndef CORRAL_CATALOG_TRIGGER_H
#define CORRAL_CATALOG_TRIGGER_H

#include <stddef.h>
#include <stdint.h>

#include "catalog/catalog.h"

enum { ROUTES_MAX = 1000, SCHEDULES_MAX = 100 }; /* of an account; of a worker */

struct route {
    char id[ID_SIZE];
    char account_id[ID_SIZE];
    char worker_id[ID_SIZE]; /* "" : the pattern excludes workers */
    char *pattern; /* "example.com/api/" and a star: text/pattern.h reads it; of a domain its host
                      name */
    char *zone;    /* zone_name or zone_id as given, or "" */
    int is_domain; /* a custom domain: all paths of one host name */
    int64_t created_ms;
};
void route_done(struct route *route);
struct routes {
    struct route *items; /* oldest first */
    size_t count;
};
void routes_done(struct routes *routes);

/* account_id NULL: all. */
int route_list(struct catalog *catalog, const char *account_id, struct routes *ret,
               struct err *err) MUST_CHECK;
/* Of `draft`: account_id, worker_id, pattern, zone, is_domain.  The same pattern of another account
 * is ERR_LIMIT; of another worker of this account, too, and the text names it. */
int route_create(struct catalog *catalog, const struct route *draft, struct route *ret,
                 struct err *err) MUST_CHECK;
int route_delete(struct catalog *catalog, const char *account_id, const char *route_id,
                 struct err *err) MUST_CHECK;
/* All routes (is_domain 0) or all custom domains (1) of a worker at once, in place of what it has:
 * patterns, and zones beside them ("" where none).  What was another worker's of this account
 * becomes this one's. */
int route_replace(struct catalog *catalog, const char *account_id, const char *worker_id,
                  int is_domain, const char *const *patterns, const char *const *zones,
                  size_t count, struct err *err) MUST_CHECK;

struct schedule {
    char worker_id[ID_SIZE];
    char account_id[ID_SIZE];
    char *cron; /* as written: "0,30 8-18 * * MON-FRI"; text/cron.h has the syntax */
    int64_t created_ms;
    int64_t looked_ms; /* up to here its times have run, or were said to be missed; 0: never */
};
struct schedules {
    struct schedule *items;
    size_t count;
};
void schedules_done(struct schedules *schedules);
/* worker_id NULL: of all workers. */
int schedule_list(struct catalog *catalog, const char *worker_id, struct schedules *ret,
                  struct err *err) MUST_CHECK;
/* All of a worker at once; those that stay keep created_ms and looked_ms. */
int schedule_replace(struct catalog *catalog, const char *worker_id, const char *const *crons,
                     size_t count, struct err *err) MUST_CHECK;
int schedule_looked(struct catalog *catalog, const char *worker_id, const char *cron,
                    int64_t looked_ms, struct err *err) MUST_CHECK;

#endif
