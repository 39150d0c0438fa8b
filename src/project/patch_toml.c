/* patch_toml.c - one more [[d1_databases]].
 *
 * Behind the last one there is, else at the end of the file, where a header
 * with its whole name is always right; a list in brackets gets one more
 * table in braces. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "project/patch_inside.h"
#include "project/skeleton.h"

struct place_path {
    const char *parts[5];
    size_t depth;
};

static struct span text_of(const struct config *c)
{
    return (struct span){c->text, c->len};
}

static struct place_path list_path(const char *env)
{
    if (env[0])
        return (struct place_path){{"env", env, "d1_databases"}, 3};
    return (struct place_path){{"d1_databases"}, 1};
}

static const json_t *list_of(const struct config *c, const char *env)
{
    const json_t *level = c->root;

    if (env[0])
        level = json_object_get(json_object_get(level, "env"), env);
    return json_object_get(level, "d1_databases");
}

static int put_text(struct buf *out, const char *key, const char *text, const char *behind)
{
    int r = buf_print(out, "%s = \"", key);

    for (; *text && r == 0; text++)
        r = buf_print(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    return r == 0 ? buf_print(out, "\"%s", behind) : r;
}

static int put_pairs(struct buf *out, const struct patch_database *db, const char *between,
                     const char *behind)
{
    int r = put_text(out, "binding", db->binding, between);

    if (r == 0)
        r = put_text(out, "database_name", db->name, between);
    return r == 0 ? put_text(out, "database_id", db->id, behind) : r;
}

static int put_block(struct buf *out, const char *env, const struct patch_database *db,
                     const char *nl)
{
    int r;

    if (!env[0])
        r = buf_print(out, "[[d1_databases]]%s", nl);
    else if (strchr(env, '.'))
        r = buf_print(out, "[[env.\"%s\".d1_databases]]%s", env, nl);
    else
        r = buf_print(out, "[[env.%s.d1_databases]]%s", env, nl);
    return r == 0 ? put_pairs(out, db, nl, nl) : r;
}

/* `d1_databases = [ ... ]`: one more table. */
static int patch_inline(const struct config *c, const char *skeleton, size_t open,
                        const struct patch_database *db, struct buf *out)
{
    struct span text = text_of(c), indent = {"    ", 4};
    struct slot s;
    int r = slot_find(text, skeleton, open, &s);

    if (r < 0)
        return r;
    if (!s.is_empty && is_first_in_line(text, s.first))
        indent = line_indent(text, s.first);
    r = buf_append(out, text.data, s.last_end);
    if (r == 0 && !s.is_empty && !s.has_comma)
        r = buf_append(out, ",", 1);
    if (r == 0)
        r = buf_append(out, text.data + s.last_end, s.tail - s.last_end);
    if (r == 0 && s.is_wide)
        r = buf_print(out, "%s%.*s", line_end(text), SPAN_ARG(indent));
    else if (r == 0 && !s.is_empty)
        r = buf_append(out, " ", 1);
    if (r == 0)
        r = buf_print(out, "{ ");
    if (r == 0)
        r = put_pairs(out, db, ", ", s.is_wide ? " }," : " }");
    return r == 0 ? buf_append(out, text.data + s.tail, text.len - s.tail) : r;
}

/* Where the line ends that the last key of the last database stands in; 0: not known. */
static size_t last_end(const struct config *c, const char *env, const char *skeleton)
{
    struct place_path path = list_path(env);
    const json_t *list = list_of(c, env);
    size_t count = json_array_size(list), at = 0;
    const struct key *key;
    const char *name, *end;
    char index[24];
    json_t *value;

    if (count == 0)
        return 0;
    snprintf(index, sizeof index, "%zu", count - 1);
    path.parts[path.depth] = index;
    json_object_foreach(json_array_get(list, count - 1), name, value)
    {
        path.parts[path.depth + 1] = name;
        key = keys_find(&c->keys, path.parts, path.depth + 2);
        if (key && key->value_at > at)
            at = key->value_at;
    }
    end = at ? memchr(skeleton + at, '\n', c->len - at) : NULL;
    return at == 0 ? 0 : end ? (size_t)(end + 1 - skeleton) : c->len;
}

static bool ends_with(const struct buf *b, const char *end)
{
    size_t n = strlen(end);

    return buf_len(b) >= n && memcmp(buf_data(b) + buf_len(b) - n, end, n) == 0;
}

/* A block behind the line that ends at `at`, with an empty line before and behind it. */
static int patch_block(const struct config *c, const char *env, const struct patch_database *db,
                       size_t at, struct buf *out)
{
    struct span text = text_of(c);
    const char *nl = line_end(text);
    int r = buf_append(out, text.data, at);

    if (r == 0 && at > 0 && !ends_with(out, "\n"))
        r = buf_print(out, "%s", nl);
    if (r == 0 && at > 0 && !ends_with(out, "\n\n") && !ends_with(out, "\n\r\n"))
        r = buf_print(out, "%s", nl);
    if (r == 0)
        r = put_block(out, env, db, nl);
    if (r == 0 && at < text.len && text.data[at] != '\n' && text.data[at] != '\r')
        r = buf_print(out, "%s", nl);
    return r == 0 ? buf_append(out, text.data + at, text.len - at) : r;
}

int patch_toml(const struct config *c, const char *env, const struct patch_database *db, int try,
               struct buf *out)
{
    struct place_path path = list_path(env);
    const struct key *list = keys_find(&c->keys, path.parts, path.depth);
    char *skeleton = skeleton_of(text_of(c), CONFIG_TOML);
    size_t at;
    int r;

    if (!skeleton)
        return ERR_NOMEM;
    at = last_end(c, env, skeleton);
    if (try > 1)
        r = ERR_NOT_FOUND;
    else if (try == 0 && list && list->value_at != list->key_at)
        r = patch_inline(c, skeleton, list->value_at, db, out);
    else if (try == 0 && at > 0)
        r = patch_block(c, env, db, at, out);
    else
        r = patch_block(c, env, db, c->len, out);
    mem_free(skeleton);
    return r;
}
