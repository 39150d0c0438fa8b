/* d1_query.c - SQL that runs on a database: query and raw.
 *
 *   {"sql": "SELECT ?; ...", "params": [1, "a", null, [255]]}     one statement for each ';'
 *   {"batch": [{"sql", "params"}, ...]}                           one transaction
 *
 * The answer of the store is kept while it comes, in a file without a name when it is long; it
 * becomes JSON in a thread, and leaves from a file, too.  Nothing of its size is held in memory. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/call.h"
#include "api/d1.h"
#include "base/mem.h"
#include "keeper/records.h"
#include "service/d1_result.h"

enum {
    ANSWER_MAX = 256 << 20, /* bytes of records */
    INLINE_MAX = 32 << 10,  /* that become JSON on the loop, for which a thread is too much */
    TEXT_MAX = 50 << 20,    /* of SQL */
};

struct query {
    struct api_call *call;
    char *folder;
    enum d1_layout layout;
    const char *method; /* of the store */
    struct buf body;
    struct errand *errand;
    struct records records;
    uv_work_t printing;
    FILE *out; /* a file, or memory */
    char *text;
    size_t text_len;
    struct err err; /* of the thread */
    int result;
};

static void query_free(void *state)
{
    struct query *q = state;

    if (q->errand)
        errand_cancel(q->errand);
    if (q->out)
        fclose(q->out);
    free(q->text);
    records_done(&q->records);
    buf_done(&q->body);
    mem_free(q->folder);
    mem_free(q);
}

/* ---- the body: JSON to a call ---- */

static int put_bytes(struct buf *out, const json_t *array, struct err *err)
{
    struct buf bytes = {0};
    struct row_value value = {.tag = ROW_BLOB};
    const json_t *item;
    size_t i;
    int r = 0;

    json_array_foreach((json_t *)array, i, item)
    {
        unsigned char byte = (unsigned char)json_integer_value(item);
        if (!json_is_integer(item) || json_integer_value(item) != byte)
            r = err_set(err, ERR_INVALID, "a parameter is an array, but not one of bytes");
        else if (buf_append(&bytes, &byte, 1) < 0)
            r = err_nomem(err);
        if (r < 0)
            break;
    }
    value.bytes = buf_span(&bytes);
    if (r == 0 && row_put_value(out, &value) < 0)
        r = err_nomem(err);
    buf_done(&bytes);
    return r;
}

static int put_parameter(struct buf *out, const json_t *json, struct err *err)
{
    struct row_value value = {.tag = ROW_NULL};

    switch (json_typeof(json)) {
    case JSON_NULL:
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        value = (struct row_value){.tag = ROW_REAL, .real = json_is_true(json)};
        break;
    case JSON_INTEGER:
    case JSON_REAL: /* as a worker's numbers are */
        value = (struct row_value){.tag = ROW_REAL, .real = json_number_value(json)};
        break;
    case JSON_STRING:
        value.tag = ROW_TEXT;
        value.bytes = (struct span){json_string_value(json), json_string_length(json)};
        break;
    case JSON_ARRAY:
        return put_bytes(out, json, err);
    case JSON_OBJECT:
        return err_set(err, ERR_INVALID, "a parameter is an object");
    }
    return row_put_value(out, &value) < 0 ? err_nomem(err) : 0;
}

static int put_statement(struct buf *out, const json_t *statement, struct err *err)
{
    const json_t *sql = json_object_get(statement, "sql"), *item;
    json_t *params = json_object_get(statement, "params");
    struct span text;
    size_t i;
    int r;

    if (!json_is_string(sql))
        return err_set(err, ERR_INVALID, "sql is missing, or is no string");
    if (params && !json_is_array(params) && !json_is_null(params))
        return err_set(err, ERR_INVALID, "params is no array");
    text = (struct span){json_string_value(sql), json_string_length(sql)};
    if (row_put_statement(out, text, (uint32_t)json_array_size(params)) < 0)
        return err_nomem(err);
    r = 0;
    json_array_foreach(params, i, item)
    {
        r = put_parameter(out, item, err);
        if (r < 0)
            break;
    }
    return r;
}

static int put_batch(struct query *q, json_t *batch, struct err *err)
{
    const json_t *item;
    size_t i;
    int r = 0;

    q->method = "query";
    if (json_array_size(batch) > ROW_STATEMENTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d statements at once", ROW_STATEMENTS_MAX);
    if (json_array_size(batch) == 0)
        return err_set(err, ERR_INVALID, "there is no statement in it");
    if (row_put_u32(&q->body, (uint32_t)json_array_size(batch)) < 0)
        return err_nomem(err);
    json_array_foreach(batch, i, item)
    {
        r = put_statement(&q->body, item, err);
        if (r < 0)
            break;
    }
    return r;
}

/* Without parameters: a text of any number of statements, each with an answer of its own. */
static int put_text(struct query *q, const json_t *sql, struct err *err)
{
    q->method = "exec";
    if (json_string_length(sql) > TEXT_MAX)
        return err_set(err, ERR_LIMIT, "sql is longer than %d bytes", TEXT_MAX);
    if (buf_append(&q->body, json_string_value(sql), json_string_length(sql)) < 0)
        return err_nomem(err);
    return 0;
}

static int put_body(struct query *q, json_t *json, struct err *err)
{
    json_t *batch = json_is_array(json) ? json : json_object_get(json, "batch"), *one;
    int r;

    if (batch && !json_is_array(batch))
        return err_set(err, ERR_INVALID, "batch is no array");
    if (batch)
        return put_batch(q, batch, err);
    if (json_is_string(json_object_get(json, "sql")) &&
        json_array_size(json_object_get(json, "params")) == 0 &&
        (!json_object_get(json, "params") || json_is_array(json_object_get(json, "params")) ||
         json_is_null(json_object_get(json, "params"))))
        return put_text(q, json_object_get(json, "sql"), err);
    if (!json_is_object(json))
        return err_set(err, ERR_INVALID, "Requests without any query are not supported.");
    one = json_pack("[O]", json);
    r = one ? put_batch(q, one, err) : err_nomem(err);
    json_decref(one);
    return r;
}

/* In the desk. */
static void prepare(struct api_call *call, struct catalog *catalog)
{
    struct query *q = mem_alloc(sizeof *q);
    struct err err = {0};
    struct database d;
    int r;

    if (!q) {
        (void)err_nomem(&err);
        api_fail(call, D1_FAILED, &err);
        return;
    }
    q->call = call;
    call->state = q;
    call->free_state = query_free;
    if (!d1_look_up(call, catalog, &d))
        return;
    q->folder = d.folder;
    d.folder = NULL;
    database_done(&d);
    r = put_body(q, call->json, &err);
    if (r == ERR_NOMEM)
        api_fail(call, D1_FAILED, &err);
    else if (r < 0)
        api_error(call, 400, D1_MALFORMED, "The request is malformed: %s", err.text);
}

/* ---- the answer: records to JSON ---- */

static void print(uv_work_t *work)
{
    struct query *q = work->data;

    fputs("{\"result\":", q->out);
    q->result = d1_result_print(&q->records, q->layout, q->out, &q->err);
    fputs(",\"success\":true,\"errors\":[],\"messages\":[]}", q->out);
    if (q->result == 0 && (fflush(q->out) != 0 || ferror(q->out)))
        q->result = err_set(&q->err, ERR_SYSTEM, "the answer could not be written to a file");
}

static void send_text(struct query *q)
{
    fclose(q->out);
    q->out = NULL;
    api_raw(q->call, 200, "application/json", (struct span){q->text, q->text_len});
}

static void send_file(struct query *q)
{
    off_t size = lseek(fileno(q->out), 0, SEEK_END);
    int fd = size < 0 || lseek(fileno(q->out), 0, SEEK_SET) < 0
                 ? -1
                 : fcntl(fileno(q->out), F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        api_error(q->call, 500, D1_FAILED, "The answer could not be sent.");
    else
        api_file(q->call, "application/json", NULL, fd, (uint64_t)size);
}

static void answer(struct query *q)
{
    if (q->result < 0)
        d1_fail_call(q->call, &q->err);
    else if (q->records.file)
        send_file(q);
    else
        send_text(q);
    api_reply(q->call);
}

static void on_printed(uv_work_t *work, int status)
{
    (void)status;
    answer(work->data);
}

static void show(struct query *q)
{
    q->printing.data = q;
    q->out = q->records.file ? tmpfile() : open_memstream(&q->text, &q->text_len);
    if (!q->out) {
        q->result = err_set(&q->err, ERR_SYSTEM, "no file can be made for the answer");
        answer(q);
    } else if (q->records.len < INLINE_MAX ||
               uv_queue_work(q->call->api->loop, &q->printing, print, on_printed) < 0) {
        print(&q->printing);
        answer(q);
    }
}

/* ---- the store's answer ---- */

static int on_take(void *self, struct span bytes, struct err *err)
{
    struct query *q = self;

    if (q->call->is_gone)
        return err_set(err, ERR_CANCELLED, "nobody waits for the answer any more");
    if (q->records.len + bytes.len > ANSWER_MAX)
        return err_set(
            err, ERR_INVALID,
            "the result is longer than %d MB: ask for less with LIMIT, or use `d1 export`",
            ANSWER_MAX >> 20);
    return records_take(&q->records, bytes, err);
}

static void refuse(struct query *q, const char *text)
{
    api_error(q->call, 400, D1_FAILED, "%s", text);
    api_reply(q->call);
}

static void on_done(void *self, int result, const struct err *err)
{
    struct query *q = self;
    char text[512];

    q->errand = NULL;
    if (result == ERR_INVALID) {
        refuse(q, err->text);
    } else if (result < 0) {
        d1_fail_call(q->call, err);
        api_reply(q->call);
    } else if (q->records.state == RECORDS_FAILED) {
        snprintf(text, sizeof text, "%.*s",
                 (int)(q->records.error.text.len < sizeof text ? q->records.error.text.len
                                                               : sizeof text - 1),
                 q->records.error.text.data);
        refuse(q, text);
    } else if (q->records.state == RECORDS_OPEN) {
        refuse(q, "The database's process ended in the middle of its answer.");
    } else {
        show(q);
    }
}

/* ---- the endpoints ---- */

static void run(struct api_call *call, enum d1_layout layout)
{
    struct query *q = call->state;
    struct buf arguments = {0};
    struct errand_spec spec = {.file = -1, .take = on_take, .done = on_done, .self = q};

    if (api_is_answered(call))
        return;
    q->layout = layout;
    spec.folder = q->folder;
    spec.method = q->method;
    spec.text = buf_span(&q->body);
    if (pairs_add(&arguments, SPAN("rows"), SPAN("1")) < 0) {
        api_error(call, 503, D1_FAILED, "The node is out of memory.");
        return;
    }
    spec.arguments = (struct pairs){buf_span(&arguments), 1};
    (void)d1_start(call, &spec, &q->errand);
    buf_done(&arguments);
}

static void query(struct api_call *call)
{
    run(call, D1_OBJECTS);
}

static void raw(struct api_call *call)
{
    run(call, D1_ARRAYS);
}

#define DATABASE "/accounts/:account/d1/database/:database"
const struct api_endpoint D1_QUERY_ENDPOINTS[] = {
    {"POST", DATABASE "/query", SCOPE_DEPLOY, API_JSON, .work = prepare, .after = query},
    {"POST", DATABASE "/raw", SCOPE_DEPLOY, API_JSON, .work = prepare, .after = raw},
    {0}};
