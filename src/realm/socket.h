/* socket.h - a WebSocket over the bytes of a stream, by RFC 6455.
 *
 * As a server, at the end of a request; as a client, at that of an outcall.
 *
 * socket_open answers a request with 101.  From then on the request's body and
 * the answer's are the two directions of the connection; frames are read and
 * written here, and what they say goes to a function of JavaScript
 * (sdk/js/websocket.js):
 *
 *   listener(kind, data, code)
 *     SOCKET_TEXT     a string               SOCKET_BINARY   an ArrayBuffer
 *     SOCKET_CLOSE    the reason, its code; the other side may still be sent to
 *     SOCKET_GONE     "", or why it failed; the last call.  code: as CloseEvent has it
 *
 * Pings are answered here.  The request goes on as long as its socket does; of a client's
 * websocket.js sees to that.  socket_join makes one of the 101 that an outcall of method "upgrade"
 * was answered with; socket_relay passes such a one on to the client of a request, unread.
 *
 * Flow control: bytes are credited as they are read; a socket that is paused
 * reads none.  What its client does not take waits in the answer's outflow, at
 * most SOCKET_WAITING_MAX in all sockets together: the one that would pass that is cut.
 * So do messages that have come in part, at most SOCKET_PARTS_MAX: 1013.
 *
 * Thread: the realm's.  Errors: socket_open ERR_NOMEM, nothing was answered. */
#ifndef CORRAL_REALM_SOCKET_H
#define CORRAL_REALM_SOCKET_H

#include <JavaScriptCore/JavaScript.h>

#include "realm/exchange.h"

struct outcall;

enum {
    SOCKET_WAITING_MAX = 64 * 1024 * 1024, /* bytes that clients have not taken */
    SOCKET_PARTS_MAX = 128 * 1024 * 1024,  /* bytes of messages that are not whole yet */
    SOCKET_CLOSE_MS = 10 * 1000,           /* for the answer to a close of ours */
    SOCKET_PART_MS = 2 * 1000,             /* for a server to hang up behind the last frame */
};

enum socket_kind { SOCKET_TEXT = 1, SOCKET_BINARY = 2, SOCKET_CLOSE = 8, SOCKET_GONE = 0 };

struct socket;

/* response: status 101 and its headers, to which Sec-WebSocket-Accept is added. */
int socket_open(struct exchange *x, const struct host_response *response,
                JSObjectRef listener) MUST_CHECK;
/* As a client; bytes that are here already are told later.  ERR_GONE: there is nothing to read any
 * more; ERR_NOMEM. */
int socket_join(struct outcall *o, JSObjectRef listener) MUST_CHECK;
/* Answer x with 101, and be no more than a wire between its client and the server of o, whose
 * answer nobody has touched. */
void socket_relay(struct exchange *x, const struct host_response *response, struct outcall *o);
/* A key for a handshake, and what the server's must answer a key with: RFC 6455, section 4. */
struct span socket_key(char text[32]);
struct span socket_accept(struct span key, char text[32]);
/* The client has gone.  May free it. */
void socket_abort(struct socket *s);
/* The exchange ends. */
void socket_free(struct socket *s);
/* All of these do nothing when it has been closed in this direction, or is gone. */
void socket_send(struct socket *s, enum socket_kind kind, struct span payload);
/* Bytes that were sent and are still here. */
size_t socket_waiting(const struct socket *s);
/* code: WEBSOCKET_NO_CODE for none. */
void socket_close(struct socket *s, unsigned code, struct span reason);
/* Of a message that comes: beyond it the socket is closed with 1009.  0: no limit but SOCKET_PARTS_MAX. */
void socket_limit(uint64_t message_bytes);
enum socket_reading { SOCKET_READ, SOCKET_PAUSE };
void socket_read(struct socket *s, enum socket_reading reading);
/* Close all that are open and all that will be, with 1012, a client's with 1001. */
void socket_hang_up(void);

#endif
