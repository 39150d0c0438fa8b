/* metrics.h - counters of what live does, for /metrics.
 *
 * Counted per worker, and per version for the newest METRICS_VERSIONS_MAX of it; what older ones have
 * done goes on under the version "older".  A worker that is deleted takes its counters along.
 *
 * Inside live/ and for api/health.c.  Loop thread only. */
#ifndef CORRAL_LIVE_METRICS_H
#define CORRAL_LIVE_METRICS_H

#include "base/buf.h"
#include "live/inside.h"
#include "service/outlets.h"

enum {
    METRICS_VERSIONS_MAX = 4,    /* of a worker */
    METRICS_DATABASES_MAX = 32,  /* of a worker; further ones count as "other" */
};

/* A request of a worker has ended.  version_id NULL: nobody knows. */
void metrics_count(struct live_worker *worker, const char *version_id,
                   const struct front_outcome *outcome);
/* A scheduled run has. */
void metrics_cron(struct live_worker *worker, enum front_ending ending);
/* A limit of it was met. */
void metrics_limited(struct live_worker *worker, enum limit limit);
/* A version's template was started because something wants it: ms until it was ready, -1: it did not load. */
void metrics_started(struct live_worker *worker, int64_t ms);
/* A call on a database of it has ended: for outlets.counted. */
void metrics_d1(struct live_worker *worker, const struct outlet *outlet, int64_t us, bool is_good);
/* The worker is going. */
void metrics_forget(struct live_worker *worker);

/* All of it in the text format of Prometheus; account_id not NULL: only this one's.  ERR_NOMEM. */
int metrics_text(struct live *live, const char *account_id, struct buf *out) MUST_CHECK;

#endif
