/* upload.h - the files of a project under the names that an upload gives them.
 *
 * The files are those of the bundle (bundle.h).  Names are wrangler's: what lies in the folder of
 * main is seen from there ("entry.py", "lib/a.py"), python_modules from the project's folder.
 * requirements.txt and pyproject.toml of the project's folder come along under their names: the
 * node's packager reads them.  A file of main's folder that has the name of one of those stays
 * behind.
 *
 * A project in JavaScript is bundled for it; the parts are those of the bundle, main first.
 *
 * Errors: as in bundle.h. */
#ifndef CORRAL_PROJECT_UPLOAD_H
#define CORRAL_PROJECT_UPLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "project/bundle.h"
#include "project/project.h"

struct upload_file {
    char *name;       /* "entry.py" */
    char *path;       /* absolute */
    const char *type; /* as wrangler's: "text/x-python"; static */
    uint64_t bytes;   /* when it was listed */
};

struct upload {
    struct upload_file *items; /* by name */
    size_t count;
    uint64_t bytes;
    const char *main; /* the name of main: inside the project's `main`, or the bundle's */
    struct bundle bundle; /* of JavaScript, as long as it is uploaded */
    char *spare;          /* where it was made when nobody may write into the project; or NULL */
};

/* p: loaded, and alive as long as ret.  From zeroes; upload_done also after a failure. */
int upload_list(const struct project *p, struct upload *ret, struct err *err) MUST_CHECK;
/* Whatever the project is; ERR_INVALID may have diagnostics. */
int upload_build(struct project *p, struct upload *ret, struct diagnostics *d,
                 struct err *err) MUST_CHECK;
void upload_done(struct upload *u);

#endif
