/* statics.c - see statics.h. */
#include "link/statics.h"

#include <ctype.h>
#include <string.h>

#define WORD   "static"
#define NAMER  "__name"
#define ASKED  "(this, \""
#define GETTER "get name(){return\""

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static const char *behind_spaces(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static const char *behind(const char *at, const char *end, const char *word)
{
    size_t n = strlen(word);

    return at && (size_t)(end - at) >= n && memcmp(at, word, n) == 0 ? at + n : NULL;
}

/* The end of a string whose first quote is passed: at its last one, on the same line. */
static const char *string_end(const char *at, const char *end)
{
    for (; at < end && *at != '"' && *at != '\n'; at++)
        if (*at == '\\' && ++at == end)
            return NULL;
    return at < end && *at == '"' ? at : NULL;
}

/* `at` is behind "static {".  Behind the block, or NULL: it is another one. */
static char *rename_one(char *open, const char *at, const char *end)
{
    const char *call = behind_spaces(at, end), *name = behind(call, end, NAMER), *last;
    size_t room, n;

    while (name && name < end && isdigit((unsigned char)*name))
        name++;
    name = behind(name, end, ASKED);
    last = name ? string_end(name, end) : NULL;
    at = behind(last, end, "\");");
    at = at ? behind_spaces(at, end) : NULL;
    at = behind(at, end, "}");
    if (!at || !memchr(open, '\n', (size_t)(call - open)))
        return NULL;
    /* In the line of the call: from behind its line break to its semicolon. */
    while (call[-1] != '\n')
        call--;
    n = (size_t)(last - name);
    room = (size_t)(last + 3 - call);
    if (room < sizeof GETTER - 1 + n + 2)
        return NULL;
    *open = ' ';
    memmove((char *)call + sizeof GETTER - 1, name, n);
    memcpy((char *)call, GETTER, sizeof GETTER - 1);
    memcpy((char *)call + sizeof GETTER - 1 + n, "\"}", 2);
    memset((char *)call + sizeof GETTER - 1 + n + 2, ' ', room - (sizeof GETTER - 1 + n + 2));
    ((char *)at)[-1] = ' ';
    return (char *)at;
}

bool statics_rewrite(char *text, size_t len)
{
    const char *end = text + len;
    bool has_others = false;
    char *at = text, *open, *next;

    while ((at = memmem(at, (size_t)(end - at), WORD, sizeof WORD - 1))) {
        open = (char *)behind_spaces(at + sizeof WORD - 1, end);
        next = open;
        if (open < end && *open == '{' && (at == text || (!is_of_name(at[-1]) && at[-1] != '.'))) {
            next = rename_one(open, open + 1, end);
            has_others |= next == NULL;
        }
        at = next && next > at ? next : at + sizeof WORD - 1;
    }
    return has_others;
}
