/* tail.h - who listens to what a worker does: trace events, for `corral tail` and `wrangler tail`.
 *
 * Every request, scheduled run and other event of a worker with at least one tail becomes one JSON
 * object, a trace item as Cloudflare's tail sends it:
 *
 *   {"outcome": "ok", "scriptName": ..., "scriptVersion": {"id": ...}, "eventTimestamp": ms,
 *    "wallTime": ms, "cpuTime": ms, "exceptions": [{"name", "message", "stack", "timestamp"}],
 *    "logs": [{"message": [...], "level": "log", "timestamp": ms}], "diagnosticsChannelEvents": [],
 *    "truncated": false, "event": {"request": {"url", "method", "headers", "cf"},
 *    "response": {"status"}} or {"cron", "scheduledTime"} or null}
 *
 * A worker without tails pays nothing for this.  A listener that does not read loses events, which are
 * counted and told by an event of its own, {"type": "overload", "message": ...}; nothing waits for it. */
#ifndef CORRAL_LIVE_TAIL_H
#define CORRAL_LIVE_TAIL_H

#include <jansson.h>

#include "live/live.h"

enum {
    TAILS_MAX = 10,                   /* of a worker, as at Cloudflare */
    TAIL_QUEUE_BYTES_MAX = 1 << 20,   /* of events that its listener has not taken */
    TAIL_LOG_BYTES_MAX = 128 * 1024,  /* of log text of one event: then "truncated" */
    TAIL_TTL_MS = 6 * 60 * 60 * 1000, /* then it is closed */
    TAIL_WAIT_MS = 60 * 1000,         /* nobody has connected: it is gone */
};

struct tail;

/* `filters`: [{"sampling_rate": 0.5}, {"outcome": [...]}, {"method": [...]}, {"header": {"key",
 * "query"}}, {"client_ip": ["self", ...]}, {"query": "foo"}, {"scriptVersion": id}], all of which an event must pass.
 * `client`: the address that "self" means.  ERR_INVALID: a filter; ERR_LIMIT; ERR_GONE.  Whether there is such a worker is
 * the caller's question to the catalog. */
int tail_create(struct live *live, const char *account_id, const char *worker_name, json_t *filters,
                const char *client, struct tail **ret_tail, struct err *err) MUST_CHECK;
/* 32 random hexadecimal digits: who knows them may listen. */
const char *tail_id(const struct tail *tail);
int64_t tail_expires_ms(const struct tail *tail);
/* NULL: none.  account_id NULL: of any account (for its own URL). */
struct tail *tail_find(struct live *live, const char *account_id, const char *tail_id);
/* [{"id", "expires_ms"}] of a worker; NULL: no memory. */
json_t *tail_list(struct live *live, const char *account_id, const char *worker_name);
/* Events from now on.  event(): the JSON text of one; return false when it was not taken (then it counts
 * as dropped); it must not call into this room.  ended(): the tail was deleted or has expired, and is
 * gone when this returns.  One listener at a time: ERR_LIMIT. */
struct tail_listener {
    bool (*event)(void *self, struct span json);
    void (*ended)(void *self);
};
int tail_listen(struct tail *tail, const struct tail_listener *listener, void *self,
                struct err *err) MUST_CHECK;
void tail_unlisten(struct tail *tail);
/* Send it all, whatever its filters say. */
void tail_set_debug(struct tail *tail, bool is_debug);
void tail_delete(struct tail *tail);

#endif
