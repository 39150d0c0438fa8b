/* kv.c - `corral kv namespace create | list | rename | delete`, and what all of `corral kv` shares.
 */
#include "cli/kv.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/prompt.h"

/* ---- shared ---- */

int kv_take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct kv_options *o = self;
    const struct {
        const char *name;
        const char **text;
        bool *is_on;
    } ALL[] = {{"--namespace-id", &o->namespace_id, NULL},
               {"--binding", &o->binding, NULL},
               {"--new-name", &o->title, NULL},
               {"--prefix", &o->prefix, NULL},
               {"--path", &o->path, NULL},
               {"--ttl", &o->ttl, NULL},
               {"--expiration", &o->expiration, NULL},
               {"--metadata", &o->metadata, NULL},
               {"--local", NULL, &o->is_local},
               {"--preview", NULL, &o->is_preview},
               {"--force", NULL, &o->is_sure},
               {"--skip-confirmation", NULL, &o->is_sure}};

    (void)err;
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        if (strcmp(option->name, ALL[i].name) != 0)
            continue;
        if (ALL[i].text)
            *ALL[i].text = value;
        else
            *ALL[i].is_on = option_is_on(value);
    }
    return 0;
}

int kv_check(const struct kv_options *o, bool needs_namespace, struct err *err)
{
    if (o->is_local) {
        err_set(err, ERR_INVALID, "--local: `corral dev` has no KV yet");
        return err_hint(err, "Without it the namespaces of the node are meant.");
    }
    if (o->is_preview)
        return err_set(err, ERR_INVALID, "--preview: there are no preview namespaces");
    if (o->binding && !o->namespace_id) {
        err_set(err, ERR_INVALID, "--binding: kv_namespaces of the configuration are not read yet");
        return err_hint(err, "Say --namespace-id ID: `corral kv namespace list` shows the ids.");
    }
    if (needs_namespace && (!o->namespace_id || !o->namespace_id[0])) {
        err_set(err, ERR_INVALID, "which namespace is meant? --namespace-id ID is missing");
        return err_hint(err, "`corral kv namespace list` shows the ids.");
    }
    return 0;
}

int kv_ask(struct remote *r, const struct kv_options *o, const struct client_request *request,
           struct client_answer *ret, struct err *err, const char *rest)
{
    char *id = o->namespace_id ? client_escape(o->namespace_id) : NULL, *path = NULL;
    struct client_request whole = *request;
    int code;

    *ret = (struct client_answer){0};
    code = client_path(r->client, &path, err, "/storage/kv/namespaces%s%s%s", id ? "/" : "",
                       id ? id : "", rest);
    whole.path = path;
    if (code == 0)
        code = client_ask(r->client, &whole, ret, err);
    if (code < 0 && ret->code == 10013)
        err_hint(err, "`corral kv namespace list` shows those there are.");
    mem_free(path);
    mem_free(id);
    return code;
}

char *kv_value_path(const char *what, const char *key, const char *query)
{
    char *escaped = client_escape(key), *path = NULL;
    struct buf out = {0};

    if (escaped && buf_print(&out, "/%s/%s%s", what, escaped, query) == 0)
        path = buf_detach(&out);
    buf_done(&out);
    mem_free(escaped);
    return path;
}

/* ---- namespaces ---- */

static int create(char **args)
{
    static const struct option OPTIONS[] = {KV_SHARED, {0}};
    static const struct remote_spec SPEC = {
        .usage = "kv namespace create TITLE",
        .about = "Make a KV namespace on the node, and show its id.\n",
        .words = "TITLE",
        .options = OPTIONS,
        .take = kv_take};
    struct kv_options o = {0};
    struct client_answer answer = {0};
    json_t *body = NULL;
    struct err err = {0};
    struct remote r;
    int code = remote_begin(&SPEC, args, &o, &r), result;

    if (code != REMOTE_GO)
        return code;
    o.namespace_id = NULL;
    result = kv_check(&o, false, &err);
    if (result == 0 && !(body = json_pack("{s:s}", "title", r.words[0])))
        result = err_set(&err, ERR_INVALID, "the title is not UTF-8");
    if (result == 0) {
        printf("🌀 Creating namespace with title \"%s\"\n", r.words[0]);
        result = kv_ask(&r, &o, &(struct client_request){.method = "POST", .json = body}, &answer,
                        &err, "");
    }
    if (result == 0)
        printf("✨ Success!\nIts id is %s\n",
               json_string_value(json_object_get(answer.result, "id")));
    client_answer_done(&answer);
    json_decref(body);
    return remote_end(&r, result, &err);
}

/* All pages. */
static int fetch(struct remote *r, json_t *all, struct err *err)
{
    const struct kv_options none = {0};
    char rest[96];
    size_t got = 1;
    int result = 0;

    for (int page = 1; got > 0 && result == 0; page++) {
        struct client_answer answer;
        snprintf(rest, sizeof rest, "?per_page=1000&order=title&direction=asc&page=%d", page);
        result = kv_ask(r, &none, &(struct client_request){.method = "GET"}, &answer, err, rest);
        got = json_array_size(answer.result);
        if (result == 0 && json_array_extend(all, answer.result) < 0)
            result = err_set(err, ERR_GONE, "the node's answer is no list");
        client_answer_done(&answer);
    }
    return result;
}

static int list(char **args)
{
    static const struct option OPTIONS[] = {KV_SHARED, {0}};
    static const struct remote_spec SPEC = {.usage = "kv namespace list",
                                            .about = "Show the KV namespaces of the node: JSON.\n",
                                            .options = OPTIONS,
                                            .take = kv_take};
    struct kv_options o = {0};
    json_t *all = NULL;
    struct err err = {0};
    struct remote r;
    int code = remote_begin(&SPEC, args, &o, &r), result;

    if (code != REMOTE_GO)
        return code;
    result = kv_check(&o, false, &err);
    if (result == 0 && !(all = json_array()))
        result = err_nomem(&err);
    result = result < 0 ? result : fetch(&r, all, &err);
    result = result < 0 ? result : cli_print_json(json_incref(all), &err);
    json_decref(all);
    return remote_end(&r, result, &err);
}

static int rename_one(char **args)
{
    static const struct option OPTIONS[] = {
        KV_SHARED, {"--new-name", NULL, "TITLE", "what it is called from now on"}, {0}};
    static const struct remote_spec SPEC = {.usage = "kv namespace rename --namespace-id ID",
                                            .about = "Give a KV namespace another title.\n",
                                            .options = OPTIONS,
                                            .take = kv_take};
    struct kv_options o = {0};
    struct client_answer answer = {0};
    json_t *body = NULL;
    struct err err = {0};
    struct remote r;
    int code = remote_begin(&SPEC, args, &o, &r), result;

    if (code != REMOTE_GO)
        return code;
    result = kv_check(&o, true, &err);
    if (result == 0 && !o.title)
        result = err_set(&err, ERR_INVALID, "--new-name TITLE is missing");
    if (result == 0 && !(body = json_pack("{s:s}", "title", o.title)))
        result = err_set(&err, ERR_INVALID, "the title is not UTF-8");
    if (result == 0)
        result = kv_ask(&r, &o, &(struct client_request){.method = "PUT", .json = body}, &answer,
                        &err, "");
    if (result == 0)
        printf("✨ Successfully renamed namespace to \"%s\"\n", o.title);
    client_answer_done(&answer);
    json_decref(body);
    return remote_end(&r, result, &err);
}

static int drop(char **args)
{
    static const struct option OPTIONS[] = {
        KV_SHARED, {"--skip-confirmation", "-y", NULL, "do not ask"}, {0}};
    static const struct remote_spec SPEC = {.usage = "kv namespace delete --namespace-id ID",
                                            .about =
                                                "Delete a KV namespace with all that is in it.\n",
                                            .options = OPTIONS,
                                            .take = kv_take};
    struct kv_options o = {0};
    struct client_answer answer = {0};
    char question[200];
    struct err err = {0};
    struct remote r;
    int code = remote_begin(&SPEC, args, &o, &r), result;

    if (code != REMOTE_GO)
        return code;
    result = kv_check(&o, true, &err);
    snprintf(question, sizeof question,
             "Ok to delete the KV namespace %.64s with all that is in it?",
             o.namespace_id ? o.namespace_id : "");
    if (result == 0 && !o.is_sure && !prompt_agrees(question)) {
        printf("Not deleting.\n");
    } else if (result == 0) {
        printf("Deleting KV namespace %s.\n", o.namespace_id);
        result = kv_ask(&r, &o, &(struct client_request){.method = "DELETE"}, &answer, &err, "");
        if (result == 0)
            printf("Deleted KV namespace %s.\n", o.namespace_id);
    }
    client_answer_done(&answer);
    return remote_end(&r, result, &err);
}

static int namespace_command(char **args)
{
    static const struct command COMMANDS[] = {
        {"create", "create TITLE", "make one", create},
        {"list", "list", "show those there are", list},
        {"rename", "rename --namespace-id ID --new-name TITLE", "give one another title",
         rename_one},
        {"delete", "delete --namespace-id ID", "delete one with all that is in it", drop},
        {0},
    };
    static const struct commands ALL = {"corral kv namespace", NULL, COMMANDS};

    return commands_run(&ALL, args);
}

int kv_command(char **args)
{
    static const struct command COMMANDS[] = {
        {"namespace", "namespace ...", "make, show, rename and delete namespaces",
         namespace_command},
        {"key", "key ...", "put, get, list and delete keys", kv_key_command},
        {"bulk", "bulk ...", "put, get and delete many keys at once", kv_bulk_command},
        {0},
    };
    static const struct commands ALL = {"corral kv",
                                        "KV namespaces of a node, and what is in them.", COMMANDS};

    return commands_run(&ALL, args);
}
