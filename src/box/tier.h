/* tier.h - what this machine offers to keep strangers' code in, and what of it is used.
 *
 * The layers of the box are independent: each host gives some of them (a root
 * shell all, a container without privileges few).  box_tier_detect tries each
 * one for real, in a process that ends afterwards, and says of each one that is
 * missing why, and what would raise it.  What was found is then demanded: a
 * process that cannot enter a layer which the tier names does not start.
 *
 * Pure but for box_tier_detect, which forks: call it before there are threads. */
#ifndef CORRAL_BOX_TIER_H
#define CORRAL_BOX_TIER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

enum box_layer {
    BOX_SECCOMP,  /* system calls by list */
    BOX_LANDLOCK, /* files by list, no TCP; with ABI 6 no signals and no abstract sockets out of it */
    BOX_TREE,     /* a mount namespace: a small read-only tree for a root */
    BOX_PIDS,     /* a pid namespace */
    BOX_NET,      /* a network namespace without an interface */
    BOX_IPC,      /* ipc, uts and cgroup namespaces */
    BOX_USER,     /* a user namespace: no rights over anything of the host's */
    BOX_UID,      /* a user id of the account's own; needs root */
    BOX_LAYERS
};

/* A set of layers. */
#define BOX_BIT(layer) (1u << (layer))

/* User ids for accounts, unless the node's configuration names others: far from people's and from
 * those that systemd and container engines hand out. */
enum { BOX_UID_FIRST = 1900000000, BOX_UID_LAST = 1900999999 };
struct box_uids {
    unsigned first, last;
};
/* "FIRST-LAST"; NULL: those above.  ERR_INVALID: it is none, or begins below 1000. */
int box_uids_get(const char *text, struct box_uids *ret, struct err *err) MUST_CHECK;

enum box_grade {
    BOX_GRADE_NONE,         /* for tests alone */
    BOX_GRADE_SECCOMP,      /* seccomp alone: for your own code */
    BOX_GRADE_LANDLOCK,     /* seccomp and Landlock */
    BOX_GRADE_NAMESPACES,   /* seccomp and namespaces (TREE, PIDS, NET, IPC) */
    BOX_GRADE_UNPRIVILEGED, /* seccomp, Landlock, namespaces */
    BOX_GRADE_FULL,         /* those, and a user id for each account */
    BOX_GRADES
};

struct box_tier {
    unsigned layers;            /* BOX_BITs that are used */
    int landlock_abi;           /* 0: none */
    bool is_root;               /* effective uid 0 with CAP_SETUID */
    char why[BOX_LAYERS][160];  /* of a layer that is not: the reason, for people */
    char how[BOX_LAYERS][160];  /* and what to do about it; "" when nothing can be done */
};

/* Try what there is.  `most`: no more than these layers; ~0u for all. */
void box_tier_detect(unsigned most, struct box_tier *ret);
/* "seccomp", "landlock", "tree" ... ; "full", "unprivileged", "namespaces", "landlock", "seccomp", "none". */
const char *box_layer_name(enum box_layer layer);
enum box_grade box_grade_of(unsigned layers);
const char *box_grade_name(enum box_grade grade);
/* What a grade may use at most. */
unsigned box_grade_layers(enum box_grade grade);
/* The grade with this name; ERR_INVALID names those that there are. */
int box_grade_from(struct span name, enum box_grade *ret, struct err *err) MUST_CHECK;
/* May accounts that do not trust each other share such a node?  Seccomp with Landlock or with namespaces. */
bool box_is_for_strangers(unsigned layers);
/* Does one of them keep signals from processes outside? */
bool box_keeps_signals(unsigned layers, int landlock_abi);
/* "seccomp,landlock,tree": for an argument of a child, and back.  ERR_INVALID: a name that is none. */
enum { BOX_LAYERS_TEXT = 80 };
void box_layers_put(unsigned layers, char ret[static BOX_LAYERS_TEXT]);
int box_layers_get(struct span text, unsigned *ret, struct err *err) MUST_CHECK;

#endif
