/* tail_view.c - one event, some lines. */
#include "cli/tail_view.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/span.h"

#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[39m"

/* Tabs and line ends stay. */
static int put_safe(struct buf *out, struct span text)
{
    int r = 0;

    for (size_t i = 0; i < text.len && r == 0; i++) {
        unsigned char c = (unsigned char)text.data[i];
        unsigned char next = i + 1 < text.len ? (unsigned char)text.data[i + 1] : 0;
        if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7F)
            r = buf_print(out, "\\u%04x", c);
        else if (c == 0xC2 && next >= 0x80 && next <= 0x9F) /* U+0080 to U+009F */
            r = buf_print(out, "\\u%04x", (unsigned char)text.data[++i]);
        else
            r = buf_append(out, &text.data[i], 1);
    }
    return r;
}

static struct span string_of(const json_t *value)
{
    return json_is_string(value)
               ? (struct span){json_string_value(value), json_string_length(value)}
               : SPAN("");
}

/* A text as it is, anything else as JSON. */
static int put_value(struct buf *out, const json_t *value)
{
    char *text;
    int r;

    if (json_is_string(value))
        return put_safe(out, string_of(value));
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    r = put_safe(out, text ? span_of(text) : SPAN("undefined"));
    mem_free(text);
    return r;
}

/* As JavaScript's toLocaleString() in American English. */
static int put_time(struct buf *out, const json_t *ms)
{
    time_t seconds = (time_t)(json_number_value(ms) / 1000);
    struct tm t;

    if (!json_is_number(ms) || !localtime_r(&seconds, &t))
        return buf_print(out, "Invalid Date");
    return buf_print(out, "%d/%d/%d, %d:%02d:%02d %s", t.tm_mon + 1, t.tm_mday, t.tm_year + 1900,
                     t.tm_hour % 12 ? t.tm_hour % 12 : 12, t.tm_min, t.tm_sec,
                     t.tm_hour < 12 ? "AM" : "PM");
}

static const char *outcome_words(const json_t *event)
{
    static const struct {
        const char *outcome, *words;
    } WORDS[] = {{"ok", "Ok"},
                 {"canceled", "Canceled"},
                 {"exceededCpu", "Exceeded CPU Limit"},
                 {"exceededMemory", "Exceeded Memory Limit"},
                 {"exceededResources", "Exceeded Resource Limits"},
                 {"exception", "Exception Thrown"},
                 {"scriptNotFound", "Script Not Found"}};
    struct span outcome = string_of(json_object_get(event, "outcome"));

    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (span_is(outcome, WORDS[i].outcome))
            return WORDS[i].words;
    return "Unknown";
}

static int put_request(struct buf *out, const json_t *event, const json_t *request)
{
    int r = put_safe(out, string_of(json_object_get(request, "method")));

    r = r < 0 ? r : buf_print(out, " ");
    r = r < 0 ? r : put_safe(out, string_of(json_object_get(request, "url")));
    r = r < 0 ? r : buf_print(out, " - %s @ ", outcome_words(event));
    return r < 0 ? r : put_time(out, json_object_get(event, "eventTimestamp"));
}

static int put_scheduled(struct buf *out, const json_t *event, const json_t *what)
{
    int r = buf_print(out, "\"");

    r = r < 0 ? r : put_safe(out, string_of(json_object_get(what, "cron")));
    r = r < 0 ? r : buf_print(out, "\" @ ");
    r = r < 0 ? r : put_time(out, json_object_get(what, "scheduledTime"));
    return r < 0 ? r : buf_print(out, " - %s", outcome_words(event));
}

static int put_notice(struct buf *out, const json_t *what, bool is_coloured)
{
    bool is_bad = span_is(string_of(json_object_get(what, "type")), "overload");
    int r = is_coloured ? buf_print(out, "%s", is_bad ? RED : YELLOW) : 0;

    r = r < 0 ? r : put_safe(out, string_of(json_object_get(what, "message")));
    return r < 0 || !is_coloured ? r : buf_print(out, PLAIN);
}

static int put_head(struct buf *out, const json_t *event, bool is_coloured)
{
    const json_t *what = json_object_get(event, "event"),
                 *request = json_object_get(what, "request");
    int r;

    if (json_object_get(what, "cron"))
        return put_scheduled(out, event, what);
    if (request)
        return put_request(out, event, request);
    if (json_object_get(what, "type") && json_object_get(what, "message"))
        return put_notice(out, what, is_coloured);
    r = buf_print(out, "Unknown Event - %s @ ", outcome_words(event));
    return r < 0 ? r : put_time(out, json_object_get(event, "eventTimestamp"));
}

static int put_log(struct buf *out, const json_t *line)
{
    const json_t *messages = json_object_get(line, "message"), *one;
    size_t i;
    int r = buf_print(out, "  (%s)", json_string_value(json_object_get(line, "level")));

    json_array_foreach(messages, i, one)
    {
        r = r < 0 ? r : buf_print(out, " ");
        r = r < 0 ? r : put_value(out, one);
    }
    return r < 0 ? r : buf_print(out, "\n");
}

static int put_exception(struct buf *out, const json_t *e, bool is_coloured)
{
    struct span stack = string_of(json_object_get(e, "stack"));
    int r = is_coloured ? buf_print(out, RED) : 0;

    r = r < 0 ? r : put_safe(out, string_of(json_object_get(e, "name")));
    r = r < 0 ? r : buf_print(out, ": ");
    r = r < 0 ? r : put_value(out, json_object_get(e, "message"));
    if (is_coloured)
        r = r < 0 ? r : buf_print(out, PLAIN);
    if (stack.len > 0) {
        r = r < 0 ? r : buf_print(out, "\n");
        r = r < 0 ? r : put_safe(out, stack);
    }
    return r < 0 ? r : buf_print(out, "\n");
}

int tail_view_print(const json_t *event, bool is_coloured, struct buf *out, struct buf *errors)
{
    bool is_notice = json_object_get(json_object_get(event, "event"), "type") != NULL;
    const json_t *one;
    size_t i;
    int r = put_head(out, event, is_coloured);

    r = r < 0 ? r : buf_print(out, "\n");
    if (!is_notice)
        json_array_foreach(json_object_get(event, "logs"), i, one) r =
            r < 0 ? r : put_log(out, one);
    json_array_foreach(json_object_get(event, "exceptions"), i, one) r =
        r < 0 ? r : put_exception(errors, one, is_coloured);
    return r < 0 ? ERR_NOMEM : 0;
}
