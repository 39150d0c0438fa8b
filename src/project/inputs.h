/* inputs.h - which files of a project go into its bundle.
 *
 * inputs_list walks the folder of main and python_modules and gives a sorted
 * list.  Embedded: inputs_list fills it from zeroes; inputs_done frees it, also
 * after a failure.  Inside project/ only; errors as in bundle.h. */
#ifndef CORRAL_PROJECT_INPUTS_H
#define CORRAL_PROJECT_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "project/project.h"

struct input {
    char *path;             /* inside the project: "src/entry.py" */
    uint64_t bytes;         /* when it was listed */
};

struct inputs {
    struct input *items;    /* by path, in the order of bytes */
    size_t count, cap;
    uint64_t bytes;
    bool has_links;         /* some were reached through a symbolic link */
};

int inputs_list(const struct project *p, struct inputs *ret, struct err *err) MUST_CHECK;
void inputs_done(struct inputs *in);

/* Is a file or folder of this name left out wherever it is?  (In python_modules
 * only __pycache__ and *.pyc are.) */
bool inputs_skips_name(const char *name);
/* Is this path inside the project an input, would it exist as a file or folder? */
bool inputs_has_path(const struct project *p, const char *inside);

/* Is this absolute path part of the state: bundles, databases?  All of the state folder is, unless
 * main lies in it too (`--persist-to .`). */
bool inputs_is_state(const struct project *p, const char *path);

#endif
