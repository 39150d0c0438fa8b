/* d1_execute.c - `corral d1 execute NAME`: SQL from the command line or a file, and what it gives.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/d1_json.h"
#include "cli/d1_remote.h"
#include "cli/d1_script.h"
#include "cli/d1_table.h"
#include "text/quote.h"

static const struct option OPTIONS[] = {
    {"--command", NULL, "SQL", "run this; several statements with ';' between them"},
    {"--file", NULL, "FILE", "run what is in this file"},
    {"--yes", "-y", NULL, "ask nothing"},
    {"--preview", NULL, NULL, NULL}, /* of wrangler: with --remote only */
    {0},
};

struct execute {
    const char *command, *file;
    bool is_preview;
    struct d1 d1;
    struct database database;
};

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    struct execute *x = self;

    (void)err;
    if (strcmp(option->name, "--command") == 0)
        x->command = value;
    else if (strcmp(option->name, "--file") == 0)
        x->file = value;
    else if (strcmp(option->name, "--preview") == 0)
        x->is_preview = option_is_on(value);
    return 0;
}

static int check_options(const struct execute *x, struct err *err)
{
    if (x->file && x->command)
        return err_set(err, ERR_INVALID, "can't provide both --command and --file");
    if (!x->file && (!x->command || !x->command[0]))
        return err_set(err, ERR_INVALID, "must provide --command or --file");
    if (x->is_preview && !x->d1.is_remote)
        return err_set(err, ERR_INVALID, "can't use --preview without --remote");
    return 0;
}

/* ---- output ---- */

static int print(const struct execute *x, struct records *records, struct err *err)
{
    int r;

    if (!x->d1.is_json)
        d1_tell_count(records);
    if (x->d1.is_json || !isatty(STDOUT_FILENO))
        r = d1_json_print(records, stdout, err);
    else
        r = d1_table_print(records, table_look(), stdout, err);
    if (r == 0 && (fflush(stdout) == EOF || ferror(stdout)))
        r = err_errno(err, errno, "it was done, but the result could not be written");
    return r;
}

/* On stdout, for programs: D1's own words, and where. */
static int print_error(const struct records *records, const struct err *err)
{
    const struct row_error *e = &records->error;
    bool is_d1 = records->state == RECORDS_FAILED;
    struct buf out = {0};
    int r = quote_json(&out, is_d1 ? e->text : span_of(err->text));

    if (r == 0 && is_d1 && e->statement != UINT32_MAX)
        r = buf_print(&out, ",\n    \"statement\": %u,\n    \"line\": %u", e->statement + 1,
                      e->line);
    if (r == 0 && err->hint[0]) {
        r = buf_print(&out, ",\n    \"notes\": [\n      {\n        \"text\": ");
        r = r < 0 ? r : quote_json(&out, span_of(err->hint));
        r = r < 0 ? r : buf_print(&out, "\n      }\n    ]");
    }
    if (r == 0)
        printf("{\n  \"error\": {\n    \"text\": %.*s\n  }\n}\n", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    return 1;
}

/* ---- the command ---- */

/* What a node answers to --command, as it says it. */
static int print_answer(struct execute *x, struct client *client, struct err *err)
{
    struct client_answer answer = {0};
    json_t *body = json_pack("{s:s}", "sql", x->command);
    int r = body ? d1_remote_ask(client, &x->database, "query", body, &answer, err)
                 : err_set(err, ERR_INVALID, "the SQL is not UTF-8");

    if (r == 0)
        r = cli_print_json(json_incref(answer.result), err);
    client_answer_done(&answer);
    json_decref(body);
    return r;
}

static int ask_node(struct execute *x, struct client *client, struct records *records,
                    struct err *err)
{
    int r = d1_remote_find(&x->d1, client, x->d1.words[0], x->is_preview, &x->database, err);

    if (r < 0)
        return r;
    if (!x->d1.is_json) {
        d1_remote_place();
        printf("🌀 Executing on remote database %s (%s):\n", x->d1.words[0], x->database.uuid);
        fflush(stdout);
    }
    if (x->file)
        return d1_remote_import(&x->d1, client, &x->database, x->file, err);
    if (x->d1.is_json)
        return print_answer(x, client, err);
    r = d1_remote_run(client, &x->database, span_of(x->command), records, err);
    return r < 0 ? r : print(x, records, err);
}

static int run_remote(struct execute *x, struct records *records, struct err *err)
{
    struct d1_script script = {.file = -1};
    struct client *client = NULL;
    int r = check_options(x, err);

    if (r == 0 && x->file) { /* is it SQL? */
        r = d1_script_open(x->file, &script, err);
        if (script.file >= 0)
            close(script.file);
    }
    r = r < 0 ? r : d1_remote_open(&x->d1, &client, err);
    r = r < 0 ? r : ask_node(x, client, records, err);
    client_close(client);
    return r;
}

static int run(struct execute *x, struct records *records, struct err *err)
{
    struct d1_script script = {
        .file = -1, .file_bytes = -1, .shows_progress = !x->d1.is_json && isatty(STDERR_FILENO)};
    struct d1_caller *caller = NULL;
    int r = check_options(x, err);

    if (r == 0 && x->file)
        r = d1_script_open(x->file, &script, err);
    else if (r == 0)
        script.text = span_of(x->command);
    if (r == 0)
        r = d1_use(&x->d1, x->d1.words[0], &x->database, err);
    if (r == 0)
        r = d1_caller_open(&caller, err);
    if (r < 0)
        goto done;
    script.folder = x->database.folder;
    if (!x->d1.is_json) {
        printf("Resource location: local\n\n");
        d1_announce(&x->d1, &x->database);
    }
    r = d1_script_run(caller, &script, records, err);
done:
    d1_caller_close(caller);
    if (script.file >= 0)
        close(script.file);
    return r;
}

int d1_execute(char **args)
{
    static const struct d1_spec SPEC = {
        .usage = "execute NAME (--command SQL | --file FILE)",
        .about =
            "Run SQL on a database: all of it, or nothing when a statement is wrong.  NAME: its\n"
            "name, its binding or its uuid.  On a terminal results are tables, else JSON.\n",
        .words = {"NAME"},
        .options = OPTIONS,
        .take = take,
        .has_json = true,
    };
    struct execute x = {0};
    struct records records = {0};
    struct err err = {0};
    int code = d1_begin(&SPEC, args, &x, &x.d1), r;

    if (code != D1_GO)
        return code;
    r = x.d1.is_remote ? run_remote(&x, &records, &err) : run(&x, &records, &err);
    if (r == 0 && x.d1.is_remote)
        code = 0;
    else if (r == 0) /* what fails from here on, fails because of stdout */
        code = print(&x, &records, &err) == 0 ? 0 : d1_fail(&err);
    else if (x.d1.is_json && !d1_caller_interrupted())
        code = print_error(&records, &err);
    else
        code = d1_fail(&err);
    records_done(&records);
    database_done(&x.database);
    d1_end(&x.d1);
    return code;
}
