/* health.c - is the node well, and what has it done.
 *
 *   GET /healthz   200 {"status":"ok"}; 503 {"status": why} while the node drains, or when the
 *                  thread of the catalog stands still.  It waits for nothing; no token.  Who asks
 *                  from this machine hears of the box of its workers, too: {"box":"full"}.
 *   GET /metrics   Prometheus.  With a token: its account's.  Without one: everything, but only
 *                  from this machine.
 *
 * From this machine is who asks from there at an address of this machine (a proxy beside the node
 * passes the Host that its clients said), and is no worker: those fetch from this machine, too. */
#include <stdio.h>
#include <string.h>

#include "api/call.h"
#include "box/tier.h"
#include "front/access.h"
#include "live/exposition.h"
#include "live/metrics.h"

enum { STUCK_MS = 10 * 1000 }; /* of the catalog's thread without having done a job */

static bool is_loopback(struct span host)
{
    return span_is(host, "localhost") || span_is(host, "::1") || span_is(host, "[::1]") ||
           (host.len > 4 && memcmp(host.data, "127.", 4) == 0 &&
            strspn(host.data, "0123456789.") >= host.len);
}

/* "http://127.0.0.1:8788" -> "127.0.0.1" */
static struct span host_of(const char *origin)
{
    const char *start = strstr(origin, "://"), *end;

    start = start ? start + 3 : origin;
    if (*start == '[') {
        end = strchr(start, ']');
        return (struct span){start, end ? (size_t)(end + 1 - start) : strlen(start)};
    }
    return (struct span){start, strcspn(start, ":/")};
}

static bool is_from_here(struct api_call *call)
{
    return !call_inside(call)->is_of_worker && is_loopback(span_of(call->client)) &&
           is_loopback(host_of(call->origin));
}

static void get_health(struct api_call *call)
{
    bool is_stuck = desk_stalled_ms(call->api->desk) >= STUCK_MS;
    const char *status = call->api->is_draining ? "draining"
                         : is_stuck             ? "the catalog's thread stands still"
                                                : "ok";
    char text[160], box[64] = "";

    if (is_from_here(call))
        snprintf(box, sizeof box, ",\"box\":\"%s\"",
                 box_grade_name(box_grade_of(call->api->box_layers)));
    snprintf(text, sizeof text, "{\"status\":\"%s\"%s}\n", status, box);
    api_header(call, "Cache-Control", "no-store");
    api_raw(call, call->api->is_draining || is_stuck ? 503 : 200, "application/json",
            span_of(text));
}

static void write_box(unsigned all, struct exposition *e)
{
    char layers[BOX_LAYERS_TEXT];

    box_layers_put(all, layers);
    exposition_begin(e, "corral_box_info", "gauge", "What keeps workers in: always 1.");
    exposition_label(e, "grade", box_grade_name(box_grade_of(all)));
    exposition_label(e, "layers", layers);
    exposition_value(e, "", 1);
    exposition_begin(e, "corral_box_layer", "gauge", "Is this layer of the box used?");
    for (enum box_layer layer = 0; layer < BOX_LAYERS; layer++) {
        exposition_label(e, "layer", box_layer_name(layer));
        exposition_value(e, "", all & BOX_BIT(layer) ? 1 : 0);
    }
}

static void write_node(const struct api *api, struct exposition *e)
{
    write_box(api->box_layers, e);
    exposition_begin(e, "corral_catalog_jobs", "gauge", "Work that waits for the catalog.");
    exposition_value(e, "", (double)desk_count(api->desk));
    exposition_begin(e, "corral_catalog_stalled_seconds", "gauge",
                     "For how long the catalog has done no work that waits.");
    exposition_value(e, "", (double)desk_stalled_ms(api->desk) / 1000);
    exposition_begin(e, "corral_api_calls", "gauge", "Calls to the API that run.");
    exposition_value(e, "", api->call_count);
    if (!api->access)
        return;
    exposition_begin(e, "corral_access_log_dropped_total", "counter",
                     "Lines that the access log was too slow for.");
    exposition_value(e, "", (double)access_dropped(api->access));
}

/* Who may?  With a token the framework has looked at it. */
static void check_metrics(struct api_call *call, struct catalog *catalog)
{
    bool has_token = call->token.id[0] != '\0';

    (void)catalog;
    if (has_token || is_from_here(call))
        return;
    api_error(call, 401, 10000,
              "Authentication error: from another machine /metrics wants a token, as in "
              "\"Authorization: Bearer TOKEN\"");
    api_header(call, "WWW-Authenticate", "Bearer");
}

static void get_metrics(struct api_call *call)
{
    const char *account_id = call->token.id[0] ? call->token.account_id : NULL;
    struct api *api = call->api;
    struct buf out = {0};
    struct exposition e;
    int r;

    if (api_is_answered(call))
        return;
    r = metrics_text(api->live, account_id, &out);
    exposition_init(&e, &out);
    if (r == 0 && !account_id)
        write_node(api, &e);
    if (exposition_end(&e) < 0 || r < 0)
        api_error(call, 503, 10013, "There is no memory for the metrics: try again in a moment");
    else
        api_raw(call, 200, "text/plain; version=0.0.4; charset=utf-8", buf_span(&out));
    buf_done(&out);
}

const struct api_endpoint HEALTH_ENDPOINTS[] = {
    {"GET", "/healthz", SCOPE_READ, API_NO_BODY, .after = get_health, .is_open = true,
     .is_raw = true},
    {"GET", "/metrics", SCOPE_READ, API_NO_BODY, .work = check_metrics, .after = get_metrics,
     .is_open = true, .is_optional = true, .is_raw = true},
    {0},
};
