/* d1_info.c - `corral d1 info NAME`: what is known of one database. */
#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/d1.h"
#include "cli/table.h"

static int print_json(const struct database *d, struct err *err)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:I}", "uuid", d->uuid, "name", d->name, "created_at",
                  d->created_at, "database_size", (json_int_t)d->size_bytes);
    char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;

    json_decref(object);
    if (!text)
        return err_nomem(err);
    printf("%s\n", text);
    mem_free(text);
    return 0;
}

static int print_table(const struct database *d, struct err *err)
{
    struct buf out = {0};
    char size[32];
    int r;

    table_bytes((double)d->size_bytes, size);
    const struct span cells[] = {
        SPAN(""),           span_of(d->uuid),       SPAN("name"),          span_of(d->name),
        SPAN("created_at"), span_of(d->created_at), SPAN("database_size"), span_of(size),
    };
    r = table_print(&out, cells, 2, sizeof cells / sizeof *cells / 2);
    if (r == 0)
        printf("%.*s", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    return r < 0 ? err_nomem(err) : 0;
}

int d1_info(char **args)
{
    static const struct d1_spec SPEC = {
        .usage = "info NAME",
        .about = "Show what is known of a database.  NAME: its name, its binding or its uuid.\n",
        .words = {"NAME"},
        .has_json = true,
    };
    struct err err = {0};
    struct database d;
    struct d1 d1;
    int code = d1_begin(&SPEC, args, NULL, &d1), r;

    if (code != D1_GO)
        return code;
    r = d1_find(&d1, d1.words[0], &d, &err);
    if (r == 0) {
        r = d1.is_json ? print_json(&d, &err) : print_table(&d, &err);
        database_done(&d);
    }
    d1_end(&d1);
    return r < 0 ? cli_fail(&err, 1) : 0;
}
