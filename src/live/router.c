/* router.c - a table of hosts, and one of what hosts with a star end in. */
#include "live/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "text/pattern.h"

struct entry {               /* a route */
    struct pattern *pattern; /* owned */
    struct live_account *account;
    struct live_worker *worker; /* NULL: it excludes */
};

struct place {             /* a host, or what hosts end in */
    struct place *next;    /* all of them */
    struct entry *entries; /* the most specific first */
    size_t count;
    struct live_worker *domain, *own; /* custom domain; NAME.SUBDOMAIN.DOMAIN */
};

struct router {
    struct names hosts, tails;
    size_t tail_min, tail_max; /* bytes of what stands in tails */
    struct place *all;
};

void router_free(struct router *router)
{
    struct place *place, *next;

    if (!router)
        return;
    for (place = router->all; place; place = next) {
        next = place->next;
        for (size_t i = 0; i < place->count; i++) {
            mem_free(place->entries[i].pattern);
            if (place->entries[i].worker)
                live_worker_unref(place->entries[i].worker);
        }
        if (place->domain)
            live_worker_unref(place->domain);
        if (place->own)
            live_worker_unref(place->own);
        mem_free(place->entries);
        mem_free(place);
    }
    names_done(&router->hosts);
    names_done(&router->tails);
    mem_free(router);
}

/* ---- building ---- */

static struct place *place_need(struct router *router, struct names *names, struct span key,
                                struct err *err)
{
    struct place *place = names_get(names, key);

    if (place)
        return place;
    place = mem_alloc(sizeof *place);
    if (!place || names_put(names, key, place, err) < 0) {
        mem_free(place);
        err_nomem(err);
        return NULL;
    }
    place->next = router->all;
    router->all = place;
    return place;
}

static int add_entry(struct place *place, const struct pattern *pattern,
                     struct live_account *account, struct live_worker *worker, struct err *err)
{
    struct entry *more = mem_resize(place->entries, (place->count + 1) * sizeof *more);
    size_t size = offsetof(struct pattern, path) + pattern->path_len + 1;
    struct pattern *copy = mem_alloc(size);

    if (more)
        place->entries = more;
    if (!more || !copy) {
        mem_free(copy);
        return err_nomem(err);
    }
    memcpy(copy, pattern, size);
    more[place->count++] = (struct entry){copy, account, worker};
    if (worker)
        live_worker_ref(worker);
    return 0;
}

/* The first of two keeps it. */
static void set(struct live_worker **at, struct live_worker *worker)
{
    if (*at)
        return;
    *at = worker;
    live_worker_ref(worker);
}

static int add_route(struct router *router, struct live_account *account, const struct route *route,
                     struct err *err)
{
    struct live_worker *worker = live_worker_find_id(account->live, route->worker_id);
    char host[PATTERN_HOST_MAX + 1];
    struct pattern pattern;
    struct place *place;
    struct err wrong = {0};
    int r = route->is_domain ? pattern_host(span_of(route->pattern), host, &wrong)
                             : pattern_parse(span_of(route->pattern), &pattern, &wrong);

    if (r < 0) {
        log_warn("the route '%.200s' is left out: %s", route->pattern, wrong.text);
        return 0;
    }
    if (route->worker_id[0] && (!worker || worker->is_deleted || worker->account != account))
        return 0;
    if (route->is_domain) {
        place = place_need(router, &router->hosts, span_of(host), err);
        if (place && worker)
            set(&place->domain, worker);
        return place ? 0 : err->code;
    }
    place = place_need(router, pattern.has_host_star ? &router->tails : &router->hosts,
                       (struct span){pattern.host, pattern.host_len}, err);
    if (!place)
        return err->code;
    if (pattern.has_host_star) {
        if (router->tail_max < pattern.host_len)
            router->tail_max = pattern.host_len;
        if (router->tail_min == 0 || router->tail_min > pattern.host_len)
            router->tail_min = pattern.host_len;
    }
    return add_entry(place, &pattern, account, worker, err);
}

static bool is_label(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
              (name[i] >= '0' && name[i] <= '9') || name[i] == '-' || name[i] == '_'))
            return false;
    return n > 0 && n <= WORKER_NAME_MAX;
}

static void fold(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

/* Also of a worker that does not answer there: its previews may. */
static int add_own(struct router *router, struct live_worker *worker, struct err *err)
{
    char host[PATTERN_HOST_MAX + 1];
    struct place *place;

    if (!worker->account->subdomain || !is_label(worker->name) ||
        (size_t)snprintf(host, sizeof host, "%s.%s.%s", worker->name, worker->account->subdomain,
                         worker->account->live->config.domain) >= sizeof host)
        return 0;
    fold(host);
    place = place_need(router, &router->hosts, span_of(host), err);
    if (place)
        set(&place->own, worker);
    return place ? 0 : err->code;
}

static int compare(const void *a, const void *b)
{
    return pattern_compare(((const struct entry *)a)->pattern, ((const struct entry *)b)->pattern);
}

static int fill(struct router *router, struct live *live, struct err *err)
{
    RING_EACH(at, &live->accounts) {
        struct live_account *account = RING_OF(at, struct live_account, ring);
        for (size_t i = 0; i < account->routes.count; i++)
            if (add_route(router, account, &account->routes.items[i], err) < 0)
                return err->code;
        RING_EACH(w, &account->workers) {
            struct live_worker *worker = RING_OF(w, struct live_worker, ring);
            if (worker->is_read && !worker->is_deleted && add_own(router, worker, err) < 0)
                return err->code;
        }
    }
    for (struct place *place = router->all; place; place = place->next)
        if (place->count > 1)
            qsort(place->entries, place->count, sizeof *place->entries, compare);
    return 0;
}

int router_build(struct live *live, struct err *err)
{
    struct router *router = mem_alloc(sizeof *router), *old = live->router;
    int r;

    if (!router)
        return err_nomem(err);
    r = fill(router, live, err);
    if (r < 0) {
        router_free(router);
        return r;
    }
    live->router = router;
    router_free(old);
    return 0;
}

/* ---- finding ---- */

/* Lower case, without port and the dot of the root; false: that is no host. */
static bool fold_authority(struct span authority, char room[PATTERN_HOST_MAX + 1], size_t *ret_len)
{
    size_t n = authority.len;
    const char *colon = n > 0 && authority.data[0] != '[' ? memchr(authority.data, ':', n) : NULL;

    if (colon)
        n = (size_t)(colon - authority.data);
    if (n > 0 && authority.data[n - 1] == '.')
        n--;
    if (n == 0 || n > PATTERN_HOST_MAX || memchr(authority.data, '\0', n))
        return false;
    memcpy(room, authority.data, n);
    room[n] = '\0';
    fold(room);
    *ret_len = n;
    return true;
}

struct asked {
    const struct live *live;
    bool is_https, is_ours; /* below DOMAIN */
    struct span host, target;
    struct span subdomain; /* is_ours: whose account's it is */
    struct span label;     /* is_ours: what stands before it, or "" */
};

/* Where the domain of the node begins in host. */
static void split(struct asked *a)
{
    struct span domain = span_of(a->live->config.domain);
    const char *dot;

    if (a->host.len < domain.len ||
        memcmp(a->host.data + (a->host.len - domain.len), domain.data, domain.len) != 0)
        return;
    if (a->host.len == domain.len) {
        a->is_ours = true;
        return;
    }
    if (a->host.data[a->host.len - domain.len - 1] != '.')
        return;
    a->is_ours = true;
    a->subdomain = (struct span){a->host.data, a->host.len - domain.len - 1};
    dot = memrchr(a->subdomain.data, '.', a->subdomain.len);
    if (!dot)
        return;
    a->label = (struct span){a->host.data, (size_t)(dot - a->host.data)};
    a->subdomain = (struct span){dot + 1, a->subdomain.len - a->label.len - 1};
}

static bool is_allowed(const struct asked *a, const struct live_account *account)
{
    return !a->is_ours || (account->subdomain && span_is_nocase(a->subdomain, account->subdomain));
}

/* The better one of what was found and what stands here. */
static const struct entry *better(const struct asked *a, const struct place *place,
                                  const struct entry *found)
{
    for (size_t i = 0; place && i < place->count; i++) {
        const struct entry *e = &place->entries[i];
        if (found && pattern_compare(found->pattern, e->pattern) <= 0)
            break;
        if (is_allowed(a, e->account) &&
            pattern_matches(e->pattern, a->is_https, a->host, a->target))
            return e;
    }
    return found;
}

static const struct entry *find_route(const struct asked *a, const struct place *here)
{
    const struct router *router = a->live->router;
    const struct entry *found = better(a, here, NULL);
    size_t n = a->host.len < router->tail_max ? a->host.len : router->tail_max;

    for (; router->tails.count > 0 && n >= router->tail_min && n > 0; n--)
        found =
            better(a, names_get(&router->tails, (struct span){a->host.data + (a->host.len - n), n}),
                   found);
    return found;
}

static bool is_digits(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!((text.data[i] >= '0' && text.data[i] <= '9') ||
              (text.data[i] >= 'a' && text.data[i] <= 'f')))
            return false;
    return true;
}

/* "1a2b3c4d-NAME" */
static void find_preview(const struct asked *a, struct router_found *ret)
{
    size_t skip = PREVIEW_DIGITS + 1;
    const struct place *place;

    if (a->label.len <= skip || a->label.data[PREVIEW_DIGITS] != '-' ||
        !is_digits((struct span){a->label.data, PREVIEW_DIGITS}))
        return;
    place =
        names_get(&a->live->router->hosts, (struct span){a->host.data + skip, a->host.len - skip});
    if (!place || !place->own || !place->own->has_previews)
        return;
    ret->worker = place->own;
    memcpy(ret->preview, a->label.data, PREVIEW_DIGITS);
}

void router_find(const struct live *live, bool is_https, struct span authority, struct span target,
                 struct router_found *ret)
{
    char host[PATTERN_HOST_MAX + 1];
    struct asked a = {.live = live, .is_https = is_https, .target = target};
    const struct place *here;
    const struct entry *entry;

    *ret = (struct router_found){0};
    if (!live->router || !fold_authority(authority, host, &a.host.len))
        return;
    a.host.data = host;
    split(&a);
    here = names_get(&live->router->hosts, a.host);
    entry = find_route(&a, here);
    if (entry && entry->worker) {
        ret->worker = entry->worker;
        return;
    }
    if (here && here->domain && is_allowed(&a, here->domain->account))
        ret->worker = here->domain;
    else if (here && here->own && here->own->is_subdomain_enabled)
        ret->worker = here->own;
    else if (a.is_ours)
        find_preview(&a, ret);
}
