/* token.h - which byte may stand where in an HTTP message.
 *
 * One table of classes (RFC 9110 section 5.6.2 and 5.5); bytes over 0x7f are
 * obs-text: allowed in field values, nowhere else.  Pure. */
#ifndef CORRAL_HTTP_TOKEN_H
#define CORRAL_HTTP_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum token_class {
    TOKEN_NAME = 1,     /* tchar: methods, field names */
    TOKEN_VALUE = 2,    /* field values: visible, space, tab, obs-text */
    TOKEN_TARGET = 4,   /* visible ASCII without '#' */
    TOKEN_HOST = 8,     /* what a host name may hold: letters, digits, - . _ */
    TOKEN_DIGIT = 16,
    TOKEN_HEX = 32,
};

extern const uint8_t token_classes[256];

static inline bool token_is(char c, enum token_class class)
{
    return token_classes[(unsigned char)c] & class;
}

/* Every byte of s has the class; true for an empty s. */
bool token_all(struct span s, enum token_class class);

/* s without spaces and tabs at its ends. */
struct span token_trim(struct span s);

/* Take the next element off a comma-separated list; false at its end. */
bool token_next(struct span *list, struct span *ret_element);

/* 1*DIGIT that fits; anything else is false. */
bool token_number(struct span s, int64_t *ret);

/* Headers that speak of one connection, never of the message: they are not
 * passed on in either direction. */
bool token_is_hop(struct span name);

#endif
