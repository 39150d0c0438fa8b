/* fuzz_node.c - processes that say anything at all, at any time, to the node's side of them.
 *
 * The input is a list of moves: the loop turns, time passes, the node calls,
 * aborts, uploads, replies, and the processes behave, say valid messages with
 * fields of the fuzzer's choice, bytes, halves, or end.  Whatever they do:
 * every call has exactly one last word, memory has a bound, and in the end
 * everything closes. */
#include <signal.h>

#include "node_world.h"

#include "base/clock.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { CALLS = 16, MOVES_MAX = 400 };

static const uint8_t *at, *limit;

static uint8_t byte(void) { return at < limit ? *at++ : 0; }

static uint32_t number(void)
{
    static const uint32_t EDGES[] = {0, 1, 2, 3, 0x7fffffff, 0x80000000u, 0x80000001u, 0x80000002u,
                                     0xffffffffu, 65535, 65536, 65537, 262144, 262145, 1 << 24, 255};
    uint8_t b = byte();

    if (b < 64)
        return b;
    if (b < 192)
        return EDGES[b & 15];
    return (uint32_t)byte() | (uint32_t)byte() << 8 | (uint32_t)byte() << 16 | (uint32_t)b << 24;
}

static struct span text(void)
{
    size_t n = byte() & 31, left = (size_t)(limit - at);
    struct span s;

    n = n < left ? n : left;
    s = (struct span){(const char *)at, n};
    at += n;
    return s;
}

/* ---- the node's callers ---- */

struct caller {
    struct call *call;
    struct store_call *store_call;
    size_t held;        /* bytes of the answer that were not given back */
    unsigned lasts;     /* last words */
    bool is_open;
};

static struct caller callers[CALLS];
static struct outcall *outcalls[CALLS];
static bool was_replied[CALLS];
static struct herd *herd;
static struct pool *pool;
static struct keeper *keeper;
static uv_loop_t loop;
static unsigned closed;

static void last(struct caller *c)
{
    must(c->is_open && c->lasts++ == 0);
    c->is_open = false;
    c->call = NULL;
    c->store_call = NULL;
}

static void on_head(void *self, const struct response *head)
{
    if (head->body_length == 0)
        last(self);
}

static void on_body(void *self, struct span bytes, bool is_end)
{
    struct caller *c = self;

    must(c->is_open);
    c->held += bytes.len;
    must(c->held <= FRAME_WINDOW);
    if (is_end)
        last(c);
}

static void on_wake(void *self) { must(((struct caller *)self)->is_open); }

static void on_failed(void *self, enum call_failure why, struct span words)
{
    (void)why;
    must(words.len < 1 << 20);
    last(self);
}

static void on_reply(void *self, const struct reply *reply, bool is_end)
{
    (void)reply;
    if (is_end)
        last(self);
}

static void on_store_failed(void *self, struct span words)
{
    (void)words;
    last(self);
}

static const struct call_events CALL = {on_head, on_body, on_wake, on_wake, on_failed};
static const struct store_call_events STORE_CALL = {on_reply, on_body, on_wake, on_store_failed};

static void outcall_over(unsigned i)
{
    outcalls[i] = NULL;
    was_replied[i] = false;
}

static unsigned outcall_index(void *self) { return (unsigned)((struct outcall **)self - outcalls); }

static void on_outcall_body(void *self, struct span bytes, bool is_end)
{
    (void)is_end;
    outcall_credit(outcalls[outcall_index(self)], bytes.len);
}

static void on_outcall_wake(void *self) { must(outcalls[outcall_index(self)] != NULL); }
static void on_outcall_gone(void *self) { outcall_over(outcall_index(self)); }

static void on_outcall(void *self, struct outcall *outcall, const struct outcall_head *head,
                       bool is_end)
{
    static const struct outcall_events EVENTS = {on_outcall_body, on_outcall_wake, on_outcall_gone};

    (void)self, (void)head, (void)is_end;
    for (unsigned i = 0; i < CALLS; i++)
        if (!outcalls[i]) {
            outcalls[i] = outcall;
            outcall_accept(outcall, &EVENTS, &outcalls[i]);
            return;
        }
    outcall_fail(outcall, SPAN("too many"));
}

static void on_ready(void *self, uint32_t handlers) { (void)self, (void)handlers; }
static void on_refused(void *self, const struct failed *why) { (void)self, (void)why; }

static void on_log(void *self, enum log_level level, struct span words, void *ticket)
{
    (void)self, (void)level, (void)words, (void)ticket;
}

static void on_drained(void *self)
{
    (void)self;
    pool = NULL;
}

static void on_closed(void *self)
{
    (void)self;
    closed++;
}

/* ---- moves ---- */

static struct actor *some_actor(void)
{
    unsigned i = byte() % ACTORS;

    for (unsigned n = 0; n < ACTORS; n++)
        if (actors[(i + n) % ACTORS].fd >= 0)
            return &actors[(i + n) % ACTORS];
    return NULL;
}

static void turn_loop(unsigned n)
{
    while (n-- > 0)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void call_pool(void)
{
    static const char *const METHODS[] = {"GET", "HEAD", "POST"};
    struct caller *c = &callers[byte() % CALLS];
    uint8_t kind = byte();
    struct request request = {.method = span_of(METHODS[kind % 3]), .url = SPAN("http://h/"),
                              .is_upgrade = (kind & 8) != 0};
    struct event event = {.kind = SPAN("scheduled"), .payload = SPAN("{}")};
    bool is_end = kind & 4;
    struct err err = {0};
    int r;

    if (c->is_open || !pool)
        return;
    *c = (struct caller){.is_open = true};
    request.body_length = is_end ? 0 : request.is_upgrade ? 0 : -1;
    r = kind & 16 ? pool_event(pool, &event, &CALL, c, &c->call, &err)
                  : pool_call(pool, &request, is_end, &CALL, c, &c->call, &err);
    c->is_open = r == 0;
}

static void upload(struct caller *c)
{
    static const char BYTES[FRAME_BODY_MAX];
    size_t n = number(), window;
    bool is_end = byte() & 1;

    window = c->call ? call_window(c->call) : store_call_window(c->store_call);
    n = n < window ? n : window;
    n = n < sizeof BYTES ? n : sizeof BYTES;
    if (c->call && window > 0)
        call_body(c->call, (struct span){BYTES, n}, is_end);
    else if (c->store_call && window > 0)
        store_call_body(c->store_call, (struct span){BYTES, n}, is_end);
}

static void use_call(void)
{
    struct caller *c = &callers[byte() % CALLS];

    if (!c->is_open)
        return;
    switch (byte() % 3) {
    case 0:
        upload(c);
        break;
    case 1:
        if (c->call)
            call_credit(c->call, c->held);
        else
            store_call_credit(c->store_call, c->held);
        c->held = 0;
        break;
    default:
        if (c->call)
            call_abort(c->call, RESET_CLIENT_GONE);
        else
            store_call_abort(c->store_call);
        last(c);
    }
}

static void use_outcall(void)
{
    static const char BYTES[FRAME_BODY_MAX];
    unsigned i = byte() % CALLS;
    struct outcall *o = outcalls[i];
    struct reply reply = {.status = 200, .body_length = -1};
    uint8_t kind = byte();
    struct err err = {0};
    bool is_end = kind & 8;

    if (!o)
        return;
    if (kind % 4 == 0) {
        outcall_over(i);
        outcall_fail(o, SPAN("it failed"));
    } else if (kind % 4 == 1) {
        outcall_connected(o);
    } else if (!was_replied[i]) {
        reply.body_length = is_end ? 0 : -1;
        must(outcall_reply(o, &reply, is_end, &err) == 0);
        was_replied[i] = true;
        if (is_end)
            outcall_over(i);
    } else {
        size_t n = number(), window = outcall_window(o);
        n = n < window ? n : window;
        n = n < sizeof BYTES ? n : sizeof BYTES;
        if (is_end)
            outcall_over(i);
        outcall_body(o, (struct span){BYTES, n}, is_end);
    }
}

static void call_store(void)
{
    static const char *const FOLDERS[] = {"/tmp/corral-fuzz/a", "/tmp/corral-fuzz/b"};
    struct outcall_head head = {.method = SPAN("query")};
    struct caller *c = &callers[byte() % CALLS];
    uint8_t kind = byte();
    struct err err = {0};

    if (c->is_open)
        return;
    *c = (struct caller){.is_open = true};
    head.body_length = kind & 2 ? 0 : -1;
    if (keeper_call(keeper, FOLDERS[kind & 1], &head, kind & 2, &STORE_CALL, c, &c->store_call,
                    &err) < 0)
        c->is_open = false;
}

/* A message of any kind, its fields from the input; into `out`. */
static void put_message(const struct actor *a, struct buf *out)
{
    static const char BYTES[FRAME_BODY_MAX + 8];
    uint8_t kind = byte(), flags = byte() & 7, where = byte();
    uint32_t stream = where < 96    ? a->stream
                      : where < 160 ? (FRAME_OUTCALL_BIT | a->outcall)
                      : where < 200 ? 0
                                    : number();
    struct err err;

#define PUT(name, s, ...)                                                                          \
    do {                                                                                           \
        struct name m_ = {__VA_ARGS__};                                                            \
        (void)!name##_put(out, flags, (s), &m_, &err);                                             \
    } while (0)
    switch (kind % 16) {
    case 0: PUT(hello, stream, .version = kind & 64 ? number() : WIRE_VERSION, .role = kind & 32 ? number() : a->role); break;
    case 1: PUT(log_line, stream, .level = number(), .text = text()); break;
    case 2: PUT(response, stream, .status = kind & 32 ? number() : 200, .body_length = (int64_t)(int32_t)number()); break;
    case 3: (void)!frame_put(out, FRAME_BODY, flags, stream, BYTES, number() % sizeof BYTES); break;
    case 4: PUT(credit, stream, .bytes = number()); break;
    case 5: PUT(reset, stream, .reason = number(), .text = text()); break;
    case 6: (void)!frame_put(out, FRAME_DONE, flags, stream, NULL, 0); break;
    case 7: (void)!frame_put(out, FRAME_PONG, flags, kind & 32 ? stream : 0, NULL, 0); break;
    case 8: PUT(outcall_head, kind & 32 ? stream : (FRAME_OUTCALL_BIT | (a->outcall + 1)), .request = kind & 64 ? number() : a->stream,
                .method = text(), .body_length = (flags & 1) && !(kind & 128) ? 0 : (int64_t)(int32_t)number()); break;
    case 9: PUT(reply, stream, .status = kind & 32 ? number() : 200, .body_length = (int64_t)(int32_t)number()); break;
    case 10: PUT(loaded, kind & 32 ? stream : 0, .handlers = number()); break;
    case 11: PUT(failed, kind & 32 ? stream : 0, .kind = number(), .text = text(), .traceback = text()); break;
    case 12: PUT(spawned, kind & 32 ? stream : 0, .id = number(), .pid = number()); break;
    case 13: PUT(spawn_failed, kind & 32 ? stream : 0, .id = kind & 64 ? number() : a->order, .is_retry = number(), .text = text()); break;
    case 14: PUT(exited, kind & 32 ? stream : 0, .pid = number(), .status = number()); break;
    default: if (kind & 128) { PUT(met, stream, .limit = number() % (LIMITS + 1)); break; }
             (void)!frame_put(out, byte(), flags, stream, BYTES, number() % sizeof BYTES); break;
    }
#undef PUT
}

static void say(struct actor *a, bool is_held)
{
    struct buf out = {0};
    unsigned times = 1;
    uint8_t how = byte();

    put_message(a, &out);
    if (buf_len(&out) > 5 && buf_data(&out)[4] == FRAME_OUTCALL)
        a->outcall++;
    if (buf_len(&out) > 5 && buf_data(&out)[4] == FRAME_HELLO)
        a->has_hello = true;
    say_held(a);
    if (how >= 240)
        times = 300; /* a flood; what does not fit the socket is lost to it */
    if (is_held && buf_len(&out) > 0) {
        size_t cut = how % buf_len(&out);
        say_bytes(a, buf_data(&out), cut);
        (void)!buf_append(&a->held, buf_data(&out) + cut, buf_len(&out) - cut);
    } else {
        while (times-- > 0)
            say_bytes(a, buf_data(&out), buf_len(&out));
    }
    buf_done(&out);
}

static void all_behave(void)
{
    for (unsigned i = 0; i < ACTORS; i++)
        if (actors[i].fd >= 0)
            behave(&actors[i]);
    turn_loop(2);
}

static void pass(unsigned ms)
{
    time_ns += (int64_t)ms * 1000000;
    turn_loop(2);
}

static void act(uint8_t move)
{
    static const unsigned SPANS[] = {1, 10, 40, 120, 600, 5100, 31000, 70000};
    struct actor *a = some_actor();
    struct child *child;
    struct span words;

    if (!a)
        return;
    switch (move) {
    case 0: behave(a); break;
    case 1: say(a, false); break;
    case 2: say(a, true); break;
    case 3: words = text(); say_bytes(a, words.data, words.len); break;
    case 4: actor_end(a); break;
    case 5: (void)shutdown(a->fd, byte() & 1 ? SHUT_RD : SHUT_WR); break;
    case 6: if (ends_count > 0) end_process(byte() % ends_count); break;
    case 7: words = text(); if (a->output >= 0) (void)!write(a->output, words.data, words.len); break;
    case 8: hear(a); break;
    case 9: child = children[byte() % ACTORS]; if (child) child_kill(child); break;
    default: pass(SPANS[byte() & 7]); break;
    }
}

static void move_once(void)
{
    uint8_t move = byte() % 24;

    switch (move) {
    case 0: case 1: case 2: all_behave(); break;
    case 3: case 4: turn_loop(1 + (byte() & 3)); break;
    case 5: case 6: call_pool(); break;
    case 7: case 8: use_call(); break;
    case 9: use_outcall(); break;
    case 10: call_store(); break;
    case 11: if (pool && byte() > 240) pool_drain(pool); else if (pool) { struct pool_stats stats; pool_stats(pool, &stats); } break;
    case 12: if (pool && byte() > 200) pool_hang_up(pool); break;
    case 13: case 14: case 15: case 16: case 17: act(1); break;
    default: act(move - 18 + (byte() & 1 ? 0 : 5)); break;
    }
    must(__sanitizer_get_current_allocated_bytes() < MEMORY_MAX);
}

static void open_world(void)
{
    static const struct pool_events POOL = {.ready = on_ready, .failed = on_refused, .log = on_log,
                                            .drained = on_drained, .outcall = on_outcall};
    struct herd_config config = {.worker_program = "/bin/sh", .instances_max = 2, .spares = 1, .queue_max = 8};
    struct keeper_config stores = {.store_program = "/bin/true", .stores_max = 1, .calls_max = 8};
    struct pool_spec spec = {.name = "w", .folder = "/tmp", .main = "m", .compatibility_date = "",
                             .compatibility_flags = "", .env_json = "{}"};
    struct err err = {0};

    memset(callers, 0, sizeof callers);
    memset(outcalls, 0, sizeof outcalls);
    memset(children, 0, sizeof children);
    for (unsigned i = 0; i < ACTORS; i++)
        actors[i] = (struct actor){.fd = -1, .output = -1};
    ends_count = closed = 0;
    must(uv_loop_init(&loop) == 0);
    must(herd_open(&loop, &config, &herd, &err) == 0);
    must(pool_open(herd, &spec, &POOL, NULL, &pool, &err) == 0);
    must(keeper_open(&loop, &stores, &keeper, &err) == 0);
}

static void close_world(void)
{
    herd_close(herd, on_closed, NULL);
    keeper_close(keeper, on_closed, NULL);
    for (unsigned n = 0; closed < 2; n++) {
        must(n < 4000); /* somebody waits for ever */
        pass(20);
    }
    turn_loop(4);
    must(uv_loop_close(&loop) == 0);
    for (unsigned i = 0; i < CALLS; i++)
        must(!callers[i].is_open && !outcalls[i]);
    for (unsigned i = 0; i < ACTORS; i++)
        actor_end(&actors[i]);
    for (unsigned i = 0; i < ends_count; i++)
        close(ends[i]);
}

static int lowest_fd(void)
{
    int fd = dup(2);

    close(fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int before = lowest_fd();

    log_set_level(LOG_NONE);
    signal(SIGPIPE, SIG_IGN); /* as in a node: processes hang up as they like */
    at = data;
    limit = data + len;
    open_world();
    if (byte() & 1) {
        turn_loop(2);
        for (unsigned i = 0; i < 7; i++)
            all_behave();
    }
    for (unsigned n = 0; at < limit && n < MOVES_MAX; n++)
        move_once();
    close_world();
    must(lowest_fd() == before);
    return 0;
}
