/* cron.h - schedules of workers, seen from the rest of live.
 *
 * A worker runs one event at a time: other schedules of it that come due meanwhile wait, and a schedule that
 * comes due again while it runs or waits is skipped, and said.  Times are those of the wall clock, UTC, whole
 * minutes.  What came due while no node ran is not run, but said: how often, and since when.
 *
 * Inside live/ only.  Loop thread only. */
#ifndef CORRAL_LIVE_CRON_H
#define CORRAL_LIVE_CRON_H

#include "catalog/trigger.h"
#include "live/inside.h"

int cron_open(struct live *live, struct err *err) MUST_CHECK;
/* None begins any more; those that run go on. */
void cron_drain(struct live *live);
/* Runs get CRON_DRAIN_MS to end.  Frees: no timer and no job of it is left when closed() comes, once, perhaps
 * at once. */
void cron_close(struct live *live, void (*closed)(struct live *live));

/* As the catalog says, whenever it was read.  Copied. */
void cron_install(struct live_worker *worker, const struct schedules *schedules);
/* The worker is going: nothing of it comes due any more, what runs is cut. */
void cron_forget(struct live_worker *worker);

#endif
