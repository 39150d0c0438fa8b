/* trigger.c - what leads to a worker: routes, zones as far as routes need them, schedules. */
#include <string.h>

#include "api/deploy.h"
#include "api/describe.h"
#include "api/host.h"
#include "api/zone.h"
#include "base/mem.h"
#include "catalog/trigger.h"
#include "text/cron.h"
#include "text/pattern.h"

/* ---- routes ---- */

static bool pattern_is_good(struct api_call *call, const char *text)
{
    struct pattern *pattern = mem_alloc(sizeof *pattern);
    struct err err = {0};
    int r = pattern ? pattern_parse(span_of(text), pattern, &err) : err_nomem(&err);

    mem_free(pattern);
    if (r < 0)
        api_fail(call, 10022, &err);
    return r == 0 && host_is_free(call, text, 10022);
}

static json_t *describe_route(const struct route *route, const char *script)
{
    json_t *out =
        json_pack("{s:s, s:s, s:s?}", "id", route->id, "pattern", route->pattern, "script", script);

    if (route->zone && route->zone[0])
        json_object_set_new(out, "zone_name", json_string(route->zone));
    return out;
}

/* Those of a worker (or NULL) or of a zone (or NULL). */
static void answer_routes(struct api_call *call, struct catalog *catalog, const char *worker_id,
                          const char *zone)
{
    struct workers workers = {0};
    struct routes routes = {0};
    json_t *out = json_array();
    struct err err = {0};

    if (worker_list(catalog, call->account.id, &workers, &err) < 0 ||
        route_list(catalog, call->account.id, &routes, &err) < 0)
        api_fail(call, 10013, &err);
    for (size_t i = 0; i < routes.count; i++) {
        const struct route *route = &routes.items[i];
        if (route->is_domain || (worker_id && strcmp(route->worker_id, worker_id) != 0) ||
            (zone && !zone_has(zone, route)))
            continue;
        json_array_append_new(out, describe_route(route, workers_name(&workers, route->worker_id)));
    }
    if (api_is_answered(call))
        json_decref(out);
    else
        api_result(call, out);
    workers_done(&workers);
    routes_done(&routes);
}

static void get_script_routes(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};

    if (api_worker(call, catalog, 10007, &worker))
        answer_routes(call, catalog, worker.id, NULL);
    worker_done(&worker);
}

static void get_service_routes(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};

    if (api_worker(call, catalog, 10090, &worker))
        answer_routes(call, catalog, worker.id, NULL);
    worker_done(&worker);
}

/* "example.com/" and a star, or {"pattern", "zone_name" or "zone_id"}. */
static bool read_route(struct api_call *call, const json_t *given, const char **ret_pattern,
                       const char **ret_zone)
{
    const char *pattern = json_string_value(given);
    const char *zone = json_string_value(json_object_get(given, "zone_name"));

    if (!pattern)
        pattern = json_string_value(json_object_get(given, "pattern"));
    if (!zone)
        zone = json_string_value(json_object_get(given, "zone_id"));
    if (!pattern) {
        api_error(call, 400, 10022, "A route needs a \"pattern\", such as \"example.com/api/*\"");
        return false;
    }
    *ret_pattern = pattern;
    *ret_zone = zone ? zone : "";
    return pattern_is_good(call, pattern);
}

static void put_routes(struct api_call *call, struct catalog *catalog)
{
    size_t count = json_array_size(call->json);
    const char **patterns = mem_alloc((count + 1) * sizeof *patterns);
    const char **zones = mem_alloc((count + 1) * sizeof *zones);
    struct worker worker = {0};
    struct err err = {0};
    size_t i = 0;

    if (!patterns || !zones)
        api_error(call, 503, 10013, "This node is out of memory");
    else if (!json_is_array(call->json))
        api_error(call, 400, 10026, "The request body must be an array of routes");
    else if (api_worker(call, catalog, 10007, &worker))
        while (i < count &&
               read_route(call, json_array_get(call->json, i), &patterns[i], &zones[i]))
            i++;
    if (!api_is_answered(call)) {
        if (route_replace(catalog, call->account.id, worker.id, 0, patterns, zones, count, &err) <
            0)
            api_fail(call, 10020, &err);
        else
            answer_routes(call, catalog, worker.id, NULL);
        api_changed(call, worker.id);
    }
    worker_done(&worker);
    mem_free(patterns);
    mem_free(zones);
}

/* ---- zones ---- */

static json_t *describe_zone(struct api_call *call, const char *name)
{
    char id[ID_SIZE];

    zone_id(span_of(name), id);
    return json_pack("{s:s, s:s, s:s, s:b, s:{s:s, s:s}}", "id", id, "name", name, "status",
                     "active", "paused", 0, "account", "id", call->account.id, "name",
                     call->account.name);
}

static void list_zones(struct api_call *call, struct catalog *catalog)
{
    char *name = api_query(call, "name", 0), *account = api_query(call, "account.id", 0);
    char host[PATTERN_HOST_MAX + 1];
    json_t *out = json_array();
    unsigned page, per_page;
    struct err err = {0};

    (void)catalog;
    if (name && (!account || strcmp(account, call->account.id) == 0) &&
        pattern_host(span_of(name), host, &err) == 0)
        json_array_append_new(out, describe_zone(call, host));
    api_page(call, 20, 50, &page, &per_page);
    api_result_page(call, out, page, per_page);
    mem_free(name);
    mem_free(account);
}

static void get_zone_routes(struct api_call *call, struct catalog *catalog)
{
    answer_routes(call, catalog, NULL, api_param(call, "zone"));
}

static void post_zone_route(struct api_call *call, struct catalog *catalog)
{
    const char *script = json_string_value(json_object_get(call->json, "script"));
    struct route draft = {0}, made = {0};
    struct worker worker = {0};
    const char *pattern, *zone;
    struct err err = {0};
    int r = 0;

    if (!read_route(call, call->json, &pattern, &zone))
        return;
    /* Without a script: no worker answers there. */
    if (script)
        r = worker_find(catalog, call->account.id, script, &worker, &err);
    if (r < 0) {
        api_error(call, 404, 10007, "This Worker does not exist on your account.");
        return;
    }
    strcpy(draft.account_id, call->account.id);
    strcpy(draft.worker_id, worker.id);
    draft.pattern = (char *)(uintptr_t)pattern;
    draft.zone = (char *)(uintptr_t)api_param(call, "zone");
    if (route_create(catalog, &draft, &made, &err) < 0) {
        api_fail(call, 10020, &err);
    } else {
        api_result(call, describe_route(&made, script));
        api_changed(call, worker.id);
    }
    route_done(&made);
    worker_done(&worker);
}

static void delete_zone_route(struct api_call *call, struct catalog *catalog)
{
    const char *id = api_param(call, "route");
    char worker_id[ID_SIZE] = "";
    struct routes routes = {0};
    struct err err = {0};
    bool is_there = false;
    int r = route_list(catalog, call->account.id, &routes, &err);

    for (size_t i = 0; i < routes.count; i++) {
        if (strcmp(routes.items[i].id, id) != 0 || routes.items[i].is_domain)
            continue;
        strcpy(worker_id, routes.items[i].worker_id);
        is_there = true;
    }
    routes_done(&routes);
    if (r == 0 && !is_there)
        r = err_set(&err, ERR_NOT_FOUND, "There is no route '%.40s'", id);
    if (r == 0)
        r = route_delete(catalog, call->account.id, id, &err);
    if (r < 0) {
        api_fail(call, 10023, &err);
        return;
    }
    api_result(call, json_pack("{s:s}", "id", id));
    api_changed(call, worker_id);
}

/* ---- schedules ---- */

static void answer_schedules(struct api_call *call, struct catalog *catalog, const char *worker_id)
{
    struct schedules schedules = {0};
    json_t *out = json_array();
    struct err err = {0};

    if (schedule_list(catalog, worker_id, &schedules, &err) < 0) {
        json_decref(out);
        api_fail(call, 10013, &err);
        return;
    }
    for (size_t i = 0; i < schedules.count; i++) {
        char created[API_TIME_SIZE];
        api_time(schedules.items[i].created_ms, created);
        json_array_append_new(out, json_pack("{s:s, s:s, s:s}", "cron", schedules.items[i].cron,
                                             "created_on", created, "modified_on", created));
    }
    schedules_done(&schedules);
    api_result(call, json_pack("{s:o}", "schedules", out));
}

static void get_schedules(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};

    if (api_worker(call, catalog, 10007, &worker))
        answer_schedules(call, catalog, worker.id);
    worker_done(&worker);
}

static const char *read_cron(struct api_call *call, const json_t *given)
{
    const char *text = json_string_value(given);
    struct err err = {0};
    struct cron cron;

    if (!text)
        text = json_string_value(json_object_get(given, "cron"));
    if (!text)
        api_error(call, 400, 10100, "A schedule needs a \"cron\", such as \"*/5 * * * *\"");
    else if (cron_parse(span_of(text), &cron, &err) < 0)
        api_fail(call, 10100, &err);
    return api_is_answered(call) ? NULL : text;
}

static void put_schedules(struct api_call *call, struct catalog *catalog)
{
    json_t *given =
        json_is_object(call->json) ? json_object_get(call->json, "schedules") : call->json;
    size_t count = json_array_size(given), i = 0;
    const char **crons = mem_alloc((count + 1) * sizeof *crons);
    struct worker worker = {0};
    struct err err = {0};

    if (!crons)
        api_error(call, 503, 10013, "This node is out of memory");
    else if (!json_is_array(given))
        api_error(call, 400, 10026, "The request body must be an array of {\"cron\": ...}");
    else if (api_worker(call, catalog, 10007, &worker))
        while (i < count && (crons[i] = read_cron(call, json_array_get(given, i))))
            i++;
    if (!api_is_answered(call)) {
        if (schedule_replace(catalog, worker.id, crons, count, &err) < 0)
            api_fail(call, 10100, &err);
        else
            answer_schedules(call, catalog, worker.id);
        api_changed(call, worker.id);
    }
    worker_done(&worker);
    mem_free(crons);
}

#define SCRIPT  "/accounts/:account/workers/scripts/:script"
#define SERVICE "/accounts/:account/workers/services/:script/environments/:environment"

const struct api_endpoint TRIGGER_ENDPOINTS[] = {
    {"GET", SCRIPT "/routes", SCOPE_READ, API_NO_BODY, .work = get_script_routes},
    {"PUT", SCRIPT "/routes", SCOPE_DEPLOY, API_JSON, .work = put_routes,
     .after = api_after_change},
    {"GET", SERVICE "/routes", SCOPE_READ, API_NO_BODY, .work = get_service_routes},
    {"GET", "/zones", SCOPE_READ, API_NO_BODY, .work = list_zones},
    {"GET", "/zones/:zone/workers/routes", SCOPE_READ, API_NO_BODY, .work = get_zone_routes},
    {"POST", "/zones/:zone/workers/routes", SCOPE_DEPLOY, API_JSON, .work = post_zone_route,
     .after = api_after_change},
    {"DELETE", "/zones/:zone/workers/routes/:route", SCOPE_DEPLOY, API_NO_BODY,
     .work = delete_zone_route, .after = api_after_change},
    {"GET", SCRIPT "/schedules", SCOPE_READ, API_NO_BODY, .work = get_schedules},
    {"PUT", SCRIPT "/schedules", SCOPE_DEPLOY, API_JSON, .work = put_schedules,
     .after = api_after_change},
    {0}};
