/* limit.h - what one worker may use: the names, the ranges, and what counts when several speak.
 *
 * A limit is said in three places: the worker's own configuration (`[limits]`),
 * its account's quota, and the node's corral.toml.  Each of them is a limit_set,
 * and the smallest that somebody has said counts (limit_least).  The names are
 * those of the keys in all three, and of the label `limit` in metrics.
 *
 * Pure, plain data. */
#ifndef CORRAL_BASE_LIMIT_H
#define CORRAL_BASE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum limit {
    LIMIT_CPU,          /* cpu_ms: processor time of one request */
    LIMIT_WALL,         /* wall_ms: from a request's arrival until its answer has begun */
    LIMIT_STARTUP,      /* startup_ms: top-level code */
    LIMIT_MEMORY,       /* memory_mb: of an instance above its template, of a template above the zygote */
    LIMIT_TMP,          /* tmp_mb: files below /tmp and /session */
    LIMIT_THREADS,      /* threads: of an instance */
    LIMIT_DESCRIPTORS,  /* descriptors: likewise */
    LIMIT_BODY,         /* body_mb: of a request */
    LIMIT_MESSAGE,      /* message_mb: of a WebSocket, that comes */
    LIMIT_LOG,          /* log_kb: lines of one request */
    LIMIT_INSTANCES,    /* instances: of a version */
    LIMIT_SUBREQUESTS,  /* subrequests: what one request may ask of the node */
    LIMIT_CONNECTIONS,  /* connections: outgoing ones of one request at a time */
    LIMITS
};

/* Those that a process of a worker's sees to itself: it says so when its code meets one. */
#define LIMITS_INSIDE                                                                              \
    (1u << LIMIT_MEMORY | 1u << LIMIT_TMP | 1u << LIMIT_THREADS | 1u << LIMIT_MESSAGE)

/* 0: no limit.  All zeroes: nothing is limited. */
struct limit_set {
    int64_t of[LIMITS];
};

/* "cpu_ms" */
const char *limit_name(enum limit limit);
/* Anything between these, both included, may be written in a worker's configuration; 0 only in a node's. */
int64_t limit_min(enum limit limit);
int64_t limit_max(enum limit limit);
/* The limit with this name; false: there is none. */
bool limit_find(struct span name, enum limit *ret);
/* Of each one the smaller, where 0 is more than any. */
void limit_least(struct limit_set *set, const struct limit_set *other);

/* Of a node where nobody says otherwise: `corral serve`, and the more generous `corral dev`.  Wider in builds with
 * a sanitizer, in which a process holds several times what its worker does. */
extern const struct limit_set LIMIT_SERVE, LIMIT_DEV;
/* By how much memory JavaScript's heap goes; 0: nobody says.  The same in every build. */
uint64_t limit_heap_bytes(const struct limit_set *set);

#endif
