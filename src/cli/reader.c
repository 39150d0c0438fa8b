/* reader.c - two errands for the thread pool: read a project and make its bundle, delete a bundle.
 */
#include "cli/reader.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { NEWS_BYTES_MAX = 64 * 1024 }; /* what a loop that does not turn misses */

/* ---- packages ---- */

/* From the thread that reads. */
static void tell(void *self, const char *line)
{
    struct reader *reader = self;

    uv_mutex_lock(&reader->lock);
    if (buf_len(&reader->news) < NEWS_BYTES_MAX && buf_print(&reader->news, "%s\n", line) == 0)
        uv_async_send(&reader->told);
    uv_mutex_unlock(&reader->lock);
}

static void on_told(uv_async_t *told)
{
    struct reader *reader = told->data;
    struct buf news;

    uv_mutex_lock(&reader->lock);
    news = reader->news;
    reader->news = (struct buf){0};
    uv_mutex_unlock(&reader->lock);
    while (buf_len(&news) > 0) {
        const char *line = buf_data(&news), *end = memchr(line, '\n', buf_len(&news));
        size_t n = end ? (size_t)(end - line) : buf_len(&news);
        log_info("%.*s", (int)n, line);
        buf_eat(&news, n + !!end);
    }
    buf_done(&news);
}

static const char *text_of(json_t *said, const char *name)
{
    const char *text = json_string_value(json_object_get(said, name));

    return text ? text : "";
}

/* What the packager says of a file of the project. */
static void add_diagnostic(struct reader *reader, enum severity severity, json_t *said)
{
    const struct place place = {.file = text_of(said, "file"),
                                .line = (int)json_integer_value(json_object_get(said, "line"))};
    const char *hint = text_of(said, "hint");

    diagnostics_add(&reader->reading.diagnostics, severity,
                    place.file[0] ? place : (struct place){0}, hint[0] ? hint : NULL, "%s",
                    text_of(said, "text"));
}

static void warn(void *self, json_t *said)
{
    add_diagnostic(self, SEVERITY_WARNING, said);
}

/* The project watches what was read, also when it was wrong. */
static int note_files(struct project *p, const struct environment *e, json_t *error,
                      struct err *err)
{
    struct buf files = {0};
    json_t *one;
    size_t i;
    int r = e->files ? buf_print(&files, "%s", e->files) : 0;

    json_array_foreach(json_object_get(error, "inputs"), i, one) if (r == 0 && json_is_string(one))
        r = buf_print(&files, "%s\n", json_string_value(one));
    if (r == 0 && buf_len(&files) > 0) {
        mem_free(p->package_files);
        p->package_files = buf_detach(&files);
    }
    if (r == 0 && e->left_out) {
        mem_free(p->left_out);
        p->left_out = mem_strdup(e->left_out);
    }
    buf_done(&files);
    return r < 0 || !p->package_files || !p->left_out ? err_nomem(err) : 0;
}

static int prepare(struct reader *reader, struct reading *g)
{
    char state[PATH_MAX];
    struct environment_ask ask = {.run = {.worker_program = reader->options->worker_program,
                                          .progress = tell,
                                          .warning = warn,
                                          .self = reader,
                                          .is_cancelled = &reader->is_cancelled},
                                  .project = g->project.folder,
                                  .date = g->project.compatibility_date,
                                  .state = state};
    struct err short_err;
    json_t *error;
    int r;

    if ((size_t)snprintf(state, sizeof state, "%s/environments", g->project.state_folder) >=
        sizeof state)
        return err_set(&g->err, ERR_INVALID, "the path of '%s' is too long",
                       g->project.state_folder);
    r = environments_get(&reader->environments, &ask, &g->environment, &error, &g->err);
    if (r == ERR_INVALID)
        add_diagnostic(reader, SEVERITY_ERROR, error);
    if (note_files(&g->project, &g->environment, error, &short_err) < 0 && r == 0) {
        g->err = short_err;
        r = short_err.code;
    }
    json_decref(error);
    return r;
}

/* ---- reading ---- */

void reading_done(struct reading *reading)
{
    project_done(&reading->project);
    diagnostics_done(&reading->diagnostics);
    environment_done(&reading->environment);
    bundle_done(&reading->bundle);
    linked_done(&reading->linked);
    *reading = (struct reading){0};
}

/* Of JavaScript: one script out of the modules of the bundle. */
static int link_bundle(struct reader *reader, struct reading *g)
{
    const struct project *p = &g->project;
    char home[PATH_MAX], parts[PATH_MAX], *detail = NULL;
    const struct link_ask ask = {.worker_program = reader->options->worker_program,
                                 .home = home,
                                 .folder = g->bundle.folder,
                                 .parts = parts,
                                 .hash = g->bundle.hash,
                                 .main = g->bundle.main,
                                 .date = p->compatibility_date,
                                 .flags = p->compatibility_flags,
                                 .has_sources = true,
                                 .is_cancelled = &reader->is_cancelled};
    int r;

    if ((size_t)snprintf(home, sizeof home, "%s/linked", p->state_folder) >= sizeof home ||
        (size_t)snprintf(parts, sizeof parts, "%s/" BUNDLE_PARTS, g->bundle.folder) >= sizeof parts)
        return err_set(&g->err, ERR_INVALID, "the path of '%s' is too long", p->state_folder);
    r = link_make(&ask, &g->linked, &detail, &g->err);
    if (r == ERR_INVALID)
        diagnostics_add(&g->diagnostics, SEVERITY_ERROR, (struct place){0}, detail, "%s",
                        g->err.text);
    mem_free(detail);
    return r;
}

/* Packages and bundle of Python; JavaScript has its packages in the bundle. */
static int build(struct reader *reader, struct reading *g)
{
    bool is_script = g->project.script.is_used;
    int r = is_script ? environment_none(&g->environment, &g->err) : prepare(reader, g);

    g->is_project_bad = r == 0 && !is_script;
    if (r == 0)
        r = bundle_build(&g->project, &reader->is_cancelled, &g->bundle, &g->diagnostics, &g->err);
    if (r == 0 && is_script)
        r = link_bundle(reader, g);
    if (r == ERR_NOT_FOUND) /* no bundler: nothing that is saved helps */
        g->is_project_bad = true;
    return r;
}

static void run_reading(uv_work_t *work)
{
    struct reader *reader = work->data;
    struct reading *g = &reader->reading;

    struct project_options options = *reader->options;

    options.runs_build = reader->is_building;
    options.say = tell;
    options.say_self = reader;
    options.is_cancelled = &reader->is_cancelled;
    *g = (struct reading){.is_project_bad = true};
    g->r = project_load(&options, &g->project, &g->diagnostics, &g->err);
    if (g->r == 0)
        g->r = build(reader, g);
}

static void on_read(uv_work_t *work, int status)
{
    struct reader *reader = work->data;
    struct reading reading = reader->reading;

    (void)status; /* nobody cancels it */
    on_told(&reader->told);
    reader->is_busy = false;
    reader->reading = (struct reading){0};
    reader->done(reader->self, &reading);
    reading_done(&reading);
}

int reader_open(struct reader *reader, uv_loop_t *loop, const struct project_options *options,
                reader_done_fn done, void *self, struct err *err)
{
    int r = uv_mutex_init(&reader->lock);

    if (r == 0)
        r = uv_async_init(loop, &reader->told, on_told);
    if (r < 0)
        return err_set(err, ERR_SYSTEM, "read the project: %s", uv_strerror(r));
    uv_unref((uv_handle_t *)&reader->told);
    reader->told.data = reader;
    reader->work.data = reader;
    reader->options = options;
    reader->done = done;
    reader->self = self;
    return 0;
}

void reader_close(struct reader *reader)
{
    if (!reader->told.data)
        return;
    environments_done(&reader->environments);
    uv_close((uv_handle_t *)&reader->told, NULL);
    uv_mutex_destroy(&reader->lock);
    buf_done(&reader->news);
}

int reader_start(struct reader *reader, struct err *err)
{
    int r;

    atomic_store(&reader->is_cancelled, false);
    reader->is_building = reader->runs_build;
    reader->runs_build = false;
    r = uv_queue_work(reader->told.loop, &reader->work, run_reading, on_read);
    if (r < 0)
        return err_set(err, ERR_SYSTEM, "read the project: %s", uv_strerror(r));
    reader->is_busy = true;
    return 0;
}

void reader_cancel(struct reader *reader)
{
    atomic_store(&reader->is_cancelled, true);
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
