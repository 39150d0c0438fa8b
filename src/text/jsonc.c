/* jsonc.c - blank comments and trailing commas; find the keys of JSON.
 *
 * Both walk the text once, know strings from the rest and nothing more: the
 * JSON parser is the judge of everything else. */
#include "text/jsonc.h"

#include <stdbool.h>
#include <string.h>

#include "text/keys.h"

/* The offset behind the string that starts at `at`; len when it never ends. */
static size_t string_end(const char *text, size_t len, size_t at)
{
    for (at++; at < len; at++) {
        if (text[at] == '\\')
            at++;
        else if (text[at] == '"')
            return at + 1;
    }
    return len;
}

/* The offset behind the comment at `at`, `at` itself when there is none or it never ends. */
static size_t comment_end(const char *text, size_t len, size_t at)
{
    const char *end;

    if (len - at < 2 || text[at] != '/')
        return at;
    if (text[at + 1] == '/') {
        end = memchr(text + at, '\n', len - at);
        return end ? (size_t)(end - text) : len;
    }
    if (text[at + 1] != '*')
        return at;
    end = memmem(text + at + 2, len - at - 2, "*/", 2);
    return end ? (size_t)(end - text) + 2 : at;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void blank(char *text, size_t from, size_t to)
{
    for (; from < to; from++)
        if (text[from] != '\n' && text[from] != '\r')
            text[from] = ' ';
}

void jsonc_blank(char *text, size_t len)
{
    size_t comma = len;     /* the comma after which only spaces came; len: none */
    size_t at = 0, end;

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        blank(text, 0, 3);
    while (at < len) {
        end = comment_end(text, len, at);
        if (end > at) {
            blank(text, at, end);
            at = end;
            continue;
        }
        if (text[at] == '"') {
            comma = len;
            at = string_end(text, len, at);
            continue;
        }
        if ((text[at] == '}' || text[at] == ']') && comma < len)
            text[comma] = ' ';
        if (text[at] == ',' && comma == len)
            comma = at;
        else if (!is_space(text[at]))
            comma = len;
        at++;
    }
}

/* ---- keys ---- */

struct nest {
    bool is_list;
    unsigned index;         /* of the next element */
    size_t path_len;        /* of the container itself */
};

struct walk {
    struct keys *keys;
    struct span text;
    struct nest stack[KEYS_DEPTH_MAX];
    size_t depth;
    bool wants_key;         /* in an object, before the colon */
    size_t pending;         /* number of the key whose value comes now; SIZE_MAX: none */
};

/* A value starts at `at`: say so to its key, or note it as a list's element. */
static int value_starts(struct walk *w, size_t at)
{
    struct nest *top = w->depth ? &w->stack[w->depth - 1] : NULL;
    int r;

    if (w->pending < w->keys->count)
        w->keys->items[w->pending].value_at = at;
    w->pending = SIZE_MAX;
    if (!top || !top->is_list)
        return 0;
    r = keys_push_index(w->keys, top->path_len, top->index++);
    return r < 0 ? r : keys_note(w->keys, at, at);
}

static int opens(struct walk *w, size_t at)
{
    int r = value_starts(w, at);

    if (r < 0)
        return r;
    if (w->depth == KEYS_DEPTH_MAX) {
        w->keys->deep_at = at;
        return ERR_LIMIT;
    }
    w->stack[w->depth++] =
        (struct nest){w->text.data[at] == '[', 0, buf_len(&w->keys->path)};
    w->wants_key = w->text.data[at] == '{';
    return 0;
}

static void closes(struct walk *w)
{
    w->depth -= w->depth > 0;
    w->wants_key = false;
}

static int key_found(struct walk *w, size_t at, size_t end)
{
    struct span name = {w->text.data + at + 1, end - at - 2};
    int r = keys_push(w->keys, w->stack[w->depth - 1].path_len, name);

    if (r < 0)
        return r;
    w->pending = w->keys->count;
    w->wants_key = false;
    return keys_note(w->keys, at, at);
}

/* One step at `at`; *ret_next is where the next one starts. */
static int step(struct walk *w, size_t at, size_t *ret_next)
{
    static const char END_OF_WORD[] = " \t\r\n,:{}[]\"";
    char c = w->text.data[at];
    size_t end = at + 1;

    *ret_next = end;
    if (c == '{' || c == '[')
        return opens(w, at);
    if (c == '}' || c == ']')
        closes(w);
    else if (c == ',')
        w->wants_key = w->depth > 0 && !w->stack[w->depth - 1].is_list;
    if (c == '}' || c == ']' || c == ',' || c == ':' || is_space(c))
        return 0;
    if (c == '"') {
        *ret_next = end = string_end(w->text.data, w->text.len, at);
        if (w->wants_key && end - at >= 2)
            return key_found(w, at, end);
        return value_starts(w, at);
    }
    while (end < w->text.len && (!w->text.data[end] || !strchr(END_OF_WORD, w->text.data[end])))
        end++;
    *ret_next = end;
    return value_starts(w, at);
}

int keys_scan_json(struct keys *k, struct span text)
{
    struct walk w = {.keys = k, .text = text, .pending = SIZE_MAX};
    size_t at = 0;
    int r;

    while (at < text.len) {
        r = step(&w, at, &at);
        if (r < 0)
            return r;
    }
    return 0;
}
