/* d1_delete.c - `corral d1 delete NAME`: ask, then delete a database for good. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/d1_remote.h"
#include "cli/process.h"
#include "cli/prompt.h"
#include "cli/table.h"

static const struct option OPTIONS[] = {
    {"--skip-confirmation", "-y", NULL, "do not ask"},
    {0},
};

static int take(void *self, const struct option *option, const char *value, struct err *err)
{
    bool *is_sure = self;

    (void)option, (void)err;
    *is_sure = option_is_on(value);
    return 0;
}

/* Say who has it open, as far as the system lets us see. */
static void name_holder(const struct database *d, struct err *err)
{
    struct buf path = {0};
    char name[64], parent_name[64];
    pid_t pid = -1, parent;

    if (buf_print(&path, "%s/lock", d->folder) == 0 && buf_append(&path, "", 1) == 0)
        pid = process_that_locks(buf_data(&path));
    buf_done(&path);
    err_hint(err, "Stop what uses it first, such as `corral dev`.");
    if (pid < 0)
        return;
    process_name(pid, name, sizeof name);
    err_set(err, ERR_LIMIT, "the database '%s' is in use by %s (process %d)", d->name, name,
            (int)pid);
    parent = process_parent(pid);
    process_name(parent, parent_name, sizeof parent_name);
    if (strcmp(parent_name, "corral") != 0) {
        err_hint(err, "Stop it first.");
        return;
    }
    process_command(parent, parent_name, sizeof parent_name);
    err_hint(err, "Stop `%s` (process %d) first.", parent_name, (int)parent);
}

static int confirm(const struct database *d, bool *ret_is_sure, struct err *err)
{
    char question[512], size[32], tables[32] = "";
    struct d1_facts facts;
    struct err ignored;

    table_bytes((double)d->size_bytes, size);
    if (isatty(STDIN_FILENO) && d1_ask(d, &facts, &ignored) == 0)
        snprintf(tables, sizeof tables, ", %" PRId64 " table%s", facts.tables,
                 facts.tables == 1 ? "" : "s");
    snprintf(question, sizeof question,
             "About to delete the database '%s' (%s) with all that is in it: %s%s.\n"
             "This cannot be undone. Ok to proceed?",
             d->name, d->uuid, size, tables);
    return prompt_confirm(question, "-y", ret_is_sure, err);
}

static int delete_remote(const struct d1 *d1, bool is_sure, struct err *err)
{
    struct client_answer answer = {0};
    struct client *client = NULL;
    struct database d = {0};
    char *path = NULL, question[512];
    int r = d1_remote_open(d1, &client, err);

    r = r < 0 ? r : d1_remote_find(d1, client, d1->words[0], false, &d, err);
    r = r < 0 ? r : client_path(client, &path, err, "/d1/database/%s", d.uuid);
    if (r == 0 && !is_sure) {
        snprintf(question, sizeof question,
                 "About to delete the database '%s' (%s) of the node with all that is in it.\n"
                 "This cannot be undone. Ok to proceed?",
                 d.name, d.uuid);
        r = prompt_confirm(question, "-y", &is_sure, err);
    }
    if (r == 0 && is_sure)
        r = client_ask(client, &(struct client_request){.method = "DELETE", .path = path}, &answer,
                       err);
    if (r == 0)
        printf(is_sure ? "Deleted '%s' successfully.\n" : "Not deleting.\n", d.name);
    client_answer_done(&answer);
    client_close(client);
    database_done(&d);
    mem_free(path);
    return r;
}

int d1_delete(char **args)
{
    static const struct d1_spec SPEC = {
        .usage = "delete NAME",
        .about =
            "Delete a database with all that is in it.  NAME: its name, its binding or its uuid.\n"
            "Refused while somebody has it open.\n",
        .words = {"NAME"},
        .options = OPTIONS,
        .take = take,
    };
    struct err err = {0};
    bool is_sure = false;
    struct database d;
    struct d1 d1;
    int code = d1_begin(&SPEC, args, &is_sure, &d1), r;

    if (code != D1_GO)
        return code;
    if (d1.is_remote) {
        r = delete_remote(&d1, is_sure, &err);
        goto done;
    }
    r = d1_find(&d1, d1.words[0], &d, &err);
    if (r < 0)
        goto done;
    if (!is_sure)
        r = confirm(&d, &is_sure, &err);
    if (r == 0 && !is_sure) {
        printf("Not deleting.\n");
    } else if (r == 0) {
        r = database_delete(d1.project.data_folder, d.name, &err);
        if (r == ERR_LIMIT)
            name_holder(&d, &err);
        if (r == 0)
            printf("Deleted '%s' successfully.\n", d.name);
    }
    database_done(&d);
done:
    d1_end(&d1);
    return r < 0 ? cli_fail(&err, 1) : 0;
}
