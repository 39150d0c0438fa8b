/* packages_list.c - `corral packages list [SET]`: the sets of this machine, or what is in one. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/packages.h"
#include "cli/table.h"

enum { COLUMNS_MAX = 4 };

/* What stands in a table: the heads, and the key of what is below each; "packages" is a number. */
struct columns {
    size_t count;
    const char *heads[COLUMNS_MAX], *keys[COLUMNS_MAX];
};

static const struct columns OF_SETS = {4,
                                       {"name", "packages", "compatibility dates", "folder"},
                                       {"name", "packages", "dates", "folder"}};
static const struct columns OF_PACKAGES = {
    3, {"name", "version", "source"}, {"name", "version", "source"}};

static int print_table(json_t *rows, const struct columns *columns, struct err *err)
{
    size_t count = json_array_size(rows), width = columns->count;
    struct span *cells = mem_alloc((count + 1) * width * sizeof *cells);
    char(*numbers)[32] = mem_alloc((count + 1) * sizeof *numbers);
    struct buf out = {0};
    int r = cells && numbers ? 0 : ERR_NOMEM;

    for (size_t c = 0; c < width && r == 0; c++)
        cells[c] = span_of(columns->heads[c]);
    for (size_t i = 0; i < count && r == 0; i++) {
        json_t *one = json_array_get(rows, i);
        snprintf(numbers[i], sizeof *numbers, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(one, "packages")));
        for (size_t c = 0; c < width; c++) {
            const char *text = json_string_value(json_object_get(one, columns->keys[c]));
            cells[(i + 1) * width + c] = span_of(text ? text : numbers[i]);
        }
    }
    if (r == 0)
        r = table_print(&out, table_look(), cells, width, count + 1);
    if (r == 0)
        printf("%.*s", SPAN_ARG(buf_span(&out)));
    buf_done(&out);
    mem_free(numbers);
    mem_free(cells);
    return r < 0 ? err_nomem(err) : 0;
}

int packages_list(char **args)
{
    static const struct packages_spec SPEC = {
        .usage = "list [SET]",
        .about =
            "Show the package sets of this machine, and which compatibility dates each is for;\n"
            "or what is in one of them.  SET: its name, or a compatibility date.\n",
        .word = "SET",
    };
    struct packages_line line;
    struct err err = {0};
    json_t *done, *sets, *inside;
    int code = packages_begin(&SPEC, args, &line), r = 0;

    if (code != PACKAGES_GO)
        return code;
    if (packages_ask(json_pack("{s:s, s:s?}", "job", "list", "name", line.word), &done) < 0)
        return 1;
    sets = json_object_get(done, "sets");
    inside = json_object_get(done, "packages");
    if (line.is_json)
        r = cli_print_json(json_incref(inside ? done : sets), &err);
    else if (inside)
        r = print_table(inside, &OF_PACKAGES, &err);
    else if (json_array_size(sets) > 0)
        r = print_table(sets, &OF_SETS, &err);
    else
        printf("There are no package sets yet: `corral packages sync debian` makes the default "
               "one.\n");
    json_decref(done);
    return r < 0 ? cli_fail(&err, 1) : 0;
}
