/* frame.h - cut the byte stream between two of our processes into frames.
 *
 * Layout, little endian: u32 payload length, u8 type, u8 flags, u16 zero,
 * u32 stream, then the payload.  Stream 0 is the connection itself; a request
 * has a stream of its own, chosen by the node and never used twice on one
 * connection; so has a call that an instance makes, whose numbers have
 * FRAME_OUTCALL_BIT.  Every type has a limit for its payload (frame_limit).
 *
 * The other side is hostile.  A frame that breaks a rule is an error from
 * which there is no way back: the caller ends that peer.
 *
 * Pure: no I/O, no clock; fuzzed by test/fuzz/fuzz_frame.c. */
#ifndef CORRAL_WIRE_FRAME_H
#define CORRAL_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define WIRE_VERSION 9u

enum frame_type {
    /* Any connection. */
    FRAME_HELLO = 1,        /* first frame of a child: struct hello */
    FRAME_LOG = 2,          /* child -> node: struct log_line */
    /* Node <-> instance. */
    FRAME_REQUEST = 16,     /* node -> instance, opens a stream: struct request */
    FRAME_RESPONSE = 17,    /* instance -> node: struct response */
    FRAME_BODY = 18,        /* both ways: raw bytes */
    FRAME_CREDIT = 19,      /* both ways: struct credit */
    FRAME_RESET = 20,       /* both ways: struct reset; the stream is over in both directions */
    FRAME_DONE = 21,        /* instance -> node: empty; nothing of this request runs any more */
    FRAME_PING = 22,        /* node -> instance: empty, on stream 0 */
    FRAME_PONG = 23,        /* instance -> node: empty, at the next turn of its loop */
    FRAME_OUTCALL = 24,     /* instance -> node, opens a stream: struct outcall_head */
    FRAME_REPLY = 25,       /* node -> instance, on that stream: struct reply */
    FRAME_EVENT = 26,       /* node -> instance, opens a stream as REQUEST does: struct event */
    FRAME_HANG_UP = 27,     /* node -> instance: empty, on stream 0; no further calls will come: close
                               what would stay open for long, which is WebSockets */
    FRAME_MET = 28,         /* template, instance -> node: struct met; stream: of the request whose code did, or 0 */
    /* Node <-> zygote, node <-> template. */
    FRAME_SPAWN = 32,       /* node -> zygote, with 2 descriptors: struct spawn */
    FRAME_LOAD = 33,        /* node -> template: struct load */
    FRAME_LOADED = 34,      /* template -> node: struct loaded */
    FRAME_FAILED = 35,      /* template -> node: struct failed */
    FRAME_FORK = 36,        /* node -> template, with 1 descriptor: struct spawn */
    FRAME_SPAWNED = 37,     /* answer to SPAWN or FORK: struct spawned */
    FRAME_SPAWN_FAILED = 38,/* answer to SPAWN or FORK: struct spawn_failed */
    FRAME_EXITED = 39,      /* zygote, template -> node: struct exited */
    FRAME_EVALUATED = 40,   /* template -> node: empty; top-level code has ended, but engine or
                               tenant threads still run: LOADED comes when they have ended */
};

enum frame_flag {
    FRAME_END = 1,          /* REQUEST, EVENT, RESPONSE, OUTCALL, REPLY, BODY: the sender's last byte on
                               this stream; the node's ends the stream of an outcall */
    FRAME_FINISHED = 2,     /* RESPONSE, BODY with FRAME_END: stands for a FRAME_DONE behind it */
    FRAME_RAISED = 4,       /* LOG: an exception that nobody caught */
};

enum {
    FRAME_HEADER = 12,              /* bytes */
    FRAME_BODY_MAX = 64 * 1024,     /* bytes of one BODY payload */
    FRAME_WINDOW = 256 * 1024,      /* bytes of BODY in flight per stream and direction at first */
    FRAME_OUTCALLS_MAX = 256,       /* outcalls open in one instance at once */
};

/* Streams of outcalls: this bit, and a number that goes up by one from 1. */
#define FRAME_OUTCALL_BIT 0x80000000u

struct frame {
    uint8_t type;
    uint8_t flags;
    uint32_t stream;
    struct span payload;    /* borrowed: inside the bytes given to frame_parse */
};

/* The longest payload of a type in bytes, or -1 for an unknown type. */
long frame_limit(uint8_t type);

/* Who sends frames of this type: a set of 1 << enum role, bit 0 for the node.  0: unknown type. */
unsigned frame_senders(uint8_t type);

/* Look for one frame at the start of data[0..len).
 * Returns 1 with *ret and *ret_used (bytes to drop once ret is dealt with),
 * 0 when more bytes are needed, ERR_INVALID or ERR_LIMIT when the peer lies. */
int frame_parse(const char *data, size_t len, struct frame *ret, size_t *ret_used,
                struct err *err) MUST_CHECK;

/* Append one whole frame.  ERR_NOMEM. */
int frame_put(struct buf *out, uint8_t type, uint8_t flags, uint32_t stream, const void *payload,
              size_t len) MUST_CHECK;

/* Append a header whose length is not known yet; *ret_mark is for frame_end,
 * which counts what was appended since.  ERR_NOMEM. */
int frame_begin(struct buf *out, uint8_t type, uint8_t flags, uint32_t stream,
                size_t *ret_mark) MUST_CHECK;
void frame_end(struct buf *out, size_t mark);

/* Add FRAME_FINISHED to the frame that was appended when buf_len(out) was `at`
 * and of which nothing has been eaten since. */
void frame_finish(struct buf *out, size_t at);

/* "REQUEST" and so on, for logs; "?" when unknown. */
const char *frame_name(uint8_t type);

#endif
