/* trigger.c - requests that stand for an event: run the worker's scheduled handler now.
 *
 *   /cdn-cgi/handler/scheduled?cron=&time=   "ok" or "exception"; format=json: all that is known
 *   /cdn-cgi/mf/scheduled                    the same by its old name
 *   /__scheduled?cron=                       "Ran scheduled event", or the page of an exception
 *
 * As wrangler dev and its Miniflare have them; only where the front's config
 * says so, since anybody who reaches the front could run the handler.
 *
 * Who calls it: exchange.c.  Its callbacks obey exchange.c's rules. */
#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "front/inside.h"
#include "text/percent.h"

/* Bytes: 32 KiB of traceback, each escaped as \u0001, and all within the first window. */
enum { TRIGGER_REPLY_MAX = 224 * 1024 };

static bool is_path(struct span target, const char *path)
{
    size_t len = strlen(path);

    return target.len >= len && memcmp(target.data, path, len) == 0 &&
           (target.len == len || target.data[len] == '?');
}

enum trigger trigger_of(const struct exchange *ex)
{
    enum front_triggers allowed = ex->connection->front->config.triggers;
    struct span target;

    if (allowed == FRONT_NO_TRIGGERS)
        return TRIGGER_NONE;
    target = exchange_target(ex);
    if (is_path(target, "/cdn-cgi/handler/scheduled") || is_path(target, "/cdn-cgi/mf/scheduled"))
        return TRIGGER_HANDLER;
    if (allowed == FRONT_ALL_TRIGGERS && is_path(target, "/__scheduled"))
        return TRIGGER_TEST;
    return TRIGGER_NONE;
}

/* The first value of this name in the query, decoded; NULL when there is none, or no memory. */
static char *parameter(const struct exchange *ex, const char *name)
{
    struct span target = exchange_target(ex), rest, pair;
    const char *mark = memchr(target.data, '?', target.len), *end;
    struct buf text = {0};
    size_t len = strlen(name);
    char *value = NULL;

    rest = mark ? (struct span){mark + 1, target.len - (size_t)(mark + 1 - target.data)} : SPAN("");
    while (rest.len > 0 && !value) {
        end = memchr(rest.data, '&', rest.len);
        pair = (struct span){rest.data, end ? (size_t)(end - rest.data) : rest.len};
        rest.data += pair.len + (end != NULL);
        rest.len -= pair.len + (end != NULL);
        if (pair.len <= len || memcmp(pair.data, name, len) != 0 || pair.data[len] != '=')
            continue;
        pair = (struct span){pair.data + len + 1, pair.len - len - 1};
        if (percent_decode_form(&text, pair) == 0 && buf_append(&text, "", 1) == 0)
            value = mem_strdup(buf_data(&text));
        buf_eat(&text, buf_len(&text));
    }
    buf_done(&text);
    return value;
}

/* {"cron": ..., "time": ...} ; free() it. */
static char *payload_of(const struct exchange *ex, enum trigger trigger)
{
    char *cron = parameter(ex, "cron");
    char *time = trigger == TRIGGER_HANDLER ? parameter(ex, "time") : NULL;
    json_t *payload = json_object();
    char *end = time, *text = NULL;
    long long ms = time ? strtoll(time, &end, 10) : 0;

    /* What is no UTF-8 counts as not given. */
    if (cron)
        json_object_set_new(payload, "cron", json_string(cron));
    if (end != time)
        json_object_set_new(payload, "time", json_integer(ms));
    if (payload)
        text = json_dumps(payload, JSON_COMPACT);
    json_decref(payload);
    mem_free(cron);
    mem_free(time);
    return text;
}

static void on_head(void *self, const struct response *response)
{
    struct exchange *ex = self;

    ex->reply_at = buf_len(&ex->store);
    if (response->body_length != 0)
        return;
    exchange_over(ex);
    exchange_failed(ex, CALL_BAD_RESULT, SPAN("the worker said nothing of its event"));
}

static void answer(struct exchange *ex, struct span reply)
{
    json_t *said = json_loadb(reply.data, reply.len, 0, NULL);
    const char *outcome = json_string_value(json_object_get(said, "outcome"));
    const char *error = json_string_value(json_object_get(said, "error"));
    char *format = NULL;
    bool is_ok = outcome && strcmp(outcome, "ok") == 0;

    if (!outcome) {
        exchange_failed(ex, CALL_BAD_RESULT, SPAN("the worker's answer to its event is malformed"));
    } else if (ex->trigger == TRIGGER_HANDLER) {
        format = parameter(ex, "format");
        if (format && strcmp(format, "json") == 0)
            exchange_answer(ex, is_ok ? 200 : 500, SPAN("application/json"), reply);
        else
            exchange_answer(ex, is_ok ? 200 : 500, SPAN("text/plain;charset=UTF-8"),
                            span_of(outcome));
    } else if (is_ok) {
        exchange_answer(ex, 200, SPAN("text/plain;charset=UTF-8"), SPAN("Ran scheduled event"));
    } else {
        exchange_failed(ex, CALL_EXCEPTION, span_of(error ? error : outcome));
    }
    mem_free(format);
    json_decref(said);
}

static void on_body(void *self, struct span bytes, bool is_end)
{
    struct exchange *ex = self;
    struct span reply;

    if (is_end)
        exchange_over(ex);
    connection_wake(ex->connection);
    if (ex->state != EXCHANGE_CALLED)
        return;
    if (buf_len(&ex->store) - ex->reply_at + bytes.len > TRIGGER_REPLY_MAX ||
        buf_append(&ex->store, bytes.data, bytes.len) < 0) {
        exchange_unsendable(ex, "the worker's answer to its event is too long");
        return;
    }
    if (!is_end)
        return;
    reply = (struct span){buf_data(&ex->store) + ex->reply_at, buf_len(&ex->store) - ex->reply_at};
    answer(ex, reply);
}

static void on_nothing(void *self)
{
    (void)self;
}

int trigger_call(struct exchange *ex, enum trigger trigger, struct pool *pool, struct err *err)
{
    static const struct call_events EVENTS = {.head = on_head,
                                              .body = on_body,
                                              .writable = on_nothing,
                                              .unwanted = on_nothing,
                                              .failed = exchange_failed};
    char *payload = payload_of(ex, trigger);
    struct event event = {.kind = SPAN("scheduled"), .entrypoint = SPAN("")};
    int r;

    if (!payload)
        return err_nomem(err);
    event.payload = span_of(payload);
    ex->trigger = trigger;
    ex->is_unwanted = true; /* the request's own body */
    ex->is_retried = true;  /* a handler that kills its process would do it again */
    r = pool_event(pool, &event, &EVENTS, ex, &ex->callee.call, err);
    free(payload);
    return r;
}
