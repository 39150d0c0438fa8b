/* page.c - answers of our own: errors, as plain text or as a readable page.
 *
 * Text is escaped before it enters a page: it may be a tenant's, or a client's
 * through a tenant's exception.  The page loads nothing and runs nothing.
 *
 * Who calls it: exchange.c. */
#include <stdio.h>

#include "front/inside.h"

#include "http/token.h"
#include "text/quote.h"
#include "text/status.h"
#include "text/traceback.h"

static const char BEFORE_TITLE[] =
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>";
static const char BEFORE_HEADING[] =
    "</title>\n<style>\n"
    ":root { color-scheme: light dark; --ink: #1d232b; --paper: #fbfaf8; --soft: #6b7480;\n"
    "  --card: #fff; --line: #e3e0da; --mark: #c2410c; }\n"
    "@media (prefers-color-scheme: dark) { :root { --ink: #e7e5e0; --paper: #16181c;\n"
    "  --soft: #98a0ab; --card: #1e2126; --line: #32363d; --mark: #fb923c; } }\n"
    "body { margin: 0; background: var(--paper); color: var(--ink);\n"
    "  font: 16px/1.5 system-ui, sans-serif; }\n"
    "main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem; }\n"
    "h1 { margin: 0 0 .25rem; font-size: 1.5rem; line-height: 1.25; }\n"
    "p { margin: 0 0 1.5rem; color: var(--soft); }\n"
    "p b { color: var(--mark); font-weight: 600; }\n"
    "pre { margin: 0; padding: 1rem 1.25rem; overflow-x: auto; background: var(--card);\n"
    "  border: 1px solid var(--line); border-left: 3px solid var(--mark); border-radius: 4px;\n"
    "  font: 13px/1.55 ui-monospace, monospace; tab-size: 4; }\n"
    "h2 { margin: 0 0 .5rem; font: 600 13px/1.55 ui-monospace, monospace; }\n"
    "h2 + pre { margin-bottom: 1.5rem; }\n"
    "pre + p { margin: 1.5rem 0 0; font-size: 13px; }\n"
    "pre i { color: var(--soft); font-style: normal; user-select: none; }\n"
    "pre mark { display: inline-block; min-width: 100%; color: inherit;\n"
    "  background: color-mix(in srgb, var(--mark) 18%, transparent); }\n"
    "</style>\n<main>\n<h1>";
static const char AFTER_TEXT[] = "</pre>\n";
static const char AFTER_ALL[] = "</main>\n</html>\n";

static int put(struct buf *b, struct span s)
{
    return buf_append(b, s.data, s.len);
}

static int put_escaped(struct buf *b, struct span s)
{
    int r = 0;

    for (size_t i = 0; i < s.len && r == 0; i++) {
        switch (s.data[i]) {
        case '&':
            r = put(b, SPAN("&amp;"));
            break;
        case '<':
            r = put(b, SPAN("&lt;"));
            break;
        case '>':
            r = put(b, SPAN("&gt;"));
            break;
        case '"':
            r = put(b, SPAN("&quot;"));
            break;
        default:
            r = buf_append(b, s.data + i, 1);
        }
    }
    return r;
}

/* A traceback is announced as the error that Workers users know. */
static struct span prefix_of(struct span text)
{
    static const char FIRST[] = "Traceback (most recent call last)";

    if (text.len >= sizeof FIRST - 1 && memcmp(text.data, FIRST, sizeof FIRST - 1) == 0)
        return SPAN("PythonError: ");
    return SPAN("");
}

/* The line at *at of the excerpt, without its end. */
static struct span next_line(struct span lines, size_t *at)
{
    const char *from = lines.data + *at, *end = memchr(from, '\n', lines.len - *at);
    size_t n = end ? (size_t)(end - from) : lines.len - *at;

    *at += n + 1;
    while (n > 0 && from[n - 1] == '\r')
        n--;
    return (struct span){from, n};
}

static int put_excerpt(struct buf *b, const struct excerpt *e)
{
    struct span lines = buf_span(&e->lines);
    int number = e->first, r;

    r = put(b, SPAN("<h2>"));
    r = r < 0 ? r : put_escaped(b, e->file);
    r = r < 0 ? r : buf_print(b, ":%d</h2>\n<pre>", e->line);
    for (size_t at = 0; at < lines.len && r == 0; number++) {
        bool is_meant = number == e->line;
        r = buf_print(b, "%s<i>%5d  </i>", is_meant ? "<mark>" : "", number);
        r = r < 0 ? r : put_escaped(b, next_line(lines, &at));
        r = r < 0 ? r : put(b, is_meant ? SPAN("</mark>\n") : SPAN("\n"));
    }
    return r < 0 ? r : put(b, SPAN("</pre>\n"));
}

bool excerpt_find(const struct front *front, const struct pool *pool, struct span text,
                  struct excerpt *ret_excerpt)
{
    const struct front_config *config = &front->config;
    struct excerpt *e = ret_excerpt;
    struct traceback_place place;

    *e = (struct excerpt){0};
    if (!config->excerpt || !traceback_place(text, &place))
        return false;
    e->file = place.file;
    e->line = place.line;
    return config->excerpt(config->excerpt_self, pool, e->file, e->line, &e->lines, &e->first) == 0;
}

void excerpt_done(struct excerpt *excerpt)
{
    buf_done(&excerpt->lines);
}

static int put_status(struct buf *b, const struct page_spec *spec)
{
    int r =
        buf_print(b, "</h1>\n<p><b>%u</b> %.*s", spec->status, SPAN_ARG(status_text(spec->status)));

    if (r == 0 && spec->code > 0)
        r = buf_print(b, " (error %u)", spec->code);
    return r < 0 ? r : put(b, SPAN("</p>\n"));
}

static int put_ray(struct buf *b, const struct page_spec *spec)
{
    if (spec->ray.len == 0)
        return 0;
    return buf_print(b, "<p>Ray ID: %.*s</p>\n", SPAN_ARG(spec->ray));
}

int page_html(struct buf *b, const struct page_spec *spec)
{
    struct span title = spec->title.len > 0 ? spec->title : status_text(spec->status);

    if (spec->html.len > 0)
        return put(b, spec->html);
    if (put(b, SPAN(BEFORE_TITLE)) < 0 || put_escaped(b, title) < 0 ||
        put(b, SPAN(BEFORE_HEADING)) < 0 || put_escaped(b, title) < 0 || put_status(b, spec) < 0 ||
        (spec->excerpt && put_excerpt(b, spec->excerpt) < 0) || put(b, SPAN("<pre>")) < 0 ||
        put(b, prefix_of(spec->text)) < 0 || put_escaped(b, spec->text) < 0 ||
        put(b, SPAN(AFTER_TEXT)) < 0 || put_ray(b, spec) < 0 || put(b, SPAN(AFTER_ALL)) < 0)
        return ERR_NOMEM;
    return 0;
}

/* Begins with the code, as Cloudflare's: programs look for it. */
static int put_plain(struct buf *b, const struct page_spec *spec)
{
    bool has_newline = spec->text.len > 0 && spec->text.data[spec->text.len - 1] == '\n';
    int r = spec->code > 0 ? buf_print(b, "error code: %u\n", spec->code) : 0;

    r = r < 0 ? r : put(b, prefix_of(spec->text));
    r = r < 0 ? r : put(b, spec->text);
    r = r < 0 || has_newline ? r : put(b, SPAN("\n"));
    if (r == 0 && spec->ray.len > 0)
        r = buf_print(b, "Ray ID: %.*s\n", SPAN_ARG(spec->ray));
    return r;
}

/* For programs, as RFC 9457 has it. */
static int put_json(struct buf *b, const struct page_spec *spec)
{
    struct span title = spec->title.len > 0 ? spec->title : status_text(spec->status);
    struct span text = spec->text;
    int r = put(b, SPAN("{\"type\":\"about:blank\",\"title\":"));

    while (text.len > 0 && text.data[text.len - 1] == '\n')
        text.len--;
    r = r < 0 ? r : quote_json(b, title);
    r = r < 0 ? r : buf_print(b, ",\"status\":%u,\"detail\":", spec->status);
    r = r < 0 ? r : quote_json(b, text);
    if (r == 0 && spec->code > 0)
        r = buf_print(b, ",\"error_code\":%u", spec->code);
    if (r == 0 && spec->ray.len > 0)
        r = buf_print(b, ",\"ray_id\":\"%.*s\"", SPAN_ARG(spec->ray));
    return r < 0 ? r : put(b, SPAN("}\n"));
}

static int put_number(struct answer *a, struct buf *out, struct span name, unsigned number)
{
    char text[16];
    int n = snprintf(text, sizeof text, "%u", number);

    return answer_field(a, out, name, (struct span){text, (size_t)n});
}

static int put_head(struct buf *out, struct answer *a, const struct page_spec *spec)
{
    static const char *const TYPES[] = {[PAGE_PLAIN] = "text/plain; charset=utf-8",
                                        [PAGE_HTML] = "text/html; charset=utf-8",
                                        [PAGE_JSON] = "application/problem+json"};
    int r = answer_begin(a, out);

    if (r == 0)
        r = answer_field(a, out, SPAN("Content-Type"), span_of(TYPES[spec->kind]));
    if (r == 0 && spec->kind == PAGE_HTML)
        r = answer_field(a, out, SPAN("Content-Security-Policy"),
                         SPAN("default-src 'none'; style-src 'unsafe-inline'"));
    if (r == 0 && spec->retry_after_s > 0)
        r = put_number(a, out, SPAN("Retry-After"), spec->retry_after_s);
    if (r == 0 && spec->location.len > 0)
        r = answer_field(a, out, SPAN("Location"), spec->location);
    if (r == 0 && spec->ray.len > 0)
        r = answer_field(a, out, SPAN("CF-Ray"), spec->ray);
    if (r == 0 && spec->status == 426)
        r = answer_field(a, out, SPAN("Sec-WebSocket-Version"), SPAN("13"));
    return r == 0 ? answer_end(a, out) : r;
}

int page_put(struct buf *out, struct answer *a, const struct page_spec *spec)
{
    struct buf body = {0};
    size_t before = buf_len(out);
    int r = 0;

    switch (spec->kind) {
    case PAGE_HTML:
        r = page_html(&body, spec);
        break;
    case PAGE_JSON:
        r = put_json(&body, spec);
        break;
    case PAGE_PLAIN:
        r = put_plain(&body, spec);
        break;
    }
    a->body_length = (int64_t)buf_len(&body);
    if (r == 0)
        r = put_head(out, a, spec);
    if (r == 0 && a->framing == ANSWER_LENGTH)
        r = put(out, buf_span(&body));
    if (r < 0)
        out->tail = out->head + before;
    buf_done(&body);
    return r < 0 ? ERR_NOMEM : 0;
}

/* "q=0.5" among the parameters, in thousandths; 1000 without one. */
static int quality(struct span parameters)
{
    const char *q;
    int value = 0, digit = 1000;

    for (size_t i = 0; i + 2 < parameters.len; i++) {
        q = parameters.data + i;
        if ((q[0] | 0x20) != 'q' || q[1] != '=' || (i > 0 && !strchr("; \t", q[-1])))
            continue;
        if (q[2] == '1')
            return 1000;
        for (size_t j = i + 4; j < parameters.len && token_is(parameters.data[j], TOKEN_DIGIT); j++)
            value += (parameters.data[j] - '0') * (digit /= 10);
        return value;
    }
    return 1000;
}

enum page_kind page_kind_of(struct span accept)
{
    struct span element;
    int html = 0, plain = 0, json = 0;

    while (token_next(&accept, &element)) {
        const char *semicolon = element.len > 0 ? memchr(element.data, ';', element.len) : NULL;
        size_t n = semicolon ? (size_t)(semicolon - element.data) : element.len;
        struct span type = token_trim((struct span){element.data, n});
        int q = quality((struct span){element.data + n, element.len - n});
        if (span_is_nocase(type, "text/html"))
            html = q;
        else if (span_is_nocase(type, "text/plain"))
            plain = q;
        else if (span_is_nocase(type, "application/json") ||
                 span_is_nocase(type, "application/problem+json"))
            json = q > json ? q : json;
    }
    if (html > plain && html >= json)
        return PAGE_HTML;
    return json > plain ? PAGE_JSON : PAGE_PLAIN;
}
