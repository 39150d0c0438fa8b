/* environment.h - what one worker may import, kept up to date while its project changes.
 *
 *     struct environments all = {0};
 *     environments_get(&all, &ask, &environment, &error, &err);    as often as the project may have changed
 *     ... environment.json goes to the pool; environment_done when that has ended ...
 *     environments_done(&all);
 *
 * A project that asks for nothing costs a few looks at its folder.  One whose files say what they said
 * the last time, and whose packages are still there, costs a read of those files: the packager runs
 * only when something has changed, and when a node has started that kept nothing.
 *
 * An environment's folder is held (flock, shared) from environments_get to environment_done: whoever
 * sweeps, in whatever process, leaves it alone.
 *
 * Errors: those of packages_run; ERR_INVALID comes with *ret_error, the caller's to json_decref:
 * {"text", "hint", "file", "line", "detail", "inputs"}.  One thread at a time. */
#ifndef CORRAL_PACKAGES_ENVIRONMENT_H
#define CORRAL_PACKAGES_ENVIRONMENT_H

#include "packages/packages.h"

enum { ENVIRONMENT_FILE_MAX = 1 << 20 };        /* bytes of a file that is compared by what it says */
#define ENVIRONMENT_BYTES_MAX (256ull << 20)    /* of what does not come from a set, without bytecode */

struct environment_ask {
    struct packages_run run;    /* but its job */
    const char *project;        /* the project's folder */
    const char *date;           /* its compatibility date, or "" */
    const char *state;          /* where environments are kept; made when needed */
    const char *network;        /* of an upload, JSON as packages.h has it; NULL: it may ask whom it likes */
    const char *kept;           /* where answers for uploads outlive this process; NULL: they do not */
    bool is_upload;             /* the project is what somebody uploaded, and clients do not send all: one that
                                   names no package gets every one of its package set (such projects share
                                   what `all` keeps), and what lies in python_modules/ for another machine counts
                                   as asked for */
};

/* Does it name packages in any way: requirements.txt, pyproject.toml, python_modules/? */
bool environment_is_asked(const char *project);

struct environment {
    char *json;         /* for struct load.packages */
    char hash[33];      /* changes when anything of it does; "" when nothing was asked for */
    char *files;        /* what was read, absolute, '\n' behind each */
    char *folders;      /* what the worker may read of packages, likewise */
    char *left_out;     /* paths inside the project that the worker is not to have, likewise */
    int fd;             /* holds its folder; -1: none */
};

struct environments {
    char *stamp;        /* what the files said that `answer` was made from; NULL: not known */
    size_t stamp_len;
    json_t *answer;     /* the packager's last one that was good */
};

int environments_get(struct environments *all, const struct environment_ask *ask,
                     struct environment *ret_environment, json_t **ret_error,
                     struct err *err) MUST_CHECK;
void environments_done(struct environments *all);

/* That of a worker without Python: nothing. */
int environment_none(struct environment *ret_environment, struct err *err) MUST_CHECK;

/* Zeroes are done, too. */
void environment_done(struct environment *environment);

#endif
