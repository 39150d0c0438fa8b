/* dev.c - `corral dev`: serve a project on this machine and follow its changes.
 *
 * One node with one worker.  `newest` is the version made from the files as
 * they are now, `serving` the one that the front uses:
 *
 *   change -> reading, packages -> newest LOADING --ready--> serving = newest, old one retired
 *                                                --failed-> the front shows why, old one retired
 *   change while LOADING: the newest is retired, a newer one starts
 *
 * Invariants
 *  1. The front switches only to a version that is ready, so no request fails
 *     because of a reload that works.
 *  2. A version is retired exactly once; its bundle is deleted when its
 *     processes are gone and no other version, of whatever process, holds it.
 *  3. SIGINT and SIGTERM end everything within a second; a second one at once.
 *
 * Called by: cli.c. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/helper.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/access.h"
#include "cli/browser.h"
#include "cli/cli.h"
#include "cli/dev_options.h"
#include "cli/excerpt.h"
#include "cli/keys.h"
#include "cli/node.h"
#include "cli/reader.h"
#include "cli/request_cf.h"
#include "cli/version.h"
#include "herd/hoard.h"
#include "front/front.h"
#include "herd/herd.h"
#include "keeper/keeper.h"
#include "loop/heap.h"
#include "loop/watch.h"
#include "project/project.h"
#include "service/service.h"
#include "text/cron.h"

enum {
    DEV_VERSIONS_MAX = 64, /* alive at once, most of them draining */
    DEV_DRAIN_MS = 600,    /* requests that still run at Ctrl-C */
};
/* Is a mistake news, or has it just been shown? */
enum telling { TELL, TOLD_ALREADY };

struct dev {
    uv_loop_t *loop;
    struct herd *herd;
    struct hoard *hoard;
    struct front *front;
    struct service *service;
    struct keeper *keeper;
    struct watch *watch;
    uv_signal_t signals[2];
    struct heap heap;
    char *request_cf;
    struct dev_options options;
    char url[300]; /* where it serves, for people */
    struct node_programs programs;
    struct reader reader;
    bool is_stale;                       /* something has changed since the reader began */
    enum telling telling, stale_telling; /* of the reading that runs; of the next */
    struct project last; /* as last read, for the watcher: also when it did not load */
    struct version *versions[DEV_VERSIONS_MAX];
    struct version *newest; /* loading or serving; NULL after a failure */
    struct version *serving;
    int64_t change_ms;      /* when the change came that newest was made for */
    struct buf watched;     /* the watcher's roots, NUL behind each */
    char secrets_told[256]; /* the file of secrets that was named last */
    struct buf access_told; /* the table of bindings that was printed last */
    bool has_keys;          /* of a terminal, see keys.h */
    bool has_read;          /* the project, once */
    bool is_announced;
    bool has_told_scheduled; /* how to run the scheduled handler */
    bool is_ending;
    int exit_code;
};

/* ---- telling the person ---- */

/* Where the secrets come from, when that is news. */
static void say_secrets(struct dev *dev)
{
    const char *file = dev->last.secrets_file;

    if (strcmp(file, dev->secrets_told) == 0)
        return;
    snprintf(dev->secrets_told, sizeof dev->secrets_told, "%s", file);
    if (file[0])
        log_info("Using secrets defined in %s", file);
}

/* What the worker has access to, when that is news. */
static void say_access(struct dev *dev)
{
    struct buf text = {0};

    if (access_print(&dev->last, &text) < 0 ||
        (buf_len(&text) == buf_len(&dev->access_told) &&
         memcmp(buf_data(&text), buf_data(&dev->access_told), buf_len(&text)) == 0)) {
        buf_done(&text);
        return;
    }
    if (buf_len(&text) > 0)
        log_info("%.*s", SPAN_ARG(buf_span(&text)));
    buf_done(&dev->access_told);
    dev->access_told = text;
}

static const char KEYS[] = "[b] open a browser, [c] clear console, [x] to exit";

static void announce(struct dev *dev, const char *remark)
{
    if (dev->is_announced)
        return;
    dev->is_announced = true;
    log_info("Ready on %s%s", dev->url, remark);
    if (dev->has_keys)
        log_info("%s", KEYS);
}

/* When the crons of the configuration would run on a node. */
static void tell_crons(const struct project_deploy *deploy)
{
    char when[32];
    struct cron cron;
    struct err err = {0};
    struct tm tm;
    time_t t;

    for (size_t i = 0; i < deploy->cron_count; i++) {
        if (cron_parse(span_of(deploy->crons[i]), &cron, &err) < 0)
            continue; /* the project has said so */
        t = (time_t)(cron_next(&cron, clock_wall_ms()) / 1000);
        if (gmtime_r(&t, &tm) && strftime(when, sizeof when, "%a %Y-%m-%d %H:%M", &tm) > 0)
            log_info("Cron '%s': next on %s UTC, when deployed", deploy->crons[i], when);
    }
}

static void tell_scheduled(struct dev *dev, uint32_t handlers)
{
    if (dev->has_told_scheduled || !(handlers & HANDLER_SCHEDULED))
        return;
    dev->has_told_scheduled = true;
    log_info("The scheduled handler is not called by itself here. To run it: "
             "curl \"%s/cdn-cgi/handler/scheduled\"",
             dev->url);
    tell_crons(&dev->last.deploy);
}

/* Source lines for error pages, from the bundle: secrets are not in there. */
static int find_excerpt(void *self, const struct pool *pool, struct span file, int line,
                        struct buf *out, int *ret_first)
{
    struct dev *dev = self;
    struct version *v = pool ? NULL : dev->newest;

    for (int i = 0; pool && i < DEV_VERSIONS_MAX; i++)
        if (dev->versions[i] && version_pool(dev->versions[i]) == pool)
            v = dev->versions[i];
    return v ? excerpt_read(version_bundle(v)->folder, file, line, out, ret_first) : ERR_NOT_FOUND;
}

/* Requests get this text until the next change. */
static void show_page(struct dev *dev, struct span plain)
{
    struct err err = {0};

    if (front_set_page(dev->front, 500, plain, SPAN(""), &err) < 0)
        log_error("error page: %s", err.text);
}

/* ---- versions ---- */

static void retire(struct dev *dev, struct version *v)
{
    if (!v)
        return;
    if (v == dev->serving)
        dev->serving = NULL;
    if (v == dev->newest)
        dev->newest = NULL;
    version_retire(v);
}

static void on_ready(void *self, struct version *v)
{
    struct dev *dev = self;
    struct version *old = dev->serving;

    if (v != dev->newest || dev->is_ending)
        return;
    front_set_pool(dev->front, version_pool(v));
    dev->serving = v;
    if (old != v)
        retire(dev, old);
    if (dev->is_announced)
        log_info("Reloaded in %ldms", (long)(clock_now_ms() - dev->change_ms));
    announce(dev, "");
    tell_scheduled(dev, version_handlers(v));
}

static int print_failure(const struct version *v, const struct failed *why, struct buf *out)
{
    int r = 0;

    if (why->traceback.len > 0)
        r = buf_print(out, "%s%.*s",
                      version_is_script(v) ? "" : "PythonError: ", SPAN_ARG(why->traceback));
    else
        r = buf_print(out, "%.*s", SPAN_ARG(why->text));
    if (r == 0 && out->tail > out->head && out->mem[out->tail - 1] != '\n')
        r = buf_append(out, "\n", 1);
    if (r == 0 && why->hint.len > 0)
        r = buf_print(out, "\n%.*s\n", SPAN_ARG(why->hint));
    return r;
}

static void on_failed(void *self, struct version *v, const struct failed *why)
{
    struct dev *dev = self;
    struct buf text = {0};

    if (v == dev->newest && !dev->is_ending) {
        if (print_failure(v, why, &text) < 0)
            log_error("the worker does not load, and memory is short");
        log_error("%.*s", SPAN_ARG(buf_span(&text)));
        show_page(dev, buf_span(&text));
        retire(dev, dev->serving);
        announce(dev, " (the worker does not load yet: mend it and save)");
    }
    buf_done(&text);
    retire(dev, v);
}

static void on_gone(void *self, struct version *v)
{
    struct dev *dev = self;

    reader_discard(dev->loop, version_bundle(v));
    for (int i = 0; i < DEV_VERSIONS_MAX; i++)
        if (dev->versions[i] == v)
            dev->versions[i] = NULL;
}

static int start_version(struct dev *dev, struct version *take_version, struct err *err)
{
    int slot = 0, r;

    while (slot < DEV_VERSIONS_MAX && dev->versions[slot])
        slot++;
    r = slot < DEV_VERSIONS_MAX
            ? version_start(take_version, dev->herd, dev->service, err)
            : err_set(err, ERR_LIMIT, "%d older versions are still draining", DEV_VERSIONS_MAX);
    if (r < 0) {
        version_free(take_version);
        return r;
    }
    dev->versions[slot] = take_version;
    /* What was still loading is out of date. */
    if (dev->newest != dev->serving)
        retire(dev, dev->newest);
    dev->newest = take_version;
    return 0;
}

/* Start a version of the project as it was read.  1 when it did, 0 when nothing
 * that matters has changed since the newest one. */
static int start_reading(struct dev *dev, struct reading *reading, struct err *err)
{
    static const struct version_events EVENTS = {
        .ready = on_ready, .failed = on_failed, .gone = on_gone};
    struct version *v = NULL;
    int r;

    /* What could not be bundled is watched as it was when it could. */
    if (!reading->project.script.inputs) {
        reading->project.script.inputs = dev->last.script.inputs;
        dev->last.script.inputs = NULL;
    }
    project_done(&dev->last);
    dev->last = reading->project;
    reading->project = (struct project){0};
    if (reading->r < 0) {
        *err = reading->err;
        return reading->r;
    }
    say_secrets(dev);
    say_access(dev);
    r = version_new(&dev->last, &reading->bundle, &reading->environment, &reading->linked, &EVENTS,
                    dev, &v, err);
    if (r < 0)
        return r;
    if (dev->newest && version_is_same(dev->newest, v)) {
        version_free(v);
        return 0;
    }
    r = start_version(dev, v, err);
    return r < 0 ? r : 1;
}

/* ---- changes ---- */

static int watch_project(struct dev *dev, enum telling telling, struct err *err) MUST_CHECK;

/* Nothing of this project can be served. */
static void fail(struct dev *dev, const struct diagnostics *d, const struct err *err)
{
    struct buf page = {0};

    if (d->errors == 0 && dev->telling == TELL)
        log_error("%s%s%s", err->text, err->hint[0] ? "\n" : "", err->hint);
    if (d->errors == 0 || diagnostics_print(d, &page) < 0)
        show_page(dev, span_of(err->text));
    else
        show_page(dev, buf_span(&page));
    if (dev->newest != dev->serving)
        retire(dev, dev->newest);
    retire(dev, dev->serving);
    buf_done(&page);
}

static void read_again(struct dev *dev, enum telling telling);
static void end(struct dev *dev, int code);

/* What is wrong with the project when it is first read ends the program; packages that cannot be
 * had do not: an index may answer later; nor does JavaScript that cannot be bundled. */
static void fail_first(struct dev *dev, const struct reading *reading, const struct err *err)
{
    if (!reading->is_project_bad) {
        fail(dev, &reading->diagnostics, err);
        announce(dev, dev->last.script.is_used
                          ? " (the worker cannot be bundled yet: mend it and save)"
                          : " (its packages cannot be had yet: mend that and save)");
        return;
    }
    dev->exit_code = reading->diagnostics.errors > 0 ? 1 : cli_fail(err, 1);
    end(dev, dev->exit_code);
}

/* What earlier runs left. */
static void sweep(const char *state)
{
    char linked[PATH_MAX];

    bundle_sweep(state);
    if ((size_t)snprintf(linked, sizeof linked, "%s/linked", state) < sizeof linked)
        link_sweep(linked);
}

static void on_reading(void *self, struct reading *reading)
{
    struct dev *dev = self;
    bool is_first = !dev->has_read;
    struct err err = {0};
    int r;

    if (dev->is_ending)
        return;
    if (reading->r == ERR_CANCELLED && dev->is_stale) {
        read_again(dev, dev->stale_telling);
        return;
    }
    dev->has_read = true;
    r = start_reading(dev, reading, &err);
    if (r < 0 && is_first)
        fail_first(dev, reading, &err);
    else if (r < 0)
        fail(dev, &reading->diagnostics, &err);
    if (r > 0 || (r < 0 && dev->telling == TELL))
        node_say_diagnostics(&reading->diagnostics);
    if (dev->is_ending)
        return;
    if (is_first)
        sweep(dev->last.state_folder);
    /* Without a main nobody knows the folders: then the last ones are watched on. */
    if ((r >= 0 || dev->last.main) && watch_project(dev, r < 0 ? TOLD_ALREADY : TELL, &err) < 0)
        log_warn("not every change is followed: %s", err.text);
    if (dev->is_stale && !dev->reader.is_busy)
        read_again(dev, dev->stale_telling);
}

/* Read the project; once more when this is asked for while it is being read. */
static void read_again(struct dev *dev, enum telling telling)
{
    struct err err = {0};

    if (dev->reader.is_busy) {
        dev->stale_telling = dev->is_stale && dev->stale_telling == TELL ? TELL : telling;
        dev->is_stale = true;
        return;
    }
    dev->is_stale = false;
    dev->telling = telling;
    dev->change_ms = clock_now_ms();
    if (reader_start(&dev->reader, &err) < 0)
        log_error("%s", err.text);
}

static bool is_ignored(void *self, const char *path, const char *name)
{
    struct dev *dev = self;

    (void)name;
    if (project_is_built_from(&dev->last, path))
        dev->reader.runs_build = true;
    return project_ignores(&dev->last, path);
}

static void on_change(void *self, const char *path)
{
    struct dev *dev = self;

    if (dev->is_ending)
        return;
    log_debug("changed: %s", path);
    /* What is being installed is no longer what is wanted. */
    if (project_is_package_file(&dev->last, path))
        reader_cancel(&dev->reader);
    read_again(dev, TELL);
}

/* Watch the folders of the project as it was last read; keep the watcher when
 * they are the same as before, or when there cannot be another.  What was saved
 * between the reading and the watching is found by reading once more. */
static int watch_project(struct dev *dev, enum telling telling, struct err *err)
{
    static const struct watch_events EVENTS = {.is_ignored = is_ignored, .changed = on_change};
    struct watch_roots roots = {0};
    struct watch *fresh = NULL;
    struct buf names = {0};
    int r;

    r = project_watch_roots(&dev->last, &roots);
    for (size_t i = 0; i < roots.count && r == 0; i++)
        r = buf_append(&names, roots.items[i].path, strlen(roots.items[i].path) + 1);
    if (r == 0)
        r = project_watch_more(&dev->last, &names);
    if (r < 0) {
        r = err_nomem(err);
        goto out;
    }
    if (dev->watch && buf_len(&names) == buf_len(&dev->watched) &&
        memcmp(buf_data(&names), buf_data(&dev->watched), buf_len(&names)) == 0)
        goto out;
    r = watch_open(dev->loop, &EVENTS, dev, &fresh, err);
    for (size_t i = 0; i < roots.count && r == 0; i++)
        r = watch_add(fresh, roots.items[i].path, err);
    if (r < 0)
        goto out;
    if (dev->watch)
        watch_close(dev->watch, NULL);
    dev->watch = fresh;
    fresh = NULL;
    buf_done(&dev->watched);
    dev->watched = names;
    names = (struct buf){0};
    read_again(dev, telling);
out:
    if (fresh)
        watch_close(fresh, NULL);
    watch_roots_done(&roots);
    buf_done(&names);
    return r;
}

/* ---- beginning and end ---- */

static const char ANY_PORT[] = "--port 0 takes any.";

static int listen_on(struct dev *dev, struct err *err)
{
    struct err other = {0};
    struct dev_options *o = &dev->options;
    bool is_localhost = strcmp(o->ip, "localhost") == 0, is_any = o->port == 0;
    const char *ip = is_localhost ? "127.0.0.1" : strcmp(o->ip, "*") == 0 ? "0.0.0.0" : o->ip;
    const char *shown = strcmp(ip, "0.0.0.0") == 0 ? "localhost" : o->ip;
    int port, ignored;

    if (front_listen(dev->front, ip, (int)o->port, &port, err) < 0)
        return !is_any && node_is_port_taken(err)
                   ? node_explain_port(ip, (int)o->port, ANY_PORT, err)
                   : err->code;
    o->port = port;
    snprintf(dev->url, sizeof dev->url, strchr(shown, ':') ? "http://[%s]:%d" : "http://%s:%d",
             shown, port);
    if (!is_localhost || front_listen(dev->front, "::1", port, &ignored, &other) == 0)
        return 0;
    /* Browsers try ::1 first: who holds it would answer in our place.  A
     * machine without IPv6 does without. */
    if (!is_any && node_is_port_taken(&other)) {
        *err = other;
        return node_explain_port("::1", port, ANY_PORT, err);
    }
    log_debug("not on ::1: %s", other.text);
    return 0;
}

static void on_keeper_closed(void *self)
{
    struct dev *dev = self;

    for (int i = 0; i < 2; i++)
        if (!uv_is_closing((uv_handle_t *)&dev->signals[i]))
            uv_close((uv_handle_t *)&dev->signals[i], NULL);
    if (!uv_is_closing((uv_handle_t *)&dev->heap.timer))
        heap_close(&dev->heap);
    keys_close();
    /* Whoever ends does not wait for what is still being read. */
    if (dev->reader.is_busy)
        uv_stop(dev->loop);
    else
        reader_close(&dev->reader);
}

static void on_service_closed(void *self)
{
    struct dev *dev = self;

    keeper_close(dev->keeper, on_keeper_closed, dev);
}

static void on_herd_closed(void *self)
{
    struct dev *dev = self;

    service_close(dev->service, on_service_closed, dev);
}

static void on_front_closed(void *self)
{
    struct dev *dev = self;

    dev->front = NULL;
    herd_close(dev->herd, on_herd_closed, dev);
}

static void on_front_drained(void *self)
{
    struct dev *dev = self;

    front_close(dev->front, on_front_closed, dev);
}

/* Now, whatever the reader does: its thread may not see in time that it is cancelled, and a build or
 * an installation would outlive us. */
static _Noreturn void leave(int code)
{
    helper_end_all();
    keys_restore();
    _exit(code);
}

static void end(struct dev *dev, int code)
{
    if (dev->is_ending)
        leave(code);
    dev->is_ending = true;
    log_debug("ending");
    reader_cancel(&dev->reader); /* what it has started ends with us */
    if (dev->watch)
        watch_close(dev->watch, NULL);
    dev->watch = NULL;
    front_drain(dev->front, on_front_drained, dev);
}

static void on_signal(uv_signal_t *signal, int number)
{
    end(signal->data, 128 + number);
}

static void on_key(void *self, char key)
{
    static const char CLEAR[] = "\033[H\033[2J\033[3J";
    struct dev *dev = self;
    struct err err = {0};

    switch (key) {
    case 'b':
        if (browser_open(dev->loop, dev->url, &err) < 0)
            log_warn("%s\n%s", err.text, err.hint);
        break;
    case 'c':
        log_plain((struct span){CLEAR, sizeof CLEAR - 1});
        log_info("%s", KEYS);
        break;
    case '\n':
        log_plain(SPAN("\n"));
        break;
    case 'x':
    case 'q':
    case 3: /* Ctrl-C of a terminal without signals */
        end(dev, 0);
    }
}

/* Keys are a comfort: without them it serves all the same. */
static void open_keys(struct dev *dev)
{
    struct err err = {0};

    if (!dev->options.has_keys || !keys_are_there())
        return;
    if (keys_open(dev->loop, on_key, dev, &err) < 0)
        log_debug("no keys: %s", err.text);
    else
        dev->has_keys = true;
}

static int catch_signals(struct dev *dev, struct err *err)
{
    static const int NUMBERS[2] = {SIGINT, SIGTERM};
    int r = 0;

    for (int i = 0; i < 2 && r == 0; i++) {
        r = uv_signal_init(dev->loop, &dev->signals[i]);
        dev->signals[i].data = dev;
        r = r ? r : uv_signal_start(&dev->signals[i], on_signal, NUMBERS[i]);
    }
    return r < 0 ? err_set(err, ERR_SYSTEM, "catch signals: %s", uv_strerror(r)) : 0;
}

static int open_node(struct dev *dev, struct err *err)
{
    const struct box_tier *box = node_box(err);
    static const struct reach AS_ON_A_NODE;
    struct uids uids = {.range = {BOX_UID_FIRST, BOX_UID_LAST}};
    struct herd_config herd = {.worker_program = dev->programs.worker,
                               .memory_bytes = limit_heap_bytes(&LIMIT_DEV),
                               .hoard = dev->hoard,
                               .box_layers = box ? box->layers : 0,
                               .spares = (unsigned)node_setting("CORRAL_TEST_SPARES", 1),
                               .instances_max = (unsigned)node_setting("CORRAL_TEST_INSTANCES", 0),
                               .request_cf = span_of(dev->request_cf),
                               .stuck_ms = node_setting("CORRAL_TEST_STUCK_MS", 0),
                               .idle_ms = node_setting("CORRAL_TEST_IDLE_MS", 0)};
    const struct front_config front = {.show_errors = true,
                                       .triggers = dev->options.tests_scheduled ? FRONT_ALL_TRIGGERS
                                                                                : FRONT_TRIGGERS,
                                       .access_log = log_level() <= LOG_INFO,
                                       .connections_max = node_connections(0),
                                       .excerpt = find_excerpt,
                                       .excerpt_self = dev,
                                       .timeouts = node_timeouts(DEV_DRAIN_MS)};
    const struct keeper_config keeper = node_keeper(
        &dev->programs, dev->options.has_full_sync ? KEEPER_SYNC_FULL : KEEPER_SYNC_NORMAL);
    struct service_config service;
    int r = box ? catch_signals(dev, err) : err->code;

    r = r < 0 ? r : node_claim_uids(&uids, err);
    herd.box_uid = uids.range.first;
    r = r < 0 ? r : front_open(dev->loop, &front, &dev->front, err);
    r = r < 0 ? r : listen_on(dev, err);
    r = r < 0 ? r : keeper_open(dev->loop, &keeper, &dev->keeper, err);
    service = node_service(dev->keeper);
    service.reach = dev->options.guards_fetch ? &AS_ON_A_NODE : NULL;
    r = r < 0 ? r : service_open(dev->loop, &service, &dev->service, err);
    return r < 0 ? r : herd_open(dev->loop, &herd, &dev->herd, err);
}

/* What is wrong with the project now ends the program.  Then its changes are followed, and it is
 * read again for the first version, by the reader: packages may take their time. */
static int begin(struct dev *dev)
{
    struct diagnostics said = {0};
    struct err err = {0};
    int r;

    dev->reader.runs_build = true;
    r = project_load(&dev->options.project, &dev->last, &said, &err);

    if (r < 0) {
        node_say_diagnostics(&said);
        r = said.errors > 0 ? 1 : cli_fail(&err, 1);
    } else if (node_keep_wheels(dev->service, dev->last.state_folder, &err) < 0 ||
               reader_open(&dev->reader, dev->loop, &dev->options.project, on_reading, dev, &err) <
                   0 ||
               watch_project(dev, TELL, &err) < 0) {
        r = cli_fail(&err, 1);
    }
    diagnostics_done(&said);
    return r;
}

static int dev_run(struct dev *dev)
{
    const struct box_tier *box;
    struct err err = {0};
    int r;

    node_raise_descriptor_limit();
    dev->loop = uv_default_loop();
    heap_open(&dev->heap, dev->loop);
    r = node_find_programs(&dev->programs, &err);
    if (r < 0)
        return cli_fail(&err, 1);
    dev->options.project.worker_program = dev->programs.worker;
    dev->options.project.is_development = true;
    r = open_node(dev, &err);
    if (r < 0)
        return cli_fail(&err, 1);
    box = node_box(&err);
    if (box && !box_is_for_strangers(box->layers))
        node_say_box(box);
    if (box)
        node_end_leftovers(box, &dev->programs);
    open_keys(dev);
    r = begin(dev);
    if (r != 0)
        return r;
    uv_run(dev->loop, UV_RUN_DEFAULT);
    if (dev->reader.is_busy)
        leave(dev->exit_code); /* a return would wait for it */
    project_done(&dev->last);
    hoard_free(dev->hoard);
    mem_free(dev->request_cf);
    return dev->exit_code;
}

int dev_command(char **args)
{
    static struct dev dev;
    struct err err = {0};

    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN); /* the one that workers may send where little keeps them in */
    if (dev_options_parse(&dev.options, args, &err) < 0)
        return cli_fail(&err, 2);
    if (request_cf_read(dev.options.request_cf, &dev.request_cf, &err) < 0)
        return cli_fail(&err, 2);
    dev.hoard = hoard_new(node_memory_bytes(0));
    if (!dev.hoard) {
        err_nomem(&err);
        return cli_fail(&err, 1);
    }
    return dev_run(&dev);
}
