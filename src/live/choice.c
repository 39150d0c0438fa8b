/* choice.c - which version of a deployment a request goes to. */
#include "live/choice.h"

#include <string.h>

#include "live/inside.h"

/* The same point for the same key, on every node and after every start; between 0 and 100. */
static double point_of(struct span key)
{
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.data[i]) * 0x100000001b3;
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccd;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53;
    h ^= h >> 33;
    return (double)(h >> 11) / (double)(1ull << 53) * 100;
}

/* xorshift*: nobody gains anything by guessing it. */
static double random_point(struct live *live)
{
    uint64_t x = live->dice;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    live->dice = x;
    return (double)(x * 0x2545f4914f6cdd1d >> 11) / (double)(1ull << 53) * 100;
}

/* The one whose id comes first has the points from 0 on: whoever fell to a version by his key stays
 * there when its share grows. */
static struct live_version *at_point(const struct live_worker *worker, double point)
{
    const struct live_share *a = &worker->shares[0], *b = &worker->shares[1];

    if (worker->share_count < 2)
        return worker->share_count ? a->version : NULL;
    if (strcmp(a->version->id, b->version->id) > 0) {
        const struct live_share *swap = a;
        a = b;
        b = swap;
    }
    return point < a->percentage ? a->version : b->version;
}

struct live_version *live_choose(const struct live_worker *worker)
{
    return at_point(worker, random_point(worker->account->live));
}

static struct span trim(struct span s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
        s.len--;
    return s;
}

struct span choice_override(struct span header, const char *worker_name)
{
    while (header.len > 0) {
        const char *comma = memchr(header.data, ',', header.len);
        size_t n = comma ? (size_t)(comma - header.data) : header.len;
        struct span item = {header.data, n}, key, value;
        const char *sign = memchr(item.data, '=', item.len);
        header.data += n + !!comma;
        header.len -= n + !!comma;
        if (!sign)
            continue;
        key = trim((struct span){item.data, (size_t)(sign - item.data)});
        value = trim((struct span){sign + 1, (size_t)(item.data + item.len - sign - 1)});
        if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"' &&
            span_is(key, worker_name))
            return (struct span){value.data + 1, value.len - 2};
    }
    return SPAN("");
}

struct live_version *choice_make(const struct live_worker *worker, const struct request *request)
{
    struct span name, value, key = SPAN("");
    size_t at = 0;

    if (worker->share_count < 2)
        return at_point(worker, 0);
    while (pairs_next(&request->headers, &at, &name, &value)) {
        if (span_is_nocase(name, "cloudflare-workers-version-overrides")) {
            struct span id = choice_override(value, worker->name);
            for (size_t i = 0; i < worker->share_count; i++)
                if (span_is_nocase(id, worker->shares[i].version->id))
                    return worker->shares[i].version;
        } else if (span_is_nocase(name, "cloudflare-workers-version-key")) {
            key = value;
        }
    }
    return key.len > 0 ? at_point(worker, point_of(key)) : live_choose(worker);
}
