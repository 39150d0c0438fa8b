/* mime.c - the MIME type in a Content-Type header, by the MIME Sniffing and Fetch standards.
 *
 * Bytes from 0x80 on count as valid in quoted values: a header is UTF-8 here. */
#include "text/mime.h"

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i], lower = (char)(c | 0x20);
        bool is_word = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
        if (!is_word && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return s.len > 0;
}

static bool is_value(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] == 0x7F || ((unsigned char)s.data[i] < 0x20 && s.data[i] != '\t'))
            return false;
    return true;
}

static struct span trim(struct span s)
{
    while (s.len > 0 && is_space(s.data[0]))
        s.data++, s.len--;
    while (s.len > 0 && is_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* Cut off and return what stands before the first of `ends`, which stays. */
static struct span take_until(struct span *rest, const char *ends)
{
    struct span taken = {rest->data, 0};

    while (taken.len < rest->len && !strchr(ends, rest->data[taken.len] ? rest->data[taken.len] : 1))
        taken.len++;
    rest->data += taken.len;
    rest->len -= taken.len;
    return taken;
}

static void skip(struct span *rest, size_t n)
{
    rest->data += n;
    rest->len -= n;
}

/* A quoted string stands at the start of rest: append what it means and cut it off. */
static int take_quoted(struct span *rest, struct buf *out)
{
    for (skip(rest, 1); rest->len > 0 && rest->data[0] != '"'; skip(rest, 1)) {
        int r;
        if (rest->data[0] == '\\' && rest->len > 1)
            skip(rest, 1);
        r = buf_append(out, rest->data, 1);
        if (r < 0)
            return r;
    }
    if (rest->len > 0)
        skip(rest, 1);
    return 0;
}

static int append_lower(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c >= 'A' && c <= 'Z')
            c |= 0x20;
        if (buf_append(out, &c, 1) < 0)
            return ERR_NOMEM;
    }
    return 0;
}

/* Append ";name=value", with quotes where they are needed. */
static int append_param(struct buf *type, struct span name, struct span value)
{
    int r = buf_append(type, ";", 1);

    if (r == 0)
        r = append_lower(type, name);
    if (r == 0)
        r = buf_append(type, "=", 1);
    if (is_token(value))
        return r < 0 ? r : buf_append(type, value.data, value.len);
    if (r == 0)
        r = buf_append(type, "\"", 1);
    for (size_t i = 0; r == 0 && i < value.len; i++) {
        if (value.data[i] == '"' || value.data[i] == '\\')
            r = buf_append(type, "\\", 1);
        if (r == 0)
            r = buf_append(type, value.data + i, 1);
    }
    return r < 0 ? r : buf_append(type, "\"", 1);
}

struct span mime_essence(struct span type)
{
    return take_until(&type, ";");
}

int mime_param(struct span type, struct span name, struct buf *out)
{
    struct span rest = type;

    take_until(&rest, ";");
    while (rest.len > 0) {
        struct span is, value;
        bool is_it;
        skip(&rest, 1);
        is = take_until(&rest, "=");
        if (rest.len > 0)
            skip(&rest, 1);
        is_it = is.len == name.len && strncasecmp(is.data, name.data, is.len) == 0;
        if (rest.len > 0 && rest.data[0] == '"') {
            struct buf skipped = {0};
            int r = take_quoted(&rest, is_it ? out : &skipped);
            buf_done(&skipped);
            if (r < 0)
                return r;
            take_until(&rest, ";");
        } else {
            value = take_until(&rest, ";");
            if (is_it && buf_append(out, value.data, value.len) < 0)
                return ERR_NOMEM;
        }
        if (is_it)
            return 1;
    }
    return 0;
}

/* One `; name=value` at the start of rest goes to type, if it is valid and new. */
static int take_param(struct span *rest, struct buf *type)
{
    struct buf value = {0}, other = {0};
    struct span name, plain;
    int r = 0;

    skip(rest, 1);
    while (rest->len > 0 && is_space(rest->data[0]))
        skip(rest, 1);
    name = take_until(rest, ";=");
    if (rest->len == 0 || rest->data[0] == ';')
        return 0;
    skip(rest, 1);
    if (rest->len > 0 && rest->data[0] == '"') {
        r = take_quoted(rest, &value);
        take_until(rest, ";");
    } else {
        plain = trim(take_until(rest, ";"));
        if (plain.len == 0)
            return 0;
        r = buf_append(&value, plain.data, plain.len);
    }
    if (r == 0 && is_token(name) && is_value(buf_span(&value))) {
        r = mime_param(buf_span(type), name, &other);
        if (r == 0)
            r = append_param(type, name, buf_span(&value));
    }
    buf_done(&value);
    buf_done(&other);
    return r < 0 ? r : 0;
}

/* Serialise one type into out; out stays empty when it is none. */
static int parse(struct span text, struct buf *out)
{
    struct span rest = trim(text), type, subtype;
    int r;

    type = take_until(&rest, "/");
    if (!is_token(type) || rest.len == 0)
        return 0;
    skip(&rest, 1);
    subtype = take_until(&rest, ";");
    while (subtype.len > 0 && is_space(subtype.data[subtype.len - 1]))
        subtype.len--;
    if (!is_token(subtype))
        return 0;
    r = append_lower(out, type);
    if (r == 0)
        r = buf_append(out, "/", 1);
    if (r == 0)
        r = append_lower(out, subtype);
    for (int n = 0; r == 0 && rest.len > 0 && n < MIME_PARAMS_MAX; n++)
        r = take_param(&rest, out);
    return r;
}

/* The next value of a header, whose commas in quotes separate nothing. */
static struct span take_value(struct span *rest)
{
    struct span value = {rest->data, 0};

    while (rest->len > 0 && rest->data[0] != ',') {
        bool is_quote = rest->data[0] == '"';
        skip(rest, 1);
        while (is_quote && rest->len > 0) {
            char c = rest->data[0];
            skip(rest, c == '\\' && rest->len > 1 ? 2 : 1);
            is_quote = c != '"';
        }
    }
    value.len = (size_t)(rest->data - value.data);
    if (rest->len > 0)
        skip(rest, 1);
    return value;
}

static bool has_same_essence(struct span a, struct span b)
{
    a = mime_essence(a);
    b = mime_essence(b);
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* A type that comes after another of the same essence, without a charset, keeps that one's. */
static int keep_charset(struct span before, struct buf *type)
{
    struct buf charset = {0}, own = {0};
    int r = 0;

    if (has_same_essence(before, buf_span(type)))
        r = mime_param(before, SPAN("charset"), &charset);
    if (r == 1)
        r = mime_param(buf_span(type), SPAN("charset"), &own) == 0
                ? append_param(type, SPAN("charset"), buf_span(&charset))
                : 0;
    buf_done(&charset);
    buf_done(&own);
    return r < 0 ? r : 0;
}

int mime_extract(struct span header, struct buf *out)
{
    struct buf type = {0};
    int r = 0;

    while (r == 0 && header.len > 0) {
        r = parse(take_value(&header), &type);
        if (r == 0 && buf_len(&type) > 0 && !has_same_essence(buf_span(&type), SPAN("*/*"))) {
            r = keep_charset(buf_span(out), &type);
            buf_eat(out, buf_len(out));
            if (r == 0)
                r = buf_append(out, buf_data(&type), buf_len(&type));
        }
        buf_eat(&type, buf_len(&type));
    }
    buf_done(&type);
    return r;
}
