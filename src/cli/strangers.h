/* strangers.h - may accounts of people who do not trust each other share a node?
 *
 * From the grade 'landlock' of the box on they may (box_is_for_strangers).  Below it a node serves
 * one account, and refuses a second one in three places: the commands that would make it, the node
 * at its start, and a node that runs (live.h, live_config.alone).  Who knows better says so in
 * words: --accept-box GRADE, or in corral.toml [box] accept = "GRADE".
 *
 * What a node found when it started stands in DATA/box.json, so that a command beside it, which may
 * run as somebody else and in another place, judges by what the node has and not by what it has
 * itself.
 *
 * Thread: the main one. */
#ifndef CORRAL_CLI_STRANGERS_H
#define CORRAL_CLI_STRANGERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "box/tier.h"
#include "catalog/catalog.h"

/* The grade from which on accounts may share a node, out of what --accept-box or corral.toml says;
 * NULL: nothing. ERR_INVALID. */
int strangers_accept(const char *name, enum box_grade *ret, struct err *err) MUST_CHECK;
bool strangers_may_share(unsigned layers, enum box_grade accept);
/* Why they may not, and what to do: sets err, ERR_INVALID. */
int strangers_refuse(enum box_grade has, enum box_grade accept, struct err *err);

/* What a node found. */
struct strangers_record {
    enum box_grade grade, accept;
    unsigned layers;
    int64_t started_ms;
};
int strangers_write(const char *data_folder, const struct box_tier *tier, enum box_grade accept,
                    struct err *err) MUST_CHECK;
/* ERR_NOT_FOUND: no node has served this folder, or what it wrote is not to be understood. */
int strangers_read(const char *data_folder, struct strangers_record *ret,
                   struct err *err) MUST_CHECK;

/* Before an account of this name or id is made: ERR_INVALID when it would be one too many.  accept:
 * of the command line, or NULL. */
int strangers_check_new(struct catalog *catalog, const char *account, const char *accept,
                        struct err *err) MUST_CHECK;

#endif
