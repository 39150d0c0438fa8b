/* host.h - the realm's only way out.
 *
 * The realm (both engines, the Web APIs, the bridge) knows no socket, no file
 * and no process: what it wants from the world it asks of this table.  In an
 * instance the worker room fills it with frames; a unit test fills it with a
 * recorder.
 *
 * All calls come on the thread that runs the realm, from inside realm_* calls.  Spans
 * are valid during the call only; text is UTF-8.  A call never re-enters the
 * realm.  `stream` names the request, as given to realm_request, or an outcall. */
#ifndef CORRAL_REALM_HOST_H
#define CORRAL_REALM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limit.h"
#include "base/log.h"
#include "base/span.h"

enum {
    HOST_WINDOW = 256 * 1024,   /* bytes of body in flight per request and direction at first:
                                 * FRAME_WINDOW of the wire, which the worker room asserts */
    HOST_OUTCALLS_MAX = 256,    /* outcalls at once: FRAME_OUTCALLS_MAX of the wire, as above */
    HOST_HEAD_MAX = 128 * 1024, /* bytes of status text and headers of one answer, as on Cloudflare */
};

/* Streams of outcalls have this bit: FRAME_OUTCALL_BIT of the wire. */
#define HOST_OUTCALL_BIT 0x80000000u

struct host_pair {
    struct span name;
    struct span value;
};

struct host_response {
    uint32_t status;                    /* 200 to 599, checked by the realm; 101: a WebSocket */
    struct span status_text;            /* "" for the standard one */
    const struct host_pair *headers;    /* names in lower case, checked by the realm */
    size_t header_count;
    int64_t body_length;                /* bytes; -1: not known, body_end will say */
};

/* What the worker asks of the node: see struct outcall_head of the wire. */
struct host_outcall {
    uint32_t request;                   /* the stream it is made for, 0: none */
    struct span binding;                /* "": the platform itself */
    struct span method;
    const struct host_pair *arguments;
    size_t argument_count;
    const struct host_pair *headers;
    size_t header_count;
    int64_t body_length;                /* bytes; -1: not known; 0: there is none */
};

/* As a level of log. */
#define HOST_RAISED LOG_NONE

enum host_failure {
    HOST_EXCEPTION,     /* the handler raised: text is the whole traceback */
    HOST_BAD_RESULT,    /* the handler gave something that is no Response: text says what */
    HOST_BODY,          /* the body failed after respond(): the answer can only be cut */
};

struct host {
    void *self;         /* first argument of every call */
    /* A line (or more) of output; level HOST_RAISED: an exception that nobody caught, an error.
     * stream 0: no request.  told: what tails have of it, as in struct log_line of the wire; or "". */
    void (*log)(void *self, uint32_t stream, enum log_level level, struct span text,
                struct span told);
    /* Its code has met a limit that is seen to in here, one of LIMITS_INSIDE: once for each request.
     * NULL: nobody wants to know. */
    void (*met)(void *self, uint32_t stream, enum limit limit);
    /* The head of the answer, at most HOST_HEAD_MAX bytes; once per request,
     * before any body.  With response->body_length 0 no body call follows. */
    void (*respond)(void *self, uint32_t stream, const struct host_response *response);
    /* Bytes of the answer's body.  Never more than the credit that the realm
     * was given for this stream (HOST_WINDOW at first, realm_credit adds).
     * is_end: these (maybe none) are the last. */
    void (*respond_body)(void *self, uint32_t stream, struct span bytes, bool is_end);
    /* There will be no (more) answer: why.  After respond() only HOST_BODY. */
    void (*fail)(void *self, uint32_t stream, enum host_failure why, struct span text);
    /* So many bytes of the request's body were consumed: more may come. */
    void (*request_credit)(void *self, uint32_t stream, uint32_t bytes);
    /* The request's body is not wanted any more; what is still coming is dropped. */
    void (*request_unwanted)(void *self, uint32_t stream);
    /* Answered (or failed) and every waitUntil has ended.  The last call for this stream. */
    void (*done)(void *self, uint32_t stream);
    /* Ask the node.  The realm chooses the stream: HOST_OUTCALL_BIT and a number
     * that rises by one from 1.  The answer comes by realm_reply and its kin.
     * ERR_LIMIT with err filled: it is too long for the wire and was not sent,
     * which the realm treats as a failed call.  NULL: nothing may be asked now. */
    int (*outcall)(void *self, uint32_t stream, const struct host_outcall *call, struct err *err);
    /* Bytes of its body, under credit as respond_body. */
    void (*outcall_body)(void *self, uint32_t stream, struct span bytes, bool is_end);
    /* So many bytes of the reply's body were consumed. */
    void (*outcall_credit)(void *self, uint32_t stream, uint32_t bytes);
    /* Nobody waits for its reply any more.  The last call for this stream. */
    void (*outcall_cancel)(void *self, uint32_t stream);
};

#endif
