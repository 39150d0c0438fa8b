/* answer.c - what a call answers with: Cloudflare's envelope, or bytes.
 *
 * Set once, in the desk's thread or on the loop; serialized at once, in the thread that sets it.
 * What is set later wins over what was set before, as long as nothing has left: an endpoint may
 * take back its success. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/call.h"
#include "base/mem.h"

static int into(const char *bytes, size_t len, void *self)
{
    return buf_append(self, bytes, len) < 0 ? -1 : 0;
}

static void clear(struct api_answer *answer)
{
    if (answer->fd >= 0)
        close(answer->fd);
    answer->fd = -1;
    answer->file_left = 0;
    answer->log[0] = '\0';
    /* It may have held something that nobody else is to see. */
    explicit_bzero(answer->body.mem ? answer->body.mem : (char[1]){0},
                   answer->body.mem ? answer->body.cap : 0);
    buf_done(&answer->body);
    buf_init(&answer->body);
}

void api_answer_done(struct api_answer *answer)
{
    clear(answer);
    buf_done(&answer->headers);
}

static void set_type(struct api_answer *answer, const char *type)
{
    snprintf(answer->type, sizeof answer->type, "%s", type);
}

static void out_of_memory(struct api_answer *answer)
{
    static const char TEXT[] = "{\"success\":false,\"errors\":[{\"code\":10013,\"message\":\"This "
                               "node is out of memory\"}],"
                               "\"messages\":[],\"result\":null}";

    clear(answer);
    answer->status = 503;
    set_type(answer, "application/json");
    if (buf_append(&answer->body, TEXT, sizeof TEXT - 1) < 0)
        buf_init(&answer->body);
}

/* Takes the reference. */
static void put(struct api_call *call, unsigned status, json_t *take_envelope)
{
    struct api_answer *answer = &call_inside(call)->out;

    clear(answer);
    answer->status = status;
    set_type(answer, "application/json");
    if (!take_envelope || json_dump_callback(take_envelope, into, &answer->body, JSON_COMPACT) != 0)
        out_of_memory(answer);
    json_decref(take_envelope);
}

void api_result(struct api_call *call, json_t *take_result)
{
    api_result_list(call, take_result, NULL);
}

void api_result_list(struct api_call *call, json_t *take_result, json_t *take_info)
{
    json_t *envelope =
        json_pack("{s:o, s:b, s:[], s:[]}", "result", take_result ? take_result : json_null(),
                  "success", 1, "errors", "messages");

    if (envelope && take_info && json_object_set(envelope, "result_info", take_info) < 0) {
        json_decref(envelope);
        envelope = NULL;
    }
    json_decref(take_info);
    put(call, 200, envelope);
}

void api_result_page(struct api_call *call, json_t *take_array, unsigned page, unsigned per_page)
{
    size_t total = json_array_size(take_array), first = (size_t)(page - 1) * per_page;
    json_t *part = json_array(), *info;

    for (size_t i = first; part && i < total && i < first + per_page; i++) {
        if (json_array_append(part, json_array_get(take_array, i)) < 0) {
            json_decref(part);
            part = NULL;
        }
    }
    json_decref(take_array);
    info = json_pack("{s:i, s:i, s:I, s:I, s:I}", "page", (int)page, "per_page", (int)per_page,
                     "count", (json_int_t)json_array_size(part), "total_count", (json_int_t)total,
                     "total_pages", (json_int_t)((total + per_page - 1) / per_page));
    if (!part || !info) {
        json_decref(part);
        json_decref(info);
        out_of_memory(&call_inside(call)->out);
        return;
    }
    api_result_list(call, part, info);
}

/* What people are told has to be UTF-8, whatever went into it. */
static json_t *text_of(const char *text)
{
    json_t *value = json_string(text);
    char *ascii;

    if (value)
        return value;
    ascii = mem_strdup(text);
    for (char *at = ascii; at && *at; at++)
        if ((unsigned char)*at > 0x7e)
            *at = '?';
    value = ascii ? json_string(ascii) : NULL;
    mem_free(ascii);
    return value;
}

static void put_error(struct api_call *call, unsigned status, int code, const char *text)
{
    json_t *message = text_of(text);

    put(call, status,
        message ? json_pack("{s:n, s:b, s:[{s:i, s:o}], s:[]}", "result", "success", 0, "errors",
                            "code", code, "message", message, "messages")
                : NULL);
}

void api_error(struct api_call *call, unsigned status, int code, const char *fmt, ...)
{
    char room[1], *long_text;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(room, sizeof room, fmt, ap);
    va_end(ap);
    long_text = n >= 0 ? mem_alloc((size_t)n + 1) : NULL;
    if (!long_text) {
        out_of_memory(&call_inside(call)->out);
        return;
    }
    va_start(ap, fmt);
    vsnprintf(long_text, (size_t)n + 1, fmt, ap);
    va_end(ap);
    put_error(call, status, code, long_text);
    mem_free(long_text);
}

void api_no_route(struct api_call *call, struct span path)
{
    static const char PREFIX[] = "/client/v4/";
    size_t n = sizeof PREFIX - 2;
    char said[640];
    json_t *message;

    if (path.len > n && memcmp(path.data, PREFIX, n + 1) == 0) {
        path.data += n;
        path.len -= n;
    }
    snprintf(said, sizeof said,
             "Could not route to %.*s, perhaps your object identifier is invalid?",
             path.len > 500 ? 500 : (int)path.len, path.data);
    message = text_of(said);
    put(call, 404,
        json_pack("{s:n, s:b, s:[{s:i, s:o?}, {s:i, s:s}], s:[]}", "result", "success", 0, "errors",
                  "code", 7003, "message", message, "code", 7000, "message",
                  "No route for that URI", "messages"));
}

void api_fail(struct api_call *call, int code, const struct err *err)
{
    struct api_answer *answer = &call_inside(call)->out;
    const char *gap = err->hint[0] ? ": " : "";

    switch (err->code) {
    case ERR_NOT_FOUND:
        api_error(call, 404, code, "%s%s%s", err->text, gap, err->hint);
        return;
    case ERR_INVALID:
        api_error(call, 400, code, "%s%s%s", err->text, gap, err->hint);
        return;
    case ERR_LIMIT:
        api_error(call, 409, code, "%s%s%s", err->text, gap, err->hint);
        return;
    case ERR_GONE:
        api_error(call, 503, 10013, "This node is shutting down: try again in a moment");
        return;
    case ERR_NOMEM:
        out_of_memory(answer);
        return;
    default:
        if (err_is_disk_full(err))
            api_error(call, 507, 10013,
                      "The disk of this node is full, so this was not done: whoever runs it has to "
                      "make room, then try again");
        else
            api_error(call, 500, 10013,
                      "An unknown error has occurred; the log of this node says which");
        snprintf(answer->log, sizeof answer->log, "%s%s%s", err->text, gap, err->hint);
    }
}

void api_raw(struct api_call *call, unsigned status, const char *type, struct span bytes)
{
    struct api_answer *answer = &call_inside(call)->out;

    clear(answer);
    answer->status = status;
    set_type(answer, type);
    if (bytes.len > 0 && buf_append(&answer->body, bytes.data, bytes.len) < 0)
        out_of_memory(answer);
}

void api_file(struct api_call *call, const char *type, const char *download_name, int take_fd,
              uint64_t bytes)
{
    struct api_answer *answer = &call_inside(call)->out;
    struct buf value = {0};

    clear(answer);
    answer->status = 200;
    set_type(answer, type);
    answer->fd = take_fd;
    answer->file_left = bytes;
    if (!download_name)
        return;
    /* Quotes and what is no visible ASCII would have to be escaped: names of ours have none. */
    if (buf_print(&value, "attachment; filename=\"") == 0) {
        for (const char *at = download_name; *at; at++) {
            bool is_plain = *at > ' ' && *at < 0x7f && *at != '"' && *at != '\\';
            if (buf_append(&value, is_plain ? at : "_", 1) < 0)
                break;
        }
        if (buf_append(&value, "\"", 2) == 0)
            api_header(call, "Content-Disposition", buf_data(&value));
    }
    buf_done(&value);
}

void api_header(struct api_call *call, const char *name, const char *value)
{
    struct api_answer *answer = &call_inside(call)->out;

    for (const char *at = value; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return; /* nothing that comes from outside begins a line */
    if (pairs_add(&answer->headers, span_of(name), span_of(value)) == 0)
        answer->header_count++;
}

bool api_is_answered(const struct api_call *call)
{
    return call_inside(call)->out.status != 0;
}

void api_time(int64_t wall_ms, char out[API_TIME_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    size_t n;

    gmtime_r(&seconds, &tm);
    n = strftime(out, API_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, API_TIME_SIZE - n, ".%06uZ", (unsigned)(wall_ms % 1000) * 1000);
}
