/* secret.c - `corral secret put|delete|list|bulk`.
 *
 * A secret comes by the terminal or by standard input, never by the command line, which others see
 * and shells remember; it goes into one request's body, and every buffer that held it is wiped. */
#include "cli/secret.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/clean.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/prompt.h"
#include "cli/secrets_file.h"
#include "text/value.h"

#define DRAFT_CODE "export default { fetch() {} }"

/* ---- shared ---- */

int secret_check_name(const struct remote *r, struct err *err)
{
    const char *name = r->words[0], *equals = strchr(name, '=');

    if (equals) {
        err_set(err, ERR_INVALID, "'%.*s=...' is not the name of a secret", (int)(equals - name),
                name);
        return err_hint(err, "Its value does not belong on the command line, where others can read "
                             "it: leave it out, and type it when asked.");
    }
    if (strlen(name) > 1024)
        return err_set(err, ERR_LIMIT, "the name of a secret may have 1024 bytes");
    return 0;
}

int secret_value(struct buf *ret, struct err *err)
{
    int r = isatty(STDIN_FILENO)
                ? prompt_secret("Enter a secret value:", SECRET_TYPED_MAX, ret, err)
                : prompt_read(NULL, "the secret on standard input", SECRET_TYPED_MAX + 2, ret, err);

    while (r == 0 && buf_len(ret) > 0 && strchr(" \t\r\n", buf_data(ret)[buf_len(ret) - 1]))
        ret->tail--;
    if (r == ERR_LIMIT || (r == 0 && buf_len(ret) > SECRET_TYPED_MAX))
        r = err_set(err, ERR_LIMIT, "the secret is longer than %d bytes", SECRET_TYPED_MAX);
    if (r < 0)
        prompt_wipe(ret);
    return r;
}

bool secret_agrees_to_delete(const char *name, const char *worker)
{
    char question[512];

    snprintf(question, sizeof question,
             "Are you sure you want to permanently delete the secret %.200s on the Worker %.200s?",
             name, worker);
    return prompt_agrees(question);
}

void secret_print_bulk(json_t *secrets)
{
    size_t created = 0, deleted = 0;
    const char *name;
    json_t *value;

    json_object_foreach(secrets, name, value) if (json_is_null(value))
    {
        deleted++;
        printf("💥 Successfully deleted secret for key: %s\n", name);
    }
    json_object_foreach(secrets, name, value) if (!json_is_null(value))
    {
        created++;
        printf("✨ Successfully created secret for key: %s\n", name);
    }
    printf("\nFinished processing secrets file:\n");
    if (deleted)
        printf("💥 %zu secrets successfully deleted\n", deleted);
    if (created)
        printf("✨ %zu secrets successfully created\n", created);
}

const struct option SECRET_FORMAT[] = {
    {"--format", NULL, "HOW", "json or pretty (json)"},
    {0},
};

int secret_take_format(void *is_pretty, const struct option *option, const char *value,
                       struct err *err)
{
    if (strcmp(value, "json") != 0 && strcmp(value, "pretty") != 0)
        return err_set(err, ERR_INVALID, "%s is json or pretty, not '%s'", option->name, value);
    *(bool *)is_pretty = strcmp(value, "pretty") == 0;
    return 0;
}

int secret_print_list(json_t *list, bool is_pretty, struct err *err)
{
    json_t *one;
    size_t i;

    if (!is_pretty)
        return cli_print_json(json_incref(list), err);
    json_array_foreach(list, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        printf("Secret Name: ");
        clean_print(name ? name : "?");
        printf("\n\n");
    }
    return 0;
}

/* ---- a worker that is not there yet ---- */

/* A worker without code that runs, which can have secrets; false: not wanted. */
static int make_draft(struct remote *r, bool *ret_is_made, struct err *err)
{
    struct client_answer answer;
    struct client_part parts[2];
    char question[300], *metadata;
    int code;

    snprintf(question, sizeof question,
             "There doesn't seem to be a Worker called \"%.100s\". Do you want to create a new "
             "Worker with that name and add secrets to it?",
             r->name);
    *ret_is_made = prompt_agrees(question);
    if (!*ret_is_made) {
        printf("Aborting. No secrets added.\n");
        return 0;
    }
    printf("🌀 Creating new Worker \"%s\"...\n", r->name);
    json_t *object =
        json_pack("{s:s, s:[], s:b}", "main_module", r->name, "bindings", "logpush", 0);
    metadata = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (!metadata)
        return err_nomem(err);
    parts[0] = (struct client_part){.name = "metadata", .bytes = span_of(metadata)};
    parts[1] = (struct client_part){.name = r->name,
                                    .filename = r->name,
                                    .type = "application/javascript+module",
                                    .bytes = SPAN(DRAFT_CODE)};
    code = remote_ask(r, &(struct client_request){.method = "PUT", .parts = parts, .part_count = 2},
                      &answer, err, "/scripts/%s", r->name);
    client_answer_done(&answer);
    mem_free(metadata);
    return code;
}

/* Ask, and once more when the worker had to be made for it.  *ret_is_done: false when not wanted.
 */
static int ask_with_draft(struct remote *r, const struct client_request *request, const char *what,
                          bool may_make, bool *ret_is_done, struct err *err)
{
    struct client_answer answer;
    int code = remote_ask(r, request, &answer, err, "/scripts/%s/%s", r->name, what);
    bool is_unknown = remote_is_unknown(&answer);

    *ret_is_done = code == 0;
    if (code < 0 && (!is_unknown || !may_make))
        remote_explain(r, &answer, err);
    client_answer_done(&answer);
    if (code == 0 || !is_unknown || !may_make)
        return code;
    code = make_draft(r, ret_is_done, err);
    if (code < 0 || !*ret_is_done)
        return code;
    code = remote_ask(r, request, &answer, err, "/scripts/%s/%s", r->name, what);
    client_answer_done(&answer);
    return code;
}

/* ---- put ---- */

static int put(struct remote *r, void *unused, struct err *err)
{
    const char *name = r->words[0];
    struct buf value = {0};
    json_t *body = NULL;
    bool is_done;
    int code = secret_value(&value, err);

    (void)unused;
    if (code < 0)
        return code;
    body = json_pack("{s:s, s:s}", "name", name, "type", "secret_text");
    code = body ? value_set_string(body, SPAN("text"), buf_span(&value)) : ERR_NOMEM;
    prompt_wipe(&value);
    if (code == ERR_INVALID)
        err_set(err, ERR_INVALID, "the secret, or its name, is not UTF-8");
    else if (code < 0)
        err_nomem(err);
    if (code == 0) {
        printf("🌀 Creating the secret for the Worker \"%s\"\n", r->name);
        code = ask_with_draft(r, &(struct client_request){.method = "PUT", .json = body}, "secrets",
                              true, &is_done, err);
        if (code == 0 && is_done)
            printf("✨ Success! Uploaded secret %s\n", name);
    }
    secrets_wipe(body);
    return code;
}

static int secret_put(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "secret put NAME",
        .about =
            "Give a worker a secret, env.NAME. It is typed when asked for, or comes on standard\n"
            "input. The worker has it at once: a new version with the same code is deployed.\n",
        .words = "NAME",
        .check = secret_check_name,
        .need = REMOTE_WORKER,
    };

    return remote_run(&SPEC, args, NULL, put);
}

/* ---- delete ---- */

static int take_away(struct remote *r, void *unused, struct err *err)
{
    const char *name = r->words[0];
    struct client_answer answer;
    char *escaped = client_escape(name);
    int code;

    (void)unused;
    if (!escaped)
        return err_nomem(err);
    if (!secret_agrees_to_delete(name, r->name)) {
        mem_free(escaped);
        return 0;
    }
    printf("🌀 Deleting the secret %s on the Worker %s\n", name, r->name);
    code = remote_ask(r, &(struct client_request){.method = "DELETE"}, &answer, err,
                      "/scripts/%s/secrets/%s?url_encoded=true", r->name, escaped);
    if (code < 0)
        code = remote_explain(r, &answer, err);
    else
        printf("✨ Success! Deleted secret %s\n", name);
    client_answer_done(&answer);
    mem_free(escaped);
    return code;
}

static int secret_delete(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "secret delete NAME",
        .about = "Take a secret away from a worker.\n",
        .words = "NAME",
        .check = secret_check_name,
        .need = REMOTE_WORKER,
    };

    return remote_run(&SPEC, args, NULL, take_away);
}

/* ---- list ---- */

static int list(struct remote *r, void *self, struct err *err)
{
    const bool is_pretty = *(const bool *)self;
    struct client_answer answer;
    int code = remote_ask(r, &(struct client_request){.method = "GET"}, &answer, err,
                          "/scripts/%s/secrets", r->name);

    code = code < 0 ? remote_explain(r, &answer, err)
                    : secret_print_list(answer.result, is_pretty, err);
    client_answer_done(&answer);
    return code;
}

static int secret_list(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "secret list",
        .about = "Show the names of a worker's secrets. Their values never leave the node.\n",
        .options = SECRET_FORMAT,
        .take = secret_take_format,
        .need = REMOTE_WORKER,
    };
    bool is_pretty = false;

    return remote_run(&SPEC, args, &is_pretty, list);
}

/* ---- bulk ---- */

/* {"secrets": {NAME: {"name", "text", "type"} or null}} */
static json_t *bulk_body(json_t *secrets, bool *ret_creates)
{
    json_t *inside = json_object(), *body = json_object(), *value, *entry;
    const char *name;

    *ret_creates = false;
    json_object_foreach(secrets, name, value)
    {
        entry = json_is_null(value) ? json_null()
                                    : json_pack("{s:s, s:O, s:s}", "name", name, "text", value,
                                                "type", "secret_text");
        *ret_creates = *ret_creates || !json_is_null(value);
        if (json_object_set_new(inside, name, entry) < 0) {
            json_decref(inside);
            inside = NULL;
        }
    }
    if (json_object_set_new(body, "secrets", inside) == 0)
        return body;
    json_decref(body);
    return NULL;
}

static int bulk(struct remote *r, void *unused, struct err *err)
{
    json_t *secrets = NULL, *body;
    bool creates, is_done = false;
    int code;

    (void)unused;
    printf("🌀 Processing the secrets for the Worker \"%s\"\n", r->name);
    code = secrets_read(r->words[0], &secrets, err);
    if (code < 0)
        return code;
    body = bulk_body(secrets, &creates);
    code = body ? ask_with_draft(r,
                                 &(struct client_request){.method = "PATCH",
                                                          .json = body,
                                                          .type = "application/merge-patch+json"},
                                 "secrets-bulk", creates, &is_done, err)
                : err_nomem(err);
    if (code == 0 && is_done)
        secret_print_bulk(secrets);
    else if (code < 0)
        printf("\n🚨 Secrets failed to upload\n");
    json_decref(body);
    secrets_wipe(secrets);
    return code;
}

static int secret_bulk(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "secret bulk [FILE]",
        .about = "Give a worker several secrets in one step: FILE, or standard input, is JSON\n"
                 "({\"NAME\": \"value\", ...}; null takes one away) or lines of NAME=value.\n",
        .words = "[FILE]",
        .need = REMOTE_WORKER,
    };

    return remote_run(&SPEC, args, NULL, bulk);
}

int secret_command(char **args)
{
    static const struct command COMMANDS[] = {
        {"put", "put NAME", "give the worker a secret", secret_put},
        {"delete", "delete NAME", "take one away", secret_delete},
        {"list", "list", "show the names of those it has", secret_list},
        {"bulk", "bulk [FILE]", "give and take several at once", secret_bulk},
        {0},
    };
    static const struct commands ALL = {
        "corral secret", "Secrets of workers on a node: sealed there, never shown again.",
        COMMANDS};

    return commands_run(&ALL, args);
}
