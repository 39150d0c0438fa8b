/* d1_remote_show.c - `corral d1 create | list | info --remote`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/d1_remote.h"
#include "cli/table.h"

enum { COLUMNS = 5 };

/* ---- create ---- */

int d1_remote_create(const struct d1 *d1, struct database *ret, struct err *err)
{
    struct client_answer answer = {0};
    struct client *client = NULL;
    char *path = NULL;
    json_t *body = json_pack("{s:s}", "name", d1->words[0]);
    int r = body ? d1_remote_open(d1, &client, err)
                 : err_set(err, ERR_INVALID, "the name is not UTF-8");

    r = r < 0 ? r : client_path(client, &path, err, "/d1/database");
    r = r < 0 ? r
              : client_ask(client,
                           &(struct client_request){.method = "POST", .path = path, .json = body},
                           &answer, err);
    if (r == 0) {
        ret->uuid = mem_strdup(json_string_value(json_object_get(answer.result, "uuid")));
        ret->name = mem_strdup(d1->words[0]);
        r = ret->uuid && ret->name ? 0 : err_nomem(err);
    }
    client_answer_done(&answer);
    client_close(client);
    json_decref(body);
    mem_free(path);
    return r;
}

/* ---- list ---- */

static const char *binding_of(const struct project *p, const char *uuid)
{
    for (size_t i = 0; i < p->database_count; i++)
        if (strcmp(p->databases[i].id, uuid) == 0)
            return p->databases[i].binding;
    return "";
}

static int fetch_list(const struct d1 *d1, json_t **ret, struct err *err)
{
    struct client_answer answer = {0};
    struct client *client = NULL;
    char *path = NULL;
    int r = d1_remote_open(d1, &client, err);

    r = r < 0 ? r : client_path(client, &path, err, "/d1/database?per_page=10000");
    r = r < 0 ? r
              : client_ask(client, &(struct client_request){.method = "GET", .path = path}, &answer,
                           err);
    if (r == 0)
        *ret = json_incref(answer.result);
    client_answer_done(&answer);
    client_close(client);
    mem_free(path);
    return r;
}

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static int print_list(const struct d1 *d1, json_t *list, struct err *err)
{
    static const char *const HEAD[COLUMNS] = {"uuid", "name", "binding", "created_at", "file_size"};
    size_t count = json_array_size(list), i;
    struct span *cells = mem_alloc((count + 1) * COLUMNS * sizeof *cells);
    char(*sizes)[32] = mem_alloc((count + 1) * sizeof *sizes);
    struct buf out = {0};
    json_t *d;
    int r = cells && sizes ? 0 : ERR_NOMEM;

    for (i = 0; i < COLUMNS && r == 0; i++)
        cells[i] = span_of(HEAD[i]);
    json_array_foreach(list, i, d)
    {
        struct span *row = cells + (i + 1) * COLUMNS;
        if (r < 0)
            break;
        table_bytes(json_number_value(json_object_get(d, "file_size")), sizes[i]);
        row[0] = span_of(text_of(d, "uuid"));
        row[1] = span_of(text_of(d, "name"));
        row[2] = span_of(binding_of(&d1->project, text_of(d, "uuid")));
        row[3] = span_of(text_of(d, "created_at"));
        row[4] = span_of(sizes[i]);
    }
    r = r < 0 ? r : table_print(&out, table_look(), cells, COLUMNS, count + 1);
    if (r == 0)
        printf("%.*s", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    mem_free(sizes);
    mem_free(cells);
    return r < 0 ? err_nomem(err) : 0;
}

int d1_remote_list(const struct d1 *d1, struct err *err)
{
    json_t *list = NULL;
    int r = fetch_list(d1, &list, err);

    if (r == 0 && d1->is_json)
        return cli_print_json(list, err);
    if (r == 0 && json_array_size(list) == 0)
        printf("There are no databases yet: `corral d1 create NAME --remote` makes one.\n");
    else if (r == 0)
        r = print_list(d1, list, err);
    json_decref(list);
    return r;
}

/* ---- info ---- */

static int print_info(json_t *d, struct err *err)
{
    struct buf out = {0};
    char size[32], tables[32];
    int r;

    table_bytes(json_number_value(json_object_get(d, "file_size")), size);
    snprintf(tables, sizeof tables, "%" PRId64,
             (int64_t)json_integer_value(json_object_get(d, "num_tables")));
    const struct span cells[] = {
        SPAN(""),
        span_of(text_of(d, "uuid")),
        SPAN("name"),
        span_of(text_of(d, "name")),
        SPAN("created_at"),
        span_of(text_of(d, "created_at")),
        SPAN("num_tables"),
        span_of(tables),
        SPAN("database_size"),
        span_of(size),
    };
    r = table_print(&out, table_look(), cells, 2, sizeof cells / sizeof *cells / 2);
    if (r == 0)
        printf("%.*s", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    return r < 0 ? err_nomem(err) : 0;
}

int d1_remote_info(const struct d1 *d1, struct err *err)
{
    struct client_answer answer = {0};
    struct client *client = NULL;
    struct database d = {0};
    char *path = NULL;
    int r = d1_remote_open(d1, &client, err);

    r = r < 0 ? r : d1_remote_find(d1, client, d1->words[0], false, &d, err);
    r = r < 0 ? r : client_path(client, &path, err, "/d1/database/%s", d.uuid);
    r = r < 0 ? r
              : client_ask(client, &(struct client_request){.method = "GET", .path = path}, &answer,
                           err);
    if (r == 0) {
        json_object_set(answer.result, "database_size",
                        json_object_get(answer.result, "file_size"));
        r = d1->is_json ? cli_print_json(json_incref(answer.result), err)
                        : print_info(answer.result, err);
    }
    client_answer_done(&answer);
    client_close(client);
    database_done(&d);
    mem_free(path);
    return r;
}
