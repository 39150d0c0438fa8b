/* live_node.h - a node without a front, for the tests of src/live: real catalog, real desk, real corral-worker.
 *
 * One for all tests of a program, which go by names of their own: starting one costs most of the time. */
#ifndef CORRAL_TEST_LIVE_NODE_H
#define CORRAL_TEST_LIVE_NODE_H

#include "live/inside.h"

#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "catalog/bundles.h"
#include "live/choice.h"
#include "live/router.h"
#include "test.h"

static uv_loop_t loop;
static char root[] = "/tmp/corral-live-XXXXXX", worker_program[PATH_MAX + 32],
            store_program[PATH_MAX + 32];
static struct catalog *catalog; /* beside the desk's, as `corral token` has one */
static struct desk *desk;
static struct keeper *keeper;
static struct service *service;
static struct live *live;
static struct account account;

/* ---- the node ---- */

static inline void run_until(const bool *is_done)
{
    while (!*is_done && uv_run(&loop, UV_RUN_ONCE))
        ;
    CHECK(*is_done);
}

static void set_true(void *self) { *(bool *)self = true; }

static inline void on_done(void *self, const struct err *err)
{
    if (err) {
        printf("  done: %s\n", err->text);
        test_failed_checks++;
    }
    *(bool *)self = true;
}

static inline void load(void)
{
    bool is_done = false;

    live_load(live, on_done, &is_done);
    run_until(&is_done);
}

static inline void open_live(void)
{
    struct err err = {0};
    const struct live_config config = {.worker_program = worker_program,
                                       .data_folder = root,
                                       .domain = "test",
                                       .desk = desk,
                                       .service = service,
                                       .spares = 1,
                                       .pools_max = 4};

    CHECK(live_open(&loop, &config, &live, &err) == 0);
}

static inline void close_live(void)
{
    bool is_closed = false;

    live_close(live, set_true, &is_closed);
    run_until(&is_closed);
}

static inline void open_node(void)
{
    const struct catalog_config config = {.data_folder = root};
    const struct keeper_config keeping = {.store_program = store_program};
    struct service_config serving = {0};
    struct err err = {0};

    CHECK(mkdtemp(root) != NULL);
    uv_loop_init(&loop);
    CHECK(desk_open(&loop, &config, &desk, &err) == 0);
    CHECK(catalog_open(&config, &catalog, &err) == 0);
    CHECK(account_need(catalog, "main", &account, &err) == 0);
    CHECK(keeper_open(&loop, &keeping, &keeper, &err) == 0);
    serving.keeper = keeper;
    CHECK(service_open(&loop, &serving, &service, &err) == 0);
    open_live();
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline void close_node(void)
{
    bool is_closed = false;

    close_live();
    service_close(service, set_true, &is_closed);
    run_until(&is_closed);
    is_closed = false;
    keeper_close(keeper, set_true, &is_closed);
    run_until(&is_closed);
    is_closed = false;
    account_done(&account);
    catalog_close(catalog);
    desk_close(desk, set_true, &is_closed);
    run_until(&is_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- what there is ---- */

/* Prints `word` for every request. */
static inline char *code_for(const char *word)
{
    struct buf text = {0};

    CHECK(buf_print(&text,
                    "from workers import Response\n"
                    "def on_fetch(request, env):\n"
                    "    return Response('%s')\n",
                    word) == 0);
    return buf_detach(&text);
}

static inline void put_bundle(const char *code, char hash[BUNDLE_HASH_SIZE])
{
    /* An empty list of requirements asks for no package, not for all. */
    const struct bundle_part parts[] = {
        {SPAN("entry.py"), SPAN("text/x-python"), span_of(code), {0}},
        {SPAN("requirements.txt"), SPAN("text/plain"), SPAN(""), {0}}};
    struct err err = {0};
    uint64_t bytes;

    CHECK(bundles_put(catalog, parts, 2, hash, &bytes, &err) == 0);
}

static inline json_t *metadata(void)
{
    return json_pack("{s:s,s:[s]}", "compatibility_date", "2025-03-01", "compatibility_flags",
                     "python_workers");
}

static inline void need_worker(const char *name, char id[ID_SIZE])
{
    struct worker worker = {0};
    struct err err = {0};

    CHECK(worker_need(catalog, account.id, name, &worker, NULL, &err) == 0);
    memcpy(id, worker.id, ID_SIZE);
    worker_done(&worker);
}

/* A version of this code; bindings: taken, or NULL. */
static inline void make_version(const char *worker_id, const char *code, json_t *bindings,
                         char id[UUID_SIZE])
{
    char hash[BUNDLE_HASH_SIZE];
    struct version draft = {.source = (char *)"api",
                            .bundle = hash,
                            .main = (char *)"entry.py",
                            .metadata = metadata(),
                            .bindings = bindings ? bindings : json_array()};
    struct version version = {0};
    struct err err = {0};

    put_bundle(code, hash);
    memcpy(draft.worker_id, worker_id, ID_SIZE);
    if (version_create(catalog, &draft, NULL, &version, &err) < 0) {
        printf("  %s\n", err.text);
        test_failed_checks++;
    }
    memcpy(id, version.id, UUID_SIZE);
    version_done(&version);
    json_decref(draft.metadata);
    json_decref(draft.bindings);
}

static inline void deploy_two(const char *worker_id, const char *a, double percent, const char *b)
{
    struct deployment draft = {.source = (char *)"api", .share_count = b ? 2 : 1}, made = {0};
    struct err err = {0};

    memcpy(draft.worker_id, worker_id, ID_SIZE);
    memcpy(draft.shares[0].version_id, a, UUID_SIZE);
    draft.shares[0].percentage = percent;
    if (b) {
        memcpy(draft.shares[1].version_id, b, UUID_SIZE);
        draft.shares[1].percentage = 100 - percent;
    }
    if (deployment_create(catalog, &draft, &made, &err) < 0) {
        printf("  %s\n", err.text);
        test_failed_checks++;
    }
    deployment_done(&made);
}

static inline void change(const char *worker_id)
{
    bool is_done = false;

    live_changed(live, account.id, worker_id, on_done, &is_done);
    CHECK(!is_done);
    run_until(&is_done);
}

/* A worker that says `word`, served. */
static inline void deploy(const char *name, const char *word, char worker_id[ID_SIZE])
{
    char *code = code_for(word), version_id[UUID_SIZE];

    need_worker(name, worker_id);
    make_version(worker_id, code, NULL, version_id);
    deploy_two(worker_id, version_id, 100, NULL);
    change(worker_id);
    mem_free(code);
}

/* ---- requests ---- */

struct heard {
    unsigned status;
    struct buf body;
    bool is_over;
    struct call *call;
    void *ticket;
};

static inline void on_head(void *self, const struct response *head)
{
    struct heard *reply = self;

    reply->status = head->status;
    reply->is_over = head->body_length == 0;
}

static inline void on_body(void *self, struct span bytes, bool is_end)
{
    struct heard *reply = self;

    CHECK(buf_append(&reply->body, bytes.data, bytes.len) == 0);
    call_credit(reply->call, bytes.len);
    reply->is_over = is_end;
}

static inline void on_failed(void *self, enum call_failure why, struct span text)
{
    struct heard *reply = self;

    reply->status = why == CALL_NOT_LOADED ? 500 : why == CALL_OVERLOADED ? 503 : 502;
    CHECK(buf_append(&reply->body, text.data, text.len) == 0);
    reply->is_over = true;
}

static void nothing(void *self) { (void)self; }

static inline void begin(struct heard *reply, const char *url, const char *header, const char *value)
{
    static const struct call_events EVENTS = {on_head, on_body, nothing, nothing, on_failed};
    struct buf headers = {0};
    struct request request = {.method = SPAN("GET"), .url = span_of(url)};
    struct front_arrival arrival = {.request = &request, .client = SPAN("127.0.0.1")};
    struct front_route route;
    struct err err = {0};

    *reply = (struct heard){0};
    if (header)
        CHECK(pairs_add(&headers, span_of(header), span_of(value)) == 0);
    request.headers = (struct pairs){buf_span(&headers), header ? 1 : 0};
    live_route(live, &arrival, &route);
    if (route.to == FRONT_TO_PAGE) {
        reply->status = route.status;
        CHECK(buf_append(&reply->body, route.plain.data, route.plain.len) == 0);
        reply->is_over = true;
    } else {
        CHECK(route.to == FRONT_TO_POOL && route.ticket);
        reply->ticket = route.ticket;
        CHECK(pool_call(route.pool, &request, true, &EVENTS, reply, &reply->call, &err) == 0);
        call_set_ticket(reply->call, route.ticket);
    }
    buf_done(&headers);
}

static inline void end(struct heard *reply)
{
    const struct front_outcome outcome = {.status = reply->status, .text = SPAN("")};

    run_until(&reply->is_over);
    live_finished(live, reply->ticket, &outcome);
}

static inline bool says(const char *url, const char *header, const char *value, unsigned status,
                 const char *text)
{
    struct heard reply;
    bool is_so;

    begin(&reply, url, header, value);
    end(&reply);
    is_so = reply.status == status &&
            memmem(buf_data(&reply.body), buf_len(&reply.body), text, strlen(text));
    if (!is_so)
        printf("  %s: %u %.*s\n", url, reply.status, SPAN_ARG(buf_span(&reply.body)));
    buf_done(&reply.body);
    return is_so;
}

/* ---- the program ---- */

static inline int live_main(const char *name, const struct test *tests, int argc, char **argv)
{
    char *folder = realpath(argv[0], NULL);
    int r;

    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_ERROR);
    folder = dirname(dirname(folder));
    snprintf(worker_program, sizeof worker_program, "%s/corral-worker", folder);
    snprintf(store_program, sizeof store_program, "%s/corral-store", folder);
    free(folder);
    open_node();
    r = test_main(name, tests, argc, argv);
    close_node();
    return r;
}

#endif
