/* path.h - names of files: join, make absolute, tell inside from outside.
 *
 * Every char * is owned by the caller; NULL means out of memory (path_real:
 * or errno).  Inside project/ only. */
#ifndef CORRAL_PROJECT_PATH_H
#define CORRAL_PROJECT_PATH_H

#include <stdbool.h>

/* folder/name; name alone when it is absolute. */
char *path_join(const char *folder, const char *name);
/* Absolute and without "", "." and "..", by the letters alone; relative ones
 * begin at the current folder. */
char *path_normal(const char *path);
/* The folder part of an absolute path: "/a/b" -> "/a", "/a" -> "/". */
char *path_parent(const char *path);
const char *path_base(const char *path);
/* Without symbolic links, but the last part stays as it is: what a file in a
 * linked folder is called inside the real one.  NULL with errno. */
char *path_real_parent(const char *path);
/* As realpath, in our memory.  NULL with errno. */
char *path_real(const char *path);
/* What comes after folder/ in path ("" for the folder itself), inside path; NULL: not below it. */
const char *path_below(const char *folder, const char *path);
/* Is path one of these lines? */
bool path_is_line(const char *lines, const char *path);
/* For people: relative when below the current folder. */
char *path_shown(const char *path);

#endif
