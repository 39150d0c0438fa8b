/* rollback.c - `corral rollback [VERSION]`: let an earlier version answer again. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/history.h"
#include "cli/prompt.h"
#include "cli/remote.h"

static const struct option OPTIONS[] = {
    {"--message", "-m", "TEXT", "why, for `corral deployments list`"},
    {"--yes", "-y", NULL, "ask nothing"},
    {"--version-id", NULL, "VERSION", NULL},
    {0},
};

struct rollback {
    const char *message, *version;
    bool asks_nothing;
};

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct rollback *b = self;

    (void)err;
    if (strcmp(option->name, "--message") == 0)
        b->message = value;
    else if (strcmp(option->name, "--version-id") == 0)
        b->version = value;
    else
        b->asks_nothing = option_is_on(value);
    return 0;
}

/* The newest version that was deployed alone, before the deployment that counts. */
static int find_stable(struct remote *r, char **ret, struct err *err)
{
    json_t *all;
    size_t i;
    int code = history_all_deployments(r, &all, err);

    *ret = NULL;
    for (i = json_array_size(all); code == 0 && !*ret && i-- > 0;) {
        json_t *shares = json_object_get(json_array_get(all, i), "versions");
        if (i + 1 == json_array_size(all) || json_array_size(shares) != 1)
            continue;
        *ret = mem_strdup(history_text(json_array_get(shares, 0), "version_id", NULL));
        if (!*ret)
            code = err_nomem(err);
    }
    json_decref(all);
    if (code == 0 && !*ret) {
        code =
            err_set(err, ERR_NOT_FOUND, "'%s' has no earlier version that answered alone", r->name);
        err_hint(err, "Name one: `corral versions list` shows them.");
    }
    return code;
}

static int describe(struct remote *r, const char *id, struct err *err)
{
    json_t *version, *deployment = NULL;
    struct buf out = {0};
    int code = history_version(r, id, &version, err);

    json_decref(version);
    printf("You are about to rollback to Worker Version %s.\n"
           "This will immediately replace the current deployment.\n"
           "What is in databases and other resources stays as it is.\n\n",
           id);
    if (code == 0) {
        deployment = json_pack("{s:[{s:s, s:i}]}", "versions", "version_id", id, "percentage", 100);
        code = deployment ? history_put_split(r, deployment, &out, err) : err_nomem(err);
    }
    if (code == 0)
        printf("%.*s\n", SPAN_ARG(buf_span(&out)));
    json_decref(deployment);
    buf_done(&out);
    return code;
}

static int switch_to(struct remote *r, const char *id, const char *message, struct err *err)
{
    const struct history_share share = {id, 100};
    json_t *annotations = json_pack("{s:s}", "workers/message", message);
    int code;

    if (!annotations)
        return err_nomem(err);
    printf("Performing rollback...\n");
    fflush(stdout);
    code = history_deploy(r, &share, 1, annotations, err);
    if (code == 0)
        printf("Worker Version %s has been deployed to 100%% of traffic.\n\n"
               "Current Version ID: %s\n",
               id, id);
    return code;
}

static int rollback(struct remote *r, void *self, struct err *err)
{
    const struct rollback *b = self;
    const char *wanted = r->words[0] ? r->words[0] : b->version;
    char *id = wanted ? mem_strdup(wanted) : NULL, *message = NULL;
    struct buf typed = {0};
    int code = history_print_current(r, err);

    if (code == 0 && !id)
        code = wanted ? err_nomem(err) : find_stable(r, &id, err);
    if (code == 0)
        code = describe(r, id, err);
    if (code == 0 && !b->message && !b->asks_nothing)
        code = prompt_text("Please provide an optional message for this rollback:", "Rollback",
                           &typed, err);
    else if (code == 0)
        code = buf_print(&typed, "%s", b->message ? b->message : "Rollback");
    if (code == 0) {
        message = buf_detach(&typed);
        code = message ? 0 : err_nomem(err);
    }
    if (code == 0 &&
        (b->asks_nothing ||
         prompt_agrees("Are you sure you want to deploy this Worker Version to 100% of traffic?")))
        code = switch_to(r, id, message, err);
    else if (code == 0)
        printf("Aborting rollback...\n");
    buf_done(&typed);
    mem_free(message);
    mem_free(id);
    return code;
}

int rollback_command(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "rollback [VERSION]",
        .about =
            "Let an earlier version of a worker answer again: VERSION, or the one that answered\n"
            "before the current deployment.\n",
        .words = "[VERSION]",
        .options = OPTIONS,
        .take = take,
        .need = REMOTE_WORKER,
    };
    struct rollback b = {0};

    return remote_run(&SPEC, args, &b, rollback);
}
