/* cron.h - when a cron expression is due, by the rules of Cloudflare's Cron Triggers.
 *
 * Five fields, spaces or tabs between them; all times are UTC:
 *
 *     minute          0-59                      *  ,  -  /
 *     hour            0-23                      *  ,  -  /
 *     day of month    1-31                      *  ,  -  /  L  L-3  LW  L-3W  15W
 *     month           1-12 or JAN-DEC           *  ,  -  /
 *     day of week     1-7 or SUN-SAT            *  ,  -  /  L  FRIL (or 6L)  FRI#2 (or 6#2)
 *
 * Sunday is 1.  A range may go over the end: FRI-MON, 22-2.  "15/5" is from 15 on, "1-20/5" and "*" with a step
 * are as everywhere.  L is the last day of the month (of the week: Saturday), L-3 the third before it, LW the
 * last of Monday to Friday, 15W that of them which is nearest to the 15th in the same month, FRIL the last
 * Friday, FRI#2 the second one; these stand alone, not in lists.  When both days are given, either will do.
 *
 * The grammar is that of Cloudflare's own parser (saffron).  Where it gives "1,*" a meaning that nobody expects,
 * this one refuses it, and so is an expression that never comes (30 February).
 *
 * Pure; fuzzed by test/fuzz/fuzz_cron.c. */
#ifndef CORRAL_TEXT_CRON_H
#define CORRAL_TEXT_CRON_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

enum { CRON_TEXT_MAX = 512 };

struct cron {
    uint64_t minutes;   /* bit 0: minute 0 */
    uint32_t hours;     /* bit 0: 0 o'clock */
    uint32_t months;    /* bit 1: January */
    enum cron_day {
        CRON_DAY_ANY,
        CRON_DAY_SET,           /* days */
        CRON_DAY_LAST,          /* `offset` days before the last */
        CRON_DAY_LAST_WORKDAY,  /* LW */
        CRON_DAY_LAST_NEAREST,  /* the workday nearest to `offset` days before the last */
        CRON_DAY_NEAREST,       /* the workday nearest to `day` */
    } day_kind;
    uint32_t days;      /* bit 1: the first */
    unsigned offset, day;
    enum cron_weekday {
        CRON_WEEKDAY_ANY,
        CRON_WEEKDAY_SET,       /* weekdays */
        CRON_WEEKDAY_LAST,      /* the last `weekday` of the month */
        CRON_WEEKDAY_NTH,       /* the nth */
    } weekday_kind;
    uint32_t weekdays;  /* bit 1: Sunday */
    unsigned weekday, nth;
};

/* ERR_INVALID: text says which field and why. */
int cron_parse(struct span text, struct cron *ret, struct err *err) MUST_CHECK;

/* The first time behind `after_ms` (milliseconds since 1970, from then on); -1: none in forty years. */
int64_t cron_next(const struct cron *cron, int64_t after_ms);

#endif
