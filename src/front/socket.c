/* socket.c - between a connection and its socket: bytes in, bytes out, TLS around them where it is
 * spoken.
 *
 *   socket -> (tls_feed, tls_read) -> front->scratch -> the connection's machine
 *   c->out -> (tls_write, tls_out) -> socket
 *
 * 1. Credit for the worker's bytes is given when the socket has taken all that was to be written:
 * with TLS the bytes around them included, so that what is counted by WAIT_WRITE is what the client
 * takes.
 * 2. With TLS no more is decrypted than there is room for unread bytes, and no more is encrypted
 * while the socket is writing.
 *
 * Who calls it: connection.c. */
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/inside.h"

static void wait_for(struct connection *c, enum wait kind, int ms)
{
    waits_set(&c->waits, kind, clock_now_ms() + ms);
}

/* ---- writing ---- */

static void on_written(uv_write_t *write, int status)
{
    struct connection *c = write->data;
    size_t owed = c->busy_owed;

    c->is_writing = false;
    c->busy_owed = 0;
    buf_eat(&c->busy, buf_len(&c->busy));
    if (c->state == CONNECTION_CLOSED)
        return;
    if (status < 0) {
        connection_kill(c, RESET_CLIENT_GONE);
        return;
    }
    waits_clear(&c->waits, WAIT_WRITE);
    if (c->exchange)
        exchange_credit(c->exchange, owed);
    connection_tick(c);
}

/* Bytes on their way that the client's kernel has not taken: libuv's queue and the
 * socket's.  The first alone would not do: a large send buffer tells that it has room
 * only when a third of it is free, which a slow reader may need minutes for. */
static size_t count_untaken(struct connection *c)
{
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
    int fd, unacked = 0;

    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0 && ioctl(fd, SIOCOUTQ, &unacked) == 0)
        queued += (size_t)unacked;
    return queued;
}

/* What the socket did not take at once goes through the loop. */
static int write_rest(struct connection *c, struct buf *from)
{
    struct buf empty = c->busy;
    uv_buf_t bytes;
    int r;

    c->busy = *from;
    *from = empty;
    c->busy_owed = c->out_owed;
    c->out_owed = 0;
    bytes = uv_buf_init(c->busy.mem + c->busy.head, (unsigned)buf_len(&c->busy));
    c->write.data = c;
    r = uv_write(&c->write, (uv_stream_t *)&c->tcp, &bytes, 1, on_written);
    if (r < 0)
        return r;
    c->is_writing = true;
    c->queued = count_untaken(c);
    wait_for(c, WAIT_WRITE, c->front->config.timeouts.write_ms);
    return 0;
}

/* What is to be written to the socket; NULL: it cannot be had. */
static struct buf *to_write(struct connection *c)
{
    if (!c->tls)
        return &c->out;
    if (buf_len(&c->out) > 0) {
        if (tls_write(c->tls, buf_span(&c->out)) < 0)
            return NULL;
        buf_eat(&c->out, buf_len(&c->out));
    }
    return tls_out(c->tls);
}

bool socket_flush(struct connection *c)
{
    struct buf *from;
    uv_buf_t bytes;
    size_t owed;
    int n;

    if (c->is_writing)
        return true;
    from = to_write(c);
    if (!from)
        goto gone;
    if (buf_len(from) > 0) {
        bytes = uv_buf_init(from->mem + from->head, (unsigned)buf_len(from));
        n = uv_try_write((uv_stream_t *)&c->tcp, &bytes, 1);
        if (n > 0) {
            buf_eat(from, (size_t)n);
            c->taken += (size_t)n;
        } else if (n != UV_EAGAIN) {
            goto gone;
        }
        if (buf_len(from) > 0 && write_rest(c, from) < 0)
            goto gone;
        if (c->is_writing)
            return true;
    }
    owed = c->out_owed;
    c->out_owed = 0;
    if (owed > 0 && c->exchange)
        exchange_credit(c->exchange, owed);
    return true;
gone:
    connection_kill(c, RESET_CLIENT_GONE);
    return false;
}

/* A client that has closed its side, or that is slow, keeps its answer as long
 * as it takes some of it. */
bool socket_is_taking(struct connection *c, enum wait kind)
{
    size_t queued = count_untaken(c);
    bool is_moving = c->is_writing && queued < c->queued;

    if (kind == WAIT_GONE)
        is_moving |= c->taken != c->seen;
    c->seen = c->taken;
    c->queued = queued;
    return is_moving;
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *ret)
{
    struct connection *c = (struct connection *)handle;

    (void)hint;
    *ret = uv_buf_init(c->front->scratch, FRONT_READ_MAX);
}

/* Bytes in front->scratch: use them where they are, keep what is left. */
static void take_scratch(struct connection *c, size_t n)
{
    if (buf_len(&c->in) > 0) {
        if (buf_append(&c->in, c->front->scratch, n) < 0)
            connection_kill(c, RESET_CLIENT_GONE);
        connection_step(c);
        return;
    }
    c->input = c->front->scratch;
    c->input_len = n;
    connection_run(c);
    if (c->state == CONNECTION_CLOSED)
        return;
    if (c->input_len > 0 && buf_append(&c->in, c->input, c->input_len) < 0) {
        connection_kill(c, RESET_CLIENT_GONE);
        return;
    }
    socket_read(c);
}

/* Leave, with TLS's last words where there are any. */
static void give_up_tls(struct connection *c)
{
    struct buf *out = tls_out(c->tls);
    uv_buf_t bytes;

    log_debug("%s: TLS: %s", c->address, tls_problem(c->tls));
    if (!c->is_writing && buf_len(out) > 0) {
        bytes = uv_buf_init(out->mem + out->head, (unsigned)buf_len(out));
        uv_try_write((uv_stream_t *)&c->tcp, &bytes, 1);
    }
    connection_kill(c, RESET_CLIENT_GONE);
}

void socket_pull(struct connection *c)
{
    size_t n = 1;

    while (n > 0 && c->state != CONNECTION_CLOSED && buf_len(&c->in) < FRONT_READ_AHEAD) {
        n = tls_read(c->tls, c->front->scratch, FRONT_READ_MAX);
        if (n > 0)
            take_scratch(c, n);
    }
    if (c->state == CONNECTION_CLOSED)
        return;
    /* Answers to what is no data, while the client does not read them. */
    if (tls_state(c->tls) == TLS_BROKEN || buf_len(tls_out(c->tls)) > FRONT_OUT_MAX) {
        give_up_tls(c);
        return;
    }
    if (tls_state(c->tls) == TLS_ENDED || (c->is_fin && n == 0))
        connection_eof(c);
    connection_step(c); /* the handshake has gone on, or ended; its bytes leave */
}

static void take_tls(struct connection *c, size_t n)
{
    if (tls_feed(c->tls, (struct span){c->front->scratch, n}) < 0) {
        connection_kill(c, RESET_CLIENT_GONE);
    } else if (tls_state(c->tls) == TLS_PLAIN) {
        connection_refuse_plain(c);
        connection_tick(c);
    } else {
        socket_pull(c);
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct connection *c = (struct connection *)stream;

    (void)buf;
    if (n == 0 || c->state == CONNECTION_CLOSED)
        return;
    if (n > 0 && c->tls) {
        take_tls(c, (size_t)n);
    } else if (n > 0) {
        take_scratch(c, (size_t)n);
    } else if (n != UV_EOF) {
        connection_kill(c, RESET_CLIENT_GONE);
    } else if (c->tls) {
        c->is_fin = true;
        socket_pull(c);
    } else {
        connection_eof(c);
        connection_tick(c);
    }
}

void socket_read(struct connection *c)
{
    bool is_wanted = !c->is_eof && !c->is_fin && buf_len(&c->in) < FRONT_READ_AHEAD;

    if (c->state == CONNECTION_CLOSED || is_wanted == c->is_reading)
        return;
    c->is_reading = is_wanted;
    if (!is_wanted)
        uv_read_stop((uv_stream_t *)&c->tcp);
    else if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
        connection_kill(c, RESET_CLIENT_GONE);
}
