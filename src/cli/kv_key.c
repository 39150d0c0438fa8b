/* kv_key.c - `corral kv key put | get | list | delete`. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/kv.h"
#include "cli/prompt.h"

enum { VALUE_MAX = 25 << 20 };

/* ---- put ---- */

static int put_query(const struct kv_options *o, struct buf *out, struct err *err)
{
    const char *texts[] = {o->ttl, o->expiration};
    const char *names[] = {"expiration_ttl", "expiration"};
    int r = buf_append(out, "", 0);

    for (size_t i = 0; i < 2 && r == 0; i++) {
        if (!texts[i])
            continue;
        if (!texts[i][0] || texts[i][strspn(texts[i], "0123456789")])
            return err_set(err, ERR_INVALID, "%s '%.32s' is no whole number of seconds",
                           i == 0 ? "--ttl" : "--expiration", texts[i]);
        r = buf_print(out, "%s%s=%s", buf_len(out) > 0 ? "&" : "?", names[i], texts[i]);
    }
    r = r < 0 ? r : buf_append(out, "", 1);
    return r < 0 ? err_nomem(err) : 0;
}

/* What is stored: the word, a file, or standard input. */
static int read_value(const struct remote *r, const struct kv_options *o, struct buf *ret,
                      struct err *err)
{
    if (o->path && r->word_count > 1)
        return err_set(err, ERR_INVALID, "the value and --path: only one of them");
    if (r->word_count > 1)
        return buf_append(ret, r->words[1], strlen(r->words[1])) < 0 ? err_nomem(err) : 0;
    return prompt_read(o->path, o->path ? o->path : "the value on standard input", VALUE_MAX, ret,
                       err);
}

static int put_value(struct remote *r, const struct kv_options *o, struct err *err)
{
    struct client_answer answer = {0};
    struct buf value = {0}, query = {0};
    const char *metadata = o->metadata;
    struct client_part parts[2];
    struct client_request request = {.method = "PUT", .type = "application/octet-stream"};
    char *path = NULL;
    int code = put_query(o, &query, err);

    code = code < 0 ? code : read_value(r, o, &value, err);
    if (code == 0 && !(path = kv_value_path("values", r->words[0], buf_data(&query))))
        code = err_nomem(err);
    parts[0] = (struct client_part){.name = "value", .bytes = buf_span(&value)};
    parts[1] = (struct client_part){.name = "metadata", .bytes = span_of(metadata ? metadata : "")};
    if (metadata) {
        request.type = NULL;
        request.parts = parts;
        request.part_count = 2;
    } else {
        request.bytes = buf_span(&value);
    }
    if (code == 0) {
        printf("Writing the value to key \"%s\" on namespace %s.\n", r->words[0], o->namespace_id);
        code = kv_ask(r, o, &request, &answer, err, path);
    }
    client_answer_done(&answer);
    mem_free(path);
    buf_done(&query);
    buf_done(&value);
    return code;
}

static int put(char **args)
{
    static const struct option OPTIONS[] = {
        KV_SHARED,
        {"--path", NULL, "FILE", "the value is what is in this file"},
        {"--ttl", NULL, "SECONDS", "how long it is there, at least 60"},
        {"--expiration", NULL, "TIME", "until when it is there, in seconds since 1970"},
        {"--metadata", NULL, "JSON", "what is kept beside the value"},
        {0}};
    static const struct remote_spec SPEC = {
        .usage = "kv key put KEY [VALUE]",
        .about = "Store a value: the word, what is in a file, or what comes on standard input.\n",
        .words = "KEY [VALUE]",
        .options = OPTIONS,
        .take = kv_take};
    struct kv_options o = {0};
    struct err err = {0};
    struct remote r;
    int code = remote_begin(&SPEC, args, &o, &r), result;

    if (code != REMOTE_GO)
        return code;
    result = kv_check(&o, true, &err);
    result = result < 0 ? result : put_value(&r, &o, &err);
    return remote_end(&r, result, &err);
}

/* ---- get ---- */

static int write_out(void *self, struct span bytes, struct err *err)
{
    (void)self;
    if (fwrite(bytes.data, 1, bytes.len, stdout) == bytes.len)
        return 0;
    return err_set(err, ERR_SYSTEM, "the value could not be written");
}

static int get(char **args)
{
    static const struct option OPTIONS[] = {KV_SHARED, {"--text", NULL, NULL, NULL}, {0}};
    static const struct remote_spec SPEC = {
        .usage = "kv key get KEY",
        .about = "Write a value to the standard output, as it was stored.\n",
        .words = "KEY",
        .options = OPTIONS,
        .take = kv_take};
    struct kv_options o = {0};
    struct client_answer answer = {0};
    char *path = NULL;
    struct err err = {0};
    struct remote r;
    int code = remote_begin(&SPEC, args, &o, &r), result;

    if (code != REMOTE_GO)
        return code;
    result = kv_check(&o, true, &err);
    if (result == 0 && !(path = kv_value_path("values", r.words[0], "")))
        result = err_nomem(&err);
    if (result == 0)
        result = kv_ask(&r, &o, &(struct client_request){.method = "GET", .sink = write_out},
                        &answer, &err, path);
    client_answer_done(&answer);
    mem_free(path);
    return remote_end(&r, result, &err);
}

/* ---- list ---- */

static int fetch(struct remote *r, const struct kv_options *o, json_t *all, struct err *err)
{
    char *prefix = client_escape(o->prefix ? o->prefix : ""), *cursor = mem_strdup("");
    int result = prefix && cursor ? 0 : err_nomem(err);
    bool is_more = true;

    while (result == 0 && is_more) {
        struct client_answer answer = {0};
        struct buf rest = {0};
        const char *next = "";
        if (buf_print(&rest, "/keys?prefix=%s&cursor=%s", prefix, cursor) < 0 ||
            buf_append(&rest, "", 1) < 0)
            result = err_nomem(err);
        result = result < 0 ? result
                            : kv_ask(r, o, &(struct client_request){.method = "GET"}, &answer, err,
                                     buf_data(&rest));
        if (result == 0 && json_array_extend(all, answer.result) < 0)
            result = err_set(err, ERR_GONE, "the node's answer is no list");
        (void)json_unpack(json_object_get(answer.root, "result_info"), "{s?s}", "cursor", &next);
        is_more = next[0] != '\0';
        mem_free(cursor);
        cursor = client_escape(next);
        if (!cursor && result == 0)
            result = err_nomem(err);
        client_answer_done(&answer);
        buf_done(&rest);
    }
    mem_free(prefix);
    mem_free(cursor);
    return result;
}

static int list(char **args)
{
    static const struct option OPTIONS[] = {
        KV_SHARED, {"--prefix", NULL, "TEXT", "only keys that begin with it"}, {0}};
    static const struct remote_spec SPEC = {.usage = "kv key list",
                                            .about = "Show the keys of a namespace: JSON.\n",
                                            .options = OPTIONS,
                                            .take = kv_take};
    struct kv_options o = {0};
    json_t *all = json_array();
    struct err err = {0};
    struct remote r;
    int code = remote_begin(&SPEC, args, &o, &r), result;

    if (code != REMOTE_GO) {
        json_decref(all);
        return code;
    }
    result = all ? kv_check(&o, true, &err) : err_nomem(&err);
    result = result < 0 ? result : fetch(&r, &o, all, &err);
    result = result < 0 ? result : cli_print_json(json_incref(all), &err);
    json_decref(all);
    return remote_end(&r, result, &err);
}

/* ---- delete ---- */

static int drop(char **args)
{
    static const struct option OPTIONS[] = {KV_SHARED, {0}};
    static const struct remote_spec SPEC = {.usage = "kv key delete KEY",
                                            .about = "Delete a key and its value.\n",
                                            .words = "KEY",
                                            .options = OPTIONS,
                                            .take = kv_take};
    struct kv_options o = {0};
    struct client_answer answer = {0};
    char *path = NULL;
    struct err err = {0};
    struct remote r;
    int code = remote_begin(&SPEC, args, &o, &r), result;

    if (code != REMOTE_GO)
        return code;
    result = kv_check(&o, true, &err);
    if (result == 0 && !(path = kv_value_path("values", r.words[0], "")))
        result = err_nomem(&err);
    if (result == 0) {
        printf("Deleting the key \"%s\" on namespace %s.\n", r.words[0], o.namespace_id);
        result = kv_ask(&r, &o, &(struct client_request){.method = "DELETE"}, &answer, &err, path);
    }
    client_answer_done(&answer);
    mem_free(path);
    return remote_end(&r, result, &err);
}

int kv_key_command(char **args)
{
    static const struct command COMMANDS[] = {
        {"put", "put KEY [VALUE] --namespace-id ID", "store a value", put},
        {"get", "get KEY --namespace-id ID", "write a value to the standard output", get},
        {"list", "list --namespace-id ID", "show the keys there are", list},
        {"delete", "delete KEY --namespace-id ID", "delete a key and its value", drop},
        {0},
    };
    static const struct commands ALL = {"corral kv key", NULL, COMMANDS};

    return commands_run(&ALL, args);
}
