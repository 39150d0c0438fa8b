/* html_select.c - CSS selectors to simple tests, with the complaints that lol-html has. */
#include "text/html_select.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char EMPTY[] = "The selector is empty.", END[] = "Unexpected end of selector.",
                  TOKEN[] = "Unexpected token in selector.",
                  DANGLING[] = "Dangling combinator in selector.",
                  PSEUDO[] = "Unsupported pseudo-class or pseudo-element in selector.",
                  SPACE_NAME[] = "Selectors with explicit namespaces are not supported.",
                  CLASS_NAME[] = "Invalid or unescaped class name in selector.",
                  NO_NAME[] = "Missing attribute name in attribute selector.",
                  IN_ATTRIBUTE[] = "Unexpected token in the attribute selector.";

struct parser {
    struct html_selectors *set;
    struct span in;
    size_t at;
    unsigned depth;
    struct buf word; /* the last identifier or string */
    struct err *err;
};

void html_selectors_init(struct html_selectors *s)
{
    *s = (struct html_selectors){0};
}

void html_selectors_done(struct html_selectors *s)
{
    buf_done(&s->strings);
    buf_done(&s->simples);
    buf_done(&s->compounds);
}

static int refuse(struct parser *p, const char *text)
{
    return err_set(p->err, ERR_INVALID, "%s", text);
}

/* ---- characters, spaces, identifiers, strings ---- */

static int peek(const struct parser *p, size_t ahead)
{
    return p->at + ahead < p->in.len ? (unsigned char)p->in.data[p->at + ahead] : -1;
}

static bool take(struct parser *p, char c)
{
    if (peek(p, 0) != c)
        return false;
    p->at++;
    return true;
}

static bool skip_comment(struct parser *p)
{
    if (peek(p, 0) != '/' || peek(p, 1) != '*')
        return false;
    for (p->at += 2; peek(p, 0) >= 0; p->at++)
        if (peek(p, 0) == '*' && peek(p, 1) == '/') {
            p->at += 2;
            return true;
        }
    return true;
}

/* Whether there were any spaces. */
static bool skip(struct parser *p)
{
    bool has_spaces = false;

    for (;;) {
        if (peek(p, 0) >= 0 && html_is_space((char)peek(p, 0))) {
            has_spaces = true;
            p->at++;
        } else if (!skip_comment(p)) {
            return has_spaces;
        }
    }
}

static bool is_name_start(int c)
{
    return c == '_' || c >= 0x80 || (c >= 0 && html_is_alpha((char)c));
}

static bool is_name(int c)
{
    return is_name_start(c) || c == '-' || (c >= '0' && c <= '9');
}

static bool is_escape(const struct parser *p, size_t ahead)
{
    return peek(p, ahead) == '\\' && peek(p, ahead + 1) >= 0 && peek(p, ahead + 1) != '\n';
}

static bool at_identifier(const struct parser *p)
{
    size_t i = peek(p, 0) == '-';

    return is_name_start(peek(p, i)) || is_escape(p, i) || (i && peek(p, 1) == '-');
}

static int put_character(struct buf *out, unsigned long c)
{
    char utf8[4];
    size_t n = 0;

    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        c = 0xFFFD;
    if (c < 0x80) {
        utf8[n++] = (char)c;
    } else {
        if (c < 0x800) {
            utf8[n++] = (char)(0xC0 | c >> 6);
        } else {
            if (c < 0x10000) {
                utf8[n++] = (char)(0xE0 | c >> 12);
            } else {
                utf8[n++] = (char)(0xF0 | c >> 18);
                utf8[n++] = (char)(0x80 | (c >> 12 & 0x3F));
            }
            utf8[n++] = (char)(0x80 | (c >> 6 & 0x3F));
        }
        utf8[n++] = (char)(0x80 | (c & 0x3F));
    }
    return buf_append(out, utf8, n);
}

static int hex_of(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 0 && html_is_alpha((char)c) && (c | 32) <= 'f')
        return (c | 32) - 'a' + 10;
    return -1;
}

/* One character of a name or a string, with its escape undone, to p->word. */
static int take_character(struct parser *p)
{
    unsigned long code = 0;
    int digits = 0;
    char c = (char)peek(p, 0);

    p->at++;
    if (c != '\\')
        return c ? buf_append(&p->word, &c, 1) : put_character(&p->word, 0);
    for (; digits < 6 && hex_of(peek(p, 0)) >= 0; digits++, p->at++)
        code = code * 16 + (unsigned long)hex_of(peek(p, 0));
    if (digits > 0) {
        if (peek(p, 0) >= 0 && html_is_space((char)peek(p, 0)))
            p->at++;
        return put_character(&p->word, code);
    }
    c = (char)peek(p, 0);
    p->at++;
    return buf_append(&p->word, &c, 1);
}

static int take_name(struct parser *p)
{
    int r = 0;

    buf_eat(&p->word, buf_len(&p->word));
    while (r == 0 && (is_name(peek(p, 0)) || is_escape(p, 0)))
        r = take_character(p);
    return r;
}

static int take_string(struct parser *p)
{
    int quote = peek(p, 0), r = 0;

    buf_eat(&p->word, buf_len(&p->word));
    for (p->at++; r == 0 && peek(p, 0) >= 0 && peek(p, 0) != quote;) {
        if (peek(p, 0) == '\n')
            return refuse(p, IN_ATTRIBUTE);
        if (peek(p, 0) == '\\' && peek(p, 1) < 0)
            p->at++;
        else if (peek(p, 0) == '\\' && peek(p, 1) == '\n')
            p->at += 2;
        else
            r = take_character(p);
    }
    if (r == 0)
        take(p, (char)quote);
    return r;
}

static bool word_is(const struct parser *p, const char *text)
{
    return span_is_nocase(buf_span(&p->word), text);
}

/* p->word to the strings of the set. */
static int keep(struct parser *p, bool is_lowered, uint32_t *ret_at, uint32_t *ret_len)
{
    struct html_selectors *s = p->set;
    struct span word = buf_span(&p->word);
    int r;

    *ret_at = (uint32_t)buf_len(&s->strings);
    if (is_lowered)
        for (size_t i = 0; i < word.len; i++)
            if (html_is_alpha(word.data[i]))
                ((char *)word.data)[i] |= 32;
    r = s->encode ? s->encode(s->encode_self, word, &s->strings)
                  : buf_append(&s->strings, word.data, word.len);
    *ret_len = (uint32_t)(buf_len(&s->strings) - *ret_at);
    return r;
}

/* ---- simple selectors ---- */

static struct html_compound *compound_at(const struct html_selectors *s, size_t i)
{
    return (struct html_compound *)(void *)buf_data(&s->compounds) + i;
}

static int add_simple(struct parser *p, size_t compound, struct html_simple simple)
{
    struct html_compound *c = compound_at(p->set, compound);
    int r;

    simple.next = c->first;
    r = buf_append(&p->set->simples, &simple, sizeof simple);
    if (r == 0)
        c->first = (uint32_t)(buf_len(&p->set->simples) / sizeof simple);
    if (simple.kind == HTML_BY_TYPE)
        c->key = simple.key;
    return r;
}

static const char *const nocase_attributes[] = {
    "accept",     "accept-charset", "align",     "alink",    "axis",     "bgcolor", "charset",
    "checked",    "clear",          "codetype",  "color",    "compact",  "declare", "defer",
    "dir",        "direction",      "disabled",  "enctype",  "face",     "frame",   "hreflang",
    "http-equiv", "lang",           "language",  "link",     "media",    "method",  "multiple",
    "nohref",     "noresize",       "noshade",   "nowrap",   "readonly", "rel",     "rev",
    "rules",      "scope",          "scrolling", "selected", "shape",    "target",  "text",
    "type",       "valign",         "valuetype", "vlink",
};

static bool is_nocase_attribute(struct span name)
{
    for (size_t i = 0; i < sizeof nocase_attributes / sizeof *nocase_attributes; i++)
        if (span_is_nocase(name, nocase_attributes[i]))
            return true;
    return false;
}

/* Behind the operator: a value, a flag, the bracket. */
static int parse_value(struct parser *p, struct html_simple *simple)
{
    int r;

    skip(p);
    if (peek(p, 0) < 0 || peek(p, 0) == ']')
        return refuse(p, END);
    if (peek(p, 0) == '"' || peek(p, 0) == '\'')
        r = take_string(p);
    else if (at_identifier(p))
        r = take_name(p);
    else
        return refuse(p, IN_ATTRIBUTE);
    if (r == 0)
        r = keep(p, false, &simple->value, &simple->value_len);
    if (r < 0)
        return r;
    skip(p);
    if (at_identifier(p)) {
        r = take_name(p);
        if (r < 0)
            return r;
        if (!word_is(p, "i") && !word_is(p, "s"))
            return refuse(p, TOKEN);
        simple->is_nocase = word_is(p, "i");
        simple->is_nocase_in_html = false;
        skip(p);
    }
    return peek(p, 0) < 0 || take(p, ']') ? 0 : refuse(p, TOKEN);
}

static int parse_attribute(struct parser *p, size_t compound)
{
    struct html_simple simple = {.kind = HTML_BY_ATTRIBUTE};
    int r, c;

    p->at++;
    skip(p);
    if (peek(p, 0) < 0 || peek(p, 0) == ']')
        return refuse(p, END);
    if ((peek(p, 0) == '*' || peek(p, 0) == '|') && peek(p, 1) != '=')
        return refuse(p, SPACE_NAME);
    if (!at_identifier(p))
        return refuse(p, NO_NAME);
    r = take_name(p);
    if (r < 0)
        return r;
    if (peek(p, 0) == '|' && peek(p, 1) != '=')
        return refuse(p, SPACE_NAME);
    simple.is_nocase_in_html = is_nocase_attribute(buf_span(&p->word));
    r = keep(p, true, &simple.text, &simple.text_len);
    if (r < 0)
        return r;
    skip(p);
    c = peek(p, 0);
    if (c < 0 || take(p, ']'))
        return add_simple(p, compound, simple);
    if (c != '=' && (!strchr("~|^$*", c) || peek(p, 1) != '='))
        return refuse(p, IN_ATTRIBUTE);
    simple.op = (char)c;
    p->at += c == '=' ? 1 : 2;
    r = parse_value(p, &simple);
    return r < 0 ? r : add_simple(p, compound, simple);
}

/* A number with its sign; whether there were digits. */
static bool take_number(struct parser *p, int32_t *ret_n)
{
    long n = 0;
    bool has_digits = false;

    for (; peek(p, 0) >= '0' && peek(p, 0) <= '9'; p->at++, has_digits = true)
        n = n < INT_MAX / 16 ? n * 10 + (peek(p, 0) - '0') : n;
    *ret_n = (int32_t)n;
    return has_digits;
}

static bool take_sign(struct parser *p, int32_t *ret_sign)
{
    *ret_sign = peek(p, 0) == '-' ? -1 : 1;
    return take(p, '-') || take(p, '+');
}

/* an+b, as far as the bracket. */
static bool parse_nth(struct parser *p, int32_t *ret_a, int32_t *ret_b)
{
    int32_t sign, n;
    bool has_sign, has_digits;

    if (at_identifier(p) && (peek(p, 0) | 32) != 'n' && peek(p, 0) != '-') {
        if (take_name(p) < 0)
            return false;
        *ret_a = 2;
        *ret_b = word_is(p, "odd");
        return word_is(p, "odd") || word_is(p, "even");
    }
    has_sign = take_sign(p, &sign);
    has_digits = take_number(p, &n);
    if (peek(p, 0) < 0 || (peek(p, 0) | 32) != 'n') {
        *ret_b = sign * n;
        return has_digits;
    }
    p->at++;
    *ret_a = sign * (has_digits ? n : 1);
    skip(p);
    has_sign = take_sign(p, &sign);
    if (!has_sign)
        return true;
    skip(p);
    has_digits = take_number(p, &n);
    *ret_b = sign * n;
    return has_digits;
}

static int parse_list(struct parser *p, bool is_inner, uint32_t *ret_first);

static int parse_function(struct parser *p, size_t compound)
{
    struct html_simple simple = {0};
    int r = 0;

    if (word_is(p, "not"))
        simple.kind = HTML_BY_NOT;
    else if (word_is(p, "nth-child"))
        simple.kind = HTML_BY_CHILD;
    else if (word_is(p, "nth-of-type"))
        simple.kind = HTML_BY_OF_TYPE;
    else
        return refuse(p, PSEUDO);
    p->at++;
    skip(p);
    if (simple.kind == HTML_BY_NOT) {
        if (++p->depth > HTML_SELECTOR_DEPTH)
            return refuse(p, "The selector has too many levels of :not().");
        r = parse_list(p, true, &simple.inner);
        p->depth--;
    } else if (peek(p, 0) < 0 || peek(p, 0) == ')') {
        return refuse(p, END);
    } else if (!parse_nth(p, &simple.a, &simple.b)) {
        return refuse(p, TOKEN);
    }
    if (r < 0)
        return r;
    skip(p);
    if (peek(p, 0) >= 0 && !take(p, ')'))
        return refuse(p, TOKEN);
    p->set->has_types |= simple.kind == HTML_BY_OF_TYPE;
    return add_simple(p, compound, simple);
}

static int parse_pseudo(struct parser *p, size_t compound)
{
    struct html_simple simple = {.b = 1};
    int r;

    p->at++;
    if (peek(p, 0) < 0)
        return refuse(p, END);
    if (peek(p, 0) == ':')
        return refuse(p, PSEUDO);
    if (!at_identifier(p))
        return refuse(p, TOKEN);
    r = take_name(p);
    if (r < 0)
        return r;
    if (peek(p, 0) == '(')
        return parse_function(p, compound);
    if (word_is(p, "first-child"))
        simple.kind = HTML_BY_CHILD;
    else if (word_is(p, "first-of-type"))
        simple.kind = HTML_BY_OF_TYPE;
    else
        return refuse(p, PSEUDO);
    p->set->has_types |= simple.kind == HTML_BY_OF_TYPE;
    return add_simple(p, compound, simple);
}

static int parse_class_or_id(struct parser *p, size_t compound)
{
    struct html_simple simple = {.kind = peek(p, 0) == '.' ? HTML_BY_CLASS : HTML_BY_ID};
    int r;

    p->at++;
    r = take_name(p);
    if (r == 0)
        r = keep(p, false, &simple.text, &simple.text_len);
    return r < 0 ? r : add_simple(p, compound, simple);
}

/* ---- compounds and lists ---- */

/* *, p, *|p, |p.  Returns 1 when there was one. */
static int parse_type(struct parser *p, size_t compound)
{
    struct html_simple simple = {.kind = HTML_BY_TYPE};
    bool is_nothing = false;
    int r = 0;

    if (take(p, '|'))
        is_nothing = true;
    else if (peek(p, 0) == '*' && peek(p, 1) == '|' && peek(p, 2) != '=')
        p->at += 2;
    if (take(p, '*')) {
        simple.kind = HTML_BY_ANY;
    } else if (at_identifier(p)) {
        r = take_name(p);
        if (r == 0 && peek(p, 0) == '|' && peek(p, 1) != '=')
            return refuse(p, SPACE_NAME);
        if (r == 0)
            r = keep(p, true, &simple.text, &simple.text_len);
        if (r == 0)
            simple.key =
                html_key((struct span){buf_data(&p->set->strings) + simple.text, simple.text_len});
    } else {
        return is_nothing ? refuse(p, TOKEN) : 0;
    }
    if (is_nothing)
        simple.kind = HTML_BY_NOTHING;
    if (r == 0)
        r = add_simple(p, compound, simple);
    return r < 0 ? r : 1;
}

/* Returns 1 when there was one. */
static int parse_simple(struct parser *p, size_t compound)
{
    int c = peek(p, 0), next = peek(p, 1), r;

    if (c == '.') {
        if (next < 0)
            return refuse(p, END);
        if (next >= '0' && next <= '9')
            return 0;
        p->at++;
        if (!at_identifier(p))
            return refuse(p, CLASS_NAME);
        p->at--;
        r = parse_class_or_id(p, compound);
    } else if (c == '#') {
        p->at++;
        bool is_id = at_identifier(p);
        p->at--;
        if (!is_id)
            return 0;
        r = parse_class_or_id(p, compound);
    } else if (c == '[') {
        r = parse_attribute(p, compound);
    } else if (c == ':') {
        r = parse_pseudo(p, compound);
    } else {
        return 0;
    }
    return r < 0 ? r : 1;
}

static int parse_compound(struct parser *p, size_t compound, const char *when_empty)
{
    int has_any = parse_type(p, compound), r = has_any;

    while (r >= 0) {
        skip_comment(p);
        r = parse_simple(p, compound);
        if (r == 0)
            return has_any ? 0 : refuse(p, when_empty);
        has_any = 1;
    }
    return r;
}

static int add_compound(struct parser *p, char combinator, bool is_inner, size_t *ret_at)
{
    struct html_selectors *s = p->set;
    struct html_compound c = {.combinator = combinator,
                              .is_inner = is_inner,
                              .selector = UINT32_MAX,
                              .bit = (uint32_t)s->compound_count};

    *ret_at = buf_len(&s->compounds) / sizeof c;
    s->compound_count += !is_inner;
    s->words = (s->compound_count + 63) / 64;
    return buf_append(&s->compounds, &c, sizeof c);
}

/* 0: the chain ends here; -1: an error; else the combinator. */
static int parse_combinator(struct parser *p)
{
    bool has_spaces = skip(p);
    int c = peek(p, 0);
    char text[64];

    if (c < 0 || c == ',' || (c == ')' && p->depth > 0))
        return 0;
    if (take(p, '>')) {
        skip(p);
        return '>';
    }
    if (c == '+' || c == '~') {
        snprintf(text, sizeof text, "Unsupported combinator `%c` in selector.", c);
        return refuse(p, text), -1;
    }
    return has_spaces ? ' ' : (refuse(p, TOKEN), -1);
}

/* "a > b c", or one compound of a :not. */
static int parse_chain(struct parser *p, bool is_inner, uint32_t *ret_at)
{
    const char *when_empty = EMPTY;
    char combinator = 0;
    size_t at;
    int r;

    skip(p);
    for (;;) {
        r = add_compound(p, combinator, is_inner, &at);
        if (r == 0)
            r = parse_compound(p, at, when_empty);
        if (r < 0)
            return r;
        r = parse_combinator(p);
        if (r < 0)
            return ERR_INVALID;
        if (r == 0)
            break;
        if (is_inner)
            return refuse(p, PSEUDO);
        combinator = (char)r;
        when_empty = DANGLING;
    }
    compound_at(p->set, at)->selector = p->set->count;
    *ret_at = (uint32_t)at + 1;
    return 0;
}

static int parse_list(struct parser *p, bool is_inner, uint32_t *ret_first)
{
    uint32_t at = 0, before = 0;
    int r;

    do {
        r = parse_chain(p, is_inner, &at);
        if (r < 0)
            return r;
        compound_at(p->set, at - 1)->next = is_inner ? before : 0;
        before = at;
    } while (take(p, ','));
    *ret_first = before;
    return 0;
}

int html_selectors_add(struct html_selectors *s, struct span text, struct err *err)
{
    struct parser p = {.set = s, .in = text, .err = err};
    uint32_t first;
    int r = parse_list(&p, false, &first);

    if (r == 0 && p.at < text.len)
        r = refuse(&p, TOKEN);
    if (r == ERR_NOMEM)
        err_nomem(err);
    s->count += r == 0;
    buf_done(&p.word);
    return r;
}
