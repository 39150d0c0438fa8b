/* versions_secret.c - `corral versions secret put|delete|list|bulk`: secrets of a version that does
 * not answer yet.
 *
 * Each change makes a new version out of the newest one, with the same code. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/clean.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/history.h"
#include "cli/prompt.h"
#include "cli/secret.h"
#include "cli/secrets_file.h"
#include "cli/versions.h"
#include "text/value.h"

static const struct option OPTIONS[] = {
    {"--message", "-m", "TEXT", "what this version is"},
    {"--tag", NULL, "TEXT", "a short name for this version"},
    {0},
};

struct notes {
    const char *message, *tag;
};

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct notes *n = self;

    (void)err;
    if (strcmp(option->name, "--message") == 0)
        n->message = value;
    else
        n->tag = value;
    return 0;
}

/* A new version with these secrets: {NAME: text or null}, whose strings stay the caller's to wipe.
 */
static int change(struct remote *r, json_t *secrets, const struct notes *notes, const char *message,
                  char ret_id[64], struct err *err)
{
    json_t *env = json_object(), *body, *value;
    struct client_answer answer = {0};
    const char *name;
    int code = env ? 0 : err_nomem(err);

    json_object_foreach(secrets, name, value)
    {
        json_t *entry = json_is_null(value)
                            ? json_null()
                            : json_pack("{s:s, s:O}", "type", "secret_text", "text", value);
        if (code == 0 && json_object_set_new(env, name, entry) < 0)
            code = err_nomem(err);
    }
    body = json_pack("{s:o, s:{s:s, s:s*}}", "env", env, "annotations", "workers/message",
                     notes->message ? notes->message : message, "workers/tag", notes->tag);
    if (code == 0 && !body)
        code = err_nomem(err);
    if (code == 0)
        code = remote_ask(r,
                          &(struct client_request){.method = "PATCH",
                                                   .json = body,
                                                   .type = "application/merge-patch+json",
                                                   .timeout_ms = CLIENT_LONG_MS},
                          &answer, err, "/workers/%s/versions/latest", r->name);
    if (code < 0)
        code = remote_explain(r, &answer, err);
    snprintf(ret_id, 64, "%s", history_text(answer.result, "id", NULL));
    client_answer_done(&answer);
    json_decref(body);
    return code;
}

static void print_next(const char *what, const char *id, const char *name)
{
    printf("✨ Success! Created version %s with %s%s%s.\n"
           "➡️  To deploy this version to production traffic use the command `corral versions "
           "deploy %s`.\n",
           id, what, name[0] ? " " : "", name, id);
}

/* ---- put, delete ---- */

static int put(struct remote *r, void *self, struct err *err)
{
    const struct notes *notes = self;
    const char *name = r->words[0];
    json_t *secrets = NULL;
    struct buf value = {0};
    char id[64], message[300];
    int code = secret_value(&value, err);

    if (code < 0)
        return code;
    secrets = json_object();
    code = secrets ? value_set_string(secrets, span_of(name), buf_span(&value)) : ERR_NOMEM;
    prompt_wipe(&value);
    if (code == ERR_INVALID)
        err_set(err, ERR_INVALID, "the secret, or its name, is not UTF-8");
    else if (code < 0)
        err_nomem(err);
    snprintf(message, sizeof message, "Updated secret \"%.200s\"", name);
    if (code == 0) {
        printf("🌀 Creating the secret for the Worker \"%s\"\n", r->name);
        code = change(r, secrets, notes, message, id, err);
    }
    if (code == 0)
        print_next("secret", id, name);
    secrets_wipe(secrets);
    return code;
}

static int secret_put(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "versions secret put NAME",
        .about =
            "Make a version with one more secret, or another value of it, out of the newest one.\n",
        .words = "NAME",
        .check = secret_check_name,
        .options = OPTIONS,
        .take = take,
        .need = REMOTE_WORKER,
    };
    struct notes notes = {0};

    return remote_run(&SPEC, args, &notes, put);
}

static int take_away(struct remote *r, void *self, struct err *err)
{
    const struct notes *notes = self;
    const char *name = r->words[0];
    json_t *secrets;
    char id[64], message[300];
    int code;

    if (!secret_agrees_to_delete(name, r->name))
        return 0;
    secrets = json_pack("{s:n}", name);
    snprintf(message, sizeof message, "Deleted secret \"%.200s\"", name);
    printf("🌀 Deleting the secret %s on the Worker %s\n", name, r->name);
    code = secrets ? change(r, secrets, notes, message, id, err) : err_nomem(err);
    if (code == 0)
        printf("✨ Success! Created version %s with deleted secret %s.\n"
               "➡️  To deploy this version without the secret %s to production traffic use the "
               "command `corral versions deploy %s`.\n",
               id, name, name, id);
    json_decref(secrets);
    return code;
}

static int secret_delete(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "versions secret delete NAME",
        .about = "Make a version without this secret out of the newest one.\n",
        .words = "NAME",
        .check = secret_check_name,
        .options = OPTIONS,
        .take = take,
        .need = REMOTE_WORKER,
    };
    struct notes notes = {0};

    return remote_run(&SPEC, args, &notes, take_away);
}

/* ---- bulk ---- */

static int bulk(struct remote *r, void *self, struct err *err)
{
    const struct notes *notes = self;
    json_t *secrets;
    char id[64], message[64];
    int code;

    printf("🌀 Processing the secrets for the Worker \"%s\"\n", r->name);
    code = secrets_read(r->words[0], &secrets, err);
    if (code < 0)
        return code;
    snprintf(message, sizeof message, "Bulk updated %zu secrets", json_object_size(secrets));
    code = change(r, secrets, notes, message, id, err);
    if (code == 0) {
        secret_print_bulk(secrets);
        snprintf(message, sizeof message, "%zu secrets", json_object_size(secrets));
        print_next(message, id, "");
    }
    secrets_wipe(secrets);
    return code;
}

static int secret_bulk(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "versions secret bulk [FILE]",
        .about = "Make a version with several secrets changed: FILE, or standard input, is JSON\n"
                 "({\"NAME\": \"value\", ...}; null takes one away) or lines of NAME=value.\n",
        .words = "[FILE]",
        .options = OPTIONS,
        .take = take,
        .need = REMOTE_WORKER,
    };
    struct notes notes = {0};

    return remote_run(&SPEC, args, &notes, bulk);
}

/* ---- list ---- */

static int print_version(struct remote *r, const char *id, double percentage, struct err *err)
{
    json_t *version, *binding;
    size_t i;
    int code = history_version(r, id, &version, err);

    if (code < 0)
        return code;
    if (percentage > 0)
        printf("-- Version %s (%g%%) secrets --\n", id, percentage);
    else
        printf("-- Version %s secrets --\n", id);
    json_array_foreach(json_object_get(json_object_get(version, "resources"), "bindings"), i,
                       binding)
    {
        if (strncmp(history_text(binding, "type", NULL), "secret_", 7) != 0)
            continue;
        printf("Secret Name: ");
        clean_print(history_text(binding, "name", NULL));
        printf("\n");
    }
    printf("\n");
    json_decref(version);
    return 0;
}

static int take_latest(void *self, const struct option *option, const char *value, struct err *err)
{
    (void)option, (void)err;
    *(bool *)self = option_is_on(value);
    return 0;
}

static int list(struct remote *r, void *self, struct err *err)
{
    const bool is_latest = *(const bool *)self;
    json_t *all, *share;
    size_t i;
    int code = is_latest ? history_versions(r, &all, err) : history_deployments(r, &all, err);
    json_t *last = code == 0 ? json_array_get(all, json_array_size(all) - 1) : NULL;

    if (code == 0 && !last)
        printf("No version of %s is deployed.\n", r->name);
    if (code == 0 && is_latest && last)
        code = print_version(r, history_text(last, "id", NULL), 0, err);
    json_array_foreach(json_object_get(is_latest ? NULL : last, "versions"), i, share)
    {
        if (code == 0)
            code = print_version(r, history_text(share, "version_id", NULL),
                                 json_number_value(json_object_get(share, "percentage")), err);
    }
    json_decref(all);
    return code;
}

static int secret_list(char **args)
{
    static const struct option LATEST[] = {
        {"--latest-version", NULL, NULL, "of the newest version, deployed or not"}, {0}};
    static const struct remote_spec SPEC = {
        .usage = "versions secret list",
        .about = "Show the names of the secrets of the versions that answer now.\n",
        .options = LATEST,
        .take = take_latest,
        .need = REMOTE_WORKER,
    };
    bool is_latest = false;

    return remote_run(&SPEC, args, &is_latest, list);
}

int versions_secret(char **args)
{
    static const struct command COMMANDS[] = {
        {"put", "put NAME", "make a version with a secret", secret_put},
        {"delete", "delete NAME", "make a version without one", secret_delete},
        {"list", "list", "show the names of those that versions have", secret_list},
        {"bulk", "bulk [FILE]", "make a version with several changed", secret_bulk},
        {0},
    };
    static const struct commands ALL = {"corral versions secret",
                                        "Secrets of a version that does not answer yet.", COMMANDS};

    return commands_run(&ALL, args);
}
