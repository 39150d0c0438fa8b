/* clock.h - the time, behind a hand that tests can turn.
 *
 * clock_now_ms is monotonic, for deadlines and durations; clock_wall_ms counts
 * from the Unix epoch, for people.  clock_fake(t) freezes both at t (ms) until
 * clock_fake(-1).  Thread: any; clock_fake belongs to tests. */
#ifndef CORRAL_BASE_CLOCK_H
#define CORRAL_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void);
int64_t clock_now_us(void);
int64_t clock_wall_ms(void);
void clock_fake(int64_t ms);

#endif
