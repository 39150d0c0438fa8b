/* api.h - the control API, in the shape of Cloudflare's v4: /client/v4/...
 *
 * A front_local: a front of its own listener hands it every request.  It also answers /healthz, /metrics,
 * the addresses that it gives out itself for uploads and downloads, and tails.
 *
 * Ownership: api_open, api_close(cb) when its front has drained.  Loop thread only. */
#ifndef CORRAL_API_API_H
#define CORRAL_API_API_H

#include <uv.h>

#include "base/err.h"
#include "catalog/desk.h"
#include "front/route.h"
#include "keeper/keeper.h"
#include "live/live.h"

struct access;
struct api;

struct api_config {
    struct desk *desk;
    struct live *live;
    struct keeper *keeper;
    const char *data_folder;
    const char *domain;
    struct access *access;   /* whose losses /metrics tells; lives longer; NULL: none */
    unsigned box_layers;     /* of the node's workers: for /metrics and /healthz */
    const char *public_url;  /* "https://api.example.com": what upload_url, signed_url and tail addresses begin with;
                                NULL: scheme and Host of the request */
};

int api_open(uv_loop_t *loop, const struct api_config *config, struct api **ret_api,
             struct err *err) MUST_CHECK;
/* Give it the struct api as self. */
extern const struct front_local api_local;
/* Tails are closed with 1001, waiting requests get 503. */
void api_drain(struct api *api);
void api_close(struct api *api, void (*closed)(void *self), void *self);

#endif
