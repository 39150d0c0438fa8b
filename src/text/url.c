/* url.c - the URL standard's basic URL parser, written as one descent.
 *
 * The standard describes a state machine over one character at a time; here
 * each state that takes text is a function that takes all of it and appends
 * the serialised form to href at once:
 *
 *   parse -> scheme -> authority -> path -> query -> fragment
 *            no scheme: what the base has, up to where the input begins
 *
 * The path is its own stack: ".." cuts href at its last slash.
 *
 * Setters (state overrides) are in url_set.c, hosts in url_host.c. */
#include "text/url_inside.h"

#include <string.h>

#include "text/percent.h"

struct parser {
    struct url *u;
    const struct url *base; /* or NULL */
    struct span in;         /* trimmed, without tabs and line ends */
    size_t at;
    url_domain_fn to_ascii;
};

static const struct {
    const char *name;
    int32_t port;
} schemes[] = {
    [URL_HTTP] = {"http", 80}, [URL_HTTPS] = {"https", 443}, [URL_WS] = {"ws", 80},
    [URL_WSS] = {"wss", 443},  [URL_FTP] = {"ftp", 21},      [URL_FILE] = {"file", URL_NO_PORT},
};

void url_init(struct url *u)
{
    *u = (struct url){.port = URL_NO_PORT};
}

void url_done(struct url *u)
{
    buf_done(&u->href);
    url_init(u);
}

/* ---- shared with the others ---- */

static bool is_alpha(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum url_scheme url_scheme_of(struct span name)
{
    for (size_t i = URL_HTTP; i < sizeof schemes / sizeof *schemes; i++)
        if (span_is(name, schemes[i].name))
            return (enum url_scheme)i;
    return URL_OTHER;
}

int32_t url_default_port(enum url_scheme scheme)
{
    return scheme == URL_OTHER ? URL_NO_PORT : schemes[scheme].port;
}

size_t url_scheme_len(struct span text)
{
    size_t i = 0;

    if (text.len == 0 || !is_alpha(text.data[0]))
        return 0;
    while (i < text.len && (is_alpha(text.data[i]) || is_digit(text.data[i]) ||
                            text.data[i] == '+' || text.data[i] == '-' || text.data[i] == '.'))
        i++;
    return i < text.len && text.data[i] == ':' ? i : 0;
}

bool url_is_drive(struct span text)
{
    return text.len == 2 && is_alpha(text.data[0]) && (text.data[1] == ':' || text.data[1] == '|');
}

int url_strip(struct span text, struct buf *clean, struct span *ret_text)
{
    char *room;
    size_t n = 0;

    *ret_text = text;
    if (text.len == 0 || (!memchr(text.data, '\n', text.len) &&
                          !memchr(text.data, '\t', text.len) && !memchr(text.data, '\r', text.len)))
        return 0;
    if (buf_reserve(clean, text.len, &room) < 0)
        return ERR_NOMEM;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '\t' && text.data[i] != '\n' && text.data[i] != '\r')
            room[n++] = text.data[i];
    buf_commit(clean, n);
    *ret_text = (struct span){buf_data(clean), n};
    return 0;
}

/* ---- small steps ---- */

static int put(struct url *u, const char *data, size_t len)
{
    return buf_append(&u->href, data, len);
}

static uint32_t here(const struct url *u)
{
    return (uint32_t)url_len(u);
}
static char *text_of(struct url *u)
{
    return u->href.mem + u->href.head;
}

static char look(const struct parser *p, size_t at)
{
    return at < p->in.len ? p->in.data[at] : '\0';
}

static bool is_slash(const struct parser *p, size_t at)
{
    char c = look(p, at);

    return at < p->in.len && (c == '/' || (c == '\\' && url_is_special(p->u)));
}

static struct span rest_of(const struct parser *p)
{
    return (struct span){p->in.data + p->at, p->in.len - p->at};
}

/* Does text begin with a drive letter that ends a segment? */
static bool starts_with_drive(struct span text)
{
    return text.len >= 2 && url_is_drive((struct span){text.data, 2}) &&
           (text.len == 2 || memchr("/\\?#", text.data[2], 4));
}

/* ---- paths ---- */

/* "/C:" alone? */
static bool is_drive_path(const struct url *u, struct span path)
{
    return u->scheme == URL_FILE && path.len == 3 && is_alpha(path.data[1]) && path.data[2] == ':';
}

static void shorten(struct url *u)
{
    struct span path = {buf_data(&u->href) + u->mark[URL_PATH_AT],
                        url_len(u) - u->mark[URL_PATH_AT]};
    const char *slash;

    if (path.len == 0 || is_drive_path(u, path))
        return;
    slash = memrchr(path.data, '/', path.len);
    if (slash)
        u->href.tail -= (size_t)(path.data + path.len - slash);
}

/* How many dots a segment is: 1, 2, or 0 for any other. */
static int count_dots(struct span segment)
{
    int dots = 0;

    for (size_t i = 0; i < segment.len; dots++) {
        if (segment.data[i] == '.')
            i++;
        else if (segment.len - i >= 3 && strncasecmp(segment.data + i, "%2e", 3) == 0)
            i += 3;
        else
            return 0;
        if (dots == 2)
            return 0;
    }
    return dots;
}

static int put_segment(struct url *u, struct span segment, bool is_last, unsigned sets)
{
    char first = segment.len > 0 ? segment.data[0] : '\0';
    int dots = first == '.' || first == '%' ? count_dots(segment) : 0;

    if (dots > 0) {
        if (dots == 2)
            shorten(u);
        return is_last ? put(u, "/", 1) : 0;
    }
    if (put(u, "/", 1) < 0)
        return ERR_NOMEM;
    if (u->scheme == URL_FILE && url_len(u) == u->mark[URL_PATH_AT] + 1u && url_is_drive(segment)) {
        char drive[2] = {segment.data[0], ':'};
        return put(u, drive, 2);
    }
    if (sets & PERCENT_PATH)
        return percent_encode(&u->href, segment, PERCENT_PATH);
    return put(u, segment.data, segment.len);
}

/* The usual path, which is copied: up to where it ends or gets unusual. */
static size_t plain_path(struct span text, size_t at)
{
    char before = '/';

    for (; at < text.len; at++) {
        char c = text.data[at];
        if (percent_must((unsigned char)c, PERCENT_PATH) || c == '\\')
            break;
        if (before == '/' && (c == '.' || c == '%'))
            break;
        before = c;
    }
    return at;
}

int url_put_path(struct url *u, struct span text, size_t at, enum url_path_end until,
                 size_t *ret_end)
{
    bool is_special = url_is_special(u);
    size_t end;

    if (u->scheme != URL_FILE) {
        end = plain_path(text, at);
        if (end == text.len ||
            (until == URL_PATH_TO_QUERY && (text.data[end] == '?' || text.data[end] == '#'))) {
            *ret_end = end;
            return put(u, "/", 1) < 0 ? ERR_NOMEM : put(u, text.data + at, end - at);
        }
    }
    for (;; at = end + 1) {
        unsigned sets = 0;
        bool is_last;
        for (end = at; end < text.len; end++) {
            char c = text.data[end];
            if (c == '/' || (c == '\\' && is_special) ||
                (until == URL_PATH_TO_QUERY && (c == '?' || c == '#')))
                break;
            sets |= percent_sets[(unsigned char)c];
        }
        is_last = end == text.len || text.data[end] == '?' || text.data[end] == '#';
        if (put_segment(u, (struct span){text.data + at, end - at}, is_last, sets) < 0)
            return ERR_NOMEM;
        if (is_last)
            break;
    }
    *ret_end = end;
    return 0;
}

int url_guard_path(struct url *u)
{
    uint32_t at = u->mark[URL_PATH_AT];
    char *text;

    if (u->has_host || u->is_opaque || url_len(u) < at + 2u ||
        memcmp(text_of(u) + at, "//", 2) != 0)
        return 0;
    if (put(u, "/.", 2) < 0)
        return ERR_NOMEM;
    text = text_of(u);
    memmove(text + at + 2, text + at, url_len(u) - at - 2);
    memcpy(text + at, "/.", 2);
    u->mark[URL_PATH_AT] += 2;
    return 0;
}

/* ---- what follows the path ---- */

static int parse_part(struct parser *p, size_t end, enum percent_set set)
{
    struct span part = {p->in.data + p->at, end - p->at};

    p->at = end;
    return percent_encode(&p->u->href, part, set);
}

static int parse_fragment(struct parser *p)
{
    p->u->mark[URL_HASH_AT] = here(p->u);
    return look(p, p->at) == '#' ? parse_part(p, p->in.len, PERCENT_FRAGMENT) : 0;
}

/* Query and fragment, from a '?', a '#' or the end. */
static int parse_tail(struct parser *p)
{
    p->u->mark[URL_QUERY_AT] = here(p->u);
    if (look(p, p->at) == '?') {
        const char *hash = memchr(p->in.data + p->at, '#', p->in.len - p->at);
        size_t end = hash ? (size_t)(hash - p->in.data) : p->in.len;
        if (parse_part(p, end, url_is_special(p->u) ? PERCENT_SPECIAL_QUERY : PERCENT_QUERY) < 0)
            return ERR_NOMEM;
    }
    return parse_fragment(p);
}

/* The path state, and the rest. */
static int parse_path(struct parser *p)
{
    if (url_put_path(p->u, p->in, p->at, URL_PATH_TO_QUERY, &p->at) < 0 || url_guard_path(p->u) < 0)
        return ERR_NOMEM;
    return parse_tail(p);
}

/* The path start state, and the rest: p->at is behind an authority. */
static int parse_path_start(struct parser *p)
{
    p->u->mark[URL_PATH_AT] = here(p->u);
    if (!url_is_special(p->u) && !is_slash(p, p->at))
        return parse_tail(p);
    p->at += is_slash(p, p->at);
    return parse_path(p);
}

static int parse_opaque(struct parser *p)
{
    size_t end = p->at;
    int r;

    p->u->is_opaque = true;
    p->u->mark[URL_PATH_AT] = here(p->u);
    while (end < p->in.len && p->in.data[end] != '?' && p->in.data[end] != '#')
        end++;
    if (end > p->at && end < p->in.len && p->in.data[end - 1] == ' ') {
        r = parse_part(p, end - 1, PERCENT_C0);
        if (r == 0)
            r = put(p->u, "%20", 3);
        p->at = end;
    } else {
        r = parse_part(p, end, PERCENT_C0);
    }
    return r < 0 ? r : parse_tail(p);
}

/* ---- authorities ---- */

static void no_host(struct url *u)
{
    u->has_host = false;
    u->mark[URL_USER_END] = u->mark[URL_HOST_AT] = u->mark[URL_HOST_END] = here(u);
}

static int put_credentials(struct url *u, struct span text)
{
    const char *colon = memchr(text.data, ':', text.len);
    struct span user = {text.data, colon ? (size_t)(colon - text.data) : text.len};
    struct span pass = {user.data + user.len + 1, colon ? text.len - user.len - 1 : 0};

    if (percent_encode(&u->href, user, PERCENT_USERINFO) < 0)
        return ERR_NOMEM;
    u->mark[URL_USER_END] = here(u);
    if (pass.len > 0 &&
        (put(u, ":", 1) < 0 || percent_encode(&u->href, pass, PERCENT_USERINFO) < 0))
        return ERR_NOMEM;
    return user.len + pass.len > 0 ? put(u, "@", 1) : 0;
}

static int put_port(struct url *u, struct span digits)
{
    for (size_t i = 0; i < digits.len; i++)
        if (!is_digit(digits.data[i]))
            return ERR_INVALID;
    if (digits.len == 0)
        return 0;
    if (url_read_port(digits, u->scheme, &u->port) < 0)
        return ERR_INVALID;
    return u->port == URL_NO_PORT ? 0 : url_put_number(&u->href, (unsigned)u->port, ':');
}

/* Where the authority at p->at ends, and its last '@' and the colon before the port. */
static size_t scan_authority(const struct parser *p, size_t *ret_host, size_t *ret_colon)
{
    bool is_bracketed = false, is_special = url_is_special(p->u);
    size_t end = p->at, host = p->at, colon = SIZE_MAX;

    for (; end < p->in.len; end++) {
        char c = p->in.data[end];
        if (c == '/' || c == '?' || c == '#' || (c == '\\' && is_special))
            break;
        if (c == '@') {
            host = end + 1;
            colon = SIZE_MAX;
            is_bracketed = false;
        } else if (c == '[') {
            is_bracketed = true;
        } else if (c == ']') {
            is_bracketed = false;
        } else if (c == ':' && !is_bracketed && colon == SIZE_MAX) {
            colon = end;
        }
    }
    *ret_host = host;
    *ret_colon = colon == SIZE_MAX ? end : colon;
    return end;
}

/* Behind the two slashes. */
static int parse_authority(struct parser *p)
{
    struct url *u = p->u;
    size_t host_at, colon, end = scan_authority(p, &host_at, &colon);
    struct span host = {p->in.data + host_at, colon - host_at};
    int r = 0;

    if (put(u, "//", 2) < 0)
        return ERR_NOMEM;
    u->has_host = true;
    u->mark[URL_USER_END] = here(u);
    if (host_at > p->at)
        r = put_credentials(u, (struct span){p->in.data + p->at, host_at - 1 - p->at});
    if (r < 0)
        return r;
    if (host.len == 0 && (url_is_special(u) || colon < end || host_at > p->at))
        return ERR_INVALID;
    u->mark[URL_HOST_AT] = here(u);
    if (host.len > 0)
        r = url_put_host(&u->href, host, url_is_special(u), p->to_ascii);
    if (r < 0)
        return r;
    u->mark[URL_HOST_END] = here(u);
    if (colon < end)
        r = put_port(u, (struct span){p->in.data + colon + 1, end - colon - 1});
    p->at = end;
    return r < 0 ? r : parse_path_start(p);
}

/* ---- with a base ---- */

/* Take over the base's text up to `end`, which is not behind its path. */
static int copy_base(struct parser *p, size_t end)
{
    const struct url *base = p->base;
    struct url *u = p->u;

    u->scheme = base->scheme;
    u->port = base->port;
    u->has_host = base->has_host;
    u->is_opaque = base->is_opaque;
    memcpy(u->mark, base->mark, sizeof u->mark);
    return put(u, buf_data(&base->href), end);
}

/* The base's path too, when the input has a query, a fragment, or a path relative to it. */
static int parse_relative_path(struct parser *p)
{
    const struct url *base = p->base;
    char c = look(p, p->at);
    bool is_end = p->at == p->in.len;

    if (is_end || c == '#') {
        if (copy_base(p, base->mark[URL_HASH_AT]) < 0)
            return ERR_NOMEM;
        return parse_fragment(p);
    }
    if (c == '?')
        return copy_base(p, base->mark[URL_QUERY_AT]) < 0 ? ERR_NOMEM : parse_tail(p);
    if (copy_base(p, url_head_len(base)) < 0)
        return ERR_NOMEM;
    p->u->mark[URL_PATH_AT] = here(p->u); /* without the base's "/." */
    if (put(p->u, buf_data(&base->href) + base->mark[URL_PATH_AT],
            base->mark[URL_QUERY_AT] - base->mark[URL_PATH_AT]) < 0)
        return ERR_NOMEM;
    shorten(p->u);
    return parse_path(p);
}

/* Scheme and host as the base's, the path from the root. */
static int parse_from_root(struct parser *p)
{
    if (copy_base(p, url_head_len(p->base)) < 0)
        return ERR_NOMEM;
    p->u->mark[URL_PATH_AT] = here(p->u);
    return parse_path(p);
}

static int parse_relative(struct parser *p)
{
    p->u->scheme = p->base->scheme; /* for is_slash */
    if (!is_slash(p, p->at))
        return parse_relative_path(p);
    if (!is_slash(p, p->at + 1)) {
        p->at++;
        return parse_from_root(p);
    }
    p->at += 2;
    if (copy_base(p, p->base->mark[URL_SCHEME_END] + 1u) < 0)
        return ERR_NOMEM;
    p->u->port = URL_NO_PORT;
    while (url_is_special(p->u) && is_slash(p, p->at))
        p->at++;
    return parse_authority(p);
}

/* ---- file: ---- */

/* "file:" is written.  Host and root, no base. */
static int put_file_root(struct parser *p)
{
    struct url *u = p->u;

    if (put(u, "//", 2) < 0)
        return ERR_NOMEM;
    no_host(u);
    u->has_host = true;
    u->mark[URL_PATH_AT] = here(u);
    return 0;
}

/* Behind "file://". */
static int parse_file_host(struct parser *p)
{
    struct url *u = p->u;
    size_t end = p->at;
    struct span host;
    int r = 0;

    if (put_file_root(p) < 0)
        return ERR_NOMEM;
    while (end < p->in.len && !memchr("/\\?#", p->in.data[end], 4))
        end++;
    host = (struct span){p->in.data + p->at, end - p->at};
    if (url_is_drive(host))
        return parse_path(p);
    p->at = end;
    if (host.len > 0)
        r = url_put_host(&u->href, host, true, p->to_ascii);
    if (r < 0)
        return r;
    host =
        (struct span){buf_data(&u->href) + u->mark[URL_HOST_AT], url_len(u) - u->mark[URL_HOST_AT]};
    if (span_is(host, "localhost"))
        u->href.tail -= host.len;
    u->mark[URL_HOST_END] = here(u);
    return parse_path_start(p);
}

/* Behind "file:", or relative to a base of that scheme; nothing is written yet. */
static int parse_file(struct parser *p)
{
    bool has_base = p->base && p->base->scheme == URL_FILE;
    struct url *u = p->u;
    struct span path;

    u->scheme = URL_FILE;
    u->port = URL_NO_PORT;
    if (has_base && !is_slash(p, p->at) && !starts_with_drive(rest_of(p)))
        return parse_relative_path(p);
    if (has_base && !(is_slash(p, p->at) && is_slash(p, p->at + 1))) {
        bool is_root = is_slash(p, p->at);
        if (copy_base(p, p->base->mark[URL_PATH_AT]) < 0)
            return ERR_NOMEM;
        p->at += is_root;
        path = (struct span){buf_data(&p->base->href) + p->base->mark[URL_PATH_AT],
                             p->base->mark[URL_QUERY_AT] - p->base->mark[URL_PATH_AT]};
        if (is_root && !starts_with_drive(rest_of(p)) && path.len >= 3 &&
            is_drive_path(p->base, (struct span){path.data, 3}) &&
            (path.len == 3 || path.data[3] == '/') && put(u, path.data, 3) < 0)
            return ERR_NOMEM;
        return parse_path(p);
    }
    if (put(u, "file:", 5) < 0)
        return ERR_NOMEM;
    u->mark[URL_SCHEME_END] = 4;
    if (is_slash(p, p->at) && is_slash(p, p->at + 1)) {
        p->at += 2;
        return parse_file_host(p);
    }
    p->at += is_slash(p, p->at);
    return put_file_root(p) < 0 ? ERR_NOMEM : parse_path(p);
}

/* ---- the start ---- */

static int put_scheme(struct url *u, struct span name)
{
    char *room;

    if (buf_reserve(&u->href, name.len + 1, &room) < 0)
        return ERR_NOMEM;
    for (size_t i = 0; i < name.len; i++)
        room[i] =
            name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] | 0x20) : name.data[i];
    room[name.len] = ':';
    buf_commit(&u->href, name.len + 1);
    u->mark[URL_SCHEME_END] = (uint32_t)name.len;
    u->scheme = url_scheme_of((struct span){room, name.len});
    return 0;
}

/* Behind "scheme:", which is written. */
static int parse_behind_scheme(struct parser *p)
{
    struct url *u = p->u;

    if (u->scheme == URL_FILE) {
        buf_eat(&u->href, url_len(u));
        return parse_file(p);
    }
    if (url_is_special(u)) {
        bool is_double = look(p, p->at) == '/' && look(p, p->at + 1) == '/';
        if (p->base && p->base->scheme == u->scheme && !is_double) {
            buf_eat(&u->href, url_len(u));
            return parse_relative(p);
        }
        while (is_slash(p, p->at))
            p->at++;
        return parse_authority(p);
    }
    if (look(p, p->at) == '/' && look(p, p->at + 1) == '/') {
        p->at += 2;
        return parse_authority(p);
    }
    no_host(u);
    if (look(p, p->at) == '/')
        return parse_path_start(p);
    return parse_opaque(p);
}

static int parse(struct parser *p)
{
    size_t scheme = url_scheme_len(p->in);

    if (scheme > 0) {
        if (put_scheme(p->u, (struct span){p->in.data, scheme}) < 0)
            return ERR_NOMEM;
        p->at = scheme + 1;
        return parse_behind_scheme(p);
    }
    if (!p->base)
        return ERR_INVALID;
    if (p->base->is_opaque)
        return look(p, 0) == '#' ? parse_relative_path(p) : ERR_INVALID;
    return p->base->scheme == URL_FILE ? parse_file(p) : parse_relative(p);
}

static void reset(struct url *u)
{
    buf_eat(&u->href, url_len(u));
    memset(u->mark, 0, sizeof u->mark);
    u->port = URL_NO_PORT;
    u->scheme = URL_OTHER;
    u->has_host = u->is_opaque = false;
}

int url_parse(struct url *u, struct span input, const struct url *base, url_domain_fn to_ascii)
{
    struct parser p = {.u = u, .base = base, .to_ascii = to_ascii};
    struct buf clean = {0};
    int r;

    reset(u);
    while (input.len > 0 && (unsigned char)input.data[input.len - 1] <= ' ')
        input.len--;
    while (input.len > 0 && (unsigned char)input.data[0] <= ' ') {
        input.data++;
        input.len--;
    }
    if (input.len > URL_MAX)
        return ERR_LIMIT;
    r = url_strip(input.len > 0 ? input : SPAN(""), &clean, &p.in);
    if (r == 0)
        r = parse(&p);
    if (r == 0 && url_len(u) > URL_MAX)
        r = ERR_LIMIT;
    if (r < 0)
        reset(u);
    buf_done(&clean);
    return r;
}
