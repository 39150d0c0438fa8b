/* d1_export.c - databases as SQL files.
 *
 *   POST export {"output_format": "polling", "dump_options": {"tables", "no_data", "no_schema"}}
 *                                                   -> at_bookmark, status "active"
 *   POST export {..., "current_bookmark"}           -> the same, until "complete" with a signed_url
 *   GET  signed_url                                 -> the file
 *
 * The dump goes into a file without a name as it comes; a thread writes, and the store is given
 * credit when the bytes are in the file. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/call.h"
#include "api/d1_file.h"
#include "base/clock.h"
#include "base/mem.h"

/* ---- what polls are told ---- */

enum { TABLES_MAX = 1000 };

static json_t *report(const struct job *job, bool is_success, const char *status, json_t *messages)
{
    return json_pack("{s:b, s:s, s:s, s:s, s:o}", "success", (int)is_success, "type", "export",
                     "at_bookmark", job->id, "status", status, "messages", messages);
}

json_t *export_report(struct job *job, const struct api_call *call)
{
    char text[200], url[512];
    json_t *object;

    if (job->state == JOB_FAILED) {
        object = report(job, false, "error", json_array());
        if (object)
            json_object_set_new(object, "error", json_string(job->why));
        return object;
    }
    if (job->state == JOB_COMPLETE) {
        object = report(job, true, "complete", json_array());
        snprintf(url, sizeof url, "%s/d1/download/%s", call->origin, job->key);
        if (object)
            json_object_set_new(
                object, "result",
                json_pack("{s:s, s:s}", "filename", job->filename, "signed_url", url));
        return object;
    }
    snprintf(text, sizeof text, "Generating %s", job->filename);
    return report(job, true, "active", job->told++ == 0 ? json_pack("[s]", text) : json_array());
}

/* ---- the file ---- */

static void end(struct job *job)
{
    job->until_ms = clock_now_ms() + (job->why[0] ? JOB_TOLD_MS : JOB_HELD_MS);
    job_settle(job, job->why[0] ? JOB_FAILED : JOB_COMPLETE, NULL);
}

static void give_up(struct job *job, const char *why)
{
    if (job->errand)
        errand_cancel(job->errand);
    job->errand = NULL;
    snprintf(job->why, sizeof job->why, "%s", why);
    end(job);
}

static void write_more(struct job *job);

static void on_written(uv_fs_t *request)
{
    struct job *job = request->data;
    ssize_t n = request->result;

    uv_fs_req_cleanup(request);
    job->is_writing = false;
    if (job->is_freed) {
        job_destroy(job);
        return;
    }
    if (job->state != JOB_RUNNING)
        return;
    if (n <= 0) {
        give_up(job, n < 0 ? uv_strerror((int)n) : "nothing can be written any more");
        return;
    }
    job->bytes += (uint64_t)n;
    buf_eat(&job->flying, (size_t)n);
    if (job->errand)
        errand_credit(job->errand, (size_t)n);
    if (jobs_bytes(job->files, job->account) > JOBS_BYTES_MAX)
        give_up(job, "the account's imports and exports take too much room on the disk");
    else
        write_more(job);
}

/* What is there to write goes to a thread, unless that is busy already. */
static int start_write(struct job *job, struct err *err)
{
    struct buf empty = job->flying;
    uv_buf_t bytes;
    int r;

    if (job->is_writing)
        return 0; /* waits for: on_written */
    if (buf_len(&job->flying) == 0) {
        job->flying = job->pending;
        job->pending = empty;
    }
    bytes = uv_buf_init((char *)buf_data(&job->flying), (unsigned)buf_len(&job->flying));
    if (bytes.len == 0)
        return 0;
    job->write.data = job;
    r = uv_fs_write(job->loop, &job->write, job->fd, &bytes, 1, -1, on_written);
    job->is_writing = r == 0;
    return r < 0 ? err_set(err, ERR_SYSTEM, "write the dump: %s", uv_strerror(r)) : 0;
}

static void write_more(struct job *job)
{
    struct err err = {0};

    if (start_write(job, &err) < 0)
        give_up(job, err.text);
    else if (!job->is_writing && job->has_ended)
        end(job);
}

/* ---- the dump ---- */

static int on_take(void *self, struct span bytes, struct err *err)
{
    struct job *job = self;

    if (buf_append(&job->pending, bytes.data, bytes.len) < 0)
        return err_nomem(err);
    return start_write(job, err) < 0 ? err->code : ERRAND_HELD;
}

static void on_done(void *self, int result, const struct err *err)
{
    struct job *job = self;

    job->errand = NULL;
    job->has_ended = true;
    if (result < 0)
        snprintf(job->why, sizeof job->why, "%s", err->text);
    write_more(job);
}

static int put_arguments(struct buf *out, uint32_t *ret_count, json_t *options, struct err *err)
{
    json_t *tables = json_object_get(options, "tables"), *table;
    int r = pairs_add(out, SPAN("no-data"),
                      json_is_true(json_object_get(options, "no_data")) ? SPAN("1") : SPAN("0"));
    size_t i;

    if (r == 0)
        r = pairs_add(out, SPAN("no-schema"),
                      json_is_true(json_object_get(options, "no_schema")) ? SPAN("1") : SPAN("0"));
    *ret_count = 2;
    if (json_array_size(tables) > TABLES_MAX)
        return err_set(err, ERR_INVALID, "more than %d tables are named", TABLES_MAX);
    json_array_foreach(tables, i, table)
    {
        struct span name = {json_string_value(table), json_string_length(table)};
        if (!name.data)
            return err_set(err, ERR_INVALID, "tables is no array of strings");
        if (r == 0)
            r = pairs_add(out, SPAN("table"), name);
        ++*ret_count;
    }
    return r < 0 ? err_nomem(err) : 0;
}

static void start(struct d1_files *files, struct api_call *call)
{
    struct buf arguments = {0};
    struct errand_spec spec = {
        .method = "dump", .file = -1, .text = SPAN(""), .take = on_take, .done = on_done};
    struct job *job = NULL;
    struct err err = {0};
    int r = put_arguments(&arguments, &spec.arguments.count,
                          json_object_get(call->json, "dump_options"), &err);

    spec.arguments.bytes = buf_span(&arguments);
    r = r < 0 ? r : job_new(files, call, JOB_EXPORT, call->state, &job, &err);
    r = r < 0 ? r : api_unnamed(call->api, &job->fd, &err);
    if (r == 0) {
        spec.folder = job->folder;
        spec.self = job;
        r = job_start(job, &spec, &err);
    }
    buf_done(&arguments);
    if (r == 0) {
        job->state = JOB_RUNNING;
        job->until_ms = clock_now_ms() + JOB_UNPOLLED_MS;
        job_poll(job, call);
        return;
    }
    if (job)
        job_free(job);
    if (r == ERR_INVALID)
        api_error(call, 400, D1_MALFORMED, "The request is malformed: %s", err.text);
    else
        d1_fail_call(call, &err);
}

/* ---- the endpoints ---- */

static void not_exporting(struct api_call *call)
{
    api_result(call, json_pack("{s:b, s:s, s:s, s:[], s:s}", "success", 0, "type", "export",
                               "status", "error", "messages", "error",
                               "Not currently exporting anything: export the database again."));
}

static void export(struct api_call *call)
{
    const struct database *d = call->state;
    struct d1_files *files = d1_files_of(call->api);
    const char *format = "polling", *bookmark = NULL;
    struct job *job;

    if (api_is_answered(call))
        return;
    if (!files || json_unpack(call->json, "{s?s, s?s}", "output_format", &format,
                              "current_bookmark", &bookmark) < 0) {
        api_error(call, 400, D1_MALFORMED, "The request is malformed: it is no object");
        return;
    }
    if (strcmp(format, "polling") != 0) {
        api_error(call, 400, D1_MALFORMED, "output_format is \"polling\", and nothing else");
        return;
    }
    job = bookmark ? job_by_id(files, call, JOB_EXPORT, d->uuid, bookmark) : NULL;
    if (!bookmark)
        start(files, call);
    else if (job)
        job_poll(job, call);
    else
        not_exporting(call);
}

/* Each download reads the file from its own place. */
static void download(struct api_call *call)
{
    struct d1_files *files = d1_files_of(call->api);
    struct job *job = files ? job_by_key(files, JOB_EXPORT, api_param(call, "key")) : NULL;
    char path[64];
    int fd = -1;

    if (job && job->state == JOB_COMPLETE) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", job->fd);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd >= 0)
        api_file(call, "application/sql", job->filename, fd, job->bytes);
    else
        api_error(call, 403, D1_MALFORMED,
                  "There is nothing to download at this address, or not any more.");
}

const struct api_endpoint D1_EXPORT_ENDPOINTS[] = {
    {"POST", "/accounts/:account/d1/database/:database/export", SCOPE_READ, API_JSON,
     .work = d1_keep_database, .after = export},
    {"GET", "/d1/download/:key", SCOPE_READ, API_NO_BODY, .after = download, .is_open = true,
     .is_raw = true},
    {0}};
