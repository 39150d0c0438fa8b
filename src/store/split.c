/* split.c - the first statement of a script.
 *
 * A statement ends with its semicolon, one that creates a trigger with `; END ;`.
 * Only the words that tell the two apart are looked at:
 *
 *   START --EXPLAIN--> START   QUERY and PLAN as well
 *   START --CREATE---> CREATE --TEMP, TEMPORARY--> CREATE --TRIGGER--> TRIGGER
 *   TRIGGER --;--> SEMICOLON --END--> END --;--> done
 *
 * anything else leads to OTHER (within a trigger back to TRIGGER), where the
 * next semicolon is the end. */
#include "store/engine.h"

enum state { START, CREATE, OTHER, TRIGGER, SEMICOLON, END };

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

enum { OPEN = -1 };

/* Behind the closing quote, or OPEN. */
static ptrdiff_t skip_quoted(struct span s, size_t at)
{
    char close = s.data[at] == '[' ? ']' : s.data[at];
    const char *end;

    /* a doubled quote is the end of one and the start of the next: that is as good */
    end = memchr(s.data + at + 1, close, s.len - at - 1);
    return end ? end - s.data + 1 : OPEN;
}

/* Behind the comment that begins here, if one does, or OPEN. */
static ptrdiff_t skip_comment(struct span s, size_t at)
{
    const char *end;

    if (s.len - at < 2)
        return (ptrdiff_t)at;
    if (s.data[at] == '-' && s.data[at + 1] == '-') {
        end = memchr(s.data + at, '\n', s.len - at);
        return end ? end - s.data + 1 : OPEN;
    }
    if (s.data[at] != '/' || s.data[at + 1] != '*')
        return (ptrdiff_t)at;
    end = s.len - at > 2 ? memmem(s.data + at + 2, s.len - at - 2, "*/", 2) : NULL;
    return end ? end - s.data + 2 : OPEN;
}

static enum state after_word(enum state state, struct span word)
{
    static const char *const BEFORE[] = {"EXPLAIN", "QUERY", "PLAN"};

    switch (state) {
    case START:
        for (size_t i = 0; i < sizeof BEFORE / sizeof *BEFORE; i++)
            if (span_is_nocase(word, BEFORE[i]))
                return START;
        return span_is_nocase(word, "CREATE") ? CREATE : OTHER;
    case CREATE:
        if (span_is_nocase(word, "TEMP") || span_is_nocase(word, "TEMPORARY"))
            return CREATE;
        return span_is_nocase(word, "TRIGGER") ? TRIGGER : OTHER;
    case SEMICOLON:
        return span_is_nocase(word, "END") ? END : TRIGGER;
    case END:
        return TRIGGER;
    case OTHER:
    case TRIGGER:
        break;
    }
    return state;
}

static enum state after_other(enum state state)
{
    return state == START || state == CREATE || state == OTHER ? OTHER : TRIGGER;
}

int split_next(struct span script, size_t *ret_len, bool *ret_is_empty)
{
    enum state state = START;
    bool is_empty = true;
    size_t at = 0;

    while (at < script.len) {
        char c = script.data[at];
        ptrdiff_t behind = skip_comment(script, at);

        if (behind == OPEN)
            break;
        if ((size_t)behind > at || is_blank(c)) {
            at = (size_t)behind > at ? (size_t)behind : at + 1;
            continue;
        }
        if (c == ';') {
            at++;
            if (state == START || state == CREATE || state == OTHER || state == END) {
                *ret_len = at;
                *ret_is_empty = is_empty;
                return 1;
            }
            state = SEMICOLON;
            continue;
        }
        is_empty = false;
        if (c == '\'' || c == '"' || c == '`' || c == '[') {
            behind = skip_quoted(script, at);
            if (behind == OPEN)
                break;
            at = (size_t)behind;
            state = after_other(state);
        } else if (is_word(c)) {
            size_t end = at + 1;

            while (end < script.len && is_word(script.data[end]))
                end++;
            state = after_word(state, (struct span){script.data + at, end - at});
            at = end;
        } else {
            at++;
            state = after_other(state);
        }
    }
    *ret_is_empty = is_empty;
    return 0;
}
