/* deploy.c - account, routes, crons and settings of the chosen environment.
 *
 * schema.c has complained about wrong types of the keys themselves already: here such a value
 * counts as not given.  What is inside them is checked here; what only a node can know (is the
 * pattern one) is checked there. */
#include "project/deploy.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "project/schema.h"
#include "text/cron.h"
#include "project/settings.h"
#include "text/nearest.h"

enum {
    ROUTES_MAX = 1000,
    CRONS_MAX = 100,
};

struct walk {
    const struct config *c;
    struct project *p;
    struct diagnostics *d;
};

static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);

    return text && text[0] && strlen(text) == json_string_length(value) ? text : NULL;
}

/* The value of a key, when it has the type that the schema asks for. */
static struct setting pick(const struct walk *w, const char *key)
{
    struct setting s = settings_pick(w->c, w->p->env, key);

    if (s.value && !schema_fits(key, s.value))
        s.value = NULL;
    return s;
}

static const char *table_word(const struct walk *w)
{
    return w->c->format == CONFIG_TOML ? "a table" : "an object";
}

/* ---- routes ---- */

static const char *const ROUTE_KEYS[] = {"pattern", "zone_name", "zone_id", "custom_domain"};
enum { ROUTE_KEY_COUNT = sizeof ROUTE_KEYS / sizeof *ROUTE_KEYS };

static void check_route_key(struct walk *w, struct setting *at, const char *key, json_t *value)
{
    struct nearest near;
    char hint[96];
    bool is_known = false;

    nearest_init(&near, key);
    for (size_t i = 0; i < ROUTE_KEY_COUNT; i++) {
        is_known = is_known || strcmp(key, ROUTE_KEYS[i]) == 0;
        nearest_try(&near, ROUTE_KEYS[i]);
    }
    at->path[at->depth++] = key;
    snprintf(hint, sizeof hint, "did you mean '%s'?", near.best ? near.best : "");
    if (strcmp(key, "custom_domain") == 0 && !json_is_boolean(value))
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, at), NULL,
                        "'custom_domain' must be true or false, not %s", schema_word(w->c, value));
    else if (is_known && strcmp(key, "custom_domain") != 0 && !text_of(value))
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, at), NULL,
                        "'%s' must be a string, not %s", key,
                        json_is_string(value) ? "an empty one" : schema_word(w->c, value));
    else if (!is_known && strcmp(key, "enabled") != 0 && strcmp(key, "previews_enabled") != 0)
        diagnostics_add(w->d, SEVERITY_WARNING, config_key_place(w->c, at->path, at->depth),
                        near.best ? hint : NULL, "'%s' is not a key of a route", key);
    at->depth--;
}

static void check_pattern(struct walk *w, struct setting *at, const char *pattern, bool is_domain)
{
    if (is_domain && strchr(pattern, '*'))
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, at), NULL,
                        "the custom domain \"%s\" has a '*': it is one host", pattern);
    else if (is_domain && strchr(pattern, '/'))
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, at), NULL,
                        "the custom domain \"%s\" has a path: it is a host alone", pattern);
    else if (strchr(pattern, '?') || strchr(pattern, '#') || strchr(pattern, ' '))
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, at),
                        "such as example.com/api, with a star for anything",
                        "the route \"%s\" is no pattern of host and path", pattern);
}

static int keep_route(struct walk *w, const char *pattern, const char *zone, bool is_domain)
{
    struct project_deploy *out = &w->p->deploy;
    struct project_route *route = &out->routes[out->route_count++];

    *route = (struct project_route){mem_strdup(pattern), mem_strdup(zone ? zone : ""), is_domain};
    return route->pattern && route->zone ? 0 : ERR_NOMEM;
}

/* One of them, a pattern or a table; `at` leads to it. */
static int read_route(struct walk *w, struct setting *at, json_t *value)
{
    const char *pattern = text_of(value), *zone = NULL, *key;
    bool is_domain = false;
    json_t *inside;

    if (json_is_object(value)) {
        json_object_foreach(value, key, inside) check_route_key(w, at, key, inside);
        pattern = text_of(json_object_get(value, "pattern"));
        zone = text_of(json_object_get(value, "zone_name"));
        zone = zone ? zone : text_of(json_object_get(value, "zone_id"));
        is_domain = json_is_true(json_object_get(value, "custom_domain"));
        if (!json_object_get(value, "pattern"))
            diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, at), NULL,
                            "a route has no 'pattern'");
    } else if (!pattern) {
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, at), NULL,
                        "a route must be a pattern such as \"example.com/*\" or %s, not %s",
                        table_word(w),
                        json_is_string(value) ? "an empty string" : schema_word(w->c, value));
    }
    if (!pattern)
        return 0;
    check_pattern(w, at, pattern, is_domain);
    return keep_route(w, pattern, zone, is_domain);
}

static int read_routes(struct walk *w)
{
    struct setting one = pick(w, "route"), all = pick(w, "routes");
    size_t count = json_array_size(all.value), i;
    char index[24];
    json_t *value;
    int r = 0;

    if (one.value && all.value && one.depth == all.depth)
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, &one), "put it into the list",
                        "there are both 'route' and 'routes'");
    if (one.value && all.value && one.depth < all.depth)
        one.value = NULL; /* the environment's own say it */
    if (one.value && all.value && one.depth > all.depth)
        all.value = NULL, count = 0;
    w->p->deploy.has_routes = one.value || all.value;
    if (count > ROUTES_MAX) {
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, &all), NULL,
                        "'routes' has more than %d of them", ROUTES_MAX);
        return 0;
    }
    w->p->deploy.routes = mem_alloc((count + 1) * sizeof *w->p->deploy.routes);
    if (!w->p->deploy.routes)
        return ERR_NOMEM;
    if (one.value)
        r = read_route(w, &one, one.value);
    json_array_foreach(all.value, i, value)
    {
        snprintf(index, sizeof index, "%zu", i);
        all.path[all.depth++] = index;
        if (r == 0)
            r = read_route(w, &all, value);
        all.depth--;
    }
    return r;
}

/* ---- crons ---- */

/* Is it one that a node takes? */
static void check_cron(struct walk *w, const struct setting *s, const char *text)
{
    struct cron cron;
    struct err err = {0};

    if (cron_parse(span_of(text), &cron, &err) < 0)
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, s),
                        err.hint[0] ? err.hint : NULL, "'triggers.crons': %s", err.text);
}

static int read_crons(struct walk *w)
{
    struct setting s = pick(w, "triggers");
    struct project_deploy *out = &w->p->deploy;
    json_t *list = json_object_get(s.value, "crons"), *cron;
    char index[24];
    size_t i;

    if (!list)
        return 0;
    s.path[s.depth++] = "crons";
    if (!json_is_array(list) || json_array_size(list) > CRONS_MAX) {
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, &s), NULL,
                        "'triggers.crons' must be a list of at most %d strings such as "
                        "[\"*/5 * * * *\"]",
                        CRONS_MAX);
        return 0;
    }
    out->has_crons = true;
    out->crons = mem_alloc((json_array_size(list) + 1) * sizeof *out->crons);
    if (!out->crons)
        return ERR_NOMEM;
    json_array_foreach(list, i, cron)
    {
        snprintf(index, sizeof index, "%zu", i);
        s.path[s.depth] = index;
        if (!text_of(cron)) {
            s.depth++;
            diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, &s), NULL,
                            "'triggers.crons' is a list of strings such as \"*/5 * * * *\": this "
                            "one is %s",
                            json_is_string(cron) ? "empty" : schema_word(w->c, cron));
            s.depth--;
            continue;
        }
        s.depth++;
        check_cron(w, &s, text_of(cron));
        s.depth--;
        out->crons[out->cron_count] = mem_strdup(text_of(cron));
        if (!out->crons[out->cron_count++])
            return ERR_NOMEM;
    }
    return 0;
}

/* ---- the rest ---- */

static enum project_wish read_wish(struct walk *w, const char *key)
{
    struct setting s = pick(w, key);

    return !s.value ? PROJECT_UNSAID : json_is_true(s.value) ? PROJECT_YES : PROJECT_NO;
}

static void complain_limit(struct walk *w, const struct setting *s, const char *key,
                           enum limit limit)
{
    diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, s), NULL,
                    "'limits.%s' must be a whole number from %lld to %lld", key,
                    (long long)limit_min(limit), (long long)limit_max(limit));
}

/* What more there may be is a newer Cloudflare's: kept, and said. */
static void read_limits(struct walk *w, struct setting s)
{
    const char *key;
    enum limit limit;
    json_t *value;

    json_object_foreach(s.value, key, value)
    {
        s.path[s.depth++] = key;
        if (!limit_find(span_of(key), &limit))
            diagnostics_add(w->d, SEVERITY_WARNING, settings_place(w->c, &s),
                            "docs/limits.md has all limits", "'limits.%.64s' has no effect", key);
        else if (!json_is_integer(value) || json_integer_value(value) < limit_min(limit) ||
                 json_integer_value(value) > limit_max(limit))
            complain_limit(w, &s, key, limit);
        else
            w->p->deploy.limits.of[limit] = json_integer_value(value);
        s.depth--;
    }
}

static int read_settings(struct walk *w)
{
    static const char *const KEYS[] = {"limits", "placement", "logpush", "observability",
                                       "tail_consumers"};
    json_t *out = json_object();
    int r = out ? 0 : ERR_NOMEM;

    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS && r == 0; i++) {
        struct setting s = pick(w, KEYS[i]);
        if (s.value && i == 0)
            read_limits(w, s);
        if (s.value && json_object_set(out, KEYS[i], s.value) < 0)
            r = ERR_NOMEM;
    }
    if (r == 0)
        w->p->deploy.settings_json = json_dumps(out, JSON_COMPACT);
    json_decref(out);
    return w->p->deploy.settings_json ? 0 : ERR_NOMEM;
}

static int read_account(struct walk *w)
{
    struct setting s = pick(w, "account_id");
    const char *id = text_of(s.value);

    if (id && id[strspn(id, "0123456789abcdefABCDEF")])
        diagnostics_add(w->d, SEVERITY_ERROR, settings_place(w->c, &s), NULL,
                        "'account_id' must be 32 hexadecimal digits");
    w->p->deploy.account_id = mem_strdup(id ? id : "");
    return w->p->deploy.account_id ? 0 : ERR_NOMEM;
}

int deploy_read(const struct config *c, struct project *p, struct diagnostics *d, struct err *err)
{
    struct walk w = {c, p, d};
    int r = read_account(&w);

    if (r == 0)
        r = read_routes(&w);
    if (r == 0)
        r = read_crons(&w);
    if (r == 0)
        r = read_settings(&w);
    p->deploy.workers_dev = read_wish(&w, "workers_dev");
    p->deploy.preview_urls = read_wish(&w, "preview_urls");
    p->deploy.keeps_vars = read_wish(&w, "keep_vars") == PROJECT_YES;
    return r < 0 ? err_nomem(err) : 0;
}

void deploy_done(struct project *p)
{
    struct project_deploy *out = &p->deploy;

    for (size_t i = 0; i < out->route_count; i++) {
        mem_free(out->routes[i].pattern);
        mem_free(out->routes[i].zone);
    }
    for (size_t i = 0; i < out->cron_count; i++)
        mem_free(out->crons[i]);
    mem_free(out->routes);
    mem_free(out->crons);
    mem_free(out->account_id);
    mem_free(out->settings_json);
    mem_free(out->required);
    *out = (struct project_deploy){0};
}
