/* said.c - see said.h.
 *
 *     ✘ [ERROR] Could not resolve "./b.js"
 *
 *         in/.corral/a.js:1:7:
 *           1 │ import "./b.js"
 *
 * Notes and lines of code are passed by. */
#include "link/said.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/value.h"

#define MARK       "\xe2\x9c\x98 [ERROR] "
#define MISSING    "Could not resolve "
#define ORIGINALLY " (originally "
#define WANTED     "No matching export in "
#define FOR        " for import "
#define WARNING    "\xe2\x96\xb2 [WARNING] "
/* What stands before an import that is missing, when the box or the name was in the way. */
#define FOLDER "Cannot read directory "

/* The next line, without its end; false: there is none. */
static bool next_line(struct span *rest, struct span *ret)
{
    const char *end;

    if (rest->len == 0)
        return false;
    end = memchr(rest->data, '\n', rest->len);
    ret->data = rest->data;
    ret->len = end ? (size_t)(end - rest->data) : rest->len;
    rest->data += ret->len + !!end;
    rest->len -= ret->len + !!end;
    return true;
}

static bool begins_with(struct span line, const char *start)
{
    return line.len >= strlen(start) && memcmp(line.data, start, strlen(start)) == 0;
}

/* What stands in Go's quotes, which are nearly those of JSON; *err: out of memory. */
static char *unquote(struct span text, int *r)
{
    json_t *value = NULL;
    json_error_t ignored;
    char *out = NULL;

    if (text.len < 2 || text.data[0] != '"' || text.data[text.len - 1] != '"')
        return NULL;
    *r = value_parse(text, &value, &ignored);
    if (*r == 0 && json_is_string(value) &&
        strlen(json_string_value(value)) == json_string_length(value))
        out = mem_strdup(json_string_value(value));
    else if (*r != ERR_NOMEM)
        out = mem_copy(text.data + 1, text.len - 2);
    *r = out ? 0 : ERR_NOMEM;
    json_decref(value);
    return out;
}

/* A number from its end; false: there is none. */
static bool take_number(struct span *text, unsigned *ret)
{
    size_t at = text->len;
    char digits[12] = "";

    while (at > 0 && text->data[at - 1] >= '0' && text->data[at - 1] <= '9')
        at--;
    if (at == text->len || text->len - at > 9 || at == 0 || text->data[at - 1] != ':')
        return false;
    memcpy(digits, text->data + at, text->len - at);
    *ret = (unsigned)strtoul(digits, NULL, 10);
    text->len = at - 1;
    return true;
}

/* "    some/STAGE/in/.corral/a.js:1:7:"; false: it is something else. */
static int take_place(struct span line, const char *stage, struct said_one *one)
{
    struct span path = line;
    const char *slash = strrchr(stage, '/'), *name = slash ? slash + 1 : stage, *at;
    size_t n = strlen(name);

    if (!begins_with(line, "    ") || line.data[line.len - 1] != ':')
        return 0;
    path.len--;
    if (!take_number(&path, &one->column) || !take_number(&path, &one->line))
        return 0;
    path.data += 4;
    path.len -= path.len < 4 ? path.len : 4;
    one->is_outside = true;
    for (;;) {
        at = n > 0 ? memmem(path.data, path.len, name, n) : NULL;
        if (!at)
            break;
        path.len -= (size_t)(at - path.data) + n;
        path.data = at + n;
        one->is_outside = false;
    }
    while (path.len > 0 && *path.data == '/') {
        path.data++;
        path.len--;
    }
    one->file = mem_copy(path.data, path.len);
    return one->file ? 1 : ERR_NOMEM;
}

static int take_text(struct span text, struct said_one *one)
{
    const char *at;
    int r = 0;

    one->text = mem_copy(text.data, text.len);
    if (!one->text)
        return ERR_NOMEM;
    if (begins_with(text, MISSING)) {
        const char *given = strstr(one->text, ORIGINALLY);
        size_t n = sizeof MISSING - 1;
        if (given) { /* behind the name that an alias has made of it */
            n = (size_t)(given - one->text) + sizeof ORIGINALLY - 1;
            text.len -= text.data[text.len - 1] == ')';
        }
        one->missing = unquote((struct span){text.data + n, text.len - n}, &r);
    }
    at = begins_with(text, WANTED) ? strstr(one->text, FOR) : NULL;
    if (at)
        one->wanted = unquote(span_of(at + sizeof FOR - 1), &r);
    return r;
}

int said_read(struct span output, const char *stage, struct said *ret, struct err *err)
{
    struct span line;
    bool is_passed_by = false;
    int r = 0;

    *ret = (struct said){0};
    while (r >= 0 && next_line(&output, &line)) {
        struct said_one *last = ret->count > 0 ? &ret->items[ret->count - 1] : NULL;
        if (begins_with(line, MARK)) {
            if (ret->count == SAID_MAX)
                break;
            is_passed_by = begins_with(line, MARK FOLDER);
            if (is_passed_by)
                continue;
            line.data += sizeof MARK - 1;
            line.len -= sizeof MARK - 1;
            r = take_text(line, &ret->items[ret->count++]);
        } else if (last && !last->file && line.len > 0 && !is_passed_by) {
            r = take_place(line, stage, last);
            if (r == 0)
                r = (last->file = mem_strdup("")) ? 0 : ERR_NOMEM;
        }
    }
    for (size_t i = 0; r >= 0 && i < ret->count; i++)
        if (!ret->items[i].file && !(ret->items[i].file = mem_strdup("")))
            r = ERR_NOMEM;
    if (r >= 0)
        return 0;
    said_done(ret);
    return err_nomem(err);
}

void said_done(struct said *said)
{
    for (size_t i = 0; i < said->count; i++) {
        mem_free(said->items[i].text);
        mem_free(said->items[i].file);
        mem_free(said->items[i].missing);
        mem_free(said->items[i].wanted);
    }
    *said = (struct said){0};
}

/* ---- how it ended ---- */

static bool has(struct span text, const char *what)
{
    return memmem(text.data, text.len, what, strlen(what)) != NULL;
}

const char *said_too_much(struct span output, int signal)
{
    struct span line;

    if (signal == SIGXCPU)
        return "more processor time than it may";
    if (signal == SIGKILL) /* the kernel does so to who has used up either */
        return "more memory or processor time than it may";
    /* Lines of the modules, which are shown too, are indented. */
    while (next_line(&output, &line)) {
        if (begins_with(line, MARK "Failed to write to output file") && has(line, "file too large"))
            return "more room than it may: the result is too large";
        if (!begins_with(line, "fatal error: ") && !begins_with(line, "runtime: "))
            continue;
        if (has(line, "stack exceeds") || has(line, "stack overflow"))
            return "more memory than it may: something in them is nested too deeply";
        if (has(line, "out of memory") || has(line, "cannot allocate memory") ||
            has(line, "failed to create new OS thread"))
            return "more memory than it may";
    }
    return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS ? "more memory than it may"
                                                                      : NULL;
}

/* ---- looking back ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Where the text before `at` ends when spaces and comments are left out. */
static size_t before(struct span text, size_t at)
{
    for (;;) {
        while (at > 0 && is_space(text.data[at - 1]))
            at--;
        if (at < 4 || text.data[at - 1] != '/' || text.data[at - 2] != '*')
            return at;
        for (at -= 2; at >= 2 && !(text.data[at - 1] == '*' && text.data[at - 2] == '/');)
            at--;
        at = at >= 2 ? at - 2 : 0;
    }
}

static bool ends_with_word(struct span text, size_t at, const char *word)
{
    size_t n = strlen(word);

    return at >= n && memcmp(text.data + at - n, word, n) == 0;
}

bool said_is_dynamic(struct span text, unsigned line, unsigned column)
{
    struct span rest = text, one;
    size_t at;

    do {
        if (line == 0 || !next_line(&rest, &one))
            return false;
    } while (--line > 0);
    if (column > one.len)
        return false;
    at = before(text, (size_t)(one.data - text.data) + column);
    if (at == 0 || text.data[at - 1] != '(')
        return false;
    at = before(text, at - 1);
    return ends_with_word(text, at, "import") || ends_with_word(text, at, "require") ||
           ends_with_word(text, at, "require.resolve");
}

/* ---- imports of computed names ---- */

static bool ends_with(struct span line, const char *end)
{
    return line.len >= strlen(end) && ends_with_word(line, line.len, end);
}

static const char *word_of(struct span line)
{
    if (!begins_with(line, WARNING))
        return NULL;
    if (ends_with(line, " [unsupported-dynamic-import]"))
        return "import";
    return ends_with(line, " [indirect-require]") ? "require" : NULL;
}

int said_next_late(struct span *rest, const char *stage, struct said_late *ret)
{
    const char *word = NULL;
    struct span line;

    while (next_line(rest, &line)) {
        struct said_one one = {0};
        int r = word && line.len > 0 ? take_place(line, stage, &one) : 0;
        if (r == 1 && !one.is_outside) {
            *ret = (struct said_late){word, one.file, one.line, one.column};
            return 1;
        }
        mem_free(one.file);
        if (r < 0)
            return r;
        if (line.len > 0)
            word = word_of(line);
    }
    return 0;
}

/* Lines as JavaScript has them: the bundler counts so. */
static size_t end_of_line(struct span text, size_t at, size_t *ret_next)
{
    for (; at < text.len; at++) {
        const char *c = text.data + at;
        const size_t left = text.len - at;
        size_t n = 0;
        if (*c == '\n')
            n = 1;
        else if (*c == '\r')
            n = left > 1 && c[1] == '\n' ? 2 : 1;
        else if (left > 2 &&
                 (memcmp(c, "\xe2\x80\xa8", 3) == 0 || memcmp(c, "\xe2\x80\xa9", 3) == 0))
            n = 3;
        if (n > 0) {
            *ret_next = at + n;
            return at;
        }
    }
    *ret_next = text.len;
    return text.len;
}

bool said_find(struct span text, unsigned line, unsigned column, const char *word, size_t *ret)
{
    size_t at = 0, next, n = strlen(word), end = end_of_line(text, 0, &next);

    for (; line > 1; line--) {
        if (next >= text.len)
            return false;
        at = next;
        end = end_of_line(text, at, &next);
    }
    if (line == 0 || column > end - at || end - at - column < n ||
        memcmp(text.data + at + column, word, n) != 0)
        return false;
    *ret = at + column;
    return true;
}

bool said_is_typeof(struct span text, size_t at)
{
    at = before(text, at);
    while (at > 0 && text.data[at - 1] == '(')
        at = before(text, at - 1);
    return ends_with_word(text, at, "typeof");
}
