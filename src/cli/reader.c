/* reader.c - two errands for the thread pool: make a bundle, delete one. */
#include "cli/reader.h"

#include "base/log.h"
#include "base/mem.h"

void reader_read(const struct project_options *options, struct reading *ret_reading)
{
    struct reading *g = ret_reading;

    *g = (struct reading){0};
    g->r = project_load(options, &g->project, &g->diagnostics, &g->err);
    if (g->r == 0)
        g->r = bundle_make(&g->project, &g->bundle, &g->err);
}

void reading_done(struct reading *reading)
{
    project_done(&reading->project);
    diagnostics_done(&reading->diagnostics);
    bundle_done(&reading->bundle);
    *reading = (struct reading){0};
}

static void run_reading(uv_work_t *work)
{
    struct reader *reader = work->data;

    reader_read(reader->options, &reader->reading);
}

static void on_read(uv_work_t *work, int status)
{
    struct reader *reader = work->data;
    struct reading reading = reader->reading;

    (void)status;       /* nobody cancels it */
    reader->is_busy = false;
    reader->reading = (struct reading){0};
    reader->done(reader->self, &reading);
    reading_done(&reading);
}

int reader_start(struct reader *reader, uv_loop_t *loop, const struct project_options *options,
                 reader_done_fn done, void *self, struct err *err)
{
    int r;

    reader->options = options;
    reader->done = done;
    reader->self = self;
    reader->work.data = reader;
    r = uv_queue_work(loop, &reader->work, run_reading, on_read);
    if (r < 0)
        return err_set(err, ERR_SYSTEM, "read the project: %s", uv_strerror(r));
    reader->is_busy = true;
    return 0;
}

struct discard {
    uv_work_t work;
    struct bundle bundle;
    struct err err;
    int r;
};

static void run_discard(uv_work_t *work)
{
    struct discard *d = work->data;

    d->r = bundle_remove(&d->bundle, &d->err);
}

static void on_discarded(uv_work_t *work, int status)
{
    struct discard *d = work->data;

    (void)status;
    if (d->r < 0)
        log_warn("%s", d->err.text);
    mem_free(d);
}

void reader_discard(uv_loop_t *loop, struct bundle *bundle)
{
    struct discard *d = mem_alloc(sizeof *d);
    struct bundle taken = *bundle;
    struct err err = {0};

    *bundle = (struct bundle){0};
    if (d) {
        d->work.data = d;
        d->bundle = taken;
        if (uv_queue_work(loop, &d->work, run_discard, on_discarded) == 0)
            return;
        mem_free(d);
    }
    if (bundle_remove(&taken, &err) < 0)
        log_warn("%s", err.text);
}
