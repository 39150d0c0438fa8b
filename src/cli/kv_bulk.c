/* kv_bulk.c - `corral kv bulk put | get | delete FILE`: files of JSON, in as many calls as they
 * need. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/kv.h"
#include "cli/prompt.h"
#include "text/value.h"

enum { FILE_MAX = 100 << 20, CHANGES = 1000, GETS = 100 }; /* a call has so many keys at most */

static int read_file(const char *path, json_t **ret, struct err *err)
{
    json_error_t why;
    struct buf text = {0};
    int r = prompt_read(path, path, FILE_MAX, &text, err);

    value_init();
    if (r == 0) {
        r = value_parse(buf_span(&text), ret, &why);
        if (r == ERR_NOMEM)
            (void)err_nomem(err);
        else if (r < 0)
            err_set(err, ERR_INVALID, "%s:%d: %s", path, why.line, why.text);
    }
    buf_done(&text);
    if (r < 0)
        return r;
    if (json_is_array(*ret))
        return 0;
    json_decref(*ret);
    *ret = NULL;
    return err_set(err, ERR_INVALID, "what is in '%s' is no JSON array", path);
}

static json_t *slice(json_t *all, size_t from, size_t count)
{
    json_t *part = json_array();

    for (size_t i = from; part && i < from + count && i < json_array_size(all); i++)
        if (json_array_append(part, json_array_get(all, i)) < 0) {
            json_decref(part);
            return NULL;
        }
    return part;
}

struct bulk {
    const char *method, *rest;
    size_t count;   /* keys of one call */
    json_t *values; /* of a get */
};

static int ask_one(struct remote *r, const struct kv_options *o, const struct bulk *b, json_t *part,
                   struct err *err)
{
    json_t *body = b->values ? json_pack("{s:O}", "keys", part) : json_incref(part);
    struct client_answer answer = {0};
    int result = body ? kv_ask(r, o, &(struct client_request){.method = b->method, .json = body},
                               &answer, err, b->rest)
                      : err_nomem(err);

    if (result == 0 && b->values)
        json_object_update(b->values, json_object_get(answer.result, "values"));
    client_answer_done(&answer);
    json_decref(body);
    return result;
}

static int ask_all(struct remote *r, const struct kv_options *o, const struct bulk *b, json_t *all,
                   struct err *err)
{
    size_t total = json_array_size(all);
    int result = 0;

    for (size_t at = 0; at < total && result == 0; at += b->count) {
        json_t *part = slice(all, at, b->count);
        result = part ? ask_one(r, o, b, part, err) : err_nomem(err);
        json_decref(part);
        if (result < 0 && at > 0)
            err_hint(err, "The first %zu of %zu are done.", at, total);
    }
    return result;
}

static int run(const struct remote_spec *spec, char **args, struct bulk *b, const char *question)
{
    struct kv_options o = {0};
    json_t *all = NULL;
    struct err err = {0};
    struct remote r;
    int code = remote_begin(spec, args, &o, &r), result;

    if (code != REMOTE_GO)
        return code;
    result = kv_check(&o, true, &err);
    result = result < 0 ? result : read_file(r.words[0], &all, &err);
    if (result == 0 && question && !o.is_sure && !prompt_agrees(question)) {
        printf("Not deleting.\n");
    } else if (result == 0) {
        result = ask_all(&r, &o, b, all, &err);
        if (result == 0 && b->values)
            result = cli_print_json(json_incref(b->values), &err);
        else if (result == 0)
            printf("Success!\n");
    }
    json_decref(all);
    return remote_end(&r, result, &err);
}

static int put(char **args)
{
    static const struct option OPTIONS[] = {KV_SHARED, {0}};
    static const struct remote_spec SPEC = {
        .usage = "kv bulk put FILE",
        .about = "Store many values: [{\"key\", \"value\", \"expiration\"?, \"expiration_ttl\"?, "
                 "\"metadata\"?,\n\"base64\"?}, ...].\n",
        .words = "FILE",
        .options = OPTIONS,
        .take = kv_take};
    struct bulk b = {.method = "PUT", .rest = "/bulk", .count = CHANGES};

    return run(&SPEC, args, &b, NULL);
}

static int drop(char **args)
{
    static const struct option OPTIONS[] = {KV_SHARED, {"--force", "-f", NULL, "do not ask"}, {0}};
    static const struct remote_spec SPEC = {
        .usage = "kv bulk delete FILE",
        .about = "Delete many keys: [\"key\", ...] or [{\"name\": \"key\"}, ...].\n",
        .words = "FILE",
        .options = OPTIONS,
        .take = kv_take};
    struct bulk b = {.method = "DELETE", .rest = "/bulk", .count = CHANGES};

    return run(&SPEC, args, &b, "Are you sure you want to delete all of these keys?");
}

static int get(char **args)
{
    static const struct option OPTIONS[] = {KV_SHARED, {0}};
    static const struct remote_spec SPEC = {
        .usage = "kv bulk get FILE",
        .about = "Show many values, as JSON: the file has [\"key\", ...].\n",
        .words = "FILE",
        .options = OPTIONS,
        .take = kv_take};
    struct bulk b = {.method = "POST", .rest = "/bulk/get", .count = GETS, .values = json_object()};
    int code = run(&SPEC, args, &b, NULL);

    json_decref(b.values);
    return code;
}

int kv_bulk_command(char **args)
{
    static const struct command COMMANDS[] = {
        {"put", "put FILE --namespace-id ID", "store many values", put},
        {"get", "get FILE --namespace-id ID", "show many values", get},
        {"delete", "delete FILE --namespace-id ID", "delete many keys", drop},
        {0},
    };
    static const struct commands ALL = {"corral kv bulk", NULL, COMMANDS};

    return commands_run(&ALL, args);
}
