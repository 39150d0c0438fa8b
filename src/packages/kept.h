/* kept.h - the packager's answers in files: a node that starts again need not ask all of it anew.
 *
 *     FOLDER/SLOT    {"seal": 64 hexadecimal digits, "answer": {...}}
 *
 * SLOT is the digest of what is asked (the project, its date, where environments are), the seal
 * that of all that the answer depends on: what the files say, the sets that there are, the packager
 * itself, and of this process's environment what it would be given.  A file whose seal is another
 * one, which is torn or too long, counts as none.  The folder is its owner's alone, where no
 * packager can write; what is read is checked all the same as what a packager says (believe.h), by
 * the caller.
 *
 * Nothing here is an error: without these files the packager runs.  Any thread; two that write one
 * slot leave one of both. */
#ifndef CORRAL_PACKAGES_KEPT_H
#define CORRAL_PACKAGES_KEPT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/span.h"

enum {
    KEPT_DIGEST = 65,        /* bytes for one, with its NUL */
    KEPT_FILES_MAX = 1024,   /* beyond that the one that was written first goes */
    KEPT_FILE_MAX = 4 << 20, /* bytes of one */
};

/* SHA-256 of `text`, in hexadecimal digits.  false: there is none. */
bool kept_digest(struct span text, char ret[KEPT_DIGEST]);
/* What stands there; NULL: nothing of use.  The caller's to json_decref; "seal" is for the caller
 * to compare. */
json_t *kept_read(const char *folder, const char *slot, char ret_seal[KEPT_DIGEST]);
/* Made with its folder when that is missing. */
void kept_write(const char *folder, const char *slot, const char *seal, json_t *answer);

#endif
