/* call.c - the life of a call to the API.
 *
 *   NEW -> DELAYED -> CHECKED --> GATHERING -> WORKING --> HELD --> ANSWERING -> OVER
 *                        |  (no body: its work in the same job)  ^ |    |
 *                        |                                       | |    +-> SWITCHED -> OVER
 *                        +---------------------------------------+ +--(api_again)-> WORKING
 *
 * What can be answered at once goes to ANSWERING from anywhere.
 *
 * Invariants
 *   1. No callback of the front's is called but from a tick, which runs at the end of a turn of the
 * loop: never inside a call of the front's.
 *   2. While in_desk is set the desk's thread has the call: the loop looks at no answer and no body
 * then.
 *   3. When `work` has run, `after` runs, whether the client is still there or not: it may hold
 * something.  What has not begun when the client leaves does not begin.
 *   4. A call is freed in OVER only, when neither the desk nor a thread of libuv's has it.
 *
 * Who calls it: the front, by api_local. */
#include <assert.h>
#include <stdio.h>

#include "api/call.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

static void work(struct desk_job *job, struct catalog *catalog);
static void worked(struct desk_job *job);

void api_wake(struct api_call_inside *c)
{
    turn_add(&c->call.api->turn, TURN_WORK, &c->tick);
}

static bool is_held(const struct api_call_inside *c)
{
    return c->in_desk || c->in.is_writing || c->is_reading;
}

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    mem_free(text);
}

static void call_free(struct api_call_inside *c)
{
    struct api_call *call = &c->call;
    struct api *api = call->api;

    if (call->free_state)
        call->free_state(call->state);
    json_decref(call->json);
    token_done(&call->token);
    account_done(&call->account);
    for (int i = 0; i < API_PARAMS_MAX; i++)
        mem_free(call->params[i].value);
    mem_free(call->query);
    mem_free(call->origin);
    mem_free(call->client);
    mem_free(call->content_type);
    mem_free(c->websocket_key);
    mem_free(c->agent);
    wipe(c->token_text);
    gather_done(c);
    api_answer_done(&c->out);
    buf_done(&c->socket_out);
    turn_drop(&c->tick);
    ring_drop(&c->ring);
    mem_free(c);
    api->call_count--;
    api_call_ended(api);
}

static bool wants_token(const struct api_call_inside *c)
{
    const struct api_endpoint *endpoint = c->call.endpoint;

    return !endpoint->is_open || (endpoint->is_optional && c->token_text);
}

static void answer(struct api_call_inside *c)
{
    if (c->out.log[0])
        log_error("%s %s: %s", c->call.endpoint ? c->call.endpoint->method : "?",
                  c->call.endpoint ? c->call.endpoint->path : "?", c->out.log);
    if (c->out.status == 0)
        api_error(&c->call, 500, 10013, "This endpoint gave no answer");
    c->state = API_CALL_ANSWERING;
    api_wake(c);
}

static void give_to_desk(struct api_call_inside *c, enum api_call_state state)
{
    struct err err = {0};

    c->job.work = work;
    c->job.done = worked;
    c->state = state;
    c->in_desk = true;
    if (desk_add(c->call.api->desk, &c->job, &err) == 0)
        return; /* waits for: worked */
    c->in_desk = false;
    if (err.code == ERR_GONE)
        api_error(&c->call, 503, 10013, "This node is shutting down: try again in a moment");
    else
        api_error(&c->call, 503, 10013, "This node has too much to do: try again in a moment");
    answer(c);
}

/* ---- in the desk's thread ---- */

static void work(struct desk_job *job, struct catalog *catalog)
{
    struct api_call_inside *c = RING_OF(job, struct api_call_inside, job);
    const struct api_endpoint *endpoint = c->call.endpoint;

    if (c->state == API_CALL_CHECKED) {
        if (wants_token(c))
            api_check_token(c, catalog);
        c->is_refused = api_is_answered(&c->call);
        if (c->is_refused || endpoint->body != API_NO_BODY)
            return;
    } else if (!c->next_work) {
        gather_finish(c);
        c->is_refused = api_is_answered(&c->call);
        if (c->is_refused)
            return;
    }
    if (c->next_work)
        c->next_work(&c->call, catalog);
    else if (endpoint->work)
        endpoint->work(&c->call, catalog);
}

/* ---- on the loop ---- */

/* The work is done: `after`, if there is one, decides how it goes on. */
static void go_on(struct api_call_inside *c, void (*after)(struct api_call *call))
{
    c->state = API_CALL_HELD;
    c->next_work = NULL;
    c->next_after = NULL;
    if (after)
        after(&c->call);
    if (!c->is_waiting && !c->is_job_due && c->state == API_CALL_HELD)
        answer(c);
}

unsigned api_calls_of(const struct api_call_inside *c, bool spills)
{
    unsigned count = 0;

    RING_EACH(at, &c->call.api->calls) {
        const struct api_call_inside *other = RING_OF(at, struct api_call_inside, ring);
        count += strcmp(other->payer, c->payer) == 0 && (!spills || other->in.is_counted);
    }
    return count;
}

/* What came before may stand in memory, and want a file now that it is known whose it is. */
static void gather(struct api_call_inside *c)
{
    c->state = API_CALL_GATHERING;
    if (gather_take(c, SPAN(""), false, &c->body_err) < 0 || !c->events || gather_room(c) == 0)
        return;
    c->events->writable(c->events_self);
}

static void begin_body(struct api_call_inside *c)
{
    if (api_calls_of(c, false) <= API_ACCOUNT_CALLS_MAX) {
        gather(c);
        return;
    }
    api_error(&c->call, 429, 971,
              "Your account has %d calls under way already: wait for one to end",
              API_ACCOUNT_CALLS_MAX);
    answer(c);
}

static void check_done(struct api_call_inside *c)
{
    struct limits *limits = c->call.api->limits;
    const struct api_endpoint *endpoint = c->call.endpoint;

    if (c->token_text) {
        if (c->is_token_bad)
            limits_bad(limits, &c->keys);
        else if (c->call.token.id[0])
            limits_good(limits, &c->keys);
    }
    memcpy(c->payer, c->call.token.account_id, sizeof c->payer);
    if (c->is_refused) {
        answer(c);
    } else if (endpoint->body == API_NO_BODY) {
        go_on(c, endpoint->after);
    } else {
        begin_body(c);
    }
}

/* Back on the loop: all else is the tick's. */
static void worked(struct desk_job *job)
{
    struct api_call_inside *c = RING_OF(job, struct api_call_inside, job);

    c->in_desk = false;
    c->call.is_gone = c->is_aborted;
    c->is_worked = true;
    api_wake(c);
}

static void tick_worked(struct api_call_inside *c)
{
    void (*after)(struct api_call * call);

    c->is_worked = false;
    if (c->state == API_CALL_CHECKED) {
        check_done(c);
        return;
    }
    after = c->next_work ? c->next_after : c->is_refused ? NULL : c->call.endpoint->after;
    go_on(c, after);
}

static void begin_check(struct api_call_inside *c)
{
    if (c->call.endpoint->admit && !c->call.endpoint->admit(&c->call)) {
        answer(c);
        return;
    }
    /* Who needs no token, and sends a body, has nothing to be looked at yet. */
    const struct api_endpoint *endpoint = c->call.endpoint;

    if (!wants_token(c) && endpoint->body != API_NO_BODY)
        gather(c);
    else if (!wants_token(c) && !endpoint->work)
        go_on(c, endpoint->after);
    else
        give_to_desk(c, API_CALL_CHECKED);
}

static void set_retry(struct api_call *call, int64_t ms)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)((ms + 999) / 1000));
    api_error(call, 429, 971,
              "Too many wrong tokens came from your address: try again in %s seconds", text);
    api_header(call, "Retry-After", text);
}

static void tick_new(struct api_call_inside *c)
{
    struct api *api = c->call.api;
    int64_t wait, retry_ms = 0;

    if (api->is_draining)
        api_error(&c->call, 503, 10013, "This node is shutting down: try again in a moment");
    else if (api->call_count > API_CALLS_MAX)
        api_error(&c->call, 503, 10013, "This node has too much to do: try again in a moment");
    else if (!api_is_answered(&c->call) && !c->call.endpoint->is_open && c->token_problem) {
        api_error(&c->call, 401, 10000, "%s", c->token_problem);
        api_header(&c->call, "WWW-Authenticate", "Bearer");
    }
    if (api_is_answered(&c->call)) {
        answer(c);
        return;
    }
    if (!wants_token(c)) {
        begin_check(c);
        return;
    }
    wait = limits_enter(api->limits, &c->keys, &retry_ms);
    if (wait < 0) {
        set_retry(&c->call, retry_ms);
        answer(c);
    } else if (wait == 0) {
        begin_check(c);
    } else {
        c->state = API_CALL_DELAYED;
        c->until_ms = clock_now_ms() + wait;
        api_look_at_delayed(api);
    }
}

static void on_timer(uv_timer_t *timer)
{
    api_look_at_delayed(timer->data);
}

void api_look_at_delayed(struct api *api)
{
    int64_t now = clock_now_ms(), next = -1;

    RING_EACH(at, &api->calls) {
        struct api_call_inside *c = RING_OF(at, struct api_call_inside, ring);
        if (c->state != API_CALL_DELAYED)
            continue;
        if (c->until_ms <= now)
            api_wake(c);
        else if (next < 0 || c->until_ms < next)
            next = c->until_ms;
    }
    if (next >= 0)
        uv_timer_start(&api->timer, on_timer, (uint64_t)(next - now), 0);
}

static void tick_delayed(struct api_call_inside *c)
{
    bool is_over = !c->events || c->call.api->is_draining;

    if (!is_over && c->until_ms > clock_now_ms())
        return; /* waits for: its time */
    limits_waited(c->call.api->limits, &c->keys);
    if (!is_over) {
        begin_check(c);
        return;
    }
    api_error(&c->call, 503, 10013, "This node is shutting down: try again in a moment");
    answer(c);
}

static void tick_gathering(struct api_call_inside *c)
{
    if (!c->events) {
        c->state = API_CALL_OVER;
    } else if (c->body_err.code == ERR_LIMIT && c->in.bytes > c->in.max) {
        api_error(&c->call, 413, 10027, "%s", c->body_err.text);
        answer(c);
    } else if (c->body_err.code) {
        api_error(&c->call, 503, 10013, "%s: try again in a moment", c->body_err.text);
        answer(c);
    } else if (gather_is_done(c)) {
        give_to_desk(c, API_CALL_WORKING);
    } else if (gather_room(c) > 0) {
        c->events->writable(c->events_self);
    }
}

static void tick(struct turn_item *item)
{
    struct api_call_inside *c = RING_OF(item, struct api_call_inside, tick);

    if (c->in_desk)
        return;
    if (c->is_worked)
        tick_worked(c);
    if (c->state == API_CALL_NEW)
        tick_new(c);
    else if (c->state == API_CALL_DELAYED)
        tick_delayed(c);
    else if (c->state == API_CALL_GATHERING)
        tick_gathering(c);
    if (c->is_job_due) {
        c->is_job_due = false;
        c->is_waiting = false;
        give_to_desk(c, API_CALL_WORKING);
    }
    if (c->state == API_CALL_ANSWERING || c->state == API_CALL_SWITCHED)
        api_send_tick(c);
    if (c->state != API_CALL_OVER)
        return;
    if (c->socket) {
        const struct api_socket_events *socket = c->socket;
        c->socket = NULL;
        socket->gone(&c->call);
    }
    if (!is_held(c))
        call_free(c);
}

void api_wait(struct api_call *call)
{
    call_inside(call)->is_waiting = true;
}

void api_reply(struct api_call *call)
{
    struct api_call_inside *c = call_inside(call);

    c->is_waiting = false;
    if (c->state == API_CALL_HELD)
        answer(c);
}

void api_again(struct api_call *call, void (*again)(struct api_call *call, struct catalog *catalog),
               void (*after)(struct api_call *call))
{
    struct api_call_inside *c = call_inside(call);

    assert(c->state == API_CALL_HELD && !c->is_job_due);
    c->next_work = again;
    c->next_after = after;
    c->is_job_due = true;
    api_wake(c);
}

void api_call_drain(struct api_call_inside *c)
{
    if (c->state == API_CALL_DELAYED || c->state == API_CALL_NEW)
        api_wake(c);
    if (c->state != API_CALL_SWITCHED)
        return;
    if (c->socket->drain)
        c->socket->drain(&c->call);
    else
        api_socket_end(&c->call);
}

/* ---- what the front sees ---- */

static int local_call(void *self, const struct request *request, bool is_end,
                      const struct call_events *events, void *events_self, struct local **ret_local,
                      struct err *err)
{
    struct api *api = self;
    struct api_call_inside *c;
    int r;

    if (api->is_closing)
        return err_set(err, ERR_GONE, "the API is closing");
    c = mem_alloc(sizeof *c);
    if (!c)
        return err_nomem(err);
    c->call.api = api;
    c->call.file = c->in.fd = c->out.fd = -1;
    ring_init(&c->ring);
    ring_push(&api->calls, &c->ring);
    api->call_count++;
    turn_item_init(&c->tick, tick);
    r = api_head_read(c, request, err);
    if (r == 0 && (!c->call.endpoint || c->call.endpoint->body == API_NO_BODY))
        c->in.is_ended = is_end;
    else if (r == 0 && c->call.endpoint && c->content_length > (int64_t)c->in.max)
        api_error(&c->call, 413, 10027, "The request body is larger than %llu bytes",
                  (unsigned long long)c->in.max);
    else if (r == 0 && is_end)
        r = gather_take(c, SPAN(""), true, err);
    if (r < 0) {
        call_free(c);
        return r;
    }
    c->events = events;
    c->events_self = events_self;
    api_wake(c);
    *ret_local = (struct local *)(void *)c;
    return 0;
}

static struct api_call_inside *inside_of(const struct local *local)
{
    return (struct api_call_inside *)(void *)(uintptr_t)local;
}

/* Its body is for the endpoint: else it is thrown away. */
static bool wants_body(const struct api_call_inside *c)
{
    return c->state <= API_CALL_GATHERING && c->call.endpoint &&
           c->call.endpoint->body != API_NO_BODY && !c->body_err.code;
}

static size_t local_window(const struct local *local)
{
    const struct api_call_inside *c = inside_of(local);

    return wants_body(c) ? gather_room(c) : API_SMALL_MAX;
}

static void local_body(struct local *local, struct span bytes, bool is_end)
{
    struct api_call_inside *c = inside_of(local);
    struct err err = {0};

    if (c->state == API_CALL_SWITCHED) {
        if (bytes.len > 0)
            c->socket->bytes(&c->call, bytes);
        if (is_end)
            api_socket_end(&c->call);
        return;
    }
    if (wants_body(c)) {
        if (gather_take(c, bytes, is_end, &err) < 0)
            c->body_err = err;
        api_wake(c);
    } else if (is_end) {
        c->in.is_ended = true;
    }
}

static void local_credit(struct local *local, size_t bytes)
{
    struct api_call_inside *c = inside_of(local);

    assert(bytes <= c->in_flight);
    c->in_flight -= bytes;
    c->socket_room_due = true;
    api_wake(c);
}

static void local_abort(struct local *local, enum reset_reason reason)
{
    struct api_call_inside *c = inside_of(local);

    (void)reason;
    c->events = NULL;
    c->is_aborted = true;
    if (!c->in_desk)
        c->call.is_gone = true;
    if (c->state == API_CALL_NEW)
        c->state = API_CALL_OVER;
    api_wake(c);
}

const struct front_local api_local = {local_call, local_window, local_body, local_credit,
                                      local_abort};
