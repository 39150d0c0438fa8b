/* triggers.c - see triggers.h.
 *
 * What the configuration does not mention stays as it is on the node.  Each step is one request
 * that says all of its kind, so that a deploy that was cut short is mended by the next one. */
#include "cli/triggers.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "text/cron.h"
#include "text/pattern.h"

/* ---- before the upload ---- */

static int check_route(const char *text, bool is_domain, struct err *err)
{
    struct pattern pattern;
    char host[PATTERN_HOST_MAX + 1];
    struct err why = {0};
    int code = is_domain ? pattern_host(span_of(text), host, &why)
                         : pattern_parse(span_of(text), &pattern, &why);

    if (code == 0)
        return 0;
    err_set(err, code, "the %s '%.200s': %s", is_domain ? "custom domain" : "route", text,
            why.text);
    return err_hint(err, "%s", why.hint[0] ? why.hint : "Nothing was uploaded.");
}

static int check_cron(const char *text, struct err *err)
{
    struct cron cron;
    struct err why = {0};
    int code = cron_parse(span_of(text), &cron, &why);

    if (code == 0)
        return 0;
    err_set(err, code, "the schedule '%.200s': %s", text, why.text);
    return err_hint(err, "%s", why.hint[0] ? why.hint : "Nothing was uploaded.");
}

int triggers_check(const struct remote *r, const struct deploy_options *o, struct err *err)
{
    const struct project_deploy *d = &r->project.deploy;
    int code = 0;

    for (size_t i = 0; i < o->routes.count && code == 0; i++)
        code = check_route(o->routes.items[i], false, err);
    for (size_t i = 0; i < d->route_count && code == 0 && o->routes.count == 0; i++)
        code = check_route(d->routes[i].pattern, d->routes[i].is_custom_domain, err);
    for (size_t i = 0; i < o->domains.count && code == 0; i++)
        code = check_route(o->domains.items[i], true, err);
    /* Those of the configuration were looked at as it was read. */
    for (size_t i = 0; i < o->crons.count && code == 0; i++)
        code = check_cron(o->crons.items[i], err);
    return code;
}

/* Lines to be shown in the end, "  " before each. */
struct shown {
    struct buf lines;
};

static int show(struct shown *s, const char *text, const char *more, struct err *err)
{
    return buf_print(&s->lines, "  %s%s\n", text, more) < 0 ? err_nomem(err) : 0;
}

static int put(struct remote *r, const char *method, const char *what, json_t *take_body,
               struct client_answer *ret, struct err *err)
{
    int code;

    *ret = (struct client_answer){0};
    if (!take_body)
        return err_nomem(err);
    code = remote_ask(r, &(struct client_request){.method = method, .json = take_body}, ret, err,
                      "/scripts/%s/%s", r->name, what);
    json_decref(take_body);
    return code;
}

/* ---- its host ---- */

/* The address below the account's subdomain, from the node, who alone knows its domain and port. */
static int show_host(struct remote *r, struct shown *s, struct err *err)
{
    struct client_answer answer;
    const char *url;
    int code = remote_ask(r, &(struct client_request){.method = "GET"}, &answer, err, "/workers/%s",
                          r->name);

    if (code == 0) {
        url =
            json_string_value(json_object_get(json_object_get(answer.result, "subdomain"), "url"));
        code = url ? show(s, url, "", err) : 0;
    }
    client_answer_done(&answer);
    return code;
}

static int set_host(struct remote *r, bool has_routes, struct shown *s, struct err *err)
{
    const struct project_deploy *d = &r->project.deploy;
    bool is_on = d->workers_dev == PROJECT_YES || (d->workers_dev == PROJECT_UNSAID && !has_routes);
    json_t *body = json_pack("{s:b}", "enabled", is_on);
    struct client_answer answer;
    int code;

    if (body && d->preview_urls != PROJECT_UNSAID)
        json_object_set_new(body, "previews_enabled", json_boolean(d->preview_urls == PROJECT_YES));
    code = put(r, "POST", "subdomain", body, &answer, err);
    client_answer_done(&answer);
    return code == 0 && is_on ? show_host(r, s, err) : code;
}

/* ---- routes and domains ---- */

static int add_route(json_t *routes, json_t *domains, const struct project_route *route,
                     struct shown *s, struct err *err)
{
    json_t *list = route->is_custom_domain ? domains : routes, *entry;
    const char *key = route->is_custom_domain ? "hostname" : "pattern";
    bool is_id = strlen(route->zone) == 32 && !strchr(route->zone, '.');
    char more[300] = "";

    if (route->is_custom_domain && route->zone[0])
        snprintf(more, sizeof more, " (custom domain - zone %s: %.200s)", is_id ? "id" : "name",
                 route->zone);
    else if (route->is_custom_domain)
        snprintf(more, sizeof more, " (custom domain)");
    else if (route->zone[0])
        snprintf(more, sizeof more, " (zone %s: %.200s)", is_id ? "id" : "name", route->zone);
    entry = json_pack("{s:s}", key, route->pattern);
    if (entry && route->zone[0])
        json_object_set_new(entry, is_id ? "zone_id" : "zone_name", json_string(route->zone));
    if (!entry || json_array_append_new(list, entry) < 0)
        return err_nomem(err);
    return show(s, route->pattern, more, err);
}

static int collect(const struct project_deploy *d, const struct deploy_options *o, json_t *routes,
                   json_t *domains, struct shown *s, struct err *err)
{
    int code = 0;

    for (size_t i = 0; i < o->routes.count && code == 0; i++)
        code = add_route(routes, domains,
                         &(struct project_route){(char *)(uintptr_t)o->routes.items[i], "", false},
                         s, err);
    for (size_t i = 0; i < d->route_count && code == 0 && o->routes.count == 0; i++)
        code = add_route(routes, domains, &d->routes[i], s, err);
    for (size_t i = 0; i < o->domains.count && code == 0; i++)
        code = add_route(routes, domains,
                         &(struct project_route){(char *)(uintptr_t)o->domains.items[i], "", true},
                         s, err);
    return code;
}

static int send_routes(struct remote *r, json_t *routes, bool is_all_away, json_t *domains,
                       struct err *err)
{
    struct client_answer answer;
    int code = 0;

    if (json_array_size(routes) > 0 || is_all_away) {
        code = put(r, "PUT", "routes", json_incref(routes), &answer, err);
        client_answer_done(&answer);
    }
    if (code == 0 && (json_array_size(domains) > 0 || is_all_away)) {
        code =
            put(r, "PUT", "domains/records",
                json_pack("{s:b, s:b, s:b, s:O}", "override_scope", 1, "override_existing_origin",
                          0, "override_existing_dns_record", 0, "origins", domains),
                &answer, err);
        client_answer_done(&answer);
    }
    return code;
}

/* *ret_has: there are some. */
static int set_routes(struct remote *r, const struct deploy_options *o, struct shown *s,
                      bool *ret_has, struct err *err)
{
    const struct project_deploy *d = &r->project.deploy;
    json_t *routes = json_array(), *domains = json_array();
    int code = routes && domains ? collect(d, o, routes, domains, s, err) : err_nomem(err);

    *ret_has = json_array_size(routes) + json_array_size(domains) > 0;
    if (code == 0)
        code = send_routes(r, routes, d->has_routes && !*ret_has, domains, err);
    json_decref(routes);
    json_decref(domains);
    return code;
}

/* ---- crons ---- */

static int set_crons(struct remote *r, const struct deploy_options *o, struct shown *s,
                     struct err *err)
{
    const struct project_deploy *d = &r->project.deploy;
    const char *const *crons = o->crons.count ? o->crons.items : (const char *const *)d->crons;
    size_t count = o->crons.count ? o->crons.count : d->cron_count;
    json_t *list = json_array();
    struct client_answer answer;
    char line[300];
    int code = list ? 0 : err_nomem(err);

    for (size_t i = 0; i < count && code == 0; i++) {
        json_t *entry = json_pack("{s:s}", "cron", crons[i]);
        snprintf(line, sizeof line, "schedule: %.280s", crons[i]);
        code = entry && json_array_append_new(list, entry) == 0 ? show(s, line, "", err)
                                                                : err_nomem(err);
    }
    if (code == 0 && (d->has_crons || o->crons.count)) {
        code = put(r, "PUT", "schedules", json_incref(list), &answer, err);
        client_answer_done(&answer);
    }
    json_decref(list);
    return code;
}

int triggers_set(struct remote *r, const struct deploy_options *o, struct err *err)
{
    int64_t begun = clock_now_ms();
    struct shown host = {0}, rest = {0};
    bool has_routes;
    int code = set_routes(r, o, &rest, &has_routes, err);

    if (code == 0)
        code = set_host(r, has_routes, &host, err);
    if (code == 0)
        code = set_crons(r, o, &rest, err);
    if (code == 0 && buf_len(&host.lines) + buf_len(&rest.lines) > 0)
        printf("Deployed %s triggers (%.2f sec)\n%.*s%.*s", r->name,
               (double)(clock_now_ms() - begun) / 1000, SPAN_ARG(buf_span(&host.lines)),
               SPAN_ARG(buf_span(&rest.lines)));
    else if (code == 0)
        printf("No targets deployed for %s (%.2f sec)\n", r->name,
               (double)(clock_now_ms() - begun) / 1000);
    buf_done(&host.lines);
    buf_done(&rest.lines);
    return code;
}
