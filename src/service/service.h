/* service.h - answer what workers ask of the node: fetch, and what their bindings stand for.
 *
 * One per node.  service_outcall takes every outcall of a pool and answers it
 * itself, whatever it asks for.  The arguments come from a hostile process:
 * nothing in them is believed.
 *
 * Ownership: service_open, service_close(cb); close it when the herd is gone,
 * so that no outcall is left.  Loop thread only. */
#ifndef CORRAL_SERVICE_SERVICE_H
#define CORRAL_SERVICE_SERVICE_H

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"
#include "herd/herd.h"
#include "keeper/keeper.h"
#include "service/outlets.h"
#include "text/reach.h"

struct service;

struct service_config {
    const char *ca_file; /* whom TLS trusts (PEM); NULL or "": the system's */
    int connect_ms;      /* name, connection and TLS together; 0: 15 s */
    int silence_ms;      /* longest wait for a server that says nothing; 0: 100 s */
    int lookups_max;     /* names looked up at once, also those that nobody waits for
                            any more; 0: 1024 */
    bool is_edge;        /* workers of strangers run here: what they ask the world says "CDN-Loop:
                            corral" (RFC 8586), so that nobody takes it for this machine's own */
    int64_t cache_bytes;       /* of answers in caches, of all accounts; 0: see service/cache.h */
    int open_max;              /* transfers at once, of all accounts; 0: 1024 */
    const char *resolve; /* tests: "NAME:PORT=ADDRESS,...", see service/guard.c; lives longer */
    const struct reach *reach; /* whom workers may reach: copied; NULL: anybody */
    struct keeper *keeper;     /* of D1 databases; lives longer than the last outcall */
};

int service_open(uv_loop_t *loop, const struct service_config *config, struct service **ret_service,
                 struct err *err) MUST_CHECK;
/* The control API of this node listens there, see text/reach.h. */
int service_own(struct service *service, const struct ip *ip, int port, struct err *err) MUST_CHECK;
/* Whom workers may reach, as it is now. */
const struct reach *service_reach(const struct service *service);
/* Where wheels are kept from now on: see service/wheels.h.  Once; before it nobody gets one. */
int service_keep_wheels(struct service *service, const char *folder, int64_t bytes_max,
                        struct err *err) MUST_CHECK;
void service_close(struct service *service, void (*closed)(void *self), void *self);

/* As pool_events.outcall; `outlets`: the bindings of the pool. */
void service_outcall(struct service *service, const struct outlets *outlets,
                     struct outcall *outcall, const struct outcall_head *head, bool is_end);

#endif
