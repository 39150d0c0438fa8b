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

/* Behind the closing quote; 0: it is not there. */
static size_t skip_quoted(struct span s, size_t at)
{
    char close = s.data[at] == '[' ? ']' : s.data[at];
    const char *end;

    /* a doubled quote is the end of one and the start of the next: that is as good */
    end = memchr(s.data + at + 1, close, s.len - at - 1);
    return end ? (size_t)(end - s.data) + 1 : 0;
}

/* Behind the comment that begins here; `at` itself when none does; 0: it does not end. */
static size_t skip_comment(struct span s, size_t at)
{
    const char *end;

    if (s.len - at < 2)
        return at;
    if (s.data[at] == '-' && s.data[at + 1] == '-') {
        end = memchr(s.data + at, '\n', s.len - at);
        return end ? (size_t)(end - s.data) + 1 : 0;
    }
    if (s.data[at] != '/' || s.data[at + 1] != '*')
        return at;
    end = s.len - at > 2 ? memmem(s.data + at + 2, s.len - at - 2, "*/", 2) : NULL;
    return end ? (size_t)(end - s.data) + 2 : 0;
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
    size_t at = 0, next;

    while (at < script.len) {
        char c = script.data[at];

        next = skip_comment(script, at);
        if (next == 0)
            break;
        if (next > at || is_blank(c)) {
            at = next > at ? next : at + 1;
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
            at = skip_quoted(script, at);
            if (at == 0)
                break;
            state = after_other(state);
        } else if (is_word(c)) {
            for (next = at; next < script.len && is_word(script.data[next]);)
                next++;
            state = after_word(state, (struct span){script.data + at, next - at});
            at = next;
        } else {
            at++;
            state = after_other(state);
        }
    }
    *ret_is_empty = is_empty;
    return 0;
}
