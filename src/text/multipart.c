/* multipart.c - read a multipart/form-data body that is here as a whole, part by part.
 *
 * A boundary line is CRLF (or the body's start), "--", the boundary, blanks,
 * and CRLF or "--".  The boundary with anything else behind it is content, so
 * that one boundary may begin another.  Each byte is searched once. */
#include "text/multipart.h"

#include <string.h>

enum { SHOW_MAX = 60 };     /* bytes of the client's that an error shows */

enum line { LINE_NONE, LINE_PART, LINE_LAST, LINE_CUT };

static bool is_blank(char c) { return c == ' ' || c == '\t'; }
static bool is_space(char c) { return is_blank(c) || c == '\r' || c == '\n'; }

static int show(struct span s)
{
    return (int)(s.len < SHOW_MAX ? s.len : SHOW_MAX);
}

int multipart_init(struct multipart *m, struct span boundary, struct span body, struct err *err)
{
    *m = (struct multipart){.body = body, .line_len = boundary.len + 4};
    if (boundary.len == 0)
        return err_set(err, ERR_INVALID, "the boundary in the Content-Type is empty");
    if (boundary.len > MULTIPART_BOUNDARY_MAX)
        return err_set(err, ERR_LIMIT, "the boundary has %zu bytes, at most %d are allowed",
                       boundary.len, MULTIPART_BOUNDARY_MAX);
    memcpy(m->line, "\r\n--", 4);
    memcpy(m->line + 4, boundary.data, boundary.len);
    return 0;
}

/* The boundary ends before `at`: what kind of line is it?  *ret_next: behind the line. */
static enum line line_kind(struct span body, size_t at, size_t *ret_next)
{
    const char *p = body.data + at, *end = body.data + body.len;

    if (end - p >= 2 && p[0] == '-' && p[1] == '-') {
        *ret_next = body.len;
        return end - p == 2 || is_space(p[2]) ? LINE_LAST : LINE_NONE;
    }
    while (p < end && is_blank(*p))
        p++;
    if (end - p >= 2 && p[0] == '\r' && p[1] == '\n') {
        *ret_next = (size_t)(p + 2 - body.data);
        return LINE_PART;
    }
    return p == end || (end - p == 1 && (*p == '-' || *p == '\r')) ? LINE_CUT : LINE_NONE;
}

/* The next boundary line from `from` on.  *ret_start: where its CRLF begins. */
static enum line find_line(const struct multipart *m, size_t from, size_t *ret_start,
                           size_t *ret_next)
{
    struct span body = m->body;

    if (from == 0 && body.len >= m->line_len - 2 &&
        memcmp(body.data, m->line + 2, m->line_len - 2) == 0) {
        enum line kind = line_kind(body, m->line_len - 2, ret_next);
        *ret_start = 0;
        if (kind != LINE_NONE)
            return kind;
    }
    while (from < body.len) {
        const char *found = memmem(body.data + from, body.len - from, m->line, m->line_len);
        enum line kind;
        if (!found)
            return LINE_NONE;
        *ret_start = (size_t)(found - body.data);
        from = *ret_start + m->line_len;
        kind = line_kind(body, from, ret_next);
        if (kind != LINE_NONE)
            return kind;
    }
    return LINE_NONE;
}

/* ---- Content-Disposition ---- */

static void skip_spaces(struct span *s)
{
    while (s->len > 0 && is_space(s->data[0]))
        s->data++, s->len--;
}

static struct span take_word(struct span *s, const char *ends)
{
    struct span word = {s->data, 0};

    while (word.len < s->len && !is_space(s->data[word.len]) &&
           (s->data[word.len] == '\0' || !strchr(ends, s->data[word.len])))
        word.len++;
    s->data += word.len;
    s->len -= word.len;
    return word;
}

/* %0A, %0D and %22 at p, or -1. */
static int escaped(const char *p, const char *end)
{
    if (end - p < 3 || p[0] != '%')
        return -1;
    if (p[1] == '2' && p[2] == '2')
        return '"';
    if (p[1] == '0' && (p[2] | 0x20) == 'a')
        return '\n';
    return p[1] == '0' && (p[2] | 0x20) == 'd' ? '\r' : -1;
}

/* A quoted value stands at the start of s: append what it means and cut it off. */
static int take_quoted(struct span *s, struct buf *out)
{
    const char *p = s->data + 1, *end = s->data + s->len;

    for (; p < end && *p != '"'; p++) {
        int c = escaped(p, end);
        char byte;
        if (*p == '\r' || *p == '\n')
            return ERR_INVALID;
        if (*p == '\\' && end - p > 1 && (p[1] == '"' || p[1] == '\\'))
            p++;
        byte = c < 0 ? *p : (char)c;
        if (c >= 0)
            p += 2;
        if (buf_append(out, &byte, 1) < 0)
            return ERR_NOMEM;
    }
    if (p == end)
        return ERR_INVALID;
    *s = (struct span){p + 1, (size_t)(end - p - 1)};
    return 0;
}

static int hex(char c)
{
    char lower = (char)(c | 0x20);

    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The value of filename*: charset'language'percent-encoded, appended as UTF-8. */
static int decode_extended(struct span v, struct buf *out)
{
    const char *end = v.data + v.len, *p = memchr(v.data, '\'', v.len);
    struct span charset = {v.data, p ? (size_t)(p - v.data) : 0};
    bool is_latin1 = span_is_nocase(charset, "iso-8859-1");

    p = p ? memchr(p + 1, '\'', (size_t)(end - p - 1)) : NULL;
    if (!p || (!is_latin1 && !span_is_nocase(charset, "utf-8")))
        return ERR_INVALID;
    for (p++; p < end; p++) {
        unsigned char c = (unsigned char)*p;
        char two[2];
        if (c == '%') {
            if (end - p < 3 || hex(p[1]) < 0 || hex(p[2]) < 0)
                return ERR_INVALID;
            c = (unsigned char)(hex(p[1]) << 4 | hex(p[2]));
            p += 2;
        }
        two[0] = is_latin1 && c >= 0x80 ? (char)(0xC0 | c >> 6) : (char)c;
        two[1] = (char)(0x80 | (c & 0x3F));
        if (buf_append(out, two, is_latin1 && c >= 0x80 ? 2 : 1) < 0)
            return ERR_NOMEM;
    }
    return 0;
}

static void clear(struct buf *b)
{
    buf_eat(b, buf_len(b));
}

/* What is being made of one part. */
struct draft {
    struct multipart *m;
    struct multipart_part *part;
    struct err *err;
    bool has_disposition, has_name, has_extended;
    bool is_cut;            /* the header may be longer than what we look at */
};

static int bad(struct draft *d, const char *what, struct span where)
{
    return err_set(d->err, ERR_INVALID, "part %u: %s: '%.*s'", d->m->count, what, show(where),
                   where.data);
}

/* One name=value of Content-Disposition, whose name was read already. */
static int read_param(struct draft *d, struct span name, struct span *rest)
{
    struct multipart_part *part = d->part;
    bool is_name = span_is_nocase(name, "name"), is_file = span_is_nocase(name, "filename");
    bool is_extended = span_is_nocase(name, "filename*");
    struct buf other = {0}, *out = &other;
    struct span whole = *rest, word;
    int r;

    if (is_name && d->has_name)
        return bad(d, "Content-Disposition has two names", whole);
    if (is_name)
        out = &part->name;
    else if (is_file && !d->has_extended)
        out = &part->filename;
    clear(out);
    if (rest->len > 0 && rest->data[0] == '"') {
        r = take_quoted(rest, out);
    } else {
        word = take_word(rest, ";");
        if (is_extended)
            clear(&part->filename);
        r = is_extended ? decode_extended(word, &part->filename)
                        : buf_append(out, word.data, word.len);
        d->has_extended |= is_extended;
    }
    buf_done(&other);
    d->has_name |= is_name;
    part->has_filename |= is_file || is_extended;
    if (r == ERR_INVALID && is_extended)
        return bad(d, "filename* must be UTF-8'' and percent-encoded", whole);
    return r == ERR_INVALID ? bad(d, "a quote in Content-Disposition is not closed", whole) : r;
}

static int read_disposition(struct draft *d, struct span value)
{
    struct span rest = value, word = take_word(&rest, ";");

    if (d->has_disposition)
        return bad(d, "there is a second Content-Disposition", value);
    d->has_disposition = true;
    if (!span_is_nocase(word, "form-data"))
        return bad(d, "Content-Disposition is not form-data", value);
    for (;;) {
        struct span name;
        int r;
        skip_spaces(&rest);
        if (rest.len == 0)
            return 0;
        if (rest.data[0] != ';')
            return bad(d, "a ';' is missing in Content-Disposition", rest);
        rest.data++, rest.len--;
        skip_spaces(&rest);
        name = take_word(&rest, "=;");
        skip_spaces(&rest);
        if (name.len == 0 && (rest.len == 0 || rest.data[0] == ';'))
            continue;
        if (name.len == 0 || rest.len == 0 || rest.data[0] != '=')
            return bad(d, "Content-Disposition has something that is not name=value", name);
        rest.data++, rest.len--;
        skip_spaces(&rest);
        r = read_param(d, name, &rest);
        if (r < 0)
            return r;
    }
}

/* ---- the header lines of a part ---- */

/* The next line (its folds included) of text, without its CRLF.  Behind the last: len 0. */
static int take_line(struct draft *d, struct span *text, struct span *ret_line)
{
    const char *end = text->data + text->len, *p = text->data;

    for (;; p++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p && d->is_cut)
            return err_set(d->err, ERR_LIMIT, "part %u: its header has more than %d bytes",
                           d->m->count, MULTIPART_HEADER_MAX);
        if (!p)
            return err_set(d->err, ERR_INVALID, "part %u: the body ends within its header",
                           d->m->count);
        if (p == text->data || p[-1] != '\r')
            return bad(d, "a header line ends with LF, not with CRLF",
                       (struct span){text->data, (size_t)(p - text->data)});
        if (p - 1 == text->data || p + 1 == end || !is_blank(p[1]))
            break;
    }
    *ret_line = (struct span){text->data, (size_t)(p - 1 - text->data)};
    *text = (struct span){p + 1, (size_t)(end - p - 1)};
    return 0;
}

static int read_field(struct draft *d, struct span line)
{
    const char *colon = memchr(line.data, ':', line.len);
    struct span name, value;

    if (!colon)
        return bad(d, "a header line has no ':'", line);
    name = (struct span){line.data, (size_t)(colon - line.data)};
    value = (struct span){colon + 1, line.len - name.len - 1};
    skip_spaces(&value);
    while (value.len > 0 && is_space(value.data[value.len - 1]))
        value.len--;
    if (span_is_nocase(name, "content-disposition"))
        return read_disposition(d, value);
    if (span_is_nocase(name, "content-type"))
        d->part->type = value;
    return 0;
}

static int read_header(struct draft *d)
{
    struct multipart *m = d->m;
    struct span text = {m->body.data + m->at, m->body.len - m->at}, line;
    int r;

    d->is_cut = text.len > MULTIPART_HEADER_MAX;
    if (d->is_cut)
        text.len = MULTIPART_HEADER_MAX;
    do {
        r = take_line(d, &text, &line);
        if (r == 0 && line.len > 0)
            r = read_field(d, line);
        if (r < 0)
            return r == ERR_NOMEM ? err_nomem(d->err) : r;
    } while (line.len > 0);
    m->at = (size_t)(text.data - m->body.data);
    if (!d->has_disposition)
        return err_set(d->err, ERR_INVALID, "part %u: it has no Content-Disposition", m->count);
    if (!d->has_name)
        return err_set(d->err, ERR_INVALID, "part %u: its Content-Disposition has no name",
                       m->count);
    return 0;
}

/* Up to the first boundary line. */
static int begin(struct multipart *m, struct err *err)
{
    size_t start;

    switch (find_line(m, 0, &start, &m->at)) {
    case LINE_PART:
        return 0;
    case LINE_LAST:
        m->has_ended = true;
        return 0;
    default:
        return err_set(err, ERR_INVALID, "the body has no line with the boundary '%.*s'",
                       show((struct span){m->line, m->line_len - 4}), m->line + 4);
    }
}

int multipart_next(struct multipart *m, struct multipart_part *part, struct err *err)
{
    struct draft d = {.m = m, .part = part, .err = err};
    size_t start = 0, next = 0, from;
    enum line kind;
    int r;

    clear(&part->name);
    clear(&part->filename);
    part->has_filename = false;
    part->type = part->content = (struct span){NULL, 0};
    if (m->at == 0 && !m->has_ended) {
        r = begin(m, err);
        if (r < 0)
            return r;
    }
    if (m->has_ended)
        return MULTIPART_END;
    if (++m->count > MULTIPART_PARTS_MAX)
        return err_set(err, ERR_LIMIT, "the form has more than %d parts", MULTIPART_PARTS_MAX);
    r = read_header(&d);
    if (r < 0)
        return r;
    from = m->at;
    kind = find_line(m, from - 2, &start, &next);   /* without content the empty line's CRLF does */
    if (kind == LINE_NONE || kind == LINE_CUT)
        return err_set(err, ERR_INVALID, "part %u: the body ends before its closing boundary",
                       m->count);
    part->content = (struct span){m->body.data + from, start > from ? start - from : 0};
    m->at = next;
    m->has_ended = kind == LINE_LAST;
    return MULTIPART_PART;
}

void multipart_part_done(struct multipart_part *part)
{
    buf_done(&part->name);
    buf_done(&part->filename);
}
