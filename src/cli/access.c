/* access.c - a table in the shape of wrangler's: Binding, Resource, Mode. */
#include "cli/access.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "text/width.h"

enum {
    GAP = 6,        /* blanks between two columns */
    VALUE_MAX = 40, /* bytes shown of a variable */
};

#define HEAD "Your Worker has access to the following bindings:\n"

struct row {
    char *binding; /* 'env.DB (books)' */
    const char *resource, *mode;
};

/* mode of each NULL: no such column. */
static int print_rows(const struct row *rows, size_t count, struct buf *out)
{
    int width = (int)strlen("Binding"), resource = (int)strlen("Resource"), len, r;
    bool has_mode = count > 0 && rows[0].mode;

    for (size_t i = 0; i < count; i++) {
        len = (int)width_of(span_of(rows[i].binding));
        width = len > width ? len : width;
        len = (int)strlen(rows[i].resource);
        resource = len > resource ? len : resource;
    }
    width += GAP;
    r = has_mode ? buf_print(out, HEAD "%-*s%-*sMode", width, "Binding", resource + GAP, "Resource")
                 : buf_print(out, HEAD "%-*sResource", width, "Binding");
    for (size_t i = 0; i < count && r == 0; i++) {
        len = (int)width_of(span_of(rows[i].binding));
        r = buf_print(out, "\n%s%*s%s", rows[i].binding, width - len, "", rows[i].resource);
        if (r == 0 && has_mode)
            r = buf_print(out, "%*s%s", resource + GAP - (int)strlen(rows[i].resource), "",
                          rows[i].mode);
    }
    return r;
}

static void free_rows(struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free(rows[i].binding);
    mem_free(rows);
}

/* 'env.NAME', with what is in brackets behind it unless that adds nothing. */
static char *binding_text(const char *name, const char *more)
{
    struct buf text = {0};
    char *out = NULL;
    int r = more[0] && strcmp(more, name) != 0 ? buf_print(&text, "env.%s (%s)", name, more)
                                               : buf_print(&text, "env.%s", name);

    if (r == 0)
        out = buf_detach(&text);
    buf_done(&text);
    return out;
}

int access_print(const struct project *p, struct buf *out)
{
    struct row *rows;
    size_t count = 0;
    int r = 0;

    if (p->database_count == 0)
        return 0;
    rows = mem_alloc(p->database_count * sizeof *rows);
    if (!rows)
        return ERR_NOMEM;
    for (; count < p->database_count && r == 0; count++) {
        const struct project_database *d = &p->databases[count];
        rows[count] = (struct row){binding_text(d->binding, d->name), "D1 Database", "local"};
        r = rows[count].binding ? 0 : ERR_NOMEM;
    }
    if (r == 0)
        r = print_rows(rows, count, out);
    free_rows(rows, count);
    return r;
}

/* ---- of an upload ---- */

static bool is_hidden(const char *name, const char *const *hidden)
{
    for (; hidden && *hidden; hidden++) {
        size_t len = strcspn(*hidden, ":"); /* "NAME:VALUE", as --var has it */
        if (strlen(name) == len && strncmp(*hidden, name, len) == 0)
            return true;
    }
    return false;
}

/* A variable as code would have it, cut, on one line. */
static char *value_text(json_t *value)
{
    char *whole = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY), *out;
    size_t len = whole ? strlen(whole) : 0;

    if (len > VALUE_MAX + 2) {
        for (len = VALUE_MAX; len > 0 && (whole[len] & 0xc0) == 0x80;)
            len--;
        whole[len] = '\0';
        out = mem_alloc(len + 4);
        if (out)
            snprintf(out, len + 4, "%s...", whole);
        mem_free(whole);
        return out;
    }
    return whole;
}

static int fill_row(json_t *binding, const char *const *hidden, struct row *row)
{
    const char *name = json_string_value(json_object_get(binding, "name"));
    const char *type = json_string_value(json_object_get(binding, "type"));
    const char *more = json_string_value(json_object_get(binding, "database_name"));
    json_t *value = json_object_get(binding, "json");
    char *text = NULL;

    *row = (struct row){.resource = type ? type : "?"};
    name = name ? name : "?";
    if (type && strcmp(type, "d1") == 0) {
        row->resource = "D1 Database";
        more = more ? more : json_string_value(json_object_get(binding, "id"));
    } else if (type && strncmp(type, "secret", 6) == 0) {
        row->resource = "Secret";
        more = "hidden";
    } else if (type && (strcmp(type, "plain_text") == 0 || strcmp(type, "json") == 0)) {
        row->resource = "Environment Variable";
        text = value_text(value ? value : json_object_get(binding, "text"));
        more = is_hidden(name, hidden) ? "hidden" : text;
        if (!text)
            return ERR_NOMEM;
    }
    row->binding = binding_text(name, more ? more : "");
    mem_free(text);
    return row->binding ? 0 : ERR_NOMEM;
}

int access_print_upload(json_t *bindings, const char *const *hidden, struct buf *out)
{
    size_t count = json_array_size(bindings), i;
    struct row *rows;
    json_t *binding;
    int r = 0;

    if (count == 0)
        return buf_print(out, "No bindings found.");
    rows = mem_alloc(count * sizeof *rows);
    if (!rows)
        return ERR_NOMEM;
    json_array_foreach(bindings, i, binding) if (r == 0) r = fill_row(binding, hidden, &rows[i]);
    if (r == 0)
        r = print_rows(rows, count, out);
    free_rows(rows, count);
    return r;
}
