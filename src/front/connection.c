/* connection.c - one client: its bytes in, its answers out, one at a time.
 *
 *            +--------------------------------+
 *            v                                |
 *   accept  IDLE -bytes-> HEAD -head whole-> BUSY -answered, keep-alive
 *                          |                  |
 *                          +-- refused -------+-- answered, close
 *                                             v
 *                       any -> CLOSED <--- LINGER
 *
 * 1. At most one exchange per connection: a pipelined request is not even
 *    looked at before the answer in front of it is complete.
 * 2. Unread bytes are bounded: reading stops at FRONT_READ_AHEAD.  They stay
 *    unread while the worker takes no body bytes; that is the back-pressure
 *    towards the client.
 * 3. Bytes to write are bounded by the call's window: credit goes back to the
 *    worker only as the socket takes its bytes.
 * 4. After a refusal the socket is shut for writing first and input is thrown
 *    away for a while: a close with unread input would reset the connection
 *    and could destroy the answer on its way.
 * 5. connection_tick is never called inside a callback of the herd.
 *
 * Who calls it: listener.c, front.c (dirty list, sweep), exchange.c (wake). */
#include "front/inside.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

static void wait_for(struct connection *c, enum wait kind, int ms)
{
    waits_set(&c->waits, kind, clock_now_ms() + ms);
}

static const struct front_timeouts *timeouts(const struct connection *c)
{
    return &c->front->config.timeouts;
}

void connection_wake(struct connection *c)
{
    if (c->is_dirty || c->state == CONNECTION_CLOSED)
        return;
    c->is_dirty = true;
    TAILQ_INSERT_TAIL(&c->front->dirty, c, dirty);
    front_wake(c->front);
}

static void on_closed(uv_handle_t *handle)
{
    struct connection *c = (struct connection *)handle;
    struct front *front = c->front;

    if (c->is_dirty)
        TAILQ_REMOVE(&front->dirty, c, dirty);
    TAILQ_REMOVE(&front->all, c, all);
    front->connections--;
    buf_done(&c->in);
    buf_done(&c->out);
    buf_done(&c->busy);
    mem_free(c);
    if (front->drained)
        front_wake(front);
    front_forget(front);
}

/* ---- exchange and connection ---- */

static void drop_exchange(struct connection *c)
{
    if (!c->exchange)
        return;
    exchange_abort(c->exchange, RESET_CLIENT_GONE);
    exchange_free(c->exchange);
    c->exchange = NULL;
    c->out_owed = c->busy_owed = 0;     /* nobody is there to be credited */
}

/* Where only the close would end an answer that is incomplete, the client must
 * not take the close for the end: reset the connection. */
static bool is_cut(const struct exchange *ex)
{
    return ex && ex->answer.framing == ANSWER_TO_CLOSE &&
           (ex->state == EXCHANGE_ANSWERING || ex->state == EXCHANGE_BROKEN);
}

void connection_kill(struct connection *c, enum reset_reason reason)
{
    bool is_reset = is_cut(c->exchange);

    if (c->state == CONNECTION_CLOSED)
        return;
    if (c->exchange)
        exchange_abort(c->exchange, reason);
    drop_exchange(c);
    c->state = CONNECTION_CLOSED;
    c->waits.set = 0;
    if (!is_reset || uv_tcp_close_reset(&c->tcp, on_closed) < 0)
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

/* The last answer is written or on its way: leave when it is out. */
static void linger(struct connection *c, bool is_polite)
{
    drop_exchange(c);
    c->is_polite = is_polite;
    c->state = CONNECTION_LINGER;
    c->waits.set &= 1u << WAIT_WRITE;
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
static int write_rest(struct connection *c)
{
    struct buf empty = c->busy;
    uv_buf_t bytes;
    int r;

    c->busy = c->out;
    c->out = empty;
    c->busy_owed = c->out_owed;
    c->out_owed = 0;
    bytes = uv_buf_init(c->busy.mem + c->busy.head, (unsigned)buf_len(&c->busy));
    c->write.data = c;
    r = uv_write(&c->write, (uv_stream_t *)&c->tcp, &bytes, 1, on_written);
    if (r < 0)
        return r;
    c->is_writing = true;
    c->queued = count_untaken(c);
    wait_for(c, WAIT_WRITE, timeouts(c)->write_ms);
    return 0;
}

/* false: the client is gone and so is the connection. */
static bool flush(struct connection *c)
{
    uv_buf_t bytes;
    size_t owed;
    int n;

    if (c->is_writing)
        return true;
    if (buf_len(&c->out) > 0) {
        bytes = uv_buf_init(c->out.mem + c->out.head, (unsigned)buf_len(&c->out));
        n = uv_try_write((uv_stream_t *)&c->tcp, &bytes, 1);
        if (n > 0) {
            buf_eat(&c->out, (size_t)n);
            c->taken += (size_t)n;
        } else if (n != UV_EAGAIN) {
            goto gone;
        }
        if (buf_len(&c->out) > 0 && write_rest(c) < 0)
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

/* ---- the state machine ---- */

static void eat_input(struct connection *c, size_t n)
{
    c->input += n;
    c->input_len -= n;
}

/* Answer a request that never became one, and leave. */
static void refuse(struct connection *c, unsigned status, const char *why)
{
    struct exchange *ex = c->exchange;

    log_debug("refused a request: %u %s", status, why);
    ex->is_keep_alive = false;
    exchange_refuse(ex, status, span_of(why), RESET_CLIENT_GONE);
    /* Nothing could be written when there is no memory: then just close. */
    if (ex->state == EXCHANGE_BROKEN)
        connection_kill(c, RESET_CLIENT_GONE);
    else
        linger(c, true);
}

/* true: go on with the state that was reached. */
static bool tick_idle(struct connection *c)
{
    if (c->input_len == 0) {
        if (c->is_eof || c->front->is_draining) {
            linger(c, false);
            return true;
        }
        if (!waits_has(&c->waits, WAIT_IDLE))
            wait_for(c, WAIT_IDLE, timeouts(c)->idle_ms);
        return false;   /* waits for: bytes */
    }
    if (buf_len(&c->out) > FRONT_OUT_MAX && (!flush(c) || c->is_writing))
        return false;   /* waits for: the client to take earlier answers */
    c->exchange = exchange_new(c);
    if (!c->exchange) {
        connection_kill(c, RESET_CLIENT_GONE);
        return false;
    }
    waits_clear(&c->waits, WAIT_IDLE);
    c->state = CONNECTION_HEAD;
    return true;
}

/* false: refused. */
static bool check_upgrade(struct connection *c)
{
    switch (upgrade_of(&c->exchange->head, c->input)) {
    case UPGRADE_NONE:
    case UPGRADE_WEBSOCKET:
        return true;
    case UPGRADE_BAD_KEY:
        refuse(c, 400, "Sec-WebSocket-Key must be 16 bytes in base64");
        return false;
    case UPGRADE_BAD_VERSION:
        refuse(c, 426, "Sec-WebSocket-Version must be 13");
        return false;
    }
    return true;
}

static bool tick_head(struct connection *c)
{
    struct exchange *ex = c->exchange;
    int64_t body_max = c->front->config.body_max_bytes;
    struct err err;
    int r;

    r = head_scan(&ex->head, c->input, c->input_len, body_max, &err);
    if (r < 0) {
        refuse(c, ex->head.status, err.text);
        return true;
    }
    if (r == 0 && c->is_eof) {
        connection_kill(c, RESET_CLIENT_GONE);
        return false;
    }
    if (r == 0) {
        if (!waits_has(&c->waits, WAIT_HEAD))
            wait_for(c, WAIT_HEAD, timeouts(c)->head_ms);
        return false;   /* waits for: bytes */
    }
    waits_clear(&c->waits, WAIT_HEAD);
    r = body_begin(&ex->body, &ex->head, c->input, body_max, &err);
    if (r < 0) {
        refuse(c, ex->body.status, err.text);
        return true;
    }
    if (!check_upgrade(c))
        return true;
    r = exchange_begin(ex, c->input);
    if (r < 0) {
        connection_kill(c, RESET_CLIENT_GONE);
        return false;
    }
    eat_input(c, ex->head.len);
    c->state = CONNECTION_BUSY;
    if (c->is_eof)
        wait_for(c, WAIT_GONE, timeouts(c)->gone_ms);
    return true;
}

/* A WebSocket: give the worker what it takes of the client's bytes. */
static void pump_bytes(struct connection *c)
{
    struct exchange *ex = c->exchange;
    size_t room;

    while (c->input_len > 0) {
        room = exchange_room(ex);
        if (room == 0)
            return; /* waits for: credit */
        if (room > c->input_len)
            room = c->input_len;
        exchange_body(ex, (struct span){c->input, room}, false);
        eat_input(c, room);
    }
    if (c->is_eof)
        exchange_end_bytes(ex);
}

/* Give the worker what it takes of the request's body.  false: refused. */
static bool pump_body(struct connection *c)
{
    struct exchange *ex = c->exchange;
    struct span bytes;
    size_t room, used;
    struct err err;
    bool has_moved = false;

    while (!ex->body.is_ended && c->input_len > 0) {
        room = exchange_room(ex);
        if (room == 0)
            break;
        if (room > c->input_len)
            room = c->input_len;
        if (body_decode(&ex->body, c->input, room, &used, &bytes, &err) < 0) {
            refuse(c, ex->body.status, err.text);
            return false;
        }
        eat_input(c, used);
        has_moved = true;
        ex->is_continue_due = false;
        if (bytes.len > 0 || ex->body.is_ended)
            exchange_body(ex, bytes, ex->body.is_ended);
    }
    if (ex->body.is_ended || c->input_len > 0 || exchange_room(ex) == 0)
        waits_clear(&c->waits, WAIT_BODY);
    else if (has_moved || !waits_has(&c->waits, WAIT_BODY))
        wait_for(c, WAIT_BODY, timeouts(c)->body_ms);
    return true;
}

static void send_continue(struct connection *c)
{
    struct exchange *ex = c->exchange;

    if (!ex->is_continue_due || ex->state != EXCHANGE_CALLED || ex->is_unwanted ||
        exchange_room(ex) == 0)
        return;
    ex->is_continue_due = false;
    if (buf_append(&c->out, "HTTP/1.1 100 Continue\r\n\r\n", 25) < 0)
        log_debug("no memory for 100 Continue");
}

static bool tick_busy(struct connection *c)
{
    struct exchange *ex = c->exchange;

    exchange_tick(ex);
    if (ex->is_switched)
        pump_bytes(c);
    else if (!pump_body(c))
        return true;
    send_continue(c);
    if (ex->state == EXCHANGE_BROKEN) {
        if (flush(c))
            connection_kill(c, RESET_CLIENT_GONE);
        return false;
    }
    if (!exchange_is_answered(ex)) {
        if (c->is_eof && !ex->body.is_ended && c->input_len == 0) {
            connection_kill(c, RESET_CLIENT_GONE);
            return false;
        }
        return false;   /* waits for: the worker, the client's body */
    }
    waits_clear(&c->waits, WAIT_GONE);
    if (!ex->body.is_ended && ex->is_keep_alive && ex->discarded <= FRONT_DISCARD_MAX &&
        !c->is_eof)
        return false;   /* waits for: the rest of a body nobody wants */
    if (!ex->body.is_ended || !ex->is_keep_alive) {
        linger(c, !ex->body.is_ended || ex->is_switched);
        return true;
    }
    drop_exchange(c);
    c->state = CONNECTION_IDLE;
    return true;
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    (void)shutdown;
    (void)status;
}

static void tick_linger(struct connection *c)
{
    c->thrown += c->input_len;
    c->is_polite |= c->thrown > 0;
    eat_input(c, c->input_len);
    if (buf_len(&c->out) > 0 || c->is_writing)
        return;         /* waits for: the answer to leave */
    if (!c->is_polite || c->is_eof || c->thrown > FRONT_LINGER_MAX) {
        connection_kill(c, RESET_CLIENT_GONE);
        return;
    }
    if (c->is_shut)
        return;         /* waits for: the client to close */
    c->is_shut = true;
    wait_for(c, WAIT_LINGER, timeouts(c)->linger_ms);
    if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) < 0)
        connection_kill(c, RESET_CLIENT_GONE);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *ret)
{
    struct connection *c = (struct connection *)handle;

    (void)hint;
    *ret = uv_buf_init(c->front->scratch, FRONT_READ_MAX);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

/* Read exactly while there is room for unread bytes. */
static void set_reading(struct connection *c)
{
    bool is_wanted = !c->is_eof && buf_len(&c->in) < FRONT_READ_AHEAD;

    if (is_wanted == c->is_reading)
        return;
    c->is_reading = is_wanted;
    if (!is_wanted)
        uv_read_stop((uv_stream_t *)&c->tcp);
    else if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
        connection_kill(c, RESET_CLIENT_GONE);
}

/* Run the machine until it waits; input is the unread bytes. */
static void run(struct connection *c)
{
    bool goes_on = true;

    while (goes_on && c->state != CONNECTION_CLOSED) {
        switch (c->state) {
        case CONNECTION_IDLE:
            goes_on = tick_idle(c);
            break;
        case CONNECTION_HEAD:
            goes_on = tick_head(c);
            break;
        case CONNECTION_BUSY:
            goes_on = tick_busy(c);
            break;
        default:
            goes_on = false;
        }
    }
    if (c->state != CONNECTION_CLOSED && !flush(c))
        return;
    if (c->state == CONNECTION_LINGER)
        tick_linger(c);
}

void connection_tick(struct connection *c)
{
    size_t before = buf_len(&c->in);

    if (c->state == CONNECTION_CLOSED)
        return;
    c->input = before > 0 ? c->in.mem + c->in.head : c->front->scratch;
    c->input_len = before;
    run(c);
    if (before > c->input_len)
        buf_eat(&c->in, before - c->input_len);
    if (c->state == CONNECTION_CLOSED)
        return;
    set_reading(c);
}

/* Bytes in front->scratch: use them where they are, keep what is left. */
static void take_scratch(struct connection *c, size_t n)
{
    if (buf_len(&c->in) > 0) {
        if (buf_append(&c->in, c->front->scratch, n) < 0)
            connection_kill(c, RESET_CLIENT_GONE);
        connection_tick(c);
        return;
    }
    c->input = c->front->scratch;
    c->input_len = n;
    run(c);
    if (c->state == CONNECTION_CLOSED)
        return;
    if (c->input_len > 0 && buf_append(&c->in, c->input, c->input_len) < 0) {
        connection_kill(c, RESET_CLIENT_GONE);
        return;
    }
    set_reading(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct connection *c = (struct connection *)stream;

    (void)buf;
    if (n == 0 || c->state == CONNECTION_CLOSED)
        return;
    if (n > 0) {
        take_scratch(c, (size_t)n);
        return;
    }
    if (n != UV_EOF) {
        connection_kill(c, RESET_CLIENT_GONE);
        return;
    }
    c->is_eof = true;
    if (c->state == CONNECTION_BUSY)
        wait_for(c, WAIT_GONE, timeouts(c)->gone_ms);
    connection_tick(c);
}

/* ---- birth, deadlines, drain ---- */

static void refuse_connection(struct connection *c)
{
    static char ANSWER[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
                           "Content-Length: 21\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
                           "too many connections\n";
    uv_buf_t bytes = uv_buf_init(ANSWER, sizeof ANSWER - 1);

    log_debug("too many connections");
    /* Best effort: a socket this new takes it, or its client is gone. */
    uv_try_write((uv_stream_t *)&c->tcp, &bytes, 1);
    connection_kill(c, RESET_CLIENT_GONE);
}

/* Who is there; an IPv4 address as such, also where IPv6 carries it. */
static void note_address(struct connection *c)
{
    struct sockaddr_storage name;
    int len = sizeof name;
    const char *mapped = "::ffff:";

    if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&name, &len) < 0 ||
        uv_ip_name((struct sockaddr *)&name, c->address, sizeof c->address) < 0) {
        c->address[0] = '\0';
        return;
    }
    if (strncmp(c->address, mapped, strlen(mapped)) == 0 && strchr(c->address, '.'))
        memmove(c->address, c->address + strlen(mapped), strlen(c->address) - strlen(mapped) + 1);
}

void connection_accept(struct front *front, uv_stream_t *listener)
{
    struct connection *c = mem_alloc(sizeof *c);

    if (!c) {
        log_warn("no memory for a connection");
        return;
    }
    if (uv_tcp_init(front->loop, &c->tcp) < 0) {
        mem_free(c);
        return;
    }
    c->front = front;
    TAILQ_INSERT_TAIL(&front->all, c, all);
    front->connections++;
    front->handles++;
    front_sweep(front);
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) < 0) {
        connection_kill(c, RESET_CLIENT_GONE);
        return;
    }
    note_address(c);
    uv_tcp_nodelay(&c->tcp, 1);
    /* An answer may take as long as it likes: only this finds a client without a FIN. */
    uv_tcp_keepalive(&c->tcp, 1, FRONT_KEEPALIVE_S);
    if (front->connections > front->config.connections_max)
        refuse_connection(c);
    else
        connection_tick(c);
}

/* A client that has closed its side, or that is slow, keeps its answer as long
 * as it takes some of it. */
static bool is_taking(struct connection *c, enum wait kind)
{
    size_t queued = count_untaken(c);
    bool is_moving = c->is_writing && queued < c->queued;

    if (kind == WAIT_GONE)
        is_moving |= c->taken != c->seen;
    c->seen = c->taken;
    c->queued = queued;
    return is_moving;
}

void connection_due(struct connection *c, enum wait kind)
{
    struct exchange *ex = c->exchange;

    waits_clear(&c->waits, kind);
    if (kind == WAIT_GONE && is_taking(c, kind)) {
        wait_for(c, WAIT_GONE, timeouts(c)->gone_ms);
        return;
    }
    if (kind == WAIT_WRITE && is_taking(c, kind)) {
        wait_for(c, WAIT_WRITE, timeouts(c)->write_ms);
        return;
    }
    switch (kind) {
    case WAIT_HEAD:
        refuse(c, 408, "the request did not arrive in time");
        break;
    case WAIT_BODY:
        if (exchange_is_answered(ex))
            linger(c, true);
        else
            refuse(c, 408, "the request's body did not arrive in time");
        break;
    case WAIT_ANSWER:
        exchange_refuse(ex, 504, SPAN("the worker did not answer in time"), RESET_DEADLINE);
        break;
    case WAIT_POOL:
        exchange_refuse(ex, 503, SPAN("no worker is ready"), RESET_DEADLINE);
        break;
    case WAIT_IDLE:
    case WAIT_WRITE:
    case WAIT_GONE:
    case WAIT_LINGER:
    case WAIT_KINDS:
        connection_kill(c, RESET_CLIENT_GONE);
        return;
    }
    connection_tick(c);
}

void connection_shrink(struct connection *c)
{
    struct buf *const bufs[] = {&c->in, &c->out, &c->busy};

    if (c->state != CONNECTION_IDLE || c->is_writing)
        return;
    for (int i = 0; i < 3; i++)
        if (buf_len(bufs[i]) == 0)
            buf_done(bufs[i]);
}

void connection_drain(struct connection *c)
{
    /* Half a head may still become a request; idle ones end at the next tick. */
    if (c->state == CONNECTION_IDLE)
        connection_wake(c);
}
