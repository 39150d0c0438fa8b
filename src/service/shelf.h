/* shelf.h - the folder that wheels are kept in: find one, put one there, throw the oldest out.
 *
 * A file's name says what is in it, its time when it was used last.  Files of other names ending in
 * ".part" are on their way; a process that died has left those that are a day old.
 *
 * Everything here waits for the disk: for libuv's threads.  Pure otherwise. */
#ifndef CORRAL_SERVICE_SHELF_H
#define CORRAL_SERVICE_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

enum {
    SHELF_HASH = 32,    /* bytes of a SHA-256 */
    SHELF_NAME = 65,    /* its digits, and a NUL */
    SHELF_FILES_MAX = 4096,
};

/* 64 hexadecimal digits of either case.  false: it is none. */
bool shelf_read_hash(struct span digits, unsigned char ret[SHELF_HASH]);
/* The name of what comes from there and has that hash. */
bool shelf_name(const unsigned char hash[SHELF_HASH], struct span origin, char ret[SHELF_NAME]);

/* A descriptor at the beginning, or -1: it is not there, or was damaged, and is not there any more. */
int shelf_take(const char *folder, const char *name, const unsigned char hash[SHELF_HASH],
               int64_t size_max, int64_t *ret_size);
/* A new file on its way; *ret_path is the caller's, to mem_free. -1: no, by errno. */
int shelf_begin(const char *folder, const char *name, char **ret_path);
/* It is whole: give it its name. */
bool shelf_end(const char *folder, const char *name, const char *path);
/* Until all are together no more than this. */
void shelf_sweep(const char *folder, int64_t all_max);

#endif
