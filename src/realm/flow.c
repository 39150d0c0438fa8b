/* flow.c - bodies between the host and either language.
 *
 *   inflow    UNTOUCHED -> READ | COLLECTED | RELAYED     (first to ask wins)
 *             any -> DROPPED                              (unwanted)
 *             any -> is_cut                               (aborted, failed)
 *   outflow   open -> is_finishing -> is_over
 *             open -> is_over                             (closed)
 *
 * Invariants:
 *   1. Bytes given to ops->send never exceed what the peer credited.
 *   2. Every byte of an inflow is credited once, when it leaves `in` for its
 *      reader (COLLECTED: when it arrives or is decoded; the gathered whole is
 *      bounded by the process's memory limit).
 *   3. to and from name each other; whoever ends first takes both away.
 *   4. What may end a flow comes last in a function. */
#include "realm/flow.h"

#include "base/mem.h"
#include "realm/exchange.h"
#include "realm/js/engine.h"

enum {
    PIECE = 64 * 1024,              /* bytes decoded at once */
    CREDIT_STEP = HOST_WINDOW / 4,  /* bytes of a tapped inflow; less is not worth a frame */
};

void flow_keep(JSObjectRef *kept, JSObjectRef function)
{
    engine_drop(*kept);
    *kept = (JSObjectRef)engine_keep(function);
}

void flow_wake(JSObjectRef *kept, size_t count, const JSValueRef *arguments)
{
    JSObjectRef function = *kept;

    if (!function)
        return;
    *kept = NULL;
    engine_run(function, count, arguments);
    engine_drop(function);
}

/* ---- inflow ---- */

void inflow_init(struct inflow *f, const struct inflow_ops *ops, uint32_t stream, int64_t length)
{
    *f = (struct inflow){.ops = ops, .stream = stream, .length = length, .has_all = length == 0};
}

static void forget_bytes(struct inflow *f)
{
    buf_done(&f->in);
    buf_init(&f->in);
    buf_done(&f->whole);
    buf_init(&f->whole);
}

void inflow_done(struct inflow *f)
{
    if (f->to)
        f->to->from = NULL;
    f->to = NULL;
    engine_drop(f->wake);
    engine_drop(f->error);
    forget_bytes(f);
    unpack_free(f->unpack);
    f->wake = NULL;
    f->error = NULL;
    f->unpack = NULL;
}

static void over(struct inflow *f)
{
    if (f->is_over)
        return;
    f->is_over = true;
    f->ops->over(f);
}

static void consumed(struct inflow *f, size_t bytes)
{
    if (bytes > 0)
        buf_eat(&f->in, bytes);
    if (bytes > 0 && !f->has_all && !f->is_cut)
        f->ops->credit(f, bytes);
}

static long take_decoded(struct inflow *f, char *room, size_t max)
{
    for (;;) {
        struct span in = buf_span(&f->in);
        size_t before = in.len, eaten;
        long n = unpack_step(f->unpack, &in, room, max);
        if (n < 0)
            return n;
        eaten = before - in.len;
        consumed(f, eaten);
        if (n > 0)
            return n;
        if (eaten == 0 && f->has_all)
            return unpack_is_whole(f->unpack) ? ERR_GONE : ERR_INVALID;
        if (eaten == 0)
            return 0;
    }
}

long inflow_take(struct inflow *f, char *room, size_t max)
{
    size_t n = buf_len(&f->in);

    if (f->unpack && f->is_decoded)
        return take_decoded(f, room, max);
    if (n == 0)
        return f->has_all ? ERR_GONE : 0;
    if (n > max)
        n = max;
    memcpy(room, buf_data(&f->in), n);
    consumed(f, n);
    return (long)n;
}

size_t inflow_room(const struct inflow *f, size_t max)
{
    if (f->unpack)
        return max;
    return buf_len(&f->in) < max ? buf_len(&f->in) : max;
}

void inflow_eat(struct inflow *f, size_t bytes)
{
    buf_eat(&f->in, bytes);
    f->owed += (uint32_t)bytes;
    if (f->owed < CREDIT_STEP || f->has_all || f->is_cut)
        return;
    f->ops->credit(f, f->owed);
    f->owed = 0;
}

void inflow_finish(struct inflow *f)
{
    over(f);
}

void inflow_wait(struct inflow *f, JSObjectRef wake)
{
    flow_keep(&f->wake, wake);
}

static void free_bytes(void *bytes, void *context)
{
    (void)context;
    mem_free(bytes);
}

/* The gathered whole to who asked for it, or why there is none. */
static void hand_over(struct inflow *f, struct buf *take_all)
{
    size_t len = take_all ? buf_len(take_all) : 0;
    char *bytes = take_all ? buf_detach(take_all) : NULL;
    JSValueRef arguments[2] = {engine.undefined, f->error ? f->error : engine.undefined};

    if (bytes)
        arguments[0] = JSObjectMakeArrayBufferWithBytesNoCopy(engine.context, bytes, len,
                                                              free_bytes, NULL, NULL);
    flow_wake(&f->wake, 2, arguments);
    over(f);
}

static void set_error(struct inflow *f, JSValueRef error)
{
    engine_drop(f->error);
    f->error = error ? engine_keep(error) : NULL;
}

static void fail_for_memory(struct inflow *f)
{
    JSValueRef error = NULL;

    forget_bytes(f);
    engine_throw(&error, "RangeError",
                 "There is no memory left for this body. Read it piece by piece instead of whole.");
    inflow_cut(f, error);
}

static void fail_decoding(struct inflow *f)
{
    JSValueRef error = NULL;

    engine_throw(&error, "TypeError", "The body cannot be decoded: it is no valid %s.",
                 unpack_coding(f->unpack) == CODING_GZIP ? "gzip" : "brotli");
    inflow_cut(f, error);
}

/* Decode what is here; the last act may end it. */
static void gather(struct inflow *f)
{
    char *room;
    long n;

    do {
        n = buf_reserve(&f->whole, PIECE, &room) < 0 ? ERR_NOMEM : inflow_take(f, room, PIECE);
        if (n > 0)
            buf_commit(&f->whole, (size_t)n);
    } while (n > 0);
    if (n == ERR_GONE)
        hand_over(f, &f->whole);
    else if (n == ERR_NOMEM)
        fail_for_memory(f);
    else if (n < 0)
        fail_decoding(f);
}

void inflow_collect(struct inflow *f, JSObjectRef take)
{
    flow_keep(&f->wake, take);
    if (f->use == INFLOW_DROPPED || f->is_cut) {
        hand_over(f, NULL);
        return;
    }
    f->use = INFLOW_COLLECTED;
    f->is_decoded = f->unpack != NULL;
    if (f->is_decoded)
        gather(f);
    else if (f->has_all)
        hand_over(f, &f->in);
    else if (buf_len(&f->in) > 0)
        f->ops->credit(f, buf_len(&f->in));
}

/* ---- relay ---- */

/* Both are through; `to` may be freed with its owner, and f with it. */
static void end_relay(struct inflow *f, struct outflow *to)
{
    f->to = NULL;
    to->from = NULL;
    to->is_over = true;
    over(f);
    to->ops->over(to);
}

static void break_relay(struct inflow *f, struct span text)
{
    struct outflow *to = f->to;

    f->to = NULL;
    if (!to)
        return;
    to->from = NULL;
    to->ops->broken(to, text);
}

static void relay_as_is(struct inflow *f, struct outflow *to)
{
    struct span bytes = buf_span(&f->in);
    bool is_end;

    if (bytes.len > to->credit)
        bytes.len = to->credit;
    is_end = f->has_all && bytes.len == buf_len(&f->in);
    if (bytes.len == 0 && !is_end)
        return;
    to->credit -= (uint32_t)bytes.len;
    to->ops->send(to, bytes, is_end);
    consumed(f, bytes.len);
    if (is_end)
        end_relay(f, to);
}

static void relay_decoded(struct inflow *f, struct outflow *to)
{
    static char room[PIECE];
    long n;

    do {
        if (to->credit == 0)
            return; /* waits for: outflow_credit */
        n = inflow_take(f, room, to->credit < PIECE ? to->credit : PIECE);
        if (n > 0) {
            to->credit -= (uint32_t)n;
            to->ops->send(to, (struct span){room, (size_t)n}, false);
        }
    } while (n > 0);
    if (n == ERR_GONE) {
        to->ops->send(to, SPAN(""), true);
        end_relay(f, to);
    } else if (n < 0) {
        fail_decoding(f);
    }
}

static void relay(struct inflow *f)
{
    struct outflow *to = f->to;

    if (!to || to->is_over)
        return;
    if (f->is_decoded)
        relay_decoded(f, to);
    else
        relay_as_is(f, to);
}

void inflow_relay(struct inflow *f, struct outflow *to, enum flow_decoding decoding)
{
    if (f->use == INFLOW_DROPPED || f->is_cut || f->is_over) {
        to->ops->broken(to, SPAN("the body that it is made of was cut off"));
        return;
    }
    f->use = INFLOW_RELAYED;
    f->is_decoded = f->unpack && decoding == FLOW_DECODED;
    f->to = to;
    to->from = f;
    relay(f);
}

/* ---- what comes from the host ---- */

/* All of it goes on at once, where nothing waits before it and the peer takes it: a copy less. */
static bool relay_directly(struct inflow *f, struct span bytes, bool is_end)
{
    struct outflow *to = f->to;

    if (f->use != INFLOW_RELAYED || f->is_decoded || !to || to->is_over || buf_len(&f->in) > 0 ||
        bytes.len > to->credit)
        return false;
    f->has_all = is_end;
    to->credit -= (uint32_t)bytes.len;
    if (bytes.len > 0 || is_end)
        to->ops->send(to, bytes, is_end);
    if (bytes.len > 0 && !is_end)
        f->ops->credit(f, bytes.len);
    if (is_end)
        end_relay(f, to);
    return true;
}

void inflow_arrive(struct inflow *f, struct span bytes, bool is_end)
{
    if (f->has_all || f->is_cut || f->use == INFLOW_DROPPED || relay_directly(f, bytes, is_end))
        return;
    if (buf_append(&f->in, bytes.data, bytes.len) < 0) {
        exchange_log(LOG_ERROR, SPAN("out of memory for a body"));
        f->ops->unwanted(f);
        fail_for_memory(f);
        return;
    }
    f->has_all = is_end;
    switch (f->use) {
    case INFLOW_UNTOUCHED:
    case INFLOW_DROPPED:
        break;
    case INFLOW_READ:
        flow_wake(&f->wake, 0, NULL);
        break;
    case INFLOW_COLLECTED:
        if (f->is_decoded)
            gather(f);
        else if (is_end)
            hand_over(f, &f->in);
        else if (bytes.len > 0)
            f->ops->credit(f, bytes.len);
        break;
    case INFLOW_RELAYED:
        relay(f);
        break;
    case INFLOW_TAPPED:
        f->tap(f);
        break;
    }
}

void inflow_cut(struct inflow *f, JSValueRef error)
{
    if (f->is_cut || f->is_over || f->use == INFLOW_DROPPED)
        return;
    f->is_cut = true;
    set_error(f, error);
    forget_bytes(f);
    switch (f->use) {
    case INFLOW_UNTOUCHED:
    case INFLOW_DROPPED:
        return;
    case INFLOW_READ: /* the reader sees it, and then it is over */
        flow_wake(&f->wake, 0, NULL);
        return;
    case INFLOW_COLLECTED:
        hand_over(f, NULL);
        return;
    case INFLOW_RELAYED:
        break_relay(f, SPAN("the body that it is made of was cut off"));
        over(f);
        return;
    case INFLOW_TAPPED:
        f->tap(f);
        return;
    }
}

void inflow_drop(struct inflow *f)
{
    bool is_news = !f->has_all && !f->is_cut && f->use != INFLOW_DROPPED;

    f->use = INFLOW_DROPPED;
    forget_bytes(f);
    break_relay(f, SPAN("the body that it is made of was dropped"));
    if (is_news)
        f->ops->unwanted(f);
    over(f);
}

/* ---- outflow ---- */

void outflow_init(struct outflow *f, const struct outflow_ops *ops, uint32_t stream, size_t credit)
{
    *f = (struct outflow){.ops = ops, .stream = stream, .credit = (uint32_t)credit};
}

void outflow_close(struct outflow *f)
{
    struct inflow *from = f->from;

    f->is_over = true;
    f->from = NULL;
    buf_done(&f->out);
    buf_init(&f->out);
    if (from) {
        from->to = NULL;
        inflow_drop(from);
    }
    flow_wake(&f->wake, 0, NULL);
}

/* Send of bytes what the credit allows; returns how much. */
static size_t send(struct outflow *f, struct span bytes)
{
    size_t n = bytes.len < f->credit ? bytes.len : f->credit;
    bool is_end = f->is_finishing && n == bytes.len;

    if (n == 0 && !is_end)
        return 0;
    f->credit -= (uint32_t)n;
    f->is_over |= is_end;
    f->ops->send(f, (struct span){bytes.data, n}, is_end);
    return n;
}

static int keep_rest(struct outflow *f, struct span bytes, size_t sent)
{
    if (buf_append(&f->out, bytes.data + sent, bytes.len - sent) == 0)
        return 0;
    f->ops->broken(f, SPAN("out of memory"));
    return ERR_NOMEM;
}

enum flow_room outflow_write(struct outflow *f, struct span bytes)
{
    size_t sent = 0;

    if (f->is_over || f->is_finishing || f->from)
        return FLOW_GONE;
    if (buf_len(&f->out) == 0)
        sent = send(f, bytes);
    if (keep_rest(f, bytes, sent) < 0)
        return FLOW_GONE;
    return outflow_room(f);
}

void outflow_write_whole(struct outflow *f, struct span bytes)
{
    size_t sent;

    if (f->is_over)
        return;
    f->is_finishing = true;
    sent = send(f, bytes);
    if (f->is_over)
        f->ops->over(f);
    else
        (void)keep_rest(f, bytes, sent);
}

void outflow_finish(struct outflow *f)
{
    if (f->is_over)
        return;
    f->is_finishing = true;
    if (buf_len(&f->out) == 0)
        send(f, SPAN(""));
    if (f->is_over)
        f->ops->over(f);
}

enum flow_room outflow_room(const struct outflow *f)
{
    if (f->is_over)
        return FLOW_GONE;
    return buf_len(&f->out) > 0 ? FLOW_WAIT : FLOW_MORE;
}

void outflow_wait(struct outflow *f, JSObjectRef wake)
{
    flow_keep(&f->wake, wake);
}

void outflow_credit(struct outflow *f, uint32_t bytes)
{
    if (f->is_over)
        return;
    f->credit = f->credit > UINT32_MAX - bytes ? UINT32_MAX : f->credit + bytes;
    if (f->from) {
        relay(f->from);
        return;
    }
    if (buf_len(&f->out) == 0)
        return; /* nobody waits for it */
    buf_eat(&f->out, send(f, buf_span(&f->out)));
    if (f->is_over)
        f->ops->over(f);
    else if (buf_len(&f->out) == 0 && f->wake)
        flow_wake(&f->wake, 0, NULL); /* which may end it */
    else if (buf_len(&f->out) == 0 && f->ops->room)
        f->ops->room(f);
}
