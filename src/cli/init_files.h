/* init_files.h - what `corral init` writes: @NAME@ and @DATE@ in a text are filled in. */
#ifndef CORRAL_CLI_INIT_FILES_H
#define CORRAL_CLI_INIT_FILES_H

enum { INIT_FILES_MAX = 6 };

struct init_kind {
    const char *name;   /* "python" */
    const char *lang;   /* what --lang calls it: "py"; or "" */
    const char *advice; /* one more thing to know, or "" */
    struct {
        const char *path, *text;
    } files[INIT_FILES_MAX + 1]; /* a NULL path ends them */
};

extern const struct init_kind INIT_KINDS[]; /* a NULL name ends them */

#endif
