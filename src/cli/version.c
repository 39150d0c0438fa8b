/* version.c - own the pieces of one version and pass its pool's events on. */
#include "cli/version.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct version {
    struct bundle bundle;
    struct environment environment;
    struct linked linked; /* of JavaScript */
    char *name, *date, *flags, *env_json, *bindings_json;
    struct outlets outlets;
    struct limit_set limits;
    struct pool *pool;
    struct service *service;
    const struct version_events *events;
    void *self;
    uint32_t handlers;
    bool is_retired;
};

void version_free(struct version *v)
{
    if (!v)
        return;
    bundle_done(&v->bundle);
    environment_done(&v->environment);
    linked_done(&v->linked);
    mem_free(v->name);
    mem_free(v->date);
    mem_free(v->flags);
    mem_free(v->env_json);
    mem_free(v->bindings_json);
    outlets_done(&v->outlets);
    mem_free(v);
}

static void on_ready(void *self, uint32_t handlers)
{
    struct version *v = self;

    v->handlers = handlers;
    v->events->ready(v->self, v);
}

static void on_failed(void *self, const struct failed *why)
{
    struct version *v = self;

    v->events->failed(v->self, v, why);
}

static void on_log(void *self, enum log_level level, struct span text, void *ticket)
{
    const struct version *v = self;

    (void)ticket;
    log_tenant(level, v->name, text.data, text.len);
}

static void on_drained(void *self)
{
    struct version *v = self;

    v->events->gone(v->self, v);
    version_free(v);
}

static void on_outcall(void *self, struct outcall *outcall, const struct outcall_head *head,
                       bool is_end)
{
    const struct version *v = self;

    service_outcall(v->service, &v->outlets, outcall, head, is_end);
}

static int add_outlets(struct version *v, const struct project *p, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < p->database_count && r == 0; i++) {
        const struct project_database *d = &p->databases[i];
        r = outlets_add_d1(&v->outlets, d->binding, p->data_folder, d->name, d->id, err);
    }
    v->bindings_json = r == 0 ? outlets_json(&v->outlets) : NULL;
    return r == 0 && !v->bindings_json ? err_nomem(err) : r;
}

int version_new(const struct project *p, struct bundle *bundle, struct environment *environment,
                struct linked *linked, const struct version_events *events, void *self,
                struct version **ret_version, struct err *err)
{
    struct version *v = mem_alloc(sizeof *v);
    int r;

    if (!v)
        return err_nomem(err);
    v->events = events;
    v->self = self;
    v->name = mem_strdup(p->name);
    v->date = mem_strdup(p->compatibility_date);
    v->flags = mem_strdup(p->compatibility_flags);
    v->env_json = mem_strdup(p->env_json);
    v->limits = LIMIT_DEV;
    /* Nobody else's machine: what the project says may be more, too. */
    for (int i = 0; i < LIMITS; i++)
        if (p->deploy.limits.of[i] > 0)
            v->limits.of[i] = p->deploy.limits.of[i];
    r = v->name && v->date && v->flags && v->env_json ? add_outlets(v, p, err) : err_nomem(err);
    if (r < 0) {
        version_free(v);
        return r;
    }
    v->bundle = *bundle;
    *bundle = (struct bundle){0};
    v->environment = *environment;
    *environment = (struct environment){0};
    v->linked = *linked;
    *linked = (struct linked){0};
    *ret_version = v;
    return 0;
}

int version_start(struct version *v, struct herd *herd, struct service *service, struct err *err)
{
    static const struct pool_events EVENTS = {.ready = on_ready,
                                              .failed = on_failed,
                                              .log = on_log,
                                              .drained = on_drained,
                                              .outcall = on_outcall};
    const struct pool_spec spec = {.name = v->name,
                                   .folder = v->linked.folder ? v->linked.folder : v->bundle.folder,
                                   .main = v->bundle.main,
                                   .compatibility_date = v->date,
                                   .compatibility_flags = v->flags,
                                   .env_json = v->env_json,
                                   .bindings_json = v->bindings_json,
                                   .packages_json = v->environment.json,
                                   .read_paths = v->environment.folders,
                                   .limits = v->limits};

    v->service = service;
    v->outlets.worker = v->name;
    return pool_open(herd, &spec, &EVENTS, v, &v->pool, err);
}

void version_retire(struct version *v)
{
    if (v->is_retired)
        return;
    v->is_retired = true;
    pool_drain(v->pool);
}

struct pool *version_pool(const struct version *v)
{
    return v->pool;
}
uint32_t version_handlers(const struct version *v)
{
    return v->handlers;
}
bool version_is_script(const struct version *v)
{
    return v->linked.folder != NULL;
}
struct bundle *version_bundle(struct version *v)
{
    return &v->bundle;
}

bool version_is_same(const struct version *a, const struct version *b)
{
    return strcmp(a->bundle.folder, b->bundle.folder) == 0 &&
           strcmp(a->linked.folder ? a->linked.folder : "",
                  b->linked.folder ? b->linked.folder : "") == 0 &&
           strcmp(a->environment.hash, b->environment.hash) == 0 &&
           strcmp(a->environment.json, b->environment.json) == 0 &&
           strcmp(a->bundle.main, b->bundle.main) == 0 && strcmp(a->name, b->name) == 0 &&
           strcmp(a->date, b->date) == 0 && strcmp(a->flags, b->flags) == 0 &&
           strcmp(a->env_json, b->env_json) == 0 && outlets_is_same(&a->outlets, &b->outlets);
}
