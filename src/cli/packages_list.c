/* packages_list.c - `corral packages list`: the package sets of this machine. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/packages.h"
#include "cli/table.h"

enum { COLUMNS = 4 };

static const char *const HEAD[COLUMNS] = {"name", "packages", "compatibility dates", "folder"};
static const char *const KEYS[COLUMNS] = {"name", NULL, "dates", "folder"};

static int print_table(json_t *sets, struct err *err)
{
    size_t count = json_array_size(sets);
    struct span *cells = mem_alloc((count + 1) * COLUMNS * sizeof *cells);
    char(*numbers)[32] = mem_alloc((count + 1) * sizeof *numbers);
    struct buf out = {0};
    int r = cells && numbers ? 0 : ERR_NOMEM;

    for (size_t i = 0; i < COLUMNS && r == 0; i++)
        cells[i] = span_of(HEAD[i]);
    for (size_t i = 0; i < count && r == 0; i++) {
        json_t *one = json_array_get(sets, i);
        snprintf(numbers[i], sizeof *numbers, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(one, "packages")));
        for (size_t c = 0; c < COLUMNS; c++) {
            const char *text = KEYS[c] ? json_string_value(json_object_get(one, KEYS[c])) : NULL;
            cells[(i + 1) * COLUMNS + c] = span_of(text ? text : numbers[i]);
        }
    }
    if (r == 0)
        r = table_print(&out, table_look(), cells, COLUMNS, count + 1);
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
        .usage = "list",
        .about =
            "Show the package sets of this machine, and which compatibility dates each is for.\n",
    };
    struct packages_line line;
    struct err err = {0};
    json_t *done, *sets;
    int code = packages_begin(&SPEC, args, &line), r = 0;

    if (code != PACKAGES_GO)
        return code;
    if (packages_ask(json_pack("{s:s}", "job", "list"), &done) < 0)
        return 1;
    sets = json_object_get(done, "sets");
    if (line.is_json)
        r = cli_print_json(json_incref(sets), &err);
    else if (json_array_size(sets) > 0)
        r = print_table(sets, &err);
    else
        printf("There are no package sets yet: `corral packages sync debian` makes the default "
               "one.\n");
    json_decref(done);
    return r < 0 ? cli_fail(&err, 1) : 0;
}
