/* websocket.h - bytes of RFC 6455 to messages and back.
 *
 * A reader is given bytes as they come and says one thing at a time: a whole
 * message, or a control frame.  The outcome does not depend on where the bytes
 * were cut.  A message is gathered as it arrives: what a frame only announces
 * takes no memory.
 *
 * Checked: reserved bits and opcodes, masking, shortest lengths, control
 * frames, the order of fragments, UTF-8 of text and of a close's reason, close
 * codes, the size of a message.
 *
 * Plain value: websocket_init and websocket_done.  Pure; fuzzed by
 * test/fuzz/fuzz_websocket.c.  Errors: ERR_INVALID and ERR_LIMIT, with
 * reader.status as the code to close with; ERR_NOMEM. */
#ifndef CORRAL_TEXT_WEBSOCKET_H
#define CORRAL_TEXT_WEBSOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

enum {
    WEBSOCKET_HEAD_MAX = 14,     /* bytes before a frame's payload */
    WEBSOCKET_CONTROL_MAX = 125, /* bytes of a control frame's payload */
    WEBSOCKET_REASON_MAX = 123,  /* bytes of a close's reason */
};

enum websocket_opcode {
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
};

enum websocket_code {
    WEBSOCKET_NORMAL = 1000,
    WEBSOCKET_AWAY = 1001,
    WEBSOCKET_PROTOCOL = 1002,
    WEBSOCKET_NO_CODE = 1005,  /* never sent: the close had none */
    WEBSOCKET_ABNORMAL = 1006, /* never sent: there was no close */
    WEBSOCKET_NOT_UTF8 = 1007,
    WEBSOCKET_TOO_BIG = 1009,
    WEBSOCKET_FAILED = 1011,
    WEBSOCKET_RESTART = 1012,
    WEBSOCKET_TRY_LATER = 1013,
};

struct websocket_reader {
    size_t message_max; /* bytes */
    bool is_server;     /* frames must be masked; else they must not */
    bool is_lenient;    /* of a server: the client's first frame need not be masked, as wrangler's is
                           not; to be set behind websocket_init, false from then on */
    unsigned status;    /* after an error: the code to close with */
    /* The frame that is being read. */
    uint8_t head[WEBSOCKET_HEAD_MAX];
    uint8_t head_len;
    bool has_head, is_end;
    uint8_t opcode, mask[4];
    uint64_t left; /* bytes of its payload to come */
    uint32_t mask_at;
    uint8_t control_len;
    char control[WEBSOCKET_CONTROL_MAX];
    /* The message that is being gathered. */
    uint8_t kind;   /* WEBSOCKET_TEXT or _BINARY; 0: none is */
    size_t checked; /* bytes of it that are whole UTF-8 */
    struct buf message;
};

struct websocket_item {
    enum websocket_opcode kind;
    struct span bytes; /* until the next read; TEXT and BINARY: all of reader.message,
                        * which may be detached; CLOSE: the reason */
    unsigned code;     /* CLOSE */
};

void websocket_init(struct websocket_reader *r, bool is_server, size_t message_max);
void websocket_done(struct websocket_reader *r);
/* Take from *in; 1 with *ret, 0 when more bytes are needed.  After an error it must not be called
 * again. */
int websocket_read(struct websocket_reader *r, struct span *in, struct websocket_item *ret,
                   struct err *err) MUST_CHECK;

/* Append one whole frame; mask: 4 random bytes of a client, or NULL.  ERR_NOMEM. */
int websocket_put(struct buf *out, enum websocket_opcode kind, const uint8_t *mask,
                  struct span payload) MUST_CHECK;
/* Only its head, without a mask: len bytes of payload follow.  ERR_NOMEM. */
int websocket_put_head(struct buf *out, enum websocket_opcode kind, size_t len) MUST_CHECK;
/* A close; code WEBSOCKET_NO_CODE puts none.  reason: at most WEBSOCKET_REASON_MAX bytes. */
int websocket_put_close(struct buf *out, unsigned code, const uint8_t *mask,
                        struct span reason) MUST_CHECK;
/* May this code stand in a close? */
bool websocket_is_code(unsigned code);
/* The longest prefix of s of at most max bytes that ends with a whole character. */
struct span websocket_cut(struct span s, size_t max);

#endif
