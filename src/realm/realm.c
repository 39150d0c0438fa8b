/* realm.c - one JavaScript global object and one Python interpreter, alive side by side.
 *
 * This file only joins: js/ (the engine), web/ (its platform), py/ (the
 * interpreter and the worker), bridge/ (between them), exchange.c (requests).
 *
 * Every realm_* call that may run code of the worker stands between enter()
 * and leave().  They take the GIL, if other Python threads made us give it
 * away, and JavaScript's lock; leaving runs the microtasks, which may make
 * Python ready, which may make microtasks: realm_request goes round a few
 * times, the rest is for realm_turn.
 *
 * Invariants:
 *   1. one realm per process, one thread at every fork;
 *   2. the host is called only between enter() and leave();
 *   3. outside them the GIL is free whenever a second Python thread exists. */
#include "realm/realm.h"

#include "base/clock.h"
#include "base/mem.h"
#include "realm/bridge/away.h"
#include "realm/bridge/bridge.h"
#include "realm/crypto/crypto.h"
#include "realm/exchange.h"
#include "realm/js/engine.h"
#include "realm/outcall.h"
#include "realm/py/interp.h"
#include "realm/py/locks.h"
#include "realm/py/loop.h"
#include "realm/py/overtime.h"
#include "realm/py/sync.h"
#include "realm/py/worker.h"
#include "realm/script/script.h"
#include "realm/socket.h"
#include "realm/stacks.h"
#include "realm/strand.h"
#include "realm/timer.h"
#include "realm/web/web.h"

enum {
    ROUNDS_MAX = 8,         /* of microtasks and Python callbacks within one request call */
    WARM_CALLS = 12,
    BUSY_MS = 100, /* that a first request may take before the allocator gets its thread all the same */
    WARM_STREAM = INT32_MAX,    /* the highest number of a request: HOST_OUTCALL_BIT is not set */
};

struct realm {
    const struct host *host;
};

static struct realm the_realm;

/* ---- in and out ---- */

static void enter(void)
{
    interp_resume();
    engine_lock();
}

static int64_t served_us; /* when the first request came; 0: not yet */

static void enter_for(uint32_t stream)
{
    if (served_us == 0)
        served_us = clock_now_us();
    enter();
    overtime_run(stream);
}

/* With the GIL still held: other threads use the loop too. */
static void end_turn(void)
{
    engine_unlock();
    for (int i = 0; i < ROUNDS_MAX && loop_is_ready(); i++) {
        engine_lock();
        loop_run();
        engine_unlock();
    }
    if (script_has_ended()) {
        engine_lock();
        script_end_handlers();
        engine_unlock();
    }
    output_flush();
}

static void leave(void)
{
    end_turn();
    interp_suspend();
}

/* ---- zygote ---- */

static const struct strand_hooks HOOKS = {interp_begin_thread, interp_end_thread};

int realm_new(const struct host *host, struct realm **ret_realm, struct err *err)
{
    if (the_realm.host)
        return err_set(err, ERR_INVALID, "a process can have only one realm");
    the_realm.host = host;
    stacks_reserve();
    strand_open(&HOOKS);
    exchange_set_host(host);
    outcall_set_host(host);
    exchange_set_current(interp_stream);
    if (engine_open(err) < 0)
        return err->code;
    web_define();
    crypto_define();
    script_define();
    bridge_define();
    if (engine_boot(err) < 0)
        return err->code;
    web_boot();
    if (interp_open(err) < 0 || bridge_open(err) < 0 || loop_open(err) < 0 || sync_open(err) < 0 ||
        locks_open(err) < 0 || worker_open(err) < 0 || overtime_open(err) < 0)
        return err->code;
    if (interp_freeze(err) < 0)
        return err->code;
    /* The engine wants to collect some time after all this: by a thread, in whoever is forked. */
    engine_collect();
    *ret_realm = &the_realm;
    return 0;
}

const char *realm_python_version(void)
{
    return interp_version();
}

int realm_python_library(char *room, size_t size, struct err *err)
{
    return interp_library(room, size, err);
}

const char *realm_javascript_version(void)
{
    return engine_version();
}

/* ---- around fork ---- */

void realm_fork_before(struct realm *realm)
{
    (void)realm;
    interp_fork_before();
}

void realm_fork_parent(struct realm *realm)
{
    (void)realm;
    interp_fork_parent();
}

void realm_fork_child(struct realm *realm)
{
    (void)realm;
    /* A worker in JavaScript runs no Python: making it anew would touch 200 pages for nobody. */
    if (!script_is_on())
        interp_fork_child();
}

/* ---- template ---- */

int realm_load(struct realm *realm, const struct realm_bundle *bundle, uint32_t *ret_handlers,
               struct realm_failure *ret_failure)
{
    int r;

    *ret_failure = (struct realm_failure){0};
    (void)realm;
    enter();
    web_load();
    socket_limit(bundle->message_bytes);
    web_request_cf(bundle->request_cf);
    r = script_is_wanted(bundle) ? script_load(bundle, ret_handlers, ret_failure)
                                 : worker_load(bundle, ret_handlers, ret_failure);
    leave();
    return r;
}

void realm_failure_done(struct realm_failure *failure)
{
    mem_free(failure->text);
    mem_free(failure->hint);
    mem_free(failure->traceback);
    mem_free(failure->file);
    mem_free(failure->module);
    *failure = (struct realm_failure){0};
}

static void ignore_log(void *self, uint32_t stream, enum log_level level, struct span text,
                       struct span told)
{
    (void)self, (void)stream, (void)level, (void)text, (void)told;
}
static unsigned warm_answers;
static void count_respond(void *self, uint32_t stream, const struct host_response *response)
{
    (void)self, (void)stream, (void)response;
    warm_answers++;
}
static void ignore_body(void *self, uint32_t stream, struct span bytes, bool is_end)
{
    (void)self, (void)stream, (void)bytes, (void)is_end;
}
static void ignore_fail(void *self, uint32_t stream, enum host_failure why, struct span text)
{
    (void)self, (void)stream, (void)why, (void)text;
}
static void ignore_credit(void *self, uint32_t stream, uint32_t bytes)
{
    (void)self, (void)stream, (void)bytes;
}
static void ignore_stream(void *self, uint32_t stream)
{
    (void)self, (void)stream;
}

/* Whom the warm-up calls answer. */
static const struct host nobody = {
    NULL,          ignore_log, NULL,    count_respond, ignore_body,
    ignore_fail,   ignore_credit, ignore_stream,  ignore_stream,
    NULL,          NULL,          NULL,           NULL,
};

static void warm_up(struct realm *realm)
{
    static const struct host_pair headers[] = {{{"Host", 4}, {"localhost", 9}},
                                               {{"Content-Type", 12}, {"text/plain", 10}}};
    struct realm_request request = {
        .method = SPAN("POST"), .url = SPAN("http://localhost/"), .headers = headers,
        .header_count = 2, .body_length = 2};

    for (uint32_t i = 0; i < WARM_CALLS; i++) {
        struct exchange *x;
        enter();
        exchange_set_host(&nobody);
        outcall_set_host(&nobody);
        x = exchange_open(WARM_STREAM - i, &request);
        if (x) {
            inflow_arrive(&x->in, SPAN("ok"), true);
            script_is_on() ? script_warm(x) : worker_warm(x);
        }
        leave();
        exchange_set_host(realm->host);
        outcall_set_host(realm->host);
    }
    /* What the calls did not reach is parsed and compiled by every instance: a millisecond. */
    if (warm_answers != WARM_CALLS)
        realm->host->log(
            realm->host->self, 0, LOG_ERROR,
            SPAN("Corral's own warm-up calls were not answered; first requests are slow"),
            SPAN(""));
}

void realm_settle(struct realm *realm)
{
    if (script_is_on()) {
        enter();
        script_settle();
        leave();
    }
    warm_up(realm);
    enter();
    engine_collect();
    bridge_turn();
    worker_settle();
    leave();
}

/* ---- instance ---- */

int realm_start(struct realm *realm, struct err *err)
{
    int r;

    (void)realm;
    enter();
    r = engine_start(err);
    if (r == 0)
        r = loop_start(err);
    if (r == 0) {
        exchange_met_none();
        web_start();
        if (!script_is_on())
            worker_start();
        overtime_start();
    }
    leave();
    return r;
}

void realm_watch(struct realm *realm, volatile uint32_t *word)
{
    (void)realm;
    overtime_show(word);
    enter();
    overtime_watch();
    leave();
}

void realm_request(struct realm *realm, uint32_t stream, const struct realm_request *request)
{
    struct exchange *x;

    (void)realm;
    enter_for(stream);
    x = exchange_open(stream, request);
    if (x)
        script_is_on() ? script_fetch(x) : worker_fetch(x);
    leave();
}

void realm_event(struct realm *realm, uint32_t stream, const struct realm_event *event)
{
    /* What the log says of it: "scheduled event: Traceback ...". */
    const struct realm_request request = {.method = event->kind, .url = SPAN("event")};
    struct exchange *x;

    (void)realm;
    enter_for(stream);
    x = exchange_open(stream, &request);
    if (x)
        script_is_on() ? script_event(x, event) : worker_event(x, event);
    leave();
}

void realm_request_body(struct realm *realm, uint32_t stream, struct span bytes, bool is_end)
{
    struct exchange *x = exchange_find(stream);

    if (!x)
        return;
    (void)realm;
    enter_for(stream);
    exchange_hold(x);   /* a relay that breaks ends the answer, and with it the exchange */
    inflow_arrive(&x->in, bytes, is_end);
    exchange_release(x);
    leave();
}

void realm_hang_up(struct realm *realm)
{
    (void)realm;
    enter();
    socket_hang_up();
    leave();
}

void realm_credit(struct realm *realm, uint32_t stream, uint32_t bytes)
{
    struct exchange *x = exchange_find(stream);

    if (!x)
        return;
    (void)realm;
    enter_for(stream);
    outflow_credit(&x->out, bytes);
    leave();
}

void realm_abort(struct realm *realm, uint32_t stream)
{
    struct exchange *x = exchange_find(stream);

    if (!x)
        return;
    (void)realm;
    enter_for(stream);
    exchange_abort(x);
    leave();
}

void realm_reply(struct realm *realm, uint32_t stream, const struct realm_reply *reply)
{
    struct outcall *o = outcall_find(stream);

    if (!o)
        return;
    (void)realm;
    enter_for(o->request);
    outcall_reply(o, reply);
    leave();
}

void realm_reply_body(struct realm *realm, uint32_t stream, struct span bytes, bool is_end)
{
    struct outcall *o = outcall_find(stream);

    if (!o)
        return;
    (void)realm;
    enter_for(o->request);
    outcall_body(o, bytes, is_end);
    leave();
}

void realm_outcall_credit(struct realm *realm, uint32_t stream, uint32_t bytes)
{
    struct outcall *o = outcall_find(stream);

    if (!o)
        return;
    (void)realm;
    enter_for(o->request);
    outcall_credited(o, bytes);
    leave();
}

void realm_outcall_failed(struct realm *realm, uint32_t stream, struct span text)
{
    struct outcall *o = outcall_find(stream);

    if (!o)
        return;
    (void)realm;
    enter_for(o->request);
    outcall_failed(o, text);
    leave();
}

/* Asked while no other Python thread runs: call_soon_threadsafe changes the answer.
 * What it adds later comes with a wake-up. */
static int due_in_ms(int engine_ms)
{
    int64_t next_us = timers_next_us(), ms;

    if (loop_is_ready())
        return 0;
    if (next_us < 0)
        return engine_ms;
    ms = (next_us - clock_now_us() + 999) / 1000;
    if (ms < 0)
        ms = 0;
    if (ms > INT32_MAX)
        ms = INT32_MAX;
    return engine_ms >= 0 && engine_ms < ms ? engine_ms : (int)ms;
}

static struct {
    void (*loop)(void *argument);
    void *argument;
} served;

static void run_loop(void *unused)
{
    (void)unused;
    engine_take_loop();
    served.loop(served.argument);
    engine_give_loop();
}

void realm_serve(struct realm *realm, void (*loop)(void *argument), void *argument)
{
    (void)realm;
    served.loop = loop;
    served.argument = argument;
    away_serve();
    strand_serve(run_loop, NULL);
}

bool realm_has_loop(struct realm *realm)
{
    (void)realm;
    return strand_has_loop();
}

int realm_turn(struct realm *realm)
{
    int engine_ms, due_ms;

    (void)realm;
    enter();
    if (script_is_on())
        overtime_run(0); /* timers say whose they are */
    timers_run(clock_now_us());
    loop_run();
    bridge_turn();
    engine_unlock();    /* microtasks before the engine's own loop, which may add more */
    engine_ms = engine_turn();
    engine_lock();
    end_turn();
    due_ms = due_in_ms(engine_ms);
    /* What the engine has still to do later is its own: it collects garbage. */
    if (script_is_on() && due_ms != 0 && timers_next_us() < 0) {
        engine_lock();
        script_end_hung();
        engine_unlock();
    }
    interp_suspend();
    return due_ms;
}

void realm_idle(struct realm *realm)
{
    (void)realm;
    if (served_us > 0 &&
        (exchange_count() == 0 || clock_now_us() - served_us > (int64_t)BUSY_MS * 1000))
        engine_rest();
}

size_t realm_poll_fds(struct realm *realm, struct pollfd *fds, size_t max)
{
    int all[2] = {engine_wake_fd(), loop_wake_fd()};
    size_t n = 0;

    (void)realm;
    for (size_t i = 0; i < 2; i++)
        if (all[i] >= 0 && n < max)
            fds[n++] = (struct pollfd){.fd = all[i], .events = POLLIN};
    return n;
}

void realm_woken(struct realm *realm)
{
    (void)realm;
    engine_woken();
}
