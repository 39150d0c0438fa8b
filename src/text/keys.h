/* keys.h - where each key of a JSON or TOML text stands, for messages.
 *
 * Parsers give values without positions.  A scan walks the text once more,
 * only as closely as needed to find keys and the starts of their values, and
 * keeps their offsets by path: {"env", "staging", "vars"}; the elements of a
 * list have "0", "1" ... as their key.  A scan of a text that its parser would
 * refuse stops where it does not understand; what it found until then stays.
 *
 * Embedded: keys_init (or zeroes) and keys_done.  Keys written with escapes
 * ("\u0041") are kept as written, so they are not found.
 *
 * Errors: ERR_NOMEM; ERR_LIMIT: nested deeper than KEYS_DEPTH_MAX, where says
 * keys.deep_at.  Pure; fuzzed by test/fuzz/fuzz_jsonc.c, fuzz_toml_keys.c. */
#ifndef CORRAL_TEXT_KEYS_H
#define CORRAL_TEXT_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum {
    KEYS_DEPTH_MAX = 64,        /* tables and lists inside each other */
    KEYS_MAX = 20000,           /* later ones are not kept: their place is unknown */
};

struct key {
    size_t path_at, path_len;   /* in keys.paths */
    size_t key_at, value_at;    /* offsets in the text; of a table header: both its key */
};

struct keys {
    struct key *items;
    size_t count, cap;
    struct buf paths;
    struct buf path;            /* where the scan stands */
    size_t deep_at;
};

void keys_init(struct keys *k);
void keys_done(struct keys *k);

int keys_scan_json(struct keys *k, struct span text) MUST_CHECK;    /* in text/jsonc.c */
int keys_scan_toml(struct keys *k, struct span text) MUST_CHECK;    /* in text/toml_keys.c */

/* The first key with this path, or NULL; valid until the next scan. */
const struct key *keys_find(const struct keys *k, const char *const *path, size_t depth);

/* For the scans: make the path `prefix_len` bytes long, then add a segment. */
int keys_push(struct keys *k, size_t prefix_len, struct span segment) MUST_CHECK;
int keys_push_index(struct keys *k, size_t prefix_len, unsigned index) MUST_CHECK;
/* Keep the path as it is now; value_at may be corrected through k->items. */
int keys_note(struct keys *k, size_t key_at, size_t value_at) MUST_CHECK;

#endif
