/* live.h - the workers that a node serves: which version answers which request.
 *
 *   account   one herd (one zygote), while it has workers that are in use
 *   worker    its deployment: one or two versions, by percent
 *   version   one pool; opened by its first request, or ahead of its deployment by live_check; closed
 *             when nothing has come for long, the longest idle first when memory is short
 *
 * What there is stands in the catalog.  live reads it at the start and after each change that it is
 * told of (live_changed), beside the loop, and then switches in one step: every request goes to the
 * versions of one deployment, old or new; the pools of the old one drain.
 *
 * A request finds its worker by host and path (router.h): routes in Cloudflare's precedence, then custom
 * domains, which stand behind routes as origins do there, then NAME.SUBDOMAIN.DOMAIN.  Two versions: a request falls to one at random, to the same
 * one for the same Cloudflare-Workers-Version-Key header, or to the one that a
 * Cloudflare-Workers-Version-Overrides header names.
 *
 * Loop thread only.  No callback fires before the call that starts it returns. */
#ifndef CORRAL_LIVE_LIVE_H
#define CORRAL_LIVE_LIVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "box/tier.h"
#include "base/limit.h"
#include "catalog/catalog.h"
#include "catalog/database.h"
#include "catalog/desk.h"
#include "front/route.h"
#include "service/service.h"

struct live;

struct live_config {            /* copied */
    const char *worker_program;
    const char *data_folder;  /* absolute: accounts' databases, environments of packages */
    const char *domain;       /* "corral.example": workers are at NAME.SUBDOMAIN.DOMAIN */
    bool has_tls;             /* of the addresses that live_url gives: see live_set_address */
    int public_port;          /* likewise; 0: the scheme's own */
    const struct err *alone;  /* NULL: accounts may share this node; else why one has it alone: live_load fails
                                 when there are more, and those that come later load no worker.  Lives longer */
    struct desk *desk;        /* lives longer */
    struct service *service;  /* lives longer */
    struct span request_cf;   /* JSON object for request.cf of every request, lives longer; or empty */
    const char *const *indexes; /* of packages, that uploads may name: live longer */
    size_t index_count;
    bool takes_any_index;     /* they may name every one, and addresses of wheels */
    struct limit_set limits;  /* of each worker; its own and its quota may only be smaller */
    unsigned box_layers;      /* what workers' processes must enter: box/tier.h */
    struct box_uids box_uids; /* whose they are, one id for each account */
    int64_t node_memory_bytes; /* of all workers together; 0: no limit */
    unsigned instances_max;   /* per version; 0: one per core */
    int64_t account_instances, node_instances; /* of all versions of an account, of all; 0: no limit; -1: 128, 512 */
    unsigned spares;          /* per version */
    int stuck_ms;             /* of an instance's loop; 0: herd.h says */
    int idle_ms;              /* of an instance without work; likewise */
    int queue_ms;             /* longest wait of a request for an instance; 0: herd.h says */
    int pool_idle_ms;         /* a version without requests closes its pool; 0: 10 min */
    unsigned pools_max;       /* open at once, the longest idle goes; 0: 200 */
    int64_t requests_per_day; /* for accounts without a quota of their own; 0: no limit */
    int64_t clock_ahead_ms;   /* tests: schedules and quotas see a clock that is ahead by this, ... */
    int clock_speed;          /* ... and that runs so many times as fast; 0: 1 */
};

int live_open(uv_loop_t *loop, const struct live_config *config, struct live **ret_live,
              struct err *err) MUST_CHECK;
/* Read the catalog; loaded(self, err) comes once, err NULL when all is there.  Before it requests get
 * a 503 page. */
void live_load(struct live *live, void (*loaded)(void *self, const struct err *err), void *self);
/* Behind `loaded`: start the zygotes of the accounts that will be asked first, those with deployed workers
 * that were asked most today; as many as there are cores.  One that is not needed goes as an idle one does. */
void live_warm(struct live *live);
/* No cron any more, counters written; pools go on until the front has drained. */
void live_drain(struct live *live);
void live_close(struct live *live, void (*closed)(void *self), void *self);

/* With BOX_UID: the user id of everything that runs for this account, the same one until the node
 * ends; no other account has it.  0: the layer is not there.  ERR_LIMIT: all are given away;
 * ERR_NOMEM. */
int live_box_uid(struct live *live, const char *account_id, unsigned *ret_uid,
                 struct err *err) MUST_CHECK;

/* For front_config.router. */
void live_route(void *live, const struct front_arrival *arrival, struct front_route *ret);
void live_finished(void *live, void *ticket, const struct front_outcome *outcome);

/* ---- changes ---- */

/* A version before it exists: copied. */
struct live_candidate {
    const char *account_id, *worker_name;
    const char *folder;       /* of its bundle: bundles_folder */
    const char *main;
    json_t *metadata;         /* as in struct version: compatibility_date, compatibility_flags, limits */
    json_t *bindings;         /* likewise */
    json_t *secrets;          /* {NAME: text} */
    /* What it will be called, for bindings that tell it (version_metadata): version_create takes the same. */
    const char *version_id;
    int64_t created_ms;
    const char *tag;          /* annotation "workers/tag", or NULL */
};

struct live_check; /* a candidate whose template is being made, or stands ready */

struct live_verdict {         /* live during the callback */
    bool is_good;
    uint32_t handlers;        /* bit set of enum handler */
    int startup_ms;           /* of its top-level code */
    int code;                 /* of a bad one, as Cloudflare's API: 10021 */
    bool is_ours;             /* a bad one: this node failed, several times; nothing is known of what was uploaded */
    struct span message;      /* why not: the traceback, or a sentence, with a hint behind it */
};

/* Prepare its packages, find its databases, start its template.  verdict() comes once; then live_adopt or
 * live_dismiss is due (also after a bad one).  ERR_LIMIT: too many at once.  A binding that leads nowhere, or
 * that nothing here can run, makes a bad verdict as well. */
int live_check(struct live *live, const struct live_candidate *candidate,
               void (*verdict)(void *self, struct live_check *check, const struct live_verdict *v),
               void *self, struct live_check **ret_check, struct err *err) MUST_CHECK;
/* It is this version of the catalog now: its pool is kept warm for a deployment of it. */
void live_adopt(struct live_check *check, const char *worker_id, const char *version_id);
/* Also before the verdict, which then does not come. */
void live_dismiss(struct live_check *check);

/* The worker was changed, made or deleted in the catalog (deployment, subdomain, routes, schedules,
 * quota, settings): read it again and switch.  done(self, err) when requests go by what was read; new
 * versions of a deployment are up by then, unless they do not load; or after a minute, when they are not
 * up yet (packages that are fetched): then the old ones go on until they are. */
void live_changed(struct live *live, const char *account_id, const char *worker_id,
                  void (*done)(void *self, const struct err *err), void *self);
/* The account was: its subdomain, its quota. */
void live_account_changed(struct live *live, const char *account_id,
                          void (*done)(void *self, const struct err *err), void *self);

/* Where workers answer, once it is known which port was taken: of all addresses that are given from then on.
 * port 0: the scheme's own. */
void live_set_address(struct live *live, bool has_tls, int port);
/* URL at which a worker answers, "https://NAME.SUBDOMAIN.DOMAIN:PORT", without a slash at its end; to be freed. */
char *live_url(const struct live *live, const char *subdomain, const char *worker_name);

#endif
