/* reader.h - read a project and copy its files, beside the loop.
 *
 * A configuration in TOML costs a process, a bundle may have 256 MiB: requests must
 * not wait for either.  One reading runs at a time, in libuv's thread pool.  All of
 * project/ but project_ignores and what only reads a struct project belongs to the
 * reader while it is busy.
 *
 * Embedded, zeroed.  Loop thread only. */
#ifndef CORRAL_CLI_READER_H
#define CORRAL_CLI_READER_H

#include <stdbool.h>
#include <uv.h>

#include "project/bundle.h"
#include "project/project.h"

struct reading {
    struct project project;         /* as far as it was read, also after a failure */
    struct bundle bundle;           /* when r is 0 */
    struct diagnostics diagnostics;
    int r;                          /* of project_load or bundle_make */
    struct err err;
};

/* What the receiver wants to keep it takes out, leaving zeroes. */
typedef void (*reader_done_fn)(void *self, struct reading *reading);

struct reader {
    uv_work_t work;
    const struct project_options *options;  /* borrowed */
    reader_done_fn done;
    void *self;
    struct reading reading;
    bool is_busy;
};

/* Here and now, on this thread; then reading_done.  Only while the reader is not busy. */
void reader_read(const struct project_options *options, struct reading *ret_reading);
/* done(self, reading) comes from the loop.  ERR_SYSTEM. */
int reader_start(struct reader *reader, uv_loop_t *loop, const struct project_options *options,
                 reader_done_fn done, void *self, struct err *err) MUST_CHECK;
void reading_done(struct reading *reading);

/* Delete a bundle beside the loop; failures are logged.  Takes the inside of `bundle`. */
void reader_discard(uv_loop_t *loop, struct bundle *bundle);

#endif
