/* visit.c - one request as a line of JSON.
 *
 * Whatever a client put into its request, the line is valid JSON in UTF-8 and one line: bytes that
 * are no UTF-8 become U+FFFD, control characters are escaped.
 *
 * Who calls it: access.c. */
#include <inttypes.h>
#include <time.h>

#include "front/access.h"
#include "text/quote.h"

static int put(struct buf *b, struct span s)
{
    return buf_append(b, s.data, s.len);
}

/* ,"name":"value" or null. */
static int put_field(struct buf *b, const char *name, struct span value)
{
    int r = buf_print(b, ",\"%s\":", name);

    if (r < 0)
        return r;
    if (value.len > ACCESS_FIELD_MAX)
        value.len = ACCESS_FIELD_MAX;
    return value.len > 0 ? quote_json(b, value) : put(b, SPAN("null"));
}

static int put_time(struct buf *b, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    return buf_print(b, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms % 1000));
}

static int put_us(struct buf *b, const char *name, int64_t us)
{
    if (us < 0)
        return put_field(b, name, SPAN(""));
    return buf_print(b, ",\"%s\":%" PRId64 ".%03d", name, us / 1000, (int)(us % 1000));
}

static struct span without_query(struct span target)
{
    const char *mark = memchr(target.data, '?', target.len);

    return (struct span){target.data, mark ? (size_t)(mark - target.data) : target.len};
}

static int put_visit(struct buf *b, const struct visit *v, bool with_query)
{
    const struct {
        const char *name;
        struct span value;
    } FIELDS[] = {
        {"ray", v->ray},           {"client", v->client},
        {"method", v->method},     {"scheme", v->scheme},
        {"host", v->host},         {"path", with_query ? v->target : without_query(v->target)},
        {"protocol", v->protocol}, {"tls", v->tls},
    };
    int r = put_time(b, v->time_ms);

    for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS && r == 0; i++)
        r = put_field(b, FIELDS[i].name, FIELDS[i].value);
    r = r < 0 ? r : buf_print(b, ",\"status\":%u", v->status);
    r = r < 0 ? r : put_field(b, "outcome", v->outcome);
    r = r < 0 ? r
              : buf_print(b, ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64, v->bytes_in,
                          v->bytes_out);
    r = r < 0 ? r : put_us(b, "duration_ms", v->duration_us < 0 ? 0 : v->duration_us);
    r = r < 0 ? r : put_us(b, "cpu_ms", v->cpu_us);
    r = r < 0 ? r : put_field(b, "worker", v->worker);
    r = r < 0 ? r : put_field(b, "version", v->version);
    return r < 0 ? r : put(b, SPAN("}\n"));
}

int visit_put(struct buf *out, const struct visit *visit, bool with_query)
{
    size_t before = buf_len(out);
    int r = put_visit(out, visit, with_query);

    if (r < 0)
        out->tail = out->head + before;
    return r;
}

int visit_put_dropped(struct buf *out, int64_t time_ms, uint64_t count)
{
    size_t before = buf_len(out);
    int r = put_time(out, time_ms);

    r = r < 0 ? r : buf_print(out, ",\"dropped\":%" PRIu64 "}\n", count);
    if (r < 0)
        out->tail = out->head + before;
    return r;
}
