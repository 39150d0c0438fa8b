/* send.c - a call's answer on its way to the front: a head, then bytes, a file, or a socket's.
 *
 * At most API_SOCKET_BYTES_MAX are with the front at a time; it gives them back as its client takes
 * them.  A file is read block by block in a thread of libuv's, each when the one before has left.
 *
 * Who calls it: call.c, from the tick of the call, never from within a callback of the front. */
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "api/call.h"
#include "base/log.h"
#include "base/mem.h"

enum { BLOCK = 64 * 1024 };
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

static size_t room_of(const struct api_call_inside *c)
{
    return c->in_flight < API_SOCKET_BYTES_MAX ? API_SOCKET_BYTES_MAX - c->in_flight : 0;
}

static int accept_header(struct api_call_inside *c, struct buf *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char both[128], text[64];
    unsigned len;
    int n = snprintf(both, sizeof both, "%s%s", c->websocket_key, GUID);

    if (n < 0 || (size_t)n >= sizeof both ||
        EVP_Digest(both, (size_t)n, digest, &len, EVP_sha1(), NULL) != 1)
        return ERR_NOMEM;
    EVP_EncodeBlock((unsigned char *)text, digest, (int)len);
    return pairs_add(out, SPAN("sec-websocket-accept"), span_of(text));
}

/* Out of memory here: the front hears that the call has failed. */
static void cut(struct api_call_inside *c, const char *why)
{
    c->state = API_CALL_OVER;
    if (c->events)
        c->events->failed(c->events_self, CALL_CUT, span_of(why));
    c->events = NULL;
}

static void send_head(struct api_call_inside *c, int64_t length)
{
    struct api_answer *out = &c->out;
    struct buf headers = {0};
    unsigned count = out->header_count + 1;
    int r;

    if (out->status == 101)
        r = accept_header(c, &headers);
    else
        r = pairs_add(&headers, SPAN("content-type"), span_of(out->type));
    if (r == 0)
        r = buf_append(&headers, buf_data(&out->headers), buf_len(&out->headers));
    c->is_head_sent = true;
    if (r == 0)
        c->events->head(c->events_self, &(struct response){.status = out->status,
                                                           .status_text = SPAN(""),
                                                           .headers = {buf_span(&headers), count},
                                                           .body_length = length});
    else
        cut(c, "out of memory");
    buf_done(&headers);
}

static void send_bytes(struct api_call_inside *c, struct buf *from, bool ends)
{
    do {
        size_t n = buf_len(from), room = room_of(c);
        bool is_end;
        n = n > BLOCK ? BLOCK : n;
        n = n > room ? room : n;
        is_end = ends && n == buf_len(from);
        if (n == 0 && !is_end)
            return; /* waits for: credit */
        c->in_flight += n;
        c->events->body(c->events_self, (struct span){buf_data(from), n}, is_end);
        buf_eat(from, n);
        if (is_end) {
            c->state = API_CALL_OVER;
            c->events = NULL;
        }
    } while (c->events && buf_len(from) > 0);
}

/* ---- files ---- */

static void on_read(uv_fs_t *fs)
{
    struct api_call_inside *c = fs->data;
    ssize_t n = fs->result;

    uv_fs_req_cleanup(fs);
    c->is_reading = false;
    if (n <= 0) {
        log_warn("read a file for an answer: %s", n == 0 ? "it is too short" : uv_strerror((int)n));
        c->has_read_failed = true;
    } else {
        buf_commit(&c->out.body, (size_t)n);
        c->out.file_left -= (uint64_t)n;
    }
    api_wake(c);
}

static void read_block(struct api_call_inside *c)
{
    size_t n = c->out.file_left < BLOCK ? (size_t)c->out.file_left : BLOCK;
    uv_buf_t block;
    char *room;

    if (buf_reserve(&c->out.body, n, &room) < 0) {
        cut(c, "out of memory");
        return;
    }
    block = uv_buf_init(room, (unsigned)n);
    c->read_fs.data = c;
    if (uv_fs_read(c->call.api->loop, &c->read_fs, c->out.fd, &block, 1, -1, on_read) < 0)
        cut(c, "a file could not be read");
    else
        c->is_reading = true;
}

static void send_file(struct api_call_inside *c)
{
    if (c->is_reading)
        return; /* waits for: its block */
    if (c->has_read_failed) {
        cut(c, "a file could not be read");
        return;
    }
    if (buf_len(&c->out.body) > 0)
        send_bytes(c, &c->out.body, c->out.file_left == 0);
    if (c->events && buf_len(&c->out.body) == 0)
        read_block(c);
}

/* ---- sockets ---- */

static void send_socket(struct api_call_inside *c)
{
    bool is_due = c->socket_room_due;

    c->socket_room_due = false;
    if (buf_len(&c->socket_out) > 0 || c->socket_ends)
        send_bytes(c, &c->socket_out, c->socket_ends);
    if (c->events && is_due && c->socket->room && api_socket_room(&c->call) > 0)
        c->socket->room(&c->call);
}

bool api_switch(struct api_call *call, const char *protocol, const struct api_socket_events *events)
{
    struct api_call_inside *c = call_inside(call);

    if (!c->is_upgrade || !c->websocket_key[0]) {
        api_error(call, 426, 10013, "This address is for WebSockets: connect to it with one");
        return false;
    }
    c->out.status = 101;
    c->socket = events;
    if (protocol)
        api_header(call, "sec-websocket-protocol", protocol);
    return true;
}

size_t api_socket_room(const struct api_call *call)
{
    const struct api_call_inside *c = call_inside(call);
    size_t used = c->in_flight + buf_len(&c->socket_out);

    return used < API_SOCKET_BYTES_MAX ? API_SOCKET_BYTES_MAX - used : 0;
}

void api_socket_put(struct api_call *call, struct span bytes)
{
    struct api_call_inside *c = call_inside(call);

    if (!c->socket || c->socket_ends || c->state == API_CALL_OVER)
        return;
    if (buf_append(&c->socket_out, bytes.data, bytes.len) < 0)
        c->socket_ends = true; /* a stream with a hole is none */
    api_wake(c);
}

void api_socket_end(struct api_call *call)
{
    struct api_call_inside *c = call_inside(call);

    c->socket_ends = true;
    api_wake(c);
}

/* ---- */

void api_send_tick(struct api_call_inside *c)
{
    struct api_answer *out = &c->out;
    uint64_t length = out->fd >= 0 ? out->file_left : buf_len(&out->body);

    if (!c->events) {
        c->state = API_CALL_OVER;
        return;
    }
    if (!c->is_head_sent) {
        if (out->status != 101 && !c->in.is_ended)
            c->events->unwanted(c->events_self);
        send_head(c, out->status == 101 ? -1 : (int64_t)length);
        if (c->events && out->status != 101 && length == 0) {
            c->state = API_CALL_OVER;
            c->events = NULL;
        }
        if (out->status == 101 && c->events)
            c->state = API_CALL_SWITCHED;
    }
    if (!c->events)
        return;
    if (c->state == API_CALL_SWITCHED)
        send_socket(c);
    else if (out->fd >= 0)
        send_file(c);
    else
        send_bytes(c, &out->body, true);
}
