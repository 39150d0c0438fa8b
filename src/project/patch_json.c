/* patch_json.c - one more element in "d1_databases", in the style of the file.
 *
 * What is there already of env, env.X and d1_databases is added to at its end; what is missing is
 * made with the file's own indentation and line ends.  A text on one line stays on one line. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "project/patch_inside.h"
#include "project/skeleton.h"

enum { LEVELS = 4 }; /* the root, env, env.X, d1_databases */

struct edit {
    const struct config *c;
    struct span text;
    const char *skeleton;
    const char *path[LEVELS - 1]; /* names of what lies in each other */
    size_t depth;
    const struct patch_database *db;
    const char *nl;
    char unit[16]; /* one step of indentation */
    struct buf *out;
};

/* ---- the new text ---- */

static int put_string(struct buf *out, const char *text)
{
    int r = buf_append(out, "\"", 1);

    for (; *text && r == 0; text++)
        r = buf_print(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    return r == 0 ? buf_append(out, "\"", 1) : r;
}

/* A line end and `steps` steps more than `base`; of a text on one line nothing. */
static int put_break(struct edit *e, bool is_wide, struct span base, size_t steps)
{
    int r = is_wide ? buf_print(e->out, "%s%.*s", e->nl, SPAN_ARG(base)) : 0;

    while (is_wide && r == 0 && steps-- > 0)
        r = buf_print(e->out, "%s", e->unit);
    return r;
}

static int put_database(struct edit *e, bool is_wide, struct span base, size_t steps)
{
    const char *const pairs[][2] = {
        {"binding", e->db->binding}, {"database_name", e->db->name}, {"database_id", e->db->id}};
    int r = buf_append(e->out, "{", 1);

    for (size_t i = 0; i < 3 && r == 0; i++) {
        if (i > 0)
            r = buf_print(e->out, is_wide ? "," : ", ");
        if (r == 0)
            r = put_break(e, is_wide, base, steps + 1);
        if (r == 0)
            r = buf_print(e->out, "\"%s\": ", pairs[i][0]);
        if (r == 0)
            r = put_string(e->out, pairs[i][1]);
    }
    if (r == 0)
        r = put_break(e, is_wide, base, steps);
    return r == 0 ? buf_append(e->out, "}", 1) : r;
}

/* What is missing of the path from `depth` on, down to the database itself. */
static int put_rest(struct edit *e, size_t depth, bool is_wide, struct span base)
{
    size_t steps = 0;
    int r = 0;

    for (size_t i = depth; i < e->depth && r == 0; i++) {
        r = put_string(e->out, e->path[i]);
        if (r == 0)
            r = buf_print(e->out, ": %s", i + 1 < e->depth ? "{" : "[");
        if (r == 0)
            r = put_break(e, is_wide, base, ++steps);
    }
    if (r == 0)
        r = put_database(e, is_wide, base, steps);
    for (size_t i = e->depth; i > depth && r == 0; i--) {
        r = put_break(e, is_wide, base, --steps);
        if (r == 0)
            r = buf_append(e->out, i == e->depth ? "]" : "}", 1);
    }
    return r;
}

/* ---- where it goes ---- */

/* The bracket that opens what is there of the path; *ret_depth: how many names of it that is. */
static size_t find_open(const struct edit *e, size_t *ret_depth)
{
    const struct key *key;
    size_t at = 0;

    while (at < e->text.len && e->skeleton[at] != '{')
        at++;
    for (*ret_depth = 0; *ret_depth < e->depth; ++*ret_depth) {
        key = keys_find(&e->c->keys, e->path, *ret_depth + 1);
        if (!key)
            break;
        at = key->value_at;
    }
    return at;
}

/* One step of indentation: that of the first key, when it has a line of its own. */
static void find_unit(struct edit *e)
{
    struct slot root;
    size_t depth, open;
    struct edit top = *e;
    struct span indent;

    top.depth = 0;
    open = find_open(&top, &depth);
    snprintf(e->unit, sizeof e->unit, "  ");
    if (slot_find(e->text, e->skeleton, open, &root) < 0 || root.is_empty ||
        !is_first_in_line(e->text, root.first))
        return;
    indent = line_indent(e->text, root.first);
    if (indent.len > 0 && indent.len < sizeof e->unit)
        snprintf(e->unit, sizeof e->unit, "%.*s", SPAN_ARG(indent));
}

/* Do the things in it take several lines each, or one? */
static bool is_spread(const struct edit *e, const struct slot *s)
{
    struct slot first;

    if (s->is_empty || slot_find(e->text, e->skeleton, s->first, &first) < 0)
        return true;
    return memchr(e->skeleton + first.open, '\n', first.close - first.open) != NULL;
}

static int put_into(struct edit *e, const struct slot *s, size_t depth)
{
    struct span text = e->text, close = line_indent(text, s->close), base = close;
    bool is_wide = s->is_wide || (s->is_empty && memchr(text.data, '\n', text.len));
    bool has_own_line = !s->is_empty && is_first_in_line(text, s->first);
    char indent[256];
    int r = buf_append(e->out, text.data, s->last_end);

    if (has_own_line)
        base = line_indent(text, s->first);
    else if ((size_t)snprintf(indent, sizeof indent, "%.*s%s", SPAN_ARG(close), e->unit) <
             sizeof indent)
        base = span_of(indent);
    if (r == 0 && !s->is_empty && !s->has_comma)
        r = buf_append(e->out, ",", 1);
    if (r == 0)
        r = buf_append(e->out, text.data + s->last_end, s->tail - s->last_end);
    if (r == 0 && !is_wide && !s->is_empty)
        r = buf_append(e->out, " ", 1);
    if (r == 0)
        r = put_break(e, is_wide, base, 0);
    if (r == 0)
        r = put_rest(e, depth, is_wide && (depth < e->depth || is_spread(e, s)), base);
    if (r == 0 && s->has_comma)
        r = buf_append(e->out, ",", 1);
    if (r == 0 && is_wide && !s->is_wide)
        r = put_break(e, true, close, 0);
    return r == 0 ? buf_append(e->out, text.data + s->tail, text.len - s->tail) : r;
}

int patch_json(const struct config *c, const char *env, const struct patch_database *db, int try,
               struct buf *out)
{
    struct edit e = {.c = c, .text = {c->text, c->len}, .db = db, .out = out};
    char *skeleton = skeleton_of(e.text, CONFIG_JSON);
    struct slot slot;
    size_t depth, open;
    int r;

    if (!skeleton)
        return ERR_NOMEM;
    e.skeleton = skeleton;
    e.nl = line_end(e.text);
    if (env[0]) {
        e.path[e.depth++] = "env";
        e.path[e.depth++] = env;
    }
    e.path[e.depth++] = "d1_databases";
    find_unit(&e);
    open = find_open(&e, &depth);
    r = try > 0 ? ERR_NOT_FOUND : slot_find(e.text, skeleton, open, &slot);
    if (r == 0)
        r = put_into(&e, &slot, depth);
    mem_free(skeleton);
    return r;
}
