/* api.c - the control API as a whole: opened, drained, closed. */
#include "api/api.h"

#include "api/call.h"
#include "api/d1_file.h"
#include "base/mem.h"

static void api_free(struct api *api)
{
    limits_free(api->limits);
    mem_free(api->data_folder);
    mem_free(api->domain);
    mem_free(api->public_url);
    mem_free(api);
}

int api_open(uv_loop_t *loop, const struct api_config *config, struct api **ret_api,
             struct err *err)
{
    struct api *api = mem_alloc(sizeof *api);
    int r;

    if (!api)
        return err_nomem(err);
    api->loop = loop;
    api->desk = config->desk;
    api->live = config->live;
    api->keeper = config->keeper;
    api->access = config->access;
    ring_init(&api->calls);
    api->data_folder = mem_strdup(config->data_folder);
    api->domain = mem_strdup(config->domain);
    api->box_layers = config->box_layers;
    api->public_url = config->public_url ? mem_strdup(config->public_url) : NULL;
    api->limits = limits_new();
    if (!api->data_folder || !api->domain || !api->limits ||
        (config->public_url && !api->public_url)) {
        api_free(api);
        return err_nomem(err);
    }
    r = turn_open(&api->turn, loop, err);
    if (r < 0) {
        api_free(api);
        return r;
    }
    uv_timer_init(loop, &api->timer);
    uv_unref((uv_handle_t *)&api->timer);
    api->timer.data = api;
    api->handles = 2;
    *ret_api = api;
    return 0;
}

void api_drain(struct api *api)
{
    if (api->is_draining)
        return;
    api->is_draining = true;
    d1_files_drain(api->files);
    RING_EACH(at, &api->calls)
    api_call_drain(RING_OF(at, struct api_call_inside, ring));
}

static void handle_closed(struct api *api)
{
    void (*closed)(void *self) = api->closed;
    void *self = api->closed_self;

    if (--api->handles > 0)
        return;
    api_free(api);
    closed(self);
}

static void timer_closed(uv_handle_t *timer)
{
    handle_closed(timer->data);
}

static void turn_closed(void *self)
{
    handle_closed(self);
}

/* Calls that the desk has, or that write, come back first. */
void api_call_ended(struct api *api)
{
    if (!api->is_closing || api->call_count > 0)
        return;
    d1_files_close(api->files);
    api->files = NULL;
    uv_close((uv_handle_t *)&api->timer, timer_closed);
    turn_close(&api->turn, turn_closed, api);
}

void api_close(struct api *api, void (*closed)(void *self), void *self)
{
    api_drain(api);
    api->is_closing = true;
    api->closed = closed;
    api->closed_self = self;
    api_call_ended(api);
}
