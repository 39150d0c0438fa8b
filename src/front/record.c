/* record.c - what is told of a request when it is over: to the router, to the person.
 *
 * A route's ticket goes back exactly once: when its request has another route, or when its exchange
 * is freed, which every exchange is, whatever became of it.
 *
 * Who calls it: exchange.c, reply.c. */
#include "base/clock.h"
#include "base/log.h"
#include "front/access.h"
#include "front/inside.h"
#include "text/status.h"

/* The router's spans are its own: what a line will say is copied. */
static void note_names(struct exchange *ex, const struct front_route *route)
{
    struct record *record = &ex->record;

    record->names_at = buf_len(&ex->store);
    record->worker_len = record->version_len = 0;
    if (route->worker.len > 0 && buf_append(&ex->store, route->worker.data, route->worker.len) == 0)
        record->worker_len = route->worker.len;
    if (route->version.len > 0 &&
        buf_append(&ex->store, route->version.data, route->version.len) == 0)
        record->version_len = route->version.len;
}

void record_route(struct exchange *ex, const struct front_route *route)
{
    struct record *record = &ex->record;

    record->ticket = route->ticket;
    record->has_ticket = true;
    record->ending = FRONT_UNKNOWN;
    record->text_len = 0;
    record->cpu_us = -1;
    if (ex->connection->front->config.access)
        note_names(ex, route);
}

void record_end(struct exchange *ex, enum front_ending ending, struct span text)
{
    struct record *record = &ex->record;

    record->ending = ending;
    record->text_len = 0;
    if (!record->has_ticket || text.len == 0)
        return;
    if (text.len > FRONT_TEXT_MAX)
        text.len = FRONT_TEXT_MAX;
    record->text_at = buf_len(&ex->store);
    if (buf_append(&ex->store, text.data, text.len) == 0)
        record->text_len = text.len;
}

void record_finish(struct exchange *ex)
{
    const struct front_router *router = &ex->connection->front->router;
    struct record *record = &ex->record;
    struct front_outcome outcome = {
        .ending = record->ending,
        .status = ex->status,
        .started_ms = ex->started_ms,
        .cpu_us = record->cpu_us,
        .bytes_in = record->bytes_in,
        .bytes_out = record->bytes_out,
        .text = SPAN(""),
    };

    if (!record->has_ticket)
        return;
    record->has_ticket = false;
    if (!router->finished)
        return;
    outcome.wall_us = clock_now_us() - ex->started_us;
    if (record->text_len > 0)
        outcome.text = (struct span){buf_data(&ex->store) + record->text_at, record->text_len};
    router->finished(router->self, record->ticket, &outcome);
}

/* As trace events have it. */
static struct span ending_name(enum front_ending ending)
{
    static const char *const NAMES[] = {
        [FRONT_OK] = "ok",
        [FRONT_EXCEPTION] = "exception",
        [FRONT_EXCEEDED_CPU] = "exceededCpu",
        [FRONT_EXCEEDED_MEMORY] = "exceededMemory",
        [FRONT_EXCEEDED_OTHER] = "exceededResources",
        [FRONT_CANCELED] = "canceled",
        [FRONT_NOT_LOADED] = "scriptNotFound",
        [FRONT_UNKNOWN] = "unknown",
        [FRONT_MOVED] = "unknown",
    };

    return span_of(NAMES[ending]);
}

static void note_access(const struct exchange *ex)
{
    const struct connection *c = ex->connection;
    const struct record *record = &ex->record;
    const char *names = buf_data(&ex->store) + record->names_at;
    bool is_read = ex->url_len > 0;
    int64_t now = clock_now_us();
    char ray[RAY_LEN + 1];
    struct visit visit = {
        .time_ms = is_read ? ex->started_ms : clock_wall_ms(),
        .ray = {ray, ex->ray ? RAY_LEN : 0},
        .client = span_of(c->address),
        .method = exchange_method(ex),
        .scheme = connection_scheme(c),
        .host = exchange_host(ex),
        .target = is_read ? exchange_target(ex) : SPAN(""),
        .protocol = !is_read             ? SPAN("")
                    : ex->head.minor > 0 ? SPAN("HTTP/1.1")
                                         : SPAN("HTTP/1.0"),
        .tls = connection_tls(c),
        .outcome = ending_name(record->ending),
        .worker = {names, record->worker_len},
        .version = {names + record->worker_len, record->version_len},
        .status = ex->status,
        .bytes_in = record->bytes_in,
        .bytes_out = record->bytes_out,
        .duration_us = is_read ? now - ex->started_us : 0,
        .cpu_us = record->cpu_us,
    };

    ray_print(ex->ray, ray);
    access_note(c->front->config.access, &visit);
}

void record_close(struct exchange *ex)
{
    record_finish(ex);
    if (ex->connection->front->config.access && (ex->url_len > 0 || ex->status > 0))
        note_access(ex);
}

void record_say(const struct exchange *ex)
{
    struct span text = ex->answer.text.len > 0 ? ex->answer.text : status_text(ex->status);
    struct span target;

    if (exchange_url(ex).len == 0)
        return; /* the request had no head that could be read */
    target = exchange_path(ex);
    log_info("%.*s %.*s %u %.*s (%lldms)", SPAN_ARG(exchange_method(ex)), SPAN_ARG(target),
             ex->status, SPAN_ARG(text), (long long)((clock_now_us() - ex->started_us) / 1000));
}
