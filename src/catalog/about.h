/* about.h - about.json: what a database's folder says about it.
 *
 * {"uuid": ..., "name": ..., "created_at": ...}.  The folder's name is the truth: one that says
 * another name (it was copied), cannot be understood, or is missing is written anew by about_need.
 * Inside catalog/ only. */
#ifndef CORRAL_CATALOG_ABOUT_H
#define CORRAL_CATALOG_ABOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "catalog/database.h"

enum { CREATED_LEN = 24 };

struct about {
    char uuid[UUID_SIZE]; /* lower case; "" when it could not be kept */
    char created_at[CREATED_LEN + 1];
};

/* uuid NULL: a random one. */
int about_make(const char *uuid, int64_t created_ms, struct about *ret, struct err *err) MUST_CHECK;
/* Into the folder, in place of what is there. */
int about_write(int folder, const char *name, const struct about *about,
                struct err *err) MUST_CHECK;
/* Read it; or make a new one and write it, if that can be.  ERR_NOMEM, ERR_SYSTEM. */
int about_need(int folder, const char *name, struct about *ret, struct err *err) MUST_CHECK;

#endif
