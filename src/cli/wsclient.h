/* wsclient.h - one WebSocket of the command line: connected and read by whoever waits for it.
 *
 * libcurl makes the connection, TLS and proxies included, and carries bytes; handshake and frames are
 * ours (the libcurl of Debian 12 has no WebSockets).  Pings are answered here.
 *
 * Errors: ERR_GONE: nobody answers, or the connection is lost; ERR_NOT_FOUND: 404; ERR_INVALID: what
 * answers is no WebSocket, or breaks its rules; ERR_NOMEM.  Thread: the main one. */
#ifndef CORRAL_CLI_WSCLIENT_H
#define CORRAL_CLI_WSCLIENT_H

#include "base/err.h"
#include "base/span.h"
#include "text/websocket.h"

enum { WSCLIENT_MESSAGE_MAX = 16 << 20, WSCLIENT_CONNECT_MS = 10 * 1000 };

struct wsclient;

/* url: ws:// or wss://; protocol: the sub-protocol that is wanted.  Blocks until it is up. */
int wsclient_open(const char *url, const char *protocol, struct wsclient **ret,
                  struct err *err) MUST_CHECK;
void wsclient_close(struct wsclient *ws); /* NULL is fine */
/* To wait for: readable when wsclient_read may say something. */
int wsclient_fd(const struct wsclient *ws);
/* The next message, pong or close: 1; 0: nothing now.  Spans live until the next call. */
int wsclient_read(struct wsclient *ws, struct websocket_item *ret, struct err *err) MUST_CHECK;
/* TEXT, PING or CLOSE (payload: the reason, code 1000). */
int wsclient_send(struct wsclient *ws, enum websocket_opcode kind, struct span payload,
                  struct err *err) MUST_CHECK;

#endif
