/* html_match.c - which selectors a start tag matches, and which elements are open. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/html_select.h"

enum { BUCKETS = 1024 };

/* How many children of one type an open element had. */
struct type_count {
    uint64_t name;                         /* a hash */
    uint32_t level, count, bucket, before; /* before: entry + 1 */
};

struct view {
    const struct html_token *token;
    uint32_t child, of_type; /* which of its parent's, from 1 */
};

void html_levels_init(struct html_levels *l, const struct html_selectors *s, uint64_t seed)
{
    *l = (struct html_levels){.selectors = s, .seed = seed};
}

void html_levels_done(struct html_levels *l)
{
    buf_done(&l->names);
    buf_done(&l->levels);
    buf_done(&l->bits);
    buf_done(&l->types);
    mem_free(l->buckets);
    mem_free(l->now);
}

size_t html_levels_memory(const struct html_levels *l)
{
    return buf_len(&l->names) + buf_len(&l->levels) + buf_len(&l->bits) + buf_len(&l->types);
}

size_t html_levels_depth(const struct html_levels *l)
{
    return buf_len(&l->levels) / sizeof(struct html_level);
}

struct html_level *html_levels_at(const struct html_levels *l, size_t i)
{
    return (struct html_level *)(void *)buf_data(&l->levels) + i;
}

/* ---- one simple selector ---- */

static struct span string_at(const struct html_selectors *s, uint32_t at, uint32_t len)
{
    return (struct span){buf_data(&s->strings) + at, len};
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

/* The left one may be in any case. */
static bool is_name(struct span any, struct span lowered)
{
    if (any.len != lowered.len)
        return false;
    for (size_t i = 0; i < any.len; i++)
        if (lower(any.data[i]) != lowered.data[i])
            return false;
    return true;
}

static bool same(const char *a, const char *b, size_t n, bool is_nocase)
{
    if (!is_nocase)
        return memcmp(a, b, n) == 0;
    for (size_t i = 0; i < n; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

static bool find(const struct html_token *t, struct span name, struct span *ret_value)
{
    for (size_t i = 0; i < t->attribute_count; i++) {
        const struct html_attribute *a = &t->attributes[i];
        if (is_name((struct span){t->raw.data + a->name, a->name_end - a->name}, name)) {
            *ret_value = (struct span){t->raw.data + a->value, a->value_end - a->value};
            return true;
        }
    }
    return false;
}

/* Is the word one of those in `value`, which spaces divide? */
static bool has_word(struct span value, struct span word, bool is_nocase)
{
    size_t at = 0, from;

    while (at < value.len && word.len > 0) {
        while (at < value.len && html_is_space(value.data[at]))
            at++;
        for (from = at; at < value.len && !html_is_space(value.data[at]);)
            at++;
        if (at - from == word.len && same(value.data + from, word.data, word.len, is_nocase))
            return true;
    }
    return false;
}

/* In linear time for what is not nocase; values are short for the rest. */
static bool contains(struct span value, struct span part, bool is_nocase)
{
    if (part.len == 0 || part.len > value.len)
        return false;
    if (!is_nocase)
        return memmem(value.data, value.len, part.data, part.len);
    for (size_t i = 0; i + part.len <= value.len; i++)
        if (same(value.data + i, part.data, part.len, true))
            return true;
    return false;
}

static bool attribute_is(const struct html_selectors *s, const struct html_simple *simple,
                         const struct html_token *t)
{
    struct span value, want = string_at(s, simple->value, simple->value_len);
    bool nocase = simple->is_nocase || (simple->is_nocase_in_html && t->space == HTML_HTML);

    if (!find(t, string_at(s, simple->text, simple->text_len), &value))
        return false;
    switch (simple->op) {
    case 0:
        return true;
    case '=':
        return value.len == want.len && same(value.data, want.data, want.len, nocase);
    case '~':
        return has_word(value, want, nocase);
    case '|':
        return value.len >= want.len && same(value.data, want.data, want.len, nocase) &&
               (value.len == want.len || value.data[want.len] == '-');
    case '^':
        return want.len > 0 && value.len >= want.len &&
               same(value.data, want.data, want.len, nocase);
    case '$':
        return want.len > 0 && value.len >= want.len &&
               same(value.data + value.len - want.len, want.data, want.len, nocase);
    default:
        return contains(value, want, nocase);
    }
}

static bool is_nth(const struct html_simple *simple, uint32_t n)
{
    int64_t off = (int64_t)n - simple->b;

    return simple->a == 0 ? off == 0 : off % simple->a == 0 && off / simple->a >= 0;
}

static bool compound_matches(const struct html_selectors *s, uint32_t first, const struct view *v);

static const struct html_compound *compound_at(const struct html_selectors *s, size_t i)
{
    return (const struct html_compound *)(const void *)buf_data(&s->compounds) + i;
}

static bool none_matches(const struct html_selectors *s, uint32_t inner, const struct view *v)
{
    for (; inner; inner = compound_at(s, inner - 1)->next)
        if (compound_matches(s, compound_at(s, inner - 1)->first, v))
            return false;
    return true;
}

static bool simple_matches(const struct html_selectors *s, const struct html_simple *simple,
                           const struct view *v)
{
    struct span value, want = string_at(s, simple->text, simple->text_len);

    switch ((enum html_simple_kind)simple->kind) {
    case HTML_BY_ANY:
        return true;
    case HTML_BY_TYPE:
        return html_is_name(v->token->name, v->token->key, want, simple->key);
    case HTML_BY_ID:
        return find(v->token, SPAN("id"), &value) && value.len == want.len &&
               memcmp(value.data, want.data, want.len) == 0;
    case HTML_BY_CLASS:
        return find(v->token, SPAN("class"), &value) && has_word(value, want, false);
    case HTML_BY_ATTRIBUTE:
        return attribute_is(s, simple, v->token);
    case HTML_BY_CHILD:
        return is_nth(simple, v->child);
    case HTML_BY_OF_TYPE:
        return is_nth(simple, v->of_type);
    case HTML_BY_NOT:
        return none_matches(s, simple->inner, v);
    case HTML_BY_NOTHING:
        break;
    }
    return false;
}

static bool compound_matches(const struct html_selectors *s, uint32_t first, const struct view *v)
{
    const struct html_simple *all = (const void *)buf_data(&s->simples);

    for (; first; first = all[first - 1].next)
        if (!simple_matches(s, &all[first - 1], v))
            return false;
    return true;
}

/* ---- counting children ---- */

static struct type_count *type_at(const struct html_levels *l, uint32_t i)
{
    return (struct type_count *)(void *)buf_data(&l->types) + i;
}

/* Of a short name by multiplication with something that nobody outside knows. */
static uint64_t hash_of(const struct html_levels *l, struct span name, uint64_t key)
{
    uint64_t hash = 0xcbf29ce484222325 ^ l->seed;

    if (name.len <= HTML_KEY_MAX)
        return key * (l->seed * 0x9E3779B97F4A7C15 | 1);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)lower(name.data[i])) * 0x100000001b3;
    return hash ^ hash << 32;
}

static bool has_buckets(struct html_levels *l)
{
    if (!l->buckets)
        l->buckets = mem_alloc(2 * BUCKETS * sizeof *l->buckets);
    return l->buckets;
}

/* Which child of its type this one is. */
static int count_type(struct html_levels *l, const struct html_token *t, uint32_t *ret_n)
{
    struct type_count new = {
        .name = hash_of(l, t->name, t->key), .level = (uint32_t)html_levels_depth(l), .count = 1};
    int r;

    if (!has_buckets(l))
        return ERR_NOMEM;
    new.bucket = (uint32_t)((new.name ^ new.level * 0x9E3779B97F4A7C15) >> 32) % BUCKETS;
    for (uint32_t i = l->buckets[new.bucket]; i; i = type_at(l, i - 1)->before)
        if (type_at(l, i - 1)->name == new.name && type_at(l, i - 1)->level == new.level) {
            *ret_n = ++type_at(l, i - 1)->count;
            return 0;
        }
    new.before = l->buckets[new.bucket];
    r = buf_append(&l->types, &new, sizeof new);
    if (r == 0)
        l->buckets[new.bucket] = (uint32_t)(buf_len(&l->types) / sizeof new);
    *ret_n = 1;
    return r;
}

static void forget_types(struct html_levels *l, uint32_t from)
{
    size_t n = buf_len(&l->types) / sizeof(struct type_count);

    for (; n > from; n--) {
        struct type_count *last = type_at(l, (uint32_t)n - 1);
        l->buckets[last->bucket] = last->before;
        l->types.tail -= sizeof *last;
    }
}

/* ---- elements ---- */

static bool has_bit(const uint64_t *bits, uint32_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

/* May the compound's element stand where it does? */
static bool stands_right(const struct html_compound *c, const uint64_t *above, size_t words)
{
    if (!c->combinator)
        return true;
    if (!above)
        return false;
    return has_bit(c->combinator == '>' ? above : above + words, c->bit - 1);
}

int html_levels_match(struct html_levels *l, const struct html_token *t, uint64_t *ret_matched)
{
    const struct html_selectors *s = l->selectors;
    size_t depth = html_levels_depth(l), words = s->words;
    size_t count = buf_len(&s->compounds) / sizeof(struct html_compound);
    const uint64_t *above = NULL;
    struct view v = {.token = t};
    int r = 0;
    bool has_any = false;

    if (!l->now && words > 0)
        l->now = mem_alloc(2 * words * sizeof *l->now);
    if (!l->now && words > 0)
        return ERR_NOMEM;
    v.child = depth > 0 ? ++html_levels_at(l, depth - 1)->children : ++l->root_children;
    if (s->has_types)
        r = count_type(l, t, &v.of_type);
    if (r < 0 || words == 0)
        return r;
    if (depth > 0)
        above = (const uint64_t *)(const void *)buf_data(&l->bits) + (depth - 1) * 2 * words;
    for (size_t i = 0; i < words; i++) {
        l->now[i] = 0;
        l->now[words + i] = above ? above[words + i] : 0;
    }
    for (const struct html_compound *c = compound_at(s, 0), *end = c + count; c < end; c++) {
        if ((c->key && c->key != t->key) || c->is_inner || !stands_right(c, above, words) ||
            !compound_matches(s, c->first, &v))
            continue;
        l->now[c->bit / 64] |= (uint64_t)1 << (c->bit % 64);
        l->now[words + c->bit / 64] |= (uint64_t)1 << (c->bit % 64);
        if (c->selector == UINT32_MAX)
            continue;
        if (!has_any)
            memset(ret_matched, 0, (s->count + 63) / 64 * sizeof *ret_matched);
        has_any = true;
        ret_matched[c->selector / 64] |= (uint64_t)1 << (c->selector % 64);
    }
    return has_any;
}

/* Room for n bytes at the end of a buffer, which has them then; NULL: out of memory. */
static void *grow(struct buf *b, size_t n)
{
    char *room;

    if (b->cap - b->tail >= n)
        room = b->mem + b->tail;
    else if (buf_reserve(b, n, &room) < 0)
        return NULL;
    b->tail += n;
    return room;
}

static int keep_long_name(struct html_levels *l, struct span name, struct html_level *level)
{
    level->name = (uint32_t)buf_len(&l->names);
    return buf_append(&l->names, name.data, name.len);
}

int html_levels_push(struct html_levels *l, const struct html_token *t, void *user)
{
    size_t size = 2 * l->selectors->words * sizeof *l->now;
    uint32_t bucket = BUCKETS + (uint32_t)(hash_of(l, t->name, t->key) >> 32) % BUCKETS;
    struct html_level *level;
    void *bits;

    if (!has_buckets(l))
        return ERR_NOMEM;
    level = grow(&l->levels, sizeof *level);
    if (!level)
        return ERR_NOMEM;
    *level =
        (struct html_level){.key = t->key,
                            .user = user,
                            .name_len = (uint32_t)t->name.len,
                            .types = (uint32_t)(buf_len(&l->types) / sizeof(struct type_count)),
                            .bucket = bucket,
                            .before = l->buckets[bucket]};
    bits = size > 0 ? grow(&l->bits, size) : level;
    if (!bits || (t->name.len > HTML_KEY_MAX && keep_long_name(l, t->name, level) < 0)) {
        l->levels.tail -= sizeof *level;
        l->bits.tail -= bits ? size : 0;
        return ERR_NOMEM;
    }
    if (size > 0)
        memcpy(bits, l->now, size);
    l->buckets[bucket] = (uint32_t)html_levels_depth(l);
    return 0;
}

static bool is_named(const struct html_levels *l, const struct html_level *level,
                     const struct html_token *t)
{
    return html_is_name(t->name, t->key,
                        (struct span){buf_data(&l->names) + level->name, level->name_len},
                        level->key);
}

size_t html_levels_closed_by(const struct html_levels *l, const struct html_token *t)
{
    size_t depth = html_levels_depth(l);
    uint32_t i;

    if (depth == 0)
        return 0;
    if (is_named(l, html_levels_at(l, depth - 1), t)) /* nearly always */
        return 1;
    i = l->buckets[BUCKETS + (hash_of(l, t->name, t->key) >> 32) % BUCKETS];
    while (i && !is_named(l, html_levels_at(l, i - 1), t))
        i = html_levels_at(l, i - 1)->before;
    return i ? depth - i + 1 : 0;
}

void html_levels_pop(struct html_levels *l)
{
    const struct html_level *last = html_levels_at(l, html_levels_depth(l) - 1);

    l->buckets[last->bucket] = last->before;
    forget_types(l, last->types);
    if (last->name_len > HTML_KEY_MAX)
        l->names.tail = l->names.head + last->name;
    l->bits.tail -= 2 * l->selectors->words * sizeof *l->now;
    l->levels.tail -= sizeof *last;
}
