/* html.c - a stream of HTML to tokens whose raw bytes are all kept.
 *
 * `in` begins with the bytes of the token under way; `at` is how far they were
 * looked at.  A state's function looks on from there and either has a token
 * (give), or wants more input (HTML_MORE), or changes the state and is called
 * again.  No byte is looked at twice, but for a bounded few. */
#include "text/html.h"

#include <string.h>

enum state {
    DATA,
    OPEN,
    CLOSE,
    DECLARATION, /* < and what may follow */
    COMMENT,
    COMMENT_REST,
    BOGUS,
    BOGUS_REST,
    DOCTYPE,
    TAG_NAME,
    BEFORE_NAME,
    NAME,
    AFTER_NAME,
    BEFORE_VALUE,
    DOUBLE_QUOTED,
    SINGLE_QUOTED,
    UNQUOTED,
    AFTER_VALUE,
    SLASH,
    PLAIN,
    RAW,
    RAW_LESS,
    RAW_CLOSE,
    RAW_NAME,
    SCRIPT_BANG,
    ESCAPED,
    ESCAPED_LESS,
    DOUBLE_START,
    DOUBLE_LESS,
    DOUBLE_END,
    CDATA,
    OVER,
};
enum { NO_SCRIPT, SCRIPT, SCRIPT_ESCAPED, SCRIPT_DOUBLE }; /* html.script */
enum { AGAIN = -1000 };                                    /* the state has changed */

void html_init(struct html *h, size_t memory_max)
{
    *h = (struct html){.memory_max = memory_max, .wants_comments = true, .bytes = ""};
}

void html_done(struct html *h)
{
    buf_done(&h->in);
    buf_done(&h->attributes);
    buf_done(&h->spaces);
    buf_done(&h->opener);
}

size_t html_memory(const struct html *h)
{
    return buf_len(&h->in) - h->from - h->eaten + buf_len(&h->attributes) + buf_len(&h->spaces) +
           buf_len(&h->opener);
}

int html_feed(struct html *h, struct span bytes)
{
    int r;

    buf_eat(&h->in, h->from + h->eaten);
    h->from = h->eaten = 0;
    r = buf_append(&h->in, bytes.data, bytes.len);
    h->bytes = buf_data(&h->in);
    h->size = buf_len(&h->in);
    return r;
}

void html_end(struct html *h)
{
    h->is_end = true;
}

/* ---- tokens ---- */

static const char *bytes_of(const struct html *h)
{
    return h->bytes + h->from;
}

static size_t left(const struct html *h)
{
    return h->size - h->from;
}

/* The first n bytes are a token; the state behind it. */
static int give(struct html *h, struct html_token *t, enum html_kind kind, size_t n,
                enum state next)
{
    t->kind = kind;
    t->raw = (struct span){bytes_of(h), n};
    h->eaten = n;
    h->at = 0;
    h->state = next;
    return kind;
}

static int turn(struct html *h, enum state next)
{
    h->state = next;
    return AGAIN;
}

static bool has(const struct html *h, size_t n)
{
    return left(h) >= n;
}

/* The state of the text that is being read. */
static enum state text_state(const struct html *h)
{
    if (h->script >= SCRIPT_ESCAPED)
        return ESCAPED;
    return buf_len(&h->opener) > 0 ? RAW : DATA;
}

static int give_text(struct html *h, struct html_token *t, size_t n, enum state next)
{
    return n > 0 ? give(h, t, HTML_TEXT, n, next) : turn(h, next);
}

/* ---- markup that begins with < ---- */

static int data(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h);
    size_t len = left(h);
    const char *less = memchr(in, '<', len);

    if (less == in) {
        h->at = 1;
        return turn(h, OPEN);
    }
    if (len == 0)
        return HTML_MORE;
    if (less && h->skips_text) {
        h->from += (size_t)(less - in);
        h->at = 1;
        return turn(h, OPEN);
    }
    return give(h, t, HTML_TEXT, less ? (size_t)(less - in) : len, less ? OPEN : DATA);
}

static void begin_tag(struct html *h, bool is_closing, size_t name)
{
    if (buf_len(&h->attributes) > 0)
        buf_eat(&h->attributes, buf_len(&h->attributes));
    h->is_closing = is_closing;
    h->is_self_closing = false;
    h->name = (uint32_t)name;
    h->at = name;
}

static int give_tag(struct html *h, struct html_token *t, size_t end);

/* At once when it is there to its end. */
static int whole_tag(struct html *h, struct html_token *t)
{
    long end = html_read_tag(h, bytes_of(h), left(h));

    return end < 0 ? (int)end : end > 0 ? give_tag(h, t, (size_t)end) : turn(h, TAG_NAME);
}

static int open(struct html *h, struct html_token *t)
{
    char c;

    if (!has(h, 2))
        return h->is_end && has(h, 1) ? give(h, t, HTML_TEXT, 1, OVER) : HTML_MORE;
    c = bytes_of(h)[1];
    h->at = 2;
    if (html_is_alpha(c)) {
        begin_tag(h, false, 1);
        return whole_tag(h, t);
    }
    if (c == '/')
        return turn(h, CLOSE);
    if (c == '!')
        return turn(h, DECLARATION);
    if (c == '?') {
        h->name = 1;
        return turn(h, BOGUS);
    }
    return give(h, t, HTML_TEXT, 1, DATA);
}

static int close(struct html *h, struct html_token *t)
{
    char c;

    if (!has(h, 3))
        return h->is_end ? give(h, t, HTML_TEXT, 2, OVER) : HTML_MORE;
    c = bytes_of(h)[2];
    if (html_is_alpha(c)) {
        begin_tag(h, true, 2);
        return whole_tag(h, t);
    }
    if (c == '>')
        return give(h, t, HTML_RAW, 3, DATA);
    h->name = 2;
    return turn(h, BOGUS);
}

/* Do the bytes behind "<!" begin with this text?  1, 0, or -1: not known yet. */
static int begins(const struct html *h, const char *text)
{
    const char *in = bytes_of(h) + 2;
    size_t len = left(h) - 2, want = strlen(text), n = len < want ? len : want;

    if (n > 0 && (in[0] | 32) != (text[0] | 32))
        return 0;

    if (strncasecmp(in, text, n) != 0 || memchr(in, 0, n))
        return 0;
    if (*text == '[' && strncmp(in, text, n) != 0)
        return 0;
    return n == want ? 1 : h->is_end ? 0 : -1;
}

static int declaration(struct html *h, struct html_token *t)
{
    bool is_foreign = html_space(h) != HTML_HTML;
    int comment = begins(h, "--"), doctype = begins(h, "doctype"),
        cdata = is_foreign ? begins(h, "[CDATA[") : 0;

    if (comment < 0 || doctype < 0 || cdata < 0)
        return HTML_MORE;
    if (cdata > 0)
        return give(h, t, HTML_RAW, 9, CDATA);
    h->name = comment > 0 ? 4 : 2;
    h->at = h->name;
    return turn(h, comment > 0 ? COMMENT : doctype > 0 ? DOCTYPE : BOGUS);
}

/* ---- comments and doctypes ---- */

/* Where the text of a comment ends whose '>' stands at `end`; 0: it is none of its ends. */
static size_t comment_end(const struct html *h, size_t end)
{
    const char *in = bytes_of(h);

    if (end >= 6 && in[end - 1] == '-' && in[end - 2] == '-')
        return end - 2;
    if (end >= 7 && in[end - 1] == '!' && in[end - 2] == '-' && in[end - 3] == '-')
        return end - 3;
    return end == 4 || (end == 5 && in[4] == '-') ? 4 : 0;
}

static int give_comment(struct html *h, struct html_token *t, size_t text_end, size_t end)
{
    t->text = (struct span){bytes_of(h) + h->name, text_end - h->name};
    return give(h, t, HTML_COMMENT, end, DATA);
}

/* The input ends in a comment: dashes that would have closed it are no text. */
static int cut_comment(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h);
    size_t len = left(h), end = len;

    if (end >= 7 && in[end - 1] == '!' && in[end - 2] == '-' && in[end - 3] == '-')
        end -= 3;
    else
        for (int i = 0; i < 2 && end > 4 && in[end - 1] == '-'; i++)
            end--;
    return give_comment(h, t, end, len);
}

/* What of a comment nobody wants to see can leave; its last three bytes may be its end. */
static int give_piece(struct html *h, struct html_token *t, size_t keep, enum state rest)
{
    size_t len = left(h);

    if (h->wants_comments || len < 8 + keep)
        return HTML_MORE;
    give(h, t, HTML_RAW, len - keep, rest);
    h->at = keep;
    return HTML_RAW;
}

static int comment(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h), *end;
    size_t len = left(h);

    while ((end = memchr(in + h->at, '>', len - h->at))) {
        size_t text_end = comment_end(h, (size_t)(end - in));
        h->at = (size_t)(end - in) + 1;
        if (text_end > 0)
            return give_comment(h, t, text_end, h->at);
    }
    h->at = len;
    return h->is_end ? cut_comment(h, t) : give_piece(h, t, 3, COMMENT_REST);
}

/* A comment whose beginning has left. */
static int comment_rest(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h), *end;
    size_t len = left(h);

    while ((end = memchr(in + h->at, '>', len - h->at))) {
        size_t i = (size_t)(end - in);
        h->at = i + 1;
        if (i >= 2 && ((in[i - 1] == '-' && in[i - 2] == '-') ||
                       (i >= 3 && in[i - 1] == '!' && in[i - 2] == '-' && in[i - 3] == '-')))
            return give(h, t, HTML_RAW, i + 1, DATA);
    }
    h->at = len;
    if (h->is_end)
        return len > 0 ? give(h, t, HTML_RAW, len, OVER) : turn(h, OVER);
    return give_piece(h, t, 3, COMMENT_REST);
}

static int bogus(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h);
    size_t len = left(h);
    const char *end = memchr(in + h->at, '>', len - h->at);

    if (end)
        return give_comment(h, t, (size_t)(end - in), (size_t)(end - in) + 1);
    h->at = len;
    return h->is_end ? give_comment(h, t, len, len) : give_piece(h, t, 0, BOGUS_REST);
}

static int bogus_rest(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h);
    size_t len = left(h);
    const char *end = memchr(in, '>', len);

    if (len == 0)
        return h->is_end ? turn(h, OVER) : HTML_MORE;
    return give(h, t, HTML_RAW, end ? (size_t)(end - in) + 1 : len, end ? DATA : BOGUS_REST);
}

static int doctype(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h);
    size_t len = left(h);
    const char *end = memchr(in + h->at, '>', len - h->at);

    h->at = len;
    if (!end && !h->is_end)
        return HTML_MORE;
    html_read_doctype(t, (struct span){in + 9, (size_t)((end ? end : in + len) - in - 9)});
    return give(h, t, HTML_DOCTYPE, end ? (size_t)(end - in) + 1 : len, DATA);
}

/* ---- tags ---- */

static int keep_opener(struct html *h, struct span name)
{
    buf_eat(&h->opener, buf_len(&h->opener));
    return buf_append(&h->opener, name.data, name.len);
}

static int give_tag(struct html *h, struct html_token *t, size_t end)
{
    enum state next = DATA;
    unsigned text;
    int r;

    t->raw = (struct span){bytes_of(h), end};
    t->kind = h->is_closing ? HTML_END : HTML_START;
    t->name = (struct span){t->raw.data + h->name, h->name_end - h->name};
    t->key = html_key(t->name);
    t->attributes = (const struct html_attribute *)(const void *)buf_data(&h->attributes);
    t->attribute_count = buf_len(&h->attributes) / sizeof *t->attributes;
    t->is_self_closing = h->is_self_closing;
    h->script = NO_SCRIPT;
    if (buf_len(&h->opener) > 0)
        buf_eat(&h->opener, buf_len(&h->opener));
    r = html_follow(h, t, &text);
    if (r == 0 && text & HTML_IS_PLAINTEXT) {
        next = PLAIN;
    } else if (r == 0 && text) {
        r = keep_opener(h, t->name);
        h->script = text & HTML_IS_SCRIPT ? SCRIPT : NO_SCRIPT;
        next = RAW;
    }
    return r < 0 ? r : give(h, t, t->kind, end, next);
}

static int end_attribute(struct html *h, size_t end)
{
    h->attribute.end = (uint32_t)end;
    if (buf_len(&h->attributes) > h->memory_max)
        return ERR_LIMIT;
    return buf_append(&h->attributes, &h->attribute, sizeof h->attribute);
}

static void begin_attribute(struct html *h, size_t at)
{
    h->attribute = (struct html_attribute){.name = (uint32_t)at};
    h->at = at + 1; /* its first character may be '=' */
    h->state = NAME;
}

static void begin_value(struct html *h, size_t at, enum state quote)
{
    h->attribute.value = h->attribute.value_end = (uint32_t)at;
    h->at = at;
    h->state = quote;
}

static size_t value_end(const struct html *h, const char *in, size_t at, size_t len)
{
    if (h->state == UNQUOTED)
        return html_run(in, at, len, HTML_ENDS_VALUE);
    const char *quote = memchr(in + at, h->state == DOUBLE_QUOTED ? '"' : '\'', len - at);
    return quote ? (size_t)(quote - in) : len;
}

/* The character c at h->at, in one of the states between words. */
static int between(struct html *h, struct html_token *t, char c)
{
    size_t at = h->at;
    int r = 0;

    switch (h->state) {
    case SLASH:
        if (c == '>') {
            h->is_self_closing = true;
            return give_tag(h, t, at + 1);
        }
        return turn(h, BEFORE_NAME);
    case BEFORE_VALUE:
        if (c == '"' || c == '\'') {
            begin_value(h, at + 1, c == '"' ? DOUBLE_QUOTED : SINGLE_QUOTED);
        } else if (c == '>') {
            r = end_attribute(h, at);
            h->state = BEFORE_NAME;
        } else {
            begin_value(h, at, UNQUOTED);
        }
        return r < 0 ? r : AGAIN;
    case AFTER_NAME:
        if (c == '=') {
            h->at++;
            return turn(h, BEFORE_VALUE);
        }
        r = end_attribute(h, h->attribute.name_end);
        h->state = BEFORE_NAME;
        return r < 0 ? r : AGAIN;
    default: /* BEFORE_NAME, AFTER_VALUE */
        if (c == '>')
            return give_tag(h, t, at + 1);
        if (c == '/') {
            h->at++;
            return turn(h, SLASH);
        }
        begin_attribute(h, at);
        return AGAIN;
    }
}

static int words(struct html *h, const char *in, size_t len)
{
    size_t at;

    switch (h->state) {
    case TAG_NAME:
        at = h->at = html_run(in, h->at, len, HTML_ENDS_NAME);
        h->name_end = (uint32_t)at;
        return at < len ? turn(h, BEFORE_NAME) : HTML_MORE;
    case NAME:
        at = h->at = html_run(in, h->at, len, HTML_ENDS_ATTRIBUTE);
        h->attribute.name_end = (uint32_t)at;
        return at < len ? turn(h, AFTER_NAME) : HTML_MORE;
    default: { /* values */
        bool is_quoted = h->state != UNQUOTED;
        at = h->at = value_end(h, in, h->at, len);
        if (at == len)
            return HTML_MORE;
        h->attribute.value_end = (uint32_t)at;
        h->at = at + is_quoted;
        h->state = AFTER_VALUE;
        int r = end_attribute(h, h->at);
        return r < 0 ? r : AGAIN;
    }
    }
}

/* Between '<' and '>' of a tag. */
static int tag(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h);
    size_t len = left(h);
    int r = AGAIN;

    while (r == AGAIN) {
        if (h->state == TAG_NAME || h->state == NAME ||
            (h->state >= DOUBLE_QUOTED && h->state <= UNQUOTED)) {
            r = words(h, in, len);
        } else {
            if (h->state != SLASH)
                while (h->at < len && html_is_space(in[h->at]))
                    h->at++;
            r = h->at < len ? between(h, t, in[h->at]) : HTML_MORE;
        }
    }
    if (r == HTML_MORE && h->is_end)
        return give(h, t, HTML_RAW, len, OVER);
    return r;
}

/* ---- text of elements whose content is no markup ---- */

static int plain(struct html *h, struct html_token *t)
{
    return has(h, 1) ? give(h, t, HTML_TEXT, left(h), PLAIN) : HTML_MORE;
}

/* Up to the next '<', which stays. */
static int raw(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h);
    size_t len = left(h);
    const char *less = memchr(in, '<', len);

    if (len == 0)
        return HTML_MORE;
    h->at = 1;
    if (less == in)
        return turn(h, RAW_LESS);
    return give(h, t, HTML_TEXT, less ? (size_t)(less - in) : len, RAW);
}

/* How far the letters go from h->at on. */
static size_t letters(struct html *h)
{
    const char *in = bytes_of(h);
    size_t len = left(h);

    while (h->at < len && html_is_alpha(in[h->at]))
        h->at++;
    return h->at;
}

static bool is_delimiter(char c)
{
    return html_is_space(c) || c == '/' || c == '>';
}

static int raw_name(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h);
    size_t at = letters(h);

    if (!has(h, at + 1))
        return HTML_MORE;
    if (is_delimiter(in[at]) && at - 2 == buf_len(&h->opener) &&
        strncasecmp(in + 2, buf_data(&h->opener), at - 2) == 0) {
        begin_tag(h, true, 2);
        h->name_end = (uint32_t)at;
        h->at = at;
        return turn(h, BEFORE_NAME);
    }
    return give_text(h, t, at, text_state(h));
}

static int raw_less(struct html *h, struct html_token *t)
{
    char c;

    if (!has(h, h->state == RAW_LESS ? 2 : 3))
        return HTML_MORE;
    if (h->state == RAW_CLOSE) {
        h->at = 2;
        return html_is_alpha(bytes_of(h)[2]) ? turn(h, RAW_NAME)
                                             : give_text(h, t, 2, text_state(h));
    }
    c = bytes_of(h)[1];
    if (c == '/')
        return turn(h, RAW_CLOSE);
    if (c == '!' && h->script == SCRIPT)
        return turn(h, SCRIPT_BANG);
    return give_text(h, t, 1, RAW);
}

/* ---- scripts that hide in comments ---- */

static int script_bang(struct html *h, struct html_token *t)
{
    if (!has(h, 3))
        return HTML_MORE;
    if (bytes_of(h)[2] != '-')
        return give_text(h, t, 2, RAW);
    if (!has(h, 4))
        return HTML_MORE;
    if (bytes_of(h)[3] != '-')
        return give_text(h, t, 2, RAW);
    h->script = SCRIPT_ESCAPED;
    h->dashes = 2;
    h->at = 4;
    return turn(h, ESCAPED);
}

static int escaped(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h);
    size_t len = left(h);

    for (; h->at < len; h->at++) {
        char c = in[h->at];
        if (c == '-') {
            h->dashes += h->dashes < 2;
        } else if (c == '<') {
            size_t n = h->at;
            enum state next = h->script == SCRIPT_ESCAPED ? ESCAPED_LESS : DOUBLE_LESS;
            h->dashes = 0;
            h->at = 1;
            return give_text(h, t, n, next);
        } else if (c == '>' && h->dashes == 2) {
            h->dashes = 0;
            h->script = SCRIPT;
            return give_text(h, t, h->at, RAW);
        } else {
            h->dashes = 0;
        }
    }
    return len > 0 ? give(h, t, HTML_TEXT, len, ESCAPED) : HTML_MORE;
}

static int escaped_less(struct html *h, struct html_token *t)
{
    char c;

    if (!has(h, 2))
        return HTML_MORE;
    c = bytes_of(h)[1];
    if (c == '/') {
        h->at = 2;
        return turn(h, h->state == DOUBLE_LESS ? DOUBLE_END : RAW_CLOSE);
    }
    h->at = 1;
    if (h->state == ESCAPED_LESS && !html_is_alpha(c))
        return give_text(h, t, 1, ESCAPED);
    return turn(h, h->state == ESCAPED_LESS ? DOUBLE_START : ESCAPED);
}

/* "<script" or "</script" in a comment opens and closes a script in the script. */
static int escaped_word(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h);
    size_t from = h->state == DOUBLE_START ? 1 : 2, at = letters(h);

    if (!has(h, at + 1))
        return HTML_MORE;
    if (from == 1 && (at < 7 || strncasecmp(in + 1, "script", 6) != 0))
        return give(h, t, HTML_TEXT, 1, ESCAPED);
    if (is_delimiter(in[at])) {
        if (span_is_nocase((struct span){in + from, at - from}, "script"))
            h->script = from == 1 ? SCRIPT_DOUBLE : SCRIPT_ESCAPED;
        h->at++;
    }
    return turn(h, ESCAPED);
}

/* ---- CDATA ---- */

static int cdata(struct html *h, struct html_token *t)
{
    const char *in = bytes_of(h), *bracket;
    size_t len = left(h);

    if (len == 0)
        return HTML_MORE;
    bracket = memchr(in, ']', len);
    if (bracket != in)
        return give(h, t, HTML_TEXT, bracket ? (size_t)(bracket - in) : len, CDATA);
    if (len < 2)
        return HTML_MORE;
    if (in[1] != ']')
        return give(h, t, HTML_TEXT, 1, CDATA);
    if (len < 3)
        return HTML_MORE;
    if (in[2] == '>')
        return give(h, t, HTML_RAW, 3, DATA);
    return give(h, t, HTML_TEXT, in[2] == ']' ? 1 : 2, CDATA);
}

/* ---- the whole ---- */

static int step(struct html *h, struct html_token *t)
{
    switch ((enum state)h->state) {
    case DATA:
        return data(h, t);
    case OPEN:
        return open(h, t);
    case CLOSE:
        return close(h, t);
    case DECLARATION:
        return declaration(h, t);
    case COMMENT:
        return comment(h, t);
    case COMMENT_REST:
        return comment_rest(h, t);
    case BOGUS:
        return bogus(h, t);
    case BOGUS_REST:
        return bogus_rest(h, t);
    case DOCTYPE:
        return doctype(h, t);
    case PLAIN:
        return plain(h, t);
    case RAW:
        return raw(h, t);
    case RAW_LESS:
    case RAW_CLOSE:
        return raw_less(h, t);
    case RAW_NAME:
        return raw_name(h, t);
    case SCRIPT_BANG:
        return script_bang(h, t);
    case ESCAPED:
        return escaped(h, t);
    case ESCAPED_LESS:
    case DOUBLE_LESS:
        return escaped_less(h, t);
    case DOUBLE_START:
    case DOUBLE_END:
        return escaped_word(h, t);
    case CDATA:
        return cdata(h, t);
    case OVER:
        return HTML_MORE;
    default:
        return tag(h, t);
    }
}

/* By hand: clearing all of it, a doctype's ids included, takes as long as reading a short tag. */
static void begin_token(struct html_token *t)
{
    t->kind = HTML_MORE;
    t->raw = t->name = t->text = (struct span){0};
    t->attributes = NULL;
    t->attribute_count = 0;
    t->is_self_closing = t->is_void = false;
    t->space = HTML_HTML;
}

int html_next(struct html *h, struct html_token *ret_token)
{
    int r;

    begin_token(ret_token);
    h->from += h->eaten;
    h->eaten = 0;
    do
        r = step(h, ret_token);
    while (r == AGAIN);
    if (r != HTML_MORE || !h->is_end)
        return r == HTML_MORE && html_memory(h) > h->memory_max ? ERR_LIMIT : r;
    /* What text elements and CDATA still have is text. */
    if (left(h) > 0)
        return give(h, ret_token, HTML_TEXT, left(h), OVER);
    ret_token->kind = HTML_EOF;
    return HTML_EOF;
}
