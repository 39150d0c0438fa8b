/* patch_inside.h - what patch.c has its texts made by.  Inside project/ only. */
#ifndef CORRAL_PROJECT_PATCH_INSIDE_H
#define CORRAL_PROJECT_PATCH_INSIDE_H

#include "project/config.h"
#include "project/patch.h"

/* The whole new text.  A try is a way to do it, from 0 on, the nicest first; ERR_NOT_FOUND: there
 * are no more.  ERR_INVALID: not this way.  Whether it is right has to be seen by reading it. */
int patch_json(const struct config *c, const char *env, const struct patch_database *db, int try,
               struct buf *out) MUST_CHECK;
int patch_toml(const struct config *c, const char *env, const struct patch_database *db, int try,
               struct buf *out) MUST_CHECK;

#endif
