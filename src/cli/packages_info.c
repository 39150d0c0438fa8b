/* packages_info.c - `corral packages info NAME`: what each set knows of a package. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/packages.h"
#include "cli/table.h"

static const char *const ROWS[] = {"set",    "dates",  "version", "imports", "dependencies",
                                   "extras", "source", "hash",    "folder"};

enum { ROW_COUNT = sizeof ROWS / sizeof *ROWS };

/* A text, "a, b" of a list, the keys of an object. */
static int put_value(struct buf *out, json_t *value)
{
    const char *key;
    json_t *one;
    size_t i;
    int r = 0;

    if (json_is_string(value))
        return buf_print(out, "%s", json_string_value(value));
    json_array_foreach(value, i, one) if (r == 0) r =
        buf_print(out, "%s%s", i ? ", " : "", json_string_value(one));
    i = 0;
    json_object_foreach(value, key, one) if (r == 0) r =
        buf_print(out, "%s%s", i++ ? ", " : "", key);
    return r;
}

/* Of the extras those that the set has whole. */
static json_t *whole_extras(json_t *one)
{
    json_t *whole = json_deep_copy(json_object_get(one, "extras")), *ignored;
    const char *extra;

    json_object_foreach(json_object_get(one, "lacks"), extra, ignored)
        json_object_del(whole, extra);
    return whole;
}

static int print_one(const char *name, json_t *one, struct err *err)
{
    struct buf values[ROW_COUNT] = {0}, out = {0};
    struct span cells[(ROW_COUNT + 1) * 2] = {SPAN("name"), span_of(name)};
    json_t *extras = whole_extras(one);
    int r = extras ? 0 : ERR_NOMEM;

    for (size_t i = 0; i < ROW_COUNT && r == 0; i++) {
        r = put_value(&values[i],
                      strcmp(ROWS[i], "extras") == 0 ? extras : json_object_get(one, ROWS[i]));
        cells[(i + 1) * 2] = span_of(ROWS[i]);
        cells[(i + 1) * 2 + 1] = buf_len(&values[i]) ? buf_span(&values[i]) : SPAN("");
    }
    if (r == 0)
        r = table_print(&out, table_look(), cells, 2, ROW_COUNT + 1);
    if (r == 0)
        printf("%.*s", SPAN_ARG(buf_span(&out)));
    for (size_t i = 0; i < ROW_COUNT; i++)
        buf_done(&values[i]);
    buf_done(&out);
    json_decref(extras);
    return r < 0 ? err_nomem(err) : 0;
}

int packages_info(char **args)
{
    static const struct packages_spec SPEC = {
        .usage = "info NAME",
        .about =
            "Show what the package sets know of a package: version, modules, what it needs, and\n"
            "where it came from.  NAME: as in requirements.txt, or of a module it has.\n",
        .word = "NAME",
        .is_word_needed = true,
    };
    struct packages_line line;
    struct err err = {0};
    json_t *done, *found, *one;
    size_t i;
    int code = packages_begin(&SPEC, args, &line), r = 0;

    if (code != PACKAGES_GO)
        return code;
    if (packages_ask(json_pack("{s:s, s:s}", "job", "info", "name", line.word), &done) < 0)
        return 1;
    found = json_object_get(done, "found");
    if (line.is_json)
        r = cli_print_json(json_incref(done), &err);
    else
        json_array_foreach(found, i, one) if (r == 0) r =
            print_one(json_string_value(json_object_get(done, "name")), one, &err);
    json_decref(done);
    return r < 0 ? cli_fail(&err, 1) : 0;
}
