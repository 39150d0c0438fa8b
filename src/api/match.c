/* match.c - which endpoint a path means.  See match.h.
 *
 * A few hundred paths, a handful of parts each: they are walked.  Of several that fit the one that
 * is exact for longer wins. */
#include "api/match.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "text/percent.h"
#include "text/width.h"

#define PREFIX "/client/v4"

struct parts {
    struct span items[API_PARTS_MAX];
    size_t count;
};

static int split(struct span path, struct parts *ret, struct err *err)
{
    const char *at = path.data, *end = at + path.len;

    ret->count = 0;
    while (at < end) {
        const char *slash = memchr(at + 1, '/', (size_t)(end - at - 1));
        const char *stop = slash ? slash : end;
        if (ret->count == API_PARTS_MAX)
            return err_set(err, ERR_INVALID, "the path has too many parts");
        ret->items[ret->count++] = (struct span){at + 1, (size_t)(stop - at - 1)};
        at = stop;
    }
    return 0;
}

/* How a pattern fits: a number that orders those which do, 0 when it does not. */
static uint64_t fit(const char *pattern, const struct parts *parts, size_t first)
{
    uint64_t weight = 1;
    size_t i = first;

    while (*pattern) {
        size_t len = strcspn(++pattern, "/");
        if (*pattern == '*')
            return i < parts->count && parts->items[i].len > 0 ? weight * 4 + 1 : 0;
        if (i == parts->count || parts->items[i].len == 0)
            return 0;
        if (*pattern == ':')
            weight = weight * 4 + 2;
        else if (parts->items[i].len == len && memcmp(parts->items[i].data, pattern, len) == 0)
            weight = weight * 4 + 3;
        else
            return 0;
        pattern += len;
        i++;
    }
    return i == parts->count ? weight : 0;
}

static bool is_utf8(struct span text)
{
    size_t len;

    for (; text.len > 0; text.data += len, text.len -= len)
        if (width_next(text, &len) == 0xfffd && len == 1)
            return false;
    return true;
}

static int decode(struct span in, char **ret, struct err *err)
{
    struct buf out = {0};
    char *text;
    int r;

    r = percent_decode(&out, in);
    if (r == 0 && memchr(buf_data(&out), 0, buf_len(&out))) {
        buf_done(&out);
        return err_set(err, ERR_INVALID, "the path has a NUL in it");
    }
    if (r == 0 && !is_utf8(buf_span(&out))) {
        buf_done(&out);
        return err_set(err, ERR_INVALID, "what the path names is not UTF-8");
    }
    text = r == 0 ? buf_detach(&out) : NULL;
    buf_done(&out);
    if (!text)
        return err_nomem(err);
    *ret = text;
    return 0;
}

static int take_params(const char *pattern, const struct parts *parts, size_t first,
                       struct match *ret, struct err *err)
{
    const struct span *last = &parts->items[parts->count - 1];
    size_t i = first, n = 0;
    int r = 0;

    for (; *pattern && r == 0; i++) {
        size_t len = strcspn(++pattern, "/");
        struct span part = parts->items[i];
        if (*pattern == '*')
            part.len = (size_t)(last->data + last->len - part.data);
        if ((*pattern == '*' || *pattern == ':') && n < API_PARAMS_MAX) {
            ret->params[n].name = pattern + 1;
            r = decode(part, &ret->params[n++].value, err);
        }
        if (*pattern == '*')
            break;
        pattern += len;
    }
    return r;
}

static void allow(struct match *match, const char *method)
{
    size_t n = strlen(match->allow);

    if (!strstr(match->allow, method))
        snprintf(match->allow + n, sizeof match->allow - n, "%s%s", n ? ", " : "", method);
}

int match_find(const struct api_endpoint *const *tables, struct span method, struct span path,
               struct match *ret, struct err *err)
{
    size_t n = strlen(PREFIX);
    bool is_below = path.len > n && memcmp(path.data, PREFIX "/", n + 1) == 0;
    const struct api_endpoint *best = NULL, *other = NULL;
    uint64_t best_fit = 0, other_fit = 0;
    struct parts parts;
    int r;

    *ret = (struct match){0};
    if (path.len > API_PATH_MAX)
        return err_set(err, ERR_INVALID, "the path is longer than %d bytes", API_PATH_MAX);
    if (path.len == 0 || path.data[0] != '/')
        return MATCH_NONE;
    r = split(path, &parts, err);
    if (r < 0)
        return r;
    for (; *tables; tables++) {
        for (const struct api_endpoint *e = *tables; e->method; e++) {
            uint64_t f = e->is_raw || is_below ? fit(e->path, &parts, e->is_raw ? 0 : 2) : 0;
            if (f == 0)
                continue;
            if (span_is(method, e->method) ||
                (span_is(method, "HEAD") && strcmp(e->method, "GET") == 0)) {
                if (f > best_fit) {
                    best = e;
                    best_fit = f;
                }
            } else {
                if (f > other_fit) {
                    other = e;
                    other_fit = f;
                }
                allow(ret, e->method);
            }
        }
    }
    if (!best)
        return other ? MATCH_OTHER_METHOD : MATCH_NONE;
    ret->endpoint = best;
    r = take_params(best->path, &parts, best->is_raw ? 0 : 2, ret, err);
    if (r < 0) {
        match_done(ret);
        return r;
    }
    return MATCH_FOUND;
}

void match_done(struct match *match)
{
    for (size_t i = 0; i < API_PARAMS_MAX; i++)
        mem_free(match->params[i].value);
    *match = (struct match){0};
}
