/* d1_remote.c - find a database of a node, and run SQL on it. */
#include "cli/d1_remote.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "row/row.h"

void d1_remote_place(void)
{
    printf("Resource location: remote\n\n");
    fflush(stdout);
}

int d1_remote_open(const struct d1 *d1, struct client **ret, struct err *err)
{
    return client_open(d1->project.deploy.account_id, ret, err);
}

/* ---- which database ---- */

static const struct project_database *find_configured(const struct project *p, const char *word)
{
    for (size_t i = 0; i < p->database_count; i++) {
        const struct project_database *d = &p->databases[i];
        if (strcmp(d->name, word) == 0 || strcmp(d->binding, word) == 0 ||
            strcasecmp(d->id, word) == 0)
            return d;
    }
    return NULL;
}

static int copy_database(json_t *object, struct database *ret, struct err *err)
{
    const char *uuid = NULL, *name = NULL, *created_at = "";
    json_int_t size = 0;

    if (json_unpack(object, "{s:s, s:s, s?s, s?I}", "uuid", &uuid, "name", &name, "created_at",
                    &created_at, "file_size", &size) < 0)
        return err_set(err, ERR_GONE, "the node's answer names no database");
    *ret = (struct database){.uuid = mem_strdup(uuid),
                             .name = mem_strdup(name),
                             .created_at = mem_strdup(created_at),
                             .size_bytes = size};
    if (ret->uuid && ret->name && ret->created_at)
        return 0;
    database_done(ret);
    return err_nomem(err);
}

static int ask_for(struct client *client, const char *word, struct database *ret, struct err *err)
{
    struct client_answer answer = {0};
    char *escaped = client_escape(word), *path = NULL;
    int r = escaped ? client_path(client, &path, err, "/d1/database/%s", escaped) : err_nomem(err);

    if (r == 0)
        r = client_ask(client, &(struct client_request){.method = "GET", .path = path}, &answer,
                       err);
    if (r == 0)
        r = copy_database(answer.result, ret, err);
    else if (r == ERR_NOT_FOUND && answer.code == 7404)
        err_hint(err, "`corral d1 list --remote` shows those there are, `corral d1 create NAME "
                      "--remote` makes one.");
    client_answer_done(&answer);
    mem_free(path);
    mem_free(escaped);
    return r;
}

int d1_remote_find(const struct d1 *d1, struct client *client, const char *word, bool is_preview,
                   struct database *ret, struct err *err)
{
    const struct project_database *known = find_configured(&d1->project, word);
    int r;

    if (is_preview) {
        err_set(err, ERR_INVALID, "--preview: there is no preview database of '%.64s'", word);
        return err_hint(err, "Give it a database_name of its own in an [env.NAME] instead.");
    }
    if (!known)
        return ask_for(client, word, ret, err);
    if (database_is_uuid(known->id)) {
        r = ask_for(client, known->id, ret, err);
        if (r == ERR_NOT_FOUND)
            err_hint(err,
                     "It is the database_id of '%.64s' in the configuration: `corral d1 list "
                     "--remote` shows the ids of the node.",
                     known->name);
        return r;
    }
    return ask_for(client, known->name, ret, err);
}

/* ---- SQL ---- */

int d1_remote_ask(struct client *client, const struct database *d, const char *what, json_t *body,
                  struct client_answer *ret, struct err *err)
{
    char *path = NULL;
    int r = client_path(client, &path, err, "/d1/database/%s/%s", d->uuid, what);

    *ret = (struct client_answer){0};
    if (r == 0)
        r = client_ask(
            client,
            &(struct client_request){
                .method = "POST", .path = path, .json = body, .timeout_ms = CLIENT_LONG_MS},
            ret, err);
    mem_free(path);
    return r;
}

static int put_value(struct buf *out, json_t *json)
{
    struct row_value value = {.tag = ROW_NULL};
    struct buf bytes = {0};
    json_t *item;
    size_t i;
    int r = 0;

    if (json_is_string(json)) {
        value.tag = ROW_TEXT;
        value.bytes = (struct span){json_string_value(json), json_string_length(json)};
    } else if (json_is_number(json)) {
        value = (struct row_value){.tag = ROW_REAL, .real = json_number_value(json)};
    } else if (json_is_array(json)) {
        value.tag = ROW_BLOB;
        json_array_foreach(json, i, item)
        {
            unsigned char byte = (unsigned char)json_integer_value(item);
            r = r < 0 ? r : buf_append(&bytes, &byte, 1);
        }
        value.bytes = buf_span(&bytes);
    }
    r = r < 0 ? r : row_put_value(out, &value);
    buf_done(&bytes);
    return r;
}

static int put_columns(struct buf *out, json_t *columns)
{
    json_t *name;
    size_t i, mark;
    int r = row_begin(out, ROW_RECORD_COLUMNS, &mark);

    r = r < 0 ? r : row_put_u32(out, (uint32_t)json_array_size(columns));
    json_array_foreach(columns, i, name)
    {
        r = r < 0 ? r : row_put_u32(out, (uint32_t)json_string_length(name));
        r = r < 0 ? r : buf_append(out, json_string_value(name), json_string_length(name));
    }
    if (r == 0)
        row_end(out, mark);
    return r;
}

/* Each in a record of its own, filled up where the node has sent too few values. */
static int put_row(struct buf *out, json_t *row, size_t width)
{
    size_t mark;
    int r = row_begin(out, ROW_RECORD_ROWS, &mark);

    r = r < 0 ? r : row_put_u32(out, 1);
    for (size_t i = 0; i < width && r == 0; i++)
        r = put_value(out, json_array_get(row, i));
    if (r == 0)
        row_end(out, mark);
    return r;
}

static int put_statement(struct buf *out, json_t *statement)
{
    json_t *results = json_object_get(statement, "results"), *row,
           *columns = json_object_get(results, "columns"), *rows = json_object_get(results, "rows"),
           *meta = json_object_get(statement, "meta");
    struct row_meta done = {.duration_ms = json_number_value(json_object_get(meta, "duration"))};
    size_t i, width = json_array_size(columns);
    int r = put_columns(out, columns);

    json_array_foreach(rows, i, row) r = r < 0 || width == 0 ? r : put_row(out, row, width);
    return r < 0 ? r : row_put_meta(out, &done);
}

static int to_records(json_t *result, struct records *ret, struct err *err)
{
    struct buf out = {0};
    json_t *statement;
    size_t i;
    int r = 0;

    json_array_foreach(result, i, statement)
    {
        r = put_statement(&out, statement);
        r = r < 0 ? err_nomem(err) : records_take(ret, buf_span(&out), err);
        buf_eat(&out, buf_len(&out));
        if (r < 0)
            break;
    }
    if (r == 0 && row_put_text(&out, ROW_RECORD_END, SPAN("")) < 0)
        r = err_nomem(err);
    r = r < 0 ? r : records_take(ret, buf_span(&out), err);
    buf_done(&out);
    return r;
}

int d1_remote_run(struct client *client, const struct database *d, struct span sql,
                  struct records *ret, struct err *err)
{
    struct client_answer answer = {0};
    json_t *body = json_pack("{s:o}", "sql", json_stringn(sql.data, sql.len));
    int r;

    *ret = (struct records){0};
    if (!body)
        return err_set(err, ERR_INVALID, "the SQL is not UTF-8");
    r = d1_remote_ask(client, d, "raw", body, &answer, err);
    r = r < 0 ? r : to_records(answer.result, ret, err);
    client_answer_done(&answer);
    json_decref(body);
    return r;
}
