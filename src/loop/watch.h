/* watch.h - say when something under some folders has changed.
 *
 * Watches folders recursively by inotify.  What counts: a file was written and
 * closed, renamed into place, linked, removed; a folder came or went.  Writing
 * alone counts only when the writer does not close the file for WATCH_OPEN_MS.
 * `changed` fires once for a burst, WATCH_QUIET_MS after its last event and at
 * most WATCH_BURST_MS after its first; when the kernel lost events, it fires.
 *
 * Ownership: watch_open, watch_close(cb), heap.  Loop thread only.
 * Errors: ERR_LIMIT when there are more folders than WATCH_FOLDERS_MAX or than
 * the kernel allows, ERR_NOT_FOUND, ERR_SYSTEM, ERR_NOMEM. */
#ifndef CORRAL_LOOP_WATCH_H
#define CORRAL_LOOP_WATCH_H

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"

enum {
    WATCH_QUIET_MS = 10,
    WATCH_BURST_MS = 100,
    WATCH_OPEN_MS = 200,
    WATCH_FOLDERS_MAX = 8192,
};

struct watch;

struct watch_events {
    /* Is this file or folder (and all below it) none of our business?  `name` is
     * the last part of `path`.  Never asked about a root. */
    bool (*is_ignored)(void *self, const char *path, const char *name);
    /* `path`: the last thing that changed, or a root when that is not known. */
    void (*changed)(void *self, const char *path);
};

int watch_open(uv_loop_t *loop, const struct watch_events *events, void *self,
               struct watch **ret_watch, struct err *err) MUST_CHECK;
/* One more root.  A root that goes away is watched again when it comes back. */
int watch_add(struct watch *watch, const char *folder, struct err *err) MUST_CHECK;
/* closed may be NULL: nobody waits. */
void watch_close(struct watch *watch, void (*closed)(void *self));
/* Folders watched now; for tests and doctor. */
unsigned watch_folders(const struct watch *watch);

#endif
