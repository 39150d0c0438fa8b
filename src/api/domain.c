/* domain.c - custom domains: a host whose every path is one worker's.
 *
 * wrangler asks for a changeset first, then puts the records.  There is no DNS here: whoever points
 * a name at this node is served, so nothing conflicts but another account. */
#include <string.h>

#include "api/deploy.h"
#include "api/describe.h"
#include "api/host.h"
#include "api/zone.h"
#include "base/mem.h"
#include "catalog/trigger.h"
#include "text/pattern.h"

enum { DOMAINS_MAX = 100 }; /* of one worker */

struct hosts {
    char *names[DOMAINS_MAX];
    const char *zones[DOMAINS_MAX]; /* borrowed from the request */
    size_t count;
};

static void hosts_done(struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        mem_free(hosts->names[i]);
}

/* {"hostname", "zone_name" or "zone_id"}.  false: the call is answered. */
static bool read_host(struct api_call *call, const json_t *given, struct hosts *hosts)
{
    const char *name = json_string_value(json_object_get(given, "hostname"));
    const char *zone = json_string_value(json_object_get(given, "zone_name"));
    char host[PATTERN_HOST_MAX + 1];
    struct err err = {0};

    if (!zone)
        zone = json_string_value(json_object_get(given, "zone_id"));
    if (!name) {
        api_error(call, 400, 100114, "A custom domain needs a \"hostname\"");
        return false;
    }
    if (pattern_host(span_of(name), host, &err) < 0) {
        api_fail(call, 100114, &err);
        return false;
    }
    if (!host_is_free(call, host, 100117))
        return false;
    hosts->names[hosts->count] = mem_strdup(host);
    if (!hosts->names[hosts->count]) {
        api_error(call, 503, 10013, "This node is out of memory");
        return false;
    }
    hosts->zones[hosts->count++] = zone ? zone : "";
    return true;
}

/* An array, or {"origins": array}.  false: the call is answered. */
static bool read_hosts(struct api_call *call, struct hosts *hosts)
{
    json_t *given =
        json_is_object(call->json) ? json_object_get(call->json, "origins") : call->json;
    json_t *one;
    size_t i;

    if (!json_is_array(given) || json_array_size(given) > DOMAINS_MAX) {
        api_error(call, 400, 10026, "The request body must be an array of at most %d domains",
                  DOMAINS_MAX);
        return false;
    }
    json_array_foreach(given, i, one)
    {
        if (!read_host(call, one, hosts))
            return false;
    }
    return true;
}

static bool is_among(const struct hosts *hosts, const char *name)
{
    for (size_t i = 0; i < hosts->count; i++)
        if (strcmp(hosts->names[i], name) == 0)
            return true;
    return false;
}

static const struct route *find_domain(const struct routes *routes, const char *host)
{
    for (size_t i = 0; i < routes->count; i++)
        if (routes->items[i].is_domain && strcmp(routes->items[i].pattern, host) == 0)
            return &routes->items[i];
    return NULL;
}

static json_t *describe_domain(const struct route *domain, const char *service)
{
    const char *name = domain->zone && domain->zone[0] ? domain->zone : domain->pattern;
    char zone[ID_SIZE];

    zone_id(span_of(name), zone);
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s, s:b, s:b}", "id", domain->id, "hostname",
                     domain->pattern, "zone_id", zone, "zone_name", name, "service", service,
                     "environment", "production", "enabled", 1, "previews_enabled", 0);
}

/* Everything of the account that these endpoints look at.  false: the call is answered. */
static bool load(struct api_call *call, struct catalog *catalog, struct workers *workers,
                 struct routes *routes)
{
    struct err err = {0};

    if (worker_list(catalog, call->account.id, workers, &err) == 0 &&
        route_list(catalog, call->account.id, routes, &err) == 0)
        return true;
    api_fail(call, 10013, &err);
    return false;
}

/* ---- what would change ---- */

static void post_changeset(struct api_call *call, struct catalog *catalog)
{
    json_t *added = json_array(), *updated = json_array(), *removed = json_array();
    char *replace = api_query(call, "replace_state", 0);
    struct workers workers = {0};
    struct routes routes = {0};
    struct worker worker = {0};
    struct hosts hosts = {0};

    if (!api_worker(call, catalog, 10007, &worker) || !read_hosts(call, &hosts) ||
        !load(call, catalog, &workers, &routes))
        goto done;
    for (size_t i = 0; i < hosts.count; i++) {
        const struct route *old = find_domain(&routes, hosts.names[i]);
        json_t *one = old ? describe_domain(old, workers_name(&workers, old->worker_id))
                          : json_pack("{s:s, s:s, s:s, s:b, s:b}", "hostname", hosts.names[i],
                                      "service", worker.name, "environment", "production",
                                      "enabled", 1, "previews_enabled", 0);
        if (old)
            json_object_set_new(one, "modified",
                                json_boolean(strcmp(old->worker_id, worker.id) != 0));
        json_array_append_new(old ? updated : added, one);
    }
    for (size_t i = 0; replace && i < routes.count; i++) {
        const struct route *route = &routes.items[i];
        if (route->is_domain && strcmp(route->worker_id, worker.id) == 0 &&
            !is_among(&hosts, route->pattern))
            json_array_append_new(removed, describe_domain(route, worker.name));
    }
    api_result(call, json_pack("{s:O, s:O, s:O, s:[]}", "added", added, "updated", updated,
                               "removed", removed, "conflicting"));
done:
    json_decref(added);
    json_decref(updated);
    json_decref(removed);
    hosts_done(&hosts);
    workers_done(&workers);
    routes_done(&routes);
    worker_done(&worker);
    mem_free(replace);
}

/* ---- records ---- */

/* Those of one worker (NULL: of all), of one host (NULL: of all). */
static void answer_domains(struct api_call *call, struct catalog *catalog, const char *service,
                           const char *host)
{
    struct workers workers = {0};
    struct routes routes = {0};
    json_t *out = json_array();

    if (load(call, catalog, &workers, &routes)) {
        for (size_t i = 0; i < routes.count; i++) {
            const struct route *route = &routes.items[i];
            const char *name = workers_name(&workers, route->worker_id);
            if (!route->is_domain || (service && (!name || strcmp(name, service) != 0)) ||
                (host && strcmp(route->pattern, host) != 0))
                continue;
            json_array_append_new(out, describe_domain(route, name));
        }
        api_result(call, out);
    } else {
        json_decref(out);
    }
    workers_done(&workers);
    routes_done(&routes);
}

static void list_domains(struct api_call *call, struct catalog *catalog)
{
    char *service = api_query(call, "service", 0), *host = api_query(call, "hostname", 0);

    answer_domains(call, catalog, service, host);
    mem_free(service);
    mem_free(host);
}

static void get_script_domains(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};

    if (api_worker(call, catalog, 10007, &worker))
        answer_domains(call, catalog, worker.name, NULL);
    worker_done(&worker);
}

/* The worker that loses a domain has to hear of it, too: live reads the account's routes by worker.
 */
static void put_records(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};
    struct hosts hosts = {0};
    struct err err = {0};

    if (!api_worker(call, catalog, 10007, &worker) || !read_hosts(call, &hosts))
        goto done;
    if (route_replace(catalog, call->account.id, worker.id, 1, (const char *const *)hosts.names,
                      hosts.zones, hosts.count, &err) < 0)
        api_fail(call, 100117, &err);
    else
        answer_domains(call, catalog, worker.name, NULL);
    api_changed(call, worker.id);
done:
    hosts_done(&hosts);
    worker_done(&worker);
}

static void find_record(struct api_call *call, struct catalog *catalog, bool deletes)
{
    const char *id = api_param(call, "domain");
    struct workers workers = {0};
    struct routes routes = {0};
    struct err err = {0};

    if (!load(call, catalog, &workers, &routes))
        goto done;
    for (size_t i = 0; i < routes.count && !api_is_answered(call); i++) {
        const struct route *route = &routes.items[i];
        if (!route->is_domain || strcmp(route->id, id) != 0)
            continue;
        if (deletes && route_delete(catalog, call->account.id, id, &err) < 0) {
            api_fail(call, 100116, &err);
            goto done;
        }
        api_result(call, describe_domain(route, workers_name(&workers, route->worker_id)));
        if (deletes)
            api_changed(call, route->worker_id);
    }
    if (!api_is_answered(call))
        api_error(call, 404, 100116, "There is no custom domain '%.40s'", id);
done:
    workers_done(&workers);
    routes_done(&routes);
}

static void get_record(struct api_call *call, struct catalog *catalog)
{
    find_record(call, catalog, false);
}

static void delete_record(struct api_call *call, struct catalog *catalog)
{
    find_record(call, catalog, true);
}

/* One domain for {"service"}: PUT /workers/domains. */
static void put_domain(struct api_call *call, struct catalog *catalog)
{
    const char *service = json_string_value(json_object_get(call->json, "service"));
    struct route draft = {.is_domain = 1}, made = {0};
    struct worker worker = {0};
    struct hosts hosts = {0};
    struct err err = {0};

    if (!service || worker_find(catalog, call->account.id, service, &worker, &err) < 0) {
        api_error(call, 404, 10007, "This Worker does not exist on your account.");
        return;
    }
    if (read_host(call, call->json, &hosts)) {
        strcpy(draft.account_id, call->account.id);
        strcpy(draft.worker_id, worker.id);
        draft.pattern = hosts.names[0];
        draft.zone = (char *)(uintptr_t)hosts.zones[0];
        if (route_create(catalog, &draft, &made, &err) < 0) {
            api_fail(call, 100117, &err);
        } else {
            api_result(call, describe_domain(&made, worker.name));
            api_changed(call, worker.id);
        }
    }
    route_done(&made);
    hosts_done(&hosts);
    worker_done(&worker);
}

#define SCRIPT  "/accounts/:account/workers/scripts/:script"
#define DOMAINS "/accounts/:account/workers/domains"

const struct api_endpoint DOMAIN_ENDPOINTS[] = {
    {"POST", SCRIPT "/domains/changeset", SCOPE_DEPLOY, API_JSON, .work = post_changeset},
    {"PUT", SCRIPT "/domains/records", SCOPE_DEPLOY, API_JSON, .work = put_records,
     .after = api_after_change},
    {"GET", SCRIPT "/domains/records", SCOPE_READ, API_NO_BODY, .work = get_script_domains},
    {"GET", DOMAINS, SCOPE_READ, API_NO_BODY, .work = list_domains},
    {"PUT", DOMAINS, SCOPE_DEPLOY, API_JSON, .work = put_domain, .after = api_after_change},
    {"GET", DOMAINS "/records", SCOPE_READ, API_NO_BODY, .work = list_domains},
    {"GET", DOMAINS "/records/:domain", SCOPE_READ, API_NO_BODY, .work = get_record},
    {"GET", DOMAINS "/:domain", SCOPE_READ, API_NO_BODY, .work = get_record},
    {"DELETE", DOMAINS "/:domain", SCOPE_DEPLOY, API_NO_BODY, .work = delete_record,
     .after = api_after_change},
    {0}};
