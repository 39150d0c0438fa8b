/* html_tags.c - what is known of names of elements, and as much of tree construction as the
 * tokenizer must follow: text elements, foreign content, where both cannot be told; what stands in
 * a doctype. */
#include <stdio.h>
#include <string.h>

#include "text/html.h"

static const struct known {
    const char *name;
    unsigned flags;
} known[] = {
    {"annotation-xml", HTML_IS_ANNOTATION},
    {"area", HTML_IS_VOID},
    {"b", HTML_IS_BREAKOUT},
    {"base", HTML_IS_VOID},
    {"basefont", HTML_IS_VOID},
    {"bgsound", HTML_IS_VOID},
    {"big", HTML_IS_BREAKOUT},
    {"blockquote", HTML_IS_BREAKOUT},
    {"body", HTML_IS_BREAKOUT},
    {"br", HTML_IS_VOID | HTML_IS_BREAKOUT | HTML_IS_END_BREAKOUT},
    {"center", HTML_IS_BREAKOUT},
    {"code", HTML_IS_BREAKOUT},
    {"col", HTML_IS_VOID},
    {"dd", HTML_IS_BREAKOUT},
    {"desc", HTML_IS_SVG_POINT},
    {"div", HTML_IS_BREAKOUT},
    {"dl", HTML_IS_BREAKOUT},
    {"dt", HTML_IS_BREAKOUT},
    {"em", HTML_IS_BREAKOUT},
    {"embed", HTML_IS_VOID | HTML_IS_BREAKOUT},
    {"font", HTML_IS_FONT},
    {"foreignobject", HTML_IS_SVG_POINT},
    {"frame", HTML_IS_VOID},
    {"frameset", HTML_IS_FRAMESET},
    {"h1", HTML_IS_BREAKOUT},
    {"h2", HTML_IS_BREAKOUT},
    {"h3", HTML_IS_BREAKOUT},
    {"h4", HTML_IS_BREAKOUT},
    {"h5", HTML_IS_BREAKOUT},
    {"h6", HTML_IS_BREAKOUT},
    {"head", HTML_IS_BREAKOUT},
    {"hr", HTML_IS_VOID | HTML_IS_BREAKOUT},
    {"i", HTML_IS_BREAKOUT},
    {"iframe", HTML_IS_RAWTEXT},
    {"img", HTML_IS_VOID | HTML_IS_BREAKOUT},
    {"input", HTML_IS_VOID | HTML_IS_SELECT_EXIT},
    {"keygen", HTML_IS_VOID | HTML_IS_SELECT_EXIT},
    {"li", HTML_IS_BREAKOUT},
    {"link", HTML_IS_VOID},
    {"listing", HTML_IS_BREAKOUT},
    {"math", HTML_IS_MATH},
    {"menu", HTML_IS_BREAKOUT},
    {"meta", HTML_IS_VOID | HTML_IS_BREAKOUT},
    {"mi", HTML_IS_MATH_POINT},
    {"mn", HTML_IS_MATH_POINT},
    {"mo", HTML_IS_MATH_POINT},
    {"ms", HTML_IS_MATH_POINT},
    {"mtext", HTML_IS_MATH_POINT},
    {"nobr", HTML_IS_BREAKOUT},
    {"noembed", HTML_IS_RAWTEXT},
    {"noframes", HTML_IS_RAWTEXT | HTML_IS_NOFRAMES},
    {"noscript", HTML_IS_RAWTEXT},
    {"ol", HTML_IS_BREAKOUT},
    {"p", HTML_IS_BREAKOUT | HTML_IS_END_BREAKOUT},
    {"param", HTML_IS_VOID},
    {"plaintext", HTML_IS_PLAINTEXT},
    {"pre", HTML_IS_BREAKOUT},
    {"ruby", HTML_IS_BREAKOUT},
    {"s", HTML_IS_BREAKOUT},
    {"script", HTML_IS_SCRIPT},
    {"select", HTML_IS_SELECT | HTML_IS_SELECT_EXIT},
    {"small", HTML_IS_BREAKOUT},
    {"source", HTML_IS_VOID},
    {"span", HTML_IS_BREAKOUT},
    {"strike", HTML_IS_BREAKOUT},
    {"strong", HTML_IS_BREAKOUT},
    {"style", HTML_IS_RAWTEXT},
    {"sub", HTML_IS_BREAKOUT},
    {"sup", HTML_IS_BREAKOUT},
    {"svg", HTML_IS_SVG},
    {"table", HTML_IS_BREAKOUT},
    {"template", HTML_IS_TEMPLATE},
    {"textarea", HTML_IS_RCDATA | HTML_IS_SELECT_EXIT},
    {"title", HTML_IS_RCDATA | HTML_IS_SVG_POINT},
    {"track", HTML_IS_VOID},
    {"tt", HTML_IS_BREAKOUT},
    {"u", HTML_IS_BREAKOUT},
    {"ul", HTML_IS_BREAKOUT},
    {"var", HTML_IS_BREAKOUT},
    {"wbr", HTML_IS_VOID},
    {"xmp", HTML_IS_RAWTEXT},
};

/* The known names that have a key, by its hash. */
enum { SLOTS = 256 };
static struct slot {
    uint64_t key;
    const struct known *known;
} slots[SLOTS];
static bool is_indexed;

static size_t slot_of(uint64_t key)
{
    return key * 0x9E3779B97F4A7C15 >> 56;
}

static void index_known(void)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint64_t key = html_key(span_of(known[i].name));
        size_t slot = slot_of(key);
        while (slots[slot].key)
            slot = (slot + 1) % SLOTS;
        if (key)
            slots[slot] = (struct slot){key, &known[i]};
    }
    is_indexed = true;
}

static const struct known *look_up_long(struct span name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (span_is_nocase(name, known[i].name))
            return &known[i];
    return NULL;
}

/* NULL: nothing is known of it. */
static const struct known *look_up(struct span name, uint64_t key)
{
    size_t slot = slot_of(key);

    if (!is_indexed)
        index_known();
    if (name.len > HTML_KEY_MAX)
        return look_up_long(name);
    while (slots[slot].key && slots[slot].key != key)
        slot = (slot + 1) % SLOTS;
    /* "p" and a NUL have the key of "p". */
    return slots[slot].key && name.data[name.len - 1] ? slots[slot].known : NULL;
}

unsigned html_flags(struct span name, uint64_t key)
{
    const struct known *found = look_up(name, key);

    return found ? found->flags : 0;
}

/* ---- where a text element may be ignored by a parser that builds a tree ---- */

enum { GUARD_NONE, GUARD_SELECT, GUARD_TEMPLATE, GUARD_FRAMESET };

static int ambiguous(struct html *h, const struct html_token *t)
{
    snprintf(h->ambiguous, sizeof h->ambiguous, "%.*s", SPAN_ARG(t->name));
    for (char *c = h->ambiguous; *c; c++)
        if (html_is_alpha(*c))
            *c |= 32;
    return ERR_INVALID;
}

static int guard_start(struct html *h, const struct html_token *t, unsigned flags)
{
    switch (h->guard) {
    case GUARD_NONE:
        if (flags & HTML_IS_SELECT)
            h->guard = GUARD_SELECT;
        else if (flags & HTML_IS_FRAMESET)
            h->guard = GUARD_FRAMESET;
        return 0;
    case GUARD_SELECT:
        if (flags & HTML_IS_SELECT_EXIT)
            h->guard = GUARD_NONE;
        else if (flags & HTML_IS_TEMPLATE)
            h->guard = GUARD_TEMPLATE, h->templates = 1;
        else if (flags & HTML_IS_TEXTUAL && !(flags & HTML_IS_SCRIPT))
            return ambiguous(h, t);
        return 0;
    case GUARD_TEMPLATE:
        if (flags & HTML_IS_TEMPLATE)
            h->templates++;
        else if (flags & HTML_IS_TEXTUAL)
            return ambiguous(h, t);
        return 0;
    default:
        return flags & HTML_IS_TEXTUAL && !(flags & HTML_IS_NOFRAMES) ? ambiguous(h, t) : 0;
    }
}

static void guard_end(struct html *h, unsigned flags)
{
    if (h->guard == GUARD_SELECT && flags & HTML_IS_SELECT) {
        h->guard = GUARD_NONE;
    } else if (h->guard == GUARD_TEMPLATE && flags & HTML_IS_TEMPLATE) {
        if (--h->templates == 0)
            h->guard = GUARD_SELECT;
    }
}

/* ---- foreign content ---- */

/* One that was entered: its space, and by which name. */
struct entered {
    uint8_t space, name;
};

static const struct entered *innermost(const struct html *h)
{
    size_t n = buf_len(&h->spaces) / sizeof(struct entered);

    return n > 0 ? (const struct entered *)(const void *)buf_data(&h->spaces) + n - 1 : NULL;
}

enum html_space html_space(const struct html *h)
{
    return innermost(h) ? (enum html_space)innermost(h)->space : HTML_HTML;
}

static uint8_t index_of(const struct html_token *t)
{
    const struct known *found = look_up(t->name, t->key);

    return found ? (uint8_t)(found - known + 1) : 0;
}

static int enter(struct html *h, enum html_space space, const struct html_token *t)
{
    struct entered new = {(uint8_t)space, index_of(t)};

    return buf_append(&h->spaces, &new, sizeof new);
}

static void leave(struct html *h)
{
    h->spaces.tail -= sizeof(struct entered);
}

/* Out of all foreign elements, to HTML or where it begins again. */
static void leave_foreign(struct html *h)
{
    while (html_space(h) != HTML_HTML)
        leave(h);
}

static struct span value_of(const struct html_token *t, const char *name)
{
    for (size_t i = 0; i < t->attribute_count; i++) {
        const struct html_attribute *a = &t->attributes[i];
        if (span_is_nocase((struct span){t->raw.data + a->name, a->name_end - a->name}, name))
            return (struct span){t->raw.data + a->value, a->value_end - a->value};
    }
    return (struct span){NULL, 0};
}

static bool is_point(const struct html_token *t, enum html_space space, unsigned flags)
{
    if (space == HTML_SVG)
        return flags & HTML_IS_SVG_POINT;
    if (flags & HTML_IS_ANNOTATION) {
        struct span encoding = value_of(t, "encoding");
        return span_is_nocase(encoding, "text/html") ||
               span_is_nocase(encoding, "application/xhtml+xml");
    }
    return flags & HTML_IS_MATH_POINT;
}

static int follow_start(struct html *h, struct html_token *t, unsigned flags, unsigned *ret_text)
{
    enum html_space space = html_space(h);
    int r = guard_start(h, t, flags);

    if (r < 0)
        return r;
    if (flags & (HTML_IS_SVG | HTML_IS_MATH)) {
        t->space = flags & HTML_IS_SVG ? HTML_SVG : HTML_MATHML;
        return t->is_self_closing ? 0 : enter(h, t->space, t);
    }
    if (space != HTML_HTML &&
        (flags & HTML_IS_BREAKOUT ||
         (flags & HTML_IS_FONT &&
          (value_of(t, "color").data || value_of(t, "size").data || value_of(t, "face").data)))) {
        leave_foreign(h);
        t->space = HTML_HTML;
        return 0;
    }
    t->space = space;
    if (space == HTML_HTML)
        *ret_text = flags & HTML_IS_TEXTUAL;
    else if (is_point(t, space, flags) && !t->is_self_closing)
        return enter(h, HTML_HTML, t);
    return 0;
}

/* What a foreign element's start tag has begun, its own end tag ends. */
static void follow_end(struct html *h, const struct html_token *t, unsigned flags)
{
    const struct entered *last = innermost(h);

    guard_end(h, flags);
    if (!last)
        return;
    if (last->name == index_of(t) && last->name > 0)
        leave(h);
    else if (last->space != HTML_HTML && flags & HTML_IS_END_BREAKOUT)
        leave_foreign(h);
}

int html_follow(struct html *h, struct html_token *t, unsigned *ret_text)
{
    unsigned flags = html_flags(t->name, t->key);
    int r = 0;

    *ret_text = 0;
    if (t->kind == HTML_START)
        r = follow_start(h, t, flags, ret_text);
    else
        follow_end(h, t, flags);
    t->is_void = t->space == HTML_HTML ? flags & HTML_IS_VOID : t->is_self_closing;
    return r;
}

/* ---- doctypes ---- */

static const char *skip_spaces(const char *at, const char *end)
{
    while (at < end && html_is_space(*at))
        at++;
    return at;
}

/* A quoted id at `at`; where it ends.  data stays NULL when there is none. */
static const char *read_id(const char *at, const char *end, struct span *ret_id)
{
    const char *close_quote;

    at = skip_spaces(at, end);
    if (at == end || (*at != '"' && *at != '\''))
        return NULL;
    close_quote = memchr(at + 1, *at, (size_t)(end - at - 1));
    *ret_id = (struct span){at + 1, (size_t)((close_quote ? close_quote : end) - at - 1)};
    return close_quote ? close_quote + 1 : NULL;
}

void html_read_doctype(struct html_token *t, struct span inside)
{
    const char *end = inside.data + inside.len, *name = skip_spaces(inside.data, end), *at;

    memset(t->doctype, 0, sizeof t->doctype);
    for (at = name; at < end && !html_is_space(*at);)
        at++;
    if (at > name)
        t->doctype[0] = (struct span){name, (size_t)(at - name)};
    at = skip_spaces(at, end);
    if (end - at < 6)
        return;
    if (strncasecmp(at, "public", 6) == 0) {
        at = read_id(at + 6, end, &t->doctype[1]);
        if (at)
            read_id(at, end, &t->doctype[2]);
    } else if (strncasecmp(at, "system", 6) == 0) {
        read_id(at + 6, end, &t->doctype[2]);
    }
}
