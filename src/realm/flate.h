/* flate.h - zlib and brotli a step at a time, both ways: CompressionStream, DecompressionStream,
 * node:zlib.
 *
 * The bytes are a stranger's: what one step writes is bounded by the room that
 * the caller gives.  Modes and what flush and status mean are zlib's own
 * numbers, which Node.js shows to programs: a status of 0 is "go on", 1 "the
 * end was reached", 2 "it wants a dictionary", below 0 an error of zlib's
 * (FLATE_STUCK: nothing could be done, which more input or room mends).
 *
 * Memory that is short is an error of each step, but for FLATE_BROTLI: the
 * library ends the process then, which is a worker's instance.
 *
 * Ownership: flate_new, flate_free.  Thread: one owner. */
#ifndef CORRAL_REALM_FLATE_H
#define CORRAL_REALM_FLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum flate_mode {
    FLATE_DEFLATE = 1,
    FLATE_INFLATE,
    FLATE_GZIP,
    FLATE_GUNZIP,
    FLATE_DEFLATE_RAW,
    FLATE_INFLATE_RAW,
    FLATE_UNZIP, /* gzip or zlib, by its first bytes */
    FLATE_UNBROTLI,
    FLATE_BROTLI,
};

enum { FLATE_OK = 0, FLATE_END = 1, FLATE_BROKEN = -3, FLATE_STUCK = -5 };
enum { FLATE_LEVEL = -1, FLATE_WINDOW = 15, FLATE_MEMORY = 8, FLATE_STRATEGY = 0 };

struct flate_how {
    enum flate_mode mode;
    int level, window, memory,
        strategy;           /* zlib's levels, windowBits (8 to 15), memLevel, strategy */
    struct span dictionary; /* copied; empty: none */
};

struct flate;

/* NULL when out of memory, or when zlib refuses the numbers. */
struct flate *flate_new(const struct flate_how *how);
void flate_free(struct flate *f);
/* Eats of *in what it can, writes to room, of which *left bytes stay; flush: zlib's (0 to 5) or
 * brotli's operation (0 to 3). */
int flate_step(struct flate *f, int flush, struct span *in, char *room, size_t len,
               size_t *ret_left);
/* From the beginning, with the same numbers. */
int flate_reset(struct flate *f);
/* Another level and strategy of a compressor of zlib's from here on; it may write, so it is given
 * room as flate_step is. */
int flate_tune(struct flate *f, int level, int strategy, char *room, size_t len, size_t *ret_left);
/* A parameter of brotli's (BROTLI_PARAM_..., BROTLI_DECODER_PARAM_...), before the first step. */
bool flate_set(struct flate *f, uint32_t name, uint32_t value);
/* What the last error was about, "" when nobody knows; valid until the next call. */
const char *flate_message(const struct flate *f);

#endif
