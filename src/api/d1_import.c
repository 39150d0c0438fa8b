/* d1_import.c - SQL files into databases, as wrangler sends them.
 *
 *   POST import {"action": "init", "etag": MD5}                   -> upload_url, filename
 *   PUT  upload_url                                               -> ETag: "MD5"
 *   POST import {"action": "ingest", "filename", "etag": MD5}     -> at_bookmark, status
 *   POST import {"action": "poll", "current_bookmark"}            -> the same, until complete or
 * error
 *
 * The file is one transaction, which its store reads as it comes. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/call.h"
#include "api/d1_file.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "service/d1_result.h"
#include "service/md5.h"

/* ---- what polls are told ---- */

static json_t *report(const struct job *job, bool is_success, const char *status, json_t *messages)
{
    return json_pack("{s:b, s:s, s:s, s:s, s:s, s:o}", "success", (int)is_success, "type", "import",
                     "at_bookmark", job->id, "filename", job->filename, "status", status,
                     "messages", messages);
}

static json_t *result_of(const struct job *job)
{
    struct buf meta = {0};
    json_t *result = NULL;

    if (d1_result_meta(&job->records.total, &meta) == 0)
        result = json_pack("{s:s, s:I, s:o}", "final_bookmark", job->records.bookmark,
                           "num_queries", (json_int_t)job->records.statements, "meta",
                           json_loadb(buf_data(&meta), buf_len(&meta), 0, NULL));
    buf_done(&meta);
    return result;
}

static json_t *progress_of(struct job *job)
{
    const struct records *r = &job->records;
    char text[128];

    if (r->script_statements == job->told)
        return json_array();
    job->told = r->script_statements;
    snprintf(text, sizeof text, "Processed %" PRIu64 " queries (%.0f %%).", r->script_statements,
             job->bytes > 0 ? 100.0 * (double)r->script_bytes / (double)job->bytes : 100.0);
    return json_pack("[s]", text);
}

json_t *import_report(struct job *job)
{
    char text[64];
    json_t *object;

    if (job->state == JOB_FAILED) {
        object = report(job, false, "error", json_array());
        if (object)
            json_object_set_new(object, "error", json_string(job->why));
        return object;
    }
    if (job->state == JOB_COMPLETE) {
        snprintf(text, sizeof text, "Processed %" PRIu64 " queries.", job->records.statements);
        object = report(job, true, "complete", json_pack("[s]", text));
        if (object)
            json_object_set_new(object, "result", result_of(job));
        return object;
    }
    return report(job, true, "active", progress_of(job));
}

/* ---- init ---- */

static bool is_md5(const char *text)
{
    return text && strlen(text) == MD5_SIZE - 1 &&
           strspn(text, "0123456789abcdefABCDEF") == MD5_SIZE - 1;
}

static void init(struct d1_files *files, struct api_call *call, const char *etag)
{
    struct err err = {0};
    struct job *job;
    char url[512];

    if (!is_md5(etag)) {
        api_error(call, 400, D1_MALFORMED,
                  "The request is malformed: etag is no MD5 of a file: 32 hexadecimal digits");
        return;
    }
    if (job_new(files, call, JOB_IMPORT, call->state, &job, &err) < 0) {
        d1_fail_call(call, &err);
        return;
    }
    for (size_t i = 0; i < MD5_SIZE - 1; i++)
        job->etag[i] = (char)(etag[i] | (etag[i] >= 'A' && etag[i] <= 'F' ? 32 : 0));
    snprintf(url, sizeof url, "%s/d1/upload/%s", call->origin, job->key);
    api_result(call, json_pack("{s:b, s:s, s:s, s:s, s:[]}", "success", 1, "type", "import",
                               "filename", job->filename, "upload_url", url, "messages"));
}

/* ---- the upload ---- */

struct upload {
    uv_work_t work;
    struct api_call *call;
    struct job *job;
    int fd; /* the call's: its own place in the file */
    uint64_t bytes;
    char md5[MD5_SIZE];
    int result;
};

static void digest_upload(uv_work_t *work)
{
    struct upload *u = work->data;

    struct err ignored;

    u->result = md5_of_file(u->fd, u->md5, &ignored);
}

/* A file may come again, until it is ingested: the last one that is whole counts. */
static void take_upload(struct upload *u)
{
    struct job *job = u->job;
    char quoted[MD5_SIZE + 2];

    job->busy--;
    if (u->result < 0) {
        api_error(u->call, 500, D1_FAILED, "The file could not be read.");
    } else if (strcmp(u->md5, job->etag) != 0) {
        api_error(
            u->call, 400, D1_MALFORMED,
            "The file's MD5 is %s, and %s was announced: it was changed, or came only in part",
            u->md5, job->etag);
    } else if (job->state != JOB_WAITING && job->state != JOB_HELD) {
        api_error(u->call, 409, D1_MALFORMED, "This upload has been imported already.");
    } else if (jobs_bytes(job->files, job->account) - job->bytes + u->bytes > JOBS_BYTES_MAX) {
        api_error(u->call, 413, D1_MALFORMED,
                  "The account's imports and exports are larger than %llu GB together.",
                  JOBS_BYTES_MAX >> 30);
    } else {
        if (job->fd >= 0)
            close(job->fd);
        job->fd = u->fd;
        u->fd = -1;
        job->bytes = u->bytes;
        job->state = JOB_HELD;
        job->until_ms = clock_now_ms() + JOB_HELD_MS;
        snprintf(quoted, sizeof quoted, "\"%s\"", u->md5);
        api_header(u->call, "etag", quoted);
        api_raw(u->call, 200, "text/plain", SPAN(""));
    }
    api_reply(u->call);
}

static void on_digested(uv_work_t *work, int status)
{
    struct upload *u = work->data;

    if (status < 0)
        u->result = ERR_CANCELLED;
    take_upload(u);
}

static void upload_free(void *state)
{
    struct upload *u = state;

    if (u->fd >= 0)
        close(u->fd);
    mem_free(u);
}

/* Before the body is read: nobody without the key makes us keep a file. */
static bool admit(struct api_call *call)
{
    struct d1_files *files = d1_files_of(call->api);
    struct job *job = files ? job_by_key(files, JOB_IMPORT, api_param(call, "key")) : NULL;

    if (job && (job->state == JOB_WAITING || job->state == JOB_HELD)) {
        memcpy(call_inside(call)->payer, job->account, sizeof job->account);
        return true;
    }
    api_error(
        call, 403, D1_MALFORMED,
        job ? "This upload has been imported already."
            : "This address is not good for an upload, or not any more: ask for another one.");
    return false;
}

static void upload(struct api_call *call)
{
    struct d1_files *files = d1_files_of(call->api);
    struct job *job = files ? job_by_key(files, JOB_IMPORT, api_param(call, "key")) : NULL;
    struct upload *u;
    struct stat st;

    if (!job) {
        (void)admit(call);
        return;
    }
    u = mem_alloc(sizeof *u);
    if (!u) {
        api_error(call, 503, D1_FAILED, "The node is out of memory.");
        return;
    }
    *u = (struct upload){.call = call, .job = job, .fd = fcntl(call->file, F_DUPFD_CLOEXEC, 0)};
    u->work.data = u;
    call->state = u;
    call->free_state = upload_free;
    if (u->fd < 0 || fstat(u->fd, &st) < 0) {
        api_error(call, 500, D1_FAILED, "The file could not be kept.");
        return;
    }
    u->bytes = (uint64_t)st.st_size;
    job->busy++;
    api_wait(call);
    if (uv_queue_work(call->api->loop, &u->work, digest_upload, on_digested) < 0) {
        u->result = ERR_SYSTEM;
        take_upload(u);
    }
}

/* ---- ingest ---- */

static int on_take(void *self, struct span bytes, struct err *err)
{
    struct job *job = self;

    return records_take(&job->records, bytes, err);
}

static void close_file(struct job *job)
{
    if (job->fd >= 0)
        close(job->fd);
    job->fd = -1;
    job->bytes = 0;
}

/* "near "x": syntax error: SQLITE_ERROR (statement 3, line 17: INSERT ...)" */
static void explain(const struct row_error *e, char *out, size_t size)
{
    int text = e->text.len < 400 ? (int)e->text.len : 400;
    int sql = e->sql.len < 120 ? (int)e->sql.len : 120;

    while (sql > 0 && ((unsigned char)e->sql.data[sql - 1] & 0xC0) == 0x80)
        sql--;
    if (e->statement == UINT32_MAX)
        snprintf(out, size, "%.*s", text, e->text.data);
    else
        snprintf(out, size, "%.*s (statement %" PRIu32 ", line %" PRIu32 ": %.*s)", text,
                 e->text.data, e->statement + 1, e->line, sql, e->sql.data);
}

static void on_done(void *self, int result, const struct err *err)
{
    struct job *job = self;
    char why[768];

    job->errand = NULL;
    job->until_ms = clock_now_ms() + JOB_TOLD_MS;
    close_file(job);
    if (result < 0) {
        job_settle(job, JOB_FAILED, err->text);
    } else if (job->records.state == RECORDS_FAILED) {
        explain(&job->records.error, why, sizeof why);
        job_settle(job, JOB_FAILED, why);
    } else if (job->records.state == RECORDS_OPEN) {
        job_settle(job, JOB_FAILED, "The database's process ended in the middle of the import.");
    } else {
        job_settle(job, JOB_COMPLETE, NULL);
    }
}

static void ingest(struct job *job, struct api_call *call, const char *etag)
{
    struct errand_spec spec = {.folder = job->folder,
                               .method = "script",
                               .file = job->fd,
                               .text = SPAN(""),
                               .take = on_take,
                               .done = on_done,
                               .self = job};
    struct err err = {0};

    if (job->state == JOB_WAITING || job->busy > 0) {
        api_error(call, 400, D1_MALFORMED, "The file has not been uploaded yet.");
        return;
    }
    if (etag && strcasecmp(etag, job->etag) != 0) {
        api_error(call, 400, D1_MALFORMED, "The etag is not the one that the import began with.");
        return;
    }
    if (job->state == JOB_HELD) {
        job->records.is_light = true;
        if (lseek(job->fd, 0, SEEK_SET) < 0 || job_start(job, &spec, &err) < 0) {
            d1_fail_call(call, &err);
            return;
        }
        job->state = JOB_RUNNING;
    }
    job_poll(job, call);
}

/* ---- the endpoint ---- */

static void not_importing(struct api_call *call)
{
    api_result(call, json_pack("{s:b, s:s, s:s, s:[], s:s}", "success", 0, "type", "import",
                               "status", "error", "messages", "error",
                               "Not currently importing anything: import the file again."));
}

static void import(struct api_call *call)
{
    const struct database *d = call->state;
    struct d1_files *files = d1_files_of(call->api);
    const char *action = "", *etag = NULL, *filename = "", *bookmark = "";
    struct job *job;

    if (api_is_answered(call))
        return;
    if (!files || json_unpack(call->json, "{s:s, s?s, s?s, s?s}", "action", &action, "etag", &etag,
                              "filename", &filename, "current_bookmark", &bookmark) < 0) {
        api_error(call, 400, D1_MALFORMED,
                  "The request is malformed: action is one of init, ingest and poll");
        return;
    }
    job = job_by_id(files, call, JOB_IMPORT, d->uuid,
                    strcmp(action, "ingest") == 0 ? filename : bookmark);
    if (strcmp(action, "init") == 0)
        init(files, call, etag);
    else if (strcmp(action, "ingest") == 0 && job)
        ingest(job, call, etag);
    else if (strcmp(action, "ingest") == 0)
        api_error(call, 400, D1_MALFORMED, "There is no upload '%.100s' for this database.",
                  filename);
    else if (strcmp(action, "poll") == 0 && job)
        job_poll(job, call);
    else if (strcmp(action, "poll") == 0)
        not_importing(call);
    else
        api_error(call, 400, D1_MALFORMED, "The request is malformed: unknown action '%.32s'",
                  action);
}

const struct api_endpoint D1_IMPORT_ENDPOINTS[] = {
    {"POST", "/accounts/:account/d1/database/:database/import", SCOPE_DEPLOY, API_JSON,
     .work = d1_keep_database, .after = import},
    {"PUT", "/d1/upload/:key", SCOPE_DEPLOY, API_FILE, .admit = admit, .after = upload,
     .is_open = true, .is_raw = true},
    {0}};
