/* service.c - look at an outcall's binding, and give it to who serves it.
 *
 * The platform itself, binding "", asks anywhere by http and https: ask.h; wheels by way of what is
 * kept of them; answers in caches: cache.h.  Every other binding is looked up among those of the
 * pool. */
#include "service/service.h"

#include <stdio.h>

#include "base/mem.h"
#include "service/ask.h"
#include "service/cache.h"
#include "service/d1.h"
#include "service/egress.h"
#include "service/wheels.h"

struct service {
    struct egress *egress;
    struct wheels *wheels;
    struct cache *cache;
    void (*closed)(void *self);
    void *self;
    struct keeper *keeper;
    uv_loop_t *loop;
};

int service_open(uv_loop_t *loop, const struct service_config *config, struct service **ret_service,
                 struct err *err)
{
    struct service *service = mem_alloc(sizeof *service);
    int r;

    if (!service)
        return err_nomem(err);
    r = cache_open(config->cache_bytes, &service->cache, err);
    if (r < 0) {
        mem_free(service);
        return r;
    }
    r = egress_open(loop, config, &service->egress, err);
    if (r < 0) {
        cache_close(service->cache);
        mem_free(service);
        return r;
    }
    service->loop = loop;
    service->keeper = config->keeper;
    *ret_service = service;
    return 0;
}

int service_own(struct service *service, const struct ip *ip, int port, struct err *err)
{
    return egress_own(service->egress, ip, port, err);
}

const struct reach *service_reach(const struct service *service)
{
    return &service->egress->reach;
}

int service_keep_wheels(struct service *service, const char *folder, int64_t bytes_max,
                        struct err *err)
{
    return service->wheels ? 0
                           : wheels_open(service->loop, folder, bytes_max, &service->wheels, err);
}

static void on_wheels_closed(void *self)
{
    struct service *service = self;

    service->closed(service->self);
    cache_close(service->cache);
    mem_free(service);
}

static void on_egress_closed(void *self)
{
    struct service *service = self;

    if (service->wheels)
        wheels_close(service->wheels, on_wheels_closed, service);
    else
        on_wheels_closed(service);
}

void service_close(struct service *service, void (*closed)(void *self), void *self)
{
    service->closed = closed;
    service->self = self;
    egress_close(service->egress, on_egress_closed, service);
}

/* Cloudflare's words for it. */
static void refuse(struct outcall *outcall, const struct outcall_head *head)
{
    char text[320];
    int n =
        snprintf(text, sizeof text,
                 "%sToo many subrequests by single Worker invocation. To configure this limit: "
                 "limits.subrequests of the Wrangler configuration.\nHere it is %lld; a node has "
                 "one for all its workers, too, in corral.toml.",
                 head->binding.len == 0 && span_is(head->method, ASK_EXACT) ? "invalid 0\n" : "",
                 (long long)outcall_limit(outcall, LIMIT_SUBREQUESTS));

    outcall_fail(outcall, (struct span){text, (size_t)n});
}

void service_outcall(struct service *service, const struct outlets *outlets,
                     struct outcall *outcall, const struct outcall_head *head, bool is_end)
{
    const struct outlet *outlet = outlets_find(outlets, head->binding);
    char text[256];
    int n;

    if (outcall_is_too_many(outcall)) {
        refuse(outcall, head);
        return;
    }
    if (head->binding.len == 0 &&
        (span_is(head->method, ASK_FETCH) || span_is(head->method, ASK_EXACT) ||
         span_is(head->method, ASK_UPGRADE))) {
        egress_fetch(service->egress, outlets, outcall, head, is_end);
        return;
    }
    if (head->binding.len == 0 && span_is(head->method, "wheel") && service->wheels) {
        wheels_call(service->wheels, service->egress, outlets, outcall, head, is_end);
        return;
    }
    if (head->binding.len == 0 && cache_knows(head->method)) {
        cache_call(service->cache, outlets, outcall, head, is_end);
        return;
    }
    if (outlet && service->keeper) {
        d1_call(service->keeper, outlets, outlet, outcall, head, is_end);
        return;
    }
    n = snprintf(text, sizeof text, "There is no binding '%.*s' with a method '%.*s'.",
                 head->binding.len < 64 ? (int)head->binding.len : 64, head->binding.data,
                 head->method.len < 64 ? (int)head->method.len : 64, head->method.data);
    outcall_fail(outcall, (struct span){text, (size_t)n});
}
