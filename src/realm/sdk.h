/* sdk.h - the files under sdk/, carried inside the program (tools/embed). */
#ifndef CORRAL_REALM_SDK_H
#define CORRAL_REALM_SDK_H

#include <stddef.h>

struct sdk_file {
    const char *name;   /* "js/headers.js", "python/corral/loop.py"; NULL ends the list */
    const char *data;   /* followed by a NUL */
    size_t len;
};

extern const struct sdk_file sdk_files[];

#endif
