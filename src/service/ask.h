/* ask.h - what an instance asks of the world: the arguments and headers of an outcall to the
 * platform.
 *
 *   "fetch"     fetch() of the Web: the node writes Host, Content-Length and what belongs to the
 *               connection; the answer's header names come in lower case.
 *   "exchange"  HTTP clients of Python, which have written a whole request by their own rules: its
 *               headers leave as they are, in their order, save those that would change what a
 *               request is; the answer comes as the server wrote it.  Failures say which of the
 *               kinds that libraries know they are, in a line before the text: "connect 111".
 *
 *   "upgrade"   a GET that asks for a WebSocket; its body, which leaves behind a 101 alone, and the
 *               answer's are the connection's bytes.  The realm writes key and protocols, the node
 *               what else belongs to the handshake, and reads no frame.
 *
 * Arguments: method, url; of an exchange also connect_ms, http2 ("1": may be HTTP/2), proxy (an
 * address by http or https) and proxy_authorization, the value of a header for it.
 * Pure, but for libcurl's lists. */
#ifndef CORRAL_SERVICE_ASK_H
#define CORRAL_SERVICE_ASK_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/err.h"
#include "wire/message.h"

#define ASK_FETCH "fetch"
#define ASK_EXACT "exchange"
#define ASK_UPGRADE "upgrade"

enum { ASK_PROXY_MAX = 1024 }; /* bytes of its address */

struct ask {
    struct span method, url;                /* of the head */
    struct span proxy, proxy_authorization; /* empty: there is none */
    bool is_exact, is_upgrade;
    bool is_h2;     /* may be HTTP/2 */
    int connect_ms; /* 0: not said */
};

int ask_read(const struct outcall_head *head, struct ask *ret, struct err *err) MUST_CHECK;
/* Append to *fields what leaves; *fields is the caller's also on failure. */
int ask_fields(const struct ask *ask, const struct outcall_head *head, bool is_end,
               struct curl_slist **fields, struct err *err) MUST_CHECK;

#endif
