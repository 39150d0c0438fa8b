/* versions_deploy.c - `corral versions deploy [VERSION@PERCENT...]`: let one or two versions
 * answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "catalog/database.h"
#include "cli/clean.h"
#include "cli/cli.h"
#include "cli/history.h"
#include "cli/prompt.h"
#include "cli/remote.h"
#include "cli/versions.h"

enum { CHOSEN_MAX = 2 }; /* as a node takes them */

static const struct option OPTIONS[] = {
    {"--version-id", NULL, "VERSION", "as VERSION behind the command; may be repeated"},
    {"--version-tag", NULL, "TAG", "the newest version with this tag; may be repeated"},
    {"--percentage", NULL, "PERCENT", "of the first version, the second one ..."},
    {"--message", "-m", "TEXT", "what this deployment is"},
    {"--yes", "-y", NULL, "ask nothing"},
    {"--dry-run", NULL, NULL, "say what would be deployed"},
    {"--max-versions", NULL, "NUMBER", NULL},
    {0},
};

struct choice {
    struct chosen {
        char *id;          /* or a tag that is to be looked up */
        double percentage; /* below 0: a part of what the others leave */
        bool is_tag;
    } items[CHOSEN_MAX];
    size_t count;
    double percentages[CHOSEN_MAX];
    size_t percentage_count;
    const char *message;
    bool asks_nothing, is_dry;
};

static int read_percentage(const char *text, double *ret, struct err *err)
{
    char *end;

    *ret = strtod(text, &end);
    if (end == text || (*end && strcmp(end, "%") != 0) || !(*ret >= 0 && *ret <= 100))
        return err_set(err, ERR_INVALID, "'%.40s' is not a percentage from 0 to 100", text);
    return 0;
}

/* VERSION, VERSION@PERCENT; of a tag only what is behind its last '@' and a number is the
 * percentage. */
static int add_choice(struct choice *c, const char *text, bool is_tag, struct err *err)
{
    const char *at = strrchr(text, '@');
    size_t len = at ? (size_t)(at - text) : strlen(text);
    struct chosen *one;

    if (is_tag && at && at[1 + strspn(at + 1, "0123456789.%")])
        at = NULL, len = strlen(text);
    if (c->count == CHOSEN_MAX)
        return err_set(err, ERR_LIMIT, "at most %d versions can answer at a time", CHOSEN_MAX);
    one = &c->items[c->count];
    *one = (struct chosen){mem_copy(text, len), -1, is_tag};
    if (!one->id)
        return err_nomem(err);
    c->count++;
    return at ? read_percentage(at + 1, &one->percentage, err) : 0;
}

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct choice *c = self;

    if (strcmp(option->name, "--version-id") == 0)
        return add_choice(c, value, false, err);
    if (strcmp(option->name, "--version-tag") == 0)
        return add_choice(c, value, true, err);
    if (strcmp(option->name, "--percentage") == 0) {
        if (c->percentage_count == CHOSEN_MAX)
            return err_set(err, ERR_LIMIT, "at most %d times --percentage", CHOSEN_MAX);
        return read_percentage(value, &c->percentages[c->percentage_count++], err);
    }
    if (strcmp(option->name, "--message") == 0)
        c->message = value;
    if (strcmp(option->name, "--yes") == 0)
        c->asks_nothing = option_is_on(value);
    if (strcmp(option->name, "--dry-run") == 0)
        c->is_dry = option_is_on(value);
    return 0;
}

/* ---- which, and how much ---- */

/* Tags to ids: the newest version that has it. */
static int resolve_tags(struct remote *r, struct choice *c, struct err *err)
{
    json_t *all = NULL, *version;
    size_t at;
    int code = 0;

    for (size_t i = 0; i < c->count && code == 0; i++) {
        const char *id = NULL;
        if (!c->items[i].is_tag)
            continue;
        if (!all)
            code = history_all_versions(r, &all, err);
        json_array_foreach(all, at,
                           version) if (strcmp(history_text(version, "annotations", "workers/tag"),
                                               c->items[i].id) == 0) id =
            history_text(version, "id", NULL);
        if (code == 0 && !id)
            code = err_set(err, ERR_NOT_FOUND, "no version of '%s' has the tag '%s'", r->name,
                           c->items[i].id);
        if (code == 0) {
            mem_free(c->items[i].id);
            c->items[i].id = mem_strdup(id);
            code = c->items[i].id ? 0 : err_nomem(err);
        }
    }
    json_decref(all);
    return code;
}

/* On the terminal: numbers of what is shown, or ids. */
static int ask(struct remote *r, struct choice *c, struct err *err)
{
    struct buf typed = {0};
    char *text, *saved, *word;
    json_t *all;
    size_t count;
    int code;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        err_set(err, ERR_INVALID, "which versions are to answer? There is no terminal to ask on");
        return err_hint(err, "Name them: corral versions deploy VERSION@100%%; `corral versions "
                             "list` shows them.");
    }
    code = history_versions(r, &all, err);
    count = json_array_size(all);
    for (size_t i = 0; code == 0 && i < count; i++) {
        json_t *v = json_array_get(all, count - 1 - i);
        const char *tag = history_text(v, "annotations", "workers/tag");
        const char *message = history_text(v, "annotations", "workers/message");
        printf("%3zu  %s  %.19s  ", i + 1, history_text(v, "id", NULL),
               history_text(v, "metadata", "created_on"));
        clean_print(tag);
        printf("%s", tag[0] && message[0] ? "  " : "");
        clean_print(message);
        printf("\n");
    }
    if (code == 0)
        code = prompt_text("Which version(s) do you want to deploy? One or two numbers, each with "
                           "@PERCENT if you like:",
                           "1", &typed, err);
    text = code == 0 ? buf_detach(&typed) : NULL;
    if (code == 0 && !text)
        code = err_nomem(err);
    for (word = text ? strtok_r(text, " ,", &saved) : NULL; word && code == 0;
         word = strtok_r(NULL, " ,", &saved)) {
        char *end;
        unsigned long n = strtoul(word, &end, 10);
        if ((*end && *end != '@') || end - word > 3) {
            code = add_choice(c, word, false, err);
        } else if (n < 1 || n > count) {
            code = err_set(err, ERR_INVALID, "there is no number %.20s in the list", word);
        } else {
            char spec[128];
            snprintf(spec, sizeof spec, "%.64s%.32s",
                     history_text(json_array_get(all, count - n), "id", NULL), end);
            code = add_choice(c, spec, false, err);
        }
    }
    buf_done(&typed);
    mem_free(text);
    json_decref(all);
    return code;
}

/* What was not said is shared out; all of it together is 100. */
static int share_out(struct choice *c, struct err *err)
{
    double sum = 0;
    size_t open = 0;

    if (c->percentage_count > c->count)
        return err_set(err, ERR_INVALID, "there are more --percentage than versions");
    for (size_t i = 0; i < c->count; i++) {
        for (size_t j = 0; j < i; j++)
            if (strcmp(c->items[i].id, c->items[j].id) == 0)
                return err_set(err, ERR_INVALID, "version %s stands there twice", c->items[i].id);
        if (c->items[i].percentage < 0 && i < c->percentage_count)
            c->items[i].percentage = c->percentages[i];
        if (c->items[i].percentage < 0)
            open++;
        else
            sum += c->items[i].percentage;
    }
    for (size_t i = 0; i < c->count; i++)
        if (c->items[i].percentage < 0)
            c->items[i].percentage = (100 - sum) / (double)open;
    if (sum > 100.001 || (open == 0 && sum < 99.999)) {
        err_set(err, ERR_INVALID, "the percentages add up to %g, not to 100", sum);
        return err_hint(err, c->count > 1 ? "Leave one out: it gets the rest."
                                          : "Name the version that gets the rest as well.");
    }
    return 0;
}

/* ---- deploy ---- */

static int check_ids(const struct choice *c, struct err *err)
{
    for (size_t i = 0; i < c->count; i++) {
        if (!c->items[i].is_tag && !database_is_uuid(c->items[i].id)) {
            err_set(err, ERR_INVALID, "'%.64s' is not the id of a version", c->items[i].id);
            return err_hint(err, "`corral versions list` shows them: VERSION@PERCENT.");
        }
    }
    return 0;
}

static int switch_to(struct remote *r, const struct choice *c, struct err *err)
{
    struct history_share shares[CHOSEN_MAX];
    int64_t begun = clock_now_ms();
    json_t *annotations = json_pack("{s:s}", "workers/message", c->message ? c->message : "");
    int code;

    if (!annotations)
        return err_nomem(err);
    for (size_t i = 0; i < c->count; i++)
        shares[i] = (struct history_share){c->items[i].id, c->items[i].percentage};
    code = history_deploy(r, shares, c->count, annotations, err);
    if (code < 0)
        return code;
    printf("Deployed %s ", r->name);
    for (size_t i = 0; i < c->count; i++)
        printf("%sversion %s at %g%%", i ? " and " : "", c->items[i].id, c->items[i].percentage);
    printf(" (%.2f sec)\n", (double)(clock_now_ms() - begun) / 1000);
    return 0;
}

static int deploy(struct remote *r, struct choice *c, struct err *err)
{
    bool is_asked;
    int code = 0;

    for (size_t i = 0; i < r->word_count && code == 0; i++)
        code = add_choice(c, r->words[i], false, err);
    is_asked = c->count == 0;
    if (code == 0)
        code = history_print_current(r, err);
    if (code == 0)
        code = is_asked ? ask(r, c, err) : 0;
    if (code == 0)
        code = check_ids(c, err);
    if (code == 0)
        code = resolve_tags(r, c, err);
    if (code == 0)
        code = share_out(c, err);
    for (size_t i = 0; i < c->count && code == 0 && (is_asked || c->is_dry); i++)
        printf("%g%% of the requests: version %s\n", c->items[i].percentage, c->items[i].id);
    if (code == 0 && c->is_dry)
        printf("--dry-run: exiting now.\n");
    else if (code == 0 && (!is_asked || c->asks_nothing || prompt_agrees("Deploy this?")))
        code = switch_to(r, c, err);
    return code;
}

int versions_deploy(char **args)
{
    static const struct remote_spec SPEC = {
        .usage = "versions deploy [VERSION@PERCENT...]",
        .about = "Let one version answer, or two that share the requests. Without a version it is\n"
                 "asked for; a percentage that is left out is what the other one leaves.\n",
        .words = "[VERSION@PERCENT...]",
        .options = OPTIONS,
        .take = take,
        .need = REMOTE_WORKER,
    };
    struct choice c = {0};
    struct err err = {0};
    struct remote r;
    int code = remote_begin(&SPEC, args, &c, &r);

    if (code == REMOTE_GO)
        code = remote_end(&r, deploy(&r, &c, &err), &err);
    for (size_t i = 0; i < c.count; i++)
        mem_free(c.items[i].id);
    return code;
}
