/* toml_keys.c - find the keys of a TOML text: tables, lists of tables, dotted
 * and quoted keys, inline tables, values over many lines.
 *
 * Two levels: lines (headers, `key = value`) and, inside one value, a stack of
 * lists and inline tables.  What is not understood is skipped to the end of
 * its line: tomllib is the judge.
 *
 * The n-th [[x]] has the path x, n-1; [x.y] behind it is x, n-1, y.  The
 * number of the latest [[x]] is kept for LISTS_MAX different x. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "text/keys.h"

enum { LISTS_MAX = 64 };

struct list_count {
    uint64_t name;          /* hash of the path */
    unsigned count;
};

struct nest {
    bool is_list;
    unsigned index;
    size_t path_len;
};

struct walk {
    struct keys *keys;
    struct span text;
    size_t at;
    size_t table_len;       /* path of the table that the lines belong to */
    struct list_count lists[LISTS_MAX];
    size_t list_count;
    struct nest stack[KEYS_DEPTH_MAX];
    size_t depth;
};

static char look(const struct walk *w, size_t ahead)
{
    return w->at + ahead < w->text.len ? w->text.data[w->at + ahead] : '\0';
}

static bool is_at_end(const struct walk *w) { return w->at >= w->text.len; }

static void skip_blanks(struct walk *w)
{
    while (look(w, 0) == ' ' || look(w, 0) == '\t')
        w->at++;
}

static void skip_line(struct walk *w)
{
    const char *lf = memchr(w->text.data + w->at, '\n', w->text.len - w->at);

    w->at = lf ? (size_t)(lf - w->text.data) + 1 : w->text.len;
}

/* Blanks, newlines and comments. */
static void skip_space(struct walk *w)
{
    while (!is_at_end(w)) {
        char c = look(w, 0);
        if (c == '#')
            skip_line(w);
        else if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            w->at++;
        else
            return;
    }
}

static bool is_triple(const struct walk *w, char quote)
{
    return look(w, 0) == quote && look(w, 1) == quote && look(w, 2) == quote;
}

/* Step over the string at w->at, whatever its quotes. */
static void skip_string(struct walk *w)
{
    char quote = look(w, 0);
    bool is_long = is_triple(w, quote);

    w->at += is_long ? 3 : 1;
    while (!is_at_end(w)) {
        char c = look(w, 0);
        if (c == '\n' && !is_long)
            return;
        if (c == '\\' && quote == '"') {
            w->at += 2;
        } else if (is_long && is_triple(w, quote)) {
            w->at += 3;
            while (look(w, 0) == quote)     /* """a""""" ends with two quotes of its own */
                w->at++;
            break;
        } else {
            w->at++;
            if (c == quote && !is_long)
                break;
        }
    }
    if (w->at > w->text.len)
        w->at = w->text.len;
}

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-';
}

/* One part of a dotted key; false when there is none. */
static bool read_part(struct walk *w, struct span *ret_name)
{
    size_t from = w->at;

    if (look(w, 0) == '"' || look(w, 0) == '\'') {
        skip_string(w);
        if (w->at - from < 2)
            return false;
        *ret_name = (struct span){w->text.data + from + 1, w->at - from - 2};
        return true;
    }
    while (!is_at_end(w) && is_bare(look(w, 0)))
        w->at++;
    *ret_name = (struct span){w->text.data + from, w->at - from};
    return w->at > from;
}

/* How often this path was a [[header]] so far; NULL when never, or too many lists. */
static struct list_count *find_list(struct walk *w, bool is_wanted)
{
    const char *p = buf_data(&w->keys->path);
    uint64_t name = 14695981039346656037u;

    for (size_t i = 0; i < buf_len(&w->keys->path); i++)
        name = (name ^ (unsigned char)p[i]) * 1099511628211u;
    for (size_t i = 0; i < w->list_count; i++)
        if (w->lists[i].name == name)
            return &w->lists[i];
    if (!is_wanted || w->list_count == LISTS_MAX)
        return NULL;
    w->lists[w->list_count] = (struct list_count){name, 0};
    return &w->lists[w->list_count++];
}

enum key_place { KEY_IN_HEADER, KEY_OF_VALUE };

/* Read a dotted key and note each of its parts; 1 when it was one, 0 when not. */
static int read_key(struct walk *w, size_t prefix_len, enum key_place place)
{
    struct list_count *list;
    struct span name;
    size_t from;
    int r;

    for (size_t len = prefix_len;; len = buf_len(&w->keys->path)) {
        skip_blanks(w);
        from = w->at;
        if (!read_part(w, &name))
            return 0;
        r = keys_push(w->keys, len, name);
        if (r < 0)
            return r;
        r = keys_note(w->keys, from, from);
        if (r < 0)
            return r;
        skip_blanks(w);
        if (look(w, 0) != '.')
            return 1;
        w->at++;
        list = place == KEY_IN_HEADER ? find_list(w, false) : NULL;
        if (list) {
            r = keys_push_index(w->keys, buf_len(&w->keys->path), list->count - 1);
            if (r < 0)
                return r;
        }
    }
}

static int read_header(struct walk *w)
{
    bool is_list = look(w, 1) == '[';
    struct list_count *list;
    size_t from;
    int r;

    w->at += is_list ? 2 : 1;
    skip_blanks(w);
    from = w->at;
    r = read_key(w, 0, KEY_IN_HEADER);
    if (r <= 0) {               /* no header: the table stays the same */
        skip_line(w);
        return r;
    }
    if (is_list) {
        list = find_list(w, true);
        r = keys_push_index(w->keys, buf_len(&w->keys->path), list ? list->count++ : 0);
        if (r < 0)
            return r;
        r = keys_note(w->keys, from, from);
        if (r < 0)
            return r;
    }
    w->table_len = buf_len(&w->keys->path);
    skip_line(w);
    return 0;
}

static int open_nest(struct walk *w)
{
    if (w->depth == KEYS_DEPTH_MAX) {
        w->keys->deep_at = w->at;
        return ERR_LIMIT;
    }
    w->stack[w->depth++] = (struct nest){look(w, 0) == '[', 0, buf_len(&w->keys->path)};
    w->at++;
    return 0;
}

/* A value stands at w->at: open what nests, step over what does not. */
static int read_value(struct walk *w)
{
    char c = look(w, 0);

    if (c == '[' || c == '{')
        return open_nest(w);
    if (c == '"' || c == '\'') {
        skip_string(w);
        return 0;
    }
    while (!is_at_end(w) && !(look(w, 0) && strchr(",]}#\n", look(w, 0))))
        w->at++;
    return 0;
}

/* `key = ` and the place of its value: 1 when a value follows. */
static int read_key_of_value(struct walk *w, size_t prefix_len)
{
    int r = read_key(w, prefix_len, KEY_OF_VALUE);

    if (r <= 0)
        return r;
    if (look(w, 0) != '=')
        return 0;
    w->at++;
    skip_blanks(w);
    if (w->keys->count > 0 && w->keys->count < KEYS_MAX)
        w->keys->items[w->keys->count - 1].value_at = w->at;
    return 1;
}

/* Everything inside the lists and inline tables that a value opened. */
static int read_nests(struct walk *w)
{
    while (w->depth > 0) {
        struct nest *top = &w->stack[w->depth - 1];
        char c;
        int r;

        skip_space(w);
        c = look(w, 0);
        if (is_at_end(w))
            return 0;
        if (c == ',') {
            w->at++;
            continue;
        }
        if (c == ']' || c == '}') {
            w->at++;
            w->depth--;
            continue;
        }
        if (top->is_list) {
            r = keys_push_index(w->keys, top->path_len, top->index++);
            if (r == 0)
                r = keys_note(w->keys, w->at, w->at);
            if (r < 0)
                return r;
        } else {
            r = read_key_of_value(w, top->path_len);
            if (r < 0)
                return r;
            if (r == 0) {       /* not TOML: stop here, on the next line goes on */
                w->depth = 0;
                return 0;
            }
        }
        r = read_value(w);
        if (r < 0)
            return r;
    }
    return 0;
}

int keys_scan_toml(struct keys *k, struct span text)
{
    struct walk w = {.keys = k, .text = text};
    int r;

    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        w.at = 3;
    while (skip_space(&w), !is_at_end(&w)) {
        if (look(&w, 0) == '[') {
            r = read_header(&w);
        } else {
            r = read_key_of_value(&w, w.table_len);
            if (r == 1)
                r = read_value(&w);
            if (r == 0)
                r = read_nests(&w);
            if (r == 0 && !is_at_end(&w))
                skip_line(&w);
        }
        if (r < 0)
            return r;
    }
    return 0;
}
