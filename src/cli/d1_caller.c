/* d1_caller.c - send the body as the store takes it, take the answer as it comes.
 *
 * The file is read by a thread of libuv's: a pipe may let us wait, and Ctrl-C
 * must not.  One read is under way at most, and it fills `piece` only when that
 * is empty. */
#include "cli/d1_caller.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/program.h"
#include "keeper/keeper.h"

enum {
    PIECE = 256 * 1024,
    STATEMENT_MS = 3600 * 1000, /* longest that one statement may run: its owner waits for it */
};

static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof *SIGNALS };

struct d1_caller {
    uv_loop_t *loop;
    struct keeper *keeper;
    uv_signal_t signals[SIGNAL_COUNT];
    char program[PROGRAM_PATH_MAX];
    uv_fs_t read;
    char piece[PIECE];

    const struct d1_errand *errand; /* that runs, or NULL */
    struct store_call *store;       /* NULL: over, as far as the store goes */
    struct span ahead;              /* of the body, not sent yet */
    bool is_reading;
    bool has_read_all; /* the file; then only errand->text is left */
    bool has_sent_all;
    struct err *err;
    int result;
};

/* ---- the end of a call ---- */

static void finish(struct d1_caller *c, int result)
{
    c->result = result;
    c->store = NULL;
    c->errand = NULL;
    uv_stop(c->loop);
}

static void give_up(struct d1_caller *c, int result)
{
    if (c->store)
        store_call_abort(c->store);
    finish(c, result);
}

/* ---- the body ---- */

static void send_body(struct d1_caller *c);

static void on_read(uv_fs_t *request)
{
    struct d1_caller *c = request->data;
    ssize_t n = request->result;

    uv_fs_req_cleanup(request);
    c->is_reading = false;
    if (!c->errand)
        return;
    if (n < 0) {
        err_set(c->err, ERR_SYSTEM, "read: %s", uv_strerror((int)n));
        give_up(c, ERR_SYSTEM);
        return;
    }
    c->has_read_all = n == 0;
    c->ahead = n == 0 ? c->errand->text : (struct span){c->piece, (size_t)n};
    send_body(c);
}

static void read_more(struct d1_caller *c)
{
    uv_buf_t room = uv_buf_init(c->piece, PIECE);
    int r;

    if (c->is_reading)
        return;
    c->read.data = c;
    r = uv_fs_read(c->loop, &c->read, c->errand->file, &room, 1, -1, on_read);
    c->is_reading = r == 0;
    if (r < 0) {
        err_set(c->err, ERR_SYSTEM, "read: %s", uv_strerror(r));
        give_up(c, ERR_SYSTEM);
    }
}

static void send_body(struct d1_caller *c)
{
    while (c->ahead.len > 0) {
        size_t window = store_call_window(c->store);
        size_t n = c->ahead.len < window ? c->ahead.len : window;
        if (n == 0)
            return; /* waits for: on_writable */
        store_call_body(c->store, (struct span){c->ahead.data, n}, false);
        c->ahead.data += n;
        c->ahead.len -= n;
    }
    if (!c->has_read_all) {
        read_more(c);
    } else if (!c->has_sent_all) {
        c->has_sent_all = true;
        store_call_body(c->store, SPAN(""), true);
    }
}

static void on_writable(void *self)
{
    struct d1_caller *c = self;

    if (!c->has_sent_all)
        send_body(c);
}

/* ---- the answer ---- */

static void on_head(void *self, const struct reply *reply, bool is_end)
{
    struct d1_caller *c = self;
    int r = 0;

    if (!c->errand)
        return;
    if (reply->status != 200)
        r = err_set(c->err, ERR_SYSTEM, "the database's process answered with status %u",
                    reply->status);
    else if (c->errand->head)
        r = c->errand->head(c->errand->self, reply, c->err);
    if (is_end)
        finish(c, r);
    else if (r < 0)
        give_up(c, r);
}

static void on_body(void *self, struct span bytes, bool is_end)
{
    struct d1_caller *c = self;
    int r = c->errand->take(c->errand->self, bytes, c->err);

    if (is_end)
        finish(c, r);
    else if (r < 0)
        give_up(c, r);
    else
        store_call_credit(c->store, bytes.len);
}

static void on_failed(void *self, struct span text)
{
    static const struct span FOR_WORKERS =
        SPAN("Internal error while starting up D1 DB storage caused object to be reset. ");
    struct d1_caller *c = self;

    if (text.len > FOR_WORKERS.len && memcmp(text.data, FOR_WORKERS.data, FOR_WORKERS.len) == 0) {
        text.data += FOR_WORKERS.len;
        text.len -= FOR_WORKERS.len;
    }
    err_set(c->err, ERR_SYSTEM, "%.*s", SPAN_ARG(text));
    finish(c, ERR_SYSTEM);
}

/* ---- signals: caught only while a call runs ---- */

static int interrupted;

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
    give_up(c, ERR_CANCELLED);
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

int d1_caller_run(struct d1_caller *c, const struct d1_errand *errand, struct err *err)
{
    static const struct store_call_events EVENTS = {
        .head = on_head, .body = on_body, .writable = on_writable, .failed = on_failed};
    const struct outcall_head head = {
        .method = span_of(errand->method), .arguments = errand->arguments, .body_length = -1};
    int r;

    c->errand = errand;
    c->err = err;
    c->has_read_all = errand->file < 0;
    c->ahead = c->has_read_all ? errand->text : SPAN("");
    c->has_sent_all = false;
    r = keeper_call(c->keeper, errand->folder, &head, false, &EVENTS, c, &c->store, err);
    if (r < 0) {
        c->errand = NULL;
        return r;
    }
    catch_signals(c);
    send_body(c);
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
        .sync = KEEPER_SYNC_FULL, .query_ms = STATEMENT_MS, .log = on_log};
    int r;

    if (!c)
        return err_nomem(err);
    signal(SIGPIPE, SIG_IGN);
    c->loop = uv_default_loop();
    config.store_program = c->program;
    r = program_find("corral-store", c->program, err);
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
