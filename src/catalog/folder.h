/* folder.h - make folders, clear them away, put them on the disk.
 *
 * For catalog/, and for what live/ keeps in the data folder. */
#ifndef CORRAL_CATALOG_FOLDER_H
#define CORRAL_CATALOG_FOLDER_H

#include "base/err.h"

enum { FOLDER_DEPTH_MAX = 64 };

/* a/b/c below each other; to be freed, NULL: out of memory.  c NULL: two parts. */
char *folder_join(const char *a, const char *b, const char *c);
/* With those above it, mode 0700, each synced into the one above; `path` is written to meanwhile.
 */
int folder_make(char *path, struct err *err) MUST_CHECK;
/* All that is in home/name, and it; never through a link.  What others delete meanwhile counts as
 * deleted.  0 or an errno. */
int folder_clear(int home, const char *name);
/* PREFIX and 16 random digits. */
void folder_random_name(const char *prefix, char out[64]);
/* All files and folders in home/name, and it.  0 or an errno. */
int folder_sync(int home, const char *name);

#endif
