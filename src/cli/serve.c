/* serve.c - `corral serve`: a node that workers are deployed to.
 *
 *     OPENING --both fronts listen, catalog read--> RUNNING --signal--> DRAINING --> CLOSING
 *
 * Opened in this order, each standing on those before it, and closed in the reverse one: desk (the
 * catalog, the lock on the data folder), keeper (stores), service (what workers ask), live (the
 * workers), the access log, their front, api, its front.
 *
 * stdout has `Ready on URL` and `API on URL` once both answer, then the access log unless it goes
 * elsewhere; the service manager hears READY, RELOADING, STOPPING, WATCHDOG.
 *
 * Signals: SIGTERM, SIGINT: requests end, counters are written, exit code 0; a second one: at once.
 * SIGHUP: certificates are read again and the access log is opened again.
 *
 * kill -9 at any moment is an end like any other: what was acknowledged is on disk, children go
 * with their parent, the kernel lets go of the lock.
 *
 * Called by: cli.c. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "api/api.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/desk.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/notify.h"
#include "cli/request_cf.h"
#include "cli/serve_options.h"
#include "cli/strangers.h"
#include "front/access.h"
#include "front/front.h"
#include "front/route.h"
#include "keeper/keeper.h"
#include "live/live.h"
#include "loop/heap.h"
#include "service/service.h"

enum state { OPENING, RUNNING, DRAINING, CLOSING };

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof *SIGNALS };
enum {
    SERVE_API_ANSWER_MS = 300 * 1000,
    SERVE_API_CONNECTIONS = 512, /* of clients of the API at once */
};

struct serve {
    uv_loop_t *loop;
    enum state state;
    struct serve_options options;
    struct node_programs programs;
    struct notify notify;
    char *data; /* absolute */
    char *request_cf;
    struct desk *desk;
    struct keeper *keeper;
    struct service *service;
    struct live *live;
    struct access *access; /* NULL: no access log */
    struct front *workers, *control;
    struct api *api;
    uv_signal_t signals[SIGNAL_COUNT];
    uv_timer_t watchdog;
    struct heap heap;
    char url[128], api_url[128]; /* of the first address of each, as it is listened on */
    struct err alone;            /* why accounts may not share this node; code 0: they may */
    int running;                 /* fronts that drain, or close */
    int exit_code;
};

static void end(struct serve *s, int code);

/* ---- the end, in reverse order ---- */

static void on_desk_closed(void *self)
{
    struct serve *s = self;

    for (int i = 0; i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    uv_close((uv_handle_t *)&s->watchdog, NULL);
    heap_close(&s->heap);
}

static void on_keeper_closed(void *self)
{
    struct serve *s = self;

    desk_close(s->desk, on_desk_closed, s);
}

static void on_service_closed(void *self)
{
    struct serve *s = self;

    keeper_close(s->keeper, on_keeper_closed, s);
}

static void on_live_closed(void *self)
{
    struct serve *s = self;

    s->live = NULL;
    service_close(s->service, on_service_closed, s);
}

static void on_api_closed(void *self)
{
    struct serve *s = self;

    live_close(s->live, on_live_closed, s);
}

static void on_front_closed(void *self)
{
    struct serve *s = self;

    if (--s->running > 0)
        return;
    if (s->access)
        access_close(s->access);
    api_close(s->api, on_api_closed, s);
}

static void on_front_drained(void *self)
{
    struct serve *s = self;

    if (--s->running > 0)
        return;
    s->state = CLOSING;
    s->running = 2;
    front_close(s->workers, on_front_closed, s);
    front_close(s->control, on_front_closed, s);
}

static void end(struct serve *s, int code)
{
    if (s->state >= DRAINING)
        return;
    s->state = DRAINING;
    s->exit_code = code;
    notify_say(&s->notify, "STOPPING=1\nSTATUS=Requests that run may end");
    live_drain(s->live);
    s->running = 2;
    front_drain(s->workers, on_front_drained, s);
    front_drain(s->control, on_front_drained, s);
    api_drain(s->api);
}

/* ---- certificates ---- */

/* All of them, into both fronts: an error leaves those that were there. */
static int read_certificates(struct serve *s, struct err *err)
{
    static struct front_certificate list[SERVER_CERTIFICATES_MAX];
    static const char *hosts[SERVER_CERTIFICATES_MAX][2];
    const struct server *server = &s->options.server;
    size_t count = server->certificate_count;
    int r;

    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const struct server_certificate *c = &server->certificates[i];
        hosts[i][0] = c->host;
        list[i] = (struct front_certificate){
            .cert_file = c->cert, .key_file = c->key, .hosts = c->host ? hosts[i] : NULL};
    }
    r = front_reload_tls(s->workers, list, count, err);
    if (r == 0)
        front_share_tls(s->control, s->workers);
    return r;
}

static void reload(struct serve *s)
{
    struct err err = {0};
    bool is_good;

    if (s->state != RUNNING)
        return;
    notify_reloading(&s->notify);
    is_good = read_certificates(s, &err) == 0;
    if (!is_good)
        log_error("%s\nThe certificates stay as they were.%s%s", err.text, err.hint[0] ? " " : "",
                  err.hint);
    if (s->access && access_reopen(s->access, &err) < 0) {
        log_error("%s\nThe access log goes on where it was.", err.text);
        is_good = false;
    }
    if (is_good)
        log_info("Certificates were read and the access log was opened again");
    notify_say(&s->notify, "READY=1");
}

/* ---- signals and the watchdog ---- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct serve *s = handle->data;

    if (number == SIGHUP)
        reload(s);
    else if (s->state >= DRAINING)
        _exit(128 + number);
    else
        end(s, 0);
}

static void on_watchdog(uv_timer_t *timer)
{
    const struct serve *s = timer->data;

    notify_say(&s->notify, "WATCHDOG=1");
}

static int open_handles(struct serve *s, struct err *err)
{
    uint64_t watchdog_ms = (uint64_t)s->notify.watchdog_ms;
    int r = uv_timer_init(s->loop, &s->watchdog);

    s->watchdog.data = s;
    heap_open(&s->heap, s->loop);
    if (r == 0 && watchdog_ms > 0)
        r = uv_timer_start(&s->watchdog, on_watchdog, watchdog_ms, watchdog_ms);
    for (int i = 0; i < SIGNAL_COUNT && r == 0; i++) {
        r = uv_signal_init(s->loop, &s->signals[i]);
        s->signals[i].data = s;
        r = r ? r : uv_signal_start(&s->signals[i], on_signal, SIGNALS[i]);
    }
    return r < 0 ? err_set(err, ERR_SYSTEM, "catch signals: %s", uv_strerror(r)) : 0;
}

/* ---- listening ---- */

static enum front_wire wire_of(const struct address *a)
{
    if (a->scheme == ADDRESS_HTTPS)
        return FRONT_HTTPS;
    return a->scheme == ADDRESS_REDIRECT ? FRONT_REDIRECT : FRONT_HTTP;
}

/* No worker may ask the control API, wherever it listens: text/reach.h. */
static int guard(struct serve *s, const struct front *front, const char *ip, int port,
                 struct err *err)
{
    struct ip address;

    /* Behind '%' there may be the name of a network card. */
    if (front != s->control || !ip_parse((struct span){ip, strcspn(ip, "%")}, &address))
        return 0;
    return service_own(s->service, &address, port, err);
}

static int listen_at(struct serve *s, struct front *front, const struct address *a, const char *ip,
                     int port, int *ret_port, struct err *err)
{
    if (front_listen_as(front, wire_of(a), ip, port, ret_port, err) == 0)
        return guard(s, front, ip, *ret_port, err);
    if (port != 0 && node_is_port_taken(err))
        node_explain_port(ip, port, "port 0 takes any.", err);
    return err->code;
}

/* *ret_url: what leads to it. */
static int listen_on(struct serve *s, struct front *front, const struct address *a,
                     char ret_url[128], struct err *err)
{
    bool is_localhost = strcmp(a->host, "localhost") == 0, is_all = strcmp(a->host, "*") == 0;
    const char *ip = is_localhost ? "127.0.0.1" : is_all ? "0.0.0.0" : a->host;
    const char *scheme = a->scheme == ADDRESS_HTTPS ? "https" : "http";
    const char *shown = is_all ? "localhost" : a->host;
    struct err other = {0};
    int port, ignored;

    if (listen_at(s, front, a, ip, a->port, &port, err) < 0)
        return err->code;
    snprintf(ret_url, 128, strchr(shown, ':') ? "%s://[%s]:%d" : "%s://%s:%d", scheme, shown, port);
    /* A machine without IPv6 does without. */
    if ((is_localhost || is_all) &&
        listen_at(s, front, a, is_all ? "::" : "::1", port, &ignored, &other) < 0) {
        if (a->port != 0 && strstr(other.text, "in use")) {
            *err = other;
            return err->code;
        }
        log_debug("%s", other.text);
    }
    return 0;
}

/* Addresses of workers are told with the first listener's scheme and port. */
static void tell_address(struct serve *s)
{
    bool has_tls = s->options.listen[0].scheme == ADDRESS_HTTPS;
    const char *colon = strrchr(s->url, ':');
    int port = colon ? atoi(colon + 1) : 0;

    live_set_address(s->live, has_tls, port == (has_tls ? 443 : 80) ? 0 : port);
}

static int listen_all(struct serve *s, struct err *err)
{
    const struct serve_options *o = &s->options;
    char url[128];
    int r = 0;

    for (size_t i = 0; i < o->server.listen_count && r == 0; i++) {
        r = listen_on(s, s->workers, &o->listen[i], i == 0 ? s->url : url, err);
        if (r == 0 && i > 0)
            log_info(o->listen[i].scheme == ADDRESS_REDIRECT ? "%s leads to https" : "Also on %s",
                     url);
    }
    if (r == 0)
        tell_address(s);
    return r < 0 ? r : listen_on(s, s->control, &o->api, s->api_url, err);
}

/* ---- opening ---- */

static int open_live(struct serve *s, struct err *err)
{
    const struct server *o = &s->options.server;
    const struct box_tier *box = node_box(err);
    const struct live_config config = {
        .box_layers = box ? box->layers : 0,
        .box_uids = s->options.uids.range,
        .alone = s->alone.code ? &s->alone : NULL,
        .worker_program = s->programs.worker,
        .data_folder = s->data,
        .domain = o->domain,
        .desk = s->desk,
        .service = s->service,
        .request_cf = span_of(s->request_cf),
        .indexes = (const char *const *)o->indexes,
        .index_count = o->index_count,
        .takes_any_index = o->takes_any_index == 1,
        .limits = o->limits,
        .node_memory_bytes = node_memory_bytes(o->node_memory_mb),
        .instances_max = (unsigned)node_setting("CORRAL_TEST_INSTANCES",
                                                o->instances > 0 ? (int)o->instances : 0),
        .account_instances = o->account_instances,
        .node_instances = o->node_instances,
        .spares = (unsigned)node_setting("CORRAL_TEST_SPARES", 1),
        .stuck_ms = node_setting("CORRAL_TEST_STUCK_MS", 0),
        .idle_ms = node_setting("CORRAL_TEST_IDLE_MS", 0),
        .queue_ms = node_setting("CORRAL_TEST_QUEUE_MS", 0),
        .pool_idle_ms = node_setting("CORRAL_TEST_POOL_IDLE_MS",
                                     o->idle_seconds > 0 ? (int)o->idle_seconds * 1000 : 0),
        .pools_max = (unsigned)node_setting("CORRAL_TEST_POOLS", o->pools > 0 ? (int)o->pools : 0),
        .requests_per_day = o->requests_per_day > 0 ? o->requests_per_day : 0,
        .clock_ahead_ms = INT64_C(1000) * node_setting("CORRAL_TEST_CLOCK_AHEAD_S", 0),
        .clock_speed = node_setting("CORRAL_TEST_CLOCK_SPEED", 0)};

    return live_open(s->loop, &config, &s->live, err);
}

/* The grade of the box, for people and for commands beside this node. */
static int tell_box(struct serve *s, struct err *err)
{
    const struct box_tier *box = node_box(err);

    if (!box)
        return err->code;
    node_say_box(box);
    if (!strangers_may_share(box->layers, s->options.accept))
        (void)strangers_refuse(box_grade_of(box->layers), s->options.accept, &s->alone);
    return strangers_write(s->data, box, s->options.accept, err);
}

/* DATA/accounts/ID/...: whose it is. */
static int uid_of_database(void *self, const char *folder, unsigned *ret_uid, struct err *err)
{
    static const char ACCOUNTS[] = "/accounts/";
    const struct serve *s = self;
    const char *at = folder + strlen(s->data);
    char id[ID_SIZE];

    if (!s->live || strncmp(folder, s->data, strlen(s->data)) != 0 ||
        strncmp(at, ACCOUNTS, strlen(ACCOUNTS)) != 0 ||
        strcspn(at + strlen(ACCOUNTS), "/") != ID_SIZE - 1)
        return err_set(err, ERR_SYSTEM, "'%.300s' is no account's", folder);
    snprintf(id, sizeof id, "%s", at + strlen(ACCOUNTS));
    return live_box_uid(s->live, id, ret_uid, err);
}

static int open_state(struct serve *s, struct err *err)
{
    const struct server *o = &s->options.server;
    const struct catalog_config catalog = {.data_folder = o->data, .key_file = o->secrets_key_file};
    struct keeper_config keeper = node_keeper(&s->programs, KEEPER_SYNC_FULL);
    struct service_config service;
    int r = request_cf_read(o->request_cf, &s->request_cf, err);

    r = r < 0 ? r : desk_open(s->loop, &catalog, &s->desk, err);

    keeper.needs_folders = true; /* the API alone makes databases */
    keeper.box_uid = uid_of_database;
    keeper.box_uid_self = s;
    if (r == 0)
        s->data = realpath(o->data, NULL);
    if (r == 0 && !s->data)
        r = err_errno(err, errno, "the data folder '%s'", o->data);
    r = r < 0 ? r : tell_box(s, err);
    r = r < 0 ? r : node_claim_uids(&s->options.uids, err);
    r = r < 0 ? r : keeper_open(s->loop, &keeper, &s->keeper, err);
    service = node_service(s->keeper);
    service.is_edge = true;
    service.reach = &o->reach;
    r = r < 0 ? r : service_open(s->loop, &service, &s->service, err);
    return r < 0 ? r : node_keep_wheels(s->service, s->data, err);
}

static void route_to_api(void *self, const struct front_arrival *arrival, struct front_route *ret)
{
    struct serve *s = self;

    (void)arrival;
    *ret = (struct front_route){.to = FRONT_TO_LOCAL, .local = &api_local, .local_self = s->api};
}

static int open_access(struct serve *s, struct err *err)
{
    const char *to = s->options.server.access_log;
    const struct access_config config = {.file = strcmp(to, "-") == 0 ? NULL : to,
                                         .fd = STDOUT_FILENO};

    return strcmp(to, "off") == 0 ? 0 : access_open(&config, &s->access, err);
}

static int open_fronts(struct serve *s, struct err *err)
{
    const struct server *o = &s->options.server;
    const struct box_tier *box = node_box(err);
    const struct front_router workers = {
        .route = live_route, .finished = live_finished, .self = s->live};
    const struct front_router control = {.route = route_to_api, .self = s};
    struct api_config api = {.desk = s->desk,
                             .live = s->live,
                             .keeper = s->keeper,
                             .data_folder = s->data,
                             .domain = o->domain,
                             .public_url = o->api_url,
                             .box_layers = box ? box->layers : 0};
    struct front_config config = {.router = &workers,
                                  .timeouts = node_timeouts((int)o->drain_seconds * 1000)};
    int r = open_access(s, err);

    config.access = api.access = s->access;
    config.connections_max = node_connections(o->clients);
    config.connections_per_address =
        o->clients_per_address > 0 ? (unsigned)o->clients_per_address : 0;
    r = r < 0 ? r : front_open(s->loop, &config, &s->workers, err);

    config.access = NULL; /* it is about workers */
    config.connections_max = SERVE_API_CONNECTIONS;
    config.connections_per_address = 0;
    r = r < 0 ? r : api_open(s->loop, &api, &s->api, err);
    config.router = &control;
    /* A deploy may have to install packages first; clients wait for 300 s. */
    config.timeouts.answer_ms = SERVE_API_ANSWER_MS;
    config.body_max_bytes = INT64_C(6)
                            << 30; /* files of databases; the API has limits of its own */
    r = r < 0 ? r : front_open(s->loop, &config, &s->control, err);
    r = r < 0 ? r : read_certificates(s, err);
    return r < 0 ? r : listen_all(s, err);
}

/* ---- beginning ---- */

static void on_loaded(void *self, const struct err *err)
{
    struct serve *s = self;

    if (s->state != OPENING)
        return; /* a signal was first */
    if (err) {
        end(s, cli_fail(err, 1));
        return;
    }
    s->state = RUNNING;
    printf("Ready on %s\nAPI on %s\n", s->url, s->api_url);
    fflush(stdout);
    notify_say(&s->notify, "READY=1\nSTATUS=Workers at %s, API at %s", s->url, s->api_url);
    live_warm(s->live);
}

static int begin(struct serve *s, struct err *err)
{
    int r = open_handles(s, err);

    r = r < 0 ? r : open_state(s, err);
    r = r < 0 ? r : open_live(s, err);
    r = r < 0 ? r : open_fronts(s, err);
    if (r == 0)
        live_load(s->live, on_loaded, s);
    return r;
}

/* The exit code, or -1: go on. */
static int read_options(struct serve *s, char **args)
{
    struct diagnostics said = {0};
    struct err err = {0};
    int code = -1;

    if (serve_options_parse(&s->options, args, s->programs.worker, &said, &err) < 0)
        code = said.errors > 0 ? 2 : cli_fail(&err, 2);
    node_say_diagnostics(&said);
    diagnostics_done(&said);
    return code;
}

int serve_command(char **args)
{
    static struct serve s;
    const struct box_tier *box;
    struct err err = {0};
    int code;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN); /* the one that workers may send where little keeps them in */
    s.loop = uv_default_loop();
    if (node_find_programs(&s.programs, &err) < 0)
        return cli_fail(&err, 1);
    code = read_options(&s, args);
    if (code >= 0)
        return code;
    box = node_box(&err);
    if (!box)
        return cli_fail(&err, 2);
    node_end_leftovers(box, &s.programs);
    node_raise_descriptor_limit();
    notify_open(&s.notify);
    if (begin(&s, &err) < 0) {
        notify_say(&s.notify, "STATUS=%s", err.text);
        return cli_fail(&err, 1);
    }
    uv_run(s.loop, UV_RUN_DEFAULT);
    notify_close(&s.notify);
    server_done(&s.options.server);
    mem_free(s.request_cf);
    free(s.data);
    return s.exit_code;
}
