/* query.c - what stands behind '?', and what a path's names stand for. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "base/mem.h"
#include "text/percent.h"

const char *api_param(const struct api_call *call, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < API_PARAMS_MAX && call->params[i].name; i++) {
        const char *mine = call->params[i].name;
        if (strncmp(mine, name, len) == 0 && (mine[len] == '/' || mine[len] == '\0'))
            return call->params[i].value;
    }
    return "";
}

static bool is_name(struct span raw, const char *name)
{
    struct buf plain = {0};
    bool is_it = percent_decode_form(&plain, raw) == 0 && span_is(buf_span(&plain), name);

    buf_done(&plain);
    return is_it;
}

char *api_query(const struct api_call *call, const char *name, unsigned n)
{
    const char *at = call->query;

    while (*at) {
        size_t len = strcspn(at, "&");
        const char *sign = memchr(at, '=', len);
        struct span key = {at, sign ? (size_t)(sign - at) : len};
        if (is_name(key, name) && n-- == 0) {
            struct buf value = {0};
            struct span raw = {sign ? sign + 1 : "", sign ? len - key.len - 1 : 0};
            char *text = percent_decode_form(&value, raw) == 0 ? buf_detach(&value) : NULL;
            buf_done(&value);
            return text;
        }
        at += len + (at[len] == '&');
    }
    return NULL;
}

static unsigned number_of(const struct api_call *call, const char *name, unsigned fallback,
                          unsigned max)
{
    char *text = api_query(call, name, 0), *end;
    unsigned long value = fallback;

    if (text && *text >= '0' && *text <= '9') {
        value = strtoul(text, &end, 10);
        if (*end || value < 1)
            value = fallback;
    }
    mem_free(text);
    return value > max ? max : (unsigned)value;
}

void api_page(const struct api_call *call, unsigned per_page_default, unsigned per_page_max,
              unsigned *ret_page, unsigned *ret_per_page)
{
    *ret_page = number_of(call, "page", 1, 1000 * 1000);
    *ret_per_page = number_of(call, "per_page", per_page_default, per_page_max);
}
