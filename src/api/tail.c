/* tail.c - tails of a worker: made, listed, listened to, deleted.
 *
 * A client makes one (POST), connects a WebSocket to the address that it gets, sub-protocol
 * trace-v1, and deletes it (DELETE).  On the socket: each event is one text message; the client may
 * say
 * {"debug": true}, and pings.  wrangler's first frame is not masked, which no other one may be.
 *
 * A session has a queue of its own before the socket's: an event that does not fit in is dropped,
 * and the tail counts it.  Invariant: session->tail is set exactly while the session is its
 * listener. */
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "base/mem.h"
#include "catalog/worker.h"
#include "live/tail.h"
#include "text/websocket.h"

enum {
    MESSAGE_MAX = 16 * 1024, /* bytes of what a client says */
    CODE_NOT_FOUND = 10007,  /* no such script */
    CODE_FILTER = 10027,
    CODE_LIMIT = 10036,
};

#define PROTOCOL "trace-v1"

struct session {
    struct api_call *call;
    struct tail *tail;
    struct websocket_reader reader;
    struct buf queue; /* frames that the socket has no room for */
    bool is_closed;   /* our close has been queued */
};

/* ---- making, listing, deleting ---- */

static void find_worker(struct api_call *call, struct catalog *catalog)
{
    struct worker worker = {0};
    struct err err = {0};
    int r = worker_find(catalog, call->account.id, api_param(call, "script"), &worker, &err);

    if (r == ERR_NOT_FOUND)
        api_error(call, 404, CODE_NOT_FOUND, "This Worker does not exist on your account.");
    else if (r < 0)
        api_fail(call, CODE_NOT_FOUND, &err);
    worker_done(&worker);
}

static json_t *describe(const struct api_call *call, const char *id, int64_t expires_ms)
{
    const char *rest = strncmp(call->origin, "http", 4) == 0 ? call->origin + 4 : "://localhost";
    char time[API_TIME_SIZE];

    api_time(expires_ms, time);
    return json_pack("{s:s, s:o?, s:s}", "id", id, "url", json_sprintf("ws%s/tails/%s", rest, id),
                     "expires_at", time);
}

static void create(struct api_call *call)
{
    json_t *filters = json_object_get(call->json, "filters");
    struct tail *tail = NULL;
    struct err err = {0};
    int r;

    if (api_is_answered(call))
        return;
    r = tail_create(call->api->live, call->account.id, api_param(call, "script"), filters,
                    call->client, &tail, &err);
    if (r == 0)
        api_result(call, describe(call, tail_id(tail), tail_expires_ms(tail)));
    else if (r == ERR_LIMIT)
        api_error(call, 400, CODE_LIMIT, "%s", err.text);
    else
        api_fail(call, CODE_FILTER, &err);
}

static void list(struct api_call *call)
{
    json_t *all, *one, *told = json_array();
    size_t i;

    if (api_is_answered(call)) {
        json_decref(told);
        return;
    }
    all = tail_list(call->api->live, call->account.id, api_param(call, "script"));
    json_array_foreach(all, i, one)(void) json_array_append_new(
        told, describe(call, json_string_value(json_object_get(one, "id")),
                       json_integer_value(json_object_get(one, "expires_ms"))));
    json_decref(all);
    api_result(call, told);
}

static void delete (struct api_call *call)
{
    struct tail *tail;

    if (api_is_answered(call))
        return;
    tail = tail_find(call->api->live, call->account.id, api_param(call, "tail"));
    if (!tail) {
        api_error(call, 404, CODE_NOT_FOUND, "There is no such tail: it has ended");
        return;
    }
    tail_delete(tail);
    api_result(call, NULL);
}

/* ---- listening ---- */

static void flush(struct session *s)
{
    size_t room = api_socket_room(s->call), n = buf_len(&s->queue);

    if (n > room)
        n = room;
    if (n > 0) {
        api_socket_put(s->call, (struct span){buf_data(&s->queue), n});
        buf_eat(&s->queue, n);
    }
    if (s->is_closed && buf_len(&s->queue) == 0)
        api_socket_end(s->call);
}

/* Say goodbye, once; behind it nothing is sent. */
static void close_session(struct session *s, unsigned code, const char *reason)
{
    if (s->is_closed)
        return;
    s->is_closed = true;
    if (websocket_put_close(&s->queue, code, NULL, span_of(reason)) < 0)
        buf_eat(&s->queue, buf_len(&s->queue));
    flush(s);
}

static bool on_event(void *self, struct span json)
{
    struct session *s = self;

    if (s->is_closed || buf_len(&s->queue) + json.len + WEBSOCKET_HEAD_MAX > TAIL_QUEUE_BYTES_MAX ||
        websocket_put(&s->queue, WEBSOCKET_TEXT, NULL, json) < 0)
        return false;
    flush(s);
    return true;
}

static void on_ended(void *self)
{
    struct session *s = self;

    s->tail = NULL;
    close_session(s, WEBSOCKET_NORMAL, "the tail has ended");
}

static void take_message(struct session *s, struct span bytes)
{
    json_t *said = json_loadb(bytes.data, bytes.len, 0, NULL);
    const json_t *debug = json_object_get(said, "debug");

    if (s->tail && json_is_boolean(debug))
        tail_set_debug(s->tail, json_is_true(debug));
    json_decref(said);
}

static void take_item(struct session *s, const struct websocket_item *item)
{
    switch (item->kind) {
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY:
        take_message(s, item->bytes);
        return;
    case WEBSOCKET_PING:
        /* Who only pings and never reads gets no pong any more. */
        if (buf_len(&s->queue) < TAIL_QUEUE_BYTES_MAX &&
            websocket_put(&s->queue, WEBSOCKET_PONG, NULL, item->bytes) == 0)
            flush(s);
        return;
    case WEBSOCKET_PONG:
        return;
    case WEBSOCKET_CLOSE:
        close_session(s, item->code == WEBSOCKET_NO_CODE ? WEBSOCKET_NO_CODE : item->code, "");
        return;
    }
}

static void on_bytes(struct api_call *call, struct span bytes)
{
    struct session *s = call->state;
    struct websocket_item item;
    struct err err = {0};
    int r = 0;

    while (!s->is_closed && bytes.len > 0) {
        r = websocket_read(&s->reader, &bytes, &item, &err);
        if (r <= 0)
            break;
        take_item(s, &item);
    }
    if (r < 0)
        close_session(s, s->reader.status ? s->reader.status : WEBSOCKET_FAILED, "");
}

static void on_room(struct api_call *call)
{
    flush(call->state);
}

static void let_go(struct session *s)
{
    if (s->tail)
        tail_unlisten(s->tail);
    s->tail = NULL;
}

static void on_drain(struct api_call *call)
{
    let_go(call->state);
    close_session(call->state, 1001, "the node is shutting down");
}

static void on_gone(struct api_call *call)
{
    let_go(call->state);
}

static void free_session(void *self)
{
    struct session *s = self;

    websocket_done(&s->reader);
    buf_done(&s->queue);
    mem_free(s);
}

static void listen_to(struct api_call *call)
{
    static const struct tail_listener LISTENER = {on_event, on_ended};
    static const struct api_socket_events SOCKET = {on_bytes, on_room, on_drain, on_gone};
    struct tail *tail = tail_find(call->api->live, NULL, api_param(call, "tail"));
    struct err err = {0};
    struct session *s;

    if (!tail) {
        api_error(call, 404, CODE_NOT_FOUND, "There is no such tail: it has ended");
        return;
    }
    s = mem_alloc(sizeof *s);
    if (!s) {
        err_nomem(&err);
        api_fail(call, CODE_LIMIT, &err);
        return;
    }
    s->call = call;
    websocket_init(&s->reader, true, MESSAGE_MAX);
    s->reader.is_lenient = true;
    call->state = s;
    call->free_state = free_session;
    if (tail_listen(tail, &LISTENER, s, &err) < 0) {
        api_error(call, 409, CODE_LIMIT, "%s", err.text);
        return;
    }
    s->tail = tail;
    if (!api_switch(call, PROTOCOL, &SOCKET))
        let_go(s);
}

#define SCRIPT  "/accounts/:account/workers/scripts/:script/tails"
#define SERVICE "/accounts/:account/workers/services/:script/environments/:environment/tails"

const struct api_endpoint TAIL_ENDPOINTS[] = {
    {"POST", SCRIPT, SCOPE_READ, API_JSON, .work = find_worker, .after = create},
    {"GET", SCRIPT, SCOPE_READ, API_NO_BODY, .work = find_worker, .after = list},
    {"DELETE", SCRIPT "/:tail", SCOPE_READ, API_NO_BODY, .after = delete},
    {"POST", SERVICE, SCOPE_READ, API_JSON, .work = find_worker, .after = create},
    {"GET", SERVICE, SCOPE_READ, API_NO_BODY, .work = find_worker, .after = list},
    {"DELETE", SERVICE "/:tail", SCOPE_READ, API_NO_BODY, .after = delete},
    {"GET", "/tails/:tail", SCOPE_READ, API_NO_BODY, .after = listen_to, .is_open = true,
     .is_raw = true},
    {0},
};
