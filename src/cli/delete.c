/* delete.c - `corral delete [NAME]`: take a worker off its node. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/prompt.h"
#include "cli/remote.h"

static const struct option OPTIONS[] = {
    {"--force", NULL, NULL, "ask nothing"},
    {"--yes", "-y", NULL, NULL},
    {"--dry-run", NULL, NULL, "say what would be deleted"},
    {0},
};

struct delete
{
    bool is_forced, is_dry;
};

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct delete *d = self;

    (void)err;
    if (strcmp(option->name, "--dry-run") == 0)
        d->is_dry = option_is_on(value);
    else
        d->is_forced = option_is_on(value);
    return 0;
}

static int take_off(struct remote *r, const struct delete *d, struct err *err)
{
    struct client_answer answer;
    bool is_sure = true;
    char question[400];
    int code;

    snprintf(question, sizeof question,
             "Are you sure you want to delete %.200s? Its versions and secrets go with it; this "
             "cannot be undone.",
             r->name);
    if (d->is_dry) {
        printf("%s would be deleted.\n--dry-run: exiting now.\n", r->name);
        return 0;
    }
    if (!d->is_forced && prompt_confirm(question, "--force", &is_sure, err) < 0)
        return err->code;
    if (!is_sure)
        return 0;
    code = remote_ask(r, &(struct client_request){.method = "DELETE"}, &answer, err,
                      "/services/%s?force=true", r->name);
    if (code < 0)
        code = remote_explain(r, &answer, err);
    else
        printf("Successfully deleted %s\n", r->name);
    client_answer_done(&answer);
    return code;
}

int delete_command(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "delete [NAME]",
        .about =
            "Take a worker off its node, with its versions, secrets, routes and schedules. Its\n"
            "databases stay.\n",
        .words = "[NAME]",
        .options = OPTIONS,
        .take = take,
        .need = REMOTE_WORKER,
    };
    struct delete d = {0};
    struct err err = {0};
    struct remote r;
    int code = remote_parse(&SPEC, args, &d, &r);

    if (code != REMOTE_GO)
        return code;
    if (r.words[0])
        r.options.name = r.words[0];
    code = remote_load(&r, &err);
    if (code == 0 && !d.is_dry)
        code = remote_connect(&r, &err);
    return remote_end(&r, code < 0 ? code : take_off(&r, &d, &err), &err);
}
