/* excerpt.h - some lines of a source file, for an error page. */
#ifndef CORRAL_CLI_EXCERPT_H
#define CORRAL_CLI_EXCERPT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum {
    EXCERPT_BEFORE = 5,             /* lines above the one that is meant */
    EXCERPT_AFTER = 3,
    EXCERPT_FILE_MAX = 1 << 20,     /* of larger files nothing is shown */
    EXCERPT_MAP_MAX = 32 << 20,     /* nor of sources that a larger map has */
    EXCERPT_MAX = 8 * 1024,         /* bytes of lines */
};

/* Append the lines around `line` of FOLDER/FILE; *ret_first is the number of the
 * first.  The name is a worker's claim: it may lead nowhere but below the folder,
 * through no link and no name that begins with a dot.  ERR_NOT_FOUND: there is no
 * such file or line; ERR_NOMEM. */
int excerpt_read(const char *folder, struct span file, int line, struct buf *out,
                 int *ret_first) MUST_CHECK;

#endif
