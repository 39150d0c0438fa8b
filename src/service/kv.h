/* kv.h - KV namespaces: keys and values in a database of a store.
 *
 *   entry   a row for each key: metadata, when it expires, the first KV_PIECE bytes of its value
 *   piece   what a longer value has behind them, KV_PIECE by KV_PIECE
 *
 * A change is one transaction, however many pairs it has.  What has expired is invisible from that
 * second on; each change removes some of it for good.  Keys are bytes and are listed in the order
 * of their bytes. The tables are made by the first change; a namespace without them is empty.
 *
 *     struct kv_changes changes = {.now_s = ...};
 *     kv_changes_put(&changes, &pair, &err) ... kv_changes_delete(...)       any thread, pure
 *     kv_change(&place, &changes, done, self, &call, &err)                  loop thread
 *     kv_get(...), kv_list(...)
 *
 * `done` comes once, never before the call that started it has returned, and the kv_call is gone
 * behind it.  Errors: ERR_INVALID: a limit below; ERR_LIMIT: it is too much for one call, or the
 * node is busy; ERR_NOT_FOUND: the namespace was deleted; ERR_SYSTEM; ERR_NOMEM. */
#ifndef CORRAL_SERVICE_KV_H
#define CORRAL_SERVICE_KV_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "keeper/keeper.h"

enum {                   /* Cloudflare's limits */
       KV_KEY_MAX = 512, /* bytes */
       KV_VALUE_MAX = 25 << 20,
       KV_METADATA_MAX = 1024,     /* of its JSON */
       KV_LIST_MAX = 1000,         /* keys of one list */
       KV_CHANGES_MAX = 10 * 1000, /* pairs of one call */
       KV_GET_MAX = 100,           /* keys of one get */
       KV_TTL_MIN_S = 60,
       KV_PIECE = 1 << 20,
       KV_GET_BYTES_MAX = 64 << 20, /* of all values of one get */
};

struct kv_place {
    uv_loop_t *loop;
    struct keeper *keeper;
    const char *folder; /* of the namespace, copied */
};

struct kv_pair {
    struct span key, value;
    struct span metadata; /* JSON; data NULL: none */
    int64_t expires_s;    /* since the Unix epoch; 0: never */
};

/* Is it one?  ERR_INVALID says why not. */
int kv_check_key(struct span key, struct err *err) MUST_CHECK;
int kv_check_pair(const struct kv_pair *pair, struct err *err) MUST_CHECK;

/* ---- changes ---- */

struct kv_changes { /* zeroes and now_s; kv_changes_done */
    int64_t now_s;
    struct buf body; /* a call of row/row.h, its count still missing */
    uint32_t statements;
    struct buf rows, keys; /* pairs and deletions that wait to share a statement */
    uint32_t row_count, key_count;
    size_t count;
};
void kv_changes_done(struct kv_changes *changes);
/* They take effect in their order. */
int kv_changes_put(struct kv_changes *changes, const struct kv_pair *pair,
                   struct err *err) MUST_CHECK;
int kv_changes_delete(struct kv_changes *changes, struct span key, struct err *err) MUST_CHECK;

typedef void (*kv_done_fn)(void *self, int result, const struct err *err);
struct kv_call;
void kv_cancel(struct kv_call *call);

/* Takes the inside of `changes`, which is empty then. */
int kv_change(const struct kv_place *place, struct kv_changes *take_changes, kv_done_fn done,
              void *self, struct kv_call **ret, struct err *err) MUST_CHECK;

/* ---- questions ---- */

struct kv_entry {           /* spans live until `done` has returned */
    struct span key, value; /* value: of kv_get */
    struct span metadata;   /* data NULL: none */
    int64_t expires_s;      /* 0: never */
};
struct kv_found {
    const struct kv_entry *items; /* those that there are; of kv_list in their order */
    size_t count;
    bool is_more; /* kv_list: there are keys behind the last */
};
typedef void (*kv_found_fn)(void *self, int result, const struct kv_found *found,
                            const struct err *err);

/* At most KV_GET_MAX keys, now_s: what time it is.  wants_values false: without them. */
int kv_get(const struct kv_place *place, const struct span *keys, size_t count, int64_t now_s,
           bool wants_values, kv_found_fn done, void *self, struct kv_call **ret,
           struct err *err) MUST_CHECK;
/* Those that begin with `prefix`, behind `after` (data NULL: from the first), at most `limit`. */
int kv_list(const struct kv_place *place, struct span prefix, struct span after, unsigned limit,
            int64_t now_s, kv_found_fn done, void *self, struct kv_call **ret,
            struct err *err) MUST_CHECK;

#endif
