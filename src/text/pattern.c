/* pattern.c - route patterns: take apart, match, order. */
#include "text/pattern.h"

#include <stdint.h>
#include <string.h>

static bool has_scheme(struct span *text, const char *scheme)
{
    size_t n = strlen(scheme);

    if (text->len < n || strncasecmp(text->data, scheme, n) != 0)
        return false;
    text->data += n;
    text->len -= n;
    return true;
}

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static bool is_ascii(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    return true;
}

/* Lower case into room, which has PATTERN_HOST_MAX + 1 bytes.  is_tail: a star stood before it. */
static int fold_host(struct span host, bool is_tail, char *room, struct err *err)
{
    char last = is_tail ? 'x' : '.';

    if (host.len > PATTERN_HOST_MAX)
        return err_set(err, ERR_INVALID, "a host name has at most %d bytes, and '%.80s' has %zu",
                       PATTERN_HOST_MAX, host.data, host.len);
    if (!is_ascii(host)) {
        err_set(err, ERR_INVALID, "the host name '%.*s' is not ASCII", SPAN_ARG(host));
        return err_hint(err, "write it as DNS has it: \"xn--...\"");
    }
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c == '*')
            return err_set(err, ERR_INVALID,
                           "a '*' may stand before the host name and behind the path, and "
                           "nowhere else");
        if (c == ':') {
            err_set(err, ERR_INVALID, "a pattern has no port");
            return err_hint(err, "a worker answers on every port that the node listens on");
        }
        if (!is_host_byte(c) || (c == '.' && last == '.'))
            return err_set(err, ERR_INVALID, "'%.*s' is no host name", SPAN_ARG(host));
        room[i] = last = c;
    }
    room[host.len] = '\0';
    if (host.len == 0 || last == '.')
        return err_set(err, ERR_INVALID, "'%.*s' is no host name", SPAN_ARG(host));
    return 0;
}

/* What the URL parser of the Web does to a path, but for dots: no browser sends those. */
static int encode_path(struct span path, struct pattern *p, struct err *err)
{
    static const char HEX[] = "0123456789ABCDEF";

    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.data[i];
        if (c == '*')
            return err_set(err, ERR_INVALID,
                           "a '*' may stand before the host name and behind the path, and "
                           "nowhere else");
        if (c == '?')
            return err_set(err, ERR_INVALID, "a pattern has no query ('?')");
        if (c == '#')
            return err_set(err, ERR_INVALID, "a pattern has no fragment ('#')");
        if (c <= ' ' || c >= 0x7f || strchr("\"<>`{}", c)) {
            p->path[p->path_len++] = '%';
            p->path[p->path_len++] = HEX[c >> 4];
            p->path[p->path_len++] = HEX[c & 15];
        } else {
            p->path[p->path_len++] = (char)c;
        }
    }
    p->path[p->path_len] = '\0';
    return 0;
}

static int count(struct span text, char c)
{
    int n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == c;
    return n;
}

/* As Miniflare counts: parts, and a part that is only a star counts one less than nothing. */
static int specificity_of(const struct pattern *p)
{
    int host = 1 + count((struct span){p->host, p->host_len}, '.');
    int path = 1 + count((struct span){p->path, p->path_len}, '/');

    if (p->has_host_star && p->host[0] == '.')
        host -= 2;
    if (p->has_path_star && p->path[p->path_len - 1] == '/')
        path -= 2;
    return host * 26 + path;
}

int pattern_parse(struct span text, struct pattern *ret, struct err *err)
{
    struct pattern *p = ret;
    struct span rest = text, host, path = SPAN("/");
    const char *slash;
    int r;

    memset(p, 0, sizeof *p);
    p->len = text.len;
    if (text.len == 0 || text.len > PATTERN_MAX)
        return err_set(err, ERR_INVALID, "a pattern has 1 to %d bytes", PATTERN_MAX);
    if (memchr(text.data, '\0', text.len))
        return err_set(err, ERR_INVALID, "a pattern has no NUL byte");
    if (has_scheme(&rest, "http://"))
        p->scheme = PATTERN_HTTP;
    else if (has_scheme(&rest, "https://"))
        p->scheme = PATTERN_HTTPS;
    else if (memmem(rest.data, rest.len, "://", 3))
        return err_set(err, ERR_INVALID, "a pattern begins with http://, https:// or the host");
    slash = memchr(rest.data, '/', rest.len);
    host = slash ? (struct span){rest.data, (size_t)(slash - rest.data)} : rest;
    if (slash)
        path = (struct span){slash, rest.len - host.len};
    if (host.len > 0 && host.data[0] == '*') {
        p->has_host_star = true;
        host.data++;
        host.len--;
        if (!memchr(host.data + (host.len > 0), '.', host.len - (host.len > 0))) {
            err_set(err, ERR_INVALID, "the pattern '%.*s' names no domain", SPAN_ARG(text));
            return err_hint(err, "say whose hosts it is for, as in \"*.example.com/*\"");
        }
    }
    r = fold_host(host, p->has_host_star, p->host, err);
    if (r < 0)
        return r;
    p->host_len = host.len;
    if (path.data[path.len - 1] == '*') {
        p->has_path_star = true;
        path.len--;
    }
    r = encode_path(path, p, err);
    p->specificity = r == 0 ? specificity_of(p) : 0;
    return r;
}

bool pattern_matches(const struct pattern *p, bool is_https, struct span host, struct span target)
{
    if (p->scheme == (is_https ? PATTERN_HTTP : PATTERN_HTTPS))
        return false;
    if (host.len < p->host_len || (!p->has_host_star && host.len != p->host_len) ||
        memcmp(host.data + (host.len - p->host_len), p->host, p->host_len) != 0)
        return false;
    return target.len >= p->path_len && (p->has_path_star || target.len == p->path_len) &&
           memcmp(target.data, p->path, p->path_len) == 0;
}

int pattern_compare(const struct pattern *a, const struct pattern *b)
{
    int order;

    if (a->specificity != b->specificity)
        return a->specificity > b->specificity ? -1 : 1;
    if (a->len != b->len)
        return a->len > b->len ? -1 : 1;
    /* Anything, as long as it is the same each time. */
    order = strcmp(a->host, b->host);
    return order != 0 ? order : strcmp(a->path, b->path);
}

int pattern_host(struct span text, char room[PATTERN_HOST_MAX + 1], struct err *err)
{
    if (memchr(text.data, '/', text.len) || text.len == 0)
        return err_set(err, ERR_INVALID, "'%.*s' is no host name", SPAN_ARG(text));
    return fold_host(text, false, room, err);
}
