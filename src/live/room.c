/* room.c - make a pool for a version, step by step, and take it apart when it has drained. */
#include "live/room.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "box/tier.h"
#include "catalog/bundles.h"
#include "live/metrics.h"
#include "live/quota.h"
#include "live/trace.h"

enum { CODE_STARTUP = 10021 };

static void free_if_over(struct room *room)
{
    struct live *live = room->live;
    struct live_account *account = room->account;

    if (room->pool || room->prepare || room->is_reading)
        return; /* waits for: on_drained, on_prepared, on_read */
    ring_drop(&room->ring);
    if (room->check)
        check_orphan(room->check);
    account->leaving -= room->is_let_go;
    if (--account->rooms == 0)
        account->quiet_ms = clock_now_ms();
    if (room->worker)
        live_worker_unref(room->worker);
    prepared_done(&room->prepared);
    mem_free(room->folder);
    mem_free(room->main);
    mem_free(room->name);
    mem_free(room);
    live_job_ends(live);
}

/* ---- what the pool says ---- */

int failure_print(const struct room *room, const struct failed *why, struct buf *out)
{
    int r = 0;

    if (why->traceback.len > 0)
        r = buf_print(out, "%s%.*s", room->prepared.linked.folder ? "Uncaught " : "PythonError: ",
                      SPAN_ARG(why->traceback));
    else
        r = buf_print(out, "%.*s", SPAN_ARG(why->text));
    if (r == 0 && out->tail > out->head && out->mem[out->tail - 1] != '\n')
        r = buf_append(out, "\n", 1);
    if (r == 0 && why->hint.len > 0)
        r = buf_print(out, "\n%.*s\n", SPAN_ARG(why->hint));
    return r;
}

static void on_ready(void *self, uint32_t handlers)
{
    struct room *room = self;

    room->state = ROOM_UP;
    room->handlers = handlers;
    if (room->worker)
        metrics_started(room->worker, clock_now_ms() - room->started_ms);
    if (room->version)
        live_version_ready(room->version);
    else if (room->check)
        check_ready(room->check);
}

static void on_failed(void *self, const struct failed *why)
{
    struct room *room = self;
    struct buf text = {0};

    room->state = ROOM_BAD;
    if (room->code == 0 && why->kind == FAILURE_INTERNAL)
        room->is_ours = true;
    if (room->code == 0)
        room->code = CODE_STARTUP;
    if (room->worker)
        metrics_started(room->worker, -1);
    if (room->version) {
        if (failure_print(room, why, &text) < 0)
            log_error("'%s' does not load, and memory is short", room->name);
        live_version_failed(room->version, buf_span(&text));
        buf_done(&text);
    } else if (room->check) {
        check_failed(room->check, why);
    }
}

static void on_log(void *self, enum log_level level, struct span text, void *ticket)
{
    const struct room *room = self;

    log_tenant(level, room->name, text.data, text.len);
    trace_log(room->worker, ticket, level, text);
}

static void on_told(void *self, struct span told, void *ticket)
{
    (void)self;
    trace_told(ticket, told);
}

static void on_raised(void *self, enum log_level level, struct span text, void *ticket)
{
    const struct room *room = self;

    log_tenant(level, room->name, text.data, text.len);
    trace_raised(room->worker, ticket, text);
}

static void on_limited(void *self, enum limit limit, struct span text, void *ticket)
{
    const struct room *room = self;

    if (text.len > 0)
        on_log(self, LOG_WARN, text, ticket);
    metrics_limited(room->worker, limit);
}

static void on_taken(void *self, void *ticket)
{
    (void)self;
    ((struct live_ticket *)ticket)->calls++;
}

static void on_over(void *self, void *ticket, int64_t cpu_us)
{
    (void)self;
    live_ticket_over(ticket, cpu_us);
}

static void on_drained(void *self)
{
    struct room *room = self;

    room->pool = NULL;
    if (room->version)
        live_version_empty(room->version);
    room->version = NULL;
    if (room->prepare)
        prepare_cancel(room->prepare);
    free_if_over(room);
}

static void on_outcall(void *self, struct outcall *outcall, const struct outcall_head *head,
                       bool is_end)
{
    const struct room *room = self;

    service_outcall(room->live->config.service, &room->prepared.outlets, outcall, head, is_end);
}

/* ---- making ---- */

static void on_herd_closed(void *self)
{
    struct live *live = self;

    live_job_ends(live);
}

void room_close_herd(struct live_account *account)
{
    struct herd *herd = account->herd;

    account->herd = NULL;
    if (herd)
        herd_close(herd, on_herd_closed, account->live);
}

/* The first account that runs something, unless there was one at the start. */
static int check_alone(struct live_account *account, struct err *err)
{
    struct live *live = account->live;

    if (!live->config.alone || strcmp(live->only_id, account->id) == 0)
        return 0;
    if (!live->only_id[0]) {
        memcpy(live->only_id, account->id, ID_SIZE);
        return 0;
    }
    *err = *live->config.alone;
    return err_wrap(err, "this node has another account already");
}

/* No two accounts have the same one while this node runs.  Nothing on disk is owned by it. */
static int need_uid(struct live_account *account, struct err *err)
{
    struct live *live = account->live;
    const struct box_uids *range = &live->config.box_uids;

    if (account->uid > 0 || !(live->config.box_layers & BOX_BIT(BOX_UID)))
        return 0;
    if (live->uid_count > range->last - range->first) {
        err_set(err, ERR_LIMIT, "all of the %u user ids for accounts are in use", live->uid_count);
        return err_hint(err, "Give the node more of them: corral.toml, box.uids.");
    }
    account->uid = range->first + live->uid_count++;
    return 0;
}

int live_box_uid(struct live *live, const char *account_id, unsigned *ret_uid, struct err *err)
{
    struct live_account *account = live_account_need(live, account_id);
    int r = account ? need_uid(account, err) : err_nomem(err);

    if (r == 0)
        *ret_uid = account->uid;
    return r;
}

static int need_herd(struct live_account *account, struct err *err)
{
    struct live *live = account->live;
    struct herd_config config = {.worker_program = live->config.worker_program,
                                 .memory_bytes = limit_heap_bytes(&live->config.limits),
                                 .hoard = live->hoard,
                                 .instances_max = live->config.instances_max,
                                 .account_instances = (unsigned)live->config.account_instances,
                                 .places = live->places,
                                 .spares = live->config.spares,
                                 .stuck_ms = live->config.stuck_ms,
                                 .idle_ms = live->config.idle_ms,
                                 .queue_ms = live->config.queue_ms,
                                 .request_cf = live->config.request_cf,
                                 .box_layers = live->config.box_layers};
    int r;

    if (account->herd)
        return 0;
    r = check_alone(account, err);
    r = r < 0 ? r : need_uid(account, err);
    config.box_uid = account->uid;
    r = r < 0 ? r : herd_open(live->loop, &config, &account->herd, err);
    if (r < 0)
        return r;
    live_job_begins(live);
    return 0;
}

void room_warm(struct live_account *account)
{
    struct live *live = account->live;
    struct err err = {0};

    /* Whoever asks first has a node that is for one: that is not decided here. */
    if (live->config.alone && strcmp(live->only_id, account->id) != 0)
        return;
    if (need_herd(account, &err) < 0)
        log_warn("the engine process of an account does not start ahead of need: %s", err.text);
    else if (account->rooms == 0)
        account->quiet_ms = clock_now_ms();
}

int room_new(struct live_account *account, struct live_worker *worker, const char *name,
             struct room **ret_room, struct err *err)
{
    static const struct pool_events EVENTS = {.ready = on_ready,
                                              .failed = on_failed,
                                              .log = on_log,
                                              .told = on_told,
                                              .raised = on_raised,
                                              .limited = on_limited,
                                              .taken = on_taken,
                                              .over = on_over,
                                              .drained = on_drained,
                                              .outcall = on_outcall};
    const struct pool_spec spec = {.name = name, .is_later = true};
    struct room *room;
    int r = need_herd(account, err);

    if (r < 0)
        return r;
    room = mem_alloc(sizeof *room);
    if (!room || !(room->name = mem_strdup(name))) {
        mem_free(room);
        return err_nomem(err);
    }
    room->live = account->live;
    room->account = account;
    room->started_ms = clock_now_ms();
    room->prepared.environment.fd = -1;
    r = pool_open(account->herd, &spec, &EVENTS, room, &room->pool, err);
    if (r < 0) {
        mem_free(room->name);
        mem_free(room);
        return r;
    }
    room->worker = worker;
    if (worker)
        live_worker_ref(worker);
    ring_init(&room->ring);
    ring_push(&account->live->rooms_list, &room->ring);
    account->rooms++;
    live_job_begins(account->live);
    *ret_room = room;
    return 0;
}

void room_fail(struct room *room, int code, struct span text, struct span hint)
{
    const struct failed why = {.kind = FAILURE_INTERNAL, .text = text, .hint = hint};

    room->code = code;
    if (room->pool)
        pool_refuse(room->pool, &why);
}

void room_break(struct room *room, struct span text, struct span hint)
{
    room->is_ours = true;
    room_fail(room, CODE_STARTUP, text, hint);
}

/* ---- reading it out of the catalog ---- */

struct room_reading {
    struct desk_job job;
    struct room *room;
    char worker_id[ID_SIZE], version_id[UUID_SIZE];
    struct version version;
    json_t *secrets;
    char *folder;
    int r;
    struct err err;
};

static void read_work(struct desk_job *job, struct catalog *catalog)
{
    struct room_reading *reading = RING_OF(job, struct room_reading, job);

    reading->r = version_find(catalog, reading->worker_id, reading->version_id, &reading->version,
                              &reading->err);
    if (reading->r == 0)
        reading->r =
            version_secrets(catalog, reading->version_id, &reading->secrets, &reading->err);
    if (reading->r == 0)
        reading->r =
            bundles_folder(catalog, reading->version.bundle, &reading->folder, &reading->err);
}

static void reading_free(struct room_reading *reading)
{
    struct recipe rest = {.secrets = reading->secrets};

    recipe_done(&rest);
    version_done(&reading->version);
    mem_free(reading->folder);
    mem_free(reading);
}

static int fill_recipe(struct room_reading *reading, struct recipe *recipe)
{
    const struct room *room = reading->room;
    const char *tag =
        json_string_value(json_object_get(reading->version.annotations, "workers/tag"));

    memcpy(recipe->account_id, room->account->id, ID_SIZE);
    memcpy(recipe->version_id, reading->version_id, UUID_SIZE);
    recipe->created_ms = reading->version.created_ms;
    recipe->metadata = json_incref(reading->version.metadata);
    recipe->bindings = json_incref(reading->version.bindings);
    recipe->secrets = reading->secrets;
    reading->secrets = NULL;
    recipe->folder = reading->folder;
    reading->folder = NULL;
    recipe->name = mem_strdup(room->name);
    recipe->main = mem_strdup(reading->version.main);
    recipe->tag = mem_strdup(tag ? tag : "");
    return recipe->name && recipe->main && recipe->tag ? 0 : ERR_NOMEM;
}

static void read_done(struct desk_job *job)
{
    struct room_reading *reading = RING_OF(job, struct room_reading, job);
    struct room *room = reading->room;
    struct recipe recipe = {0};

    room->is_reading = false;
    if (!room->pool) {
        free_if_over(room);
    } else if (reading->r < 0) {
        room_break(room, span_of(reading->err.text), span_of(reading->err.hint));
    } else if (fill_recipe(reading, &recipe) < 0) {
        recipe_done(&recipe);
        room_break(room, SPAN("out of memory"), SPAN(""));
    } else if (room_prepare(room, &recipe, &reading->err) < 0) {
        room_break(room, span_of(reading->err.text), SPAN(""));
    }
    reading_free(reading);
}

void room_read(struct room *room, const char *worker_id, const char *version_id)
{
    struct room_reading *reading = mem_alloc(sizeof *reading);
    struct err err = {0};

    if (!reading) {
        room_break(room, SPAN("out of memory"), SPAN(""));
        return;
    }
    reading->job.work = read_work;
    reading->job.done = read_done;
    ring_init(&reading->job.ring);
    reading->room = room;
    memcpy(reading->worker_id, worker_id, ID_SIZE);
    memcpy(reading->version_id, version_id, UUID_SIZE);
    if (desk_add(room->live->config.desk, &reading->job, &err) < 0) {
        reading_free(reading);
        room_break(room, span_of(err.text), span_of(err.hint));
        return;
    }
    room->is_reading = true;
}

/* ---- preparing ---- */

/* The least of what the version says and what its worker may use. */
static struct limit_set limits_of(const struct room *room)
{
    struct limit_set limits = room->live->config.limits;

    if (room->worker)
        limits.of[LIMIT_CPU] = quota_cpu_ms(room->worker);
    limit_least(&limits, &room->own);
    return limits;
}

void room_limit(struct room *room)
{
    struct limit_set limits = limits_of(room);

    if (room->pool)
        pool_limit(room->pool, &limits);
}

/* What an upload says is another one's word: what is no number above 0 was not said. */
static void read_own(struct room *room, const json_t *metadata)
{
    const json_t *limits = json_object_get(metadata, "limits");
    int64_t value;

    for (int i = 0; i < LIMITS; i++) {
        value = json_integer_value(json_object_get(limits, limit_name((enum limit)i)));
        if (value > 0)
            room->own.of[i] = value > limit_min((enum limit)i) ? value : limit_min((enum limit)i);
    }
}

static void on_counted(void *self, const struct outlet *outlet, int64_t us, bool is_good)
{
    const struct room *room = self;

    metrics_d1(room->worker, outlet, us, is_good);
}

static void load(struct room *room)
{
    struct prepared *p = &room->prepared;
    const struct pool_spec spec = {.name = room->name,
                                   .folder = p->linked.folder ? p->linked.folder : room->folder,
                                   .main = room->main,
                                   .compatibility_date = p->date,
                                   .compatibility_flags = p->flags,
                                   .env_json = p->env_json,
                                   .bindings_json = p->bindings_json,
                                   .packages_json = p->environment.json,
                                   .read_paths = p->environment.folders,
                                   .measures_cpu = true,
                                   .limits = limits_of(room)};
    struct err err = {0};

    p->outlets.account = room->account->id;
    p->outlets.worker = room->name;
    p->outlets.counted = on_counted;
    p->outlets.self = room;
    if (pool_load(room->pool, &spec, &err) < 0)
        room_break(room, span_of(err.text), SPAN(""));
}

static void on_prepared(void *self, struct prepare_result *result)
{
    struct room *room = self;
    struct span hint = span_of(result->err.hint);
    struct buf text = {0};

    room->prepare = NULL;
    if (!room->pool) {
        free_if_over(room);
        return;
    }
    if (result->r == 0) {
        room->prepared = result->prepared;
        result->prepared = (struct prepared){0};
        result->prepared.environment.fd = -1;
        load(room);
        /* The pool has its own copy. */
        explicit_bzero(room->prepared.env_json, strlen(room->prepared.env_json));
        return;
    }
    /* What the version asks for and cannot have is ERR_INVALID, or too much. */
    room->is_ours = result->code == 0 && result->r != ERR_INVALID && result->r != ERR_LIMIT;
    if (buf_print(&text, "%s%s%s", result->err.text, result->detail ? "\n" : "",
                  result->detail ? result->detail : "") < 0)
        room_break(room, span_of(result->err.text), hint);
    else
        room_fail(room, result->code ? result->code : CODE_STARTUP, buf_span(&text), hint);
    buf_done(&text);
}

int room_prepare(struct room *room, struct recipe *take_recipe, struct err *err)
{
    room->folder = mem_strdup(take_recipe->folder);
    room->main = mem_strdup(take_recipe->main);
    read_own(room, take_recipe->metadata);
    if (!room->folder || !room->main) {
        recipe_done(take_recipe);
        return err_nomem(err);
    }
    return prepare_start(room->live, take_recipe, on_prepared, room, &room->prepare, err);
}

/* ---- ends and changes of owner ---- */

void room_let_go(struct room *room)
{
    room->version = NULL;
    room->check = NULL;
    room->account->leaving += !room->is_let_go;
    room->is_let_go = true;
    if (room->prepare)
        prepare_cancel(room->prepare);
    if (!room->pool)
        return;
    /* What waits for a version that will never be read need not wait until the drain's end. */
    if (room->prepare || room->is_reading)
        room_fail(room, CODE_STARTUP, SPAN("the version was taken away before it ran"), SPAN(""));
    pool_drain(room->pool);
}

void room_settle(struct room *room, struct live_version *version)
{
    room->check = NULL;
    room->version = version;
    room->worker = version->worker;
    live_worker_ref(room->worker);
    room_limit(room);
}

int room_startup_ms(const struct room *room)
{
    return room->pool ? (int)pool_startup_ms(room->pool) : 0;
}
