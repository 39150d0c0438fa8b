/* url_set.c - reading and setting the parts of a parsed URL.
 *
 * A setter makes the new text of its part and splices it into href; the marks
 * behind it move.  In the standard these are the parser's states with an
 * override; a value that such a state refuses leaves the URL as it was. */
#include "text/url_inside.h"

#include <stdio.h>
#include <string.h>

#include "text/percent.h"

static struct span between(const struct url *u, size_t from, size_t to)
{
    return (struct span){buf_data(&u->href) + from, to > from ? to - from : 0};
}

static bool has_credentials(const struct url *u)
{
    return u->has_host && u->mark[URL_HOST_AT] > u->mark[URL_SCHEME_END] + 3u;
}

static struct span username(const struct url *u)
{
    return between(u, u->mark[URL_SCHEME_END] + 3u, u->has_host ? u->mark[URL_USER_END] : 0);
}

static struct span password(const struct url *u)
{
    return between(u, u->mark[URL_USER_END] + 1u,
                   has_credentials(u) ? u->mark[URL_HOST_AT] - 1u : 0);
}

struct span url_get(const struct url *u, enum url_part part)
{
    const uint32_t *mark = u->mark;
    struct span s = {"", 0};

    switch (part) {
    case URL_HREF:
        return buf_span(&u->href);
    case URL_PROTOCOL:
        return between(u, 0, mark[URL_SCHEME_END] + 1u);
    case URL_USERNAME:
        return username(u);
    case URL_PASSWORD:
        return password(u);
    case URL_HOST:
        return between(u, mark[URL_HOST_AT], url_head_len(u));
    case URL_HOSTNAME:
        return between(u, mark[URL_HOST_AT], mark[URL_HOST_END]);
    case URL_PORT:
        return between(u, mark[URL_HOST_END] + 1u, url_head_len(u));
    case URL_PATHNAME:
        return between(u, mark[URL_PATH_AT], mark[URL_QUERY_AT]);
    case URL_SEARCH:
        s = between(u, mark[URL_QUERY_AT], mark[URL_HASH_AT]);
        break;
    case URL_HASH:
        s = between(u, mark[URL_HASH_AT], url_len(u));
        break;
    }
    return s.len > 1 ? s : SPAN(""); /* "?" and "#" alone read as nothing */
}

int url_origin(const struct url *u, struct buf *out)
{
    struct span host = url_get(u, URL_HOST), path = url_get(u, URL_PATHNAME);
    struct span scheme = between(u, 0, u->mark[URL_SCHEME_END]);
    struct url inner;
    int r;

    if (url_is_special(u) && u->scheme != URL_FILE)
        return buf_print(out, "%.*s://%.*s", SPAN_ARG(scheme), SPAN_ARG(host));
    if (!span_is(scheme, "blob"))
        return buf_append(out, "null", 4);
    url_init(&inner);
    r = url_parse(&inner, path, NULL, NULL);
    if (r == ERR_INVALID || (r == 0 && inner.scheme != URL_HTTP && inner.scheme != URL_HTTPS))
        r = buf_append(out, "null", 4);
    else if (r == 0)
        r = url_origin(&inner, out);
    url_done(&inner);
    return r;
}

/* Put `with` in the place of [from, to); the marks from `mark` on move. */
static int splice(struct url *u, size_t from, size_t to, struct span with, enum url_mark mark)
{
    size_t len = url_len(u);
    char *room, *text;

    if (len - (to - from) + with.len > URL_MAX)
        return ERR_LIMIT;
    if (buf_reserve(&u->href, with.len, &room) < 0)
        return ERR_NOMEM;
    text = u->href.mem + u->href.head;
    memmove(text + from + with.len, text + to, len - to);
    memcpy(text + from, with.len > 0 ? with.data : "", with.len);
    u->href.tail = u->href.tail - (to - from) + with.len;
    for (int i = (int)mark; i < URL_MARKS; i++)
        u->mark[i] = (uint32_t)(u->mark[i] - (to - from) + with.len);
    return 0;
}

static int set_protocol(struct url *u, struct span value)
{
    size_t len;
    struct buf name = {0};
    enum url_scheme scheme;
    int r;

    if (buf_append(&name, value.data, value.len) < 0 || buf_append(&name, ":", 1) < 0) {
        buf_done(&name);
        return ERR_NOMEM;
    }
    len = url_scheme_len(buf_span(&name));
    for (size_t i = 0; i < len; i++)
        if (name.mem[i] >= 'A' && name.mem[i] <= 'Z')
            name.mem[i] |= 0x20;
    value = (struct span){buf_data(&name), len};
    scheme = url_scheme_of(value);
    r = 0;
    if (len == 0 || (scheme == URL_OTHER) != (u->scheme == URL_OTHER))
        goto done;
    if (scheme == URL_FILE && (has_credentials(u) || u->port != URL_NO_PORT))
        goto done;
    if (u->scheme == URL_FILE && u->mark[URL_HOST_AT] == u->mark[URL_HOST_END])
        goto done;
    r = splice(u, 0, u->mark[URL_SCHEME_END], value, URL_SCHEME_END);
    if (r < 0)
        goto done;
    u->scheme = scheme;
    if (u->port != URL_NO_PORT && u->port == url_default_port(scheme)) {
        r = splice(u, u->mark[URL_HOST_END], u->mark[URL_PATH_AT], SPAN(""), URL_PATH_AT);
        u->port = URL_NO_PORT;
    }
done:
    buf_done(&name);
    return r;
}

/* Only a URL with a host that is not empty has a user and a port. */
static bool can_have_port(const struct url *u)
{
    return u->has_host && u->mark[URL_HOST_AT] < u->mark[URL_HOST_END] && u->scheme != URL_FILE;
}

static int set_credentials(struct url *u, enum url_part part, struct span value)
{
    struct buf text = {0};
    struct span user = username(u), pass = password(u);
    size_t user_len;
    int r = 0;

    if (part == URL_USERNAME)
        r = percent_encode(&text, value, PERCENT_USERINFO);
    else
        r = buf_append(&text, user.data, user.len);
    user_len = buf_len(&text);
    if (r == 0 && (part == URL_PASSWORD ? value.len : pass.len) > 0)
        r = buf_append(&text, ":", 1);
    if (r == 0)
        r = part == URL_PASSWORD ? percent_encode(&text, value, PERCENT_USERINFO)
                                 : buf_append(&text, pass.data, pass.len);
    if (r == 0 && buf_len(&text) > 0)
        r = buf_append(&text, "@", 1);
    if (r == 0)
        r = splice(u, u->mark[URL_SCHEME_END] + 3u, u->mark[URL_HOST_AT], buf_span(&text),
                   URL_HOST_AT);
    if (r == 0)
        u->mark[URL_USER_END] = (uint32_t)(u->mark[URL_SCHEME_END] + 3u + user_len);
    buf_done(&text);
    return r;
}

static int set_port(struct url *u, struct span value)
{
    char text[8];
    int32_t port = URL_NO_PORT;
    size_t len = 0;
    int r;

    if (value.len > 0) {
        while (len < value.len && value.data[len] >= '0' && value.data[len] <= '9')
            len++;
        if (len == 0 || url_read_port((struct span){value.data, len}, u->scheme, &port) < 0)
            return 0;
    }
    len = port == URL_NO_PORT ? 0 : (size_t)snprintf(text, sizeof text, ":%d", port);
    r = splice(u, u->mark[URL_HOST_END], u->mark[URL_PATH_AT], (struct span){text, len},
               URL_PATH_AT);
    if (r == 0)
        u->port = port;
    return r;
}

static int put_host_text(struct url *u, struct span host)
{
    struct buf text = {0};
    uint32_t at = u->mark[URL_SCHEME_END] + 1u;
    int r;

    if (u->has_host)
        return splice(u, u->mark[URL_HOST_AT], u->mark[URL_HOST_END], host, URL_HOST_END);
    r = buf_append(&text, "//", 2);
    if (r == 0)
        r = buf_append(&text, host.data, host.len);
    if (r == 0) /* in the place of the "/." that a path may have had */
        r = splice(u, at, u->mark[URL_PATH_AT], buf_span(&text), URL_PATH_AT);
    if (r == 0) {
        u->has_host = true;
        u->mark[URL_USER_END] = u->mark[URL_HOST_AT] = at + 2;
        u->mark[URL_HOST_END] = (uint32_t)(at + 2 + host.len);
    }
    buf_done(&text);
    return r;
}

/* The host at the start of value, and the port behind it when the part is URL_HOST. */
static int set_host(struct url *u, enum url_part part, struct span value, url_domain_fn to_ascii)
{
    bool is_special = url_is_special(u), is_bracketed = false;
    struct buf host = {0};
    size_t end = 0;
    int r = 0;

    for (; end < value.len; end++) {
        char c = value.data[end];
        if (c == '/' || c == '?' || c == '#' || (c == '\\' && is_special))
            break;
        if (c == ':' && !is_bracketed && u->scheme != URL_FILE) {
            if (end == 0 || part == URL_HOSTNAME)
                return 0;
            break;
        }
        is_bracketed = c == '[' || (is_bracketed && c != ']');
    }
    if (end == 0 && u->scheme != URL_FILE &&
        (is_special || has_credentials(u) || u->port != URL_NO_PORT))
        return 0;
    if (end > 0)
        r = url_put_host(&host, (struct span){value.data, end}, is_special, to_ascii);
    if (r == ERR_INVALID || r == ERR_LIMIT) {
        r = 0;
        goto done;
    }
    if (u->scheme == URL_FILE && span_is(buf_span(&host), "localhost"))
        buf_eat(&host, buf_len(&host));
    if (r == 0)
        r = put_host_text(u, buf_span(&host));
    if (r == 0 && end + 1 < value.len && value.data[end] == ':')
        r = set_port(u, (struct span){value.data + end + 1, value.len - end - 1});
done:
    buf_done(&host);
    return r;
}

static int set_pathname(struct url *u, struct span value)
{
    struct url path = {.scheme = u->scheme, .has_host = u->has_host};
    bool is_special = url_is_special(u);
    bool is_slash =
        value.len > 0 && (value.data[0] == '/' || (value.data[0] == '\\' && is_special));
    size_t end, at = url_head_len(u);
    int r = 0;

    /* `path` has no scheme in front: its marks are those of u less `at`. */
    if (value.len > 0 || is_special || !u->has_host)
        r = url_put_path(&path, value, is_slash, URL_PATH_TO_END, &end);
    if (r == 0)
        r = url_guard_path(&path);
    if (r == 0)
        r = splice(u, at, u->mark[URL_QUERY_AT], buf_span(&path.href), URL_QUERY_AT);
    if (r == 0)
        u->mark[URL_PATH_AT] = (uint32_t)(at + path.mark[URL_PATH_AT]);
    buf_done(&path.href);
    return r;
}

/* Search and hash: text behind their sign.  An empty value takes the sign away too. */
static int set_tail(struct url *u, enum url_part part, struct span value, bool is_empty)
{
    bool is_search = part == URL_SEARCH;
    enum percent_set set = !is_search          ? PERCENT_FRAGMENT
                           : url_is_special(u) ? PERCENT_SPECIAL_QUERY
                                               : PERCENT_QUERY;
    struct buf text = {0};
    char sign = is_search ? '?' : '#';
    size_t from = u->mark[is_search ? URL_QUERY_AT : URL_HASH_AT];
    size_t to = is_search ? u->mark[URL_HASH_AT] : url_len(u);
    int r = 0;

    if (!is_empty) {
        r = buf_append(&text, &sign, 1);
        if (r == 0)
            r = percent_encode(&text, value, set);
    }
    if (r == 0)
        r = splice(u, from, to, buf_span(&text), is_search ? URL_HASH_AT : URL_MARKS);
    buf_done(&text);
    return r;
}

static int set_href(struct url *u, struct span value, url_domain_fn to_ascii)
{
    struct url fresh;
    int r;

    url_init(&fresh);
    r = url_parse(&fresh, value, NULL, to_ascii);
    if (r < 0) {
        url_done(&fresh);
        return r;
    }
    url_done(u);
    *u = fresh;
    return 0;
}

static int set_part(struct url *u, enum url_part part, struct span value, bool is_empty,
                    url_domain_fn to_ascii)
{
    switch (part) {
    case URL_HREF:
        return set_href(u, value, to_ascii);
    case URL_PROTOCOL:
        return set_protocol(u, value);
    case URL_USERNAME:
    case URL_PASSWORD:
        return can_have_port(u) ? set_credentials(u, part, value) : 0;
    case URL_HOST:
    case URL_HOSTNAME:
        return u->is_opaque ? 0 : set_host(u, part, value, to_ascii);
    case URL_PORT:
        return can_have_port(u) && (is_empty || value.len > 0) ? set_port(u, value) : 0;
    case URL_PATHNAME:
        return u->is_opaque ? 0 : set_pathname(u, value);
    case URL_SEARCH:
    case URL_HASH:
        return set_tail(u, part, value, is_empty);
    }
    return 0;
}

int url_set(struct url *u, enum url_part part, struct span value, url_domain_fn to_ascii)
{
    struct buf clean = {0};
    bool is_empty = value.len == 0; /* which "\n" is not */
    int r = 0;

    if (value.len > URL_MAX)
        return ERR_LIMIT;
    if (is_empty)
        value = SPAN("");
    if ((part == URL_SEARCH && value.data[0] == '?') ||
        (part == URL_HASH && value.data[0] == '#')) {
        value.data++;
        value.len--;
    }
    if (part != URL_HREF && part != URL_USERNAME && part != URL_PASSWORD)
        r = url_strip(value, &clean, &value);
    if (r == 0)
        r = set_part(u, part, value, is_empty, to_ascii);
    buf_done(&clean);
    return r;
}
