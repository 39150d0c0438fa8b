/* zygote.c - the child from which all others are forked.
 *
 *            child_open           HELLO
 *   RESTING ------------> STARTING -----> UP
 *      ^ \                    |            |
 *      |  \ close             | died, lied, deadline, close
 *      |   +-------+          v            v
 *      +----------- \ ------ ENDING <------+
 *       back-off     v         |
 *                  CLOSED <----+ close
 *
 * Its environment is written here, word by word: what is not in the list does
 * not reach a tenant.  JSC_* and GIGACAGE are what makes a live JavaScriptCore
 * forkable.  Its collector goes by what an instance may use (JSC_forceRAMSize; addresses end at
 * seven eighths of it, and the engine ends the process when it gets none),
 * and its heap grows by 1.7 between collections, not by 2, because what Python
 * holds of it takes two collections to go: with 2, or by the machine's memory,
 * the heap of a worker that makes such garbage grows until its address space is
 * used up.  (With 1.5 collections are so many that p99 of hello doubles.)  A heap that is small
 * grows to HEAP_SMALL first: a worker's own objects are 3 MB, and every 2 MB of chunks that stream
 * through would have them marked again, which took two thirds of a stream's time.  The sanitizers'
 * options pass so that a test build can be steered.
 *
 * Invariants
 *   1. `up` and `down` alternate, beginning with `up`; a start that never came
 *      up gives `down` alone.
 *   2. A next child is started only when both halves (socket, child) of the one
 *      before are closed. */
#include "herd/zygote.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "box/tier.h"
#include "loop/leftover.h"

enum {
    ZYGOTE_HELLO_MS = 30 * 1000, /* two engines start, under a sanitizer too */
    HEAP_SMALL = 7 * 1024 * 1024 /* bytes; with 8 a slow reader of a stream costs more than 24 MB */
};

static const bool MOVES[ZYGOTE_STATES][ZYGOTE_STATES] = {
    [ZYGOTE_RESTING] = {[ZYGOTE_STARTING] = true, [ZYGOTE_CLOSED] = true},
    [ZYGOTE_STARTING] = {[ZYGOTE_UP] = true, [ZYGOTE_ENDING] = true},
    [ZYGOTE_UP] = {[ZYGOTE_ENDING] = true},
    [ZYGOTE_ENDING] = {[ZYGOTE_RESTING] = true, [ZYGOTE_CLOSED] = true},
};

bool zygote_may_move(enum zygote_state from, enum zygote_state to)
{
    return MOVES[from][to];
}

static void move(struct zygote *zygote, enum zygote_state to)
{
    assert(zygote_may_move(zygote->state, to));
    zygote->state = to;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct zygote *zygote = handle->data;

    zygote->events->closed(zygote->self);
}

static void finish(struct zygote *zygote)
{
    move(zygote, ZYGOTE_CLOSED);
    uv_close((uv_handle_t *)&zygote->timer, on_timer_closed);
}

static void on_timer(uv_timer_t *timer);

/* Both halves are closed: rest, or end for good. */
static void rest(struct zygote *zygote)
{
    int wait_ms;

    if (zygote->is_kin_open || zygote->is_child_open)
        return;
    /* Where nothing ends with a pid namespace. */
    if (!(zygote->config->box_layers & BOX_BIT(BOX_PIDS)))
        (void)leftover_end(zygote->config->worker_program);
    if (zygote->is_closing) {
        finish(zygote);
        return;
    }
    wait_ms = backoff_fail(&zygote->backoff);
    log_warn("the engine process (zygote) starts again in %d ms", wait_ms);
    move(zygote, ZYGOTE_RESTING);
    uv_timer_start(&zygote->timer, on_timer, (uint64_t)wait_ms, 0);
}

static void on_child_closed(void *self)
{
    struct zygote *zygote = self;

    zygote->is_child_open = false;
    rest(zygote);
}

static void on_gone(void *self)
{
    struct zygote *zygote = self;

    zygote->is_kin_open = false;
    rest(zygote);
}

static void on_exited(void *self, int64_t status, int signal)
{
    struct zygote *zygote = self;

    if (!zygote->is_closing && signal)
        log_error("the engine process (zygote) was ended by SIG%s",
                  sigabbrev_np(signal) ? sigabbrev_np(signal) : "?");
    else if (!zygote->is_closing)
        log_error("the engine process (zygote) ended with status %lld", (long long)status);
    /* Its socket tells kin; it may be held open by a process that is about to die. */
    if (zygote->is_kin_open)
        kin_kill(&zygote->kin, "it has ended");
    child_close(&zygote->child, on_child_closed);
}

static void on_ended(void *self, enum kin_end how, const char *why)
{
    struct zygote *zygote = self;
    bool was_up = zygote->state == ZYGOTE_UP;

    if (how == KIN_LIED)
        log_error("the engine process (zygote) sends nonsense: %s", why);
    if (was_up && clock_now_ms() - zygote->up_ms >= BACKOFF_STEADY_MS)
        backoff_reset(&zygote->backoff);
    uv_timer_stop(&zygote->timer);
    move(zygote, ZYGOTE_ENDING);
    child_kill(&zygote->child);
    zygote->unborn = was_up ? 0 : zygote->unborn + 1;
    zygote->events->down(zygote->self, zygote->unborn);
}

static void on_up(void *self, const struct hello *hello)
{
    struct zygote *zygote = self;

    log_debug("engines: Python %.*s, %.*s", SPAN_ARG(hello->python), SPAN_ARG(hello->javascript));
    uv_timer_stop(&zygote->timer);
    zygote->up_ms = clock_now_ms();
    zygote->round++;
    move(zygote, ZYGOTE_UP);
    zygote->events->up(zygote->self);
}

static void on_log(void *self, uint32_t stream, enum log_level level, struct span text,
                   struct span told, bool is_raised)
{
    (void)self, (void)stream, (void)told, (void)is_raised;
    log_write(level, "%.*s", SPAN_ARG(text));
}

static int on_frame(void *self, const struct frame *frame, struct err *err)
{
    struct zygote *zygote = self;
    struct spawn_failed failed;
    struct spawned spawned;
    struct exited exited;
    int r;

    switch (frame->type) {
    case FRAME_SPAWNED:
        r = spawned_get(frame, &spawned, err);
        if (r == 0)
            zygote->events->spawned(zygote->self, &spawned);
        return r;
    case FRAME_SPAWN_FAILED:
        r = spawn_failed_get(frame, &failed, err);
        if (r == 0)
            zygote->events->spawn_failed(zygote->self, &failed);
        return r;
    case FRAME_EXITED:
        r = exited_get(frame, &exited, err);
        if (r == 0)
            zygote->events->exited(zygote->self, &exited);
        return r;
    default:
        return err_set(err, ERR_INVALID, "%s frame from a zygote", frame_name(frame->type));
    }
}

/* How large a heap may grow before the collector looks at it for the first time. */
static uint64_t small_heap(uint64_t memory_bytes)
{
    return memory_bytes > 0 && memory_bytes / 8 < HEAP_SMALL ? memory_bytes / 8 : HEAP_SMALL;
}

/* Start the child.  On failure child and socket are closed or on their way there. */
static int start(struct zygote *zygote, struct err *err)
{
    static const struct kin_events KIN = {on_up, on_frame, on_log, NULL, on_ended, on_gone};
    static const char *const OPTIONS[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"};
    char rooms[3][512], ram[64], small[64], layers[BOX_LAYERS_TEXT], box[BOX_LAYERS_TEXT + 8],
        uid[32];
    char *environment[24] = {"LANG=C.UTF-8",
                             "TZ=UTC",
                             "HOME=/tmp",
                             "PATH=/usr/bin:/bin",
                             "JSC_useConcurrentGC=0",
                             "JSC_numberOfGCMarkers=1",
                             "JSC_useConcurrentJIT=0",
                             "JSC_usePollingTraps=1",
                             "JSC_useTailCalls=0", /* they leave no frame in stacks */
                             "JSC_useSharedArrayBuffer=1", /* what the engine has, but not by itself */
                             "JSC_useIteratorSequencing=1",
                             "JSC_useWasmRelaxedSIMD=1",
                             "GIGACAGE_ENABLED=0",
                             "JSC_smallHeapGrowthFactor=1.7",
                             "JSC_mediumHeapGrowthFactor=1.3"};
    const struct herd_config *config = zygote->config;
    char *arguments[] = {(char *)config->worker_program, "zygote", box, uid, NULL};
    int ours = -1, theirs = -1, n = 15, r;

    for (size_t i = 0; i < 3; i++) {
        environment[n] = child_inherited(OPTIONS[i], rooms[i], sizeof rooms[i]);
        n += environment[n] != NULL;
    }
    if (config->memory_bytes > 0) {
        snprintf(ram, sizeof ram, "JSC_forceRAMSize=%" PRIu64, config->memory_bytes / 4 * 3);
        environment[n++] = ram;
    }
    snprintf(small, sizeof small, "JSC_smallHeapSize=%" PRIu64, small_heap(config->memory_bytes));
    environment[n++] = small;
    box_layers_put(config->box_layers, layers);
    snprintf(box, sizeof box, "--box=%s", layers);
    snprintf(uid, sizeof uid, "--uid=%u", config->box_uid);
    r = peer_pair(&ours, &theirs, err);
    if (r < 0)
        return r;
    r = kin_open(&zygote->kin, zygote->turn, ours, ROLE_ZYGOTE, getpid(), &KIN, zygote, err);
    if (r < 0) {
        close(theirs);
        return r;
    }
    zygote->is_kin_open = true;
    move(zygote, ZYGOTE_STARTING);
    r = child_open(&zygote->child, zygote->turn->prepare.loop, config->worker_program, arguments,
                   environment, theirs, on_exited, zygote, err);
    zygote->is_child_open = true;
    close(theirs);
    if (r < 0) {
        kin_kill(&zygote->kin, "it does not start");
        child_close(&zygote->child, on_child_closed);
    }
    return r;
}

static void on_timer(uv_timer_t *timer)
{
    struct zygote *zygote = timer->data;
    struct err err = {0};

    if (zygote->state == ZYGOTE_STARTING) {
        log_error("the engine process (zygote) said nothing for %d s", ZYGOTE_HELLO_MS / 1000);
        kin_kill(&zygote->kin, "no HELLO");
        return;
    }
    if (start(zygote, &err) < 0) {
        log_error("%s", err.text);
        if (zygote->state == ZYGOTE_RESTING)
            uv_timer_start(timer, on_timer, BACKOFF_MAX_MS, 0);
        return;
    }
    uv_timer_start(timer, on_timer, ZYGOTE_HELLO_MS, 0);
}

int zygote_open(struct zygote *zygote, struct turn *turn, const struct herd_config *config,
                const struct zygote_events *events, void *self, struct err *err)
{
    *zygote = (struct zygote){.turn = turn, .config = config, .events = events, .self = self};
    if (access(config->worker_program, X_OK) < 0) {
        (void)err_errno(err, errno, "start '%s'", config->worker_program);
        return err_hint(err, "it is built together with `corral`, by `make`");
    }
    uv_timer_init(turn->prepare.loop, &zygote->timer);
    zygote->timer.data = zygote;
    uv_timer_start(&zygote->timer, on_timer, 0, 0);
    return 0;
}

void zygote_close(struct zygote *zygote)
{
    zygote->is_closing = true;
    if (zygote->state == ZYGOTE_RESTING)
        finish(zygote);
    else if (zygote->state != ZYGOTE_ENDING)
        kin_kill(&zygote->kin, "the node closes");
    if (zygote->is_child_open)
        child_kill(&zygote->child); /* waits for: on_exited, on_gone */
}

bool zygote_is_up(const struct zygote *zygote)
{
    return zygote->state == ZYGOTE_UP && kin_is_up(&zygote->kin);
}

void zygote_replace(struct zygote *zygote, const char *why)
{
    if (!zygote_is_up(zygote))
        return;
    log_error("the engine process (zygote) is ended: %s", why);
    kin_kill(&zygote->kin, why);
}

pid_t zygote_pid(const struct zygote *zygote)
{
    return kin_pid(&zygote->kin);
}

int zygote_spawn(struct zygote *zygote, const struct spawn *spawn, int take_socket, int take_output,
                 struct err *err)
{
    struct buf *out = peer_out(&zygote->kin.peer);
    int fds[] = {take_socket, take_output};
    size_t start_at = buf_len(out);
    int r;

    assert(zygote_is_up(zygote));
    r = spawn_put(out, FRAME_SPAWN, spawn, err);
    if (r < 0) {
        close(take_socket);
        close(take_output);
        return r;
    }
    return peer_attach(&zygote->kin.peer, start_at, fds, 2, err);
}
