/* d1_info.c - `corral d1 info NAME`: what is known of one database. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/d1_remote.h"
#include "cli/d1_script.h"
#include "cli/table.h"

static int print_json(const struct database *d, const struct d1_facts *facts, struct err *err)
{
    return cli_print_json(json_pack("{s:s, s:s, s:s, s:I, s:I}", "uuid", d->uuid, "name", d->name,
                                    "created_at", d->created_at, "num_tables",
                                    (json_int_t)facts->tables, "database_size",
                                    (json_int_t)facts->size_bytes),
                          err);
}

static int print_table(const struct database *d, const struct d1_facts *facts, struct err *err)
{
    struct buf out = {0};
    char size[32], tables[32];
    int r;

    table_bytes((double)facts->size_bytes, size);
    snprintf(tables, sizeof tables, "%" PRId64, facts->tables);
    const struct span cells[] = {
        SPAN(""),           span_of(d->uuid),   SPAN("name"),
        span_of(d->name),   SPAN("created_at"), span_of(d->created_at),
        SPAN("num_tables"), span_of(tables),    SPAN("database_size"),
        span_of(size),
    };
    r = table_print(&out, table_look(), cells, 2, sizeof cells / sizeof *cells / 2);
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
    struct d1_facts facts;
    struct database d;
    struct d1 d1;
    int code = d1_begin(&SPEC, args, NULL, &d1), r;

    if (code != D1_GO)
        return code;
    r = d1.is_remote ? d1_remote_info(&d1, &err) : d1_find(&d1, d1.words[0], &d, &err);
    if (r == 0 && !d1.is_remote) {
        r = d1_ask(&d, &facts, &err);
        if (r == 0)
            r = d1.is_json ? print_json(&d, &facts, &err) : print_table(&d, &facts, &err);
        database_done(&d);
    }
    d1_end(&d1);
    return r < 0 ? d1_fail(&err) : 0;
}
