/* desk.h - the thread that works on the catalog, seen from the loop.
 *
 * Jobs run one after the other in the order they came, in one thread that owns the catalog, so that
 * no fsync happens on the loop's thread and no two changes cross.  A job is embedded in whatever
 * belongs to it: `work` runs in the thread and touches nothing that the loop may touch meanwhile,
 * `done` then runs on the loop, and the memory is the owner's again.
 *
 * Ownership: desk_open; desk_close waits (by callback) until all jobs are done.  Loop thread only.
 */
#ifndef CORRAL_CATALOG_DESK_H
#define CORRAL_CATALOG_DESK_H

#include <uv.h>

#include "catalog/catalog.h"
#include "loop/ring.h"

struct desk;

struct desk_job {
    struct ring ring;
    void (*work)(struct desk_job *job, struct catalog *catalog);
    void (*done)(struct desk_job *job);
};

enum { DESK_JOBS_MAX = 10000 };

/* Opens the catalog, at once.  Errors of catalog_open. */
int desk_open(uv_loop_t *loop, const struct catalog_config *config, struct desk **ret_desk,
              struct err *err) MUST_CHECK;
void desk_close(struct desk *desk, void (*closed)(void *self), void *self);
/* Jobs that have not come back; and for how many ms none has, 0 when there are none. */
size_t desk_count(const struct desk *desk);
int64_t desk_stalled_ms(const struct desk *desk);
/* Bundles are swept by the thread, when it has nothing to do; for tests: so often, from the next
 * desk_open on. */
void desk_sweep_every(int64_t ms);
/* ERR_LIMIT: DESK_JOBS_MAX wait; ERR_GONE: it is closing.  done() never comes then. */
int desk_add(struct desk *desk, struct desk_job *job, struct err *err) MUST_CHECK;

#endif
