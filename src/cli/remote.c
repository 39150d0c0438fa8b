/* remote.c - see remote.h. */
#include "cli/remote.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "text/nearest.h"
#include "text/value.h"

static const struct option SHARED[] = {
    {"--config", "-c", "FILE", "use this configuration file"},
    {"--cwd", NULL, "FOLDER", "as if started in this folder"},
    {"--help", "-h", NULL, "show this"},
    {"--env-file", NULL, "FILE", NULL}, /* of wrangler: what is in there stays here */
    {"--env", "-e", "NAME", "use [env.NAME] of the configuration"},
    {"--name", NULL, "NAME", "name of the worker (the configuration's)"},
    {"--json", NULL, NULL, "write JSON"}, /* the last: only where there is something to write */
};

enum { SHARED_COUNT = sizeof SHARED / sizeof *SHARED, OWN_MAX = 64 };
enum { CODE_NO_SCRIPT = 10007, CODE_NO_SERVICE = 10090 };

/* ---- the command line ---- */

struct walk {
    const struct remote_spec *spec;
    void *self;
    struct remote *r;
    const char *cwd;
    const struct option *list; /* whose values may go on, or NULL */
};

static bool is_list(const struct remote_spec *spec, const char *name)
{
    for (const char *const *at = spec->lists; at && *at; at++)
        if (strcmp(*at, name) == 0)
            return true;
    return false;
}

/* How many words it takes at least and at most. */
static void count_words(const char *words, size_t *ret_least, size_t *ret_most)
{
    *ret_least = *ret_most = 0;
    for (const char *at = words; at && *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        *ret_least += *at != '[';
        *ret_most += 1;
        if (len > 4 && memcmp(at + len - 4, "...]", 4) == 0)
            *ret_most = REMOTE_WORDS_MAX;
        at += len;
    }
}

static int take_word(struct walk *w, const char *word, struct err *err)
{
    size_t least, most;

    count_words(w->spec->words, &least, &most);
    /* A project that is there is no more value of the list before it. */
    if (w->list && w->r->word_count >= least &&
        (w->r->word_count == most || w->spec->need != REMOTE_UPLOAD || access(word, F_OK) < 0))
        return w->spec->take(w->self, w->list, word, err);
    w->list = NULL;
    if (w->r->word_count == most) {
        err_set(err, ERR_INVALID, "'%.64s' is too much: corral %s", word, w->spec->usage);
        return err_hint(err, "What has spaces in it needs quotes.");
    }
    if (!word[0])
        return err_set(err, ERR_INVALID, "an empty word: corral %s", w->spec->usage);
    w->r->words[w->r->word_count++] = word;
    return 0;
}

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct walk *w = self;
    struct remote *r = w->r;
    const struct {
        const char *name;
        const char **to;
    } TEXTS[] = {{"--env", &r->options.env},
                 {"--config", &r->options.config},
                 {"--cwd", &w->cwd},
                 {"--name", &r->options.name}};

    if (!option)
        return take_word(w, value, err);
    w->list = is_list(w->spec, option->name) ? option : NULL;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (strcmp(option->name, TEXTS[i].name) == 0) {
            *TEXTS[i].to = value;
            return 0;
        }
    }
    if (strcmp(option->name, "--json") == 0) {
        r->is_json = option_is_on(value);
        return 0;
    }
    if (strcmp(option->name, "--help") == 0 || strcmp(option->name, "--env-file") == 0)
        return 0;
    return w->spec->take(w->self, option, value, err);
}

/* The command's own options, then those of all. */
static size_t join_options(const struct remote_spec *spec, struct option *table)
{
    size_t own = 0, shared = 0;

    while (spec->options && spec->options[own].name && own < OWN_MAX) {
        table[own] = spec->options[own];
        own++;
    }
    for (size_t i = 0; i < SHARED_COUNT; i++) {
        bool is_worker = strcmp(SHARED[i].name, "--name") == 0;
        bool is_json = strcmp(SHARED[i].name, "--json") == 0;
        bool is_file =
            strcmp(SHARED[i].name, "--config") == 0 || strcmp(SHARED[i].name, "--env") == 0;
        if ((is_worker && spec->need == REMOTE_NODE) || (is_json && !spec->has_json))
            continue;
        table[own + shared] = SHARED[i];
        if (is_file && spec->need == REMOTE_NODE)
            table[own + shared].help = NULL; /* wrangler takes them; nothing reads the file */
        shared++;
    }
    return own + shared;
}

static bool wants_help(char **args)
{
    for (char **at = args; *at && strcmp(*at, "--") != 0; at++)
        if (strcmp(*at, "--help") == 0 || strcmp(*at, "-h") == 0)
            return true;
    return false;
}

static int parse(struct walk *w, char **args, struct err *err)
{
    struct option table[OWN_MAX + SHARED_COUNT + 1] = {0};
    size_t count = join_options(w->spec, table), least, most;
    int r;

    if (wants_help(args)) {
        printf("Usage: corral %s [options]\n\n%s\n", w->spec->usage, w->spec->about);
        option_print(table, count);
        return 1;
    }
    r = option_parse(table, args, take, w, err);
    if (r < 0)
        return r;
    count_words(w->spec->words, &least, &most);
    if (w->r->word_count < least)
        return err_set(err, ERR_INVALID, "%.*s is missing: corral %s",
                       (int)strcspn(w->spec->words, " "), w->spec->words, w->spec->usage);
    if (w->spec->check && w->spec->check(w->r, err) < 0)
        return err->code;
    if (w->cwd && w->cwd[0] && chdir(w->cwd) < 0)
        return err_errno(err, errno, "--cwd '%s'", w->cwd);
    return 0;
}

int remote_parse(const struct remote_spec *spec, char **args, void *self, struct remote *ret)
{
    struct walk w = {.spec = spec, .self = self, .r = ret};
    struct err err = {0};
    int r;

    *ret = (struct remote){.spec = spec};
    r = parse(&w, args, &err);
    if (r < 0)
        return cli_fail(&err, 2);
    return r == 0 ? REMOTE_GO : 0;
}

/* ---- the project ---- */

static int find_name(struct remote *r, struct err *err)
{
    if (r->options.name || r->project.config[0]) {
        r->name = r->project.name;
        return 0;
    }
    err_set(err, ERR_NOT_FOUND, "which worker is meant? There is no configuration in '%s'",
            r->project.folder);
    return err_hint(err, "Give its name with --name, or go to its project.");
}

static void say_line(void *self, const char *line)
{
    (void)self;
    printf("%s\n", line);
    fflush(stdout);
}

int remote_load(struct remote *r, struct err *err)
{
    struct diagnostics said = {0};
    struct buf text = {0};
    int code;

    value_init();
    r->options.scope = r->spec->need == REMOTE_UPLOAD ? PROJECT_UPLOAD : PROJECT_STATE;
    r->options.worker_program = r->worker_program;
    r->options.runs_build = r->spec->need == REMOTE_UPLOAD;
    r->options.say = say_line;
    code = node_find_worker(r->worker_program, err);
    if (code < 0)
        return code;
    code = project_load(&r->options, &r->project, &said, err);
    /* Of a project that is not sent, warnings are nobody's business here. */
    if ((said.errors > 0 || r->spec->need == REMOTE_UPLOAD) && diagnostics_print(&said, &text) == 0)
        fprintf(stderr, "%.*s", SPAN_ARG(buf_span(&text)));
    if (code < 0 && said.errors > 0)
        err->text[0] = '\0';
    buf_done(&text);
    diagnostics_done(&said);
    return code < 0 ? code : find_name(r, err);
}

int remote_connect(struct remote *r, struct err *err)
{
    return client_open(r->project.deploy.account_id, &r->client, err);
}

int remote_begin(const struct remote_spec *spec, char **args, void *self, struct remote *ret)
{
    struct err err = {0};
    int code = remote_parse(spec, args, self, ret), r = 0;

    if (code != REMOTE_GO)
        return code;
    if (spec->need != REMOTE_NODE)
        r = remote_load(ret, &err);
    if (r == 0)
        r = remote_connect(ret, &err);
    return r == 0 ? REMOTE_GO : remote_end(ret, r, &err);
}

int remote_run(const struct remote_spec *spec, char **args, void *self,
               int (*run)(struct remote *r, void *self, struct err *err))
{
    struct err err = {0};
    struct remote r;
    int code = remote_begin(spec, args, self, &r);

    return code == REMOTE_GO ? remote_end(&r, run(&r, self, &err), &err) : code;
}

int remote_end(struct remote *r, int result, const struct err *err)
{
    int code = result < 0 ? 1 : 0;

    fflush(stdout);
    if (code && err->text[0])
        client_fail(r->client, err);
    client_close(r->client);
    project_done(&r->project);
    return code;
}

/* ---- requests ---- */

int remote_ask(struct remote *r, const struct client_request *request, struct client_answer *ret,
               struct err *err, const char *fmt, ...)
{
    struct client_request with = *request;
    char *rest = NULL, *path = NULL;
    va_list args;
    int code, n;

    *ret = (struct client_answer){0};
    va_start(args, fmt);
    n = vasprintf(&rest, fmt, args);
    va_end(args);
    if (n < 0)
        return err_nomem(err);
    code = client_path(r->client, &path, err, "/workers%s", rest);
    free(rest);
    if (code < 0)
        return code;
    with.path = path;
    code = client_ask(r->client, &with, ret, err);
    mem_free(path);
    return code;
}

bool remote_is_unknown(const struct client_answer *answer)
{
    return answer->code == CODE_NO_SCRIPT || answer->code == CODE_NO_SERVICE;
}

int remote_explain(const struct remote *r, const struct client_answer *answer, struct err *err)
{
    if (!remote_is_unknown(answer))
        return err->code;
    err_set(err, ERR_NOT_FOUND, "there is no worker '%s' on %s", r->name,
            client_credentials(r->client)->api);
    return err_hint(err, "`corral deploy` makes it. Is the name right, and the account? `corral "
                         "whoami` shows the account.");
}
