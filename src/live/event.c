/* event.c - what is known of one request, gathered until it is an event.
 *
 * Everything is text of strangers: what is no UTF-8 is made so, what is long is cut, and what all
 * traces keep together is bounded (tails->bytes); an event that misses something says "truncated".
 * The filters see the request as it was; the event has it redacted. */
#include "live/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "live/exception.h"
#include "live/redact.h"
#include "live/tails.h"
#include "text/value.h"

enum {
    ENTRY_COST = 200, /* bytes that a line costs beside its text */
    VALUE_COST = 100, /* and a value in it */
    HEADER_TEXT_MAX = 8 * 1024,
};

struct trace {
    struct tails *tails;
    char *account_id, *worker_name, *version_id, *client;
    json_t *event;   /* what stands in "event": as it came, not redacted */
    json_t *headers; /* of the request, borrowed from there; NULL: it is none */
    json_t *logs, *exceptions;
    json_t *told;  /* of the line that comes next, or NULL */
    size_t kept;   /* counted in tails->bytes */
    size_t logged; /* of it in logs and exceptions */
    bool is_truncated, is_finished;
    enum front_ending ending;
    unsigned status;
    int64_t started_ms, wall_us, cpu_us;
};

const char *event_outcome(enum front_ending ending)
{
    switch (ending) {
    case FRONT_OK:
        return "ok";
    case FRONT_EXCEPTION:
        return "exception";
    case FRONT_EXCEEDED_CPU:
        return "exceededCpu";
    case FRONT_EXCEEDED_MEMORY:
        return "exceededMemory";
    case FRONT_EXCEEDED_OTHER:
        return "exceededResources";
    case FRONT_CANCELED:
        return "canceled";
    case FRONT_NOT_LOADED:
        return "scriptNotFound";
    case FRONT_MOVED:
    case FRONT_UNKNOWN:
        break;
    }
    return "unknown";
}

/* ---- texts ---- */

/* Length of the well-formed UTF-8 sequence at the start of s, 0: there is none. */
static size_t sequence_len(struct span s)
{
    const unsigned char *p = (const unsigned char *)s.data;
    size_t n = p[0] < 0x80                   ? 1
               : p[0] >= 0xC2 && p[0] < 0xE0 ? 2
               : (p[0] & 0xF0) == 0xE0       ? 3
               : p[0] >= 0xF0 && p[0] < 0xF5 ? 4
                                             : 0;

    if (n == 0 || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

/* A JSON string of what may be no UTF-8; NULL: no memory. */
static json_t *json_of(struct span s)
{
    json_t *text = json_stringn(s.data, s.len);
    struct buf out = {0};
    int r = 0;

    if (text)
        return text;
    while (s.len > 0 && r == 0) {
        size_t n = sequence_len(s);
        r = n > 0 ? buf_append(&out, s.data, n) : buf_append(&out, "\xEF\xBF\xBD", 3);
        s.data += n > 0 ? n : 1;
        s.len -= n > 0 ? n : 1;
    }
    if (r == 0)
        text = json_stringn(buf_data(&out), buf_len(&out));
    buf_done(&out);
    return text;
}

static struct span cut(struct span s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max > 0 && ((unsigned char)s.data[max] & 0xC0) == 0x80)
        max--;
    return (struct span){s.data, max};
}

/* Count what is kept; false: there is no room for it. */
static bool keep(struct trace *trace, size_t bytes)
{
    if (trace->tails->bytes + bytes > TRACES_BYTES_MAX)
        return false;
    trace->tails->bytes += bytes;
    trace->kept += bytes;
    return true;
}

/* ---- the beginning ---- */

static void trace_free(struct trace *trace)
{
    struct tails *tails = trace->tails;

    tails->bytes -= trace->kept;
    json_decref(trace->event);
    json_decref(trace->told);
    json_decref(trace->logs);
    json_decref(trace->exceptions);
    mem_free(trace->account_id);
    mem_free(trace->worker_name);
    mem_free(trace->version_id);
    mem_free(trace->client);
    mem_free(trace);
    tails_forget(tails);
}

static struct trace *trace_new(struct tails *tails, const struct trace_source *source,
                               struct span client)
{
    struct trace *trace = mem_alloc(sizeof *trace);

    if (!trace)
        return NULL;
    tails->traces++;
    trace->tails = tails;
    trace->account_id = mem_strdup(source->account_id);
    trace->worker_name = mem_strdup(source->worker_name);
    trace->version_id = mem_strdup(source->version_id);
    trace->client = mem_copy(client.data ? client.data : "", client.len);
    trace->logs = json_array();
    trace->exceptions = json_array();
    trace->started_ms = clock_wall_ms();
    trace->cpu_us = -1;
    if (trace->account_id && trace->worker_name && trace->version_id && trace->client &&
        trace->logs && trace->exceptions)
        return trace;
    trace_free(trace);
    return NULL;
}

/* name, in lower case, to value; one that is there already gets ", value" behind it. */
static int add_header(json_t *headers, struct span name, struct span value)
{
    char key[256];
    const json_t *had;
    struct buf both = {0};
    int r;

    if (name.len >= sizeof key)
        return 0;
    for (size_t i = 0; i < name.len; i++)
        key[i] =
            name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] | 0x20) : name.data[i];
    key[name.len] = '\0';
    value = cut(value, HEADER_TEXT_MAX);
    had = json_object_get(headers, key);
    if (!had)
        return json_object_set_new(headers, key, json_of(value));
    r = buf_print(&both, "%s, %.*s", json_string_value(had), SPAN_ARG(value));
    if (r == 0)
        r = json_object_set_new(headers, key, json_of(cut(buf_span(&both), HEADER_TEXT_MAX)));
    buf_done(&both);
    return r;
}

static int add_headers(struct trace *trace, const struct pairs *pairs)
{
    struct span name, value;
    size_t at = 0;

    for (unsigned i = 0; pairs_next(pairs, &at, &name, &value); i++) {
        if (i >= TRACE_HEADERS_MAX || !keep(trace, name.len + value.len + ENTRY_COST)) {
            trace->is_truncated = true;
            return 0;
        }
        if (add_header(trace->headers, name, value) < 0)
            return ERR_NOMEM;
    }
    return 0;
}

struct trace *event_request(struct tails *tails, const struct trace_source *source,
                            const struct front_arrival *arrival)
{
    const struct request *request = arrival->request;
    struct trace *trace;
    json_t *facts;

    if (tails->count == 0 || !tails_has(tails, source->account_id, source->worker_name))
        return NULL;
    trace = trace_new(tails, source, arrival->client);
    if (!trace)
        return NULL;
    trace->headers = json_object();
    facts = json_pack("{s:o?, s:o?, s:o?, s:{s:s}}", "url", json_of(request->url), "method",
                      json_of(request->method), "headers", trace->headers, "cf", "httpProtocol",
                      "HTTP/1.1");
    trace->event = facts ? json_pack("{s:o}", "request", facts) : NULL;
    if (!trace->event || !keep(trace, request->url.len + ENTRY_COST) ||
        add_headers(trace, &request->headers) < 0) {
        trace_free(trace);
        return NULL;
    }
    return trace;
}

struct trace *event_scheduled(struct tails *tails, const struct trace_source *source,
                              const char *cron, int64_t scheduled_ms)
{
    struct trace *trace;

    if (tails->count == 0 || !tails_has(tails, source->account_id, source->worker_name))
        return NULL;
    trace = trace_new(tails, source, SPAN(""));
    if (!trace)
        return NULL;
    trace->event = json_pack("{s:s, s:I}", "cron", cron, "scheduledTime", (json_int_t)scheduled_ms);
    if (trace->event)
        return trace;
    trace_free(trace);
    return NULL;
}

/* ---- lines ---- */

/* Room for text in logs and exceptions; what does not fit is cut. */
static bool make_room(struct trace *trace, struct span *text)
{
    size_t left = trace->logged < TAIL_LOG_BYTES_MAX ? TAIL_LOG_BYTES_MAX - trace->logged : 0;
    struct span whole = *text;

    if (left <= ENTRY_COST) {
        trace->is_truncated = true;
        return false;
    }
    left -= ENTRY_COST;
    *text = cut(whole, left < TRACE_TEXT_MAX ? left : TRACE_TEXT_MAX);
    trace->is_truncated = trace->is_truncated || text->len < whole.len;
    if (!keep(trace, text->len + ENTRY_COST)) {
        trace->is_truncated = true;
        return false;
    }
    trace->logged += text->len + ENTRY_COST;
    return true;
}

/* Small values cost more as values than as text: what this one may become. */
static size_t cost_of(struct span told)
{
    size_t values = 1;

    for (size_t i = 0; i < told.len; i++)
        values += told.data[i] == ',' || told.data[i] == '[' || told.data[i] == '{';
    return told.len + values * VALUE_COST;
}

void event_told(struct trace *trace, struct span told)
{
    const size_t left =
        !trace || trace->logged >= TAIL_LOG_BYTES_MAX ? 0 : TAIL_LOG_BYTES_MAX - trace->logged;
    const size_t cost = cost_of(told);
    json_error_t ignored;

    if (cost > left || !keep(trace, cost))
        return;
    json_decref(trace->told);
    trace->told = NULL;
    if (value_parse(told, &trace->told, &ignored) == 0 &&
        json_is_string(json_array_get(trace->told, 0))) {
        trace->logged += cost;
        return;
    }
    json_decref(trace->told);
    trace->told = NULL;
}

void event_log(struct trace *trace, enum log_level level, struct span text)
{
    static const char *const LEVELS[] = {"debug", "log", "warn", "error", "error"};
    json_t *message, *name;

    if (!trace)
        return;
    message = trace->told;
    trace->told = NULL;
    if (!message && !make_room(trace, &text))
        return;
    name = message ? json_incref(json_array_get(message, 0)) : json_string(LEVELS[level]);
    if (message)
        (void)json_array_remove(message, 0);
    else
        message = json_pack("[o?]", json_of(text));
    if (json_array_append_new(trace->logs,
                              json_pack("{s:o, s:o, s:I}", "message", message, "level", name,
                                        "timestamp", (json_int_t)clock_wall_ms())) < 0)
        trace->is_truncated = true;
}

static void add_exception(struct trace *trace, struct span text)
{
    struct exception ex;

    if (!make_room(trace, &text))
        return;
    exception_read(text, &ex);
    if (json_array_append_new(trace->exceptions,
                              json_pack("{s:o?, s:o?, s:o?, s:I}", "name", json_of(ex.name),
                                        "message", json_of(ex.message), "stack", json_of(ex.stack),
                                        "timestamp", (json_int_t)clock_wall_ms())) < 0)
        trace->is_truncated = true;
}

void event_raised(struct trace *trace, struct span text)
{
    if (!trace)
        return;
    add_exception(trace, text);
}

/* ---- the end ---- */

void event_finished(struct trace *trace, const struct front_outcome *outcome)
{
    if (!trace)
        return;
    trace->is_finished = true;
    trace->ending = outcome->ending;
    trace->status = outcome->status;
    trace->started_ms = outcome->started_ms;
    trace->wall_us = outcome->wall_us;
    trace->cpu_us = outcome->cpu_us;
    /* Mostly the worker has logged it already. */
    if (outcome->text.len > 0 && json_array_size(trace->exceptions) == 0 &&
        outcome->ending != FRONT_OK && outcome->ending != FRONT_CANCELED)
        add_exception(trace, outcome->text);
    if (trace->headers && outcome->status > 0 &&
        json_object_set_new(trace->event, "response",
                            json_pack("{s:i}", "status", (int)outcome->status)) < 0)
        trace->is_truncated = true;
}

/* url and headers, in place. */
static int redact(struct trace *trace)
{
    json_t *request = json_object_get(trace->event, "request"), *value;
    const json_t *url = json_object_get(request, "url");
    struct buf out = {0};
    const char *name;
    int r;

    if (!trace->headers)
        return 0;
    r = redact_url(&out, (struct span){json_string_value(url), json_string_length(url)});
    if (r == 0)
        r = json_object_set_new(request, "url", json_stringn(buf_data(&out), buf_len(&out)));
    json_object_foreach(trace->headers, name, value) if (redact_is_header_secret(span_of(name)) &&
                                                         json_string_set(value, "REDACTED") < 0) r =
        ERR_NOMEM;
    buf_done(&out);
    return r;
}

/* The filters first: they see what is not redacted. */
static void send_event(struct trace *trace, const char *outcome, int64_t cpu_us)
{
    json_t *request = json_object_get(trace->event, "request"), *event;
    const json_t *method = json_object_get(request, "method");
    json_t *headers = trace->headers ? json_deep_copy(trace->headers) : NULL;
    const struct filter_facts facts = {
        .outcome = outcome,
        .version_id = trace->version_id,
        .is_request = trace->headers != NULL,
        .method = {json_string_value(method), json_string_length(method)},
        .headers = headers,
        .client = span_of(trace->client),
        .logs = trace->logs,
    };

    if ((!headers && trace->headers) || redact(trace) < 0) {
        json_decref(headers);
        return;
    }
    event = json_pack("{s:s, s:s, s:{s:s}, s:I, s:f, s:f, s:O, s:O, s:[], s:b, s:O}", "outcome",
                      outcome, "scriptName", trace->worker_name, "scriptVersion", "id",
                      trace->version_id, "eventTimestamp", (json_int_t)trace->started_ms,
                      "wallTime", (double)trace->wall_us / 1000, "cpuTime",
                      cpu_us > 0 ? (double)cpu_us / 1000 : 0.0, "exceptions", trace->exceptions,
                      "logs", trace->logs, "diagnosticsChannelEvents", "truncated",
                      (int)trace->is_truncated, "event", trace->event);
    if (event)
        tails_send(trace->tails, trace->account_id, trace->worker_name, &facts, event);
    json_decref(event);
    json_decref(headers);
}

void event_end(struct trace *trace, int64_t cpu_us)
{
    if (!trace)
        return;
    /* What comes behind an answer that was in order, of waitUntil or of nobody, is among the
     * exceptions and leaves the outcome as it is: that of the access log. */
    if (trace->is_finished)
        send_event(trace, event_outcome(trace->ending), cpu_us >= 0 ? cpu_us : trace->cpu_us);
    trace_free(trace);
}
