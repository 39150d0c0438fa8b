/* html_change.c - what handlers do to a token, and how it is written then. */
#include "text/html_change.h"

#include <string.h>

#include "base/mem.h"

struct html_piece {
    struct html_piece *next;
    uint32_t stream;
    size_t len;
    char bytes[];
};

/* ---- pieces of content ---- */

static void clear(struct html_pieces *p)
{
    while (p->first) {
        struct html_piece *next = p->first->next;
        mem_free(p->first);
        p->first = next;
    }
    p->last = NULL;
}

enum end { AT_END, AT_START };

static int put(struct html_pieces *p, enum end where, struct span bytes, uint32_t stream)
{
    struct html_piece *new = mem_alloc(sizeof *new + bytes.len);

    if (!new)
        return ERR_NOMEM;
    new->stream = stream;
    new->len = bytes.len;
    if (bytes.len > 0)
        memcpy(new->bytes, bytes.data, bytes.len);
    if (!p->first) {
        p->first = p->last = new;
    } else if (where == AT_START) {
        new->next = p->first;
        p->first = new;
    } else {
        p->last = p->last->next = new;
    }
    return 0;
}

void html_changes_done(struct html_changes *c)
{
    clear(&c->before);
    clear(&c->after);
    clear(&c->instead);
    *c = (struct html_changes){0};
}

void html_ending_free(struct html_ending *e)
{
    if (!e)
        return;
    html_changes_done(&e->changes);
    mem_free(e->name);
    mem_free(e);
}

static void clear_pairs(struct html_rewriter *rw)
{
    struct html_pair *pairs = (void *)buf_data(&rw->pairs);

    for (size_t i = 0; i < buf_len(&rw->pairs) / sizeof *pairs; i++) {
        mem_free(pairs[i].name);
        mem_free(pairs[i].value);
    }
    buf_eat(&rw->pairs, buf_len(&rw->pairs));
}

void html_change_clear(struct html_rewriter *rw)
{
    html_changes_done(&rw->changes);
    html_ending_free(rw->ending);
    rw->ending = NULL;
    clear_pairs(rw);
    mem_free(rw->name);
    rw->name = NULL;
    rw->is_content_removed = rw->is_tag_changed = rw->can_have_content = false;
}

/* ---- changes ---- */

static int change_tag(struct html_rewriter *rw);

static struct html_ending *ending_of(struct html_rewriter *rw)
{
    if (!rw->ending)
        rw->ending = mem_alloc(sizeof *rw->ending);
    return rw->ending;
}

static struct html_changes *at_end(struct html_rewriter *rw)
{
    struct html_ending *e = ending_of(rw);

    if (e)
        e->changes.has_any = true;
    return e ? &e->changes : NULL;
}

static void remove_content(struct html_rewriter *rw)
{
    clear(&rw->changes.after);
    if (rw->ending)
        clear(&rw->ending->changes.before);
    rw->is_content_removed = true;
}

static int insert_inside(struct html_rewriter *rw, enum html_place place, struct span bytes,
                         uint32_t stream)
{
    struct html_changes *end;

    if (!rw->can_have_content)
        return 0;
    if (place == HTML_PREPEND)
        return put(&rw->changes.after, AT_START, bytes, stream);
    if (place == HTML_INNER) {
        remove_content(rw);
        return put(&rw->changes.after, AT_END, bytes, stream);
    }
    end = at_end(rw);
    return end ? put(&end->before, AT_END, bytes, stream) : ERR_NOMEM;
}

int html_rewriter_insert(struct html_rewriter *rw, enum html_place place, struct span bytes,
                         uint32_t stream)
{
    struct html_changes *c = &rw->changes;

    switch (place) {
    case HTML_BEFORE:
        return put(&c->before, AT_END, bytes, stream);
    case HTML_AFTER:
        if (rw->can_have_content) {
            c = at_end(rw);
            if (!c)
                return ERR_NOMEM;
        }
        return put(&c->after, AT_START, bytes, stream);
    case HTML_REPLACE:
        clear(&c->instead);
        html_rewriter_remove(rw, false);
        return put(&c->instead, AT_END, bytes, stream);
    default:
        return insert_inside(rw, place, bytes, stream);
    }
}

void html_rewriter_remove(struct html_rewriter *rw, bool keeps_content)
{
    struct html_changes *end;

    rw->changes.is_removed = true;
    if (!rw->can_have_content)
        return;
    if (!keeps_content)
        remove_content(rw);
    end = at_end(rw);
    if (end)
        end->is_removed = true;
}

bool html_rewriter_is_removed(const struct html_rewriter *rw)
{
    return rw->changes.is_removed;
}

static int replace(char **text, size_t *len, struct span by)
{
    char *copy = mem_copy(by.data, by.len);

    if (!copy)
        return ERR_NOMEM;
    mem_free(*text);
    *text = copy;
    *len = by.len;
    return 0;
}

int html_rewriter_rename(struct html_rewriter *rw, struct span name)
{
    struct html_ending *e;
    int r = rw->token.kind == HTML_COMMENT ? 0 : change_tag(rw);

    if (r == 0)
        r = replace(&rw->name, &rw->name_len, name);
    if (r < 0 || !rw->can_have_content)
        return r;
    e = ending_of(rw);
    return e ? replace(&e->name, &e->name_len, name) : ERR_NOMEM;
}

struct span html_rewriter_name(const struct html_rewriter *rw)
{
    if (rw->name)
        return (struct span){rw->name, rw->name_len};
    return rw->token.kind == HTML_COMMENT ? rw->token.text : rw->token.name;
}

bool html_rewriter_on_end(struct html_rewriter *rw, uint32_t handler)
{
    struct html_ending *e = rw->can_have_content ? ending_of(rw) : NULL;

    if (e)
        e->handler = handler;
    return e;
}

/* ---- attributes ---- */

static struct html_pair *pair_at(const struct html_rewriter *rw, size_t i)
{
    return (struct html_pair *)(void *)buf_data(&rw->pairs) + i;
}

static size_t pair_count(const struct html_rewriter *rw)
{
    return buf_len(&rw->pairs) / sizeof(struct html_pair);
}

size_t html_rewriter_attributes(struct html_rewriter *rw)
{
    return rw->is_tag_changed ? pair_count(rw) : rw->token.attribute_count;
}

void html_rewriter_attribute(struct html_rewriter *rw, size_t i, struct span *ret_name,
                             struct span *ret_value)
{
    const char *raw = rw->token.raw.data;
    const struct html_pair *pair = rw->is_tag_changed ? pair_at(rw, i) : NULL;
    const struct html_attribute *a = pair ? &pair->was : &rw->token.attributes[i];

    *ret_name = (struct span){raw + a->name, a->name_end - a->name};
    *ret_value = (struct span){raw + a->value, a->value_end - a->value};
    if (pair && pair->name)
        *ret_name = (struct span){pair->name, pair->name_len};
    if (pair && pair->value)
        *ret_value = (struct span){pair->value, pair->value_len};
}

long html_rewriter_find(struct html_rewriter *rw, struct span name)
{
    struct span other, value;

    for (size_t i = 0; i < html_rewriter_attributes(rw); i++) {
        html_rewriter_attribute(rw, i, &other, &value);
        if (other.len == name.len && strncasecmp(other.data, name.data, name.len) == 0)
            return (long)i;
    }
    return -1;
}

/* From here on the tag is written anew, of pairs. */
static int change_tag(struct html_rewriter *rw)
{
    int r = 0;

    if (rw->is_tag_changed)
        return 0;
    for (size_t i = 0; i < rw->token.attribute_count && r == 0; i++) {
        struct html_pair pair = {.was = rw->token.attributes[i]};
        r = buf_append(&rw->pairs, &pair, sizeof pair);
    }
    if (r < 0)
        clear_pairs(rw);
    rw->is_tag_changed = r == 0;
    return r;
}

int html_rewriter_set(struct html_rewriter *rw, struct span name, struct span value)
{
    struct html_pair new = {0};
    int r = change_tag(rw);
    long at;

    if (r < 0)
        return r;
    at = html_rewriter_find(rw, name);
    if (at >= 0)
        return replace(&pair_at(rw, (size_t)at)->value, &pair_at(rw, (size_t)at)->value_len, value);
    r = replace(&new.name, &new.name_len, name);
    if (r == 0)
        r = replace(&new.value, &new.value_len, value);
    if (r == 0)
        r = buf_append(&rw->pairs, &new, sizeof new);
    if (r < 0) {
        mem_free(new.name);
        mem_free(new.value);
    }
    return r;
}

int html_rewriter_unset(struct html_rewriter *rw, struct span name)
{
    long at = html_rewriter_find(rw, name);
    size_t count;
    int r;

    if (at < 0)
        return 0;
    r = change_tag(rw);
    if (r < 0)
        return r;
    count = pair_count(rw);
    mem_free(pair_at(rw, (size_t)at)->name);
    mem_free(pair_at(rw, (size_t)at)->value);
    memmove(pair_at(rw, (size_t)at), pair_at(rw, (size_t)at + 1),
            (count - (size_t)at - 1) * sizeof(struct html_pair));
    rw->pairs.tail -= sizeof(struct html_pair);
    return 0;
}

/* ---- writing ---- */

int html_change_flush_run(struct html_rewriter *rw)
{
    size_t n = rw->html.from > rw->run ? rw->html.from - rw->run : 0;
    int r = buf_append(&rw->out, buf_data(&rw->html.in) + rw->run, n);

    rw->run += n;
    if (r == 0)
        rw->out_total += n;
    return r;
}

int html_change_write(struct html_rewriter *rw, struct span bytes)
{
    int r;

    if (rw->removed_from > 0)
        return 0;
    r = buf_append(&rw->out, bytes.data, bytes.len);
    if (r == 0)
        rw->out_total += bytes.len;
    return r;
}

static int write_pieces(struct html_rewriter *rw, const struct html_pieces *pieces)
{
    int r = 0;

    if (rw->removed_from > 0)
        return 0;
    for (const struct html_piece *p = pieces->first; p && r == 0; p = p->next) {
        struct html_mark mark = {rw->out_total, p->stream};
        r = p->stream ? buf_append(&rw->marks, &mark, sizeof mark)
                      : html_change_write(rw, (struct span){p->bytes, p->len});
    }
    return r;
}

static int write_pair(struct html_rewriter *rw, const struct html_pair *pair)
{
    const char *raw = rw->token.raw.data + pair->was.name;
    struct span name = {raw, pair->was.name_end - pair->was.name};
    struct span value = {pair->value, pair->value_len};
    int r = html_change_write(rw, SPAN(" "));

    if (!pair->value && r == 0)
        return html_change_write(rw, (struct span){raw, pair->was.end - pair->was.name});
    if (pair->name)
        name = (struct span){pair->name, pair->name_len};
    if (r == 0)
        r = html_change_write(rw, name);
    if (r == 0)
        r = html_change_write(rw, SPAN("=\""));
    while (r == 0 && value.len > 0) {
        const char *quote = memchr(value.data, '"', value.len);
        size_t n = quote ? (size_t)(quote - value.data) : value.len;
        r = html_change_write(rw, (struct span){value.data, n});
        if (r == 0 && quote)
            r = html_change_write(rw, SPAN("&quot;"));
        n += quote != NULL;
        value = (struct span){value.data + n, value.len - n};
    }
    return r < 0 ? r : html_change_write(rw, SPAN("\""));
}

static int write_tag(struct html_rewriter *rw)
{
    bool is_end = rw->token.kind == HTML_END;
    int r = html_change_write(rw, is_end ? SPAN("</") : SPAN("<"));

    if (r == 0)
        r = html_change_write(rw, html_rewriter_name(rw));
    for (size_t i = 0; r == 0 && i < pair_count(rw); i++)
        r = write_pair(rw, pair_at(rw, i));
    if (r < 0)
        return r;
    if (is_end || !rw->token.is_self_closing)
        return html_change_write(rw, SPAN(">"));
    return html_change_write(rw, pair_count(rw) > 0 ? SPAN(" />") : SPAN("/>"));
}

static int write_token(struct html_rewriter *rw)
{
    int r;

    if (rw->token.kind == HTML_COMMENT && rw->name && rw->text.data == NULL) {
        r = html_change_write(rw, SPAN("<!--"));
        if (r == 0)
            r = html_change_write(rw, html_rewriter_name(rw));
        return r < 0 ? r : html_change_write(rw, SPAN("-->"));
    }
    if (rw->text.data)
        return html_change_write(rw, rw->text);
    return rw->is_tag_changed ? write_tag(rw) : html_change_write(rw, rw->token.raw);
}

int html_change_flush(struct html_rewriter *rw)
{
    int r = html_change_flush_run(rw);

    if (r == 0)
        r = write_pieces(rw, &rw->changes.before);

    if (r == 0)
        r = rw->changes.is_removed ? write_pieces(rw, &rw->changes.instead) : write_token(rw);
    return r < 0 ? r : write_pieces(rw, &rw->changes.after);
}

struct span html_rewriter_output(struct html_rewriter *rw, uint32_t *ret_stream)
{
    const struct html_mark *mark = (const void *)buf_data(&rw->marks);
    uint64_t from = rw->out_total - buf_len(&rw->out);

    *ret_stream = 0;
    if (buf_len(&rw->marks) == 0)
        return buf_span(&rw->out);
    if (mark->at == from)
        *ret_stream = mark->stream;
    return (struct span){buf_data(&rw->out), (size_t)(mark->at - from)};
}

void html_rewriter_eat(struct html_rewriter *rw, size_t n)
{
    buf_eat(&rw->out, n);
}

void html_rewriter_eat_mark(struct html_rewriter *rw)
{
    buf_eat(&rw->marks, sizeof(struct html_mark));
}
