/* prepare.c - threads that make what versions need, a few at once. */
#include "live/prepare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/folder.h"
#include "text/value.h"

enum {
    CACHES = 64,
    PACKAGER_TRIES = 3, /* of one that ends without an answer */
    LINKED_SWEEP_MS = 60 * 60 * 1000,
};

/* What the packager said of a bundle: it says the same again, bundles do not change.  Bundles that
 * name no package share the first. */
struct cache {
    char *project;
    struct environments all;
    bool is_used; /* by a thread */
    uint64_t seen;
};

struct prepare {
    struct ring ring; /* waiting or running */
    struct ring end;  /* over: the thread's to set, under the lock */
    struct preparing *preparing;
    struct recipe recipe;
    uv_thread_t thread;
    atomic_bool is_cancelled;
    struct environments *cache; /* while it runs */
    struct environments own;    /* when all others are in use */
    char *network;              /* struct environment_ask */
    unsigned uid;               /* whose its packager is */
    struct prepare_result result;
    void (*done)(void *self, struct prepare_result *result);
    void *self;
};

struct preparing {
    struct live *live;
    uv_async_t async;
    uv_mutex_t lock; /* of `over` */
    struct ring waiting, running, over;
    unsigned count; /* running */
    uint64_t clock;
    struct cache caches[CACHES];
    char *state;           /* DATA/environments */
    char *kept;            /* DATA/answers: the packagers', where none of them writes */
    char *linked;          /* DATA/linked */
    atomic_llong swept_ms; /* when that was last swept; 0: never */
    void (*closed)(struct live *live);
};

/* Its texts may be secrets: wiped where they are ours to wipe. */
static void forget_secrets(json_t *secrets)
{
    const char *name;
    json_t *value;

    if (!secrets || secrets->refcount != 1) {
        json_decref(secrets);
        return;
    }
    json_object_foreach(secrets, name, value)
    {
        if (json_is_string(value))
            explicit_bzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    }
    json_decref(secrets);
}

void recipe_done(struct recipe *recipe)
{
    mem_free(recipe->name);
    mem_free(recipe->folder);
    mem_free(recipe->main);
    mem_free(recipe->tag);
    json_decref(recipe->metadata);
    json_decref(recipe->bindings);
    forget_secrets(recipe->secrets);
    *recipe = (struct recipe){0};
}

void prepared_done(struct prepared *p)
{
    if (p->env_json)
        explicit_bzero(p->env_json, strlen(p->env_json));
    mem_free(p->date);
    mem_free(p->flags);
    mem_free(p->env_json);
    mem_free(p->bindings_json);
    outlets_done(&p->outlets);
    environment_done(&p->environment);
    linked_done(&p->linked);
    *p = (struct prepared){0};
    p->environment.fd = -1;
}

/* ---- in the thread ---- */

static void note(struct prepare_result *result, json_t *error)
{
    const char *detail = json_string_value(json_object_get(error, "detail"));
    const char *file = json_string_value(json_object_get(error, "file"));

    if (detail && detail[0])
        result->detail = mem_strdup(detail);
    if (file && file[0])
        (void)err_wrap(&result->err, "%.200s:%lld", file,
                       (long long)json_integer_value(json_object_get(error, "line")));
}

static void find_packages(struct prepare *prepare)
{
    struct preparing *preparing = prepare->preparing;
    struct prepare_result *result = &prepare->result;
    struct environment_ask ask = {.run = {.worker_program = preparing->live->config.worker_program,
                                          .box_uid = prepare->uid,
                                          .is_cancelled = &prepare->is_cancelled},
                                  .project = prepare->recipe.folder,
                                  .date = result->prepared.date,
                                  .is_upload = true,
                                  .network = prepare->network,
                                  .kept = preparing->kept};
    char state[PATH_MAX];
    json_t *error = NULL;

    /* What an account's packager writes, no other account's worker imports. */
    snprintf(state, sizeof state, "%s/%s", preparing->state, prepare->recipe.account_id);
    ask.state = state;
    for (int i = 0; i < PACKAGER_TRIES; i++) {
        result->r = environments_get(prepare->cache, &ask, &result->prepared.environment, &error,
                                     &result->err);
        if (result->r != ERR_SYSTEM || atomic_load(&prepare->is_cancelled))
            break;
    }
    note(result, error);
    json_decref(error);
}

/* Now and then, by whoever comes by. */
static void sweep_linked(struct preparing *preparing)
{
    const int64_t now_ms = clock_now_ms();
    long long before = atomic_load(&preparing->swept_ms);

    if ((before == 0 || now_ms - before > LINKED_SWEEP_MS) &&
        atomic_compare_exchange_strong(&preparing->swept_ms, &before, now_ms))
        link_sweep(preparing->linked);
}

/* Its folder is DATA/bundles/HASH/files, with the list of its parts beside it. */
static void link_modules(struct prepare *prepare)
{
    struct preparing *preparing = prepare->preparing;
    struct prepare_result *result = &prepare->result;
    const char *folder = prepare->recipe.folder, *end = strrchr(folder, '/'), *hash = end;
    char parts[PATH_MAX], name[PATH_MAX];
    struct link_ask ask = {.worker_program = preparing->live->config.worker_program,
                           .home = preparing->linked,
                           .folder = folder,
                           .parts = parts,
                           .hash = name,
                           .main = prepare->recipe.main,
                           .date = result->prepared.date,
                           .flags = result->prepared.flags,
                           .bindings = prepare->recipe.bindings,
                           .box_uid = prepare->uid,
                           .is_cancelled = &prepare->is_cancelled};

    while (hash && hash > folder && hash[-1] != '/')
        hash--;
    if (!end || (size_t)snprintf(parts, sizeof parts, "%.*s/parts.json", (int)(end - folder),
                                 folder) >= sizeof parts) {
        result->r = err_set(&result->err, ERR_SYSTEM, "'%.200s' is no bundle", folder);
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(end - hash), hash);
    result->r = link_make(&ask, &result->prepared.linked, &result->detail, &result->err);
    if (result->r < 0 && result->r != ERR_INVALID && result->r != ERR_LIMIT)
        result->code = 0; /* the modules can do nothing for it */
    sweep_linked(preparing);
}

static void run(void *self)
{
    struct prepare *prepare = self;
    struct preparing *preparing = prepare->preparing;
    struct prepare_result *result = &prepare->result;

    result->r = prepare_bindings(&prepare->recipe, preparing->live->config.data_folder,
                                 &result->prepared, &result->code, &result->err);
    if (result->r == 0 && link_is_javascript(prepare->recipe.main))
        link_modules(prepare);
    else if (result->r == 0)
        find_packages(prepare);
    uv_mutex_lock(&preparing->lock);
    ring_push(&preparing->over, &prepare->end);
    uv_mutex_unlock(&preparing->lock);
    uv_async_send(&preparing->async);
}

/* ---- on the loop ---- */

/* One that knows this bundle, else the one that has been idle for longest. */
static struct environments *take_cache(struct prepare *prepare)
{
    struct preparing *preparing = prepare->preparing;
    const char *folder = prepare->recipe.folder;
    const char *project = environment_is_asked(folder) ? folder : "";
    struct cache *best = NULL;

    for (int i = 0; i < CACHES; i++) {
        struct cache *c = &preparing->caches[i];
        if (c->project && strcmp(c->project, project) == 0 && !c->is_used) {
            best = c;
            break;
        }
        if (!c->is_used && (!best || c->seen < best->seen))
            best = c;
    }
    if (!best)
        return &prepare->own;
    if (!best->project || strcmp(best->project, project) != 0) {
        environments_done(&best->all);
        mem_free(best->project);
        best->project = mem_strdup(project);
    }
    best->is_used = true;
    best->seen = ++preparing->clock;
    return &best->all;
}

static void give_cache(struct prepare *prepare)
{
    struct preparing *preparing = prepare->preparing;

    for (int i = 0; i < CACHES; i++)
        if (&preparing->caches[i].all == prepare->cache)
            preparing->caches[i].is_used = false;
    environments_done(&prepare->own);
}

static void prepare_free(struct prepare *prepare)
{
    recipe_done(&prepare->recipe);
    prepared_done(&prepare->result.prepared);
    mem_free(prepare->result.detail);
    mem_free(prepare->network);
    mem_free(prepare);
}

static void finish(struct prepare *prepare)
{
    ring_drop(&prepare->ring);
    if (atomic_load(&prepare->is_cancelled) && prepare->result.r == 0)
        prepare->result.r = err_set(&prepare->result.err, ERR_CANCELLED, "it was given up");
    prepare->done(prepare->self, &prepare->result);
    prepare_free(prepare);
}

static unsigned running_of(const struct preparing *preparing, const char *account_id)
{
    unsigned n = 0;

    RING_EACH(at, &preparing->running)
        n += strcmp(RING_OF(at, struct prepare, ring)->recipe.account_id, account_id) == 0;
    return n;
}

/* Whom an upload's packages may come from; NULL: ERR_NOMEM. */
static char *network_of(const struct live *live)
{
    const struct live_config *config = &live->config;
    struct buf text = {0};
    json_t *indexes = json_array();
    char *list;
    int r = indexes ? 0 : ERR_NOMEM;

    for (size_t i = 0; i < config->index_count && r == 0; i++)
        r = json_array_append_new(indexes, json_string(config->indexes[i]));
    list = r == 0 ? json_dumps(indexes, JSON_COMPACT) : NULL;
    r = list ? buf_print(&text, "{\"indexes\":%s,\"any_index\":%s,\"reach\":", list,
                         config->takes_any_index ? "true" : "false")
             : ERR_NOMEM;
    r = r < 0 ? r : reach_json(service_reach(config->service), &text);
    r = r < 0 ? r : buf_append(&text, "}", 1);
    json_decref(indexes);
    mem_free(list);
    list = r < 0 ? NULL : buf_detach(&text);
    buf_done(&text);
    return list;
}

static void start_thread(struct prepare *prepare)
{
    struct preparing *preparing = prepare->preparing;
    int r;

    ring_push(&preparing->running, &prepare->ring);
    preparing->count++;
    prepare->cache = take_cache(prepare);
    prepare->network = network_of(preparing->live);
    r = prepare->network ? uv_thread_create(&prepare->thread, run, prepare) : UV_ENOMEM;
    if (r == 0)
        return;
    preparing->count--;
    give_cache(prepare);
    prepare->result.r =
        err_set(&prepare->result.err, ERR_SYSTEM, "start a thread: %s", uv_strerror(r));
    finish(prepare);
}

/* Start what may run. */
static void advance(struct preparing *preparing)
{
    struct ring *at = preparing->waiting.next, *next;

    for (; at != &preparing->waiting && preparing->count < PREPARING_MAX; at = next) {
        struct prepare *prepare = RING_OF(at, struct prepare, ring);
        next = at->next;
        if (running_of(preparing, prepare->recipe.account_id) < PREPARING_ACCOUNT_MAX)
            start_thread(prepare);
    }
}

static void places_done(struct preparing *preparing)
{
    mem_free(preparing->state);
    mem_free(preparing->kept);
    mem_free(preparing->linked);
    mem_free(preparing);
}

static void on_async_closed(uv_handle_t *handle)
{
    struct preparing *preparing = handle->data;
    struct live *live = preparing->live;
    void (*closed)(struct live * live) = preparing->closed;

    for (int i = 0; i < CACHES; i++) {
        environments_done(&preparing->caches[i].all);
        mem_free(preparing->caches[i].project);
    }
    uv_mutex_destroy(&preparing->lock);
    places_done(preparing);
    live->preparing = NULL;
    closed(live);
}

static void close_if_idle(struct preparing *preparing)
{
    if (preparing->closed && ring_is_empty(&preparing->waiting) && preparing->count == 0 &&
        !uv_is_closing((uv_handle_t *)&preparing->async))
        uv_close((uv_handle_t *)&preparing->async, on_async_closed);
}

static void on_async(uv_async_t *async)
{
    struct preparing *preparing = async->data;
    struct ring over;

    ring_init(&over);
    uv_mutex_lock(&preparing->lock);
    ring_move(&over, &preparing->over);
    uv_mutex_unlock(&preparing->lock);
    while (!ring_is_empty(&over)) {
        struct prepare *prepare = RING_OF(over.next, struct prepare, end);
        ring_drop(&prepare->end);
        uv_thread_join(&prepare->thread);
        preparing->count--;
        give_cache(prepare);
        finish(prepare);
    }
    /* Those that were cancelled before their turn. */
    for (struct ring *at = preparing->waiting.next, *next; at != &preparing->waiting; at = next) {
        next = at->next;
        if (atomic_load(&RING_OF(at, struct prepare, ring)->is_cancelled))
            finish(RING_OF(at, struct prepare, ring));
    }
    advance(preparing);
    close_if_idle(preparing);
}

static char *place(const struct live *live, const char *name)
{
    struct buf path = {0};

    if (buf_print(&path, "%s/%s", live->config.data_folder, name) == 0)
        return buf_detach(&path);
    buf_done(&path);
    return NULL;
}

/* STATE/HASH and what was on its way to be one, of a Corral that had no folder for each account:
 * nothing takes those for an account's any more. */
static bool is_of_before(int state, const char *name)
{
    char path[64];
    struct stat st;

    if (strcmp(name, ".lock") == 0 || strncmp(name, ".new-", 5) == 0 ||
        strncmp(name, ".old-", 5) == 0)
        return true;
    if (strlen(name) != 32)
        return false;
    snprintf(path, sizeof path, "%s/environment.json", name);
    return fstatat(state, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void clear_what_was_before(const char *state)
{
    int fd = open(state, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    unsigned count = 0;
    struct dirent *e;

    if (!dir && fd >= 0)
        close(fd);
    if (!dir)
        return;
    while ((e = readdir(dir)))
        if (is_of_before(fd, e->d_name) && unlinkat(fd, e->d_name, 0) < 0 && errno == EISDIR &&
            folder_clear(fd, e->d_name) == 0)
            count++;
    closedir(dir);
    if (count > 0)
        log_info("%u package environments of an earlier Corral were removed from '%s'", count,
                 state);
}

int preparing_open(struct live *live, struct err *err)
{
    struct preparing *preparing = mem_alloc(sizeof *preparing);
    int r;

    if (!preparing)
        return err_nomem(err);
    preparing->state = place(live, "environments");
    preparing->kept = place(live, "answers");
    preparing->linked = place(live, "linked");
    if (!preparing->state || !preparing->kept || !preparing->linked) {
        places_done(preparing);
        return err_nomem(err);
    }
    clear_what_was_before(preparing->state);
    preparing->live = live;
    ring_init(&preparing->waiting);
    ring_init(&preparing->running);
    ring_init(&preparing->over);
    r = uv_mutex_init(&preparing->lock);
    r = r < 0 ? r : uv_async_init(live->loop, &preparing->async, on_async);
    if (r < 0) {
        places_done(preparing);
        return err_set(err, ERR_SYSTEM, "watch threads: %s", uv_strerror(r));
    }
    preparing->async.data = preparing;
    live->preparing = preparing;
    return 0;
}

void preparing_close(struct live *live, void (*closed)(struct live *live))
{
    live->preparing->closed = closed;
    close_if_idle(live->preparing);
}

int prepare_start(struct live *live, struct recipe *take_recipe,
                  void (*done)(void *self, struct prepare_result *result), void *self,
                  struct prepare **ret_prepare, struct err *err)
{
    struct prepare *prepare = mem_alloc(sizeof *prepare);
    int r = prepare ? 0 : err_nomem(err);

    if (r == 0)
        r = live_box_uid(live, take_recipe->account_id, &prepare->uid, err);
    if (r < 0) {
        recipe_done(take_recipe);
        mem_free(prepare);
        return r;
    }
    value_init();
    prepare->preparing = live->preparing;
    prepare->recipe = *take_recipe;
    *take_recipe = (struct recipe){0};
    prepare->result.prepared.environment.fd = -1;
    prepare->done = done;
    prepare->self = self;
    ring_init(&prepare->ring);
    ring_init(&prepare->end);
    ring_push(&live->preparing->waiting, &prepare->ring);
    /* From the loop: done() must not come before this returns. */
    uv_async_send(&live->preparing->async);
    *ret_prepare = prepare;
    return 0;
}

void prepare_cancel(struct prepare *prepare)
{
    atomic_store(&prepare->is_cancelled, true);
    uv_async_send(&prepare->preparing->async);
}
