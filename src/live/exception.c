/* exception.c - find the line that says what, and what says where. */
#include "live/exception.h"

#include <stdbool.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200 };

static struct span skip(struct span text, size_t n)
{
    return (struct span){text.data + n, text.len - n};
}

static size_t line_len(struct span text)
{
    const char *end = memchr(text.data, '\n', text.len);

    return end ? (size_t)(end - text.data) : text.len;
}

static struct span trim_end(struct span text)
{
    while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
        text.len--;
    return text;
}

/* "Traceback (most recent call last):" or the like at the start of a line, an exception group's
 * too. */
static bool is_traceback(struct span line)
{
    static const char WORDS[] = "Traceback (most recent call last):";

    return line.len >= sizeof WORDS - 1 &&
           memmem(line.data, line.len, WORDS, sizeof WORDS - 1) != NULL;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '$' || (unsigned char)c >= 0x80;
}

/* "pkg.ValueError: two" -> its parts; a line without a name: all of it is the message. */
static void read_what(struct span what, struct exception *ret)
{
    size_t n = 0;

    ret->name = SPAN("Error");
    ret->message = what;
    while (n < what.len && n < NAME_MAX_BYTES && is_name_char(what.data[n]))
        n++;
    if (n == 0)
        return;
    if (n == what.len) {
        ret->name = what;
        ret->message = SPAN("");
    } else if (what.data[n] == ':' &&
               (n + 1 == what.len || what.data[n + 1] == ' ' || what.data[n + 1] == '\n')) {
        ret->name = (struct span){what.data, n};
        ret->message = skip(what, n + 1);
        if (ret->message.len > 0)
            ret->message = skip(ret->message, 1);
    }
}

/* Does a line of it begin a traceback of Python's? */
static bool is_python(struct span text)
{
    struct span rest = text;

    while (rest.len > 0) {
        size_t n = line_len(rest);
        if (is_traceback((struct span){rest.data, n}))
            return true;
        rest = skip(rest, n < rest.len ? n + 1 : n);
    }
    return false;
}

/* Where "METHOD URL: " ends, 0: it is not there. */
static size_t prefix_len(struct span text)
{
    size_t n = line_len(text), at = 0;
    const char *colon;

    while (at < n && text.data[at] >= 'A' && text.data[at] <= 'Z')
        at++;
    if (at == 0 || at >= n || text.data[at] != ' ')
        return 0;
    at++;
    if (n - at < 7 || memcmp(text.data + at, "http", 4) != 0)
        return 0;
    colon = memmem(text.data + at, n - at, ": ", 2);
    return colon ? (size_t)(colon + 2 - text.data) : 0;
}

void exception_read(struct span text, struct exception *ret)
{
    static const struct span BEFORE[] = {{"waitUntil: ", 11}, {"Uncaught (in promise) ", 22}};
    size_t n;

    text = trim_end(skip(text, prefix_len(text)));
    for (size_t i = 0; i < sizeof BEFORE / sizeof *BEFORE; i++)
        if (text.len >= BEFORE[i].len && memcmp(text.data, BEFORE[i].data, BEFORE[i].len) == 0)
            text = skip(text, BEFORE[i].len);
    if (is_python(text)) {
        *ret = (struct exception){SPAN("PythonError"), text, SPAN("")};
        return;
    }
    n = line_len(text);
    read_what((struct span){text.data, n}, ret);
    ret->stack = n < text.len ? skip(text, n + 1) : SPAN("");
}
