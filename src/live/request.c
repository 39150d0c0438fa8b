/* request.c - live_route and live_finished: one request, from its host to a version's pool. */
#include <string.h>

#include "live/choice.h"
#include "live/inside.h"
#include "live/metrics.h"
#include "live/quota.h"
#include "live/router.h"
#include "live/trace.h"

enum {
    CODE_USED_UP = 1027,
    RETRY_S = 1,
};

static void to_page(struct front_route *ret, unsigned status, unsigned code, struct span plain)
{
    *ret = (struct front_route){
        .to = FRONT_TO_PAGE, .status = status, .code = code, .plain = plain, .html = SPAN("")};
    if (status == 503)
        ret->retry_after_s = RETRY_S;
}

/* "http://HOST/path?query" into its parts. */
static void cut_url(struct span url, struct span *ret_authority, struct span *ret_target)
{
    const char *end = url.data + url.len, *at = memmem(url.data, url.len, "://", 3), *slash;

    at = at ? at + 3 : url.data;
    slash = memchr(at, '/', (size_t)(end - at));
    slash = slash ? slash : end;
    *ret_authority = (struct span){at, (size_t)(slash - at)};
    *ret_target = slash < end ? (struct span){slash, (size_t)(end - slash)} : SPAN("/");
}

/* The version of a preview's address; NULL: this worker has none that is called so. */
static struct live_version *preview_of(struct live_worker *worker, const char *prefix)
{
    for (size_t i = 0; i < worker->preview_count; i++)
        if (strncmp(worker->previews[i], prefix, PREVIEW_DIGITS) == 0)
            return live_version_need(worker, worker->previews[i]);
    return NULL;
}

static void to_version(struct live_version *version, const struct front_arrival *arrival,
                       struct front_route *ret)
{
    struct live_ticket *ticket;
    struct err err = {0};

    *ret = (struct front_route){.to = FRONT_TO_POOL};
    if (live_use(version, &ret->pool, &ticket, &err) < 0) {
        live_version_drop(version);
        to_page(ret, 503, 0, SPAN("The node has no room for this Worker at the moment."));
        return;
    }
    trace_begin(ticket, arrival);
    ret->ticket = ticket;
    ret->worker = span_of(version->worker->name);
    ret->version = span_of(version->id);
}

/* Until the next day, by the page and by Retry-After. */
static void to_used_up(const struct live *live, struct front_route *ret)
{
    to_page(ret, 429, CODE_USED_UP, SPAN(""));
    ret->retry_after_s = quota_wait_s(live);
}

void live_route(void *self, const struct front_arrival *arrival, struct front_route *ret)
{
    struct live *live = self;
    struct live_version *version;
    struct router_found found;
    struct span authority, target;

    if (!live->is_loaded || live->is_closing) {
        to_page(ret, 503, 0,
                live->is_closing ? SPAN("The node is going down.")
                                 : SPAN("The node is coming up."));
        return;
    }
    cut_url(arrival->request->url, &authority, &target);
    router_find(live, arrival->is_tls, authority, target, &found);
    if (!found.worker || found.worker->is_deleted) {
        to_page(ret, 404, 0, SPAN("Nothing is deployed at this address."));
        return;
    }
    version = found.preview[0] ? preview_of(found.worker, found.preview)
                               : choice_make(found.worker, arrival->request);
    if (!version)
        to_page(ret, 404, 0,
                found.preview[0] ? SPAN("There is no such version of this Worker.")
                                 : SPAN("There is nothing here yet: this Worker has no code."));
    else if (quota_take(found.worker) == QUOTA_USED_UP)
        to_used_up(live, ret);
    else
        to_version(version, arrival, ret);
    if (ret->to == FRONT_TO_PAGE)
        ret->worker = span_of(found.worker->name);
}

void live_finished(void *self, void *ticket_self, const struct front_outcome *outcome)
{
    struct live_ticket *ticket = ticket_self;

    (void)self;
    if (!ticket)
        return; /* a page */
    quota_count(ticket->worker, outcome);
    if (ticket->is_scheduled)
        metrics_cron(ticket->worker, outcome->ending);
    else
        metrics_count(ticket->worker, ticket->version_id, outcome);
    trace_finished(ticket, outcome);
    live_unuse(ticket);
}
