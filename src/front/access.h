/* access.h - the access log of a node that serves: one JSON object per line and request.
 *
 *   {"time": "2026-01-02T03:04:05.678Z", "ray": "16 hex digits", "client": "192.0.2.1",
 *    "method": "GET", "scheme": "https", "host": "a.example", "path": "/x", "protocol": "HTTP/1.1",
 *    "tls": "TLSv1.3" or null, "status": 200 (0: the client got none), "outcome": "ok", "bytes_in": 0,
 *    "bytes_out": 5, "duration_ms": 1.234, "cpu_ms": 0.812 or null, "worker": "hello" or null,
 *    "version": "..." or null}
 *
 * The path comes without its query, which may hold secrets, unless with_query.  Of requests that could not
 * be read method, host and path are null.  bytes_*: of bodies.  outcome: see front_ending; WebSockets have their line
 * when they end.
 *
 * A thread writes, so a slow pipe or disk holds nobody up; what does not fit into ACCESS_PENDING_MAX is dropped,
 * counted, and said: in the log by {"time": ..., "dropped": N}, and on stderr.
 *
 * Ownership: access_open / access_close.  Loop thread only. */
#ifndef CORRAL_FRONT_ACCESS_H
#define CORRAL_FRONT_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum {
    ACCESS_PENDING_MAX = 1 << 20, /* bytes of lines that have not been given to the writer */
    ACCESS_FIELD_MAX = 8 * 1024,  /* bytes of a path or name; the rest is cut */
    ACCESS_CLOSE_MS = 1000,       /* how long access_close waits for a slow reader */
};

struct access;

struct access_config {
    const char *file; /* appended to, made with mode 0640; NULL: fd */
    int fd;           /* borrowed; file NULL */
    bool with_query;
};

int access_open(const struct access_config *config, struct access **ret_access,
                struct err *err) MUST_CHECK;
/* The file was moved away (logrotate): write to a new one of its name.  Without a file: nothing happens.
 * An error: the old one goes on. */
int access_reopen(struct access *access, struct err *err) MUST_CHECK;
/* Writes what is there; fronts that use it are closed. */
void access_close(struct access *access);
/* Lines that were lost, ever. */
uint64_t access_dropped(struct access *access);

/* ---- for the front ---- */

struct visit { /* spans: "" is null */
    int64_t time_ms;
    struct span ray, client, method, scheme, host, target, protocol, tls, outcome, worker, version;
    unsigned status;
    uint64_t bytes_in, bytes_out;
    int64_t duration_us, cpu_us; /* cpu -1: null */
};

void access_note(struct access *access, const struct visit *visit);

/* visit.c: the line, with its newline.  Pure.  ERR_NOMEM: out is as before. */
int visit_put(struct buf *out, const struct visit *visit, bool with_query) MUST_CHECK;
int visit_put_dropped(struct buf *out, int64_t time_ms, uint64_t count) MUST_CHECK;

#endif
