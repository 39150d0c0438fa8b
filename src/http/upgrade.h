/* upgrade.h - does a request ask to become a WebSocket?
 *
 * The opening handshake of RFC 6455, section 4.2.1, as far as it is about the
 * request alone.  What answers it, and every frame behind it, is the worker's
 * instance's business.  Pure. */
#ifndef CORRAL_HTTP_UPGRADE_H
#define CORRAL_HTTP_UPGRADE_H

#include "http/head.h"

enum upgrade {
    UPGRADE_NONE, /* an ordinary request */
    UPGRADE_WEBSOCKET,
    UPGRADE_BAD_KEY,     /* it means to, but Sec-WebSocket-Key is not 16 bytes in base64: 400 */
    UPGRADE_BAD_VERSION, /* another version than 13: 426 */
};

/* Of a head that is whole. */
enum upgrade upgrade_of(const struct head *h, const char *data);

#endif
