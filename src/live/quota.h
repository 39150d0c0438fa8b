/* quota.h - how much workers may still use today: takes, counts, limits per call.
 *
 * A day is one of UTC.  Two limits hold for a request: its worker's own, if it has one, and its account's
 * (in the catalog, else corral.toml's) over all its workers.  What is used is counted here and added to the
 * catalog about once a second and at the end: a node that is killed forgets at most that second.
 *
 * Inside live/ only.  Loop thread only. */
#ifndef CORRAL_LIVE_QUOTA_H
#define CORRAL_LIVE_QUOTA_H

#include "catalog/quota.h"
#include "live/inside.h"

enum quota_verdict { QUOTA_OK, QUOTA_USED_UP };

/* Asks the desk for what was used today: before any job that reads workers. */
int quota_open(struct live *live, struct err *err) MUST_CHECK;
/* What was counted goes to the catalog now; counting goes on. */
void quota_drain(struct live *live);
/* The rest too: live may go, and the desk when its jobs are done. */
void quota_close(struct live *live);

/* As the catalog says, whenever it was read. */
void quota_install_account(struct live_account *account, const struct quota *quota);
void quota_install(struct live_worker *worker, const struct quota *quota);
/* The worker is going: whatever hangs on it. */
void quota_forget(struct live_worker *worker);
/* The account is. */
void quota_forget_account(struct live_account *account);

/* A request has come for it. */
enum quota_verdict quota_take(struct live_worker *worker);
/* One that was taken has ended. */
void quota_count(struct live_worker *worker, const struct front_outcome *outcome);
/* Requests of today that were counted for it. */
int64_t quota_used(struct live_account *account);
/* Until the next day. */
unsigned quota_wait_s(const struct live *live);
/* CPU time of one request, for pool_spec; 0: no limit. */
int64_t quota_cpu_ms(const struct live_worker *worker);

/* ---- the clock of quotas and schedules ---- */

/* clock_wall_ms, or what tests make of it: live_config.clock_speed, clock_ahead_ms. */
int64_t live_wall_ms(const struct live *live);

#endif
