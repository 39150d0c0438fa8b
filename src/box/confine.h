/* confine.h - the smaller boxes: of the programs beside the workers, which read what strangers
 * wrote.
 *
 *   reader    has what it needs open, and opens nothing any more: the TOML helper.  (A database's
 *             process is one too; it has a filter of its own, and store/start.c.)
 *   tool      a program that reads some folders, writes into some, has threads, and no network and
 * no processes: a bundler packager  likewise, with processes of its own and connections out
 *
 * box_confine enters all layers that it is told to, in an order that works, and fails loudly when
 * one of them cannot be entered.  There is no way back.  Single-threaded process, before a
 * stranger's byte. */
#ifndef CORRAL_BOX_CONFINE_H
#define CORRAL_BOX_CONFINE_H

#include <stdint.h>

#include "base/err.h"
#include "box/box.h"
#include "box/tier.h"

struct box_walls {
    enum box_stage stage; /* BOX_READER, BOX_TOOL or BOX_PACKAGER */
    unsigned layers;      /* BOX_BITs: all are demanded, but BOX_UID: see `uid` */
    /* With BOX_UID and BOX_TREE, and where the file systems of `owns` and `writes` can show their
     * files as another user's: who it becomes.  Elsewhere, and with 0, it stays who it is, and
     * loses his rights. */
    unsigned uid;
    /* Absolute paths of files and folders, NULL behind the last; NULL: none.  What is not there is
     * left out.  "/" among `reads`: everything may be read, and there is no tree. */
    const char *const *reads;  /* and run */
    const char *const *owns;   /* likewise; those that not everybody can read, perhaps */
    const char *const *writes; /* and read, never run */
    bool has_local_sockets; /* unix sockets by path: Landlock and a tree do not stand before those
                             * that can be found.  BOX_PACKAGER alone */
    uint64_t memory_bytes;  /* address space of each process; 0: no limit */
    uint64_t file_bytes;    /* of each file; 0: no limit */
    unsigned cpu_seconds;   /* of each process; 0: no limit */
};

/* With BOX_PIDS, and a stage that may have processes, what returns is a child of the caller: the
 * caller itself waits for it, and ends as it ends.  ERR_SYSTEM: a layer cannot be entered, which
 * one and why; ERR_INVALID: a path is not absolute. */
int box_confine(const struct box_walls *walls, struct err *err) MUST_CHECK;

#endif
