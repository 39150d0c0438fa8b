/* event.h - one request of a worker that somebody tails, on its way to be a trace event.
 *
 * For the files of this room: trace.c asks event_request, which says NULL when nobody tails (one
 * comparison), and hands what it gave what becomes known; event_end sends the event (tail.h) and
 * frees it.  All of them take NULL.
 *
 *     event_request / event_scheduled -> event_log, event_raised ... -> event_finished -> event_end
 *
 * event_end is due when the request has finished and nothing of it runs any more: after front's
 * `finished` and as many `over` as there were `taken` (pool_events), so that lines of waitUntil are
 * in the event.
 *
 * Ownership: struct tails is live's, tails_open / tails_close.  Loop thread only. */
#ifndef CORRAL_LIVE_EVENT_H
#define CORRAL_LIVE_EVENT_H

#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "base/log.h"
#include "base/span.h"
#include "front/route.h"

struct live;
struct tails; /* all tails of a live */
struct trace;

enum {
    TAILS_ALL_MAX = 1000,          /* of all workers */
    TAILS_ACCOUNT_MAX = 250,       /* of an account's workers: each may be a call to the API that goes on */
    TRACES_BYTES_MAX = 64 << 20,   /* of requests that are not sent yet, together: then without logs */
    TRACE_HEADERS_MAX = 128,       /* of a request: the first ones */
    TRACE_TEXT_MAX = 16 * 1024,    /* bytes of one line; longer ones are cut */
};

int tails_open(uv_loop_t *loop, struct tails **ret_tails, struct err *err) MUST_CHECK;
/* Listeners hear `ended`; it frees itself when the loop has turned and every trace has ended. */
void tails_close(struct tails *tails);
/* Those of this live: trace.c's. */
struct tails *live_tails(struct live *live);

struct trace_source { /* live during the call */
    const char *account_id, *worker_name, *version_id;
};

/* NULL: nobody tails this worker, or there is no memory. */
struct trace *event_request(struct tails *tails, const struct trace_source *source,
                            const struct front_arrival *arrival);
struct trace *event_scheduled(struct tails *tails, const struct trace_source *source,
                              const char *cron, int64_t scheduled_ms);
/* What the next line is to tails: JSON, ["log", argument ...]; what is none is passed by. */
void event_told(struct trace *trace, struct span told);
void event_log(struct trace *trace, enum log_level level, struct span text);
/* Of pool_events.raised. */
void event_raised(struct trace *trace, struct span text);
/* For a scheduled run: ending, started_ms, wall_us, cpu_us and text suffice. */
void event_finished(struct trace *trace, const struct front_outcome *outcome);
/* cpu_us: of all its calls; -1: not measured. */
void event_end(struct trace *trace, int64_t cpu_us);

/* "exceededCpu": the word of trace events. */
const char *event_outcome(enum front_ending ending);

/* For metrics. */
struct tails_count {
    unsigned tails;
    uint64_t events, dropped;
};
/* account_id NULL: of all; else only its `tails`. */
void tails_count(const struct tails *tails, const char *account_id, struct tails_count *ret);
#endif
