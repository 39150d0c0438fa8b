/* egress.h - requests of workers to the world: one libcurl multi handle on the loop.
 *
 * What may leave: http and https, to any host, over TCP only, through a proxy
 * that the worker names.  Not: other schemes, unix sockets, proxies or credentials of the node's environment
 * (http_proxy, .netrc), redirects (the realm follows them), names and values
 * that would not stay one header.  TLS is always verified.
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
    EGRESS_PATIENCE_MS = 15 * 60 * 1000, /* the same of "exchange", for libraries that have
                                            timeouts of their own */
    EGRESS_CONNECT_MAX_MS = 5 * 60 * 1000, /* what they may ask for */
    EGRESS_PACE_MS = 1000,         /* between two looks at who is silent */
    EGRESS_IDLE_CONNECTIONS = 128, /* kept for the next request */
    EGRESS_H2_MAX = 64,            /* transfers at once that may be HTTP/2, each of which may
                                      keep a window of libcurl's when the worker does not
                                      read; further ones are HTTP/1.1 */
    EGRESS_URL_MAX = 64 * 1024,    /* bytes */
    EGRESS_LOOKUPS_MAX = 512,      /* names looked up at once: each is a thread */
};

struct egress {
    CURLM *multi;
    uv_loop_t *loop;
    uv_timer_t timer; /* libcurl's */
    uv_timer_t pace;  /* runs while there are transfers */
    struct ring transfers;
    unsigned h2;   /* of those, how many may be HTTP/2 */
    char *ca_file; /* or NULL */
    int connect_ms, silence_ms, lookups_max;
    unsigned handles; /* of libuv, not closed yet */
    bool is_closing;
    void (*closed)(void *self);
    void *self;
};

/* Are so many names being looked up that one more has to be refused? */
bool egress_is_searching(const struct egress *egress);

int egress_open(uv_loop_t *loop, const struct service_config *config, struct egress **ret_egress,
                struct err *err) MUST_CHECK;
void egress_close(struct egress *egress, void (*closed)(void *self), void *self);
void egress_fetch(struct egress *egress, struct outcall *outcall, const struct outcall_head *head,
                  bool is_end);
struct transfer_tap;
/* As egress_fetch; `tap` sees the answer pass (service/transfer.h). */
void egress_tap(struct egress *egress, struct outcall *outcall, const struct outcall_head *head,
                bool is_end, const struct transfer_tap *tap, void *tap_self);

#endif
