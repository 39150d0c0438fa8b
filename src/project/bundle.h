/* bundle.h - the files of one version of a worker, in a folder that never changes.
 *
 * The inputs are everything below the folder of `main`, and python_modules in
 * the project's folder; not: dotfiles, node_modules, __pycache__, *.pyc, venv,
 * the state folder, the wrangler configuration.  They are copied, with their
 * paths inside the project, to STATE/bundles/HASH, where HASH names paths and
 * contents: the same files give the same folder again.
 *
 * The bundle of a JavaScript project has BUNDLE_PARTS beside its modules: [{"name", "type"}, ...], with the types
 * that an upload of them has (link/link.h); bundler.h says how they are made.
 *
 * Symbolic links inside the project are followed, others refused.  At most
 * BUNDLE_FILES_MAX files and BUNDLE_BYTES_MAX bytes.
 *
 * Errors: ERR_INVALID (a link that leaves the project, with a hint), ERR_LIMIT
 * (names the limit and the biggest part), ERR_SYSTEM, ERR_NOMEM.
 *
 * A bundle is held (flock, shared) from bundle_make to bundle_done: several
 * processes may work on one state folder, and none deletes what another uses.
 *
 * Synchronous; a hello takes about a millisecond. */
#ifndef CORRAL_PROJECT_BUNDLE_H
#define CORRAL_PROJECT_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "project/project.h"

enum {
    BUNDLE_FILES_MAX = 20000,
    BUNDLE_DEPTH_MAX = 64,          /* folders inside each other */
};
#define BUNDLE_BYTES_MAX (256ull << 20)

#define BUNDLE_PARTS ".parts.json" /* no input has such a name */

struct bundle {                     /* all text owned */
    char *folder;                   /* absolute: STATE/bundles/HASH */
    char *main;                     /* inside folder: "src/entry.py" */
    int fd;                         /* of the folder, with the lock; when folder is set */
    char hash[33];                  /* 32 hexadecimal digits */
    size_t files;
    bool is_script;                 /* main is a script without modules: a service worker */
    uint64_t bytes;
};

int bundle_make(const struct project *p, struct bundle *ret_bundle, struct err *err) MUST_CHECK;
/* bundle_make for Python; JavaScript is bundled first, and p->script.inputs says what from.  ERR_INVALID may
 * have diagnostics; ERR_NOT_FOUND: no bundler; ERR_CANCELLED. */
int bundle_build(struct project *p, const atomic_bool *is_cancelled, struct bundle *ret_bundle,
                 struct diagnostics *d, struct err *err) MUST_CHECK;
void bundle_done(struct bundle *b);

/* bundle_done, and delete the folder unless somebody else holds it.  A folder
 * that is not there is fine.  Refuses a path that is no STATE/bundles/HASH. */
int bundle_remove(struct bundle *b, struct err *err) MUST_CHECK;
/* Delete what earlier runs left in the state folder: all that nobody holds.
 * Errors are skipped: the next sweep. */
void bundle_sweep(const char *state_folder);

#endif
