/* d1_remote_file.c - files into a database of a node and out of it: wrangler's import and export.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/d1_remote.h"
#include "service/md5.h"

/* ---- polling ---- */

static void tell(json_t *messages)
{
    json_t *message;
    size_t i;

    json_array_foreach(messages, i, message) if (json_is_string(message))
        fprintf(stderr, "🌀 %s\n", json_string_value(message));
}

/* Ask with `body` until it is over.  *ret_result: its member "result", a new reference. */
static int poll(struct client *client, const struct database *d, const char *what, json_t *body,
                json_t *again, json_t **ret_result, struct err *err)
{
    struct client_answer answer = {0};
    const char *status = "", *error = NULL, *bookmark = "";
    int r = d1_remote_ask(client, d, what, body, &answer, err);

    while (r == 0) {
        int success = 1;
        if (json_unpack(answer.result, "{s?b, s?s, s?s, s?s}", "success", &success, "status",
                        &status, "error", &error, "at_bookmark", &bookmark) < 0)
            r = err_set(err, ERR_GONE, "the node's answer makes no sense");
        else if (!success || strcmp(status, "error") == 0)
            r = err_set(err, ERR_INVALID, "%s", error ? error : "it failed");
        if (r < 0)
            break;
        tell(json_object_get(answer.result, "messages"));
        if (strcmp(status, "complete") == 0) {
            *ret_result = json_incref(json_object_get(answer.result, "result"));
            break;
        }
        if (json_object_set_new(again, "current_bookmark", json_string(bookmark)) < 0)
            r = err_nomem(err);
        client_answer_done(&answer);
        r = r < 0 ? r : d1_remote_ask(client, d, what, again, &answer, err);
    }
    client_answer_done(&answer);
    return r;
}

/* ---- import ---- */

static int upload(struct client *client, const char *url, const char *file, const char *md5,
                  struct err *err)
{
    struct client_answer answer = {0};
    int r = client_ask(client,
                       &(struct client_request){.method = "PUT",
                                                .url = url,
                                                .file = file,
                                                .type = "application/sql",
                                                .timeout_ms = CLIENT_LONG_MS},
                       &answer, err);

    if (r == 0 && strcmp(answer.etag, md5) != 0)
        r = err_set(err, ERR_INVALID, "File contents did not upload successfully. Please retry.");
    client_answer_done(&answer);
    return r;
}

static int ingest(struct client *client, const struct database *d, json_t *init, const char *file,
                  const char *md5, json_t **ret_result, struct err *err)
{
    const char *url = NULL, *filename = NULL;
    json_t *body, *again;
    int r;

    if (json_unpack(init, "{s:s, s:s}", "upload_url", &url, "filename", &filename) < 0)
        return err_set(err, ERR_GONE, "the node says no address for the file");
    fprintf(stderr, "🌀 Uploading %s\n", filename);
    r = upload(client, url, file, md5, err);
    if (r < 0)
        return r;
    fprintf(stderr, "🌀 Uploading complete.\n");
    body = json_pack("{s:s, s:s, s:s}", "action", "ingest", "filename", filename, "etag", md5);
    again = json_pack("{s:s}", "action", "poll");
    r = body && again ? poll(client, d, "import", body, again, ret_result, err) : err_nomem(err);
    json_decref(body);
    json_decref(again);
    return r;
}

static int report(const struct d1 *d1, json_t *result, struct err *err)
{
    json_t *meta = json_object_get(result, "meta");
    json_int_t queries = json_integer_value(json_object_get(result, "num_queries"));
    json_int_t rows_read = json_integer_value(json_object_get(meta, "rows_read"));
    json_int_t rows_written = json_integer_value(json_object_get(meta, "rows_written"));
    char size[32];

    if (!d1->is_json) {
        printf("🚣 Executed %" PRId64 " queries in %.2f seconds (%" PRId64 " rows read, %" PRId64
               " rows written)\n   Database is currently at bookmark %s.\n",
               (int64_t)queries, json_number_value(json_object_get(meta, "duration")) / 1000,
               (int64_t)rows_read, (int64_t)rows_written,
               json_string_value(json_object_get(result, "final_bookmark")));
        return 0;
    }
    snprintf(size, sizeof size, "%.2f",
             (double)json_integer_value(json_object_get(meta, "size_after")) / 1e6);
    return cli_print_json(json_pack("[{s:[{s:I, s:I, s:I, s:s}], s:b, s:O, s:O}]", "results",
                                    "Total queries executed", queries, "Rows read", rows_read,
                                    "Rows written", rows_written, "Database size (MB)", size,
                                    "success", 1, "finalBookmark",
                                    json_object_get(result, "final_bookmark"), "meta", meta),
                          err);
}

int d1_remote_import(const struct d1 *d1, struct client *client, const struct database *d,
                     const char *file, struct err *err)
{
    struct client_answer answer = {0};
    char md5[MD5_SIZE];
    json_t *body = NULL, *result = NULL;
    int fd = open(file, O_RDONLY | O_CLOEXEC), r;

    if (fd < 0)
        return err_set(err, ERR_INVALID, "Unable to read SQL text file \"%s\"", file);
    r = md5_of_file(fd, md5, err);
    close(fd);
    if (r == 0 && !(body = json_pack("{s:s, s:s}", "action", "init", "etag", md5)))
        r = err_nomem(err);
    r = r < 0 ? r : d1_remote_ask(client, d, "import", body, &answer, err);
    r = r < 0 ? r : ingest(client, d, answer.result, file, md5, &result, err);
    r = r < 0 ? r : report(d1, result, err);
    client_answer_done(&answer);
    json_decref(body);
    json_decref(result);
    return r;
}

/* ---- export ---- */

static json_t *dump_options(const struct d1_remote_dump *dump)
{
    json_t *tables = json_array();

    for (size_t i = 0; i < dump->table_count; i++)
        json_array_append_new(tables, json_string(dump->tables[i]));
    return json_pack("{s:s, s:{s:b, s:b, s:o}}", "output_format", "polling", "dump_options",
                     "no_schema", (int)dump->has_no_schema, "no_data", (int)dump->has_no_data,
                     "tables", tables);
}

int d1_remote_export(struct client *client, const struct database *d,
                     const struct d1_remote_dump *dump, struct err *err)
{
    json_t *body = dump_options(dump), *again = dump_options(dump), *result = NULL;
    struct client_answer answer = {0};
    const char *url = NULL;
    int r = body && again ? poll(client, d, "export", body, again, &result, err) : err_nomem(err);

    if (r == 0 && json_unpack(result, "{s:s}", "signed_url", &url) < 0)
        r = err_set(err, ERR_GONE, "the node says no address for the file");
    if (r == 0)
        r = client_ask(client,
                       &(struct client_request){.method = "GET",
                                                .url = url,
                                                .sink = dump->write,
                                                .self = dump->self,
                                                .timeout_ms = CLIENT_LONG_MS},
                       &answer, err);
    client_answer_done(&answer);
    json_decref(body);
    json_decref(again);
    json_decref(result);
    return r;
}
