/* trace.h - what live tells about its requests to those who follow them: tails.
 *
 * The work is event.c's; here it is tied to the tickets and workers of live.  Inside live/ only.
 * Loop thread only. */
#ifndef CORRAL_LIVE_TRACE_H
#define CORRAL_LIVE_TRACE_H

#include "live/inside.h"

int trace_open(struct live *live, struct err *err) MUST_CHECK;
/* Every tail ends. */
void trace_close(struct live *live);

/* A request goes to a version; the ticket is new.  No trace is kept of a worker that nobody follows. */
void trace_begin(struct live_ticket *ticket, const struct front_arrival *arrival);
/* As trace_begin, for a scheduled run. */
void trace_scheduled(struct live_ticket *ticket, const char *cron, int64_t scheduled_ms);
/* What tails have of the line that comes next: pool_events.told. */
void trace_told(struct live_ticket *ticket, struct span told);
/* Output of a worker.  ticket NULL: of no request in particular; worker NULL: of a candidate, or gone. */
void trace_log(struct live_worker *worker, struct live_ticket *ticket, enum log_level level,
               struct span text);
/* Likewise, of an exception that nobody caught: pool_events.raised. */
void trace_raised(struct live_worker *worker, struct live_ticket *ticket, struct span text);
/* It was answered, or ended otherwise; waitUntil may still run. */
void trace_finished(struct live_ticket *ticket, const struct front_outcome *outcome);
/* Nothing of it runs any more: the ticket goes when this returns. */
void trace_done(struct live_ticket *ticket);
/* The worker is going: its tails end. */
void trace_forget(struct live_worker *worker);

#endif
