/* program.h - where the other programs are: beside this one. */
#ifndef CORRAL_CLI_PROGRAM_H
#define CORRAL_CLI_PROGRAM_H

#include <limits.h>

#include "base/err.h"

enum { PROGRAM_PATH_MAX = PATH_MAX + 32 };

/* name: "corral-worker", "corral-store".  ERR_SYSTEM: it is not there, or may not be run. */
int program_find(const char *name, char ret_path[PROGRAM_PATH_MAX], struct err *err) MUST_CHECK;

#endif
