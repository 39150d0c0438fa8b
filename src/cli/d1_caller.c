/* d1_caller.c - one errand after the other on a loop of our own, until it is done or a signal
 * comes. */
#include "cli/d1_caller.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/node.h"
#include "cli/program.h"
#include "keeper/errand.h"

enum {
    STATEMENT_MS = 3600 * 1000
}; /* longest that one statement may run: its owner waits for it */

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof *SIGNALS };

struct d1_caller {
    uv_loop_t *loop;
    struct keeper *keeper;
    uv_signal_t signals[SIGNAL_COUNT];
    char program[PROGRAM_PATH_MAX];

    const struct d1_errand *call;
    struct errand *errand; /* that runs, or NULL */
    bool is_reading;       /* of one that is over, a thread still waits for the file */
    struct err *err;
    int result;
};

/* ---- signals: caught only while a call runs ---- */

static int interrupted;

static void finish(struct d1_caller *c, int result)
{
    c->result = result;
    c->errand = NULL;
    uv_stop(c->loop);
}

int d1_caller_interrupted(void)
{
    return interrupted;
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct d1_caller *c = handle->data;

    if (!c->errand)
        return;
    interrupted = number;
    err_set(c->err, ERR_CANCELLED, "interrupted");
    err_hint(c->err, "It was not done: the database is as it was before.");
    c->is_reading = errand_is_reading(c->errand);
    errand_cancel(c->errand);
    finish(c, ERR_CANCELLED);
}

static void catch_signals(struct d1_caller *c)
{
    for (int i = 0; i < SIGNAL_COUNT; i++)
        (void)uv_signal_start(&c->signals[i], on_signal, SIGNALS[i]);
}

static void leave_signals(struct d1_caller *c)
{
    for (int i = 0; i < SIGNAL_COUNT; i++)
        (void)uv_signal_stop(&c->signals[i]);
}

/* ---- one call ---- */

static void on_done(void *self, int result, const struct err *err)
{
    struct d1_caller *c = self;

    if (result < 0)
        *c->err = *err;
    c->is_reading = errand_is_reading(c->errand);
    finish(c, result);
}

static int on_head(void *self, const struct reply *reply, struct err *err)
{
    struct d1_caller *c = self;

    return c->call->head ? c->call->head(c->call->self, reply, err) : 0;
}

static int on_take(void *self, struct span bytes, struct err *err)
{
    struct d1_caller *c = self;

    return c->call->take(c->call->self, bytes, err);
}

int d1_caller_run(struct d1_caller *c, const struct d1_errand *call, struct err *err)
{
    const struct errand_spec spec = {.folder = call->folder,
                                     .method = call->method,
                                     .arguments = call->arguments,
                                     .file = call->file,
                                     .text = call->text,
                                     .head = on_head,
                                     .take = on_take,
                                     .done = on_done,
                                     .self = c};
    int r;

    c->call = call;
    c->err = err;
    r = errand_start(c->loop, c->keeper, &spec, &c->errand, err);
    if (r < 0)
        return r;
    catch_signals(c);
    while (c->errand)
        uv_run(c->loop, UV_RUN_DEFAULT);
    leave_signals(c);
    return c->result;
}

/* ---- open and close ---- */

static void on_log(void *self, enum log_level level, struct span text)
{
    (void)self;
    if (!interrupted) /* that a process is ended then is no news */
        log_write(level, "%.*s", SPAN_ARG(text));
}

static int init_signals(struct d1_caller *c, struct err *err)
{
    int r = 0;

    for (int i = 0; i < SIGNAL_COUNT && r == 0; i++) {
        c->signals[i].data = c;
        r = uv_signal_init(c->loop, &c->signals[i]);
    }
    return r < 0 ? err_set(err, ERR_SYSTEM, "catch signals: %s", uv_strerror(r)) : 0;
}

int d1_caller_open(struct d1_caller **ret, struct err *err)
{
    struct d1_caller *c = mem_alloc(sizeof *c);
    struct keeper_config config = {
        .sync = KEEPER_SYNC_FULL, .query_ms = STATEMENT_MS, .box_uid = node_box_uid, .log = on_log};
    const struct box_tier *box;
    int r;

    if (!c)
        return err_nomem(err);
    signal(SIGPIPE, SIG_IGN);
    c->loop = uv_default_loop();
    config.store_program = c->program;
    box = node_box(err);
    config.box_layers = box ? box->layers : 0;
    r = box ? program_find("corral-store", c->program, err) : err->code;
    r = r < 0 ? r : init_signals(c, err);
    r = r < 0 ? r : keeper_open(c->loop, &config, &c->keeper, err);
    if (r == 0)
        *ret = c;
    else
        mem_free(c);
    return r;
}

static void on_closed(void *self)
{
    struct d1_caller *c = self;

    c->keeper = NULL;
    uv_stop(c->loop);
}

/* exit() would wait for the thread that reads, and that may wait for ever. */
static void leave(int status, void *unused)
{
    (void)unused;
    fflush(NULL);
    _exit(status);
}

void d1_caller_close(struct d1_caller *c)
{
    if (!c)
        return;
    keeper_close(c->keeper, on_closed, c);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&c->signals[i], NULL);
    while (c->keeper)
        uv_run(c->loop, UV_RUN_DEFAULT);
    (void)uv_run(c->loop, UV_RUN_NOWAIT); /* the signals are closed, too */
    signal(SIGPIPE, SIG_DFL);
    if (c->is_reading)
        (void)on_exit(leave, NULL); /* and the memory stays its */
    else
        mem_free(c);
}
