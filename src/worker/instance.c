/* instance.c - the third generation: serves requests, many at a time, on one loop.
 *
 * Each turn: run what is due in the realm, write what it produced, sleep until
 * the socket, an engine or a timer wants something, read, hand frames to the
 * realm.  Answers given during a turn leave in one write, unless the requests
 * behind them take long: then node and clients work on them meanwhile.  While frames keep
 * coming the sleep is replaced by a few looks at the socket (6 % more requests
 * per second): a sleep costs both sides a wake-up.
 *
 * Invariants
 *  1. Nothing of the tenant runs before the instance's filter is in force.
 *  2. On each stream at most the granted credit is in flight, so `out` is
 *     bounded by streams x FRAME_WINDOW; logs wait for the node when it is full.
 *     A log line leaves at once: the code behind it may never come back.
 *  3. The loop moves from thread to thread when something on it waits (run_sync);
 *     one thread at a time is in here, and a frame's payload is not looked at
 *     once code of the worker has run.
 *  4. When the node closes the socket the process ends at once, without
 *     finalizing the engines: nothing it holds is worth the time.
 *
 * Called by: template.c.  Talks to: herd/instance.c. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/link.h"
#include "worker/worker.h"

enum {
    PROBE_LEAST = 16 * 1024 * 1024,     /* who has not so much address space left has none */
    INSTANCE_FDS = 16,                  /* descriptors the engines may want polled */
    INSTANCE_OUT_MAX = 4 * 1024 * 1024, /* bytes queued before a log line waits for the node */
    INSTANCE_LOOKS = 10,                /* at the socket before a sleep */
    INSTANCE_BATCH_US = 200,            /* an answer waits so long for others to leave with */
    INSTANCE_QUICK_MAX = 32,            /* reads in a row before the engines' turn */
    INSTANCE_HEADERS_MAX = 1024,        /* fields of one request */
    INSTANCE_HEAP_KEPT = 4 * 1024 * 1024,   /* free bytes at the heap's end that stay ours */
    INSTANCE_MAP_FROM = 3 * 1024 * 1024,    /* bytes; larger pieces of memory are mapped apart */
};

_Static_assert(HOST_WINDOW == (int)FRAME_WINDOW, "the realm and the wire open the same window");
_Static_assert(HOST_OUTCALLS_MAX == (int)FRAME_OUTCALLS_MAX && HOST_OUTCALL_BIT == FRAME_OUTCALL_BIT,
               "the realm and the wire count outcalls alike");

struct instance {
    struct realm *realm;
    struct link link;
    struct buf pairs;           /* scratch: headers of the answer being encoded */
    uint32_t ended_stream;      /* whose END frame is still in link.out; 0: nobody's */
    size_t ended_at;            /* that frame's place in link.out */
    int64_t flushed_us;         /* when link.out was last written, or the socket read */
    unsigned quick_reads;       /* in a row, without a look at the engines' descriptors */
    bool is_loaded;             /* frames came at the last look */
};

static _Noreturn void leave(const struct err *err)
{
    if (err->code != ERR_GONE)
        log_error("instance: %s", err->text);
    _exit(err->code == ERR_GONE ? 0 : 1);
}

/* Frames that cannot be queued are lost requests: end, the node sees it. */
static void must(int r, const struct err *err)
{
    if (r < 0)
        leave(err);
}

static void flush(struct instance *i)
{
    struct err err = {0};

    must(link_flush(&i->link, &err), &err);
    i->ended_stream = 0;
}

static void host_log(void *self, uint32_t stream, enum log_level level, struct span text,
                     struct span told)
{
    struct instance *i = self;
    struct err err = {0};

    must(link_log(&i->link, stream, level, text, told, &err), &err);
    flush(i);
    if (buf_len(&i->link.out) > INSTANCE_OUT_MAX)
        must(link_flush_all(&i->link, &err), &err);
}

/* Its request may be ended for good a moment later: it leaves at once, as lines do. */
static void host_met(void *self, uint32_t stream, enum limit limit)
{
    const struct met m = {.limit = limit};
    struct instance *i = self;
    struct err err = {0};

    must(met_put(&i->link.out, 0, stream, &m, &err), &err);
    flush(i);
}

/* The frame that is appended next is the last of an answer, or it is not. */
static void note_end(struct instance *i, uint32_t stream, bool is_end)
{
    i->ended_stream = is_end ? stream : 0;
    i->ended_at = buf_len(&i->link.out);
}

/* Encode pairs into scratch; 0 or ERR_NOMEM.  Eaten by the caller. */
static int put_pairs(struct buf *scratch, const struct host_pair *pairs, size_t count,
                     struct pairs *ret)
{
    size_t start = buf_len(scratch);
    int r = 0;

    for (size_t n = 0; n < count && r == 0; n++)
        r = pairs_add(scratch, pairs[n].name, pairs[n].value);
    *ret = (struct pairs){{buf_data(scratch) + start, buf_len(scratch) - start}, (uint32_t)count};
    return r;
}

static void host_respond(void *self, uint32_t stream, const struct host_response *response)
{
    struct instance *i = self;
    struct response m = {.status = response->status,
                         .status_text = response->status_text,
                         .body_length = response->body_length};
    struct err err = {0};
    int r = put_pairs(&i->pairs, response->headers, response->header_count, &m.headers);

    if (r < 0)
        err_nomem(&err);
    note_end(i, stream, response->body_length == 0);
    r = r < 0 ? r
              : response_put(&i->link.out, response->body_length == 0 ? FRAME_END : 0, stream, &m,
                             &err);
    buf_eat(&i->pairs, buf_len(&i->pairs));
    must(r, &err);  /* HOST_HEAD_MAX is far below the frame's limit */
}

static void put_body(struct instance *i, uint32_t stream, struct span bytes, bool is_end)
{
    struct err err = {0};

    do {
        size_t n = bytes.len < FRAME_BODY_MAX ? bytes.len : FRAME_BODY_MAX;
        uint8_t flags = is_end && n == bytes.len ? FRAME_END : 0;
        note_end(i, stream, flags != 0);
        if (frame_put(&i->link.out, FRAME_BODY, flags, stream, bytes.data, n) < 0)
            must(err_nomem(&err), &err);
        bytes.data += n;
        bytes.len -= n;
    } while (bytes.len > 0);
}

static void host_respond_body(void *self, uint32_t stream, struct span bytes, bool is_end)
{
    put_body(self, stream, bytes, is_end);
}

static void host_fail(void *self, uint32_t stream, enum host_failure why, struct span text)
{
    static const enum reset_reason REASONS[] = {[HOST_EXCEPTION] = RESET_EXCEPTION,
                                                [HOST_BAD_RESULT] = RESET_BAD_RESULT,
                                                [HOST_BODY] = RESET_BODY};
    struct instance *i = self;
    const struct reset m = {.reason = REASONS[why], .text = link_cut(text)};
    struct err err = {0};

    must(reset_put(&i->link.out, 0, stream, &m, &err), &err);
}

static void host_request_credit(void *self, uint32_t stream, uint32_t bytes)
{
    struct instance *i = self;
    const struct credit m = {.bytes = bytes};
    struct err err = {0};

    must(credit_put(&i->link.out, 0, stream, &m, &err), &err);
}

static void host_request_unwanted(void *self, uint32_t stream)
{
    static const struct reset UNREAD = {.reason = RESET_UNREAD, .text = {"", 0}};
    struct instance *i = self;
    struct err err = {0};

    must(reset_put(&i->link.out, 0, stream, &UNREAD, &err), &err);
}

static void put_empty(struct instance *i, enum frame_type type, uint32_t stream)
{
    struct err err = {0};

    if (frame_put(&i->link.out, type, 0, stream, NULL, 0) < 0)
        must(err_nomem(&err), &err);
}

static void host_done(void *self, uint32_t stream)
{
    put_empty(self, FRAME_DONE, stream);
}

static int host_outcall(void *self, uint32_t stream, const struct host_outcall *call,
                        struct err *err)
{
    struct instance *i = self;
    struct outcall_head m = {.request = call->request,
                             .binding = call->binding,
                             .method = call->method,
                             .body_length = call->body_length};
    struct pairs arguments;
    int r;

    /* The second list may move the first one's bytes: so look at them last. */
    r = put_pairs(&i->pairs, call->arguments, call->argument_count, &arguments);
    if (r == 0)
        r = put_pairs(&i->pairs, call->headers, call->header_count, &m.headers);
    if (r < 0)
        must(err_nomem(err), err);
    m.arguments = (struct pairs){{buf_data(&i->pairs), arguments.bytes.len}, arguments.count};
    r = outcall_head_put(&i->link.out, call->body_length == 0 ? FRAME_END : 0, stream, &m, err);
    buf_eat(&i->pairs, buf_len(&i->pairs));
    if (r == ERR_LIMIT)
        return err_set(err, ERR_LIMIT, "The URL and the headers of this request are too long: "
                                       "together at most %ld bytes.",
                       frame_limit(FRAME_OUTCALL));
    must(r, err);
    return 0;
}

static void host_outcall_body(void *self, uint32_t stream, struct span bytes, bool is_end)
{
    put_body(self, stream, bytes, is_end);
}

static void host_outcall_cancel(void *self, uint32_t stream)
{
    static const struct reset CANCELLED = {.reason = RESET_CANCELLED, .text = {"", 0}};
    struct instance *i = self;
    struct err err = {0};

    must(reset_put(&i->link.out, 0, stream, &CANCELLED, &err), &err);
}

/* The pairs of a message, at most INSTANCE_HEADERS_MAX. */
static size_t take_pairs(const struct pairs *pairs, struct host_pair *ret)
{
    size_t at = 0, n = 0;

    while (n < INSTANCE_HEADERS_MAX && pairs_next(pairs, &at, &ret[n].name, &ret[n].value))
        n++;
    return n;
}

static int take_reply(struct instance *i, const struct frame *f, struct err *err)
{
    static struct host_pair results[INSTANCE_HEADERS_MAX], headers[INSTANCE_HEADERS_MAX];
    struct realm_reply reply = {.results = results, .headers = headers};
    struct reply m;
    int r = reply_get(f, &m, err);

    if (r < 0)
        return r;
    reply.status = m.status;
    reply.result_count = take_pairs(&m.results, results);
    reply.header_count = take_pairs(&m.headers, headers);
    reply.body_length = m.body_length;
    reply.is_end = (f->flags & FRAME_END) != 0;
    realm_reply(i->realm, f->stream, &reply);
    return 0;
}

/* On the stream of an outcall. */
static int take_outcall_frame(struct instance *i, const struct frame *f, struct err *err)
{
    struct credit credit;
    struct reset reset;
    int r;

    switch (f->type) {
    case FRAME_REPLY:
        return take_reply(i, f, err);
    case FRAME_BODY:
        realm_reply_body(i->realm, f->stream, f->payload, (f->flags & FRAME_END) != 0);
        return 0;
    case FRAME_CREDIT:
        r = credit_get(f, &credit, err);
        if (r == 0)
            realm_outcall_credit(i->realm, f->stream, credit.bytes);
        return r;
    case FRAME_RESET:
        r = reset_get(f, &reset, err);
        if (r == 0)
            realm_outcall_failed(i->realm, f->stream, reset.text);
        return r;
    default:
        return err_set(err, ERR_INVALID, "unexpected %s frame on an outcall", frame_name(f->type));
    }
}

static int take_request(struct instance *i, const struct frame *f, struct err *err)
{
    static struct host_pair headers[INSTANCE_HEADERS_MAX];
    struct realm_request request = {.headers = headers};
    struct request m;
    int r;

    r = request_get(f, &m, err);
    if (r < 0)
        return r;
    request.header_count = take_pairs(&m.headers, headers);
    request.method = m.method;
    request.url = m.url;
    request.body_length = f->flags & FRAME_END ? 0 : m.body_length;
    request.is_upgrade = m.is_upgrade;
    realm_request(i->realm, f->stream, &request);
    return 0;
}

static int take_event(struct instance *i, const struct frame *f, struct err *err)
{
    struct event m;
    int r = event_get(f, &m, err);

    if (r == 0)
        realm_event(i->realm, f->stream,
                    &(struct realm_event){m.kind, m.entrypoint, m.payload});
    return r;
}

static int take_credit(struct instance *i, const struct frame *f, struct err *err)
{
    struct credit m;
    int r = credit_get(f, &m, err);

    if (r == 0)
        realm_credit(i->realm, f->stream, m.bytes);
    return r;
}

static int take_frame(struct instance *i, const struct frame *f, struct err *err)
{
    if (f->stream & FRAME_OUTCALL_BIT)
        return take_outcall_frame(i, f, err);
    switch (f->type) {
    case FRAME_REQUEST:
        return take_request(i, f, err);
    case FRAME_EVENT:
        return take_event(i, f, err);
    case FRAME_BODY:
        realm_request_body(i->realm, f->stream, f->payload, (f->flags & FRAME_END) != 0);
        return 0;
    case FRAME_CREDIT:
        return take_credit(i, f, err);
    case FRAME_RESET:
        realm_abort(i->realm, f->stream);
        return 0;
    case FRAME_HANG_UP:
        realm_hang_up(i->realm);
        return 0;
    case FRAME_PING:
        put_empty(i, FRAME_PONG, 0);
        return 0;
    default:
        return err_set(err, ERR_INVALID, "unexpected %s frame", frame_name(f->type));
    }
}

/* Under load the next frames are a moment away: look a few times, letting
 * others run, before a sleep that both sides pay for with a wake-up. */
static int read_soon(struct instance *i, struct err *err)
{
    int r = link_read(&i->link, err);

    for (int look = 0; r == 0 && look < INSTANCE_LOOKS; look++) {
        sched_yield();
        r = link_read(&i->link, err);
    }
    return r;
}

/* Sleep until something is wanted, then read.  timeout_ms: -1 for ever. */
static int sleep_and_read(struct instance *i, int timeout_ms, struct err *err)
{
    struct pollfd fds[1 + INSTANCE_FDS];
    size_t n;
    int r;

    if (i->is_loaded && timeout_ms != 0 && buf_len(&i->link.out) == 0 &&
        ++i->quick_reads < INSTANCE_QUICK_MAX) {
        r = read_soon(i, err);
        if (r != 0)
            return r;
    }
    i->quick_reads = 0;
    i->is_loaded = false;
    n = 1 + realm_poll_fds(i->realm, fds + 1, INSTANCE_FDS);
    fds[0] = (struct pollfd){.fd = i->link.fd,
                             .events = POLLIN | (buf_len(&i->link.out) > 0 ? POLLOUT : 0)};
    if (poll(fds, n, timeout_ms) < 0 && errno != EINTR)
        return err_errno(err, errno, "wait for requests");
    for (size_t at = 1; at < n; at++)
        if (fds[at].revents)
            realm_woken(i->realm);
    if (!(fds[0].revents & (POLLIN | POLLHUP | POLLERR)))
        return 0;
    i->is_loaded = true;
    return link_read(&i->link, err);
}

static void flush_when_due(struct instance *i)
{
    int64_t now_us;

    if (buf_len(&i->link.out) == 0)
        return;
    now_us = clock_now_us();
    if (now_us - i->flushed_us < INSTANCE_BATCH_US)
        return;
    flush(i);
    i->flushed_us = now_us;
}

/* On the thread that has the loop.  Whatever calls the realm may come back without it: another
 * thread went on with the frames and the turns meanwhile. */
static void serve(void *self)
{
    struct instance *i = self;
    struct err err = {0};
    struct frame f;
    int r, timeout_ms;

    for (;;) {
        while ((r = link_next(&i->link, &f, &err)) == 1) {
            must(take_frame(i, &f, &err), &err);
            if (!realm_has_loop(i->realm))
                return;
            flush_when_due(i);
        }
        must(r, &err);
        timeout_ms = realm_turn(i->realm);
        if (!realm_has_loop(i->realm))
            return;
        flush(i);
        realm_idle(i->realm);
        must(sleep_and_read(i, timeout_ms, &err), &err);
        i->flushed_us = clock_now_us();
    }
}

static volatile uint32_t *word_when_full;
static size_t probe_bytes;

/* The engine ends itself when it gets no memory.  Is that why?  Then the node cannot have seen it.
 * What grows asks for twice as much as it has: it gets none long before all is taken. */
static void on_abort(int number)
{
    void *probe = mmap(NULL, probe_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                       -1, 0);

    (void)number;
    if (probe == MAP_FAILED)
        *word_when_full = WORD_FULL;
    else
        munmap(probe, probe_bytes);
}

static void watch_memory(volatile uint32_t *word, const struct box_limits *limits)
{
    const struct sigaction action = {.sa_handler = on_abort, .sa_flags = SA_RESETHAND};

    if (limits->vm_bytes == 0)
        return;
    word_when_full = word;
    probe_bytes = limits->file_bytes / 2; /* a file may be as large as all memory */
    if (probe_bytes < PROBE_LEAST)
        probe_bytes = PROBE_LEAST;
    (void)sigaction(SIGABRT, &action, NULL);
}

static int watch(struct realm *realm, int take_fd, const struct box_limits *limits,
                 struct err *err)
{
    volatile uint32_t *word;

    if (take_fd < 0)
        return 0;
    word = mmap(NULL, sizeof *word, PROT_READ | PROT_WRITE, MAP_SHARED, take_fd, 0);
    close(take_fd);
    if (word == MAP_FAILED)
        return err_errno(err, errno, "map the word that the node looks at");
    realm_watch(realm, word);
    watch_memory(word, limits);
    return 0;
}

void instance_main(struct heritage *heritage, int take_socket_fd, const struct box_limits *limits,
                   int take_word_fd)
{
    static const struct hello HELLO = {.version = WIRE_VERSION, .role = ROLE_INSTANCE};
    static struct instance i;
    struct err err = {0};

    i.realm = heritage->realm;
    heritage->host = (struct host){.self = &i,
                                   .log = host_log,
                                   .met = host_met,
                                   .respond = host_respond,
                                   .respond_body = host_respond_body,
                                   .fail = host_fail,
                                   .request_credit = host_request_credit,
                                   .request_unwanted = host_request_unwanted,
                                   .done = host_done,
                                   .outcall = host_outcall,
                                   .outcall_body = host_outcall_body,
                                   .outcall_credit = host_request_credit,
                                   .outcall_cancel = host_outcall_cancel};
    /* Buffers of bodies come and go each turn.  By itself the allocator would give their
     * pages back and fault them in again every time: a sixth of a relay's time. */
    mallopt(M_ARENA_MAX, 1);    /* else each thread takes 64 MiB of address space for its own */
    mallopt(M_MMAP_THRESHOLD, INSTANCE_MAP_FROM);
    mallopt(M_TRIM_THRESHOLD, INSTANCE_HEAP_KEPT);
    link_init(&i.link, take_socket_fd, false);
    must(box_tie_to_parent(heritage->parent, &err), &err);
    /* Before all that may be logged. */
    must(hello_put(&i.link.out, 0, 0, &HELLO, &err), &err);
    must(realm_start(i.realm, &err), &err);
    must(watch(i.realm, take_word_fd, limits, &err), &err);
    must(box_limit(limits, &err), &err);
    if (heritage->box.layers & BOX_BIT(BOX_SECCOMP))
        must(box_filter_enter(&heritage->instance_filter, &err), &err);
    must(link_flush_all(&i.link, &err), &err);
    realm_serve(i.realm, serve, &i);
}
