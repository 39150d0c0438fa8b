/* errand.c - send the body as the store takes it, hand on the answer as it comes.
 *
 * One read of the file is under way at most, and it fills `piece` only when that is empty.  The
 * errand has its own descriptor of the file, so that nobody else's takes its number while a thread
 * reads.
 *
 * Invariants
 *   1. store is NULL from its own last word (is_end, failed) or our abort on.
 *   2. done is called, or cancel was, once; from then on is_over, and nothing of the owner's is
 * touched.
 *   3. The memory goes when it is over and no thread reads. */
#include "keeper/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"

enum { PIECE = 256 * 1024 };

struct errand {
    uv_loop_t *loop;
    struct errand_spec spec;
    struct store_call *store;
    struct span ahead; /* of the body, not sent yet */
    int file;
    bool is_reading;
    bool has_read_all; /* the file; then only spec.text is left */
    bool has_sent_all;
    bool is_over;
    uv_fs_t read;
    char *piece; /* NULL without a file */
};

static void errand_free(struct errand *e)
{
    if (e->file >= 0)
        close(e->file);
    mem_free(e->piece);
    mem_free(e);
}

/* ---- the end ---- */

static void let_go(struct errand *e)
{
    if (e->store)
        store_call_abort(e->store);
    e->store = NULL;
    e->is_over = true;
}

static void finish(struct errand *e, int result, const struct err *err)
{
    let_go(e);
    e->spec.done(e->spec.self, result, err);
    if (!e->is_reading)
        errand_free(e);
}

void errand_cancel(struct errand *e)
{
    let_go(e);
    if (!e->is_reading)
        errand_free(e);
}

bool errand_is_reading(const struct errand *e)
{
    return e->is_reading;
}

/* ---- the body ---- */

static int send_body(struct errand *e, struct err *err);

static void on_read(uv_fs_t *request)
{
    struct errand *e = request->data;
    ssize_t n = request->result;
    struct err err = {0};
    int r = 0;

    uv_fs_req_cleanup(request);
    e->is_reading = false;
    if (e->is_over) {
        errand_free(e);
        return;
    }
    if (n < 0)
        r = err_set(&err, ERR_SYSTEM, "read: %s", uv_strerror((int)n));
    e->has_read_all = n == 0;
    e->ahead = n == 0 ? e->spec.text : (struct span){e->piece, n < 0 ? 0 : (size_t)n};
    r = r < 0 ? r : send_body(e, &err);
    if (r < 0)
        finish(e, r, &err);
}

static int read_more(struct errand *e, struct err *err)
{
    uv_buf_t room = uv_buf_init(e->piece, PIECE);
    int r;

    if (e->is_reading)
        return 0;
    e->read.data = e;
    r = uv_fs_read(e->loop, &e->read, e->file, &room, 1, -1, on_read);
    e->is_reading = r == 0;
    return r < 0 ? err_set(err, ERR_SYSTEM, "read: %s", uv_strerror(r)) : 0;
}

static int send_body(struct errand *e, struct err *err)
{
    while (e->ahead.len > 0) {
        size_t window = store_call_window(e->store);
        size_t n = e->ahead.len < window ? e->ahead.len : window;
        if (n == 0)
            return 0; /* waits for: on_writable */
        store_call_body(e->store, (struct span){e->ahead.data, n}, false);
        e->ahead.data += n;
        e->ahead.len -= n;
    }
    if (!e->has_read_all)
        return read_more(e, err);
    if (!e->has_sent_all) {
        e->has_sent_all = true;
        store_call_body(e->store, SPAN(""), true);
    }
    return 0;
}

static void on_writable(void *self)
{
    struct errand *e = self;
    struct err err = {0};

    if (!e->has_sent_all && send_body(e, &err) < 0)
        finish(e, err.code, &err);
}

/* ---- the answer ---- */

static void on_head(void *self, const struct reply *reply, bool is_end)
{
    struct errand *e = self;
    struct err err = {0};
    int r = 0;

    if (is_end)
        e->store = NULL;
    if (reply->status != 200)
        r = err_set(&err, ERR_SYSTEM, "the database's process answered with status %u",
                    reply->status);
    else if (e->spec.head)
        r = e->spec.head(e->spec.self, reply, &err);
    if (is_end || r < 0)
        finish(e, r, &err);
}

static void on_body(void *self, struct span bytes, bool is_end)
{
    struct errand *e = self;
    struct err err = {0};
    int r;

    if (is_end)
        e->store = NULL;
    r = e->spec.take(e->spec.self, bytes, &err);
    if (r < 0)
        finish(e, r, &err);
    else if (is_end)
        finish(e, 0, &err);
    else if (r == 0)
        store_call_credit(e->store, bytes.len);
}

void errand_credit(struct errand *e, size_t bytes)
{
    if (e->store)
        store_call_credit(e->store, bytes);
}

static void on_failed(void *self, struct span text)
{
    static const struct span FOR_WORKERS =
        SPAN("Internal error while starting up D1 DB storage caused object to be reset. ");
    struct errand *e = self;
    struct err err = {0};

    e->store = NULL;
    if (text.len > FOR_WORKERS.len && memcmp(text.data, FOR_WORKERS.data, FOR_WORKERS.len) == 0) {
        text.data += FOR_WORKERS.len;
        text.len -= FOR_WORKERS.len;
    }
    err_set(&err, ERR_SYSTEM, "%.*s", SPAN_ARG(text));
    finish(e, ERR_SYSTEM, &err);
}

/* ---- the beginning ---- */

static int open_file(struct errand *e, int file, struct err *err)
{
    e->file = -1;
    if (file < 0)
        return 0;
    e->piece = mem_alloc(PIECE);
    if (!e->piece)
        return err_nomem(err);
    e->file = fcntl(file, F_DUPFD_CLOEXEC, 0);
    return e->file < 0 ? err_errno(err, errno, "read the file") : 0;
}

int errand_start(uv_loop_t *loop, struct keeper *keeper, const struct errand_spec *spec,
                 struct errand **ret_errand, struct err *err)
{
    static const struct store_call_events EVENTS = {
        .head = on_head, .body = on_body, .writable = on_writable, .failed = on_failed};
    const struct outcall_head head = {
        .method = span_of(spec->method), .arguments = spec->arguments, .body_length = -1};
    struct errand *e = mem_alloc(sizeof *e);
    int r;

    if (!e)
        return err_nomem(err);
    e->loop = loop;
    e->spec = *spec;
    e->spec.arguments = (struct pairs){0};
    r = open_file(e, spec->file, err);
    e->has_read_all = e->file < 0;
    e->ahead = e->has_read_all ? spec->text : SPAN("");
    r = r < 0 ? r : keeper_call(keeper, spec->folder, &head, false, &EVENTS, e, &e->store, err);
    r = r < 0 ? r : send_body(e, err);
    if (r < 0)
        errand_cancel(e);
    else
        *ret_errand = e;
    return r;
}
