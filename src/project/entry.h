/* entry.h - is `main` a file that can be a worker?
 *
 * Inside project/ only. */
#ifndef CORRAL_PROJECT_ENTRY_H
#define CORRAL_PROJECT_ENTRY_H

#include "project/diagnostic.h"
#include "project/project.h"

/* Check main (as written, relative to p->folder) and set p->main.  What is
 * wrong becomes a diagnostic at `where`. */
int entry_check(struct project *p, const char *main, struct place where, struct diagnostics *d,
                struct err *err) MUST_CHECK;

/* The file of the folder, in Python or JavaScript as `wanted` is, whose path is most like it (NULL: like
 * "src/entry.py", else "src/index.js"), with its path inside the folder; NULL: there is none, or no
 * memory.  Looks at a bounded number of files. */
char *entry_nearest(const char *folder, const char *wanted);

#endif
