/* head.c - scan a request head line by line and refuse what is ambiguous.
 *
 * The grammar is RFC 9112 without its "a recipient MAY": a front that is more
 * liberal than the next reader is how requests are smuggled.  Invariants:
 *
 * 1. A line is looked at once, when its LF is there; the outcome of a head is
 *    therefore the same however its bytes were cut.
 * 2. Every line ends with CR LF; no other CR, LF, NUL or control byte passes.
 * 3. METHOD SP TARGET SP HTTP/1.x with single spaces; the method is one we
 *    know (else 501); the version is 1.0 or 1.1 (else 505).
 * 4. A header is name ":" value: the name a token, no space before the colon,
 *    no continued line (obs-fold).
 * 5. Exactly one Host, valid, that a URL parser takes (HTTP/1.0: at most one).
 * 6. At most one Content-Length, digits only; or one Transfer-Encoding that
 *    reads "chunked"; never both, no Transfer-Encoding in HTTP/1.0; no tab
 *    around either, which not every reader takes for a space.
 * 7. Target: "/..." ; "http://HOST/..." with the very HOST of the Host header;
 *    "*" for OPTIONS.  No fragment, no raw byte outside visible ASCII.
 *
 * body.c lets llhttp read the same bytes and compares: two readers that agree.
 *
 * Who calls it: front/connection.c. */
#include "http/head.h"

#include <arpa/inet.h>

#include "http/token.h"

enum stage { STAGE_START, STAGE_FIELDS, STAGE_DONE };

static int refuse(struct head *h, unsigned status, struct err *err, const char *why)
{
    bool is_limit = status == 413 || status == 414 || status == 431;

    h->status = status;
    return err_set(err, is_limit ? ERR_LIMIT : ERR_INVALID, "%s", why);
}

void head_init(struct head *h)
{
    /* The fields behind field_count are never read: do not clear them. */
    memset(h, 0, offsetof(struct head, fields));
}

static struct head_part part_of(const char *data, struct span s)
{
    return (struct head_part){(uint16_t)(s.data - data), (uint16_t)s.len};
}

static bool is_method(struct span s)
{
    /* What llhttp knows too; not CONNECT and TRACE, which no worker serves. */
    static const char *const METHODS[] = {
        "GET",      "POST",       "HEAD",     "PUT",         "DELETE",     "PATCH",
        "OPTIONS",  "PURGE",      "COPY",     "LOCK",        "MKCOL",      "MOVE",
        "PROPFIND", "PROPPATCH",  "SEARCH",   "UNLOCK",      "ACL",        "BIND",
        "REBIND",   "UNBIND",     "REPORT",   "MKACTIVITY",  "CHECKOUT",   "MERGE",
        "M-SEARCH", "NOTIFY",     "SUBSCRIBE", "UNSUBSCRIBE", "MKCALENDAR", "LINK",
        "UNLINK",
    };

    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
        if (span_is(s, METHODS[i]))
            return true;
    return false;
}

static int take_version(struct head *h, struct span s, struct err *err)
{
    if (s.len != 8 || memcmp(s.data, "HTTP/", 5) != 0 || !token_is(s.data[5], TOKEN_DIGIT) ||
        s.data[6] != '.' || !token_is(s.data[7], TOKEN_DIGIT))
        return refuse(h, 400, err, "malformed request line");
    if (s.data[5] != '1' || s.data[7] > '1')
        return refuse(h, 505, err, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    h->minor = (uint8_t)(s.data[7] - '0');
    return 0;
}

static int take_request_line(struct head *h, const char *data, struct span line, struct err *err)
{
    const char *first, *last;
    struct span method, target, version;

    first = memchr(line.data, ' ', line.len);
    last = memrchr(line.data, ' ', line.len);
    if (!first || first == last)
        return refuse(h, 400, err, "malformed request line");
    method = (struct span){line.data, (size_t)(first - line.data)};
    target = (struct span){first + 1, (size_t)(last - first - 1)};
    version = (struct span){last + 1, line.len - (size_t)(last + 1 - line.data)};
    if (method.len == 0 || !token_all(method, TOKEN_NAME))
        return refuse(h, 400, err, "malformed method");
    if (target.len == 0 || !token_all(target, TOKEN_TARGET))
        return refuse(h, 400, err, "malformed request target");
    if (take_version(h, version, err) < 0)
        return err->code;
    if (!is_method(method))
        return refuse(h, 501, err, "this method is not implemented");
    h->method = part_of(data, method);
    h->target = part_of(data, target);
    return 0;
}

/* The last label of a name is a number: then all of it must be an IPv4
 * address, or the URL parser in the worker would not take the URL. */
static bool is_host_name(struct span s)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    const char *dot;
    struct span last;

    if (s.len > 0 && s.data[s.len - 1] == '.')
        s.len--;
    if (s.len == 0 || s.len > 253 || !token_all(s, TOKEN_HOST))
        return false;
    dot = memrchr(s.data, '.', s.len);
    last = dot ? (struct span){dot + 1, s.len - (size_t)(dot + 1 - s.data)} : s;
    if (last.len > 1 && last.data[0] == '0' && (last.data[1] | 0x20) == 'x')
        return !token_all((struct span){last.data + 2, last.len - 2}, TOKEN_HEX);
    if (last.len == 0 || !token_all(last, TOKEN_DIGIT))
        return last.len > 0;
    if (s.len >= sizeof text)
        return false;
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    return inet_pton(AF_INET, text, &address) == 1;
}

static bool is_host_v6(struct span s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (s.len >= sizeof text)
        return false;
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    return memchr(text, '\0', s.len) == NULL && inet_pton(AF_INET6, text, &address) == 1;
}

/* host [":" port]; a port is 1 to 5 digits up to 65535. */
static bool is_authority(struct span s)
{
    const char *end = s.data + s.len, *colon;
    int64_t port;

    if (s.len > 0 && s.data[0] == '[') {
        const char *bracket = memchr(s.data, ']', s.len);
        if (!bracket || !is_host_v6((struct span){s.data + 1, (size_t)(bracket - s.data - 1)}))
            return false;
        colon = bracket + 1;
    } else {
        colon = s.len > 0 ? memchr(s.data, ':', s.len) : NULL;
        if (!colon)
            colon = end;
        if (!is_host_name((struct span){s.data, (size_t)(colon - s.data)}))
            return false;
    }
    if (colon == end)
        return true;
    s = (struct span){colon + 1, (size_t)(end - colon - 1)};
    return *colon == ':' && s.len <= 5 && token_number(s, &port) && port <= 65535;
}

static int take_connection(struct head *h, struct span value, struct err *err)
{
    struct span element;

    while (token_next(&value, &element)) {
        if (!token_all(element, TOKEN_NAME))
            return refuse(h, 400, err, "malformed Connection header");
        if (span_is_nocase(element, "close"))
            h->asks_close = 1;
        else if (span_is_nocase(element, "keep-alive"))
            h->asks_keep_alive = 1;
        else if (span_is_nocase(element, "upgrade"))
            h->asks_upgrade = 1;
    }
    return 0;
}

static bool is_framing(struct span name)
{
    return span_is_nocase(name, "content-length") || span_is_nocase(name, "transfer-encoding");
}

/* The headers that decide about the message itself. */
static int take_field(struct head *h, const char *data, struct span name, struct span value,
                      int64_t body_max, struct err *err)
{
    if (span_is_nocase(name, "host")) {
        if (h->hosts++ > 0)
            return refuse(h, 400, err, "more than one Host header");
        if (!is_authority(value))
            return refuse(h, 400, err, "invalid Host header");
        h->host = part_of(data, value);
    } else if (span_is_nocase(name, "content-length")) {
        if (h->lengths++ > 0)
            return refuse(h, 400, err, "more than one Content-Length header");
        if (!token_number(value, &h->body_length))
            return refuse(h, 400, err, "invalid Content-Length header");
        if (h->body_length > body_max)
            return refuse(h, 413, err, "the body is too large");
    } else if (span_is_nocase(name, "transfer-encoding")) {
        if (h->codings++ > 0)
            return refuse(h, 400, err, "more than one Transfer-Encoding header");
        if (!span_is_nocase(value, "chunked"))
            return refuse(h, 400, err, "Transfer-Encoding must be 'chunked'");
    } else if (span_is_nocase(name, "connection")) {
        return take_connection(h, value, err);
    } else if (span_is_nocase(name, "expect") && h->minor > 0) {
        if (!span_is_nocase(value, "100-continue"))
            return refuse(h, 417, err, "only 'Expect: 100-continue' is understood");
        h->is_expecting = true;
    }
    return 0;
}

static int take_field_line(struct head *h, const char *data, struct span line, int64_t body_max,
                           struct err *err)
{
    const char *colon;
    struct span name, value;
    struct head_field *f;

    if (line.data[0] == ' ' || line.data[0] == '\t')
        return refuse(h, 400, err, "a header line must not start with a space");
    colon = memchr(line.data, ':', line.len);
    if (!colon)
        return refuse(h, 400, err, "a header line without a colon");
    name = (struct span){line.data, (size_t)(colon - line.data)};
    value = token_trim((struct span){colon + 1, line.len - name.len - 1});
    if (name.len == 0 || !token_all(name, TOKEN_NAME))
        return refuse(h, 400, err, "malformed header name");
    if (!token_all(value, TOKEN_VALUE))
        return refuse(h, 400, err, "control byte in a header");
    if (h->field_count == HEAD_FIELDS_MAX)
        return refuse(h, 431, err, "too many headers");
    f = &h->fields[h->field_count++];
    f->name = part_of(data, name);
    f->value = part_of(data, value);
    f->is_hop = token_is_hop(name);
    if (memchr(colon + 1, '\t', line.len - name.len - 1) && is_framing(name))
        return refuse(h, 400, err, "a tab in a header that says how long the body is");
    return take_field(h, data, name, value, body_max, err);
}

/* "http://HOST/path" or "https://...": keep the path, compare the host. */
static int take_absolute(struct head *h, const char *data, struct span target, struct err *err)
{
    struct span host = head_part(data, h->host), rest = target;
    size_t n = 0;

    if (rest.len > 7 && strncasecmp(rest.data, "http://", 7) == 0)
        n = 7;
    else if (rest.len > 8 && strncasecmp(rest.data, "https://", 8) == 0)
        n = 8;
    else
        return refuse(h, 400, err, "malformed request target");
    rest = (struct span){rest.data + n, rest.len - n};
    for (n = 0; n < rest.len && rest.data[n] != '/' && rest.data[n] != '?'; n++)
        continue;
    if (!is_authority((struct span){rest.data, n}))
        return refuse(h, 400, err, "malformed request target");
    if (h->hosts == 0)
        h->host = part_of(data, (struct span){rest.data, n});
    else if (n != host.len || strncasecmp(rest.data, host.data, n) != 0)
        return refuse(h, 400, err, "request target and Host header differ");
    h->path = part_of(data, (struct span){rest.data + n, rest.len - n});
    return 0;
}

static int take_end(struct head *h, const char *data, struct err *err)
{
    struct span target = head_part(data, h->target);

    if (h->minor > 0 && h->hosts == 0)
        return refuse(h, 400, err, "no Host header");
    if (h->codings > 0 && h->minor == 0)
        return refuse(h, 400, err, "Transfer-Encoding in HTTP/1.0");
    if (h->codings > 0 && h->lengths > 0)
        return refuse(h, 400, err, "Content-Length together with Transfer-Encoding");
    if (h->codings > 0) {
        h->framing = HEAD_CHUNKED;
        h->body_length = -1;
    } else if (h->body_length > 0) {
        h->framing = HEAD_LENGTH;
    }
    h->is_expecting = h->is_expecting && h->framing != HEAD_NO_BODY;
    h->is_keep_alive = !h->asks_close && (h->minor > 0 || h->asks_keep_alive);
    if (target.data[0] == '/') {
        h->path = h->target;
        return 0;
    }
    if (span_is(target, "*")) {
        if (!span_is(head_part(data, h->method), "OPTIONS"))
            return refuse(h, 400, err, "the target '*' is for OPTIONS");
        return 0;
    }
    return take_absolute(h, data, target, err);
}

/* One whole line without its CR LF.  1 when the head has ended. */
static int take_line(struct head *h, const char *data, struct span line, int64_t body_max,
                     struct err *err)
{
    if (h->stage == STAGE_FIELDS) {
        if (line.len > 0)
            return take_field_line(h, data, line, body_max, err);
        h->stage = STAGE_DONE;
        return take_end(h, data, err) < 0 ? (int)err->code : 1;
    }
    if (line.len == 0 && !h->has_blank) {
        h->has_blank = true;    /* RFC 9112 2.2: one empty line ahead is forgiven */
        return 0;
    }
    if (line.len > HEAD_LINE_MAX)
        return refuse(h, 414, err, "the request line is too long");
    h->stage = STAGE_FIELDS;
    return take_request_line(h, data, line, err);
}

int head_scan(struct head *h, const char *data, size_t len, int64_t body_max, struct err *err)
{
    /* No line of a head lies beyond this, so offsets fit in 16 bits. */
    size_t end = len < HEAD_BYTES_MAX ? len : HEAD_BYTES_MAX;
    const char *lf;
    size_t at;
    int r;

    while (h->seen < end) {
        char first = data[h->line_at];
        if (h->stage == STAGE_START && first != '\r' && !token_is(first, TOKEN_NAME))
            return refuse(h, 400, err, "malformed request line");
        lf = memchr(data + h->seen, '\n', end - h->seen);
        if (!lf) {
            h->seen = (uint32_t)end;
            break;
        }
        at = (size_t)(lf - data);
        if (at == h->line_at || data[at - 1] != '\r')
            return refuse(h, 400, err, "a line must end with CR LF");
        r = take_line(h, data, (struct span){data + h->line_at, at - 1 - h->line_at}, body_max,
                      err);
        h->line_at = h->seen = (uint32_t)at + 1;
        if (r > 0)
            h->len = h->line_at;
        if (r != 0)
            return r;
    }
    if (h->stage == STAGE_START && end - h->line_at > HEAD_LINE_MAX + 2)
        return refuse(h, 414, err, "the request line is too long");
    if (end == HEAD_BYTES_MAX)
        return refuse(h, 431, err, "the head is too large");
    return 0;
}

int head_url(const struct head *h, const char *data, struct span scheme, struct span default_host,
             struct buf *out)
{
    struct span path = head_part(data, h->path);
    struct span host = h->host.len > 0 ? head_part(data, h->host) : default_host;
    bool needs_slash = path.len == 0 || path.data[0] != '/';
    size_t n = scheme.len + 3 + host.len + needs_slash + path.len;
    char *at;

    if (buf_reserve(out, n, &at) < 0)
        return ERR_NOMEM;
    memcpy(at, scheme.data, scheme.len);
    memcpy(at += scheme.len, "://", 3);
    memcpy(at += 3, host.data, host.len);
    at += host.len;
    if (needs_slash)
        *at++ = '/';
    if (path.len > 0)
        memcpy(at, path.data, path.len);
    buf_commit(out, n);
    return 0;
}
