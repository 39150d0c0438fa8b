/* message.h - what the frames say: one struct per message, both directions.
 *
 * x_put appends a whole frame to a buffer; x_get reads one out of a frame that
 * frame_parse has found.  Spans in a struct filled by x_get point into the
 * frame's bytes and live as long as they do.  The bytes come from a hostile
 * process: x_get checks every length, refuses bytes left over, and never
 * allocates.
 *
 * Errors: x_put ERR_NOMEM, or ERR_LIMIT when the message is over frame_limit
 * (nothing is appended then); x_get ERR_INVALID.
 *
 * Pure; fuzzed by test/fuzz/fuzz_frame.c. */
#ifndef CORRAL_WIRE_MESSAGE_H
#define CORRAL_WIRE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/frame.h"

/* In the word by which an instance says whose code runs (herd/witness.h): it ends, as it gets no more
 * memory. */
#define WORD_FULL UINT32_MAX

enum role { ROLE_ZYGOTE = 1, ROLE_TEMPLATE = 2, ROLE_INSTANCE = 3, ROLE_STORE = 4 };

/* A list of name-value pairs (header fields, variables), still encoded. */
struct pairs {
    struct span bytes;
    uint32_t count;
};

struct hello {              /* child -> node, first frame */
    uint32_t version;       /* WIRE_VERSION; anything else ends the child */
    uint32_t role;          /* enum role */
    struct span python;     /* "3.11.2"; zygote only */
    struct span javascript; /* "JavaScriptCore 2.50.6"; zygote only */
};

struct log_line {           /* frame.stream: the request it belongs to, or 0 */
    uint32_t level;         /* enum log_level */
    struct span text;       /* UTF-8 */
    struct span told;       /* for tails: JSON, ["log", argument ...]; "": the text says it all */
};

struct request {
    struct span method;
    struct span url;        /* absolute: http://host:port/path?query */
    struct pairs headers;   /* in order of arrival, names as they came */
    int64_t body_length;    /* bytes; -1 when not known; 0 with FRAME_END */
    uint32_t is_upgrade;    /* 1: the opening handshake of a WebSocket, body_length 0 without FRAME_END.
                               Only when its answer is a 101 are there bodies, in both directions: the
                               bytes of the connection behind the heads */
};

/* What a worker is called for other than a request.  Its answer is a RESPONSE, status 200, whose
 * body is a JSON object: "outcome" is "ok" or "exception", then with "error", the traceback. */
struct event {              /* always with FRAME_END */
    struct span kind;       /* "scheduled", "queue" ...: sdk/js/occasions.js has them all */
    struct span entrypoint; /* name of its class; "" for the default one */
    struct span payload;    /* a JSON object */
};

struct response {
    uint32_t status;        /* 200 to 599; or 101 to an upgrade, body_length -1 */
    struct span status_text;/* "" for the standard one */
    struct pairs headers;   /* repeated names stay apart */
    int64_t body_length;    /* bytes that will follow; -1 when not known */
};

/* An outcall: what an instance asks of the node on behalf of its worker.  Which
 * arguments, headers and results there are is the binding's business: fetch
 * takes method and url, and gives the HTTP status and headers. */
struct outcall_head {
    uint32_t request;       /* stream of the request it is made for, 0: none; for logs */
    struct span binding;    /* its name in the worker's configuration; "": the platform itself */
    struct span method;     /* "fetch" */
    struct pairs arguments;
    struct pairs headers;
    int64_t body_length;    /* bytes; -1 when not known; 0 with FRAME_END */
};

struct reply {
    uint32_t status;        /* of HTTP, or in its sense */
    struct pairs results;
    struct pairs headers;   /* names in lower case; repeated names stay apart */
    int64_t body_length;    /* bytes that will follow; -1 when not known */
};

struct credit {
    uint32_t bytes;         /* more that the peer may send on this stream */
};

enum reset_reason {
    RESET_CLIENT_GONE = 1,  /* node: nobody waits for the answer any more */
    RESET_DEADLINE = 2,     /* node: it took too long */
    RESET_UNREAD = 3,       /* instance: wants no more of the request's body; the answer goes on */
    RESET_EXCEPTION = 4,    /* instance: the handler raised; text is the traceback */
    RESET_BAD_RESULT = 5,   /* instance: the handler gave something that is no Response */
    RESET_BODY = 6,         /* instance: the response's body failed after its head was sent */
    RESET_CANCELLED = 7,    /* instance, on an outcall: nobody there waits for it any more */
    RESET_FAILED = 8,       /* node, on an outcall: text is for the worker, one line; what stands
                               behind it in further lines is detail */
};

struct reset {
    uint32_t reason;        /* enum reset_reason */
    struct span text;       /* UTF-8, for people */
};

/* A limit that the process itself sees to was reached, and its code has got an error for it. */
struct met {
    uint32_t limit;         /* enum limit: those of LIMITS_INSIDE */
};

struct spawn {              /* SPAWN, FORK */
    uint32_t id;            /* chosen by the node, comes back in the answer */
    uint64_t memory_bytes;  /* RLIMIT_AS above what the process has; 0: none */
    uint32_t descriptors;   /* FORK: RLIMIT_NOFILE; 0: as many as there may be */
    uint32_t is_timed;      /* FORK: 1: its requests may use so much of the processor alone, and a second
                               descriptor is the memory in which it says whose code runs */
    struct span paths;      /* SPAWN: what the template may read beside the system's: absolute paths,
                               '\n' behind each */
};

struct spawned {
    uint32_t id;
    uint32_t pid;           /* as the sender sees it: a hint, never an identity */
};

struct spawn_failed {
    uint32_t id;
    uint32_t is_retry;      /* 1: has helper threads still; ask again in a moment */
    struct span text;
};

struct exited {
    uint32_t pid;           /* as the sender sees it */
    uint32_t status;        /* as waitpid gives it */
};

struct load {
    struct span name;       /* of the worker */
    struct span folder;     /* absolute path of the bundle */
    struct span main;       /* path inside the folder: "src/entry.py" */
    struct span compatibility_date;     /* "2026-03-01" or "" */
    struct span compatibility_flags;    /* separated by spaces */
    struct span env;        /* a JSON object: the bindings that are plain values */
    struct span bindings;   /* a JSON object of all others: {"DB": {"type": "d1"}} */
    struct span packages;   /* a JSON object, or "": see struct realm_bundle */
    uint64_t tmp_bytes;     /* files below /tmp and /session together; 0: no limit */
    uint64_t message_bytes; /* of one message of a WebSocket; 0: no limit */
    struct span request_cf; /* a JSON object, what request.cf says of every request; or "" */
};

struct loaded {
    uint32_t handlers;      /* bit set of enum handler */
};

enum handler {
    HANDLER_FETCH = 1,
    HANDLER_SCHEDULED = 2,
    HANDLER_QUEUE = 4,
    HANDLER_ALARM = 8,
    HANDLER_TRACE = 16,
    HANDLER_PUBSUB = 32,
    HANDLER_TEST = 64,
};

enum failure {              /* why a bundle did not load */
    FAILURE_SYNTAX = 1,     /* file, line, column and source say where */
    FAILURE_IMPORT = 2,     /* a module was not found: `module` names it */
    FAILURE_EXCEPTION = 3,  /* top-level code raised */
    FAILURE_NO_HANDLER = 4,
    FAILURE_INTERNAL = 5,
};

struct failed {
    uint32_t kind;          /* enum failure */
    struct span text;       /* one line */
    struct span hint;       /* what to do, or "" */
    struct span traceback;  /* whole, or "" */
    struct span file;       /* path inside the bundle, or "" */
    uint32_t line;          /* from 1; 0: not known */
    uint32_t column;        /* from 1, in characters; 0: not known */
    struct span module;     /* FAILURE_IMPORT */
};

/* Pairs: encode into a buffer of their own, give it to the message. */
int pairs_add(struct buf *b, struct span name, struct span value) MUST_CHECK;
/* Walk: start with *at = 0; false at the end.  Safe on any pairs that x_get gave. */
bool pairs_next(const struct pairs *p, size_t *at, struct span *ret_name, struct span *ret_value);

#define MESSAGES(X)                                                                                \
    X(hello, FRAME_HELLO)                                                                          \
    X(log_line, FRAME_LOG)                                                                         \
    X(request, FRAME_REQUEST)                                                                      \
    X(event, FRAME_EVENT)                                                                          \
    X(response, FRAME_RESPONSE)                                                                    \
    X(outcall_head, FRAME_OUTCALL)                                                                 \
    X(reply, FRAME_REPLY)                                                                          \
    X(met, FRAME_MET)                                                                              \
    X(credit, FRAME_CREDIT)                                                                        \
    X(reset, FRAME_RESET)                                                                          \
    X(load, FRAME_LOAD)                                                                            \
    X(loaded, FRAME_LOADED)                                                                        \
    X(failed, FRAME_FAILED)                                                                        \
    X(spawned, FRAME_SPAWNED)                                                                      \
    X(spawn_failed, FRAME_SPAWN_FAILED)                                                            \
    X(exited, FRAME_EXITED)

#define MESSAGE_DECLARE(name, type)                                                                \
    int name##_put(struct buf *out, uint8_t flags, uint32_t stream, const struct name *m,          \
                   struct err *err) MUST_CHECK;                                                    \
    int name##_get(const struct frame *f, struct name *ret, struct err *err) MUST_CHECK;
MESSAGES(MESSAGE_DECLARE)
#undef MESSAGE_DECLARE

/* SPAWN and FORK carry the same struct: say which. */
int spawn_put(struct buf *out, enum frame_type type, const struct spawn *m,
              struct err *err) MUST_CHECK;
int spawn_get(const struct frame *f, struct spawn *ret, struct err *err) MUST_CHECK;

#endif
