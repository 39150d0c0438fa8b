/* exposition.h - lines in the text format of Prometheus (version 0.0.4).
 *
 *     exposition_begin(&e, "corral_requests_total", "counter", "Requests that have ended.");
 *     exposition_label(&e, "worker", name);
 *     exposition_value(&e, "", 12);
 *
 * Labels are collected for one line and forgotten behind it.  After an error (no memory) nothing more
 * is written, and exposition_end says so.  Plain value over a buffer of somebody else's. */
#ifndef CORRAL_LIVE_EXPOSITION_H
#define CORRAL_LIVE_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct exposition {
    struct buf *out;
    const char *name; /* of the family */
    struct buf labels;
    bool has_failed;
};

struct exposition_histogram { /* of durations */
    uint64_t buckets[12];     /* not cumulative; EXPOSITION_BOUNDS, the rest is only in count */
    uint64_t count, sum_us;
};
#define EXPOSITION_BUCKETS 12
extern const double EXPOSITION_BOUNDS[EXPOSITION_BUCKETS]; /* seconds */

void exposition_init(struct exposition *e, struct buf *out);
/* HELP and TYPE. */
void exposition_begin(struct exposition *e, const char *name, const char *type, const char *help);
/* Escaped as need be. */
void exposition_label(struct exposition *e, const char *name, const char *value);
/* suffix: behind the family's name, "_sum". */
void exposition_value(struct exposition *e, const char *suffix, double value);
/* All lines of one, with the labels so far. */
void exposition_histogram(struct exposition *e, const struct exposition_histogram *h);
void histogram_add(struct exposition_histogram *h, int64_t us);
int exposition_end(struct exposition *e) MUST_CHECK;

#endif
