/* clock.c - read the kernel's clocks, or the one that a test has set. */
#include "base/clock.h"

#include <time.h>

static int64_t fake_ms = -1;

void clock_fake(int64_t ms) { fake_ms = ms; }

static int64_t read_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_now_us(void) { return fake_ms >= 0 ? fake_ms * 1000 : read_us(CLOCK_MONOTONIC); }
int64_t clock_now_ms(void) { return clock_now_us() / 1000; }
int64_t clock_wall_ms(void) { return fake_ms >= 0 ? fake_ms : read_us(CLOCK_REALTIME) / 1000; }
