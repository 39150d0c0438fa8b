/* reader.h - read a project, prepare its packages, copy its files: beside the loop.
 *
 * A configuration in TOML costs a process, a bundle may have 256 MiB, packages may have to be
 * fetched for minutes: requests must not wait for any of them.  One reading runs at a time, in libuv's
 * thread pool.  All of project/ but project_ignores and what only reads a struct project belongs to
 * the reader while it is busy.
 *
 * Loop thread only. */
#ifndef CORRAL_CLI_READER_H
#define CORRAL_CLI_READER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

#include "link/link.h"
#include "packages/environment.h"
#include "project/bundle.h"
#include "project/project.h"

struct reading {
    struct project project;         /* as far as it was read, also after a failure */
    struct environment environment; /* when r is 0 */
    struct bundle bundle;           /* likewise */
    struct linked linked;           /* likewise, of JavaScript */
    struct diagnostics diagnostics;
    bool is_project_bad;            /* when r is not 0: not only its packages cannot be had */
    int r;                          /* of project_load, environments_get or bundle_make */
    struct err err;
};

/* What the receiver wants to keep it takes out, leaving zeroes. */
typedef void (*reader_done_fn)(void *self, struct reading *reading);

/* Embedded: reader_open; reader_close when it is not busy, or never. */
struct reader {
    uv_work_t work;
    uv_async_t told;
    uv_mutex_t lock;                /* over news */
    struct buf news;                /* lines of progress that the loop has not logged yet */
    const struct project_options *options;  /* borrowed */
    struct environments environments;
    atomic_bool is_cancelled;
    bool runs_build;                /* the next reading runs [build] command; a reading that begins takes it away */
    bool is_building;               /* this one does */
    reader_done_fn done;
    void *self;
    struct reading reading;
    bool is_busy;
};

/* Progress is logged.  ERR_SYSTEM. */
int reader_open(struct reader *reader, uv_loop_t *loop, const struct project_options *options,
                reader_done_fn done, void *self, struct err *err) MUST_CHECK;
void reader_close(struct reader *reader);

/* done(self, reading) comes from the loop.  ERR_SYSTEM. */
int reader_start(struct reader *reader, struct err *err) MUST_CHECK;
/* Wait no longer for packages: done() comes soon, with ERR_CANCELLED if it was about them. */
void reader_cancel(struct reader *reader);
void reading_done(struct reading *reading);

/* Delete a bundle beside the loop; failures are logged.  Takes the inside of `bundle`. */
void reader_discard(uv_loop_t *loop, struct bundle *bundle);

#endif
