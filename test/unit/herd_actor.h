/* herd_actor.h - a forked process that plays an instance, and the node's side of it.
 *
 * For the tests of call.c, kin.c and instance.c.  The child says HELLO, waits
 * for requests and writes whatever bytes its script wants; the parent runs the
 * real node's side in a real loop and counts what it is told. */
#ifndef CORRAL_TEST_HERD_ACTOR_H
#define CORRAL_TEST_HERD_ACTOR_H

#include "herd/instance.h"

#include <signal.h>
#include <sys/wait.h>

#include "actor.h"
#include "base/clock.h"
#include "base/mem.h"
#include "test.h"

enum { LIMIT_MS = 30 * 1000 };

/* The child's side: actor.h, and what an instance says */

static inline void hello(void)
{
    SAY_MESSAGE(hello, 0, 0, .version = WIRE_VERSION, .role = ROLE_INSTANCE);
}

static inline void begin(void)
{
    hello();
    expect(FRAME_REQUEST, 1);
}

static inline void respond(uint32_t stream, int flags, int64_t length)
{
    SAY_MESSAGE(response, (uint8_t)flags, stream, .status = 200, .body_length = length);
}

static inline void answer(uint32_t stream)
{
    respond(stream, 0, 5);
    SAY(FRAME_BODY, FRAME_END | FRAME_FINISHED, stream, "hello");
}

static inline void linger_there(void)
{
    for (;;)
        (void)hear();
}

/* The node's side */

struct seen {
    void *tickets[8];           /* of the first lines */
    unsigned raised, taken, overs;
    unsigned heads, ends, fails, unwanted, writable, logs, warnings;
    size_t body, log_bytes;
    enum limit met[8];
    void *met_by[8];            /* tickets */
    unsigned mets;
    bool is_up, has_ended, is_gone, is_aborting, is_credited;
    enum call_failure why;
    enum kin_end how;
    char text[640], ended[640];
    int64_t body_length;
};

static uv_loop_t loop;
static struct turn turn;
static uv_timer_t limit;
static struct instance *instance;
static struct call *call;
static struct seen seen;
static pid_t child;
static bool is_late;

static inline void on_head(void *self, const struct response *head)
{
    (void)self;
    seen.heads++;
    seen.body_length = head->body_length;
    if (head->body_length == 0)
        seen.ends++;
    if (seen.is_aborting)
        call_abort(call, RESET_CLIENT_GONE);
}

static inline void on_body(void *self, struct span bytes, bool is_end)
{
    (void)self;
    seen.body += bytes.len;
    seen.ends += is_end;
    if (seen.is_credited && !is_end)
        call_credit(call, bytes.len);
}

static inline void on_writable(void *self)
{
    (void)self;
    seen.writable++;
}

static inline void on_unwanted(void *self)
{
    (void)self;
    seen.unwanted++;
}

static inline void on_failed(void *self, enum call_failure why, struct span text)
{
    (void)self;
    seen.fails++;
    seen.why = why;
    snprintf(seen.text, sizeof seen.text, "%.*s", SPAN_ARG(text));
}

static const struct call_events CALL = {on_head, on_body, on_writable, on_unwanted, on_failed};

static inline void on_up(void *self, struct instance *i)
{
    (void)self;
    (void)i;
    seen.is_up = true;
}

static inline void on_log(void *self, enum log_level level, struct span text,
                          struct span told, void *ticket, bool is_raised)
{
    (void)self, (void)told;
    if (seen.logs < 8)
        seen.tickets[seen.logs] = ticket;
    seen.raised += is_raised;
    seen.logs++;
    seen.warnings += level == LOG_WARN;
    seen.log_bytes += text.len;
}

static inline void on_eased(void *self, struct instance *i)
{
    (void)self;
    (void)i;
}

static inline void on_ended(void *self, struct instance *i, enum kin_end how, const char *why)
{
    (void)self;
    CHECK(!seen.has_ended && instance_is_idle(i) && i->outcalls.count == 0);
    seen.has_ended = true;
    seen.how = how;
    snprintf(seen.ended, sizeof seen.ended, "%s", why);
}

static inline void on_gone(void *self, struct instance *i)
{
    (void)self;
    (void)i;
    CHECK(seen.has_ended && !seen.is_gone);
    seen.is_gone = true;
}

/* What the child's code asks of the node: echoed by hand in the tests. */
static struct {
    struct outcall *last;
    unsigned calls, gone, writable, ends;
    size_t body;
    bool is_refused, is_kept;       /* fail it at once; give no credit */
    void (*serve)(struct outcall *outcall, const struct outcall_head *head, bool is_end);
    char text[256];
} outcalls;

static inline void on_outcall_body(void *self, struct span bytes, bool is_end)
{
    CHECK(self == &outcalls);
    outcalls.body += bytes.len;
    outcalls.ends += is_end;
    if (!outcalls.is_kept)
        outcall_credit(outcalls.last, bytes.len);
}

static inline void on_outcall_writable(void *self)
{
    CHECK(self == &outcalls);
    outcalls.writable++;
}

static inline void on_outcall_gone(void *self)
{
    CHECK(self == &outcalls);
    outcalls.gone++;
    outcalls.last = NULL;
}

static const struct outcall_events OUTCALL = {on_outcall_body, on_outcall_writable,
                                              on_outcall_gone};

static inline void on_outcall(void *self, struct outcall *outcall,
                              const struct outcall_head *head, bool is_end)
{
    (void)self, (void)is_end;
    outcalls.calls++;
    snprintf(outcalls.text, sizeof outcalls.text, "%.*s", SPAN_ARG(head->method));
    if (outcalls.serve) {
        outcalls.serve(outcall, head, is_end);
        return;
    }
    if (outcalls.is_refused) {
        outcall_fail(outcall, SPAN("no"));
        return;
    }
    outcalls.last = outcall;
    outcall_accept(outcall, &OUTCALL, &outcalls);
}

static inline void on_stopped(void *self, struct instance *from, struct call *stopped)
{
    (void)self, (void)from, (void)stopped;
}

static inline void on_met(void *self, struct instance *from, enum limit which, struct call *whose)
{
    (void)self, (void)from;
    if (seen.mets < 8) {
        seen.met[seen.mets] = which;
        seen.met_by[seen.mets] = whose ? whose->ticket : NULL;
    }
    seen.mets++;
}

static const struct instance_events EVENTS = {on_up,    on_log,  on_met, on_stopped, on_eased,
                                              on_ended, on_gone, on_outcall};

static inline void on_limit(uv_timer_t *timer)
{
    (void)timer;
    is_late = true;
}

/* Turn the loop until *flag, or complain. */
static inline void run_until(const bool *flag)
{
    is_late = false;
    uv_timer_start(&limit, on_limit, LIMIT_MS, 0);
    while (!*flag && !is_late)
        uv_run(&loop, UV_RUN_ONCE);
    uv_timer_stop(&limit);
    CHECK(!is_late);
}

static inline void run_until_count(const unsigned *count, unsigned n)
{
    is_late = false;
    uv_timer_start(&limit, on_limit, LIMIT_MS, 0);
    while (*count < n && !is_late)
        uv_run(&loop, UV_RUN_ONCE);
    uv_timer_stop(&limit);
    CHECK(!is_late);
}

static inline void open_loop(void)
{
    struct err err;

    seen = (struct seen){0};
    memset(&outcalls, 0, sizeof outcalls);
    instance = NULL;
    call = NULL;
    uv_loop_init(&loop);
    uv_timer_init(&loop, &limit);
    CHECK(turn_open(&turn, &loop, &err) == 0);
}

static inline void start(void (*script)(void))
{
    struct err err = {0};
    int ours, theirs;

    open_loop();
    CHECK(peer_pair(&ours, &theirs, &err) == 0);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        close(ours);
        side = theirs;
        script();
        _exit(0);
    }
    close(theirs);
    CHECK(instance_open(&turn, ours, getpid(), 1, &EVENTS, NULL, &instance, &err) == 0);
}

static inline int send_request(const char *method, bool is_end)
{
    struct request request = {.method = span_of(method), .url = SPAN("http://localhost/"),
                              .body_length = is_end ? 0 : -1};
    struct err err = {0};
    int r;

    call = call_new(&(struct opening){.request = &request}, is_end, &CALL, NULL);
    if (!call)
        return ERR_NOMEM;
    r = instance_send(instance, call, &(struct opening){.request = &request}, &err);
    if (r < 0)
        call_end(call);
    return r;
}

static inline void start_with_call(void (*script)(void))
{
    start(script);
    run_until(&seen.is_up);
    if (seen.is_up)
        CHECK(send_request("GET", true) == 0);
}

static inline void on_turn_closed(void *self) { *(bool *)self = true; }

/* End what is left; returns the child's exit status, or -1 when a signal ended it. */
static inline int stop(void)
{
    bool is_closed = false;
    int status = 0;

    if (!seen.has_ended)
        kin_kill(&instance->kin, "the test is over");
    run_until(&seen.is_gone);
    if (child > 0) {
        kill(child, SIGKILL); /* one that was refused lives on, as it should */
        CHECK(waitpid(child, &status, 0) == child);
    }
    turn_close(&turn, on_turn_closed, &is_closed);
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed && uv_loop_close(&loop) == 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
