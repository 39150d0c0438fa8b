/* url_inside.h - what url.c, url_host.c and url_set.c share; for nobody else. */
#ifndef CORRAL_TEXT_URL_INSIDE_H
#define CORRAL_TEXT_URL_INSIDE_H

#include "text/url.h"

/* ---- url.c ---- */

enum url_path_end {
    URL_PATH_TO_QUERY, /* '?' and '#' end it */
    URL_PATH_TO_END,   /* they belong to it: the pathname setter */
};

static inline bool url_is_special(const struct url *u)
{
    return u->scheme != URL_OTHER;
}
static inline size_t url_len(const struct url *u)
{
    return buf_len(&u->href);
}
/* Where the path begins, with its "/." if any. */
static inline size_t url_head_len(const struct url *u)
{
    return u->has_host ? u->mark[URL_PATH_AT] : u->mark[URL_SCHEME_END] + 1u;
}

/* The scheme of this name in lower case. */
enum url_scheme url_scheme_of(struct span name);
int32_t url_default_port(enum url_scheme scheme);
/* The length of a scheme at the start of text, its ':' at the length; 0: none. */
size_t url_scheme_len(struct span text);
/* Append the path that begins at text[at], behind its first slash, to u->href. */
int url_put_path(struct url *u, struct span text, size_t at, enum url_path_end until,
                 size_t *ret_end) MUST_CHECK;
/* Keep a path of "//..." without a host from being read as one. */
int url_guard_path(struct url *u) MUST_CHECK;
/* text without tabs and line ends; into `clean` when there are any. */
int url_strip(struct span text, struct buf *clean, struct span *ret_text) MUST_CHECK;
bool url_is_drive(struct span text); /* "C:" or "C|" */

/* ---- url_host.c ---- */

/* Append the serialised host.  Neither text nor result is empty for a special
 * scheme.  ERR_INVALID: not a host. */
int url_put_host(struct buf *out, struct span text, bool is_special,
                 url_domain_fn to_ascii) MUST_CHECK;
/* Append sign, unless it is NUL, and the number in decimal. */
int url_put_number(struct buf *out, unsigned number, char sign) MUST_CHECK;
/* The port in these digits: 0 and URL_NO_PORT in *ret_port when it is the
 * scheme's own; ERR_INVALID when it is too large. */
int url_read_port(struct span digits, enum url_scheme scheme, int32_t *ret_port) MUST_CHECK;

#endif
