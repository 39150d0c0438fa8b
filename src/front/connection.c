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
 * With TLS a connection begins in HANDSHAKE, which leads to IDLE.
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
#include <unistd.h>

#include "front/inside.h"

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
    tls_free(c->tls);
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
    c->out_owed = c->busy_owed = 0; /* nobody is there to be credited */
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
    crowd_leave(c);
    c->state = CONNECTION_CLOSED;
    c->waits.set = 0;
    if (!is_reset || uv_tcp_close_reset(&c->tcp, on_closed) < 0)
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

/* The last answer is written or on its way: leave when it is out. */
static void linger(struct connection *c, bool is_polite)
{
    drop_exchange(c);
    crowd_busy(c);
    c->is_polite = is_polite;
    c->state = CONNECTION_LINGER;
    c->waits.set &= 1u << WAIT_WRITE;
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

static bool tick_handshake(struct connection *c)
{
    if (tls_state(c->tls) == TLS_OPEN) {
        waits_clear(&c->waits, WAIT_HANDSHAKE);
        c->state = CONNECTION_IDLE;
        return true;
    }
    if (c->is_eof) {
        connection_kill(c, RESET_CLIENT_GONE);
        return false;
    }
    if (!waits_has(&c->waits, WAIT_HANDSHAKE))
        wait_for(c, WAIT_HANDSHAKE, timeouts(c)->head_ms);
    return false; /* waits for: bytes */
}

/* true: go on with the state that was reached. */
static bool tick_idle(struct connection *c)
{
    if (c->input_len == 0) {
        if (c->is_eof || (c->front->is_draining && !c->is_fresh)) {
            linger(c, false);
            return true;
        }
        if (!waits_has(&c->waits, WAIT_IDLE))
            wait_for(c, WAIT_IDLE, c->front->is_draining ? FRONT_FRESH_MS : timeouts(c)->idle_ms);
        crowd_quiet(c);
        return false; /* waits for: bytes */
    }
    if (buf_len(&c->out) > FRONT_OUT_MAX && (!socket_flush(c) || c->is_writing))
        return false; /* waits for: the client to take earlier answers */
    c->exchange = exchange_new(c);
    if (!c->exchange) {
        connection_kill(c, RESET_CLIENT_GONE);
        return false;
    }
    waits_clear(&c->waits, WAIT_IDLE);
    crowd_busy(c);
    c->is_fresh = false;
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
        return false; /* waits for: bytes */
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
        if (socket_flush(c))
            connection_kill(c, RESET_CLIENT_GONE);
        return false;
    }
    if (!exchange_is_answered(ex)) {
        if (c->is_eof && !ex->body.is_ended && c->input_len == 0) {
            connection_kill(c, RESET_CLIENT_GONE);
            return false;
        }
        return false; /* waits for: the worker, the client's body */
    }
    waits_clear(&c->waits, WAIT_GONE);
    if (!ex->body.is_ended && ex->is_keep_alive && ex->discarded <= FRONT_DISCARD_MAX && !c->is_eof)
        return false; /* waits for: the rest of a body nobody wants */
    if (!ex->body.is_ended || !ex->is_keep_alive) {
        /* The client may be sending more: closed over it, TCP would reset the connection and the
         * answer might be lost (RFC 9112, 9.6). */
        linger(c, !c->is_eof && (!c->front->is_draining || !ex->body.is_ended || ex->is_switched));
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
    if (c->is_writing)
        return; /* waits for: the answer to leave */
    if (c->tls) {
        tls_end(c->tls);
        if (!socket_flush(c) || c->is_writing)
            return; /* waits for: the end of TLS to leave */
    }
    if (!c->is_polite || c->is_eof || c->thrown > FRONT_LINGER_MAX) {
        connection_kill(c, RESET_CLIENT_GONE);
        return;
    }
    if (c->is_shut)
        return; /* waits for: the client to close */
    c->is_shut = true;
    wait_for(c, WAIT_LINGER, timeouts(c)->linger_ms);
    if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shutdown) < 0)
        connection_kill(c, RESET_CLIENT_GONE);
}

void connection_run(struct connection *c)
{
    bool goes_on = true;

    while (goes_on && c->state != CONNECTION_CLOSED) {
        switch (c->state) {
        case CONNECTION_HANDSHAKE:
            goes_on = tick_handshake(c);
            break;
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
    if (c->state != CONNECTION_CLOSED && !socket_flush(c))
        return;
    if (c->state == CONNECTION_LINGER)
        tick_linger(c);
}

void connection_step(struct connection *c)
{
    size_t before = buf_len(&c->in);

    if (c->state == CONNECTION_CLOSED)
        return;
    c->input = before > 0 ? c->in.mem + c->in.head : c->front->scratch;
    c->input_len = before;
    connection_run(c);
    if (before > c->input_len)
        buf_eat(&c->in, before - c->input_len);
    socket_read(c);
}

void connection_tick(struct connection *c)
{
    connection_step(c);
    if (c->tls && c->state != CONNECTION_CLOSED && !c->is_eof &&
        (c->is_fin || tls_has_input(c->tls)))
        socket_pull(c);
}

void connection_eof(struct connection *c)
{
    if (c->is_eof)
        return;
    c->is_eof = true;
    if (c->state == CONNECTION_BUSY)
        wait_for(c, WAIT_GONE, timeouts(c)->gone_ms);
}

void connection_refuse_plain(struct connection *c)
{
    struct answer a = {.status = 400, .minor = 1, .connection = ANSWER_CLOSE};
    struct page_spec spec = {
        .status = 400, .text = SPAN("this port speaks TLS: the address begins with https://")};

    a.date = front_date(c->front);
    tls_free(c->tls);
    c->tls = NULL;
    waits_clear(&c->waits, WAIT_HANDSHAKE);
    if (page_put(&c->out, &a, &spec) < 0)
        connection_kill(c, RESET_CLIENT_GONE);
    else
        linger(c, true);
}

struct span connection_tls(const struct connection *c)
{
    return c->tls ? tls_version(c->tls) : SPAN("");
}

/* ---- birth, deadlines, drain ---- */

static void refuse_connection(struct connection *c)
{
    static char ANSWER[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
                           "Content-Length: 21\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
                           "too many connections\n";
    uv_buf_t bytes = uv_buf_init(ANSWER, sizeof ANSWER - 1);

    if (c->tls) {
        connection_kill(c, RESET_CLIENT_GONE);
        return;
    }
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

/* What is spoken here.  ERR_NOMEM. */
static int take_wire(struct connection *c, enum front_wire wire)
{
    c->is_redirect = wire == FRONT_REDIRECT;
    if (wire != FRONT_HTTPS)
        return 0;
    c->is_tls = true;
    c->state = CONNECTION_HANDSHAKE;
    c->tls = tls_new(c->front->certificates);
    return c->tls ? 0 : ERR_NOMEM;
}

static struct connection *connection_new(struct front *front)
{
    struct connection *c = mem_alloc(sizeof *c);

    if (!c) {
        log_warn("no memory for a connection");
        return NULL;
    }
    if (uv_tcp_init(front->loop, &c->tcp) < 0) {
        mem_free(c);
        return NULL;
    }
    c->front = front;
    c->is_fresh = true;
    TAILQ_INSERT_TAIL(&front->all, c, all);
    front->connections++;
    front->handles++;
    front_sweep(front);
    return c;
}

static void begin(struct connection *c, enum front_wire wire)
{
    if (take_wire(c, wire) < 0) {
        connection_kill(c, RESET_CLIENT_GONE);
        return;
    }
    note_address(c);
    uv_tcp_nodelay(&c->tcp, 1);
    /* An answer may take as long as it likes: only this finds a client without a FIN. */
    uv_tcp_keepalive(&c->tcp, 1, FRONT_KEEPALIVE_S);
    if (crowd_enter(c))
        connection_tick(c);
    else
        refuse_connection(c);
}

void connection_take(struct front *front, int take_fd, enum front_wire wire)
{
    struct connection *c = connection_new(front);

    if (!c || uv_tcp_open(&c->tcp, take_fd) < 0) {
        close(take_fd);
        if (c)
            connection_kill(c, RESET_CLIENT_GONE);
        return;
    }
    begin(c, wire);
}

void connection_due(struct connection *c, enum wait kind)
{
    struct exchange *ex = c->exchange;

    waits_clear(&c->waits, kind);
    if (kind == WAIT_GONE && socket_is_taking(c, kind)) {
        wait_for(c, WAIT_GONE, timeouts(c)->gone_ms);
        return;
    }
    if (kind == WAIT_WRITE && socket_is_taking(c, kind)) {
        wait_for(c, WAIT_WRITE, timeouts(c)->write_ms);
        return;
    }
    if (kind == WAIT_IDLE && c->tls) {
        linger(c, false);
        connection_tick(c);
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
        exchange_late(ex);
        break;
    case WAIT_POOL:
        exchange_refuse(ex, 503, SPAN("no worker is ready"), RESET_DEADLINE);
        break;
    case WAIT_HANDSHAKE:
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
    if (c->tls)
        tls_shrink(c->tls);
}

void connection_drain(struct connection *c)
{
    /* Half a head may still become a request, and so may what a new client is about to send; others
     * that are idle end at the next tick. */
    if (c->is_fresh && c->state == CONNECTION_IDLE)
        wait_for(c, WAIT_IDLE, FRONT_FRESH_MS);
    else if (c->state == CONNECTION_IDLE)
        connection_wake(c);
}
