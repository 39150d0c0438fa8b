/* d1_list.c - `corral d1 list`: the databases of this machine, or of this project's folder. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/d1_remote.h"
#include "cli/table.h"

enum { COLUMNS = 5 };

static const char *const HEAD[COLUMNS] = {"uuid", "name", "binding", "created_at", "file_size"};

/* env.X of the database, or NULL. */
static const char *binding_of(const struct project *p, const char *name)
{
    for (size_t i = 0; i < p->database_count; i++)
        if (strcmp(p->databases[i].name, name) == 0)
            return p->databases[i].binding;
    return NULL;
}

static int print_json(const struct d1 *d1, const struct databases *all, struct err *err)
{
    json_t *list = json_array();
    int r = list ? 0 : -1;

    for (size_t i = 0; i < all->count && r == 0; i++) {
        const struct database *d = &all->items[i];
        r = json_array_append_new(
            list, json_pack("{s:s, s:s, s:s?, s:s, s:I}", "uuid", d->uuid, "name", d->name,
                            "binding", binding_of(&d1->project, d->name), "created_at",
                            d->created_at, "file_size", (json_int_t)d->size_bytes));
    }
    if (r == 0)
        return cli_print_json(list, err);
    json_decref(list);
    return err_nomem(err);
}

static int print_table(const struct d1 *d1, const struct databases *all, struct err *err)
{
    struct span *cells = mem_alloc((all->count + 1) * COLUMNS * sizeof *cells);
    char(*sizes)[32] = mem_alloc((all->count + 1) * sizeof *sizes);
    struct buf out = {0};
    const char *binding;
    int r = cells && sizes ? 0 : ERR_NOMEM;

    for (size_t i = 0; i < COLUMNS && r == 0; i++)
        cells[i] = span_of(HEAD[i]);
    for (size_t i = 0; i < all->count && r == 0; i++) {
        const struct database *d = &all->items[i];
        struct span *row = cells + (i + 1) * COLUMNS;
        binding = binding_of(&d1->project, d->name);
        table_bytes((double)d->size_bytes, sizes[i]);
        row[0] = span_of(d->uuid);
        row[1] = span_of(d->name);
        row[2] = span_of(binding ? binding : "");
        row[3] = span_of(d->created_at);
        row[4] = span_of(sizes[i]);
    }
    if (r == 0)
        r = table_print(&out, table_look(), cells, COLUMNS, all->count + 1);
    if (r == 0)
        printf("%.*s", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    mem_free(sizes);
    mem_free(cells);
    return r < 0 ? err_nomem(err) : 0;
}

int d1_list(char **args)
{
    static const struct d1_spec SPEC = {
        .usage = "list",
        .about =
            "Show the databases that there are in the project's state folder: those that were\n"
            "created, and those that a worker has used.\n",
        .has_json = true,
    };
    struct databases all;
    struct err err = {0};
    struct d1 d1;
    int code = d1_begin(&SPEC, args, NULL, &d1), r;

    if (code != D1_GO)
        return code;
    if (d1.is_remote) {
        r = d1_remote_list(&d1, &err);
        d1_end(&d1);
        return r < 0 ? cli_fail(&err, 1) : 0;
    }
    r = database_list(d1.project.data_folder, &all, &err);
    if (r == 0 && d1.is_json)
        r = print_json(&d1, &all, &err);
    else if (r == 0 && all.count > 0)
        r = print_table(&d1, &all, &err);
    else if (r == 0)
        printf("There are no databases yet: `corral d1 create NAME` makes one.\n");
    databases_done(&all);
    d1_end(&d1);
    return r < 0 ? cli_fail(&err, 1) : 0;
}
