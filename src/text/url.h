/* url.h - URLs by the WHATWG URL standard: parsing, serialising, setting a part.
 *
 * A parsed URL is its own serialisation (`href`) and marks where its parts are,
 * so that reading costs nothing and the common http URL is made in one pass.
 *
 *   https://user:pass@example.com:1234/foo/bar?baz#quux
 *        |      |     |          |    |       |   `-- HASH_AT
 *        |      |     |          |    |       `------ QUERY_AT, or HASH_AT when there is none
 *        |      |     |          |    `-------------- PATH_AT, behind "/." when that keeps a path
 *        |      |     |          |                    of "//..." from being read as a host
 *        |      |     |          `------------------- HOST_END; what follows is the port
 *        |      |     `------------------------------ HOST_AT, behind the '@'
 *        |      `------------------------------------ USER_END: a ':' when there is a password
 *        `------------------------------------------- SCHEME_END
 *
 * Input is UTF-8; ill-formed bytes are percent-encoded as they are, and no
 * host can hold them.
 *
 * Names of hosts beyond ASCII are the caller's business (url_domain_fn), as
 * only one of the two programs links a Unicode library.
 *
 * Ownership: url_init (or zeroes) and url_done; a struct url may be used for
 * one parse after the other and keeps its memory.
 * Errors: ERR_INVALID (not a URL), ERR_LIMIT (URL_MAX), ERR_NOMEM; they carry
 * no text, as the caller knows what the URL is to the user.  Thread: any. */
#ifndef CORRAL_TEXT_URL_H
#define CORRAL_TEXT_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum {
    URL_MAX = 16 << 20, /* bytes of a URL, before and after parsing */
    URL_NO_PORT = -1,
};

enum url_mark {
    URL_SCHEME_END,
    URL_USER_END,
    URL_HOST_AT,
    URL_HOST_END,
    URL_PATH_AT,
    URL_QUERY_AT,
    URL_HASH_AT,
    URL_MARKS
};

enum url_scheme { /* the standard's special ones, and the rest */
                  URL_OTHER,
                  URL_HTTP,
                  URL_HTTPS,
                  URL_WS,
                  URL_WSS,
                  URL_FTP,
                  URL_FILE,
};

struct url {
    struct buf href;
    uint32_t mark[URL_MARKS];
    int32_t port; /* URL_NO_PORT: none, or the scheme's own */
    enum url_scheme scheme;
    bool has_host;  /* false: mailto:x and the like */
    bool is_opaque; /* the path is one piece, as in data:x */
};

/* Domain to ASCII by UTS 46, non-transitional, as the URL standard calls it.
 * `domain` is percent-decoded.  Asked only when it is not ASCII or holds a
 * label "xn--".  Append the result; ERR_INVALID, ERR_NOMEM, ERR_LIMIT. */
typedef int (*url_domain_fn)(struct span domain, struct buf *out);

/* The parts as JavaScript's URL gives and takes them. */
enum url_part {
    URL_HREF,
    URL_PROTOCOL,
    URL_USERNAME,
    URL_PASSWORD,
    URL_HOST,
    URL_HOSTNAME,
    URL_PORT,
    URL_PATHNAME,
    URL_SEARCH,
    URL_HASH,
};

void url_init(struct url *u);
void url_done(struct url *u);

/* Parse, relative to base when that is not NULL; base may not be u.  After a
 * failure u holds nothing.  With to_ascii NULL a host beyond ASCII is invalid,
 * and labels "xn--" are taken as they are. */
int url_parse(struct url *u, struct span input, const struct url *base,
              url_domain_fn to_ascii) MUST_CHECK;

/* A part as text; valid until u changes. */
struct span url_get(const struct url *u, enum url_part part);
/* Set it, as the setters of JavaScript's URL do: what is not a value for it
 * changes nothing (and is no error), except for URL_HREF: ERR_INVALID. */
int url_set(struct url *u, enum url_part part, struct span value,
            url_domain_fn to_ascii) MUST_CHECK;

/* "https://example.com", or "null" for an opaque origin. */
int url_origin(const struct url *u, struct buf *out) MUST_CHECK;

#endif
