/* traceback.c - look at each line once. */
#include "text/traceback.h"

#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* A number at the start of text; 0: none, or too great. */
static int read_number(struct span text)
{
    int n = 0;

    for (size_t i = 0; i < text.len && is_digit(text.data[i]); i++) {
        n = n * 10 + (text.data[i] - '0');
        if (n > TRACEBACK_LINE_MAX)
            return 0;
    }
    return n;
}

static bool is_own(struct span file)
{
    return file.len > 0 && file.data[0] != '/' && file.data[0] != '<';
}

/* `  File "NAME", line 7`, also with the bars of an exception group in front. */
static bool read_python(struct span line, struct traceback_place *ret)
{
    static const char BEFORE[] = "File \"", BETWEEN[] = "\", line ";
    const char *end;
    size_t at = 0;

    while (at < line.len && strchr(" |+-", line.data[at]) && line.data[at])
        at++;
    line.data += at;
    line.len -= at;
    if (line.len < sizeof BEFORE || memcmp(line.data, BEFORE, sizeof BEFORE - 1) != 0)
        return false;
    line.data += sizeof BEFORE - 1;
    line.len -= sizeof BEFORE - 1;
    end = memmem(line.data, line.len, BETWEEN, sizeof BETWEEN - 1);
    if (!end)
        return false;
    ret->file = (struct span){line.data, (size_t)(end - line.data)};
    end += sizeof BETWEEN - 1;
    ret->line = read_number((struct span){end, (size_t)(line.data + line.len - end)});
    return ret->line > 0 && is_own(ret->file);
}

/* Take `:NUMBER` off the end of text. */
static bool take_number(struct span *text, int *ret)
{
    size_t at = text->len;

    while (at > 0 && is_digit(text->data[at - 1]))
        at--;
    if (at == 0 || text->data[at - 1] != ':')
        return false;
    *ret = read_number((struct span){text->data + at, text->len - at});
    text->len = at - 1;
    return *ret > 0;
}

/* `    at NAME (FILE:3:9)`, `    at FILE:3:9` */
static bool read_javascript(struct span line, struct traceback_place *ret)
{
    const char *open;
    size_t at = 0;
    int column;

    while (at < line.len && line.data[at] == ' ')
        at++;
    if (at == 0 || line.len - at < 4 || memcmp(line.data + at, "at ", 3) != 0)
        return false;
    line.data += at + 3;
    line.len -= at + 3;
    if (line.data[line.len - 1] == ')') {
        open = memrchr(line.data, '(', line.len);
        if (!open)
            return false;
        line.len = (size_t)(line.data + line.len - open) - 2;
        line.data = open + 1;
    }
    if (!take_number(&line, &column) || !take_number(&line, &ret->line))
        return false;
    ret->file = line;
    return is_own(ret->file);
}

bool traceback_place(struct span text, struct traceback_place *ret_place)
{
    struct traceback_place here, python = {0}, javascript = {0};
    size_t at = 0;

    while (at < text.len) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        size_t n = end ? (size_t)(end - text.data) - at : text.len - at;
        struct span line = {text.data + at, n};
        if (read_python(line, &here))
            python = here;
        else if (javascript.line == 0 && read_javascript(line, &here))
            javascript = here;
        at += n + 1;
    }
    *ret_place = python.line > 0 ? python : javascript;
    return ret_place->line > 0;
}
