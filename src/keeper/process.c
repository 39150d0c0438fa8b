/* process.c - the process of a store: its beginning, its frames, its end.
 *
 * Whose fault an end was decides what becomes of its calls: those of which not
 * one byte has left wait for the next process, all others fail, because what
 * was sent may have been committed.  Of a process that never came up, or says
 * that it cannot open its database, nobody has read anything: those who wait
 * hear the reason, and who comes until the back-off is over hears it at once. */
#include "keeper/process.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "box/tier.h"
#include "keeper/inside.h"

static struct store_call *call_at(struct ring *at)
{
    return RING_OF(at, struct store_call, ring);
}

/* ---- frames in ---- */

static int on_pong(struct store *store, struct err *err)
{
    if (store->ping_ms == 0)
        return err_set(err, ERR_INVALID, "PONG without PING");
    store->ping_ms = 0;
    return 0;
}

/* The database cannot be opened: nothing was read of any call. */
static int on_refused(struct store *store, const struct frame *frame, struct err *err)
{
    struct failed failed;
    int r = failed_get(frame, &failed, err);

    if (r < 0)
        return r;
    if (store->has_answered || store->is_refused)
        return err_set(err, ERR_INVALID, "FAILED from a store that works");
    store->is_refused = true;
    snprintf(store->why, sizeof store->why, "%.*s%s%.*s", SPAN_ARG(failed.text),
             failed.hint.len > 0 ? " " : "", SPAN_ARG(failed.hint));
    kin_kill(&store->kin, "it cannot open its database");
    return 0;
}

static int on_frame(void *self, const struct frame *frame, struct err *err)
{
    struct store *store = self;
    struct store_call *call;
    int r;

    store->is_heard = true;
    if (frame->stream == 0 && frame->type == FRAME_PONG)
        return on_pong(store, err);
    if (frame->stream == 0 && frame->type == FRAME_FAILED)
        return on_refused(store, frame, err);
    if (frame->type != FRAME_REPLY && frame->type != FRAME_BODY && frame->type != FRAME_CREDIT &&
        frame->type != FRAME_RESET)
        return err_set(err, ERR_INVALID, "%s frame from a store", frame_name(frame->type));
    if (frame->stream == 0 || frame->stream > store->stream_last)
        return err_set(err, ERR_INVALID, "%s frame for stream %u that is not open",
                       frame_name(frame->type), frame->stream);
    if (frame->flags & FRAME_FINISHED)
        return err_set(err, ERR_INVALID, "%s frame that is finished", frame_name(frame->type));
    call = streams_get(&store->streams, frame->stream);
    if (!call) /* over already: it crossed our last frame */
        return kin_noise(&store->kin, NOISE_GONE, err);
    r = store_call_frame(call, frame, err);
    if (r == 0)
        store->has_answered = true;
    return r;
}

static void on_log(void *self, uint32_t stream, enum log_level level, struct span text,
                   struct span told, bool is_raised)
{
    const struct store *store = self;

    (void)stream, (void)told, (void)is_raised;
    keeper_say(store->keeper, store, level, "%.*s", SPAN_ARG(text));
}

static void on_room(void *self)
{
    struct store *store = self;
    struct ring all;

    ring_init(&all);
    ring_move(&all, &store->calls);
    while (!ring_is_empty(&all)) {
        struct store_call *call = call_at(all.next);
        ring_push(&store->calls, &call->ring);
        store_call_wake(call);
    }
    store_wake(store);
}

static void on_up(void *self, const struct hello *hello)
{
    struct store *store = self;

    (void)hello;
    store->has_been_up = true;
    store->up_ms = store->idle_ms = clock_now_ms();
    store_move(store, STORE_UP, 0);
    store_wake(store);
}

/* ---- the end of a process ---- */

/* What has not left of the calls `again` is kept with them. */
static void keep_unsent(struct store *store, const struct ring *again)
{
    uint64_t sent = peer_sent(&store->kin.peer);
    struct span left = peer_unsent(&store->kin.peer);
    size_t used = (size_t)(call_at(again->next)->at - sent);
    struct frame frame;
    struct err err;

    /* From the start of a call on these are whole frames. */
    for (;;) {
        struct store_call *call;
        left.data += used;
        left.len -= used;
        if (left.len == 0 || frame_parse(left.data, left.len, &frame, &used, &err) != 1)
            return;
        call = streams_get(&store->streams, frame.stream);
        if (!call || call->at < sent || store_call_recall(call, &frame) == 0)
            continue;
        streams_remove(&store->streams, frame.stream);
        store_call_fail(call, SPAN("The node is out of memory."));
    }
}

/* Calls of which not one byte has left wait again, before all others.  Gives the others to `lost`.
 */
static void recall(struct store *store, struct ring *lost)
{
    struct ring all, again;

    ring_init(&all);
    ring_init(&again);
    ring_move(&all, &store->calls);
    while (!ring_is_empty(&all)) {
        struct store_call *call = call_at(all.next);
        ring_push(call->at < peer_sent(&store->kin.peer) ? lost : &again, &call->ring);
    }
    if (ring_is_empty(&again))
        return;
    keep_unsent(store, &again);
    RING_EACH(at, &again)
        streams_remove(&store->streams, call_at(at)->stream);
    ring_move(&again, &store->queue);
    ring_move(&store->queue, &again);
}

/* It has not come up: whoever waits hears why, and who comes soon too. */
static void break_down(struct store *store, int64_t now_ms)
{
    struct err err = {0};

    store->is_broken = true;
    store->deadline_ms = now_ms + backoff_fail(&store->backoff);
    keeper_say(store->keeper, store, LOG_ERROR, "%s", store->why);
    store_refuse(store, &err);
    store_fail_all(&store->queue, span_of(err.text));
}

/* Both halves are closed: the place is free, and the next process may come. */
static void rest(struct store *store)
{
    if (store->is_kin_open || store->is_child_open)
        return;
    store_move(store, STORE_RESTING, store->deadline_ms);
    store->keeper->leaving -= store->is_leaving;
    store->is_leaving = false;
    keeper_give_place(store->keeper);
    if (!store->has_been_up)
        break_down(store, clock_now_ms());
    /* Not at the end of this turn: nothing may be left that keeps the loop going until then. */
    store_tick(store);
}

static void on_child_closed(void *self)
{
    struct store *store = self;

    store->is_child_open = false;
    rest(store);
}

static void on_gone(void *self)
{
    struct store *store = self;

    store->is_kin_open = false;
    rest(store);
}

static void on_exited(void *self, int64_t status, int signal)
{
    struct store *store = self;
    const char *name = signal ? sigabbrev_np(signal) : NULL;
    char how[64];

    if (signal)
        snprintf(how, sizeof how, "was ended by SIG%s", name ? name : "?");
    else
        snprintf(how, sizeof how, "ended with status %d", (int)status);
    if (!store->has_been_up && store->why[0] == '\0')
        snprintf(store->why, sizeof store->why, "The database's process %s before it was ready.",
                 how);
    else if (store->has_been_up && !store->is_leaving && !store->is_refused && !store->is_ended)
        keeper_say(store->keeper, store, LOG_ERROR, "its process %s", how);
    /* Its socket tells kin, with its last words; it may be held open by one that is about to die.
     */
    if (store->is_kin_open && store->kin.state < KIN_ENDING)
        peer_read_all(&store->kin.peer);
    if (store->is_kin_open)
        kin_kill(&store->kin, "it has ended");
    child_close(&store->child, on_child_closed);
}

const char *process_obituary(enum kin_end how, bool is_stuck)
{
    if (is_stuck)
        return "D1 DB storage operation exceeded timeout which caused object to be reset. The "
               "database's process stood still and was ended while this query ran; it may or may "
               "not have been committed.";
    if (how == KIN_LEFT)
        return "Network connection lost. The node is being closed; what ran may or may not have "
               "been committed.";
    return "Internal error in D1 DB storage caused object to be reset. The database's process "
           "ended "
           "unexpectedly while this query ran; it may or may not have been committed.";
}

static void on_ended(void *self, enum kin_end how, const char *why)
{
    struct store *store = self;
    int64_t now_ms = clock_now_ms();
    struct ring lost;

    store_move(store, STORE_ENDING, 0);
    child_kill(&store->child);
    ring_init(&lost);
    recall(store, &lost);
    if (how == KIN_LIED) {
        store->is_ended = true;
        keeper_say(store->keeper, store, LOG_ERROR,
                   "its process broke the protocol and was ended: %s", why);
    }
    if (!store->has_been_up && how != KIN_DIED && store->why[0] == '\0')
        snprintf(store->why, sizeof store->why, "The database's process was ended: %s.", why);
    /* One that works for a while, or answers, is no failure to start. */
    if (store->has_answered || (store->has_been_up && now_ms - store->up_ms >= BACKOFF_STEADY_MS))
        backoff_reset(&store->backoff);
    if (store->is_refused) {
        ring_move(&lost, &store->queue);
        ring_move(&store->queue, &lost);
        break_down(store, now_ms);
    } else if (how != KIN_LEFT && store->has_been_up) {
        store->deadline_ms = now_ms + backoff_fail(&store->backoff);
    }
    store_fail_all(&lost, span_of(process_obituary(how, store->is_stuck)));
    store_wake(store); /* waits for: on_exited, on_gone */
}

/* ---- the beginning of a process ---- */

enum { PATH_ROOM = 4096, UID_ROOM = 32 };

/* The folder and those above it. */
static int make_folder(const char *folder, struct err *err)
{
    char path[PATH_ROOM];
    size_t len = strlen(folder);

    if (len + strlen("/.") >= sizeof path)
        return err_set(err, ERR_LIMIT, "the path of the folder is longer than %zu bytes",
                       sizeof path);
    memcpy(path, folder, len + 1);
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        bool is_last = *at == '\0';
        *at = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
            return err_errno(err, errno, "make '%s'", path);
        if (is_last)
            return access(path, F_OK) < 0 ? err_errno(err, errno, "make '%s'", path) : 0;
        *at = '/';
    }
}

/* "--uid=N", or "" where that is not for us to say. */
static int user_of(const struct store *store, char ret[static UID_ROOM], struct err *err)
{
    const struct keeper_config *config = &store->keeper->config;
    unsigned uid = 0;
    int r = 0;

    if (config->box_uid && config->box_layers & BOX_BIT(BOX_UID))
        r = config->box_uid(config->box_uid_self, store->folder, &uid, err);
    ret[0] = '\0';
    if (r == 0 && uid > 0)
        snprintf(ret, UID_ROOM, "--uid=%u", uid);
    return r;
}

static int open_halves(struct store *store, struct err *err)
{
    static const struct kin_events KIN = {on_up, on_frame, on_log, on_room, on_ended, on_gone};
    static const char *const OPTIONS[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"};
    const struct keeper_config *config = &store->keeper->config;
    char rooms[3][512], size_max[64], query_ms[64], folder[PATH_ROOM];
    char layers[BOX_LAYERS_TEXT], box[BOX_LAYERS_TEXT + 8], uid[UID_ROOM];
    char *environment[8] = {"LANG=C.UTF-8", "TZ=UTC"};
    const bool is_full = config->sync == KEEPER_SYNC_FULL;
    char *arguments[] = {store->keeper->program,
                         folder,
                         is_full ? "--sync=full" : "--sync=normal",
                         size_max,
                         query_ms,
                         box,
                         uid,
                         NULL};
    int ours = -1, theirs = -1, n = 2, r = user_of(store, uid, err);

    if (r < 0)
        return r;
    if (uid[0] == '\0')
        arguments[6] = NULL;
    for (size_t i = 0; i < 3; i++) {
        environment[n] = child_inherited(OPTIONS[i], rooms[i], sizeof rooms[i]);
        n += environment[n] != NULL;
    }
    /* Of "X/." nobody makes a folder when X is gone. */
    snprintf(folder, sizeof folder, "%s%s", store->folder, config->needs_folders ? "/." : "");
    snprintf(size_max, sizeof size_max, "--size-max=%" PRIu64, config->size_max_bytes);
    snprintf(query_ms, sizeof query_ms, "--query-ms=%d", config->query_ms);
    box_layers_put(config->box_layers, layers);
    snprintf(box, sizeof box, "--box=%s", layers);
    r = peer_pair(&ours, &theirs, err);
    if (r < 0)
        return r;
    r = kin_open(&store->kin, &store->keeper->turn, ours, ROLE_STORE, getpid(), &KIN, store, err);
    if (r < 0) {
        close(theirs);
        return r;
    }
    store->is_kin_open = true;
    r = child_open(&store->child, store->timer.loop, store->keeper->program, arguments, environment,
                   theirs, on_exited, store, err);
    store->is_child_open = true;
    close(theirs);
    if (r < 0) {
        kin_kill(&store->kin, "it does not start");
        child_close(&store->child, on_child_closed);
    }
    return r;
}

/* What its process will have open. */
static int note_folder(struct store *store, int64_t now_ms, struct err *err)
{
    struct stat st;

    if (stat(store->folder, &st) < 0)
        return err_errno(err, errno, "find the folder '%s'", store->folder);
    store->folder_device = st.st_dev;
    store->folder_inode = st.st_ino;
    store->seen_ms = now_ms;
    return 0;
}

void process_start(struct store *store, int64_t now_ms)
{
    struct err err = {0};
    int r;

    store->why[0] = '\0';
    store->ping_ms = 0;
    store->stream_last = 0;
    store->has_been_up = store->has_answered = store->is_refused = store->is_broken = false;
    store->is_stuck = store->is_ended = store->is_moved = false;
    r = store->keeper->config.needs_folders ? 0 : make_folder(store->folder, &err);
    if (r == 0)
        r = note_folder(store, now_ms, &err);
    if (r == 0)
        r = open_halves(store, &err);
    if (r < 0)
        snprintf(store->why, sizeof store->why, "%.*s.", STORE_WHY_MAX - 2, err.text);
    if (store->is_kin_open) {
        store_move(store, STORE_STARTING, now_ms + STORE_HELLO_MS);
        return; /* waits for: on_up, on_ended */
    }
    keeper_give_place(store->keeper);
    break_down(store, now_ms);
}
