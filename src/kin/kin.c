/* kin.c - hello, frames, death of one process of ours.
 *
 *                HELLO, identity             killed, died, lied       both closed
 *   (open) -> STARTING ----------> UP ----------------------> ENDING -> CLOSING -> (gone)
 *                 |                                              ^
 *                 +----------------------------------------------+
 *
 * The process is killed by its pidfd, which exists only for a process whose
 * parent is the expected one; one that never said who it is loses its socket.
 * Death is seen by the pidfd and by the end of the socket, whichever is first;
 * what the socket still holds is taken in either way.
 *
 * Invariants
 *   1. No frame is given out before `up` or after `ended`.
 *   2. `ended` fires before `gone`, each exactly once.
 *   3. Log text above the ration, its own or that of all together, is dropped, with one
 *      notice per second.
 *   4. Who is above its own ration, or says much that says nothing, is read a little at a
 *      time (peer_rest) until the second is over: that takes 1 or 2 % of the loop, and its
 *      other frames still come. */
#include "kin/kin.h"

#include <assert.h>

#include "base/clock.h"
#include "kin/identity.h"

static const bool MOVES[KIN_STATES][KIN_STATES] = {
    [KIN_STARTING] = {[KIN_UP] = true, [KIN_ENDING] = true},
    [KIN_UP] = {[KIN_ENDING] = true},
    [KIN_ENDING] = {[KIN_CLOSING] = true},
};

bool kin_may_move(enum kin_state from, enum kin_state to)
{
    return MOVES[from][to];
}

static void move(struct kin *kin, enum kin_state to)
{
    assert(kin_may_move(kin->state, to));
    kin->state = to;
}

static void on_peer_closed(void *self)
{
    struct kin *kin = self;

    kin->is_peer_closed = true;
    if (kin->is_proc_closed)
        kin->events->gone(kin->self);
}

static void on_proc_closed(void *self)
{
    struct kin *kin = self;

    kin->is_proc_closed = true;
    if (kin->is_peer_closed)
        kin->events->gone(kin->self);
}

static void close_proc(struct kin *kin)
{
    move(kin, KIN_CLOSING);
    if (kin->has_proc)
        proc_close(&kin->proc, on_proc_closed);
    else
        kin->is_proc_closed = true;
}

static void end(struct kin *kin, enum kin_end how, const char *why)
{
    if (kin->state >= KIN_ENDING)
        return;
    move(kin, KIN_ENDING);
    if (kin->has_proc)
        proc_kill(&kin->proc);
    if (kin->killed)
        kin->events->ended(kin->self, KIN_KILLED, kin->killed);
    else if (kin->is_leaving && how == KIN_DIED)
        kin->events->ended(kin->self, KIN_LEFT, why);
    else
        kin->events->ended(kin->self, how, why);
    peer_close(&kin->peer, on_peer_closed);
    if (!kin->has_proc)
        close_proc(kin); /* otherwise waits for: on_proc_ended */
}

static void on_proc_ended(void *self)
{
    struct kin *kin = self;

    /* It may have answered with its last breath. */
    if (kin->state < KIN_ENDING)
        peer_read_all(&kin->peer);
    end(kin, KIN_DIED, "ended");
    if (kin->state == KIN_ENDING)
        close_proc(kin);
}

void kin_abandon(struct kin *kin)
{
    if (kin->state == KIN_ENDING)
        close_proc(kin);
}

static int on_hello(struct kin *kin, const struct frame *frame, struct err *err)
{
    struct hello hello;
    int pidfd, r;

    if (frame->type != FRAME_HELLO || frame->stream != 0)
        return err_set(err, ERR_INVALID, "%s frame before HELLO", frame_name(frame->type));
    r = hello_get(frame, &hello, err);
    if (r < 0)
        return r;
    if (hello.version != WIRE_VERSION || hello.role != kin->role)
        return err_set(err, ERR_INVALID, "HELLO of version %u in role %u", hello.version,
                       hello.role);
    r = identity_open(peer_pid(&kin->peer), kin->parent, &pidfd, err);
    if (r < 0)
        return r;
    r = proc_open(&kin->proc, kin->turn->prepare.loop, pidfd, peer_pid(&kin->peer), on_proc_ended,
                  kin, err);
    if (r < 0)
        return r;
    kin->has_proc = true;
    move(kin, KIN_UP);
    kin->events->up(kin->self, &hello);
    return 0;
}

int kin_noise(struct kin *kin, unsigned units, struct err *err)
{
    if (noise_take(&kin->noise, clock_now_ms(), units))
        return 0;
    return err_set(err, ERR_LIMIT, "it floods the node with frames that say nothing");
}

static void pass_log(struct kin *kin, uint32_t stream, enum log_level level, struct span text,
                     struct span told, bool is_raised)
{
    int64_t now_ms = clock_now_ms();
    size_t cost = text.len + told.len + RATION_LINE;
    enum ration_answer answer = ration_take(&kin->ration, now_ms, cost, RATION_BYTES);
    enum ration_answer all = RATION_PASS;

    if (answer == RATION_PASS && kin->all)
        all = ration_take(kin->all, now_ms, cost, RATION_ALL_BYTES);
    if (answer == RATION_PASS && all == RATION_PASS)
        kin->events->log(kin->self, stream, level, text, told, is_raised);
    else if (answer == RATION_DROP_AND_SAY)
        kin->events->log(kin->self, 0, LOG_WARN,
                         SPAN("more than 1 MiB or 1,024 lines of output in a second: "
                              "the rest is dropped"),
                         SPAN(""), false);
    else if (all == RATION_DROP_AND_SAY)
        kin->events->log(kin->self, 0, LOG_WARN,
                         SPAN("more than 2 MiB or 2,048 lines of output in a second from all "
                              "that runs for this account: the rest is dropped"),
                         SPAN(""), false);
}

void kin_log(struct kin *kin, enum log_level level, struct span text)
{
    pass_log(kin, 0, level, text, SPAN(""), false);
}

bool kin_hears_log(const struct kin *kin)
{
    return !kin->ration.is_over || clock_now_ms() - kin->ration.start_ms >= RATION_MS;
}

bool kin_is_resting(const struct kin *kin)
{
    return peer_is_resting(&kin->peer);
}

static int on_log(struct kin *kin, const struct frame *frame, struct err *err)
{
    struct log_line line;
    int r;

    r = log_line_get(frame, &line, err);
    if (r < 0)
        return r;
    if (line.level >= LOG_NONE)
        return err_set(err, ERR_INVALID, "LOG of level %u", line.level);
    pass_log(kin, frame->stream, (enum log_level)line.level, line.text, line.told,
             frame->flags & FRAME_RAISED);
    return 0;
}

static int take_frame(struct kin *kin, const struct frame *frame, struct err *err)
{
    if (kin->state == KIN_STARTING)
        return on_hello(kin, frame, err);
    if (frame->type == FRAME_LOG)
        return on_log(kin, frame, err);
    return kin->events->frame(kin->self, frame, err);
}

/* Nothing is kept of a frame that may not come: some types may be long, from others. */
static int check_start(const struct kin *kin, struct span start, struct err *err)
{
    uint8_t type;

    if (start.len < FRAME_HEADER)
        return 0;
    type = (uint8_t)start.data[4];
    if (kin->state == KIN_STARTING && type != FRAME_HELLO)
        return err_set(err, ERR_INVALID, "%s frame before HELLO", frame_name(type));
    if (!(frame_senders(type) & 1u << kin->role))
        return err_set(err, ERR_INVALID, "the start of frame %s, which is not for it to send",
                       frame_name(type));
    return 0;
}

static bool is_loud(const struct kin *kin)
{
    return (kin->ration.is_over || kin->noise.used > NOISE_LOUD) &&
           (!kin_hears_log(kin) || noise_is_loud(&kin->noise, clock_now_ms()));
}

static size_t on_bytes(void *self, struct span bytes)
{
    struct kin *kin = self;
    struct err err = {0};
    struct frame frame;
    size_t at = 0, used = 0;
    int r;

    while (kin->state < KIN_ENDING) {
        r = frame_parse(bytes.data + at, bytes.len - at, &frame, &used, &err);
        if (r == 0) {
            r = check_start(kin, (struct span){bytes.data + at, bytes.len - at}, &err);
            if (r == 0)
                break;
        } else if (r > 0) {
            at += used;
            r = take_frame(kin, &frame, &err);
        }
        if (r < 0)
            end(kin, r == ERR_GONE ? KIN_DIED : KIN_LIED, err.text);
    }
    if (kin->state < KIN_ENDING && is_loud(kin))
        peer_rest(&kin->peer);
    return at;
}

static void on_room(void *self)
{
    struct kin *kin = self;

    if (kin->events->room)
        kin->events->room(kin->self);
}

static void on_peer_ended(void *self, const char *why)
{
    struct kin *kin = self;

    end(kin, kin->peer.is_deaf ? KIN_LIED : KIN_DIED, why);
}

int kin_open(struct kin *kin, struct turn *turn, int take_fd, enum role role, pid_t parent,
             const struct kin_events *events, void *self, struct err *err)
{
    static const struct peer_events PEER = {on_bytes, on_room, on_peer_ended};

    *kin =
        (struct kin){.turn = turn, .role = role, .parent = parent, .events = events, .self = self};
    return peer_open(&kin->peer, turn, take_fd, PEER_IDENTIFIED, &PEER, kin, err);
}

void kin_kill(struct kin *kin, const char *why)
{
    if (kin->state >= KIN_ENDING || kin->killed)
        return;
    kin->killed = why;
    if (kin->has_proc)
        proc_kill(&kin->proc);
    peer_fail(&kin->peer, why);
}

void kin_hang_up(struct kin *kin)
{
    kin->is_leaving = true;
    peer_shut(&kin->peer);
}

static void check_put(struct kin *kin, int r)
{
    if (r < 0)
        peer_fail(&kin->peer, "no memory for what it is sent");
}

void kin_reset(struct kin *kin, uint32_t stream, enum reset_reason reason, struct span text)
{
    const struct reset reset = {.reason = reason, .text = text};
    struct err err;

    check_put(kin, reset_put(peer_out(&kin->peer), 0, stream, &reset, &err));
}

void kin_credit(struct kin *kin, uint32_t stream, size_t bytes)
{
    const struct credit credit = {.bytes = (uint32_t)bytes};
    struct err err;

    check_put(kin, credit_put(peer_out(&kin->peer), 0, stream, &credit, &err));
}

void kin_body(struct kin *kin, uint32_t stream, struct span bytes, bool is_end)
{
    struct buf *out = peer_out(&kin->peer);
    int r;

    do {
        size_t n = bytes.len < FRAME_BODY_MAX ? bytes.len : FRAME_BODY_MAX;
        bool is_last = is_end && n == bytes.len;
        r = frame_put(out, FRAME_BODY, is_last ? FRAME_END : 0, stream, bytes.data, n);
        bytes.data += n;
        bytes.len -= n;
    } while (r == 0 && bytes.len > 0);
    check_put(kin, r);
}

bool kin_is_up(const struct kin *kin)
{
    return kin->state == KIN_UP && !kin->killed && !kin->is_leaving;
}

pid_t kin_pid(const struct kin *kin)
{
    return kin->has_proc ? kin->proc.pid : 0;
}
