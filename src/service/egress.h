/* egress.h - requests of workers to the world, by libcurl: a lane for each account
 * (service/lane.h).
 *
 * What may leave: http and https, over TCP only, to the addresses that service_config.reach opens,
 * also through a proxy that the worker names, whose own address counts then.  Not: other schemes,
 * unix sockets, proxies or credentials of the node's environment (http_proxy, .netrc), redirects
 * (the realm follows them), names and values that would not stay one header.  TLS is always
 * verified.
 *
 * Ownership: egress_open, egress_close(cb).  Loop thread only. */
#ifndef CORRAL_SERVICE_EGRESS_H
#define CORRAL_SERVICE_EGRESS_H

#include <curl/curl.h>
#include <stdint.h>

#include "loop/ring.h"
#include "service/service.h"

enum {
    EGRESS_CONNECT_MS = 15 * 1000,
    EGRESS_SILENCE_MS = 100 * 1000,
    EGRESS_PATIENCE_MS = 15 * 60 * 1000,   /* the same of "exchange", for libraries that have
                                              timeouts of their own */
    EGRESS_CONNECT_MAX_MS = 5 * 60 * 1000, /* what they may ask for */
    EGRESS_PACE_MS = 1000,                 /* between two looks at who is silent */
    EGRESS_H2_MAX = 64,         /* transfers at once that may be HTTP/2, each of which may
                                   keep a window of libcurl's when the worker does not
                                   read; further ones are HTTP/1.1 */
    EGRESS_WIDE_MAX = 64,       /* transfers at once with buffers of TRANSFER_CHUNK: further ones
                                   have TRANSFER_NARROW, so that the 1,024 that a node may have
                                   hold 40 MiB of what nobody reads, and not 130 */
    EGRESS_URL_MAX = 64 * 1024, /* bytes */
    EGRESS_OPEN_MAX = 1024,     /* transfers at once, of all accounts: service/berth.h */
    EGRESS_LOOKUPS_MAX = 1024,  /* names looked up at once: each is a thread */
};

struct egress {
    uv_loop_t *loop;
    uv_timer_t pace; /* runs while there are lanes */
    uv_timer_t turn; /* fires when some that wait may begin */
    struct ring lanes;
    struct ring transfers;
    unsigned open_max, open, waiting, lost; /* of all lanes */
    unsigned h2, wide; /* of those, how many may be HTTP/2, how many have large buffers */
    struct reach reach;
    const char *resolve; /* service_config's */
    unsigned looked_up;  /* how often that was asked */
    char *ca_file;       /* or NULL */
    int connect_ms, silence_ms, lookups_max;
    unsigned handles; /* timers and lanes that are not closed yet */
    bool is_edge, is_closing;
    void (*closed)(void *self);
    void *self;
};

/* For lane.c and berth.c: a lane is no more; some may begin, once the loop is back. */
void egress_let_go(struct egress *egress);
void egress_due(struct egress *egress);
/* The control API listens there. */
int egress_own(struct egress *egress, const struct ip *ip, int port, struct err *err) MUST_CHECK;
/* Are so many names being looked up that one more has to be refused? */
bool egress_is_searching(const struct egress *egress);

int egress_open(uv_loop_t *loop, const struct service_config *config, struct egress **ret_egress,
                struct err *err) MUST_CHECK;
void egress_close(struct egress *egress, void (*closed)(void *self), void *self);
/* outlets: whose call it is. */
void egress_fetch(struct egress *egress, const struct outlets *outlets, struct outcall *outcall,
                  const struct outcall_head *head, bool is_end);
struct transfer_tap;
/* As egress_fetch; `tap` sees the answer pass (service/transfer.h). */
void egress_tap(struct egress *egress, const struct outlets *outlets, struct outcall *outcall,
                const struct outcall_head *head, bool is_end, const struct transfer_tap *tap,
                void *tap_self);

#endif
