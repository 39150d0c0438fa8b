/* span.h - some bytes that somebody else owns.
 *
 * Not NUL-terminated.  Valid as long as its owner says. */
#ifndef CORRAL_BASE_SPAN_H
#define CORRAL_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct span {
    const char *data;
    size_t len;
};

#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})
/* For printf's "%.*s". */
#define SPAN_ARG(s) (int)(s).len, (s).data

static inline struct span span_of(const char *s) { return (struct span){s, strlen(s)}; }

static inline bool span_is(struct span s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

/* ASCII case folded, for header names. */
static inline bool span_is_nocase(struct span s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.data, text, s.len) == 0;
}

#endif
