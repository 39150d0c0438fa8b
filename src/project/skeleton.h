/* skeleton.h - a JSON or TOML text with only its structure left, to find where something can go in.
 *
 * Every byte stays at its offset.  Comments become spaces, the insides of
 * strings become 'x', also their newlines: what is left of brackets, commas
 * and line ends is real.  Of a text that its parser accepts.  Pure.
 * Inside project/ only. */
#ifndef CORRAL_PROJECT_SKELETON_H
#define CORRAL_PROJECT_SKELETON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/span.h"
#include "project/config.h"

/* NULL: no memory. */
char *skeleton_of(struct span text, enum config_format format);

/* A list or table in brackets, where something is to be added at its end. */
struct slot {
    size_t open, close; /* the brackets */
    size_t first;       /* what stands first in it, or close */
    size_t last_end;    /* just behind the last thing in it, a comma too; open + 1 when empty */
    size_t tail;        /* just behind that and the comments that follow */
    bool is_empty, has_comma;
    bool is_wide; /* its close stands on a line of its own */
};
/* ERR_INVALID: no bracket at `open`, or none that closes it. */
int slot_find(struct span text, const char *skeleton, size_t open, struct slot *ret) MUST_CHECK;

/* The white space at the start of the line that `at` is in. */
struct span line_indent(struct span text, size_t at);
/* Is there nothing but white space before `at` in its line? */
bool is_first_in_line(struct span text, size_t at);
/* "\r\n" or "\n", as the text has it. */
const char *line_end(struct span text);

#endif
