/* limit.c - the table of limits. */
#include "base/limit.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

#ifdef HAS_SANITIZER
/* What was freed is kept for a while (256 MB), every piece has its red zones, every page its
 * shadow, and the engine takes its memory from the same place: a worker that holds 30 MB weighs
 * 480, one that was used for all of test_hostile_api.py 900 and, when its collectors come late,
 * 1,300.  Imports take several times as long. */
enum { WIDER = 4, SLOWER = 4 };
#else
enum { WIDER = 1, SLOWER = 1 };
#endif

static const struct {
    const char *name;
    int64_t min, max;
} LIMIT_TABLE[LIMITS] = {
    [LIMIT_CPU] = {"cpu_ms", 1, 300000},
    [LIMIT_WALL] = {"wall_ms", 1, 86400000},
    [LIMIT_STARTUP] = {"startup_ms", 100, 300000},
    [LIMIT_MEMORY] = {"memory_mb", 16, 1 << 20},
    [LIMIT_TMP] = {"tmp_mb", 1, 1 << 20},
    [LIMIT_THREADS] = {"threads", 8, 1024},
    [LIMIT_DESCRIPTORS] = {"descriptors", 64, 256},
    [LIMIT_BODY] = {"body_mb", 1, 1 << 20},
    [LIMIT_MESSAGE] = {"message_mb", 1, 128},
    [LIMIT_LOG] = {"log_kb", 1, 1 << 20},
    [LIMIT_INSTANCES] = {"instances", 1, 256},
    [LIMIT_SUBREQUESTS] = {"subrequests", 1, 10000000},
    [LIMIT_CONNECTIONS] = {"connections", 1, 256},
};

const struct limit_set LIMIT_SERVE = {{[LIMIT_CPU] = 30000 * SLOWER,
                                       [LIMIT_STARTUP] = 10000 * SLOWER,
                                       [LIMIT_MEMORY] = 512 * WIDER,
                                       [LIMIT_TMP] = 128,
                                       [LIMIT_THREADS] = 192,
                                       [LIMIT_DESCRIPTORS] = 256,
                                       [LIMIT_BODY] = 100,
                                       [LIMIT_MESSAGE] = 32,
                                       [LIMIT_LOG] = 256,
                                       [LIMIT_SUBREQUESTS] = 10000,
                                       [LIMIT_CONNECTIONS] = 6}};
const struct limit_set LIMIT_DEV = {{[LIMIT_STARTUP] = 10000 * SLOWER,
                                     [LIMIT_MEMORY] = 1280 * WIDER,
                                     [LIMIT_TMP] = 512,
                                     [LIMIT_THREADS] = 192,
                                     [LIMIT_DESCRIPTORS] = 256,
                                     [LIMIT_BODY] = 500,
                                     [LIMIT_MESSAGE] = 32,
                                     [LIMIT_LOG] = 16384}};

const char *limit_name(enum limit limit)
{
    return LIMIT_TABLE[limit].name;
}

int64_t limit_min(enum limit limit)
{
    return LIMIT_TABLE[limit].min;
}

int64_t limit_max(enum limit limit)
{
    return LIMIT_TABLE[limit].max;
}

bool limit_find(struct span name, enum limit *ret)
{
    for (int i = 0; i < LIMITS; i++)
        if (span_is(name, LIMIT_TABLE[i].name)) {
            *ret = (enum limit)i;
            return true;
        }
    return false;
}

uint64_t limit_heap_bytes(const struct limit_set *set)
{
    return (uint64_t)set->of[LIMIT_MEMORY] / WIDER << 20;
}

void limit_least(struct limit_set *set, const struct limit_set *other)
{
    for (int i = 0; i < LIMITS; i++)
        if (other->of[i] > 0 && (set->of[i] == 0 || other->of[i] < set->of[i]))
            set->of[i] = other->of[i];
}
